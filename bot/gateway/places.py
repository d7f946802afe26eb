"""Where an interaction comes from, and who may do what there."""

import asyncio
import logging
from typing import Final

import discord

from bot.domain.ids import ChannelId, GuildId, MessageId, RoleId, UserId
from bot.domain.notices import NO_FORUMS
from bot.domain.places import Place
from bot.domain.rights import Right
from bot.errors import UserError
from bot.gateway.conversion import is_age_restricted
from bot.services.bindings import Asker

_log = logging.getLogger(__name__)

FETCH_SECONDS: Final = 1.5
"""How long a channel that is not in the cache is waited for: an interaction dies after three seconds."""

_SPOKEN: Final = (discord.VoiceChannel, discord.StageChannel)


async def place_of(interaction: discord.Interaction) -> Place | None:
    """Return the place that an interaction was made in; None outside servers.

    A thread goes by its parent, which is asked for where it is not in the cache; a parent that cannot be had counts
    as not age-restricted.
    """
    if interaction.guild_id is None or interaction.channel_id is None:
        return None
    guild_id = GuildId(interaction.guild_id)
    channel = interaction.channel
    if not isinstance(channel, discord.Thread):
        return Place(guild_id, ChannelId(interaction.channel_id), None, is_age_restricted(channel))
    parent = channel.parent or await _fetch(interaction.client, channel.parent_id)
    return Place(guild_id, ChannelId(channel.parent_id), ChannelId(channel.id), is_age_restricted(parent))


async def _fetch(client: discord.Client, channel_id: int) -> object:
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await client.fetch_channel(channel_id)
    except TimeoutError:
        _log.info("Channel %s was not looked up in time", channel_id)
        return None
    except (discord.HTTPException, discord.InvalidData) as error:
        _log.info("Channel %s cannot be looked up: %s", channel_id, type(error).__name__)
        return None


def refuse_forum(interaction: discord.Interaction) -> None:
    """Raise UserError inside a forum: its posts are threads of a channel in which nothing can be said."""
    channel = interaction.channel
    parent = channel.parent if isinstance(channel, discord.Thread) else channel
    if isinstance(parent, discord.ForumChannel):
        raise UserError(NO_FORUMS)


def asker_of(interaction: discord.Interaction) -> Asker:
    """Return who made an interaction, whether they may change things in its channel, and when they asked."""
    return Asker(
        UserId(interaction.user.id),
        interaction.user.display_name,
        member_may_manage(interaction),
        MessageId(interaction.id),
        _role_ids(interaction.user),
    )


def member_may_manage(interaction: discord.Interaction) -> bool:
    """Tell whether the person holds Manage Channels in the channel, overwrites included; never outside servers."""
    permissions = interaction.permissions
    return interaction.guild_id is not None and (permissions.manage_channels or permissions.administrator)


def manages_server(interaction: discord.Interaction) -> bool:
    """Tell whether the person holds Manage Server; never outside servers."""
    permissions = interaction.permissions
    return interaction.guild_id is not None and (permissions.manage_guild or permissions.administrator)


def _role_ids(person: discord.User | discord.Member) -> frozenset[RoleId]:
    return frozenset(RoleId(role.id) for role in person.roles) if isinstance(person, discord.Member) else frozenset()


def bot_rights(interaction: discord.Interaction) -> frozenset[Right]:
    """Return what the bot lacks in the channel of an interaction, overwrites included."""
    # Reading and writing in a voice channel's chat needs Connect too (Discord, Get Channel Messages).
    return _missing(interaction.app_permissions, spoken=isinstance(interaction.channel, _SPOKEN))


def rights_missing_in(interaction: discord.Interaction, channel_id: ChannelId) -> frozenset[Right]:
    """Return what the bot lacks in another channel of the same server; everything in one that it cannot see."""
    guild = interaction.guild
    channel = None if guild is None else guild.get_channel(channel_id)
    if guild is None or channel is None:
        return frozenset(Right)
    return _missing(channel.permissions_for(guild.me), spoken=isinstance(channel, _SPOKEN))


def may_read_history(channel: discord.abc.GuildChannel, member: discord.Member) -> bool:
    """Tell whether a member may read what was said in a channel and its threads."""
    permissions = channel.permissions_for(member)
    may_read = permissions.view_channel and permissions.read_message_history
    return may_read and (permissions.connect or not isinstance(channel, _SPOKEN))


def _missing(permissions: discord.Permissions, *, spoken: bool) -> frozenset[Right]:
    if permissions.administrator:
        return frozenset()
    return frozenset(
        right for right in Right if not getattr(permissions, right.value) and (spoken or right is not Right.CONNECT)
    )
