"""What the bot remembers of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pydantic import TypeAdapter

from bot.domain.characters import Character, KnownCharacter, merged_from_catalogue
from bot.domain.ids import CharacterId, CharacterRef
from bot.store.database import Database, Row, Transaction

_FACTS = TypeAdapter(Character)
NAMELESS = '%"visibility":"private"%'
"""What the stored facts hold of a character of which only its owner's key has told: see `nameless`."""
FORGET_NAMELESS = """
    DELETE FROM character WHERE ref IN (
        SELECT character.ref FROM character
        WHERE slug IS NULL AND checked_at IS NULL AND facts LIKE $1
          AND NOT EXISTS (SELECT 1 FROM own_character WHERE own_character.character_ref = character.ref)
          AND NOT EXISTS (SELECT 1 FROM binding WHERE binding.character_ref = character.ref)
          AND NOT EXISTS (SELECT 1 FROM rating WHERE rating.character_ref = character.ref)
          AND NOT EXISTS (SELECT 1 FROM report WHERE report.character_ref = character.ref)
          AND NOT EXISTS (SELECT 1 FROM draft WHERE draft.character_ref = character.ref)
          AND NOT EXISTS (SELECT 1 FROM card_file WHERE card_file.character_ref = character.ref)
          AND NOT EXISTS (SELECT 1 FROM moderation_watch WHERE moderation_watch.character_ref = character.ref)
        LIMIT $2)
    RETURNING ref
"""
"""Forgets the ids of private characters that nothing refers to any more. Takes NAMELESS, and how many at most."""


def nameless(character_id: CharacterId) -> Character:
    """Return what the catalogue's table holds of a character that the catalogue has never told of: its id alone."""
    return Character(character_id, name=character_id, visibility="private")


class Characters:
    """The table character."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, characters: Iterable[Character], now_ms: int) -> list[KnownCharacter]:
        """Keep what a list of the catalogue told, without losing what a full read told before.

        Returns them in their order, each once.
        """
        unique = {character.id: character for character in characters}
        async with self._database.transaction() as tx:
            known = await self._touch(tx, list(unique), now_ms)
            return [await self._add(tx, known.get(each.id), each, now_ms) for each in unique.values()]

    async def _touch(
        self, tx: Transaction, ids: Sequence[CharacterId], now_ms: int
    ) -> dict[CharacterId, KnownCharacter]:
        """Write down in one statement that these are still there, and return those that were known."""
        if not ids:
            return {}
        places = ", ".join(f"${place}" for place in range(2, len(ids) + 2))
        rows = await tx.execute(
            f"UPDATE character SET seen_at = $1, gone_at = NULL WHERE id IN ({places}) RETURNING *", now_ms, *ids
        )
        return {known.character.id: known for known in map(_known, rows)}

    async def _add(
        self, tx: Transaction, known: KnownCharacter | None, listed: Character, now_ms: int
    ) -> KnownCharacter:
        if known is None:
            return await self._write(tx, listed, now_ms, full=False)
        character = merged_from_catalogue(known.character, listed)
        return known if character == known.character else await self._write(tx, character, now_ms, full=False)

    async def remember_full(self, character: Character, now_ms: int) -> KnownCharacter:
        """Keep what a full read of one character told; it replaces all that was known."""
        async with self._database.transaction() as tx:
            return await self._write(tx, character, now_ms, full=True)

    async def _write(self, tx: Transaction, character: Character, now_ms: int, *, full: bool) -> KnownCharacter:
        (row,) = await tx.execute(
            """
            INSERT INTO character (id, slug, facts, rating, seen_at, checked_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (id) DO UPDATE
            SET slug = excluded.slug, facts = excluded.facts, rating = excluded.rating,
                seen_at = excluded.seen_at, gone_at = NULL,
                checked_at = COALESCE(excluded.checked_at, character.checked_at)
            RETURNING *
            """,
            character.id,
            character.slug,
            _FACTS.dump_json(character, exclude_none=True).decode(),
            character.rating.value,
            now_ms,
            now_ms if full else None,
        )
        return _known(row)

    async def get(self, ref: CharacterRef) -> KnownCharacter | None:
        """Return the character of a row id."""
        rows = await self._database.read("SELECT * FROM character WHERE ref = $1", ref)
        return _known(rows[0]) if rows else None

    async def find(self, address: str) -> KnownCharacter | None:
        """Return the character of an id, or of a slug in any case.

        A slug may have passed from one character to another: the one that is still there and was seen last
        has it.
        """
        rows = await self._database.read(
            """
            SELECT * FROM character WHERE id = $1 OR LOWER(slug) = $2
            ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, CASE WHEN gone_at IS NULL THEN 0 ELSE 1 END,
                     seen_at DESC, ref DESC
            LIMIT 1
            """,
            address,
            address.lower(),
        )
        return _known(rows[0]) if rows else None

    async def gone(self, character_id: CharacterId, now_ms: int) -> KnownCharacter | None:
        """Write down that the catalogue has no such character; None when it was never known here."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE character SET gone_at = COALESCE(gone_at, $2) WHERE id = $1 RETURNING *",
                character_id,
                now_ms,
            )
            return _known(rows[0]) if rows else None

    async def made_private(self, character_id: CharacterId) -> KnownCharacter | None:
        """Write down that its author shows a character to nobody else (any more); None when it was never known here.

        That is no word of the catalogue's, so that it says nothing of when the catalogue was asked.
        """
        async with self._database.transaction() as tx:
            rows = await tx.execute("SELECT * FROM character WHERE id = $1", character_id)
            if not rows:
                return None
            known = _known(rows[0])
            private = replace(known, character=replace(known.character, visibility="private"))
            facts = _FACTS.dump_json(private.character, exclude_none=True).decode()
            await tx.execute("UPDATE character SET facts = $2 WHERE ref = $1", known.ref, facts)
            return private

    async def all(self) -> list[KnownCharacter]:
        """Return every character, the gone ones too, for the index in memory."""
        return [_known(row) for row in await self._database.read("SELECT * FROM character ORDER BY ref")]


def _known(row: Row) -> KnownCharacter:
    return KnownCharacter(
        CharacterRef(row["ref"]),
        _FACTS.validate_json(row["facts"]),
        row["seen_at"],
        row["checked_at"],
        row["gone_at"],
    )
