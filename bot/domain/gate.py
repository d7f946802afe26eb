"""Whether a character may be shown to people in a place, and whether it may speak there."""

from enum import Enum
from typing import Final

from bot.domain.bindings import PauseCause
from bot.domain.characters import Character, KnownCharacter, Unusable, unusable_reason
from bot.domain.ratings import ContentRating

FRESH_MS: Final = 10 * 60_000
"""How old what is known may be before it is read again for a reply."""
HOLDS_MS: Final = 24 * 60 * 60_000
"""How long what is known counts while the catalogue cannot be reached."""


class Obstacle(Enum):
    """Why a character cannot be shown or used."""

    UNKNOWN = "unknown"
    """There is none, or it is somebody's own: which of the two, nobody is told."""
    ARCHIVED = "archived"
    NOT_APPROVED = "not_approved"
    NO_API = "no_api"
    ABOVE_CEILING = "above_ceiling"


_OBSTACLES: Final = {
    Unusable.ARCHIVED: Obstacle.ARCHIVED,
    Unusable.NOT_PUBLIC: Obstacle.UNKNOWN,
    Unusable.NOT_APPROVED: Obstacle.NOT_APPROVED,
    Unusable.NO_API: Obstacle.NO_API,
}

SENTENCES: Final = {
    Obstacle.UNKNOWN: "There is no public character by that name. Look for one with /character search.",
    Obstacle.ARCHIVED: "That character was archived by its author, so it cannot be used any more. "
    "Look for another with /character search.",
    Obstacle.NOT_APPROVED: "That character is not approved by the catalogue at present, so it cannot be used. "
    "Try again later, or look for another with /character search.",
    Obstacle.NO_API: "That character's author has not opened it to apps like this one. "
    "Look for another with /character search.",
    Obstacle.ABOVE_CEILING: "That character's content rating is above what this channel may show. "
    "Look for another with /character search.",
}
"""None of them names the character: what may not be shown has no name here."""

ELSEWHERE: Final = (
    "That character's content rating is above what this channel may show. "
    "Use it in an age-restricted channel, or look for another with /character search."
)


def pause_cause(known: KnownCharacter, *, ceiling: ContentRating, now_ms: int) -> PauseCause | None:
    """Return why a character may not speak in a place, or None when it may.

    1. The catalogue has it no more, or nobody but its owner may use it.
    2. It is rated above the place's ceiling.
    3. It was never read in full, or not within the last 24 hours.
    """
    if known.gone_at_ms is not None or unusable_reason(known.character) is not None:
        return PauseCause.UNAVAILABLE
    if known.character.rating > ceiling:
        return PauseCause.ABOVE_CEILING
    if known.checked_at_ms is None or now_ms - known.checked_at_ms > HOLDS_MS:
        return PauseCause.UNVERIFIED
    return None


def own_pause_cause(known: KnownCharacter, *, ceiling: ContentRating, now_ms: int) -> PauseCause | None:
    """Return why a character may not speak with its owner's key, or None when it may.

    As pause_cause, but it need be neither public nor approved: its owner may use it as it is. `known` is what the
    owner's key sees.
    """
    if known.gone_at_ms is not None or known.character.archived:
        return PauseCause.UNAVAILABLE
    if known.character.rating > ceiling:
        return PauseCause.ABOVE_CEILING
    if known.checked_at_ms is None or now_ms - known.checked_at_ms > HOLDS_MS:
        return PauseCause.UNVERIFIED
    return None


def obstacle(known: KnownCharacter, *, ceiling: ContentRating) -> Obstacle | None:
    """Return why a character cannot be shown or used in a place, or None when it can."""
    if known.gone_at_ms is not None:
        return Obstacle.UNKNOWN
    reason = unusable_reason(known.character)
    if reason is not None:
        return _OBSTACLES[reason]
    return Obstacle.ABOVE_CEILING if known.character.rating > ceiling else None


def obstacle_sentence(found: Obstacle, character: Character, *, highest: ContentRating) -> str:
    """Return what a person reads about an obstacle; `highest` is the operator's ceiling for age-restricted channels."""
    if found is Obstacle.ABOVE_CEILING and character.rating <= highest:
        return ELSEWHERE
    return SENTENCES[found]
