"""JSON as it arrives: any shape, read without trusting it."""

import json
import math
from collections.abc import Container
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast
from urllib.parse import urljoin, urlsplit

import orjson

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_LONGEST_URL: Final = 2_048
_MILLISECONDS: Final = 1_000
_LEAST_MILLISECONDS: Final = 100_000_000_000
"""A greater number is Unix time in milliseconds, a smaller one in seconds: as seconds it would be the year 5138."""
_LAST_MOMENT_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


def parse_json(text: str | bytes) -> Json:
    """Read JSON text.

    Raises ValueError for anything that is none, absurdly deep nesting and numbers included.
    """
    try:
        # A third of the time of json.loads, and it is called for every word of a reply.
        return cast("Json", orjson.loads(text))
    except ValueError:
        pass
    try:
        # Less strict: JavaScript servers cut pairs of surrogates in two, for one.
        return cast("Json", json.loads(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dump_json(value: Json) -> bytes:
    """Write JSON as UTF-8; half a surrogate pair, which UTF-8 cannot carry, becomes a question mark."""
    try:
        return orjson.dumps(value)
    except TypeError:
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


def as_clean_text(value: object) -> str | None:
    """Return the string trimmed and whole, or None where nothing is left or something else stands.

    JSON may hold half a pair of surrogates, which nothing can store.
    """
    if not isinstance(value, str):
        return None
    return whole_text(value).strip() or None


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


def as_moment_ms(value: Json) -> int | None:
    """Return a moment as Unix time in milliseconds, or None.

    It may be written as seconds, as milliseconds, or as a date in ISO 8601; one without a zone is in UTC.
    """
    number = as_number(value)
    if number is None:
        text = as_text(value)
        try:
            moment = datetime.fromisoformat(text) if text is not None else None
        except ValueError:
            return None
        if moment is None:
            return None
        number = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    milliseconds = number if number >= _LEAST_MILLISECONDS else number * _MILLISECONDS
    return round(milliseconds) if 0 < milliseconds <= _LAST_MOMENT_MS else None


def as_url(value: Json, *, site: str, schemes: Container[str]) -> str | None:
    """Return an absolute address of one of the schemes, without a name or password in it, or None.

    A path hangs off `site`.
    """
    text = as_text(value)
    if text is None or not text.isprintable() or " " in text or len(text) > _LONGEST_URL:
        return None
    try:
        url = urljoin(site, text) if text.startswith("/") else text
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in schemes and parts.hostname and parts.username is None else None
