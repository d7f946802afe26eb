"""A character bound to a channel, and the conversations that come of it."""

from dataclasses import dataclass
from enum import Enum

from bot.domain.ids import (
    BindingId,
    ChannelId,
    CharacterRef,
    ConversationId,
    GuildId,
    MessageId,
    PayerId,
    UserId,
)


class Trigger(Enum):
    """What a bound character answers."""

    EVERY = "every"
    MENTION = "mention"
    """Only messages that mention the bot, or reply to the character."""


class BindingState(Enum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PauseCause(Enum):
    """Why a binding does not answer for now."""

    ABOVE_CEILING = "above_ceiling"
    """The character is rated above what the channel may show: re-rated, or the channel lost its flag."""
    UNAVAILABLE = "unavailable"
    """Withdrawn, archived, no longer approved, or closed to the API."""
    UNVERIFIED = "unverified"
    """The catalogue has not answered for so long that the last knowledge no longer counts."""
    UNLINKED = "unlinked"
    """The member who paid has taken their account away; they have to agree again."""
    KEY_REFUSED = "key_refused"
    """NanoGPT refuses the key of the member who pays."""
    OWNER_AWAY = "owner_away"
    """The member who pays has left the server, or may no longer decide who speaks in the channel."""
    OWN_FORBIDDEN = "own_forbidden"
    """The server does not let members bring characters of their own any more."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A character that speaks in a channel."""

    id: BindingId
    guild_id: GuildId
    channel_id: ChannelId
    character_ref: CharacterRef
    trigger: Trigger
    state: BindingState
    pause_cause: PauseCause | None
    bound_by: UserId
    payer: PayerId
    active_from: MessageId
    """Messages up to this one are never answered; moved by bind, trigger change, reset and unpause."""
    bound_at_ms: int
    """Since when the character speaks there, pauses included, in Unix milliseconds."""
    daily_turns: int | None = None
    """The replies a UTC day that a member who pays has agreed to; None where no member pays."""
    name_marked: bool = False
    """Somebody of the server goes by the character's name, so that it is marked as an AI's there."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What binding a character to a channel did."""

    binding: Binding
    ended: tuple[Binding, ...]
    """The bindings of other characters that this one took the place of."""
    renewed: bool
    """The character was bound there already, and keeps its conversations."""


class Scope(Enum):
    """What one conversation covers."""

    ROOM = "room"
    THREAD = "thread"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread of talk of a binding, with a memory of its own."""

    id: ConversationId
    binding_id: BindingId
    scope: Scope
    scope_id: int
    """The channel, the thread or the member that the scope names."""
    guild_id: GuildId
    channel_id: ChannelId
    """The bound channel; for a thread, its parent."""
    starts_after: MessageId
    """The horizon of its memory; moved by reset."""
