"""Discord's permission bits and the documented order in which roles and overwrites combine.

Bits and algorithm: https://discord.com/developers/docs/topics/permissions.
"""

from enum import IntFlag
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.guilds import Guild


class Permission(IntFlag):
    """The permissions that matter to a chat bot; all others are absent here and never set."""

    NONE = 0
    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    USE_EXTERNAL_APPS = 1 << 50


P = Permission
MEMBER_DEFAULT: Final = (
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_EXTERNAL_EMOJIS
    | P.CONNECT
    | P.SPEAK
    | P.USE_APPLICATION_COMMANDS
    | P.CREATE_PUBLIC_THREADS
    | P.SEND_MESSAGES_IN_THREADS
    | P.USE_EXTERNAL_APPS
)
"""What @everyone may do in a new server, as far as it concerns text."""
BOT_DEFAULT: Final = (
    P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.SEND_MESSAGES_IN_THREADS
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.MANAGE_WEBHOOKS
    | P.USE_EXTERNAL_EMOJIS
    | P.CONNECT
)
"""What the bot's invitation asks for, and Connect, which voice channels' chat needs."""
DIRECT_MESSAGE: Final = MEMBER_DEFAULT & ~P.CREATE_PUBLIC_THREADS
ALL: Final = Permission((1 << 53) - 1)
"""Owners and administrators hold every bit, those without a name here too."""


def guild_permissions(guild: "Guild", user_id: int) -> Permission:
    """Combine the roles of a member; owners and administrators hold everything, strangers nothing."""
    if user_id == guild.owner_id:
        return ALL
    member = guild.members.get(user_id)
    if member is None:
        return Permission.NONE
    held = guild.everyone.permissions
    for role in member.roles:
        held |= role.permissions
    return ALL if held & Permission.ADMINISTRATOR else held


def permissions_in(channel: "Channel", user_id: int) -> Permission:
    """Work out what a user may do in a channel; a thread asks its parent, as Discord's do.

    Without View Channel nothing is left. In a thread, Send Messages follows Send Messages in Threads.
    """
    guild = channel.guild
    if guild is None:
        return DIRECT_MESSAGE if user_id in channel.recipients else Permission.NONE
    held = guild_permissions(guild, user_id)
    if held == ALL:
        return held
    place = channel.parent if channel.is_thread and channel.parent is not None else channel
    held = _with_overwrites(held, place, guild, user_id)
    if not held & Permission.VIEW_CHANNEL:
        return Permission.NONE
    if channel.is_thread:
        sends = bool(held & Permission.SEND_MESSAGES_IN_THREADS)
        held = held | Permission.SEND_MESSAGES if sends else held & ~Permission.SEND_MESSAGES
    return held


def _with_overwrites(held: Permission, place: "Channel", guild: "Guild", user_id: int) -> Permission:
    everyone = place.overwrites.get(guild.id)
    if everyone is not None:
        held = held & ~everyone.deny | everyone.allow
    member = guild.members.get(user_id)
    allow = deny = Permission.NONE
    for role in member.roles if member is not None else ():
        overwrite = place.overwrites.get(role.id)
        if overwrite is not None:
            allow |= overwrite.allow
            deny |= overwrite.deny
    held = held & ~deny | allow
    own = place.overwrites.get(user_id)
    return held & ~own.deny | own.allow if own is not None else held
