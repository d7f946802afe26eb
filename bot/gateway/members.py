"""What a member may do in a channel, asked of Discord: without the members intent nothing else tells."""

import asyncio
from typing import Final

import discord

from bot.domain.ids import ChannelId, GuildId, RoleId, UserId
from bot.domain.rights import MemberRights
from bot.gateway.failures import asking
from bot.services.outlet import Uncertain

LOOK_SECONDS: Final = 5.0
"""How long Discord is waited for: a reply waits for it."""
_UNKNOWN_MEMBER: Final = 10007
_UNKNOWN_USER: Final = 10013
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""


class MemberReader:
    """Looks members up one by one."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def rights(self, guild_id: GuildId, channel_id: ChannelId, user_id: UserId) -> MemberRights | None:
        """Return what a member holds in a channel; None for one who is not in the server.

        Raises an OutletError when Discord does not tell, or the server or the channel cannot be seen.
        """
        guild = self._client.get_guild(guild_id)
        channel = None if guild is None else guild.get_channel(channel_id)
        if guild is None or channel is None:
            raise Uncertain
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                member = await asking(lambda: _member(guild, user_id))
        except TimeoutError as error:
            raise Uncertain from error
        if member is None:
            return None
        permissions = channel.permissions_for(member)
        return MemberRights(
            permissions.manage_channels or permissions.administrator,
            frozenset(RoleId(role.id) for role in member.roles),
        )


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    try:
        return await guild.fetch_member(user_id)
    except discord.NotFound as error:
        if error.code in (_UNKNOWN_MEMBER, _UNKNOWN_USER):
            return None
        raise
