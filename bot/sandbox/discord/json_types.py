"""JSON as the standard library decodes it, and the few readers that keep strict types honest."""

import json
from typing import Any, TypeAlias, cast

JsonObject: TypeAlias = dict[str, Any]


def as_object(value: object) -> JsonObject | None:
    """Return the value when it is a JSON object, else None."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any]:
    """Return the value when it is a JSON array, else an empty list."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def objects_of(value: object) -> list[JsonObject]:
    """Return the objects of a JSON array; everything else in it is left out."""
    return [item for item in map(as_object, as_list(value)) if item is not None]


def as_text(value: object) -> str:
    """Return the value when it is a string, else the empty string."""
    return value if isinstance(value, str) else ""


def as_int(value: object, default: int = 0) -> int:
    """Read an integer that may come as a number or as digits (snowflakes do)."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return default


def encode(value: object) -> str:
    """Write compact JSON, as Discord does."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
