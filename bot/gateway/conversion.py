"""From discord.py's objects to the domain's values."""

from collections.abc import Iterator, Mapping
from typing import Final

import discord

from bot.domain.ids import ChannelId, GuildId, MessageId, RoleId, UserId
from bot.domain.messages import Author, IncomingMessage
from bot.domain.places import Place
from bot.domain.safety import MentionNames, incoming_text
from bot.domain.turns import Transport
from bot.services.outlet import Destination, SeenPost
from bot.services.surroundings import Surroundings

_ORDINARY: Final = (discord.MessageType.default, discord.MessageType.reply)


class _RoleNames(Mapping[RoleId, str]):
    """A server's roles, looked up when a text mentions one: copying them all for every reply costs more."""

    def __init__(self, guild: discord.Guild) -> None:
        self._guild = guild

    def __getitem__(self, role_id: RoleId) -> str:
        role = self._guild.get_role(role_id)
        if role is None:
            raise KeyError(role_id)
        return role.name

    def __iter__(self) -> Iterator[RoleId]:
        return (RoleId(role.id) for role in self._guild.roles)

    def __len__(self) -> int:
        return len(self._guild.roles)


class _ChannelNames(Mapping[ChannelId, str]):
    """As _RoleNames, for a server's channels."""

    def __init__(self, guild: discord.Guild) -> None:
        self._guild = guild

    def __getitem__(self, channel_id: ChannelId) -> str:
        channel = self._guild.get_channel(channel_id)
        if channel is None:
            raise KeyError(channel_id)
        return channel.name

    def __iter__(self) -> Iterator[ChannelId]:
        return (ChannelId(channel.id) for channel in self._guild.channels)

    def __len__(self) -> int:
        return len(self._guild.channels)


def place_of(message: discord.Message) -> tuple[ChannelId, ChannelId | None, bool | None]:
    """Return where a message stands: the channel or thread, a thread's parent, and whether it is a thread.

    The last is None for a place that is not in the cache.
    """
    channel = message.channel
    if isinstance(channel, discord.Thread):
        return ChannelId(channel.id), ChannelId(channel.parent_id), True
    return ChannelId(channel.id), None, None if isinstance(channel, discord.PartialMessageable) else False


def incoming_message(message: discord.Message, guild_id: int, *, bot_id: int, application_id: int) -> IncomingMessage:
    """Read a message of a server; mentions become names, for the model and for nobody else."""
    channel_id, parent_id, in_thread = place_of(message)
    return IncomingMessage(
        id=MessageId(message.id),
        guild_id=GuildId(guild_id),
        channel_id=channel_id,
        parent_id=parent_id,
        in_thread=in_thread,
        author_id=UserId(message.author.id),
        author_name=message.author.display_name,
        author=_author(message, bot_id=bot_id, application_id=application_id),
        text=_text(message, bot_id=bot_id),
        addressed=_addressed(message, bot_id=bot_id, application_id=application_id),
        ordinary=message.type in _ORDINARY,
        attachments=tuple(attachment.filename for attachment in message.attachments)
        + tuple(f"sticker {sticker.name}" for sticker in message.stickers),
    )


def seen_post(message: discord.Message, *, bot_id: int, application_id: int) -> SeenPost | None:
    """Read a message that is the bot's own or its webhook's; None for anybody else's, and for answers to commands."""
    if message.webhook_id is not None:
        own = message.application_id == application_id and message.webhook_id != application_id
        return SeenPost(MessageId(message.id), Transport.WEBHOOK, message.content) if own else None
    if message.author.id != bot_id:
        return None
    # discord.py puts a random number on every message that is sent without a nonce: no reply or mark of ours.
    nonce = None if message.nonce is None or str(message.nonce).isdecimal() else str(message.nonce)
    return SeenPost(MessageId(message.id), Transport.BOT, message.content, nonce)


def destination_of_channel(guild_id: int, channel: object) -> Destination | None:
    """Return where a message stands; None for a place that is not in the cache."""
    if isinstance(channel, discord.Thread):
        return Destination(GuildId(guild_id), ChannelId(channel.parent_id), ChannelId(channel.id))
    if not isinstance(channel, discord.abc.GuildChannel):
        return None
    return Destination(GuildId(guild_id), ChannelId(channel.id))


def surroundings(guild: discord.Guild, destination: Destination, bot_name: str) -> Surroundings | None:
    """Read what stands around a place; None where its channel is not in the cache."""
    channel = guild.get_channel(destination.channel_id)
    if channel is None:
        return None
    place = Place(destination.guild_id, destination.channel_id, destination.thread_id, is_age_restricted(channel))
    names = MentionNames(roles=_RoleNames(guild), channels=_ChannelNames(guild))
    return Surroundings(place, guild.name, bot_name, names)


def is_age_restricted(channel: object) -> bool:
    """Tell whether a channel is marked as age-restricted; what has no such mark is not."""
    if isinstance(channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel)):
        return channel.is_nsfw()
    return False


def _author(message: discord.Message, *, bot_id: int, application_id: int) -> Author:
    if message.author.id == bot_id:
        return Author.SELF
    if message.webhook_id is not None:
        return Author.SELF if message.application_id == application_id else Author.WEBHOOK
    return Author.BOT if message.author.bot else Author.MEMBER


def _addressed(message: discord.Message, *, bot_id: int, application_id: int) -> bool:
    if any(user.id == bot_id for user in message.mentions) or _own_roles(message, bot_id=bot_id):
        return True
    target = message.reference.resolved if message.reference is not None else None
    if not isinstance(target, discord.Message):
        return False
    return target.author.id == bot_id or target.application_id == application_id


def _own_roles(message: discord.Message, *, bot_id: int) -> list[int]:
    """Return the mentioned roles that Discord keeps for the bot: its picker offers them by the bot's own name.

    They are looked for in the text, as a mention by somebody who may not ping the role need not be listed.
    """
    guild = message.guild
    roles = [] if guild is None else [guild.get_role(role_id) for role_id in message.raw_role_mentions]
    return [role.id for role in roles if role is not None and role.tags is not None and role.tags.bot_id == bot_id]


def _text(message: discord.Message, *, bot_id: int) -> str:
    content = message.content
    if message.message_snapshots:
        # A forward has no text of its own.
        content = "\n".join(snapshot.content for snapshot in message.message_snapshots)
    own_roles = (f"<@&{role_id}>" for role_id in _own_roles(message, bot_id=bot_id))
    for sign in (f"<@{bot_id}>", f"<@!{bot_id}>", *own_roles):
        content = content.removeprefix(sign).removesuffix(sign).strip()
    names = MentionNames(
        users={UserId(user.id): user.display_name for user in message.mentions},
        roles={RoleId(role.id): role.name for role in message.role_mentions},
        channels={ChannelId(channel.id): channel.name for channel in message.channel_mentions},
    )
    return incoming_text(content, names)
