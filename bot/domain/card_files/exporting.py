"""From a character back to a card file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from bot.domain.card_files.card_json import Json, JsonObject, card_json_bytes, parse_card_json
from bot.domain.card_files.containers import MAX_FILE_BYTES, Container, card_in, container_of, file_with_card
from bot.domain.card_files.faults import CardUnusable
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.own_cards import BASE_MODEL, FIELDS, ORIGINAL, RATING, face, written_fields
from bot.domain.card_files.versions import (
    OWN_EXTENSION,
    data_of,
    is_constant,
    list_of,
    lore_entries,
    object_of,
    text_of,
    texts_of,
)
from bot.domain.ratings import ContentRating
from bot.domain.sheets import tag_slug

_V3_ONLY: Final = frozenset({"nickname", "group_only_greetings", "source", "assets", "creation_date"})
_LONGEST_STEM: Final = 40
"""Characters of a file's name without its ending."""
_NAMELESS_STEM: Final = "character"


class _Kept(Enum):
    """What of the imported card goes into a new one, from all to nothing."""

    ORIGINAL = auto()
    """The card as it was, under `extensions`, beside what stays in its place."""
    PLACES = auto()
    """What stays in its place: that for which NanoGPT has no field."""
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class ExportedCharacter:
    """A character as it is today, for a card."""

    fields: CardFields
    character_id: str
    slug: str | None = None
    base_model: str | None = None
    rating: ContentRating | None = None


@dataclass(frozen=True, slots=True)
class CardExport:
    """A card file to hand out."""

    file: bytes = field(repr=False)
    container: Container
    rewritten: bool
    """Made from today's fields; otherwise it is the file that was imported, byte for byte."""
    with_original: bool
    """The imported card stands in it: as the whole of it, or under `extensions`."""
    prompt_seen: bool
    """False where upstream did not show the prompt: a card made from today's fields has none then."""


def original_export(file: bytes, *, prompt_seen: bool) -> CardExport:
    """Hand out the file that was imported, for a character that is unchanged since.

    Raises CardUnusable for a file that never was one.
    """
    return CardExport(file, container_of(file), rewritten=False, with_original=True, prompt_seen=prompt_seen)


def rewritten_export(character: ExportedCharacter, original: bytes | None) -> CardExport:
    """Make a V3 card from today's fields, in the kind of file that was imported; JSON where none was.

    The card that was imported stands under `extensions`, and what NanoGPT has no field for stays in its place. Where
    that would give a file that could not be imported again, it goes without the imported card, then without what would
    have stayed, and at last without the picture. Raises CardUnusable when the original cannot be read.
    """
    container = Container.JSON if original is None else container_of(original)
    imported = {} if original is None else card_in(original, container)
    prompt_seen = character.fields.system_prompt is not None
    plans = [(kind, kept) for kind in dict.fromkeys((container, Container.JSON)) for kept in _Kept]
    while True:
        kind, kept = plans.pop(0)
        card = _v3_card(character, imported, kept)
        v3 = card_json_bytes(card)
        # Against fields that are too long for an import nothing helps: what is tried last is handed out in any case.
        if plans and not _can_be_read(v3):
            continue
        v2 = card_json_bytes(_v2_card(card)) if kind is Container.PNG else b""
        file = file_with_card(original or b"", kind, v3, v2)
        if not plans or len(file) <= MAX_FILE_BYTES:
            with_original = kept is _Kept.ORIGINAL and bool(imported)
            return CardExport(file, kind, rewritten=True, with_original=with_original, prompt_seen=prompt_seen)


def export_filename(name: str, container: Container) -> str:
    """Return a name for the file: the character's, in plain letters."""
    stem = tag_slug(name[:_LONGEST_STEM]) or _NAMELESS_STEM
    return f"{stem}.{container.value}"


def _can_be_read(card: bytes) -> bool:
    try:
        parse_card_json(card)
    except CardUnusable:
        return False
    return True


def _v3_card(character: ExportedCharacter, imported: JsonObject, kept: _Kept) -> JsonObject:
    data = {} if kept is _Kept.NOTHING else data_of(imported)
    extensions = object_of(data, "extensions")
    own: JsonObject = {
        "character_id": character.character_id,
        "slug": character.slug,
        BASE_MODEL: character.base_model,
        RATING: None if character.rating is None else character.rating.word,
        FIELDS: written_fields(character.fields),
    }
    if imported and kept is _Kept.ORIGINAL:
        # A card that was exported from here before holds the one that was imported first.
        own[ORIGINAL] = object_of(object_of(extensions, OWN_EXTENSION), ORIGINAL) or imported
    return {
        "spec": "chara_card_v3",
        "spec_version": "3.0",
        "data": {
            **face(character.fields),
            "tags": list(character.fields.tags),
            **dict(_carried(data)),
            "extensions": {**extensions, OWN_EXTENSION: own},
        },
    }


def _carried(data: JsonObject) -> Iterator[tuple[str, Json]]:
    """Yield what stays as it was imported, by its key; the lorebook less what is in the prompt by now."""
    yield "creator", text_of(data, "creator")
    yield "character_version", text_of(data, "character_version")
    yield "alternate_greetings", list(texts_of(data, "alternate_greetings"))
    yield "group_only_greetings", list(texts_of(data, "group_only_greetings"))
    if nickname := text_of(data, "nickname"):
        yield "nickname", nickname
    if sources := texts_of(data, "source"):
        yield "source", list(sources)
    if assets := [asset for asset in list_of(data, "assets") if isinstance(asset, dict)]:
        yield "assets", list[Json](assets)
    if isinstance(date := data.get("creation_date"), int):
        yield "creation_date", date
    if entries := [entry for entry in lore_entries(data) if not is_constant(entry)]:
        yield "character_book", {**object_of(data, "character_book"), "entries": list[Json](entries)}


def _v2_card(v3: JsonObject) -> JsonObject:
    """Return the same character for programs that know no V3, without the card that was imported."""
    data = object_of(v3, "data")
    extensions = object_of(data, "extensions")
    own = {key: value for key, value in object_of(extensions, OWN_EXTENSION).items() if key != ORIGINAL}
    return {
        "spec": "chara_card_v2",
        "spec_version": "2.0",
        "data": {
            **{key: value for key, value in data.items() if key not in _V3_ONLY},
            "extensions": {**extensions, OWN_EXTENSION: own},
        },
    }
