"""Whether a character is still what it was when it was imported."""

import hashlib
import json
from enum import Enum
from typing import Final

from bot.domain.card_files.fields import CardFields
from bot.domain.sheets import plain_text

_SEPARATOR: Final = ":"
_UNSEEN: Final = ""


class Sameness(Enum):
    """How the fields of a character compare with those it had."""

    SAME = "same"
    PROMPT_UNKNOWN = "prompt_unknown"
    """What can be seen is the same, and the prompt cannot be seen, or could not then."""
    CHANGED = "changed"


def fingerprint(fields: CardFields) -> str:
    """Return what tells these fields from others; line ends, white space around a text and the order of tags do not.

    It tells nothing of the texts to whoever cannot guess them as a whole.
    """
    seen = [plain_text(text) for text in (fields.name, fields.summary, fields.description, fields.first_message)]
    tags = sorted({plain_text(tag) for tag in fields.tags})
    prompt = _UNSEEN if fields.system_prompt is None else _digest(plain_text(fields.system_prompt))
    return f"{_digest([seen, tags])}{_SEPARATOR}{prompt}"


def compare(before: str, now: CardFields) -> Sameness:
    """Compare a character with the fingerprint that was taken of it."""
    seen_before, _, prompt_before = before.partition(_SEPARATOR)
    seen_now, _, prompt_now = fingerprint(now).partition(_SEPARATOR)
    if seen_before != seen_now:
        return Sameness.CHANGED
    if _UNSEEN in (prompt_before, prompt_now):
        return Sameness.PROMPT_UNKNOWN
    return Sameness.SAME if prompt_before == prompt_now else Sameness.CHANGED


def _digest(value: str | list[list[str]]) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
