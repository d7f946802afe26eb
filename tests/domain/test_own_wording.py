import pytest

from bot.domain.characters import Character
from bot.domain.ids import CharacterId, UserId
from bot.domain.own_wording import GONE, MOST_TURNS, SUGGESTED_TURNS, own_notice, question, read_turns
from bot.domain.ratings import ContentRating


@pytest.mark.parametrize(
    ("typed", "turns"),
    [
        ("50", 50),
        (" 7 ", 7),
        ("1", 1),
        ("1000", MOST_TURNS),
        ("1001", None),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("1,5", None),
        ("many", None),
        ("", None),
        ("\N{ARABIC-INDIC DIGIT FIVE}", None),
        ("9" * 5_000, None),
    ],
)
def test_a_number_of_replies_is_a_whole_number_within_the_limits(typed: str, turns: int | None) -> None:
    assert read_turns(typed) == turns


def test_the_suggestion_can_be_taken() -> None:
    assert read_turns(str(SUGGESTED_TURNS)) == SUGGESTED_TURNS


def test_the_question_says_what_it_costs_whom_and_when_it_ends() -> None:
    text = question(Character(CharacterId("x"), "Ada @everyone", catalogue_rating=ContentRating.SUGGESTIVE))
    for words in (
        "everyone here spends your balance",
        "`suggestive`",
        "nobody has reviewed",
        "unlink",
        "/character leave",
    ):
        assert words in text
    assert "@everyone" not in text.replace(r"\@everyone", "")


def test_a_nameless_one_still_begins_its_question() -> None:
    assert question(Character(CharacterId("x"), "")).startswith("The character is your own")


def test_everybody_reads_whose_it_is_and_that_nobody_has_reviewed_it() -> None:
    text = own_notice(UserId(400), 1_000)
    assert "<@400>" in text
    assert "nobody has reviewed its content rating" in text
    assert "at most 1,000 a day" in text


def test_one_that_is_not_there_is_not_guessed_about() -> None:
    assert GONE == "That character is no longer available. /character search finds others."
