"""What the page sends, read strictly: one verb with its fields."""

import json
from dataclasses import dataclass
from typing import Final

from bot.sandbox.discord import SandboxError
from bot.sandbox.discord.json_types import JsonObject, as_list, as_object

_LONGEST_ID: Final = 20
"""Digits of the longest number of 64 bits, which is what Discord's ids are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One frame of the page. The readers raise SandboxError for a field that is missing or of another type."""

    number: int
    verb: str
    fields: JsonObject

    def text(self, name: str) -> str:
        """Read a text."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise _malformed(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Read a text that may be left out."""
        return None if self.fields.get(name) is None else self.text(name)

    def id(self, name: str) -> int:
        """Read an id."""
        value = self.text(name)
        number = read_number(value)
        if number is None:
            raise _malformed(name)
        return number

    def optional_id(self, name: str) -> int | None:
        """Read an id that may be left out."""
        return None if self.fields.get(name) is None else self.id(name)

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a yes or no."""
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            raise _malformed(name)
        return value

    def amount(self, name: str, *, most: float) -> float:
        """Read a number from 0 to `most`."""
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise SandboxError(f"{name} goes from 0 to {most:,.0f}")
        return float(value)

    def object(self, name: str) -> JsonObject:
        """Read an object; one that is left out is empty."""
        value = as_object(self.fields.get(name, {}))
        if value is None:
            raise _malformed(name)
        return value

    def texts(self, name: str) -> list[str]:
        """Read a list of texts."""
        values = as_list(self.fields.get(name))
        if not all(isinstance(value, str) for value in values):
            raise _malformed(name)
        return values


def read_number(text: str) -> int | None:
    """Read an id as Discord writes them, or return None for another text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID else None


def read_frame(raw: str) -> Asked | None:
    """Read a frame, or return None for one without a number to answer to."""
    try:
        fields = as_object(json.loads(raw))
    except (ValueError, RecursionError):
        return None
    number, verb = (None, None) if fields is None else (fields.get("n"), fields.get("do"))
    if fields is None or not isinstance(number, int) or not isinstance(verb, str):
        return None
    return Asked(number, verb, fields)


def _malformed(name: str) -> SandboxError:
    return SandboxError(f"the page sent no proper {name!r}")
