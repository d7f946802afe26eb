"""The leaf records of the stand-in's world: people, roles, webhooks, messages. Places have their own module."""

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.json_types import JsonObject
    from bot.sandbox.discord.permissions import Permission

Ping: TypeAlias = int | Literal["everyone", "here"]
"""Who was notified: a user's or role's id, or one of the two mass mentions."""


class ChannelKind(IntEnum):
    """Discord's channel types, as far as text reaches them."""

    TEXT = 0
    DM = 1
    VOICE = 2
    CATEGORY = 4
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    STAGE = 13
    FORUM = 15


class MessageFlag(IntFlag):
    """Discord's message flags, as far as a bot may set or see them."""

    NONE = 0
    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_COMPONENTS_V2 = 1 << 15


class MessageType(IntEnum):
    """Discord's message types that the stand-in makes."""

    DEFAULT = 0
    PIN = 6
    JOIN = 7
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23


@dataclass(slots=True, eq=False)
class User:
    """An account: a person, a bot, or the face of one webhook message."""

    id: int
    name: str
    global_name: str | None = None
    bot: bool = False
    avatar: str | None = None
    discriminator: str = "0"

    @property
    def mention(self) -> str:
        """Return the text that mentions this user."""
        return f"<@{self.id}>"


@dataclass(slots=True, eq=False)
class Role:
    """A role of a server; the one with the server's id is @everyone."""

    id: int
    name: str
    permissions: "Permission"
    position: int = 0
    mentionable: bool = False
    managed: bool = False
    bot_id: int | None = None
    """The bot that Discord keeps the role for."""

    @property
    def mention(self) -> str:
        """Return the text that mentions this role."""
        return f"<@&{self.id}>"


@dataclass(slots=True, eq=False)
class Overwrite:
    """What a channel grants and denies to one role or one member."""

    id: int
    for_member: bool
    allow: "Permission"
    deny: "Permission"


@dataclass(slots=True, eq=False)
class Member:
    """A user inside one server."""

    user: User
    roles: list[Role]
    joined_at: float
    nick: str | None = None


@dataclass(slots=True, eq=False)
class Webhook:
    """An incoming webhook; `creator` is None for those that other applications' people made."""

    id: int
    token: str
    name: str
    channel: "Channel"
    creator: User | None
    application_id: int | None
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Attachment:
    """A file on a message, kept in memory and served by the stand-in's CDN."""

    id: int
    filename: str
    content: bytes
    content_type: str
    url: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a message's text, with the Unix time in seconds at which it was set."""

    at: float
    content: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The interaction that a message answers."""

    id: int
    type: int
    user: User
    name: str | None


@dataclass(slots=True, eq=False)
class Message:
    """A message as Discord keeps it, and what the stand-in noticed about it.

    `pings` is who was really notified, by any text it ever had; `unfurled` says that a link preview was made;
    `revisions` holds every text it ever had, the present one last; `dismissed` says that the one person who saw it
    has put it away, which the bot is never told.
    """

    id: int
    channel: "Channel"
    author: User
    content: str
    created_at: float
    type: MessageType = MessageType.DEFAULT
    edited_at: float | None = None
    webhook: Webhook | None = None
    application_id: int | None = None
    avatar_url: str | None = None
    embeds: "list[JsonObject]" = field(default_factory=list["JsonObject"])
    components: "list[JsonObject]" = field(default_factory=list["JsonObject"])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    flags: MessageFlag = MessageFlag.NONE
    replied_to: "Message | None" = None
    reply_id: int | None = None
    nonce: str | int | None = None
    origin: Origin | None = None
    ephemeral_for: int | None = None
    mentions: list[User] = field(default_factory=list[User])
    mention_roles: list[int] = field(default_factory=list[int])
    mention_everyone: bool = False
    pings: set[Ping] = field(default_factory=set[Ping])
    unfurled: bool = False
    deleted: bool = False
    dismissed: bool = False
    revisions: list[Revision] = field(default_factory=list[Revision])

    @property
    def text(self) -> str:
        """Return the content, which is what most tests ask for."""
        return self.content

    @property
    def is_v2(self) -> bool:
        """Tell whether the message is laid out with Components V2."""
        return bool(self.flags & MessageFlag.IS_COMPONENTS_V2)

    @property
    def is_loading(self) -> bool:
        """Tell whether this is the placeholder of a deferred answer."""
        return bool(self.flags & MessageFlag.LOADING)


THREAD_KINDS: Final = frozenset({ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD})
