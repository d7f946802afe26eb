"""Characters that are with NanoGPT's moderators, and what their authors have yet to hear of them."""

from collections.abc import Iterable
from typing import Final

from pydantic import TypeAdapter

from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.domain.moderation import Verdict, Watch
from bot.store.accounts import check_linked_in
from bot.store.database import Database, Row
from bot.store.sealed import open_or_none
from bot.store.vault import Vault

_VERDICT: Final = TypeAdapter(Verdict)
_LIVE: Final = """
    SELECT moderation_watch.*, character.id AS character_id
    FROM moderation_watch JOIN character ON character.ref = moderation_watch.character_ref
"""


class Watches:
    """The table moderation_watch: one row a member and character."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def begin(
        self, user_id: UserId, ref: CharacterRef, *, tell: bool, status: str | None, due_ms: int, now_ms: int
    ) -> None:
        """Watch a character from now on, in place of an earlier watch and of what was to be told of that.

        Raises NotLinkedError.
        """
        async with self._database.transaction() as tx:
            await check_linked_in(tx, user_id)
            await tx.execute(
                """
                INSERT INTO moderation_watch (user_id, character_ref, tell, status, since, looks, due_at)
                VALUES ($1, $2, $3, $4, $5, 0, $6)
                ON CONFLICT (user_id, character_ref) DO UPDATE
                SET tell = excluded.tell, status = excluded.status, since = excluded.since, looks = 0,
                    due_at = excluded.due_at, body = NULL
                """,
                user_id,
                ref,
                int(tell),
                status,
                now_ms,
                due_ms,
            )

    async def end(self, user_id: UserId, ref: CharacterRef) -> None:
        """Stop watching a character, and say nothing more about it."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM moderation_watch WHERE user_id = $1 AND character_ref = $2", user_id, ref)

    async def due(self, now_ms: int) -> list[UserId]:
        """Return the members of whose characters one is to be looked at now, the longest due first."""
        rows = await self._database.read(
            "SELECT user_id FROM moderation_watch WHERE due_at <= $1 GROUP BY user_id ORDER BY MIN(due_at), user_id",
            now_ms,
        )
        return [UserId(row["user_id"]) for row in rows]

    async def next_due_ms(self) -> int | None:
        """Return when somebody's character is to be looked at next; None while nothing is watched."""
        (row,) = await self._database.read("SELECT MIN(due_at) AS due_at FROM moderation_watch")
        return row["due_at"]

    async def of(self, user_id: UserId) -> list[Watch]:
        """Return what is watched for a member."""
        rows = await self._database.read(
            f"{_LIVE} WHERE user_id = $1 AND due_at IS NOT NULL ORDER BY character_ref", user_id
        )
        return [_watch(row) for row in rows]

    async def looked(self, watch: Watch, *, due_ms: int) -> None:
        """Count a look that found nothing new, and put the next one off."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE moderation_watch SET looks = $4, due_at = $5 "
                "WHERE user_id = $1 AND character_ref = $2 AND since = $3 AND due_at IS NOT NULL",
                watch.user_id,
                watch.ref,
                watch.since_ms,
                watch.looks + 1,
                due_ms,
            )

    async def found(self, watch: Watch, verdict: Verdict, *, due_ms: int | None) -> bool:
        """Keep what is to be told of a character; None ends the watch. False when it was begun anew meanwhile."""
        sealed = self._vault.seal(_VERDICT.dump_json(verdict).decode(), context=_context(watch.user_id, watch.ref))
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "UPDATE moderation_watch SET looks = $4, due_at = $5, status = $6, body = $7 "
                    "WHERE user_id = $1 AND character_ref = $2 AND since = $3 AND due_at IS NOT NULL "
                    "RETURNING user_id",
                    watch.user_id,
                    watch.ref,
                    watch.since_ms,
                    watch.looks + 1,
                    due_ms,
                    verdict.status,
                    sealed,
                )
            )

    async def news(self, user_id: UserId) -> list[tuple[CharacterRef, Verdict]]:
        """Return what a member has yet to hear."""
        found: list[tuple[CharacterRef, Verdict]] = []
        for row in await self._database.read(
            "SELECT * FROM moderation_watch WHERE user_id = $1 AND body IS NOT NULL ORDER BY character_ref", user_id
        ):
            ref = CharacterRef(row["character_ref"])
            text = open_or_none(self._vault, row["body"], context=_context(user_id, ref))
            if text is not None:
                found.append((ref, _VERDICT.validate_json(text)))
        return found

    async def told(self, user_id: UserId, refs: Iterable[CharacterRef]) -> None:
        """Forget what a member has heard, and the watches that have ended with it."""
        async with self._database.transaction() as tx:
            for ref in refs:
                await tx.execute(
                    "DELETE FROM moderation_watch WHERE user_id = $1 AND character_ref = $2 AND due_at IS NULL",
                    user_id,
                    ref,
                )
                await tx.execute(
                    "UPDATE moderation_watch SET body = NULL WHERE user_id = $1 AND character_ref = $2", user_id, ref
                )


def _watch(row: Row) -> Watch:
    return Watch(
        UserId(row["user_id"]),
        CharacterRef(row["character_ref"]),
        CharacterId(row["character_id"]),
        bool(row["tell"]),
        row["since"],
        row["looks"],
        row["due_at"],
        row["status"],
    )


def _context(user_id: UserId, ref: CharacterRef) -> str:
    return f"moderation:{user_id}:{ref}"
