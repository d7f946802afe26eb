"""A character of the catalogue as the bot knows it, and whether it may be used."""

from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Final

from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating, effective_rating

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
    catalogue_rating: ContentRating | None = None
    creator_rating: ContentRating | None = None
    """What the catalogue and what the author say; None where the answer did not name it. `rating` is what counts."""
    tags: tuple[str, ...] = ()
    stars_average: float | None = None
    stars_count: int | None = None
    avatar_url: str | None = None
    creator: str | None = None
    archived: bool = False

    @property
    def rating(self) -> ContentRating:
        """The effective content rating: the stricter of the catalogue's and the author's, explicit without either."""
        return effective_rating(self.catalogue_rating, self.creator_rating)

    @property
    def address(self) -> str:
        """The slug where there is one, else the id: what a person types to name it."""
        return self.slug or self.id


@dataclass(frozen=True, slots=True)
class OwnCharacter:
    """A character as its author's key reads it: what the catalogue publishes of it, and what is the author's alone."""

    character: Character
    system_prompt: str | None = field(default=None, repr=False)
    """None where the answer left it out, which does not mean that there is none."""
    creator_rating: ContentRating | None = None
    """What the author says of the content, to be shown as chosen; None where the answer did not say, or in no word that
    is known. There the character's own counts as explicit, which nobody has chosen."""
    moderation_reason: str | None = None
    """Why a moderator turned it down, in the moderator's words."""

    def under(self, character_id: CharacterId) -> "OwnCharacter":
        """Return it under the id that it is known by, also where an answer named it by its slug alone."""
        return replace(self, character=replace(self.character, id=character_id))


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


def is_private(character: Character) -> bool:
    """Tell whether the catalogue shows a character to its owner alone (Characters API, visibility values)."""
    return character.visibility == "private"


def merged(known: Character, short: Character) -> Character:
    """Return what is known after a list item, which may leave out what an earlier full read told.

    What the item states wins. A missing field says nothing: neither that a text was removed, nor that one of the
    two ratings was. An item that names the catalogue's alone leaves the author's as it was.
    """
    stated: dict[str, Any] = {
        each.name: value for each in fields(short) if (value := getattr(short, each.name)) is not None and value != ()
    }
    return replace(known, **stated)


def merged_from_catalogue(known: Character, listed: Character) -> Character:
    """Return what is known after the catalogue listed a character, as merged does.

    What is private stands in no list of the catalogue (Characters API, visibility values), so that one that was is not
    any more, also where the item does not say.
    """
    found = merged(known, listed)
    return replace(found, visibility=None) if listed.visibility is None and is_private(found) else found


@dataclass(frozen=True, slots=True)
class KnownCharacter:
    """A character as the store remembers it. Times are Unix milliseconds."""

    ref: CharacterRef
    character: Character
    seen_at_ms: int
    """When the catalogue last named it, in a list or in a full read."""
    checked_at_ms: int | None
    """When it was last read in full; None when only lists have named it."""
    gone_at_ms: int | None
    """When the catalogue said that it has no such character (any more); None while it is there."""
