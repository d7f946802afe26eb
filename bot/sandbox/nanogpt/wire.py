"""What goes over the wire: JSON values, finished answers, and refusals in NanoGPT's error envelope."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

JSON_TYPE: Final = "application/json"
HTML_TYPE: Final = "text/html"
EVENT_STREAM_TYPE: Final = "text/event-stream"
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def as_object(value: object) -> dict[str, object] | None:
    """Return a decoded JSON value as an object, or None when it is something else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """Return a decoded JSON value as an array, or None when it is something else."""
    return cast("list[object]", value) if isinstance(value, list) else None


def to_json(value: object) -> str:
    """Write a value as compact JSON."""
    return _ENCODER.encode(value)


def to_bytes(text: str) -> bytes:
    """Encode JSON text as UTF-8; half a surrogate pair becomes the escape that JSON has for it."""
    return text.encode("utf-8", "backslashreplace")


def encode(value: object) -> bytes:
    """Write a value as compact UTF-8 JSON."""
    return to_bytes(to_json(value))


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> "Answer":
        """Make a JSON answer."""
        return cls(status, encode(value), JSON_TYPE, headers or {})


class RefusedError(Exception):
    """The request is refused with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body.decode(errors='replace')}")
        self.answer = answer


def error_answer(status: int, message: str, *, kind: str, code: str | None = None, param: str | None = None) -> Answer:
    """Make an answer in the usual envelope: an error object with message, type, code, param."""
    error = {"message": message, "type": kind, "code": code, "param": param}
    return Answer.of(status, {"error": {key: text for key, text in error.items() if text is not None}})


def refusal(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
) -> RefusedError:
    """Make a refusal in the usual envelope."""
    return RefusedError(error_answer(status, message, kind=kind, code=code, param=param))
