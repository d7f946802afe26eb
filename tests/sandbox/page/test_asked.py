"""What the page sends, read strictly."""

import json
from collections.abc import Callable

import pytest

from bot.sandbox.discord import SandboxError
from bot.sandbox.page.asked import Asked, read_frame


def asked(**fields: object) -> Asked:
    frame = read_frame(json.dumps({"n": 1, "do": "say", **fields}))
    assert frame is not None
    return frame


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "x",
        "[" * 100_000,
        "[]",
        "null",
        "7",
        "{}",
        '{"n": 1}',
        '{"do": "say"}',
        '{"n": "1", "do": "say"}',
        '{"n":1,"do":2}',
    ],
)
def test_a_frame_that_cannot_be_answered_is_none(raw: str) -> None:
    assert read_frame(raw) is None


def test_fields_are_read_as_what_they_are() -> None:
    frame = asked(text="hello", channel="123", ping=False, options={"a": 1}, values=["x"])
    assert (frame.number, frame.verb) == (1, "say")
    assert (frame.text("text"), frame.id("channel"), frame.flag("ping", default=True)) == ("hello", 123, False)
    assert (frame.object("options"), frame.texts("values")) == ({"a": 1}, ["x"])


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.0", " 1", "²", "\N{ARABIC-INDIC DIGIT SEVEN}", "9" * 21, "9" * 5_000]
)
def test_what_is_no_id_is_not_read_as_one(text: str) -> None:
    with pytest.raises(SandboxError, match="no proper 'channel'"):
        asked(channel=text).id("channel")


def test_the_longest_id_is_read() -> None:
    assert asked(channel=str(2**64 - 1)).id("channel") == 2**64 - 1


def test_what_may_be_left_out_has_a_default() -> None:
    frame = asked(before=None)
    assert (frame.optional_id("before"), frame.optional_text("other")) == (None, None)
    assert (frame.flag("ping", default=True), frame.object("options"), frame.texts("values")) == (True, {}, [])


READERS: dict[str, Callable[[Asked], object]] = {
    "text": lambda frame: frame.text("field"),
    "optional text": lambda frame: frame.optional_text("field"),
    "id": lambda frame: frame.id("field"),
    "optional id": lambda frame: frame.optional_id("field"),
    "flag": lambda frame: frame.flag("field", default=True),
    "object": lambda frame: frame.object("field"),
    "texts": lambda frame: frame.texts("field"),
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 1),
        ("text", None),
        ("optional text", []),
        ("id", 123),
        ("id", "12x"),
        ("id", "-1"),
        ("optional id", ""),
        ("flag", "yes"),
        ("object", "{}"),
        ("texts", ["a", 1]),
    ],
)
def test_a_field_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(SandboxError, match="no proper 'field'"):
        READERS[kind](asked(field=value))
