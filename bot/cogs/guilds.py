"""Which servers the bot is in, so that what belongs to the others is forgotten."""

import discord
from discord.ext import commands

from bot.domain.ids import GuildId
from bot.services.retention import RetentionService


class GuildsCog(commands.Cog):
    """Passes joins and leaves on. Outages come as guild_unavailable and are no leaving.

    A leaving is written down before anything else hears of it: no key is kept of a server that was left.
    """

    def __init__(self, bot: commands.AutoShardedBot, retention: RetentionService) -> None:
        self._bot = bot
        self._retention = retention

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note a server the bot was added to."""
        await self._retention.guild_joined(GuildId(guild.id))

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note a server the bot was removed from."""
        await self._retention.guild_left(GuildId(guild.id))

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Find out which servers were left while this shard was not connected."""
        guild_ids = [GuildId(guild.id) for guild in self._bot.guilds]
        await self._retention.shard_ready(shard_id, self._bot.shard_count or 1, guild_ids)
