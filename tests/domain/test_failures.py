import re

import pytest

from bot.domain.failures import (
    MARK_SIGN,
    NOT_RETRYABLE,
    Failure,
    FailureCause,
    cut_mark,
    failure_sentence,
    refusal_sentence,
    without_cut_mark,
)
from bot.domain.payers import PayerKind
from bot.domain.turns import Refusal

WORDS_OF_PROGRAMMERS = re.compile(
    r"_|\bnull\b|\bNone\b|\bexception\b|\bHTTP\b|\b[45]\d\d\b|\bupstream\b", re.IGNORECASE
)


@pytest.mark.parametrize("paid_by", list(PayerKind))
@pytest.mark.parametrize("cause", list(FailureCause))
def test_every_cause_has_a_sentence_that_people_can_read(cause: FailureCause, paid_by: PayerKind) -> None:
    sentence = failure_sentence(Failure(cause, paid_by=paid_by))
    assert sentence.startswith(f"{MARK_SIGN} ")
    assert sentence.endswith(".")
    assert not WORDS_OF_PROGRAMMERS.search(sentence)
    assert "Regenerate" not in sentence
    assert "{" not in sentence


@pytest.mark.parametrize(
    ("paid_by", "who", "way"),
    [
        (PayerKind.OPERATOR, "Whoever runs the bot", "renew it."),
        (PayerKind.SERVER, "Someone who manages this server", "renew it with /server settings."),
        (PayerKind.MEMBER, "The member whose character this is", "renew it with /account link."),
    ],
)
def test_the_remedy_lies_with_whoever_pays(paid_by: PayerKind, who: str, way: str) -> None:
    assert who in failure_sentence(Failure(FailureCause.BALANCE, paid_by=paid_by))
    assert failure_sentence(Failure(FailureCause.BAD_KEY, paid_by=paid_by)).endswith(way)


@pytest.mark.parametrize("cause", list(FailureCause))
def test_every_cause_has_a_small_line_for_under_a_text(cause: FailureCause) -> None:
    mark = cut_mark(Failure(cause, code="abc123"))
    assert mark.startswith(f"-# {MARK_SIGN} ")
    assert "\n" not in mark
    assert not WORDS_OF_PROGRAMMERS.search(mark)


@pytest.mark.parametrize("cause", list(FailureCause))
def test_only_what_can_be_retried_is_said_to_be(cause: FailureCause) -> None:
    assert not (cause in NOT_RETRYABLE and "Retry" in failure_sentence(Failure(cause)))


def test_causes_are_told_apart() -> None:
    assert len({failure_sentence(Failure(cause)) for cause in FailureCause}) == len(FailureCause)


def test_a_limit_says_when_it_works_again() -> None:
    sentence = failure_sentence(Failure(FailureCause.DAILY_LIMIT, resets_at_s=1_800_000_000))
    assert sentence.endswith("It works again <t:1800000000:R>.")


def test_the_unforeseen_has_a_code() -> None:
    assert "`abc123`" in failure_sentence(Failure(FailureCause.UNEXPECTED, code="abc123"))


@pytest.mark.parametrize("cause", list(FailureCause))
def test_a_small_line_can_be_taken_off_again(cause: FailureCause) -> None:
    assert without_cut_mark(f"One.\nTwo.\n{cut_mark(Failure(cause))}") == "One.\nTwo."


@pytest.mark.parametrize("text", ["", "One.", "One.\n", "-# ⚠", "One.\n-# ⚠"])
def test_what_has_no_small_line_stays_as_it_is(text: str) -> None:
    assert without_cut_mark(text) == text


@pytest.mark.parametrize("refused", list(Refusal))
def test_every_refusal_has_a_notice(refused: Refusal) -> None:
    notice = refusal_sentence(refused, day_ends_at_s=1_800_000_000)
    assert notice.startswith(f"{MARK_SIGN} ")
    assert "{" not in notice
    assert ("<t:1800000000:R>" in notice) is (refused is not Refusal.QUEUE_FULL)
