import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feedback import NotAccepted, Rating, RefusedReview, Review
from bot.domain.ids import CharacterRef, UserId
from bot.domain.publishing import (
    NOTHING_TO_PUBLISH,
    Standing,
    Whereabouts,
    all_sentence,
    offer_sentence,
    refusal_sentence,
    review_news,
    standing_sentence,
)

NEEDED = "an active subscription or more than 1 USD in balance"
LONGEST = 900
"""Characters that such a sentence may have, so that it fits into a message with others."""


def standing(where: Whereabouts, cause: NotAccepted = NotAccepted.BALANCE, answer: str | None = None) -> Standing:
    refused = RefusedReview(cause, answer, 1) if where is Whereabouts.REFUSED else None
    return Standing(
        Rating(UserId(1), CharacterRef(2), Review(4), None, 1, 1_800_000_000_000, None, refused),
        where,
    )


def refusal(cause: NotAccepted, answer: str | None = None) -> str:
    return refusal_sentence(RefusedReview(cause, answer, 1))


@pytest.mark.parametrize("where", Whereabouts)
def test_every_standing_has_its_own_sentence(where: Whereabouts) -> None:
    sentences = [standing_sentence(standing(each)) for each in Whereabouts]
    assert sentences.count(standing_sentence(standing(where))) == 1


@pytest.mark.parametrize(
    "where", [Whereabouts.UNLINKED, Whereabouts.KEY_REFUSED, Whereabouts.PRIVATE, Whereabouts.HERE]
)
def test_what_stays_here_is_said_to_stay_here(where: Whereabouts) -> None:
    assert "kept here" in standing_sentence(standing(where))


@pytest.mark.parametrize("where", Whereabouts)
def test_a_button_is_offered_with_what_speaks_of_it_and_with_nothing_else(where: Whereabouts) -> None:
    assert standing(where).can_be_published == ("Publish" in standing_sentence(standing(where)))


@pytest.mark.parametrize("where", [Whereabouts.UNLINKED, Whereabouts.KEY_REFUSED])
def test_who_has_no_usable_key_is_told_how_to_link(where: Whereabouts) -> None:
    assert "/account link" in standing_sentence(standing(where))


def test_a_refusal_says_that_the_rating_stays_and_when_it_is_asked_again() -> None:
    sentence = standing_sentence(standing(Whereabouts.REFUSED))
    assert "stays saved here" in sentence
    assert "rate again or press Publish" in sentence


@pytest.mark.parametrize("cause", [NotAccepted.BALANCE, NotAccepted.INVALID, NotAccepted.FORBIDDEN])
def test_the_likely_answers_to_an_account_that_may_not_review_tell_what_it_needs(cause: NotAccepted) -> None:
    assert NEEDED in refusal(cause)


def test_a_refused_key_is_to_be_linked_again() -> None:
    assert "Link it again with /account link" in refusal(NotAccepted.KEY)


@pytest.mark.parametrize("cause", NotAccepted)
def test_the_catalogues_words_are_shown_within_the_sentence(cause: NotAccepted) -> None:
    assert ": `not your own`." in refusal(cause, "not your own")
    assert refusal(cause, "") == refusal(cause)


@given(cause=st.sampled_from(NotAccepted), answer=st.text())
def test_foreign_words_stay_in_their_code_span(cause: NotAccepted, answer: str) -> None:
    sentence = standing_sentence(standing(Whereabouts.REFUSED, cause, answer))
    assert sentence.count("`") in {0, 2}
    assert "\n" not in sentence
    assert len(sentence) < LONGEST


def test_the_news_of_a_refusal_tell_of_which_day_the_rating_was() -> None:
    news = review_news(standing(Whereabouts.REFUSED).rating)
    assert news is not None
    assert "<t:1800000000:D>" in news
    assert NEEDED in news
    assert review_news(standing(Whereabouts.WAITING).rating) is None


@pytest.mark.parametrize(("count", "words"), [(1, "a rating"), (2, "2 ratings"), (1_200, "1,200 ratings")])
def test_an_offer_counts(count: int, words: str) -> None:
    assert words in offer_sentence(count)


def test_what_became_of_several_is_told_by_kind() -> None:
    told = all_sentence(
        [
            standing(Whereabouts.PUBLISHED),
            standing(Whereabouts.REFUSED),
            standing(Whereabouts.PUBLISHED),
            standing(Whereabouts.WAITING),
            standing(Whereabouts.REFUSED, NotAccepted.GONE),
            standing(Whereabouts.REFUSED),
        ]
    ).splitlines()
    assert [line.partition(".")[0] for line in told] == [
        "2 ratings are published in the NanoGPT catalogue, as your own",
        "1 rating is on the way to the NanoGPT catalogue",
        "2 ratings are not published",
        "1 rating is not published",
        "What is not published stays saved here; rate again or press the button, and I ask once more",
    ]
    assert NEEDED in told[2]
    assert "no such character" in told[3]


def test_nothing_is_told_of_nothing() -> None:
    assert all_sentence([]) == NOTHING_TO_PUBLISH
