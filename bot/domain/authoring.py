"""What an author writes of a character: all of it for a new one, what changed for one that is there.

The names and rules are those of the Characters API (Create Character, Manage Your Characters).
"""

from dataclasses import dataclass, field, fields
from enum import Enum

from bot.domain.ratings import ContentRating


class Visibility(Enum):
    """Who can see and use a character (Characters API, visibility values)."""

    PRIVATE = "private"
    """Its owner alone."""
    UNLISTED = "unlisted"
    """Whoever knows its id or slug, when permitted; in no list."""
    PUBLIC = "public"
    """Everybody, once moderation has approved it."""


@dataclass(frozen=True, slots=True)
class CharacterFields:
    """A new character. Upstream names no limits of length; empty texts and no tags are left out or sent empty."""

    name: str
    base_model: str
    system_prompt: str = field(repr=False)
    creator_rating: ContentRating
    """What the author says of the content; it has no default, as nothing may be taken for safe unasked."""
    summary: str = ""
    description: str = ""
    first_message: str = ""
    visibility: Visibility = Visibility.PRIVATE
    allow_api: bool = False
    """Whether others may speak with it over the API, once it is public and approved."""
    tags: tuple[str, ...] = ()
    """Slugs."""


@dataclass(frozen=True, slots=True)
class CharacterChanges:
    """What is to change of a character: None leaves a field alone, an empty text or tuple clears it."""

    name: str | None = None
    base_model: str | None = None
    system_prompt: str | None = field(default=None, repr=False)
    creator_rating: ContentRating | None = None
    summary: str | None = None
    description: str | None = None
    first_message: str | None = None
    visibility: Visibility | None = None
    allow_api: bool | None = None
    tags: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) is not None for each in fields(self))
