import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.card_files.card_json import (
    MAX_DEPTH,
    MAX_JSON_BYTES,
    MAX_PARTS,
    MAX_VALUES,
    card_json_bytes,
    parse_card_json,
)
from bot.domain.card_files.faults import CardFault, FaultKind
from tests.domain.card_files.faults import refused

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(card=st.dictionaries(texts, values, max_size=5))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_what_is_written_is_read_again(card: dict[str, object]) -> None:
    assert parse_card_json(card_json_bytes(card)) == card  # pyright: ignore[reportArgumentType] - JSON by construction


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"name": "Ada"}', {"name": "Ada"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b' \n{"a": [1, -2.5e3, true, null, "x"]}\n', {"a": [1, -2500.0, True, None, "x"]}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": 12345678901234567890123456789012}', {"a": 12345678901234567890123456789012}),
    ],
)
def test_an_object_is_read(raw: bytes, value: object) -> None:
    assert parse_card_json(raw) == value


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", FaultKind.JSON_BROKEN),
        (b"{", FaultKind.JSON_BROKEN),
        (b'{"a": 1} {"b": 2}', FaultKind.JSON_BROKEN),
        (b'{"a": "\x00"}', FaultKind.JSON_BROKEN),
        (b"{'a': 1}", FaultKind.JSON_BROKEN),
        (b"[]", FaultKind.NOT_A_CARD),
        (b'"text"', FaultKind.NOT_A_CARD),
        (b"null", FaultKind.NOT_A_CARD),
        (b'{"a": "\xff"}', FaultKind.JSON_NOT_UTF8),
        ('{"a": 1}'.encode("utf-16"), FaultKind.JSON_NOT_UTF8),
        (b'{"a": NaN}', FaultKind.JSON_BAD_NUMBER),
        (b'{"a": Infinity}', FaultKind.JSON_BAD_NUMBER),
        (b'{"a": -Infinity}', FaultKind.JSON_BAD_NUMBER),
        (b'{"a": 1e999}', FaultKind.JSON_BAD_NUMBER),
        (b'{"a": -1e999}', FaultKind.JSON_BAD_NUMBER),
        (b'{"a": ' + b"9" * 33 + b"}", FaultKind.JSON_BAD_NUMBER),
        (b'{"a": ' + b"9" * 100_000 + b"}", FaultKind.JSON_BAD_NUMBER),
        (b'{"a": 0.' + b"1" * 100 + b"}", FaultKind.JSON_BAD_NUMBER),
        (b'{"a": "\\ud800"}', FaultKind.JSON_BAD_TEXT),
        (b'{"a": ["x\\udfff"]}', FaultKind.JSON_BAD_TEXT),
        (b'{"\\udc00": 1}', FaultKind.JSON_BAD_TEXT),
        (b"[" * 40_000, FaultKind.JSON_TOO_DEEP),
        (b'{"a":' * 40_000, FaultKind.JSON_TOO_DEEP),
    ],
)
def test_anything_else_is_refused(raw: bytes, kind: FaultKind) -> None:
    with refused(kind):
        parse_card_json(raw)


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def test_the_depth_has_a_limit() -> None:
    parse_card_json(nested(MAX_DEPTH))
    with refused(FaultKind.JSON_TOO_DEEP) as faults:
        parse_card_json(nested(MAX_DEPTH + 1))
    assert faults == [CardFault(FaultKind.JSON_TOO_DEEP, limit=32)]


def test_the_size_has_a_limit() -> None:
    room = MAX_JSON_BYTES - len(b'{"a":""}')
    assert parse_card_json(b'{"a":"' + b"x" * room + b'"}') == {"a": "x" * room}
    with refused(FaultKind.JSON_TOO_LARGE) as faults:
        parse_card_json(b'{"a":"' + b"x" * (room + 1) + b'"}')
    assert faults == [CardFault(FaultKind.JSON_TOO_LARGE, found=MAX_JSON_BYTES + 1, limit=MAX_JSON_BYTES)]


def test_the_number_of_parts_has_a_limit() -> None:
    parse_card_json(b'{"a":[' + b"{}," * (MAX_PARTS - 3) + b"{}]}")
    with refused(FaultKind.JSON_TOO_MANY_PARTS) as faults:
        parse_card_json(b'{"a":[' + b"[]," * (MAX_PARTS - 2) + b"{}]}")
    assert faults == [CardFault(FaultKind.JSON_TOO_MANY_PARTS, found=MAX_PARTS + 1, limit=MAX_PARTS)]


def test_the_number_of_values_has_a_limit() -> None:
    parse_card_json(b'{"a":[' + b"0," * MAX_VALUES + b"0]}")
    with refused(FaultKind.JSON_TOO_MANY_PARTS) as faults:
        parse_card_json(b'{"a":[' + b"0," * (MAX_VALUES + 1) + b"0]}")
    assert faults == [CardFault(FaultKind.JSON_TOO_MANY_PARTS, found=MAX_VALUES + 1, limit=MAX_VALUES)]


def test_half_a_pair_is_written_as_a_question_mark() -> None:
    assert json.loads(card_json_bytes({"a": "x\ud800"})) == {"a": "x?"}
