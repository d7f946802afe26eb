"""What becomes of a character that was submitted to NanoGPT's moderators, and how often to look."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.characters import Character
from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.domain.quoting import bold_name, quoted
from bot.domain.ratings import ContentRating

APPROVED: Final = "approved"
PENDING: Final = "pending"
"""The two words that the Characters API spells out."""
REFUSALS: Final = frozenset(
    {"rejected", "denied", "declined", "refused", "flagged", "blocked", "removed", "needs_changes", "changes_requested"}
)
"""Words that a refusal may have: none is documented. Any other word is told, and watched on."""

FIRST_LOOK_MS: Final = 5 * 60_000
LONGEST_GAP_MS: Final = 60 * 60_000
WATCH_MS: Final = 14 * 24 * 60 * 60_000
"""How long a submitted character is watched."""
_REASON: Final = 400
_WHY_ELSEWHERE: Final = ". /character mine in an age-restricted channel shows what they wrote."


class Outcome(Enum):
    """What a watched character came to."""

    APPROVED = "approved"
    REFUSED = "refused"
    OTHER = "other"
    """A word that nobody here knows; it is watched on."""
    GONE = "gone"
    """It is no longer available; why, nobody says."""
    WITHDRAWN = "withdrawn"
    """Its author took it back: nothing to tell."""
    GIVEN_UP = "given_up"
    """It was watched for 14 days without a decision."""


ENDS: Final[frozenset[Outcome]] = frozenset(set(Outcome) - {Outcome.OTHER})
"""The outcomes after which there is nothing more to watch."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A submitted character that its author may want to hear about. Times are Unix milliseconds."""

    user_id: UserId
    ref: CharacterRef
    character_id: CharacterId
    tell: bool
    """Whether the author asked for a direct message."""
    since_ms: int
    looks: int
    due_ms: int
    status: str | None
    """The last word of the moderators that was seen."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look found out."""

    outcome: Outcome
    status: str | None = None
    reason: str | None = None


def is_refusal(status: str | None) -> bool:
    """Tell whether a moderation status is a word for "no"."""
    return status is not None and status.lower().replace("-", "_").replace(" ", "_") in REFUSALS


def next_look_ms(looks: int, now_ms: int) -> int:
    """Return when to look again after so many looks: 5 minutes at first, doubling up to an hour."""
    gap = FIRST_LOOK_MS << min(looks, 10)
    return now_ms + min(gap, LONGEST_GAP_MS)


def verdict_on(character: Character | None, *, seen: str | None, reason: str | None = None) -> Verdict | None:
    """Decide what a character that was read again came to; None while nothing has changed.

    `character` is None when it is not among its author's any more; `seen` is the status that was known.
    """
    if character is None or character.archived:
        return Verdict(Outcome.GONE)
    if character.visibility not in (None, "public"):
        return Verdict(Outcome.WITHDRAWN)
    status = character.moderation_status
    if status == APPROVED:
        return Verdict(Outcome.APPROVED, status)
    if is_refusal(status):
        return Verdict(Outcome.REFUSED, status, reason)
    if status in (None, PENDING, seen):
        return None
    return Verdict(Outcome.OTHER, status, reason)


def news_of(verdict: Verdict, name: str, rating: ContentRating, *, named: bool) -> str | None:
    """Return what its author is told, or None where there is nothing to tell.

    `named` says whether this place may name the character; direct messages name only sfw ones. What the moderators
    wrote may tell as much as its texts, so that it is for /character mine to show of any other.
    """
    safe = rating is ContentRating.SFW
    shown = bold_name(name) if named or safe else "One of your characters"
    reason = quoted(verdict.reason or "", _REASON)
    because = "." if not reason else f": {reason}" if safe else _WHY_ELSEWHERE
    match verdict.outcome:
        case Outcome.APPROVED:
            return f"{shown} has been approved by NanoGPT's moderators."
        case Outcome.REFUSED:
            return f"{shown} was not approved by NanoGPT's moderators ({quoted(verdict.status or '')}){because}"
        case Outcome.OTHER:
            return f"NanoGPT's moderators say {quoted(verdict.status or '')} of {shown}{because}"
        case Outcome.GONE:
            return f"{shown} is no longer available."
        case Outcome.GIVEN_UP:
            return (
                f"{shown} has waited for NanoGPT's moderators for two weeks, so I stopped looking. "
                "/character mine shows how it stands."
            )
        case _:
            return None
