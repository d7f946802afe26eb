"""From what a card says to the fields that NanoGPT has for a character, and what that costs.

A trap in the names: the description of a card is for the model, that of NanoGPT is for readers of the catalogue. So the
author's notes become the description, and the description becomes part of the prompt.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.card_files.faults import CardUnusable, FaultKind
from bot.domain.card_files.fields import (
    MAX_GREETING,
    MAX_NAME,
    MAX_NOTES,
    MAX_PROMPT,
    MAX_TAG,
    CardFields,
    check_length,
    check_lengths,
)
from bot.domain.card_files.own_cards import own_base_model, own_fields, own_rating
from bot.domain.card_files.rating_words import rating_floor
from bot.domain.card_files.versions import WrittenCharacter
from bot.domain.macros import expand_for_good, placeholders
from bot.domain.ratings import ContentRating
from bot.domain.sheets import MOST_TAGS, plain_text, tag_slug

MAX_DERIVED_SUMMARY: Final = 300
THE_USER: Final = "the user"
"""Who is spoken to, in a prompt: several people talk to one character."""
_SUMMARY_TAGS: Final = 5
_LONGEST_TAG: Final = 200
"""Characters of a tag that is looked at; of some scripts each turns into many on the way to a slug."""

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PARAGRAPHS: Final = re.compile(r"\n\s*\n")
_NOT_PROSE: Final = re.compile(r"</?[a-zA-Z]|\]\(|!\[|https?://|```")


class Part(Enum):
    """What of a card goes into the prompt."""

    DESCRIPTION = "description"
    PERSONALITY = "personality"
    SCENARIO = "scenario"
    LORE = "lore"
    EXAMPLES = "examples"
    AFTER_HISTORY = "after_history"


class Loss(Enum):
    """What of a card NanoGPT has no place for."""

    OTHER_GREETINGS = "other_greetings"
    GROUP_GREETINGS = "group_greetings"
    LORE = "lore"
    PLACE_OF_INSTRUCTIONS = "place_of_instructions"
    """Instructions that stood behind the conversation stand at the end of the prompt now."""
    PLACEHOLDERS = "placeholders"
    """They stay in the texts, and nothing fills them in."""
    NICKNAME = "nickname"
    TAGS = "tags"
    TRANSLATED_NOTES = "translated_notes"
    CREATOR = "creator"
    CHARACTER_VERSION = "character_version"
    SOURCES = "sources"
    DATES = "dates"
    ASSETS = "assets"
    EXTENSIONS = "extensions"


_HEADINGS: Final = {
    Part.DESCRIPTION: "Description",
    Part.PERSONALITY: "Personality",
    Part.SCENARIO: "Scenario",
    Part.LORE: "Background",
    Part.EXAMPLES: "Example dialogue",
    Part.AFTER_HISTORY: "Always keep in mind",
}


@dataclass(frozen=True, slots=True)
class CardMapping:
    """What becomes of a card."""

    fields: CardFields
    folded: tuple[Part, ...]
    """What went into the prompt, in its order there."""
    lost: tuple[tuple[Loss, int], ...]
    """What is lost, and how many of each."""
    rating_floor: ContentRating
    """The mildest rating its author may choose; `sfw` says nothing about it."""
    base_model: str | None
    """The model it had when it was exported from here; no other card names one."""


def map_card(written: WrittenCharacter) -> CardMapping:
    """Map a card to the fields of a character.

    The character's name is put in for its placeholders; who is spoken to becomes "the user", except in the first
    message, where a name is put in when it is said. Raises CardUnusable for a text that is too long, or a name of
    which nothing is left.
    """
    slugs = tuple(dict.fromkeys(slug for tag in written.tags if (slug := _slug(tag))))
    floor = max(rating_floor(slugs), own_rating(written.own))
    base_model = own_base_model(written.own)
    lost = list(_always_lost(written))
    fields = own_fields(written)
    if fields is not None:
        check_lengths(fields)
        return CardMapping(fields, (), _counted(lost), floor, base_model)
    _check_texts(written)
    sections = tuple((part, text) for part, text in _sections(written) if text)
    fields = CardFields(
        name=_name(written.name),
        summary=_summary(_words(written, written.notes), slugs),
        description=_words(written, written.notes),
        system_prompt=_prompt(sections),
        first_message=_words(written, written.first_message, user=None),
        tags=slugs[:MOST_TAGS],
    )
    check_lengths(fields)
    lost += _lost_in_mapping(written, fields, slugs)
    folded = tuple(part for part, _text in sections if part is not None)
    return CardMapping(fields, folded, _counted(lost), floor, base_model)


def _check_texts(written: WrittenCharacter) -> None:
    """Look at the lengths before anything is done with the texts, and name the text as its author knows it."""
    check_length("name", written.name, MAX_NAME)
    check_length("nickname", written.nickname, MAX_NAME)
    check_length("first message", written.first_message, MAX_GREETING)
    check_length("creator's notes", written.notes, MAX_NOTES)
    check_length("system prompt", written.system_prompt, MAX_PROMPT)
    check_length("description", written.description, MAX_PROMPT)
    check_length("personality", written.personality, MAX_PROMPT)
    check_length("scenario", written.scenario, MAX_PROMPT)
    check_length("example dialogue", written.examples, MAX_PROMPT)
    check_length("post-history instructions", written.after_history, MAX_PROMPT)
    for entry in written.constant_lore:
        check_length("lorebook entry", entry, MAX_PROMPT)


def _name(name: str) -> str:
    name = " ".join(_CONTROLS.sub("", name).split())
    if not name:
        raise CardUnusable(FaultKind.NAMELESS)
    return name


def _words(written: WrittenCharacter, text: str, *, user: str | None = THE_USER) -> str:
    """Return a text of the card as it is going to be stored."""
    char = written.nickname if written.nickname.strip() else written.name
    return plain_text(expand_for_good(plain_text(_CONTROLS.sub("", text)), char=char, user=user))


def _sections(written: WrittenCharacter) -> Iterator[tuple[Part | None, str]]:
    """Yield what makes the prompt, in its order; the card's own system prompt comes first and is no part of it."""
    yield None, _words(written, written.system_prompt)
    yield Part.DESCRIPTION, _words(written, written.description)
    yield Part.PERSONALITY, _words(written, written.personality)
    yield Part.SCENARIO, _words(written, written.scenario)
    yield Part.LORE, "\n\n".join(filter(None, (_words(written, entry) for entry in written.constant_lore)))
    yield Part.EXAMPLES, _words(written, written.examples)
    yield Part.AFTER_HISTORY, _words(written, written.after_history)


def _prompt(sections: tuple[tuple[Part | None, str], ...]) -> str:
    """Put the sections together under headings; one that stands alone needs none."""
    if len(sections) == 1:
        return sections[0][1]
    return "\n\n".join(text if part is None else f"## {_HEADINGS[part]}\n{text}" for part, text in sections)


def _slug(tag: str) -> str:
    """Return a tag as the catalogue spells it; empty where nothing is left of it, or too much."""
    slug = "" if len(tag) > _LONGEST_TAG else tag_slug(tag)
    return slug if len(slug) <= MAX_TAG else ""


def _summary(notes: str, slugs: tuple[str, ...]) -> str:
    """Return the first paragraph of the notes that is plain prose and short, else a line of tags."""
    for paragraph in _PARAGRAPHS.split(notes):
        line = " ".join(paragraph.split())
        if line and len(line) <= MAX_DERIVED_SUMMARY and _NOT_PROSE.search(line) is None:
            return line
    return ", ".join(slugs[:_SUMMARY_TAGS])


def _always_lost(written: WrittenCharacter) -> Iterator[tuple[Loss, int]]:
    yield Loss.OTHER_GREETINGS, len(written.other_greetings)
    yield Loss.GROUP_GREETINGS, len(written.group_greetings)
    yield Loss.LORE, written.other_lore
    yield Loss.TRANSLATED_NOTES, written.translated_notes
    yield Loss.CREATOR, bool(written.creator.strip())
    yield Loss.CHARACTER_VERSION, bool(written.character_version.strip())
    yield Loss.SOURCES, written.sources
    yield Loss.DATES, written.dates
    yield Loss.ASSETS, written.assets
    yield Loss.EXTENSIONS, written.other_extensions


def _lost_in_mapping(
    written: WrittenCharacter, fields: CardFields, slugs: tuple[str, ...]
) -> Iterator[tuple[Loss, int]]:
    yield Loss.PLACE_OF_INSTRUCTIONS, bool(written.after_history.strip())
    yield Loss.PLACEHOLDERS, sum(map(placeholders, (fields.system_prompt or "", fields.first_message)))
    yield Loss.NICKNAME, bool(written.nickname.strip()) and written.nickname.strip() != fields.name
    yield Loss.TAGS, sum(not _slug(tag) for tag in written.tags) + len(slugs[MOST_TAGS:])


def _counted(lost: Iterable[tuple[Loss, int]]) -> tuple[tuple[Loss, int], ...]:
    return tuple((loss, int(count)) for loss, count in lost if count)
