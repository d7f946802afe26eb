"""What the staff of servers have set, the key that a server pays with included."""

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.ratings import ContentRating
from bot.domain.servers import ServerSettings
from bot.store.database import Database, Row
from bot.store.sealed import open_or_none
from bot.store.vault import Vault


class Servers:
    """The table server_settings; a server that has set nothing has no row. Its key is sealed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def all(self) -> list[ServerSettings]:
        """Return the settings of every server that has any."""
        return [_settings(row) for row in await self._database.read("SELECT * FROM server_settings ORDER BY guild_id")]

    async def put(self, settings: ServerSettings) -> ServerSettings:
        """Keep a server's settings in place of those before; the key stays as it is."""
        async with self._database.transaction() as tx:
            (row,) = await tx.execute(
                """
                INSERT INTO server_settings (guild_id, manager_role_id, rating_max, log_channel_id, own_characters)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (guild_id) DO UPDATE
                SET manager_role_id = excluded.manager_role_id, rating_max = excluded.rating_max,
                    log_channel_id = excluded.log_channel_id, own_characters = excluded.own_characters
                RETURNING *
                """,
                settings.guild_id,
                settings.manager_role_id,
                None if settings.rating_max is None else settings.rating_max.value,
                settings.log_channel_id,
                int(settings.own_characters),
            )
            return _settings(row)

    async def put_key(self, guild_id: GuildId, key: str, now_ms: int) -> ServerSettings | None:
        """Keep the key that a server pays with, in place of the one before; None where the bot was removed from it."""
        async with self._database.transaction() as tx:
            if await tx.execute("SELECT id FROM guild WHERE id = $1 AND left_at IS NOT NULL", guild_id):
                return None
            (row,) = await tx.execute(
                """
                INSERT INTO server_settings (guild_id, own_characters, token, token_set_at) VALUES ($1, 1, $2, $3)
                ON CONFLICT (guild_id) DO UPDATE SET token = excluded.token, token_set_at = excluded.token_set_at
                RETURNING *
                """,
                guild_id,
                self._vault.seal(key, context=_context(guild_id)),
                now_ms,
            )
            return _settings(row)

    async def key(self, guild_id: GuildId) -> str | None:
        """Return a server's key; None when there is none, or it cannot be opened any more."""
        rows = await self._database.read("SELECT token FROM server_settings WHERE guild_id = $1", guild_id)
        return open_or_none(self._vault, rows[0]["token"], context=_context(guild_id)) if rows else None

    async def remove_key(self, guild_id: GuildId) -> bool:
        """Delete a server's key; False when it had none."""
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "UPDATE server_settings SET token = NULL, token_set_at = NULL "
                    "WHERE guild_id = $1 AND token_set_at IS NOT NULL RETURNING guild_id",
                    guild_id,
                )
            )


def _settings(row: Row) -> ServerSettings:
    role_id: int | None = row["manager_role_id"]
    rating: int | None = row["rating_max"]
    channel_id: int | None = row["log_channel_id"]
    return ServerSettings(
        GuildId(row["guild_id"]),
        None if role_id is None else RoleId(role_id),
        None if rating is None else ContentRating(rating),
        None if channel_id is None else ChannelId(channel_id),
        bool(row["own_characters"]),
        row["token_set_at"],
    )


def _context(guild_id: GuildId) -> str:
    return f"server:{guild_id}"
