"""When the bot last posted which notice where, so that it does not repeat itself."""

from collections.abc import Iterable

from bot.domain.ids import ChannelId
from bot.store.database import Database


class Notices:
    """The table notice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def try_mark(self, channel_id: ChannelId, cause: str, now_ms: int, window_ms: int) -> bool:
        """Tell whether a notice may be posted now, and if so write down that it is.

        Of several askers at once, one may. A clock that was set back does not silence notices.
        """
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    """
                    INSERT INTO notice (channel_id, cause, posted_at) VALUES ($1, $2, $3)
                    ON CONFLICT (channel_id, cause) DO UPDATE SET posted_at = excluded.posted_at
                    WHERE notice.posted_at <= excluded.posted_at - $4 OR notice.posted_at > excluded.posted_at
                    RETURNING channel_id
                    """,
                    channel_id,
                    cause,
                    now_ms,
                    window_ms,
                )
            )

    async def forget(self, channel_id: ChannelId, causes: Iterable[str]) -> None:
        """Let notices of some causes be posted again at once."""
        async with self._database.transaction() as tx:
            for cause in causes:
                await tx.execute("DELETE FROM notice WHERE channel_id = $1 AND cause = $2", channel_id, cause)
