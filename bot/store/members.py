"""Members who asked to be ignored."""

from bot.domain.ids import UserId
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
                    "ON CONFLICT (user_id) DO NOTHING RETURNING user_id",
                    user_id,
                    now_ms,
                )
            )

    async def heed(self, user_id: UserId) -> bool:
        """Stop ignoring a member; False when they were not ignored."""
        async with self._database.transaction() as tx:
            return bool(await tx.execute("DELETE FROM ignored_member WHERE user_id = $1 RETURNING user_id", user_id))

    async def ignored(self) -> frozenset[UserId]:
        """Return everyone who is ignored."""
        rows = await self._database.read("SELECT user_id FROM ignored_member")
        return frozenset(UserId(row["user_id"]) for row in rows)
