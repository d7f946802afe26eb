"""What is offered while a person types the name of a character.

Ranking by beginnings is here; matching of misspelt words, which needs a library, is in bot.services.character_shelf.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from bot.domain.characters import KnownCharacter, unusable_reason
from bot.domain.ids import CharacterRef
from bot.domain.language_models import LanguageModel
from bot.domain.ratings import ContentRating
from bot.domain.unicode_text import truncate, utf16_length, without_invisible

MAX_CHOICES: Final = 25
MAX_CHOICE_TEXT: Final = 100
"""Characters of a choice's name, and of its value
(https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure)."""
MAX_TYPED: Final = 100
"""Characters of what a person typed that count."""

_LOOK_FOR: Final = ('Look for "', '"')
_LOOKED_FOR: Final = re.compile(r'Look for "(.*)"', re.DOTALL)
_NOT_WORD: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One choice: what people read, and what the command gets."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A character as the suggestions need it."""

    ref: CharacterRef
    suggestion: Suggestion
    rating: ContentRating
    name: str
    """Folded."""
    words: str
    """The folded words of name and slug, each after a space."""
    popularity: tuple[int, float]
    """How many ratings it has in the catalogue, and their average."""


def entry_of(known: KnownCharacter) -> Entry | None:
    """Return the entry of a character, or None for one that cannot be used, or not be named in a choice."""
    return None if unusable_reason(known.character) is not None else entry_of_own(known)


def entry_of_own(known: KnownCharacter) -> Entry | None:
    """Return the entry of a character for its author, who may choose it however it stands."""
    character = known.character
    addresses = (address for address in (character.slug, character.id) if address and address.strip())
    value = next((address for address in addresses if utf16_length(address) <= MAX_CHOICE_TEXT), None)
    if value is None or known.gone_at_ms is not None:
        return None
    name = folded(character.name)
    return Entry(
        known.ref,
        Suggestion(_label(_line(character.name) or value, _line(character.summary or "")), value),
        character.rating,
        name,
        f" {name} {folded(character.slug or '')}",
        (character.stars_count or 0, character.stars_average or 0.0),
    )


def folded(text: str) -> str:
    """Return the words of a text without case, accents and punctuation, one space between them."""
    decomposed = unicodedata.normalize("NFKD", text[:MAX_TYPED].casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(_NOT_WORD.sub(" ", bare).split())


def beginning_with(entries: Iterable[Entry], text: str, *, ceiling: ContentRating, limit: int) -> list[Entry]:
    """Return the entries that `text` (folded) is the beginning of: of the name first, then of any word.

    Within each group the order of `entries` stays. An empty text is the beginning of everything.
    """
    shown = (entry for entry in entries if entry.rating <= ceiling)
    if not text:
        return list(islice(shown, limit))
    start = f" {text}"
    found = [entry for entry in shown if start in entry.words]
    found.sort(key=lambda entry: 0 if entry.name == text else 1 if entry.name.startswith(text) else 2)
    return found[:limit]


def as_choices(entries: Iterable[Entry], typed: str, *, limit: int) -> list[Suggestion]:
    """Return what is offered: each value once, no label twice, and never nothing."""
    offered: dict[str, Suggestion] = {}
    labels: set[str] = set()
    for entry in entries:
        suggestion = entry.suggestion
        if suggestion.value in offered:
            continue
        if suggestion.label in labels:
            suggestion = Suggestion(
                truncate(f"{suggestion.value}: {suggestion.label}", MAX_CHOICE_TEXT), suggestion.value
            )
        if suggestion.label not in labels:
            labels.add(suggestion.label)
            offered[suggestion.value] = suggestion
    return list(offered.values())[:limit] or [look_for(typed)]


def as_model_choices(models: Iterable[LanguageModel], typed: str, *, limit: int) -> list[Suggestion]:
    """Return the models that are offered, each once, with what they cost where there is room for it.

    What was typed itself is offered where none fits, if it can be an id.
    """
    offered: dict[str, Suggestion] = {}
    for model in models:
        if not model.id.strip() or utf16_length(model.id) > MAX_CHOICE_TEXT:
            continue
        offered.setdefault(model.id, Suggestion(_model_label(model), model.id))
    own = truncate(typed.strip(), MAX_CHOICE_TEXT)
    return list(offered.values())[:limit] or ([Suggestion(own, own)] if own else [])


def _model_label(model: LanguageModel) -> str:
    name = _line(model.name or "")
    label = model.id if name in ("", model.id) else f"{name} ({model.id})"
    if model.prompt_price is None or model.completion_price is None:
        return truncate(label, MAX_CHOICE_TEXT)
    price = f" · ${model.prompt_price:,.2f} in, ${model.completion_price:,.2f} out per million tokens"
    priced = (f"{label}{price}", f"{model.id}{price}", label)
    return truncate(next((each for each in priced if utf16_length(each) <= MAX_CHOICE_TEXT), label), MAX_CHOICE_TEXT)


def look_for(typed: str) -> Suggestion:
    """Return the choice that stands where nothing matches: to look in the catalogue itself."""
    before, after = _LOOK_FOR
    text = truncate(_line(typed), MAX_CHOICE_TEXT - len(before) - len(after)).strip()
    choice = f"{before}{text}{after}"
    return Suggestion(choice, choice)


def looked_for(value: str) -> str | None:
    """Return the text of a choice made by look_for, or None for anything else."""
    match = _LOOKED_FOR.fullmatch(value.strip())
    return None if match is None else match[1].strip()


def _line(text: str) -> str:
    return " ".join(without_invisible(text).split())


def _label(name: str, summary: str) -> str:
    label = f"{name} — {summary}" if summary else name
    if utf16_length(label) <= MAX_CHOICE_TEXT:
        return label
    return truncate(label, MAX_CHOICE_TEXT - 1).rstrip() + "…"
