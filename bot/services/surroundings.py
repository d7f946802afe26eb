"""What stands around a place on Discord just now, as far as a reply has to know."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.domain.places import Place
from bot.domain.safety import MentionNames
from bot.services.outlet import Destination


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A place and the names that a reply may meet there."""

    place: Place
    guild_name: str
    bot_name: str
    names: MentionNames
    """The server's roles and channels by id; members are not known this way."""


SurroundingsOf: TypeAlias = Callable[[Destination], Surroundings | None]
"""Tells of a place from the gateway's cache; None when its server or channel is not there."""
