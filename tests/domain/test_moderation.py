from itertools import pairwise

import pytest

from bot.domain.characters import Character
from bot.domain.ids import CharacterId
from bot.domain.moderation import (
    ENDS,
    FIRST_LOOK_MS,
    LONGEST_GAP_MS,
    WATCH_MS,
    Outcome,
    Verdict,
    is_refusal,
    news_of,
    next_look_ms,
    verdict_on,
)
from bot.domain.ratings import ContentRating


def character(
    status: str | None = "pending", visibility: str | None = "public", *, archived: bool = False
) -> Character:
    return Character(CharacterId("id"), "Ada", visibility=visibility, moderation_status=status, archived=archived)


def test_looks_grow_rarer_up_to_one_an_hour() -> None:
    gaps = [next_look_ms(looks, 0) for looks in range(400)]
    assert gaps[:5] == [FIRST_LOOK_MS, 2 * FIRST_LOOK_MS, 4 * FIRST_LOOK_MS, 8 * FIRST_LOOK_MS, LONGEST_GAP_MS]
    assert all(earlier <= later <= LONGEST_GAP_MS for earlier, later in pairwise(gaps))
    assert sum(gaps) > WATCH_MS


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (None, Outcome.GONE),
        (character(archived=True), Outcome.GONE),
        (character(visibility="private"), Outcome.WITHDRAWN),
        (character("approved", visibility="unlisted"), Outcome.WITHDRAWN),
        (character("approved"), Outcome.APPROVED),
        (character("rejected"), Outcome.REFUSED),
        (character("Needs-Changes"), Outcome.REFUSED),
        (character("in_second_review"), Outcome.OTHER),
        (character(), None),
        (character(None), None),
        (character(None, visibility=None), None),
        (character("APPROVED"), Outcome.OTHER),
    ],
)
def test_only_a_clear_word_is_a_decision(read: Character | None, outcome: Outcome | None) -> None:
    verdict = verdict_on(read, seen="pending", reason="Too loud.")
    assert (verdict and verdict.outcome) is outcome


def test_an_unknown_word_is_told_once_and_watched_on() -> None:
    assert verdict_on(character("odd"), seen="odd") is None
    assert Outcome.OTHER not in ENDS
    assert Outcome.APPROVED in ENDS


@pytest.mark.parametrize(("status", "refusal"), [("rejected", True), ("approved", False), (None, False), ("", False)])
def test_words_for_no_are_known(status: str | None, *, refusal: bool) -> None:
    assert is_refusal(status) is refusal


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict(Outcome.APPROVED, "approved"), "**Ada** has been approved"),
        (
            Verdict(Outcome.REFUSED, "rejected", "Too *loud*."),
            "not approved by NanoGPT's moderators (rejected): Too \\*",
        ),
        (Verdict(Outcome.REFUSED, "rejected"), "moderators (rejected)."),
        (Verdict(Outcome.OTHER, "a_b"), "say a\\_b of **Ada**."),
        (Verdict(Outcome.GONE), "**Ada** is no longer available."),
        (Verdict(Outcome.GIVEN_UP), "two weeks"),
    ],
)
def test_the_author_is_told_in_words(verdict: Verdict, said: str) -> None:
    news = news_of(verdict, "Ada", ContentRating.SFW, named=False)
    assert news is not None
    assert said in news


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.OTHER])
@pytest.mark.parametrize("rating", ContentRating)
@pytest.mark.parametrize("named", [True, False])
def test_what_the_moderators_wrote_is_told_only_of_what_everybody_may_see(
    outcome: Outcome, rating: ContentRating, *, named: bool
) -> None:
    news = news_of(Verdict(outcome, "odd", "Ada is too loud."), "Ada", rating, named=named)
    assert news is not None
    safe = rating is ContentRating.SFW
    assert ("too loud" in news) is safe
    assert ("/character mine in an age-restricted channel" in news) is not safe
    without = news_of(Verdict(outcome, "odd"), "Ada", rating, named=named)
    assert without is not None
    assert "/character mine" not in without


def test_what_its_author_took_back_is_no_news() -> None:
    assert news_of(Verdict(Outcome.WITHDRAWN), "Ada", ContentRating.SFW, named=True) is None


@pytest.mark.parametrize("outcome", [each for each in Outcome if each in ENDS and each is not Outcome.WITHDRAWN])
@pytest.mark.parametrize("rating", ContentRating)
@pytest.mark.parametrize("named", [True, False])
def test_a_direct_message_names_only_what_everybody_may_see(
    outcome: Outcome, rating: ContentRating, *, named: bool
) -> None:
    news = news_of(Verdict(outcome), "Ada", rating, named=named)
    assert news is not None
    assert ("Ada" in news) is (named or rating is ContentRating.SFW)
