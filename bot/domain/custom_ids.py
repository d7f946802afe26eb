"""Custom ids of buttons, selects and modals: `v1:<kind>:<id>[:<id>…]`, each id in base 36.

They carry a version, a kind and row ids, never text, as anybody may send anything in them and messages keep
them for years.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_CUSTOM_ID: Final = 100
"""Characters (https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id)."""
VERSION: Final = "v1"
MAX_IDS: Final = 5

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_DIGIT_RUN: Final = "(?:0|[1-9a-z][0-9a-z]{0,12})"
"""Up to 13 digits, as many as the largest 64-bit number has."""
_KIND: Final = "[a-z][a-z0-9-]{0,19}"
_ID: Final = f":{_DIGIT_RUN}"
_WHOLE: Final = re.compile(f"{VERSION}:({_KIND})((?:{_ID}){{0,{MAX_IDS}}})")
_KIND_ALONE: Final = re.compile(_KIND)
_NUMBER: Final = re.compile(_DIGIT_RUN)


@dataclass(frozen=True, slots=True)
class CustomId:
    """What a component or modal was made for."""

    kind: str
    ids: tuple[int, ...]


def custom_id(kind: str, *ids: int) -> str:
    """Write a custom id of a kind and up to five ids, none negative; at most 95 characters.

    Raises ValueError for what the grammar does not hold.
    """
    text = ":".join((VERSION, kind, *map(base36, ids)))
    if _WHOLE.fullmatch(text) is None:
        raise ValueError(f"no custom id: {text!r}")
    return text


def parse_custom_id(text: str) -> CustomId | None:
    """Read a custom id, or return None for one that is not ours or has another version."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    return CustomId(match[1], tuple(int(digits, 36) for digits in match[2].split(":")[1:]))


def template(kind: str, *, least: int, most: int) -> str:
    """Return the regular expression of a kind that has so many ids. Raises ValueError where there can be none."""
    if _KIND_ALONE.fullmatch(kind) is None or not 0 <= least <= most <= MAX_IDS:
        raise ValueError(f"no kind of custom id: {kind!r} with {least} to {most} ids")
    return f"{VERSION}:{kind}(?:{_ID}){{{least},{most}}}"


def base36(number: int) -> str:
    """Write a number in base 36. Raises ValueError for a negative one."""
    if number < 0:
        raise ValueError("ids are not negative")
    digits = ""
    while number >= len(_DIGITS):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits


def read_base36(text: str) -> int | None:
    """Read what base36 wrote, or return None for anything else."""
    return None if _NUMBER.fullmatch(text) is None else int(text, 36)
