"""Content ratings, and what a place may show."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class ContentRating(IntEnum):
    """How adult a character is, from the mildest to the strongest (Characters API, content_rating_max)."""

    SFW = 0
    SUGGESTIVE = 1
    NSFW = 2
    EXPLICIT = 3

    @property
    def word(self) -> str:
        """The word the catalogue uses for this rating."""
        return self.name.lower()


_BY_WORD: Final = {rating.word: rating for rating in ContentRating}


def parse_rating(word: object) -> ContentRating | None:
    """Read a rating word, or return None when it is missing or unknown."""
    return _BY_WORD.get(word.strip().lower()) if isinstance(word, str) else None


def stated_rating(word: object) -> ContentRating | None:
    """Read what an answer says of a rating, or return None when it says nothing.

    A word that is not known counts as explicit, so that one invented upstream tomorrow fails closed.
    """
    if word in (None, ""):
        return None
    return ContentRating.EXPLICIT if (rating := parse_rating(word)) is None else rating


def effective_rating(catalogue: ContentRating | None, creator: ContentRating | None) -> ContentRating:
    """Return the stricter of what the catalogue and the author say.

    Who said nothing is passed over while the other one spoke; when neither did, that counts as explicit.
    """
    return max((rating for rating in (catalogue, creator) if rating is not None), default=ContentRating.EXPLICIT)


@dataclass(frozen=True, slots=True)
class ContentLimits:
    """The operator's ceilings: for age-restricted channels, and for everywhere else."""

    default_max: ContentRating = ContentRating.SFW
    restricted_max: ContentRating = ContentRating.NSFW

    def ceiling(self, *, age_restricted: bool) -> ContentRating:
        """Return the strongest rating that a place may show."""
        return self.restricted_max if age_restricted else self.default_max
