"""What servers have set, in memory, for everything that has to know without waiting."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.domain.ids import ChannelId, GuildId, PayerId, RoleId
from bot.domain.payers import OPERATOR, server_payer
from bot.domain.ratings import ContentRating
from bot.domain.servers import ServerSettings
from bot.services.clock import Clock
from bot.store.servers import Servers


class ServerRules:
    """A copy of the table server_settings, without the keys; each change goes to the store first. Load it first."""

    def __init__(self, *, servers: Servers, clock: Clock) -> None:
        self._servers = servers
        self._clock = clock
        self._rules: dict[GuildId, ServerSettings] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Read everything from the store."""
        self._rules = {settings.guild_id: settings for settings in await self._servers.all()}

    def of(self, guild_id: GuildId) -> ServerSettings:
        """Return what a server has set; the defaults where it has set nothing."""
        return self._rules.get(guild_id) or ServerSettings(guild_id)

    def rating_max(self, guild_id: GuildId) -> ContentRating | None:
        """Return the strongest rating that a server wants anywhere; None leaves it to the operator."""
        return self.of(guild_id).rating_max

    def manager_role(self, guild_id: GuildId) -> RoleId | None:
        """Return the role whose holders may bind characters as if they held Manage Channels."""
        return self.of(guild_id).manager_role_id

    def log_channel(self, guild_id: GuildId) -> ChannelId | None:
        """Return the channel in which the staff of a server wants to read reports."""
        return self.of(guild_id).log_channel_id

    def payer(self, guild_id: GuildId) -> PayerId:
        """Return who pays in a server where no member does: the server itself if it has a key, else the operator."""
        return OPERATOR if self.of(guild_id).key_set_at_ms is None else server_payer(guild_id)

    async def change(self, guild_id: GuildId, change: Callable[[ServerSettings], ServerSettings]) -> ServerSettings:
        """Change a server's settings, apart from the key, and return them."""
        async with self._changing:
            return self._put(await self._servers.put(change(self.of(guild_id))))

    async def set_key(self, guild_id: GuildId, key: str) -> ServerSettings | None:
        """Keep the key that a server pays with from now on; None, and nothing kept, where the bot was removed."""
        async with self._changing:
            settings = await self._servers.put_key(guild_id, key, self._clock.now_ms())
            return None if settings is None else self._put(settings)

    async def remove_key(self, guild_id: GuildId) -> bool:
        """Delete a server's key, so that the operator pays again; False when it had none."""
        async with self._changing:
            removed = await self._servers.remove_key(guild_id)
            if guild_id in self._rules:
                self._rules[guild_id] = replace(self._rules[guild_id], key_set_at_ms=None)
            return removed

    def _put(self, settings: ServerSettings) -> ServerSettings:
        self._rules[settings.guild_id] = settings
        return settings
