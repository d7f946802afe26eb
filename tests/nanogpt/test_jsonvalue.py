import math

import pytest

from bot.nanogpt.jsonvalue import (
    Json,
    as_clean_text,
    as_count,
    as_list,
    as_moment_ms,
    as_number,
    as_object,
    as_text,
    as_url,
    dump_json,
    parse_json,
)


@pytest.mark.parametrize(
    "text", ["", "{", "<html>", "[" * 100_000, "1" * 10_000, b"\xff", b"{'a': 1}", "{} {}", "\xa0{}"]
)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize("text", [' {"a": 1}\n', b' {"a": 1}\n', '{"a": 1}'])
def test_white_space_around_json_is_passed_over(text: str | bytes) -> None:
    assert parse_json(text) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"delta": "\\ud83d"}', {"delta": "\ud83d"}),
        (b'["\\ude00"]', ["\ude00"]),
        ('"\ud83d"', "\ud83d"),
        ("[1e999]", [math.inf]),
    ],
)
def test_what_only_the_lenient_take_for_json_is_read_all_the_same(text: str | bytes, value: Json) -> None:
    assert parse_json(text) == value


def test_half_a_pair_of_surrogates_does_not_stop_a_request() -> None:
    assert dump_json({"a": "é\ud83d"}) == '{"a":"é?"}'.encode()


@pytest.mark.parametrize(
    ("value", "number", "count"),
    [
        (3, 3.0, 3),
        (3.0, 3.0, 3),
        (4.8, 4.8, None),
        ("4.5", 4.5, None),
        ("12", 12.0, 12),
        (-1, -1.0, None),
        (0, 0.0, 0),
        (True, None, None),
        (math.nan, None, None),
        (math.inf, None, None),
        ("inf", None, None),
        ("many", None, None),
        (10**400, None, None),
        (None, None, None),
        ([], None, None),
    ],
)
def test_numbers_are_read_with_care(value: Json, number: float | None, count: int | None) -> None:
    assert as_number(value) == number
    assert as_count(value) == count


def test_anything_of_another_type_counts_as_nothing() -> None:
    values: list[Json] = [None, 1, True, "x", [1], {"a": 1}]
    assert [as_object(value) for value in values] == [{}, {}, {}, {}, {}, {"a": 1}]
    assert [as_list(value) for value in values] == [[], [], [], [], [1], []]
    assert [as_text(value) for value in values] == [None, None, None, "x", None, None]
    assert as_text("") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(" a ", "a"), ("a\ud83d", "a?"), ("  ", None), ("", None), (7, None), (None, None), (["a"], None)],
)
def test_text_is_trimmed_and_made_whole(value: object, text: str | None) -> None:
    assert as_clean_text(value) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_760_000_000, 1_760_000_000_000),
        (1_760_000_000.5, 1_760_000_000_500),
        ("1760000000", 1_760_000_000_000),
        (1_760_000_000_123, 1_760_000_000_123),
        ("2025-10-09T08:53:20Z", 1_760_000_000_000),
        ("2025-10-09T08:53:20.250Z", 1_760_000_000_250),
        ("2025-10-09T10:53:20+02:00", 1_760_000_000_000),
        ("2025-10-09T08:53:20", 1_760_000_000_000),
        ("2025-10-09", 1_759_968_000_000),
        ("yesterday", None),
        ("", None),
        (None, None),
        (0, None),
        (-1, None),
        (True, None),
        (1e300, None),
        ([], None),
    ],
)
def test_a_moment_may_be_written_in_three_ways(value: Json, moment: int | None) -> None:
    assert as_moment_ms(value) == moment


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("https://a.example/b", "https://a.example/b"),
        ("http://a.example/b", "http://a.example/b"),
        ("/b?c=d", "https://site.example/b?c=d"),
        ("ftp://a.example/b", None),
        ("https://user:word@a.example/b", None),
        ("https:///b", None),
        ("https://[broken/b", None),
        ("https://a.example/b c", None),
        ("b", None),
        ("", None),
        (7, None),
    ],
)
def test_an_address_is_absolute_and_of_a_scheme_that_is_allowed(value: Json, url: str | None) -> None:
    assert as_url(value, site="https://site.example/api", schemes={"http", "https"}) == url
