"""Why a turn has no whole answer, and the sentence people read about it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.payers import PayerKind
from bot.domain.turns import Refusal

MARK_SIGN: Final = "⚠"
"""Stands first in every mark, so that people see at once that it is the bot's and not the character's word."""


_CUT_MARK: Final = f"-# {MARK_SIGN} "


class FailureCause(Enum):
    """What kept a reply from being given, or from being whole."""

    BALANCE = "balance"
    BAD_KEY = "bad_key"
    NO_KEY = "no_key"
    """Whoever is to pay has no key here any more."""
    PAYER_CAP = "payer_cap"
    """The member who pays has agreed to so many replies a day."""
    NOT_PERMITTED = "not_permitted"
    BUSY = "busy"
    DAILY_LIMIT = "daily_limit"
    UPSTREAM_DOWN = "upstream_down"
    STALLED = "stalled"
    CUT = "cut"
    EMPTY = "empty"
    LENGTH = "length"
    FILTERED = "filtered"
    CONTENT_POLICY = "content_policy"
    CONTEXT_TOO_LONG = "context_too_long"
    CHARACTER_UNAVAILABLE = "character_unavailable"
    REJECTED = "rejected"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    REFUSED_BY_DISCORD = "refused_by_discord"
    CANNOT_SPEAK = "cannot_speak"
    """The bot may not write in the place, or the place is gone."""
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause with what is known about it."""

    cause: FailureCause
    resets_at_s: int | None = None
    """Unix seconds after which it is worth trying again, where upstream said so."""
    code: str | None = None
    """Found in the log too, for what nobody foresaw."""
    paid_by: PayerKind = PayerKind.OPERATOR
    """Whose key was to pay: the remedy lies with them."""


NOT_RETRYABLE: Final = frozenset({FailureCause.STOPPED, FailureCause.CHARACTER_UNAVAILABLE})

_NOTHING_SAID: Final = {
    FailureCause.BALANCE: "The account that pays for this has run out of credit. {payer} has to top it up.",
    FailureCause.BAD_KEY: "The key that pays for this was refused. {payer} has to renew it{how}.",
    FailureCause.NO_KEY: "The key that should pay for this is not there. {payer} has to give it again{how}.",
    FailureCause.PAYER_CAP: "{payer} pays for so many replies a day, and today's are used up.",
    FailureCause.NOT_PERMITTED: "The key that pays for this may not use this character's model. "
    "{payer} can change that.",
    FailureCause.BUSY: "The AI service is answering too many people just now. Press Retry in a minute.",
    FailureCause.DAILY_LIMIT: "Today's limit of the AI service is used up.",
    FailureCause.UPSTREAM_DOWN: "The AI service is having trouble. Press Retry in a minute.",
    FailureCause.STALLED: "The AI service did not answer in time. Press Retry to ask again.",
    FailureCause.CUT: "The connection to the AI service broke. Press Retry to ask again.",
    FailureCause.EMPTY: "The character had nothing to say. Press Retry, or say it differently.",
    FailureCause.LENGTH: "The reply ran out of room before it began. Press Retry, or ask for less.",
    FailureCause.FILTERED: "The AI service held the reply back. Say it differently and try again.",
    FailureCause.CONTENT_POLICY: "The AI service will not answer this. Say it differently and try again.",
    FailureCause.CONTEXT_TOO_LONG: "This conversation has become too long for the character. "
    "Use /character reset to begin afresh, or say it in fewer words.",
    FailureCause.CHARACTER_UNAVAILABLE: "This character is no longer available. "
    "Use /character search to choose another.",
    FailureCause.REJECTED: "The AI service did not take the request. Press Retry, or use /character reset.",
    FailureCause.RESTARTED: "I was restarted before I could answer. Press Retry to ask again.",
    FailureCause.STOPPED: "The reply was stopped.",
    FailureCause.REFUSED_BY_DISCORD: "Discord did not take the reply. Press Retry for another one.",
    FailureCause.CANNOT_SPEAK: "I was not allowed to answer here, or the channel was gone. "
    "Someone who manages the channel can allow me to view it and to send messages.",
    FailureCause.UNEXPECTED: "Something went wrong.",
}

_PAYERS: Final = {
    PayerKind.OPERATOR: "Whoever runs the bot",
    PayerKind.SERVER: "Someone who manages this server",
    PayerKind.MEMBER: "The member whose character this is",
}
_HOW: Final = {
    PayerKind.OPERATOR: "",
    PayerKind.SERVER: " with /server settings",
    PayerKind.MEMBER: " with /account link",
}

_CUT_SHORT: Final = {
    FailureCause.BALANCE: "cut off: the account that pays for this has run out of credit",
    FailureCause.BAD_KEY: "cut off: the key that pays for this was refused",
    FailureCause.BUSY: "cut off: the AI service is busy",
    FailureCause.DAILY_LIMIT: "cut off: today's limit of the AI service is used up",
    FailureCause.UPSTREAM_DOWN: "cut off: the AI service had trouble",
    FailureCause.STALLED: "cut off: the AI service stopped in mid-sentence",
    FailureCause.CUT: "cut off: the connection to the AI service broke",
    FailureCause.LENGTH: "cut off: the reply reached its length limit",
    FailureCause.FILTERED: "cut off by the AI service",
    FailureCause.CONTENT_POLICY: "cut off by the AI service",
    FailureCause.RESTARTED: "interrupted: I was restarted in mid-sentence",
    FailureCause.STOPPED: "stopped",
    FailureCause.CANNOT_SPEAK: "cut off: I may not write here any more",
}


def failure_sentence(failure: Failure) -> str:
    """Return what people read where nothing of a reply can be seen."""
    text = (
        f"{MARK_SIGN} {_NOTHING_SAID[failure.cause].format(payer=_PAYERS[failure.paid_by], how=_HOW[failure.paid_by])}"
    )
    if failure.resets_at_s is not None:
        text += f" It works again <t:{failure.resets_at_s}:R>."
    if failure.code is not None:
        text += f" If it happens again, give whoever runs the bot this code: `{failure.code}`."
    return text


def cut_mark(failure: Failure) -> str:
    """Return the small line that goes under the part of a reply that can be seen."""
    return f"{_CUT_MARK}{_CUT_SHORT.get(failure.cause, 'cut off')}"


def without_cut_mark(text: str) -> str:
    """Return a post without the small line that an earlier failure put under it."""
    before, separator, last = text.rpartition("\n")
    return (before if separator else "") if last.startswith(_CUT_MARK) else text


_REFUSALS: Final = {
    Refusal.QUEUE_FULL: "I am still answering earlier messages, so I left some out. Say it again in a moment.",
    Refusal.MEMBER_CAP: "One member here has used up today's messages to characters; everybody else can go on. "
    "It starts afresh <t:{reset}:R>.",
    Refusal.GUILD_CAP: "This server has used up today's messages to characters. It starts afresh <t:{reset}:R>.",
}


def refusal_sentence(refusal: Refusal, *, day_ends_at_s: int) -> str:
    """Return the notice for messages that were not let in. `day_ends_at_s` is in Unix seconds."""
    return f"{MARK_SIGN} {_REFUSALS[refusal].format(reset=day_ends_at_s)}"
