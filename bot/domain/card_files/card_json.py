"""The JSON of a card: read with a bound on everything that could grow, and written."""

import json
import math
import re
from typing import Final, NoReturn, TypeAlias, cast

from bot.domain.card_files.faults import CardUnusable, FaultKind

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]

MAX_JSON_BYTES: Final = 2 * 1024 * 1024
MAX_DEPTH: Final = 32
"""Objects and lists inside each other, the outermost counted."""
MAX_PARTS: Final = 50_000
"""Opening brackets, those in texts included. An empty object takes two bytes of a file and a hundred times that in
memory; real cards stay below 10,000 even with a large lorebook."""
MAX_VALUES: Final = 200_000
"""Commas, those in texts included: each value between them costs time to look at. Prose has one in sixty characters,
so 2 MiB of it have 35,000."""
MAX_NUMBER_LENGTH: Final = 32
"""Digits and signs. Python's own limit of 4,300 digits is far beyond what other programs read."""

_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


def parse_card_json(raw: bytes) -> JsonObject:
    """Read the JSON object of a card; UTF-8, with or without a byte order mark.

    Raises CardUnusable: more than 2 MiB, 32 levels, 50,000 parts or 200,000 values, no UTF-8, no JSON, an infinite or
    overlong number, half a surrogate pair, or something else than an object. Of keys that come twice the last counts.
    """
    if len(raw) > MAX_JSON_BYTES:
        raise CardUnusable(FaultKind.JSON_TOO_LARGE, found=len(raw), limit=MAX_JSON_BYTES)
    for found, limit in ((raw.count(b"{") + raw.count(b"["), MAX_PARTS), (raw.count(b","), MAX_VALUES)):
        if found > limit:
            raise CardUnusable(FaultKind.JSON_TOO_MANY_PARTS, found=found, limit=limit)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CardUnusable(FaultKind.JSON_NOT_UTF8) from None
    try:
        value = cast("Json", json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_no_number))
    except RecursionError:
        raise CardUnusable(FaultKind.JSON_TOO_DEEP, limit=MAX_DEPTH) from None
    except json.JSONDecodeError:
        raise CardUnusable(FaultKind.JSON_BROKEN) from None
    _check_values(value)
    if not isinstance(value, dict):
        raise CardUnusable(FaultKind.NOT_A_CARD)
    return value


def card_json_bytes(value: JsonObject) -> bytes:
    """Write JSON as UTF-8; half a surrogate pair, which has no form in UTF-8, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _integer(digits: str) -> int:
    _check_length(digits)
    return int(digits)


def _float(digits: str) -> float:
    _check_length(digits)
    number = float(digits)
    if not math.isfinite(number):
        _no_number(digits)
    return number


def _check_length(digits: str) -> None:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise CardUnusable(FaultKind.JSON_BAD_NUMBER, found=len(digits), limit=MAX_NUMBER_LENGTH)


def _no_number(_word: str) -> NoReturn:
    raise CardUnusable(FaultKind.JSON_BAD_NUMBER)


def _check_values(root: Json) -> None:
    """Look at the depth and at every text, keys included."""
    waiting: list[tuple[Json, int]] = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise CardUnusable(FaultKind.JSON_TOO_DEEP, limit=MAX_DEPTH)
            if isinstance(value, dict):
                for key in value:
                    _check_text(key)
                value = list(value.values())
            waiting += [(item, depth + 1) for item in value]


def _check_text(text: str) -> None:
    if not text.isascii() and _HALF_PAIR.search(text) is not None:
        raise CardUnusable(FaultKind.JSON_BAD_TEXT)
