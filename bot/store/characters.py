"""What the bot remembers of the catalogue."""

from collections.abc import Iterable

from pydantic import TypeAdapter

from bot.domain.characters import Character, KnownCharacter, merged
from bot.domain.ids import CharacterId, CharacterRef
from bot.store.database import Database, Row, Transaction

_FACTS = TypeAdapter(Character)


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
            return [await self._keep(tx, character, now_ms, full=False) for character in unique.values()]

    async def remember_full(self, character: Character, now_ms: int) -> KnownCharacter:
        """Keep what a full read of one character told; it replaces all that was known."""
        async with self._database.transaction() as tx:
            return await self._keep(tx, character, now_ms, full=True)

    async def _keep(self, tx: Transaction, character: Character, now_ms: int, *, full: bool) -> KnownCharacter:
        if not full:
            for row in await tx.execute("SELECT facts FROM character WHERE id = $1", character.id):
                character = merged(_FACTS.validate_json(row["facts"]), character)
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
