"""What a character is told: the messages sent upstream for one reply."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant", "developer"]
"""Who speaks. Extra context goes in a developer item: `instructions` would replace the persona."""


@dataclass(frozen=True, slots=True)
class InputItem:
    """One message of the context sent upstream, oldest first."""

    role: Role
    text: str
