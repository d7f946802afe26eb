import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feedback import (
    LONGEST_NEWS_UNITS,
    MAX_REVIEW_CHARACTERS,
    MAX_STARS,
    MIN_REVIEW_CHARACTERS,
    MIN_STARS,
    Review,
    ReviewFault,
    Stars,
    fitting_news,
    parse_stars,
    read_review,
    shown_average,
)
from bot.domain.unicode_text import utf16_length


@pytest.mark.parametrize(
    ("word", "stars"),
    [
        ("1", 1),
        ("5", 5),
        (" 4 ", 4),
        ("4/5", 4),
        ("4 / 5", None),
        ("★★★", 3),
        ("★★★☆☆", 3),
        ("⭐⭐⭐⭐⭐", 5),
        ("⭐\ufe0f⭐\ufe0f", 2),
        ("**", 2),
        ("0", None),
        ("6", None),
        ("★★★★★★", None),
        ("☆☆☆☆☆", None),
        ("", None),
        (" ", None),
        ("4.5", None),
        ("-4", None),
        ("05", None),
        ("five", None),
        ("٤", None),
        ("²", None),
        ("/5", None),
        ("5/10", None),
    ],
)
def test_stars_are_read_as_people_type_them(word: str, stars: int | None) -> None:
    assert parse_stars(word) == stars


LONGEST = "x" * MAX_REVIEW_CHARACTERS


@pytest.mark.parametrize(
    ("stars", "text", "expected"),
    [
        ("5", None, Review(5)),
        ("5", "", Review(5)),
        ("5", "  \n ", Review(5)),
        ("5", "  ten chars!\n", Review(5, "ten chars!")),
        ("5", "nine char", ReviewFault.TOO_SHORT),
        ("5", "   nine char   ", ReviewFault.TOO_SHORT),
        ("5", LONGEST, Review(5, LONGEST)),
        ("5", LONGEST + "x", ReviewFault.TOO_LONG),
        ("5", LONGEST + "  ", Review(5, LONGEST)),
        ("six", "nine char", ReviewFault.STARS),
    ],
)
def test_a_review_is_whole_stars_and_a_text_of_some_length_or_none(
    stars: str, text: str | None, expected: Review | ReviewFault
) -> None:
    assert read_review(stars, text) == expected


@given(stars=st.text(max_size=8), text=st.none() | st.text(max_size=40))
def test_whatever_is_typed_a_review_that_is_taken_may_be_stored(stars: str, text: str | None) -> None:
    review = read_review(stars, text)
    if isinstance(review, Review):
        assert MIN_STARS <= review.stars <= MAX_STARS
        assert review.text is None or MIN_REVIEW_CHARACTERS <= len(review.text.strip()) == len(review.text)


@pytest.mark.parametrize(
    ("stars", "shown"),
    [(Stars(0, 0), None), (Stars(10, 2), None), (Stars(12, 3), 4.0), (Stars(14, 4), 3.5)],
)
def test_an_average_shows_from_three_ratings_on(stars: Stars, shown: float | None) -> None:
    assert shown_average(stars) == shown


@given(st.lists(st.text(max_size=1_000), max_size=12))
def test_news_are_told_from_the_first_on_as_far_as_a_message_goes(sentences: list[str]) -> None:
    told = fitting_news(sentences)
    assert list(told) == sentences[: len(told)]
    assert bool(told) == bool(sentences)
    if len(told) > 1:
        assert utf16_length("\n".join(told)) <= LONGEST_NEWS_UNITS
    if len(told) < len(sentences):
        assert utf16_length("\n".join(sentences[: len(told) + 1])) >= LONGEST_NEWS_UNITS
