"""What the services need of Discord to speak: one protocol, and the ways it fails.

OutletError
├── Gone        the message, the webhook or the place is no longer there
├── Forbidden   the bot may not do this there
├── Refused     Discord will not take this content; asking again changes nothing
├── Busy        not now; says when
└── Uncertain   nobody knows whether it was carried out
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bot.domain.ids import ChannelId, CharacterId, CharacterRef, GuildId, MessageId, TurnId
from bot.domain.turns import Transport


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to speak: a channel, or a thread of it."""

    guild_id: GuildId
    channel_id: ChannelId
    """The channel; for a thread its parent, which is where webhooks live."""
    thread_id: ChannelId | None = None

    @property
    def place(self) -> ChannelId:
        """The channel or thread that the message stands in."""
        return self.thread_id or self.channel_id


@dataclass(frozen=True, slots=True)
class Persona:
    """The face a reply wears."""

    character_id: CharacterId
    name: str
    avatar_url: str | None = None
    """None: one of Discord's own default avatars, chosen by the character's id."""


@dataclass(frozen=True, slots=True)
class Controls:
    """The buttons under a message."""

    turn_id: TurnId
    character_ref: CharacterRef
    feedback: bool = False
    retry: bool = False


@dataclass(frozen=True, slots=True)
class TextFile:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be posted, or what one is to become."""

    text: str
    persona: Persona | None = None
    """None: the bot speaks as itself."""
    controls: Controls | None = None
    file: TextFile | None = None
    nonce: str | None = None
    """Lets Discord drop a second copy, and lets an echo be recognised; not known to webhooks."""


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A message of the bot or of its webhook, seen as a gateway event or in the history of a place."""

    message_id: MessageId
    transport: Transport
    text: str
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of the rate limit of a place: None while no answer has told."""

    remaining: int | None
    resets_in_seconds: float


class Lost(Enum):
    """What is gone."""

    MESSAGE = "message"
    WEBHOOK = "webhook"
    PLACE = "place"


class OutletError(Exception):
    """The base of what can go wrong when speaking."""


class Gone(OutletError):
    def __init__(self, what: Lost) -> None:
        super().__init__(what.value)
        self.what = what


class Forbidden(OutletError):
    pass


class Refused(OutletError):
    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code
        """Discord's error code."""


class Busy(OutletError):
    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"{retry_after_seconds:.1f} s")
        self.retry_after_seconds = retry_after_seconds


class Uncertain(OutletError):
    pass


class Outlet(Protocol):
    """Speaks on Discord. No call is ever cancelled by its callers; every call may raise an OutletError."""

    def may_speak(self, destination: Destination) -> bool:
        """Tell from memory whether the bot may write there; True where nothing is known of the place."""
        ...

    async def transport(self, destination: Destination) -> Transport:
        """Tell how a persona can speak there, finding or making the webhook if need be."""
        ...

    async def post(self, destination: Destination, transport: Transport, draft: Draft) -> MessageId:
        """Send a message and return its id."""
        ...

    async def edit(self, destination: Destination, transport: Transport, message_id: MessageId, draft: Draft) -> None:
        """Make a message what the draft says."""
        ...

    async def bare(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Take the buttons off a message and leave the rest."""
        ...

    async def delete(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Delete a message of the bot or of its webhook."""
        ...

    async def typing(self, destination: Destination) -> None:
        """Show the bot typing, which lasts ten seconds or until it posts as itself."""
        ...

    async def recent(self, destination: Destination, after: MessageId) -> list[SeenPost]:
        """Return the own messages of a place newer than `after`, oldest first; at most 100."""
        ...

    def allowance(self, destination: Destination) -> Allowance:
        """Tell what the last answer said of the rate limit of the webhook there."""
        ...
