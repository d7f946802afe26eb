"""A character of the catalogue as the bot knows it, and whether it may be used."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating

RESERVED_SLUGS: Final = frozenset({"mine"})
"""Words that are routes of the Characters API and so can never name a character."""


@dataclass(frozen=True, slots=True)
class Character:
    """What the catalogue publishes of a character; never its system prompt."""

    id: CharacterId
    name: str
    slug: str | None = None
    summary: str | None = None
    description: str | None = None
    base_model: str | None = None
    first_message: str | None = None
    visibility: str | None = None
    moderation_status: str | None = None
    allow_api: bool | None = None
    """None where the answer did not say; the catalogue lists characters the API refuses."""
    rating: ContentRating = ContentRating.EXPLICIT
    """The effective content rating: the stricter of the catalogue's and the author's."""
    tags: tuple[str, ...] = ()
    stars_average: float | None = None
    stars_count: int | None = None
    avatar_url: str | None = None
    creator: str | None = None
    archived: bool = False

    @property
    def address(self) -> str:
        """The slug where there is one, else the id: what a person types to name it."""
        return self.slug or self.id


class Unusable(Enum):
    """Why a character cannot be spoken with by anyone but its owner (Characters API, Runtime Usage)."""

    ARCHIVED = "archived"
    NOT_PUBLIC = "not_public"
    NOT_APPROVED = "not_approved"
    NO_API = "no_api"


def unusable_reason(character: Character) -> Unusable | None:
    """Return why a non-owner may not use the character, or None when nothing speaks against it.

    A field the answer left out is not held against it: the catalogue lists only approved public
    characters, and its list items may be short. Words other than "approved"
    and "public" count as refusals.
    """
    if character.archived:
        return Unusable.ARCHIVED
    if character.visibility not in (None, "public"):
        return Unusable.NOT_PUBLIC
    if character.moderation_status not in (None, "approved"):
        return Unusable.NOT_APPROVED
    if character.allow_api is False:
        return Unusable.NO_API
    return None
