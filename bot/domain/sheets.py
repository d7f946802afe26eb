"""What an author has written of a character: sheets, and what differs between two of them."""

import re
import unicodedata
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Final

from bot.domain.authoring import CharacterChanges, CharacterFields, Visibility
from bot.domain.characters import OwnCharacter
from bot.domain.ratings import ContentRating

LONGEST_TEXT: Final = 100_000
"""Our own cap, in characters: NanoGPT documents none, and no character in use comes near it."""
MOST_TAGS: Final = 10
"""Our own cap: NanoGPT documents none."""
TEXTS: Final = ("name", "summary", "description", "first_message", "system_prompt")
"""The fields that people write, by their names in a sheet."""

_LINE_ENDS: Final = re.compile(r"\r\n?")
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that an author decides about a character, finished or not."""

    name: str = ""
    summary: str = ""
    description: str = ""
    first_message: str = field(default="", repr=False)
    system_prompt: str | None = field(default=None, repr=False)
    """None where NanoGPT did not show it and nobody has written another: it stays as it is."""
    base_model: str = ""
    rating: ContentRating | None = None
    """What the author says of the content; None as long as that was not asked, or not said in a known word."""
    tags: tuple[str, ...] = ()
    visibility: Visibility | None = None
    """None where NanoGPT did not say, or used an unknown word: it stays as it is."""
    allow_api: bool | None = None

    def text(self, name: str) -> str:
        """Return one of the TEXTS; a prompt that is not known is empty."""
        value: str | None = getattr(self, name)
        return value or ""


NEW_SHEET: Final = Sheet(visibility=Visibility.PRIVATE, allow_api=False)
"""What a new character begins with: nobody but its author can see it."""


class Missing(Enum):
    """What a new character cannot do without, as the end of a sentence."""

    NAME = "a name"
    PROMPT = "a prompt"
    MODEL = "a model"
    RATING = "a content rating"


class TagFault(Enum):
    """Why a list of tags cannot be taken."""

    TOO_MANY = "too_many"
    UNREADABLE = "unreadable"


def sheet_of(own: OwnCharacter) -> Sheet:
    """Return a character as NanoGPT has it, as a sheet to be edited."""
    character = own.character
    return Sheet(
        name=character.name,
        summary=character.summary or "",
        description=character.description or "",
        first_message=character.first_message or "",
        system_prompt=own.system_prompt,
        base_model=character.base_model or "",
        rating=own.creator_rating,
        tags=character.tags,
        visibility=read_visibility(character.visibility),
        allow_api=character.allow_api,
    )


def read_visibility(word: str | None) -> Visibility | None:
    """Read a visibility, or return None when it is missing or unknown."""
    return next((each for each in Visibility if each.value == word), None)


def same_text(one: str, other: str) -> bool:
    """Tell whether two texts say the same: forms change line ends, and cut spaces at both ends."""
    return plain_text(one) == plain_text(other)


def plain_text(text: str) -> str:
    """Return a text with plain line ends and nothing blank at its ends."""
    return _LINE_ENDS.sub("\n", text).strip()


def missing_parts(sheet: Sheet) -> tuple[Missing, ...]:
    """Return what is missing before a new character can be made; NanoGPT names no rule, so these are ours."""
    found = (
        (Missing.NAME, sheet.name.strip()),
        (Missing.PROMPT, sheet.text("system_prompt").strip()),
        (Missing.MODEL, sheet.base_model),
        (Missing.RATING, sheet.rating is not None),
    )
    return tuple(part for part, there in found if not there)


def as_fields(sheet: Sheet) -> CharacterFields:
    """Return a finished sheet as a new character. Raises ValueError while something is missing."""
    if missing_parts(sheet) or sheet.rating is None:
        raise ValueError("the sheet is not finished")
    return CharacterFields(
        name=plain_text(sheet.name),
        base_model=sheet.base_model,
        system_prompt=plain_text(sheet.text("system_prompt")),
        creator_rating=sheet.rating,
        summary=plain_text(sheet.summary),
        description=plain_text(sheet.description),
        first_message=plain_text(sheet.first_message),
        visibility=sheet.visibility or Visibility.PRIVATE,
        allow_api=bool(sheet.allow_api),
        tags=sheet.tags,
    )


def made_from(own: OwnCharacter, made: CharacterFields) -> bool:
    """Tell whether a character that was found may be what was made: nothing that is shown of it says otherwise."""
    character = own.character
    if character.archived or not same_text(character.name, made.name):
        return False
    texts = (
        (character.summary, made.summary),
        (character.description, made.description),
        (character.first_message, made.first_message),
        (own.system_prompt, made.system_prompt),
        (character.base_model, made.base_model),
        (character.visibility, made.visibility.value),
    )
    return all(shown is None or same_text(shown, sent) for shown, sent in texts)


def as_saved(own: OwnCharacter, saved: Sheet) -> OwnCharacter:
    """Return a character as NanoGPT answered its saving, with what was saved where the answer says nothing."""
    character = own.character
    visibility = None if saved.visibility is None else saved.visibility.value
    return replace(
        own,
        character=replace(
            character,
            summary=saved.summary if character.summary is None else character.summary,
            description=saved.description if character.description is None else character.description,
            first_message=saved.first_message if character.first_message is None else character.first_message,
            base_model=character.base_model or saved.base_model,
            tags=character.tags or saved.tags,
            visibility=character.visibility or visibility,
            allow_api=saved.allow_api if character.allow_api is None else character.allow_api,
        ),
        system_prompt=saved.system_prompt if own.system_prompt is None else own.system_prompt,
        creator_rating=saved.rating if own.creator_rating is None else own.creator_rating,
    )


def changes_between(before: Sheet, after: Sheet) -> CharacterChanges:
    """Return what an edit changed, and nothing else.

    Texts that say the same are unchanged. A prompt that NanoGPT did not show and nobody wrote anew is left alone;
    one that was emptied on purpose is cleared.
    """
    changed: dict[str, Any] = {}
    for name in TEXTS:
        if name == "system_prompt" and after.system_prompt is None:
            continue
        hidden = name == "system_prompt" and before.system_prompt is None
        if hidden or not same_text(before.text(name), after.text(name)):
            changed[name] = plain_text(after.text(name))
    if after.base_model and after.base_model != before.base_model:
        changed["base_model"] = after.base_model
    if after.tags != before.tags:
        changed["tags"] = after.tags
    for name, field_name in (("rating", "creator_rating"), ("visibility", "visibility"), ("allow_api", "allow_api")):
        value = getattr(after, name)
        if value is not None and value != getattr(before, name):
            changed[field_name] = value
    return CharacterChanges(**changed)


def changed_words(changes: CharacterChanges) -> tuple[str, ...]:
    """Return what changes, in the words that people read."""
    return tuple(_WORDS[each.name] for each in fields(changes) if getattr(changes, each.name) is not None)


def read_tags(typed: str, *, known: tuple[str, ...] = ()) -> tuple[str, ...] | TagFault:
    """Read tags with commas between them as lower-case slugs, each once and at most MOST_TAGS.

    One of `known`, which the character has already, is taken as it is spelt there.
    """
    tags: list[str] = []
    for word in filter(None, (part.strip() for part in typed.replace("\n", ",").split(","))):
        tag = word if word in known else tag_slug(word)
        if not tag:
            return TagFault.UNREADABLE
        tags.append(tag)
    unique = tuple(dict.fromkeys(tags))
    return TagFault.TOO_MANY if len(unique) > max(MOST_TAGS, len(known)) else unique


def tag_slug(word: str) -> str:
    """Return a tag as the catalogue spells tags: lower-case letters and digits with hyphens; "" when none is left."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return _NOT_SLUG.sub("-", "".join(char for char in decomposed if not unicodedata.combining(char))).strip("-")


_WORDS: Final = {
    "name": "name",
    "base_model": "model",
    "system_prompt": "prompt",
    "creator_rating": "content rating",
    "summary": "summary",
    "description": "description",
    "first_message": "first message",
    "visibility": "visibility",
    "allow_api": "API access",
    "tags": "tags",
}
