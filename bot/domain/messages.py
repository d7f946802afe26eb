"""A message as it came from Discord, and whether a bound character answers it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import takewhile

from bot.domain.bindings import Binding, BindingState, Trigger
from bot.domain.ids import ChannelId, GuildId, MessageId, UserId


class Author(Enum):
    """What kind of account wrote a message."""

    MEMBER = "member"
    BOT = "bot"
    WEBHOOK = "webhook"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message of a server channel or thread, with mentions already turned into names."""

    id: MessageId
    guild_id: GuildId
    channel_id: ChannelId
    """Where it stands: a channel, or a thread."""
    parent_id: ChannelId | None
    """The channel of the thread it stands in; None for a message in a channel, or while unknown."""
    in_thread: bool | None
    """None where the place is not in the cache, so that the worker has to ask."""
    author_id: UserId
    author_name: str
    author: Author
    text: str
    addressed: bool
    """Mentions the bot, or replies to one of its messages."""
    ordinary: bool = True
    """A plain message or a reply; False for joins, pins, boosts and other messages of the system."""
    attachments: tuple[str, ...] = field(default=())

    @property
    def said(self) -> str:
        """What the character is told: the text, and the names of files it cannot see."""
        lines = [self.text.strip(), *(f"(sends a file: {name})" for name in self.attachments)]
        return "\n".join(line for line in lines if line)


def names_of_people(messages: Iterable[IncomingMessage]) -> frozenset[str]:
    """Return the names of who wrote messages, webhooks left out: their names are anybody's to choose."""
    return frozenset(message.author_name for message in messages if message.author in (Author.MEMBER, Author.BOT))


class Silence(Enum):
    """Why a message gets no answer, when that follows from the message and the settings alone."""

    NOT_BOUND = "not_bound"
    PAUSED = "paused"
    OWN = "own"
    OTHER_BOT = "other_bot"
    OTHER_WEBHOOK = "other_webhook"
    BOT_LOOP = "bot_loop"
    SYSTEM = "system"
    EMPTY = "empty"
    IGNORED_MEMBER = "ignored_member"
    WAS_IGNORED = "was_ignored"
    NOT_ADDRESSED = "not_addressed"
    BEFORE_ACTIVE = "before_active"


@dataclass(frozen=True, slots=True)
class BotPolicy:
    """Which other bots and webhooks may be answered, and how often in a row before a member speaks."""

    answered_ids: frozenset[int] = frozenset()
    turns_in_a_row: int = 3

    def turns_so_far(self, authors: Iterable[UserId]) -> int:
        """Count the messages of allowed bots since the last one of anybody else; `authors` come newest first."""
        return sum(1 for _ in takewhile(self.answered_ids.__contains__, authors))


def silence_reason(
    message: IncomingMessage,
    binding: Binding | None,
    *,
    ignored: bool,
    was_ignored: bool = False,
    bots: BotPolicy,
    bot_turns_so_far: int = 0,
) -> Silence | None:
    """Return why the message is not answered, or None when it is.

    `ignored` tells whether its author asked to be ignored, `was_ignored` whether they did when they wrote it.

    1. Nothing speaks here, or what speaks here is paused.
    2. The author is this bot, another bot or webhook that nobody allowed, or a member who asked to be ignored.
    3. Allowed bots have talked among themselves for long enough.
    4. The message is not a person's words: a system message, or empty.
    5. It is older than the binding, or not addressed to the character where it must be.
    """
    if binding is None or binding.state is BindingState.ENDED:
        return Silence.NOT_BOUND
    if message.author is Author.SELF:
        return Silence.OWN
    if message.author is not Author.MEMBER:
        if message.author_id not in bots.answered_ids:
            return Silence.OTHER_BOT if message.author is Author.BOT else Silence.OTHER_WEBHOOK
        if bot_turns_so_far >= bots.turns_in_a_row:
            return Silence.BOT_LOOP
    if ignored:
        return Silence.IGNORED_MEMBER
    if was_ignored:
        return Silence.WAS_IGNORED
    if not message.ordinary:
        return Silence.SYSTEM
    if not message.said:
        return Silence.EMPTY
    if message.id <= binding.active_from:
        return Silence.BEFORE_ACTIVE
    if binding.trigger is Trigger.MENTION and not message.addressed:
        return Silence.NOT_ADDRESSED
    if binding.state is BindingState.PAUSED:
        return Silence.PAUSED
    return None
