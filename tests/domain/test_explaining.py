from dataclasses import replace

import pytest

from bot.domain.bindings import PauseCause
from bot.domain.explaining import (
    JUST_NOW_MS,
    NEVER_HEARD,
    ON_ITS_WAY,
    OWN_GREETING,
    OWN_REPLY,
    OWN_WORDS,
    AskedAbout,
    Claimed,
    OwnPost,
    PauseFacts,
    explain,
)
from bot.domain.failures import FailureCause
from bot.domain.messages import Silence
from bot.domain.turns import PostKind, Refusal, TurnKind, TurnState

LINK = "https://discord.com/channels/200/300/9000"
NOTHING_KNOWN = AskedAbout(own=None, claimed=None, silence=None, pause=None, by_asker=False, age_ms=JUST_NOW_MS)


def of_claim(state: TurnState, cause: str | None = None, link: str | None = None) -> str:
    # What became of a message counts more than what the settings would say of it today.
    return explain(replace(NOTHING_KNOWN, claimed=Claimed(state, cause, link), silence=Silence.NOT_BOUND))


@pytest.mark.parametrize(
    ("own", "text"),
    [
        (OwnPost(PostKind.REPLY, TurnKind.REPLY), OWN_REPLY),
        (OwnPost(PostKind.REPLY, None), OWN_REPLY),
        (OwnPost(PostKind.REPLY, TurnKind.GREETING), OWN_GREETING),
        (OwnPost(PostKind.MARK, TurnKind.REPLY), OWN_WORDS),
    ],
)
def test_the_bots_own_messages_explain_themselves(own: OwnPost, text: str) -> None:
    assert explain(replace(NOTHING_KNOWN, own=own, silence=Silence.OWN)) == text


@pytest.mark.parametrize(
    ("state", "cause", "link", "words"),
    [
        (TurnState.WAITING, None, None, "waits for its turn"),
        (TurnState.RUNNING, None, LINK, "being answered right now"),
        (TurnState.ANSWERED, None, LINK, f"It was answered: {LINK}"),
        (TurnState.ANSWERED, None, None, "the reply has been deleted"),
        (TurnState.FAILED, "balance", None, "run out of credit"),
        (TurnState.FAILED, "stalled", LINK, f"only in part (cut off: the AI service stopped in mid-sentence): {LINK}"),
        (TurnState.FAILED, "cannot_speak", None, "not allowed to answer here"),
        (TurnState.FAILED, "cannot_speak", LINK, "only in part (cut off: I may not write here any more)"),
        (TurnState.FAILED, "a cause of a later release", None, "It could not be answered."),
        (TurnState.FAILED, None, None, "It could not be answered."),
        (TurnState.DROPPED, "deleted", None, "deleted before"),
        (TurnState.DROPPED, "reset", None, "begun afresh"),
        (TurnState.DROPPED, "ended", None, "left this channel"),
        (TurnState.DROPPED, "paused", None, "paused before"),
        (TurnState.DROPPED, None, None, "set aside"),
    ],
)
def test_what_became_of_a_message_is_told(state: TurnState, cause: str | None, link: str | None, words: str) -> None:
    assert words in of_claim(state, cause, link)


@pytest.mark.parametrize("cause", list(FailureCause))
@pytest.mark.parametrize("link", [LINK, None])
def test_every_failure_has_its_sentence_without_a_warning_sign(cause: FailureCause, link: str | None) -> None:
    text = of_claim(TurnState.FAILED, cause.value, link)
    assert "⚠" not in text
    assert "-#" not in text
    assert len(text) > len("It could not be answered.")


def test_every_refusal_has_a_sentence_of_its_own() -> None:
    generic = of_claim(TurnState.DROPPED)
    texts = {of_claim(TurnState.DROPPED, refusal.value) for refusal in Refusal}
    assert len(texts) == len(Refusal)
    assert generic not in texts


def test_every_rule_has_a_sentence_of_its_own() -> None:
    texts = {explain(replace(NOTHING_KNOWN, silence=silence)) for silence in Silence}
    assert len(texts) == len(Silence)


def test_a_pause_is_explained_with_its_cause() -> None:
    pause = PauseFacts(PauseCause.UNVERIFIED, "Ada", more_if_restricted=False)
    assert "**Ada**" in explain(replace(NOTHING_KNOWN, silence=Silence.PAUSED, pause=pause))


def test_only_the_author_is_told_how_to_be_heard_again() -> None:
    mine = explain(replace(NOTHING_KNOWN, silence=Silence.IGNORED_MEMBER, by_asker=True))
    theirs = explain(replace(NOTHING_KNOWN, silence=Silence.IGNORED_MEMBER))
    assert "/privacy ignore-me" in mine
    assert "/privacy" not in theirs


def test_what_nothing_speaks_against_is_new_or_was_never_heard() -> None:
    assert explain(NOTHING_KNOWN) == NEVER_HEARD
    assert explain(replace(NOTHING_KNOWN, age_ms=JUST_NOW_MS - 1)) == ON_ITS_WAY
