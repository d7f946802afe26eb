import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.unicode_text import (
    boundary_at_or_before,
    fitting,
    is_blank,
    is_boundary,
    one_line,
    truncate,
    utf16_length,
    without_invisible,
)
from tests.domain.texts import FAMILY, FLAGS, texts

thorough = settings(max_examples=80)


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("abc", 3), ("é", 1), ("\U0001f600", 2), ("a\U0001f600", 3), ("\ud800", 1)]
)
def test_length_is_in_utf16_units(text: str, units: int) -> None:
    assert utf16_length(text) == units


@given(text=texts, units=st.integers(0, 50), start=st.integers(0, 20))
@thorough
def test_what_fits_fits_and_one_more_would_not(text: str, units: int, start: int) -> None:
    size = fitting(text, units, start=start)
    assert utf16_length(text[start : start + size]) <= units
    assert start + size >= len(text) or utf16_length(text[start : start + size + 1]) > units


@pytest.mark.parametrize(
    "cluster",
    [
        "e\u0301",
        FAMILY,
        FLAGS[:2],
        "\U0001f44d\U0001f3fd",
        "1\ufe0f\u20e3",
        "\u1112\u1161\u11ab",
        "\u0e01\u0e33"[:1],
        "\u0915\u094d",
        "\uff76\uff9e",
    ],
)
def test_a_visible_character_is_not_cut(cluster: str) -> None:
    text = f"a{cluster}b"
    assert [index for index in range(len(text) + 1) if is_boundary(text, index)] == [0, 1, 1 + len(cluster), len(text)]


def test_flags_in_a_row_are_cut_between_pairs() -> None:
    assert [index for index in range(5) if is_boundary(FLAGS, index)] == [0, 2, 4]


def test_a_joiner_before_a_plain_letter_joins_nothing() -> None:
    assert is_boundary("\u200da", 1)


def test_a_tower_of_accents_may_be_cut() -> None:
    assert boundary_at_or_before("e" + "\u0301" * 200, 150) == 150
    assert boundary_at_or_before("ae\u0301", 2) == 1


@pytest.mark.parametrize(
    ("text", "units", "short"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("a" + FAMILY, 5, "a"),
        ("\U0001f600\U0001f600", 3, "\U0001f600"),
        ("", 0, ""),
    ],
)
def test_truncation_keeps_visible_characters_whole(text: str, units: int, short: str) -> None:
    assert truncate(text, units) == short


@given(text=texts)
@thorough
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = without_invisible(text)
    assert without_invisible(once) == once


@given(text=texts)
@thorough
def test_the_clean_beginning_begins_the_clean_text(text: str) -> None:
    whole = without_invisible(text)
    assert all(whole.startswith(without_invisible(text[:length])) for length in range(len(text)))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b\x1b\x7fc", "abc"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\x0bd\u2029e", "a\nb\nc\nd\ne"),
        ("a\u00adb\u200bc\u202ed\u2069e\ufefff\u3164g", "abcdefg"),
        ("a\u200db", "ab"),
        ("\u200d\u4f60\u200d", "\u4f60"),
        ("\u4f60\u200c\u200d\u597d", "\u4f60\u200c\u597d"),
        ("\xa0\u200d\xa0", "\xa0\xa0"),
        (FAMILY, FAMILY),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4\U000e0067\U000e007f"),
        ("x\U000e0067\U000e0100", "x"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("a\udc00b", "ab"),
    ],
)
def test_only_what_shows_is_kept(text: str, clean: str) -> None:
    assert without_invisible(text) == clean


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u2800", "\u3164", "\u3000", "\ufeff\u200d"])
def test_nothing_to_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "a", "\u4f60", " \U0001f600"])
def test_something_to_see_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_one_line_folds_spaces_and_compatible_forms() -> None:
    assert one_line("  \uff21da\n\u200bLove\xa0lace ") == "Ada Love lace"
