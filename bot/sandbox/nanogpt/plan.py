"""What one response will be: how much text, and how it ends. Pure."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.sandbox.nanogpt.faults import ArmedFault, Fault

_TOKEN: Final = re.compile(r"\s*\S{1,12}|\s+")
REFUSAL_TEXT: Final = "I would rather not write that. Shall we try another turn of the story?"
THINK_BLOCK: Final = "<think>\nThe visitor wants an answer. I shall give one.\n</think>\n\n"


class Ending(Enum):
    """How a response ends."""

    COMPLETED = "completed"
    OUT_OF_TOKENS = "max_output_tokens"
    FILTERED = "content_filter"
    FAILED = "failed"
    ERROR = "error"
    CHAT_STYLE_ERROR = "chat_style_error"
    STALL = "stall"
    CUT = "cut"
    END = "end"


@dataclass(frozen=True, slots=True)
class Plan:
    """One response, decided."""

    text: str
    """What is sent before the ending."""
    ending: Ending = Ending.COMPLETED
    refused: bool = False
    """The text is a refusal part."""
    unknown_events: bool = False


_BEFORE_TEXT: Final = {
    Fault.STALL_BEFORE_TEXT: Ending.STALL,
    Fault.CUT_BEFORE_TEXT: Ending.CUT,
    Fault.END_BEFORE_TEXT: Ending.END,
    Fault.FAILED_BEFORE_TEXT: Ending.FAILED,
    Fault.ERROR_BEFORE_TEXT: Ending.ERROR,
    Fault.EMPTY: Ending.COMPLETED,
}
_IN_TEXT: Final = {
    Fault.STALL_IN_TEXT: Ending.STALL,
    Fault.CUT_IN_TEXT: Ending.CUT,
    Fault.END_IN_TEXT: Ending.END,
    Fault.FAILED_IN_TEXT: Ending.FAILED,
    Fault.ERROR_IN_TEXT: Ending.ERROR,
    Fault.CHAT_STYLE_ERROR: Ending.CHAT_STYLE_ERROR,
    Fault.INCOMPLETE: Ending.OUT_OF_TOKENS,
    Fault.CONTENT_FILTERED: Ending.FILTERED,
}


def ends_before_text(fault: ArmedFault | None) -> bool:
    """Tell whether a fault leaves no text at all, so that none need be written."""
    return fault is not None and fault.kind in _BEFORE_TEXT


def ending_of(fault: Fault) -> Ending:
    """Return how a fault ends an answer; raises ValueError for one that is no matter of the ending."""
    ending = _IN_TEXT.get(fault) or _BEFORE_TEXT.get(fault)
    if ending is None:
        raise ValueError(f"{fault} does not end an answer.")
    return ending


def make_plan(reply: str, fault: ArmedFault | None, max_output_tokens: int | None) -> Plan:
    """Decide what becomes of a reply under a fault and a token limit."""
    if fault is not None:
        if (early := _BEFORE_TEXT.get(fault.kind)) is not None:
            return Plan("", early)
        if fault.kind is Fault.REFUSAL:
            return Plan(REFUSAL_TEXT, refused=True)
        if (late := _IN_TEXT.get(fault.kind)) is not None:
            return Plan(_first_part(reply, fault.after_characters), late)
    tokens = split_tokens(reply)
    if max_output_tokens is not None and len(tokens) > max_output_tokens:
        return Plan("".join(tokens[:max_output_tokens]), Ending.OUT_OF_TOKENS)
    return Plan(reply, unknown_events=fault is not None and fault.kind is Fault.UNKNOWN_EVENTS)


def split_tokens(text: str) -> list[str]:
    """Cut a text into pieces of about the size of a model's tokens; joined, they are the text."""
    return _TOKEN.findall(text)


def _first_part(text: str, length: int | None) -> str:
    """Return some of a text: at least one character, and not all of it where that can be had."""
    wanted = len(text) // 2 if length is None else length
    return text[: max(1, min(wanted, len(text) - 1))]
