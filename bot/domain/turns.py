"""A turn: the messages a reply answers, the versions of that reply, and the posts that carry it."""

from dataclasses import dataclass
from enum import Enum

from bot.domain.ids import (
    ChannelId,
    ConversationId,
    GuildId,
    MessageId,
    PayerId,
    PostId,
    TurnId,
    UserId,
    VersionId,
)


class TurnKind(Enum):
    REPLY = "reply"
    GREETING = "greeting"
    """The first message, posted by the bot at binding; answers nobody."""


class TurnState(Enum):
    WAITING = "waiting"
    """Asked for again with Retry, and not yet under way."""
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    DROPPED = "dropped"


class Refusal(Enum):
    """Why an accepted message was claimed but will not be answered. Stored, because it cannot be recomputed."""

    QUEUE_FULL = "queue_full"
    MEMBER_CAP = "member_cap"
    GUILD_CAP = "guild_cap"


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much is let in: messages waiting per conversation, and accepted ones a UTC day. 0 = no limit."""

    waiting: int
    member_per_day: int
    guild_per_day: int


@dataclass(frozen=True, slots=True)
class AdmissionFacts:
    """What stands when a message arrives."""

    waiting: int
    member_today: int
    guild_today: int


def refusal(facts: AdmissionFacts, limits: AdmissionLimits) -> Refusal | None:
    """Return why a message that would be answered is not let in, or None."""
    if limits.member_per_day and facts.member_today >= limits.member_per_day:
        return Refusal.MEMBER_CAP
    if limits.guild_per_day and facts.guild_today >= limits.guild_per_day:
        return Refusal.GUILD_CAP
    if facts.waiting >= limits.waiting:
        return Refusal.QUEUE_FULL
    return None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message about to be claimed for a conversation."""

    message_id: MessageId
    guild_id: GuildId
    channel_id: ChannelId
    author_id: UserId
    author_name: str
    text: str


class Admitted(Enum):
    """What became of an arrival besides a refusal."""

    CLAIMED = "claimed"
    DUPLICATE = "duplicate"
    """Claimed before: a replayed event, or one that the catch-up met too."""


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """One message of a turn. Text and name are None once they were erased."""

    message_id: MessageId
    author_id: UserId
    author_name: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """Messages that one reply answers."""

    id: TurnId
    conversation_id: ConversationId
    kind: TurnKind
    state: TurnState
    cause: str | None
    payer: PayerId
    attempts: int
    created_at_ms: int
    messages: tuple[TurnMessage, ...] = ()


class VersionState(Enum):
    WRITING = "writing"
    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Version:
    """One text of a turn's reply."""

    id: VersionId
    turn_id: TurnId
    number: int
    state: VersionState
    text: str | None


@dataclass(frozen=True, slots=True)
class VersionOutcome:
    """What is known of a version once upstream has ended."""

    text: str
    state: VersionState
    upstream_id: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: str | None = None


class PostKind(Enum):
    REPLY = "reply"
    MARK = "mark"
    """The bot's own note that a turn could not be answered."""


class Transport(Enum):
    WEBHOOK = "webhook"
    BOT = "bot"


class PostState(Enum):
    INTENDED = "intended"
    POSTED = "posted"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Post:
    """One Discord message of a turn, or the intent to send it."""

    id: PostId
    turn_id: TurnId
    kind: PostKind
    number: int
    channel_id: ChannelId
    thread_id: ChannelId | None
    transport: Transport
    state: PostState
    message_id: MessageId | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn as the character remembers it: what was said to it, and what it answered."""

    turn_id: TurnId
    messages: tuple[TurnMessage, ...]
    reply: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """What a character remembers of a conversation; exchanges from old to new."""

    greeting: str | None
    exchanges: tuple[Exchange, ...]
