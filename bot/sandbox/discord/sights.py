"""What people see happen, whether or not the bot is told: ephemeral messages, typing, commands that come and go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.model import Message, User


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that is new, or no longer what it was."""

    message: "Message"


@dataclass(frozen=True, slots=True)
class Gone:
    """A message that was deleted, or that the one who saw it has dismissed."""

    message: "Message"


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is typing, until a Unix time in seconds; one that is past ends it."""

    channel: "Channel"
    user: "User"
    until: float


@dataclass(frozen=True, slots=True)
class Rearranged:
    """Something about the servers changed: channels, members, roles, or the commands on offer."""


Sight: TypeAlias = Shown | Gone | Typing | Rearranged
