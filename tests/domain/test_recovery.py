import pytest

from bot.domain.failures import Failure, FailureCause, cut_mark
from bot.domain.ids import TurnId, VersionId
from bot.domain.recovery import MOST_ATTEMPTS, RUN_AGAIN_WITHIN_MS, Remedy, remedy, text_of_posts
from bot.domain.turns import TurnKind, Version, VersionState

YOUNG = RUN_AGAIN_WITHIN_MS - 1
OLD = RUN_AGAIN_WITHIN_MS


def version(state: VersionState, text: str | None) -> Version:
    return Version(VersionId(1), TurnId(1), 1, state, text)


WHOLE = version(VersionState.COMPLETE, "Once upon a time.")
ERASED = version(VersionState.COMPLETE, None)
PART = version(VersionState.PARTIAL, "Once upon")
BEGUN = version(VersionState.WRITING, None)
REPLY, GREETING = TurnKind.REPLY, TurnKind.GREETING


@pytest.mark.parametrize(
    ("kind", "found", "visible", "age_ms", "attempts", "expected"),
    [
        (REPLY, None, False, 0, 1, Remedy.RUN_AGAIN),
        (REPLY, None, False, YOUNG, MOST_ATTEMPTS - 1, Remedy.RUN_AGAIN),
        (REPLY, None, False, OLD, 1, Remedy.MARK_FAILED),
        (REPLY, None, False, 0, MOST_ATTEMPTS, Remedy.MARK_FAILED),
        (REPLY, BEGUN, False, 0, 1, Remedy.RUN_AGAIN),
        (REPLY, BEGUN, True, 0, 1, Remedy.MARK_INTERRUPTED),
        (REPLY, BEGUN, True, OLD, MOST_ATTEMPTS, Remedy.MARK_INTERRUPTED),
        (REPLY, PART, False, 0, 2, Remedy.RUN_AGAIN),
        (REPLY, PART, True, 0, 2, Remedy.MARK_INTERRUPTED),
        (REPLY, WHOLE, False, 0, 1, Remedy.DELIVER),
        (REPLY, WHOLE, True, OLD, MOST_ATTEMPTS, Remedy.DELIVER),
        (REPLY, ERASED, True, 0, 1, Remedy.MARK_INTERRUPTED),
        (REPLY, ERASED, False, 0, 1, Remedy.RUN_AGAIN),
        (GREETING, WHOLE, False, OLD, 1, Remedy.DELIVER),
        (GREETING, ERASED, False, 0, 1, Remedy.MARK_FAILED),
        (GREETING, None, True, 0, 1, Remedy.MARK_INTERRUPTED),
    ],
)
def test_how_a_turn_that_was_cut_is_brought_to_its_end(
    kind: TurnKind, found: Version | None, age_ms: int, attempts: int, expected: Remedy, *, visible: bool
) -> None:
    assert remedy(kind, found, visible=visible, age_ms=age_ms, attempts=attempts) is expected


def test_what_can_be_seen_is_never_generated_again() -> None:
    for kind in TurnKind:
        for found in (None, BEGUN, PART, WHOLE, ERASED):
            for age_ms in (0, YOUNG, OLD):
                assert remedy(kind, found, visible=True, age_ms=age_ms, attempts=1) is not Remedy.RUN_AGAIN


@pytest.mark.parametrize("cause", list(FailureCause))
def test_a_text_is_read_off_its_posts_without_the_mark_of_an_earlier_failure(cause: FailureCause) -> None:
    mark = cut_mark(Failure(cause))
    assert text_of_posts(["One.", f"Two.\n{mark}"]) == "One.\nTwo."
    assert text_of_posts(["One.", mark]) == "One."
    assert text_of_posts([mark]) == ""


@pytest.mark.parametrize("text", ["-# small print", "One.\n-# small print", "⚠ Beware", "One.\n⚠ Beware"])
def test_what_only_looks_like_a_mark_stays(text: str) -> None:
    assert text_of_posts([text]) == text


def test_no_posts_have_no_text() -> None:
    assert text_of_posts([]) == ""
