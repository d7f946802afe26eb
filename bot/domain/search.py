"""A search of the catalogue, and how far a person has paged through it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.ids import SearchPageId, UserId
from bot.domain.ratings import ContentRating

MOST_TAGS: Final = 5
"""Tags of one search; the catalogue names no limit."""


class Sort(Enum):
    """The orders that the catalogue offers (Characters API, List Public Characters)."""

    NEW = "new"
    TOP_RATED = "top_rated"
    TRENDING = "trending_simple"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a person asked for."""

    text: str | None = None
    tags: tuple[str, ...] = ()
    rating_max: ContentRating | None = None
    """The strongest rating the person wants; the place's own ceiling is applied to every page anew."""
    sort: Sort = Sort.TRENDING


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Where a person stands in the answers to a query."""

    id: SearchPageId
    user_id: UserId
    query: SearchQuery
    cursors: tuple[str, ...]
    """The catalogue's cursors that led here, one a page turned; none on the first page."""
    used_at_ms: int
    """When a page was last turned, in Unix milliseconds."""

    @property
    def cursor(self) -> str | None:
        """The cursor of this page, None for the first."""
        return self.cursors[-1] if self.cursors else None

    @property
    def number(self) -> int:
        """The number of this page, from 1."""
        return len(self.cursors) + 1


def tag_slugs(typed: str) -> tuple[str, ...]:
    """Read tags as a person types them, with commas between: in lower case, and with hyphens for spaces.

    At most MOST_TAGS, each once.
    """
    slugs = ("-".join(tag.lower().split()) for tag in typed.replace("#", " ").split(","))
    return tuple(dict.fromkeys(slug for slug in slugs if slug))[:MOST_TAGS]
