"""Members who asked to be ignored."""

from bot.domain.ids import MessageId, UserId
from bot.store.database import Database


class Members:
    """The table ignored_member."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ignore(self, user_id: UserId, now_ms: int) -> bool:
        """Ignore a member from now on; False when they were ignored before."""
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "INSERT INTO ignored_member (user_id, since) VALUES ($1, $2) "
                    "ON CONFLICT (user_id) DO UPDATE SET since = excluded.since, heard_after = NULL "
                    "WHERE ignored_member.heard_after IS NOT NULL RETURNING user_id",
                    user_id,
                    now_ms,
                )
            )

    async def heed(self, user_id: UserId, after: MessageId) -> bool:
        """Hear a member again in what they write after a message; False when they were not ignored."""
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "UPDATE ignored_member SET heard_after = $2 WHERE user_id = $1 AND heard_after IS NULL "
                    "RETURNING user_id",
                    user_id,
                    after,
                )
            )

    async def ignored(self) -> frozenset[UserId]:
        """Return everyone who is ignored."""
        rows = await self._database.read("SELECT user_id FROM ignored_member WHERE heard_after IS NULL")
        return frozenset(UserId(row["user_id"]) for row in rows)

    async def heard_again(self) -> dict[UserId, MessageId]:
        """Return everyone who was ignored and is heard again, each with the last message that is passed over."""
        rows = await self._database.read(
            "SELECT user_id, heard_after FROM ignored_member WHERE heard_after IS NOT NULL"
        )
        return {UserId(row["user_id"]): MessageId(row["heard_after"]) for row in rows}
