"""Whether a bound character may speak now, from what is known of it."""

from typing import Final

from bot.domain.bindings import PauseCause
from bot.domain.characters import KnownCharacter, unusable_reason
from bot.domain.ratings import ContentRating

FRESH_MS: Final = 10 * 60_000
"""How old what is known may be before it is read again for a reply."""
HOLDS_MS: Final = 24 * 60 * 60_000
"""How long what is known counts while the catalogue cannot be reached."""


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
