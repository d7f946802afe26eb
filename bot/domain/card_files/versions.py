"""What a card says, whichever version of the format it was written in.

V1 is flat; V2 put everything into `data` and added fields; V3 added more. The specifications:
https://github.com/malfoyslastname/character-card-spec-v2 (V1 and V2),
https://github.com/kwaroran/character-card-spec-v3. Real files break all of them: null for a missing text, keys of other
editors, stale V1 copies beside `data`. So every key is optional here except the name, what has the wrong type counts as
missing, and unknown version numbers are read like the newest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.card_files.card_json import Json, JsonObject
from bot.domain.card_files.faults import CardUnusable, FaultKind

OWN_EXTENSION: Final = "nanogpt"
"""The key under `extensions` that is ours."""

_TEXTS: Final = {
    "name": ("name", "char_name"),
    "description": ("description", "char_persona"),
    "personality": ("personality",),
    "scenario": ("scenario", "world_scenario"),
    "first_mes": ("first_mes", "char_greeting"),
    "mes_example": ("mes_example", "example_dialogue"),
}
"""The texts of V1, each with the keys that it goes by; the later ones are those of Pygmalion and its kin."""
_SIGNS_OF_A_CARD: Final = frozenset(key for keys in _TEXTS.values() for key in keys)
_DATES: Final = ("creation_date", "modification_date")


class CardVersion(Enum):
    """The version of the format, as its users call it."""

    V1 = "V1"
    V2 = "V2"
    V3 = "V3"


@dataclass(frozen=True, slots=True)
class WrittenCharacter:
    """A character as a card describes it, word for word; what a card does not say is empty."""

    version: CardVersion
    name: str
    nickname: str
    description: str
    personality: str
    scenario: str
    first_message: str
    examples: str
    notes: str
    """From its author to its users; not for the model."""
    system_prompt: str
    after_history: str
    """Instructions that stand behind the conversation."""
    other_greetings: tuple[str, ...]
    group_greetings: tuple[str, ...]
    constant_lore: tuple[str, ...]
    """Entries of the lorebook that are always part of the prompt, in their order."""
    other_lore: int
    """Entries that wait for keywords, or are switched off."""
    tags: tuple[str, ...]
    creator: str
    character_version: str
    translated_notes: int
    sources: int
    dates: int
    assets: int
    other_extensions: int
    own: JsonObject
    """What the bot itself has written under `extensions` when it exported a character."""


def read_character(card: JsonObject) -> WrittenCharacter:
    """Read the JSON of a card. Raises CardUnusable when it is none, or has no name."""
    data = data_of(card)
    if not _SIGNS_OF_A_CARD & data.keys():
        raise CardUnusable(FaultKind.NOT_A_CARD)
    texts = {field: _first_text(data, keys) for field, keys in _TEXTS.items()}
    if not texts["name"].strip():
        raise CardUnusable(FaultKind.NAMELESS)
    lore = list(lore_entries(data))
    constant = [entry for entry in lore if is_constant(entry)]
    extensions = object_of(data, "extensions")
    return WrittenCharacter(
        version=version_of(card),
        name=texts["name"],
        nickname=text_of(data, "nickname"),
        description=texts["description"],
        personality=texts["personality"],
        scenario=texts["scenario"],
        first_message=texts["first_mes"],
        examples=texts["mes_example"],
        notes=text_of(data, "creator_notes"),
        system_prompt=text_of(data, "system_prompt"),
        after_history=text_of(data, "post_history_instructions"),
        other_greetings=texts_of(data, "alternate_greetings"),
        group_greetings=texts_of(data, "group_only_greetings"),
        constant_lore=tuple(text_of(entry, "content") for entry in sorted(constant, key=_insertion_order)),
        other_lore=len(lore) - len(constant),
        tags=_tags(data),
        creator=text_of(data, "creator"),
        character_version=text_of(data, "character_version"),
        translated_notes=len(object_of(data, "creator_notes_multilingual")),
        sources=len(texts_of(data, "source")),
        dates=sum(isinstance(data.get(key), int | float) for key in _DATES),
        assets=len(list_of(data, "assets")),
        other_extensions=len(extensions.keys() - {OWN_EXTENSION}),
        own=object_of(extensions, OWN_EXTENSION),
    )


def version_of(card: JsonObject) -> CardVersion:
    """Tell the version: by its name where it states one, else by its shape."""
    if not object_of(card, "data"):
        return CardVersion.V1
    return CardVersion.V2 if text_of(card, "spec") in ("", "chara_card_v2") else CardVersion.V3


def data_of(card: JsonObject) -> JsonObject:
    """Return the object that the fields of a card stand in; copies of them outside of it are stale."""
    return object_of(card, "data") or card


def lore_entries(data: JsonObject) -> Iterator[JsonObject]:
    """Return the entries of the lorebook; some editors number them in an object in place of a list."""
    book = object_of(data, "character_book")
    for entry in (*list_of(book, "entries"), *object_of(book, "entries").values()):
        if isinstance(entry, dict):
            yield entry


def is_constant(entry: JsonObject) -> bool:
    """Tell whether a lorebook entry is always part of the prompt, and says something."""
    return (
        entry.get("constant") is True and entry.get("enabled") is not False and bool(text_of(entry, "content").strip())
    )


def text_of(data: JsonObject, key: str) -> str:
    """Return a text, or an empty one for anything else."""
    value = data.get(key)
    return value if isinstance(value, str) else ""


def texts_of(data: JsonObject, key: str) -> tuple[str, ...]:
    """Return the texts of a list that say something."""
    return tuple(item for item in list_of(data, key) if isinstance(item, str) and item.strip())


def object_of(data: JsonObject, key: str) -> JsonObject:
    """Return an object, or an empty one for anything else."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def list_of(data: JsonObject, key: str) -> list[Json]:
    """Return a list, or an empty one for anything else."""
    value = data.get(key)
    return value if isinstance(value, list) else []


def _first_text(data: JsonObject, keys: tuple[str, ...]) -> str:
    texts = [text_of(data, key) for key in keys]
    return next((text for text in texts if text.strip()), texts[0])


def _tags(data: JsonObject) -> tuple[str, ...]:
    """Return the tags; some editors write them as one text with commas."""
    tags = data.get("tags")
    if isinstance(tags, str):
        return tuple(tag.strip() for tag in tags.split(",") if tag.strip())
    return texts_of(data, "tags")


def _insertion_order(entry: JsonObject) -> float:
    order = entry.get("insertion_order")
    return float(order) if isinstance(order, int | float) else 0.0
