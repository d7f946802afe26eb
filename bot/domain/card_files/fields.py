"""The fields of a character that a card file can carry, and how long they may be."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bot.domain.card_files.faults import CardUnusable, FaultKind

MAX_NAME: Final = 100
MAX_SUMMARY: Final = 1_000
MAX_NOTES: Final = 8_000
MAX_PROMPT: Final = 32_000
MAX_GREETING: Final = 8_000
MAX_TAG: Final = 40
"""Our own limits on what comes in a file, in characters: the Characters API documents none."""


@dataclass(frozen=True, slots=True)
class CardFields:
    """What a card says of a character in the terms of the Characters API (Create Character)."""

    name: str
    summary: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    """Shown in the catalogue; the description of a card is part of the prompt."""
    system_prompt: str | None = field(default="", repr=False)
    """None where upstream did not show it."""
    first_message: str = field(default="", repr=False)
    tags: tuple[str, ...] = ()


def check_lengths(fields: CardFields) -> None:
    """Raise CardUnusable for a text that is too long; it is never cut."""
    for part, text, limit in _measured(fields):
        check_length(part, text, limit)


def check_length(part: str, text: str, limit: int) -> None:
    """Raise CardUnusable for a text of more than so many characters; `part` names it in words."""
    if len(text) > limit:
        raise CardUnusable(FaultKind.TEXT_TOO_LONG, part=part, found=len(text), limit=limit)


def _measured(fields: CardFields) -> Iterator[tuple[str, str, int]]:
    yield "name", fields.name, MAX_NAME
    yield "summary", fields.summary, MAX_SUMMARY
    yield "description", fields.description, MAX_NOTES
    yield "prompt", fields.system_prompt or "", MAX_PROMPT
    yield "first message", fields.first_message, MAX_GREETING
