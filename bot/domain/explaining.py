"""Why a message was not answered, or that it was: in words for the person who asks."""

from dataclasses import dataclass
from typing import Final

from bot.domain.bindings import PauseCause
from bot.domain.failures import MARK_SIGN, Failure, FailureCause, cut_mark, failure_sentence
from bot.domain.messages import Silence
from bot.domain.notices import why_paused
from bot.domain.payers import PayerKind
from bot.domain.turns import PostKind, Refusal, TurnKind, TurnState

JUST_NOW_MS: Final = 20_000
"""So long a message may be on its way into the queue."""

OWN_REPLY: Final = "This is a reply of the character itself. It answers people, not itself."
OWN_GREETING: Final = "This is how the character introduced itself. It answers people, not itself."
OWN_WORDS: Final = "This is a message of my own. Characters answer people, not me."
ON_ITS_WAY: Final = "This has only just been said. The answer should be on its way."
NEVER_HEARD: Final = (
    "I was not there when this was said, and it is too long ago for me to answer now. Say it again if it still matters."
)
_SAY_AGAIN: Final = "Say it again if you would like an answer."


@dataclass(frozen=True, slots=True)
class OwnPost:
    """That the message is one that the bot posted for a turn."""

    kind: PostKind
    turn: TurnKind | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of a message that was taken in."""

    state: TurnState
    cause: str | None
    reply_link: str | None
    """The address of the reply, or of its visible part; None where there is none to be seen."""
    paid_by: PayerKind = PayerKind.OPERATOR


@dataclass(frozen=True, slots=True)
class PauseFacts:
    """What is told about a pause."""

    cause: PauseCause
    name: str
    more_if_restricted: bool


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """What stands about a message when somebody asks why it was not answered."""

    own: OwnPost | None
    claimed: Claimed | None
    silence: Silence | None
    """What follows from the message and the settings as they are now."""
    pause: PauseFacts | None
    by_asker: bool
    """The person asks about a message of their own."""
    age_ms: int


def explain(about: AskedAbout) -> str:
    """Say why a message has no answer, or that it has one.

    1. What the bot itself posted explains itself.
    2. What became of a message that was taken in is known.
    3. Else the rule that keeps it unanswered is named, as the settings are now.
    4. Else it is very new, or the bot was away.
    """
    if about.own is not None:
        if about.own.kind is PostKind.MARK:
            return OWN_WORDS
        return OWN_GREETING if about.own.turn is TurnKind.GREETING else OWN_REPLY
    if about.claimed is not None:
        return _outcome(about.claimed)
    if about.silence is not None:
        return _rule(about.silence, about)
    return ON_ITS_WAY if about.age_ms < JUST_NOW_MS else NEVER_HEARD


def _outcome(claimed: Claimed) -> str:
    match claimed.state:
        case TurnState.WAITING:
            return "It waits for its turn: the character is still busy with what was said before."
        case TurnState.RUNNING:
            return "It is being answered right now."
        case TurnState.ANSWERED:
            if claimed.reply_link is None:
                return "It was answered, but the reply has been deleted since."
            return f"It was answered: {claimed.reply_link}"
        case TurnState.FAILED:
            return _failed(claimed)
        case _:
            return _DROPPED.get(claimed.cause or "", f"It was set aside without an answer. {_SAY_AGAIN}")


def _failed(claimed: Claimed) -> str:
    try:
        failure = Failure(FailureCause(claimed.cause), paid_by=claimed.paid_by)
    except ValueError:
        return _DROPPED.get(claimed.cause or "", "It could not be answered.")
    if claimed.reply_link is not None:
        why = cut_mark(failure).rpartition(MARK_SIGN)[2].strip()
        return f"It was answered only in part ({why}): {claimed.reply_link}"
    return f"It could not be answered. {failure_sentence(failure).removeprefix(MARK_SIGN).strip()}"


_DROPPED: Final = {
    Refusal.QUEUE_FULL.value: f"Too many messages were waiting when it came, so it was left out. {_SAY_AGAIN}",
    Refusal.MEMBER_CAP.value: "Its author had used up the messages to characters that a member has a day. "
    "It starts afresh at midnight UTC.",
    Refusal.GUILD_CAP.value: "This server had used up the messages to characters that it has a day. "
    "It starts afresh at midnight UTC.",
    "missed": f"I was not there when this was said, and when I was back it was too long ago to answer. {_SAY_AGAIN}",
    "deleted": "It was deleted before it could be answered.",
    "ended": "The character left this channel before it could answer.",
    "unbound": "The character left this channel before it could answer.",
    "reset": "The conversation was begun afresh before it could be answered.",
    "paused": "The character was paused before it could answer. /character current says whether it still is.",
    "ignored_member": "Its author does not want their messages to be passed on to characters.",
}
"""By the stored cause. Those words are written where turns and messages end (bot.services, bot.store)."""


def _rule(silence: Silence, about: AskedAbout) -> str:
    match silence:
        case Silence.NOT_BOUND:
            return (
                "No character speaks in this channel. Someone who may manage it can bring one here with /character use."
            )
        case Silence.PAUSED:
            if about.pause is None:
                return "The character of this channel is paused. /character current says why."
            return why_paused(about.pause.cause, about.pause.name, more_if_restricted=about.pause.more_if_restricted)
        case Silence.IGNORED_MEMBER:
            if about.by_asker:
                return "You asked me to ignore your messages. Use /privacy ignore-me if you have changed your mind."
            return "Its author does not want their messages to be passed on to characters."
        case _:
            return _RULES[silence]


_RULES: Final = {
    Silence.OWN: OWN_WORDS,
    Silence.OTHER_BOT: "It comes from another bot. Characters answer people; "
    "other bots only where whoever runs me has allowed it.",
    Silence.OTHER_WEBHOOK: "It comes from another app's webhook. Characters answer people; "
    "webhooks only where whoever runs me has allowed it.",
    Silence.BOT_LOOP: "Bots have talked among themselves for long enough here. The character answers again "
    "once a person has said something.",
    Silence.WAS_IGNORED: "It was written while its author did not want their messages to be passed on to characters. "
    f"{_SAY_AGAIN}",
    Silence.SYSTEM: "It is a notice of Discord's, not something that a person said.",
    Silence.EMPTY: "There is nothing in it that a character can read. If there should be, "
    "I may lack the message content intent, which whoever runs me can switch on.",
    Silence.NOT_ADDRESSED: "The character of this channel answers only messages that mention me or reply to it.",
    Silence.BEFORE_ACTIVE: "It was said before the character came here, or before its last reset, pause or change "
    f"of settings. {_SAY_AGAIN}",
}
