"""What members' own keys see of characters that are not for everybody."""

from collections.abc import Iterable

from pydantic import TypeAdapter

from bot.domain.characters import Character, KnownCharacter, merged
from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.store.accounts import check_linked_in
from bot.store.characters import nameless
from bot.store.database import Database, Row, Transaction
from bot.store.sealed import open_or_none
from bot.store.vault import Vault

_FACTS = TypeAdapter(Character)


class OwnCharacters:
    """The table own_character: what is known is sealed, and belongs to the member whose key saw it."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def remember(self, user_id: UserId, character: Character, now_ms: int) -> KnownCharacter:
        """Keep what a full read with a member's key told; it replaces all that was known to that member.

        A character that the catalogue has never named gets a row there that tells no more than its id. Raises
        NotLinkedError.
        """
        async with self._database.transaction() as tx:
            await check_linked_in(tx, user_id)
            return await self._write(tx, user_id, character, now_ms, full=True)

    async def remember_listed(
        self, user_id: UserId, characters: Iterable[Character], now_ms: int
    ) -> list[KnownCharacter]:
        """Keep what a member's list of their own told, without losing what full reads told before.

        Returns them in their order. Raises NotLinkedError.
        """
        async with self._database.transaction() as tx:
            await check_linked_in(tx, user_id)
            listed: list[KnownCharacter] = []
            for character in characters:
                held = await self._held(tx, user_id, character.id)
                whole = character if held is None else merged(held.character, character)
                listed.append(await self._write(tx, user_id, whole, now_ms, full=False))
            return listed

    async def _held(self, tx: Transaction, user_id: UserId, character_id: CharacterId) -> KnownCharacter | None:
        rows = await tx.execute(
            "SELECT own_character.* FROM own_character JOIN character ON character.ref = own_character.character_ref "
            "WHERE own_character.user_id = $1 AND character.id = $2",
            user_id,
            character_id,
        )
        return self._opened(rows[0]) if rows else None

    async def _write(
        self, tx: Transaction, user_id: UserId, character: Character, now_ms: int, *, full: bool
    ) -> KnownCharacter:
        ref = await self._ref(tx, character.id, now_ms)
        sealed = self._vault.seal(
            _FACTS.dump_json(character, exclude_none=True).decode(), context=_context(user_id, ref)
        )
        (row,) = await tx.execute(
            """
            INSERT INTO own_character (user_id, character_ref, body, seen_at, checked_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (user_id, character_ref) DO UPDATE
            SET body = excluded.body, seen_at = excluded.seen_at, gone_at = NULL,
                checked_at = COALESCE(excluded.checked_at, own_character.checked_at)
            RETURNING *
            """,
            user_id,
            ref,
            sealed,
            now_ms,
            now_ms if full else None,
        )
        return _known(row, character)

    async def _ref(self, tx: Transaction, character_id: CharacterId, now_ms: int) -> CharacterRef:
        rows = await tx.execute("SELECT ref FROM character WHERE id = $1", character_id)
        if not rows:
            unnamed = nameless(character_id)
            rows = await tx.execute(
                "INSERT INTO character (id, facts, rating, seen_at) VALUES ($1, $2, $3, $4) RETURNING ref",
                character_id,
                _FACTS.dump_json(unnamed, exclude_none=True).decode(),
                unnamed.rating.value,
                now_ms,
            )
        return CharacterRef(rows[0]["ref"])

    async def gone(self, user_id: UserId, ref: CharacterRef, now_ms: int) -> None:
        """Write down that a member's key does not see a character any more."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE own_character SET gone_at = COALESCE(gone_at, $3) WHERE user_id = $1 AND character_ref = $2",
                user_id,
                ref,
                now_ms,
            )

    async def all(self) -> list[tuple[UserId, KnownCharacter]]:
        """Return everything that can still be opened, with the member it belongs to."""
        found: list[tuple[UserId, KnownCharacter]] = []
        for row in await self._database.read("SELECT * FROM own_character ORDER BY user_id, character_ref"):
            known = self._opened(row)
            if known is not None:
                found.append((UserId(row["user_id"]), known))
        return found

    def _opened(self, row: Row) -> KnownCharacter | None:
        context = _context(UserId(row["user_id"]), CharacterRef(row["character_ref"]))
        facts = open_or_none(self._vault, row["body"], context=context)
        return None if facts is None else _known(row, _FACTS.validate_json(facts))


def _known(row: Row, character: Character) -> KnownCharacter:
    return KnownCharacter(
        CharacterRef(row["character_ref"]), character, row["seen_at"], row["checked_at"], row["gone_at"]
    )


def _context(user_id: UserId, ref: CharacterRef) -> str:
    return f"own:{user_id}:{ref}"
