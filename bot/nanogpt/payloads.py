"""Answers of the Characters API: from what arrives to domain values.

No answer of these endpoints but that of character-models is documented, so both spellings of a name and several
wrappings are read; an optional field of the wrong type counts as absent, except where that would open a gate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from bot.domain.characters import Character, OwnCharacter
from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating, effective_rating, parse_rating, stated_rating
from bot.nanogpt.jsonvalue import (
    Json,
    as_clean_text,
    as_count,
    as_list,
    as_number,
    as_object,
    as_text,
    as_url,
)

UNRECOGNISED: Final = "unrecognised"
"""Stands for a visibility or status that is no word, so that it can never pass for "public" or "approved"."""

_ITEM_NAMES: Final = ("data", "characters", "items", "results")
_CURSOR_NAMES: Final = ("next_cursor", "nextCursor", "cursor", "next", "end_cursor", "endCursor")
_CURSOR_HOLDERS: Final = ("pagination", "meta", "page_info", "pageInfo")
_MORE_NAMES: Final = ("has_more", "hasMore", "has_next_page", "hasNextPage")
_SINGLE_NAMES: Final = ("character", "data")
_AVATAR_NAMES: Final = (
    "avatar_url",
    "avatarUrl",
    "image_url",
    "imageUrl",
    "avatar",
    "image",
    "thumbnail_url",
    "thumbnailUrl",
    "cover_image_url",
    "coverImageUrl",
    "icon_url",
    "iconUrl",
)
_PICTURE_SCHEMES: Final = frozenset({"https"})
_CREATOR_NAMES: Final = ("creator", "creator_name", "creatorName", "owner", "author")
_CREATOR_FIELDS: Final = ("display_name", "displayName", "username", "name")
_REASON_NAMES: Final = (
    "moderation_reason",
    "moderationReason",
    "rejection_reason",
    "rejectionReason",
    "moderation_notes",
    "moderationNotes",
)
_RATING_NAMES: Final = ("creator_content_rating", "creatorContentRating")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CharacterPage:
    """One page of the catalogue. `next_cursor` is None on the last one."""

    characters: tuple[Character, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class OwnCharacterPage:
    """One page of an author's characters, archived ones included. `next_cursor` is None on the last one."""

    characters: tuple[OwnCharacter, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CharacterModel:
    """A character that anyone's key may use, as character-models lists it: without a name, as a rule."""

    character_id: CharacterId
    slug: str | None = None
    name: str | None = None
    base_model: str | None = None
    rating: ContentRating = ContentRating.EXPLICIT
    tags: tuple[str, ...] = ()
    stars_average: float | None = None
    stars_count: int | None = None


@dataclass(frozen=True, slots=True)
class CharacterModelsPage:
    """One page of the usable characters. `next_cursor` is None on the last one."""

    models: tuple[CharacterModel, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageShape:
    """Where things stood in a page: names only, for a report on what the live API is like."""

    items: str | None
    """Path of the array: empty for a bare array, None when there was none."""
    cursor: str | None
    """Path of the cursor, None when there was none."""
    fields: tuple[str, ...]
    """Names in the first item, sorted."""
    avatar: str | None
    """Name of the field that held a picture's address in any item."""


def _identity(value: object) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else as_clean_text(value)


def _word(value: object) -> str | None:
    """Read a word that gates: absent stays absent, and what is no word becomes one that opens nothing."""
    return None if value is None else as_clean_text(value) or UNRECOGNISED


def _switch(value: object) -> bool | None:
    """Read a switch that gates: anything but a clear yes is a no."""
    return None if value is None else value == 1 or (isinstance(value, str) and value.strip().lower() == "true")


def _tags(value: Json) -> tuple[str, ...]:
    """Read tags that are words or objects, each once."""
    entries = value.split(",") if isinstance(value, str) else as_list(value)
    words = (
        as_clean_text(entry)
        or as_clean_text(as_object(entry).get("slug"))
        or as_clean_text(as_object(entry).get("name"))
        for entry in entries
    )
    return tuple(dict.fromkeys(word for word in words if word is not None))


_Text = Annotated[str | None, BeforeValidator(as_clean_text)]
_Identity = Annotated[str | None, BeforeValidator(_identity)]
_Word = Annotated[str | None, BeforeValidator(_word)]
_Switch = Annotated[bool | None, BeforeValidator(_switch)]
_Rating = Annotated[ContentRating | None, BeforeValidator(stated_rating)]
_Number = Annotated[float | None, BeforeValidator(as_number)]
_Count = Annotated[int | None, BeforeValidator(as_count)]
_Tags = Annotated[tuple[str, ...], BeforeValidator(_tags)]


class _CharacterPayload(BaseModel):
    """A character as it arrives, in snake or camel case."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    id: _Identity = None
    character_id: _Identity = None
    uuid: _Identity = None
    slug: _Text = None
    name: _Text = None
    summary: _Text = None
    description: _Text = None
    base_model_id: _Text = None
    first_message: _Text = None
    system_prompt: _Text = None
    visibility: _Word = None
    moderation_status: _Word = None
    allow_api: _Switch = None
    content_rating: _Rating = None
    creator_content_rating: _Rating = None
    tags: _Tags = ()
    rating_avg: _Number = None
    rating_count: _Count = None
    archived_at: object = None
    is_archived: _Switch = None
    archived: _Switch = None
    status: _Text = None

    @property
    def identity(self) -> CharacterId | None:
        found = self.id or self.character_id or self.uuid or self.slug
        return None if found is None else CharacterId(found)

    @property
    def gone(self) -> bool:
        return bool(self.archived_at or self.is_archived or self.archived or self.status == "archived")


def read_character(body: Json, *, site: str) -> Character:
    """Read one character, wrapped or not; `site` is the address that relative pictures hang off.

    Raises ValueError when there is neither an id nor a slug.
    """
    character = _character(_unwrapped(body), site)
    if character is None:
        raise ValueError("a character without an id")
    return character


def read_own_character(body: Json, *, site: str) -> OwnCharacter:
    """Read one character as its author sees it, by the same rules; raises ValueError for the same reasons."""
    own = _own_character(_unwrapped(body), site)
    if own is None:
        raise ValueError("a character without an id")
    return own


def read_written_character(body: Json, *, site: str) -> OwnCharacter | CharacterId | None:
    """Read what came back for a character that was made or changed: the character, its id alone, or None.

    An acknowledgement may name it and say no more, which must not pass for a character that nobody but its author may
    see, without texts and with the strictest rating. A whole one states what no character goes without.
    """
    try:
        holder = _unwrapped(body)
    except ValueError:
        return None
    own = _own_character(holder, site)
    if own is None:
        return None
    character = own.character
    rated = character.catalogue_rating is not None or character.creator_rating is not None
    whole = as_clean_text(holder.get("name")) and character.base_model and character.visibility and rated
    return own if whole else character.id


def read_character_page(body: Json, *, site: str, asked_cursor: str | None) -> CharacterPage:
    """Read a page of the catalogue, less what has no id and what comes twice.

    An empty page, or one whose cursor is the one that was asked with, is the last: paging always ends.
    Raises ValueError when there is no array.
    """
    _, items = _items(body)
    found = (_character(as_object(item), site) for item in items)
    characters = {character.id: character for character in found if character is not None}
    return CharacterPage(tuple(characters.values()), _next_cursor(body, items, asked_cursor))


def read_own_page(body: Json, *, site: str, asked_cursor: str | None) -> OwnCharacterPage:
    """Read a page of an author's characters, by the same rules as a page of the catalogue."""
    _, items = _items(body)
    found = (_own_character(as_object(item), site) for item in items)
    characters = {own.character.id: own for own in found if own is not None}
    return OwnCharacterPage(tuple(characters.values()), _next_cursor(body, items, asked_cursor))


def read_models_page(body: Json, *, asked_cursor: str | None) -> CharacterModelsPage:
    """Read a page of character-models, by the same rules as a page of the catalogue."""
    _, items = _items(body)
    found = (_model(as_object(item)) for item in items)
    models = {model.character_id: model for model in found if model is not None}
    return CharacterModelsPage(tuple(models.values()), _next_cursor(body, items, asked_cursor))


def describe_page(body: Json, *, site: str) -> PageShape:
    """Tell where things stand in a page, in names only."""
    try:
        path, items = _items(body)
    except ValueError:
        return PageShape(items=None, cursor=None, fields=(), avatar=None)
    holders = [as_object(item) for item in items]
    pictures = (name for name in _AVATAR_NAMES for holder in holders if _picture(holder.get(name), site))
    return PageShape(
        items=path,
        cursor=next((name for name, _ in _cursors(body)), None),
        fields=tuple(sorted(holders[0])) if holders else (),
        avatar=next(pictures, None),
    )


def _character(holder: dict[str, Json], site: str) -> Character | None:
    payload = _CharacterPayload.model_validate(holder)
    identity = payload.identity
    if identity is None:
        return None
    return Character(
        id=identity,
        name=payload.name or _title(payload.slug) or identity,
        slug=payload.slug,
        summary=payload.summary,
        description=payload.description,
        base_model=payload.base_model_id,
        first_message=payload.first_message,
        visibility=payload.visibility,
        moderation_status=payload.moderation_status,
        allow_api=payload.allow_api,
        catalogue_rating=payload.content_rating,
        creator_rating=payload.creator_content_rating,
        tags=payload.tags,
        stars_average=payload.rating_avg,
        stars_count=payload.rating_count,
        avatar_url=next((url for name in _AVATAR_NAMES if (url := _picture(holder.get(name), site))), None),
        creator=_creator(holder),
        archived=payload.gone,
    )


def _own_character(holder: dict[str, Json], site: str) -> OwnCharacter | None:
    character = _character(holder, site)
    if character is None:
        return None
    payload = _CharacterPayload.model_validate(holder)
    return OwnCharacter(
        character=character,
        system_prompt=payload.system_prompt,
        creator_rating=parse_rating(next((word for name in _RATING_NAMES if (word := holder.get(name))), None)),
        moderation_reason=next((text for name in _REASON_NAMES if (text := as_clean_text(holder.get(name)))), None),
    )


def _model(item: dict[str, Json]) -> CharacterModel | None:
    payload = _CharacterPayload.model_validate(as_object(item.get("character")) or item)
    identity = payload.character_id or payload.id or _identity(item.get("id")) or payload.slug
    if identity is None:
        return None
    return CharacterModel(
        character_id=CharacterId(identity),
        slug=payload.slug,
        name=payload.name or as_clean_text(item.get("name")),
        base_model=payload.base_model_id,
        rating=effective_rating(payload.content_rating, payload.creator_content_rating),
        tags=payload.tags,
        stars_average=payload.rating_avg,
        stars_count=payload.rating_count,
    )


def _unwrapped(body: Json) -> dict[str, Json]:
    holder = as_object(body)
    while not holder.keys() & {"id", "character_id", "characterId", "uuid", "slug"}:
        inner = next((inner for name in _SINGLE_NAMES if (inner := as_object(holder.get(name)))), None)
        if inner is None:
            raise ValueError("no character")
        holder = inner
    return holder


def _title(slug: str | None) -> str | None:
    return slug and " ".join(slug.replace("_", "-").split("-")).strip().title()


def _items(body: Json) -> tuple[str, list[Json]]:
    if isinstance(body, list):
        return "", body
    outer = as_object(body)
    inner = as_object(outer.get("data"))
    for prefix, holder in (("", outer), ("data.", inner)):
        for name in _ITEM_NAMES:
            value = holder.get(name)
            if isinstance(value, list):
                return prefix + name, value
    raise ValueError("no list of characters")


def _page_holders(body: Json) -> list[tuple[str, dict[str, Json]]]:
    """Return the objects that may say where the next page is, each with its path."""
    outer = as_object(body)
    holders = [("", outer), ("data.", as_object(outer.get("data")))]
    return holders + [
        (f"{prefix}{name}.", as_object(holder.get(name))) for prefix, holder in holders for name in _CURSOR_HOLDERS
    ]


def _cursors(body: Json) -> Iterator[tuple[str, str]]:
    for prefix, holder in _page_holders(body):
        for name in _CURSOR_NAMES:
            cursor = _identity(holder.get(name))
            if cursor is not None:
                yield prefix + name, cursor


def _next_cursor(body: Json, items: list[Json], asked_cursor: str | None) -> str | None:
    if not items or any(holder.get(name) is False for _, holder in _page_holders(body) for name in _MORE_NAMES):
        return None
    cursor = next((cursor for _, cursor in _cursors(body)), None)
    return None if cursor == asked_cursor else cursor


def _picture(value: Json, site: str) -> str | None:
    """Return the address of a picture: https only, as Discord fetches it; paths hang off the website."""
    return as_url(as_text(value) or as_object(value).get("url"), site=site, schemes=_PICTURE_SCHEMES)


def _creator(holder: dict[str, Json]) -> str | None:
    for name in _CREATOR_NAMES:
        value = holder.get(name)
        inner = as_object(value)
        for candidate in (value, *(inner.get(field) for field in _CREATOR_FIELDS)):
            creator = as_clean_text(candidate)
            # A bare account id says nothing to people.
            if creator is not None and _UUID.fullmatch(creator) is None:
                return creator
    return None
