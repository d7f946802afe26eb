"""The servers the bot is in, and what happens to their data once it has left for good."""

from collections.abc import Iterable
from typing import Final

from bot.domain.ids import GuildId
from bot.store.database import Database, Transaction

PURGE_BATCH_ROWS: Final = 500
"""So that the writer is held for milliseconds at a time."""


class Guilds:
    """The table guild."""

    def __init__(self, database: Database, *, purge_batch_rows: int = PURGE_BATCH_ROWS) -> None:
        self._database = database
        self._purge_batch_rows = purge_batch_rows

    async def seen(self, guild_ids: Iterable[GuildId], now_ms: int) -> None:
        """Write down that the bot is in these servers; one that it had left counts as never left."""
        async with self._database.transaction() as tx:
            for guild_id in guild_ids:
                await tx.execute(
                    "INSERT INTO guild (id, seen_at) VALUES ($1, $2) "
                    "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, left_at = NULL",
                    guild_id,
                    now_ms,
                )

    async def left(self, guild_id: GuildId, now_ms: int) -> None:
        """Write down that the bot was removed from a server, and delete its key. The first such word stands."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO guild (id, seen_at, left_at) VALUES ($1, $2, $2) "
                "ON CONFLICT (id) DO UPDATE SET left_at = COALESCE(guild.left_at, excluded.left_at)",
                guild_id,
                now_ms,
            )
            await tx.execute(
                "UPDATE server_settings SET token = NULL, token_set_at = NULL WHERE guild_id = $1", guild_id
            )

    async def present(self) -> frozenset[GuildId]:
        """Return the servers the bot was in when last heard of, to be compared with those it is in now."""
        rows = await self._database.read("SELECT id FROM guild WHERE left_at IS NULL")
        return frozenset(GuildId(row["id"]) for row in rows)

    async def to_purge(self, before_ms: int) -> list[GuildId]:
        """Return the servers that were left before a time."""
        rows = await self._database.read(
            "SELECT id FROM guild WHERE left_at IS NOT NULL AND left_at < $1 ORDER BY left_at, id", before_ms
        )
        return [GuildId(row["id"]) for row in rows]

    async def purge(self, guild_id: GuildId) -> bool:
        """Delete everything of a server that was left, and the server last.

        Ratings and reports are the members' and stay, without the server they were given in. Works in small
        transactions and takes up where it was broken off. False when the bot is in that server (again), or
        when the server is not known.
        """
        while True:
            async with self._database.transaction() as tx:
                gone = await tx.execute("SELECT id FROM guild WHERE id = $1 AND left_at IS NOT NULL", guild_id)
                if not gone:
                    return False
                if await self._purge_batch(tx, guild_id):
                    continue
                await self._purge_rest(tx, guild_id)
                return True

    async def _purge_batch(self, tx: Transaction, guild_id: GuildId) -> bool:
        claims = await tx.execute(
            "DELETE FROM claim WHERE message_id IN (SELECT message_id FROM claim WHERE guild_id = $1 LIMIT $2) "
            "RETURNING message_id",
            guild_id,
            self._purge_batch_rows,
        )
        if claims:
            return True
        turns = await tx.execute(
            """
            DELETE FROM turn WHERE id IN (
                SELECT turn.id FROM turn JOIN conversation ON conversation.id = turn.conversation_id
                WHERE conversation.guild_id = $1 LIMIT $2)
            RETURNING id
            """,
            guild_id,
            self._purge_batch_rows,
        )
        return bool(turns)

    async def _purge_rest(self, tx: Transaction, guild_id: GuildId) -> None:
        for sql in (
            "DELETE FROM notice WHERE channel_id IN (SELECT channel_id FROM binding WHERE guild_id = $1)",
            "DELETE FROM notice WHERE channel_id IN (SELECT scope_id FROM conversation WHERE guild_id = $1)",
            "DELETE FROM conversation WHERE guild_id = $1",
            "DELETE FROM binding WHERE guild_id = $1",
            "DELETE FROM webhook WHERE guild_id = $1",
            "DELETE FROM server_settings WHERE guild_id = $1",
            "UPDATE report SET guild_id = NULL, channel_id = NULL, message_id = NULL WHERE guild_id = $1",
            "UPDATE rating SET guild_id = NULL WHERE guild_id = $1",
            "DELETE FROM guild WHERE id = $1",
        ):
            await tx.execute(sql, guild_id)
