"""JSON as it arrives: any shape, read without trusting it."""

import json
import math
from typing import Final, TypeAlias, cast

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_DECODER: Final = json.JSONDecoder()
_WHITE_SPACE: Final = " \t\r\n"


def parse_json(text: str | bytes) -> Json:
    """Read JSON text.

    Raises ValueError for anything that is none, absurdly deep nesting and numbers included.
    """
    try:
        if isinstance(text, bytes):
            return cast("Json", json.loads(text))
        # Half the time of json.loads for the short texts of a stream: it is called for every word of a reply.
        text = text.strip(_WHITE_SPACE)
        value, end = _DECODER.raw_decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != len(text):
        raise ValueError("more than one value")
    return cast("Json", value)


def dump_json(value: Json) -> bytes:
    """Write JSON as UTF-8; half a surrogate pair, which UTF-8 cannot carry, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def whole_text(text: str) -> str:
    """Return the text with a question mark for each half of a surrogate pair, which UTF-8 cannot carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def as_object(value: Json) -> dict[str, Json]:
    """Return the object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """Return the array, or an empty one where something else stands."""
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str | None:
    """Return the string, or None where it is empty or something else stands."""
    return value if isinstance(value, str) and value else None


def as_number(value: Json) -> float | None:
    """Return a finite number that may be written as a string, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_count(value: Json) -> int | None:
    """Return a whole number that is not negative, or None."""
    number = as_number(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None
