"""Drafts: sheets that are being written, form by form, until they are saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from bot.domain.characters import OwnCharacter
from bot.domain.forms import TICKED
from bot.domain.ids import CardFileId, CharacterId, CharacterRef, DraftId, UserId
from bot.domain.places import Place
from bot.domain.ratings import ContentRating, parse_rating
from bot.domain.sheets import (
    LONGEST_TEXT,
    MOST_TAGS,
    TEXTS,
    Sheet,
    TagFault,
    as_saved,
    changes_between,
    plain_text,
    read_tags,
    read_visibility,
    same_text,
)

DRAFT_MS: Final = 60 * 60_000
"""How long a draft is kept after it was last touched."""
MOST_DRAFTS: Final = 10
"""Of one member."""
CLEAR: Final = "clear"
TELL: Final = "tell"


class DraftKind(Enum):
    """What saving does."""

    CREATE = "create"
    EDIT = "edit"
    PUBLISH = "publish"
    """Changes who may see and use a character, and nothing that it says."""


class Form(Enum):
    """The forms that a draft is written in. The order is that of the numbers in custom ids."""

    TEXTS = "texts"
    PROMPT = "prompt"
    LABELS = "labels"
    """Tags, content rating and model."""
    ACCESS = "access"
    """Who may see it and use it."""


FORM_FIELDS: Final[Mapping[Form, tuple[str, ...]]] = {
    Form.TEXTS: ("name", "summary", "description", "first_message"),
    Form.PROMPT: ("system_prompt", CLEAR),
    Form.LABELS: ("tags", "rating", "base_model"),
    Form.ACCESS: ("visibility", "allow_api", TELL),
}
"""The fields of each form, by their custom ids."""
TEXT_FORMS: Final = frozenset({Form.TEXTS, Form.PROMPT})
"""Forms that show what a character says, which not every place may."""


class FormFault(Enum):
    """Why a filled-in form cannot be taken."""

    NAMELESS = "nameless"
    TOO_MANY_TAGS = "too_many_tags"
    UNREADABLE_TAG = "unreadable_tag"
    TOO_LONG = "too_long"
    TOO_MILD = "too_mild"


FAULT_SENTENCES: Final[Mapping[FormFault, str]] = {
    FormFault.NAMELESS: "A character needs a name.",
    FormFault.TOO_MANY_TAGS: f"A character can have at most {MOST_TAGS} tags here.",
    FormFault.UNREADABLE_TAG: "Tags are made of the letters a to z, digits and hyphens, with commas between them.",
    FormFault.TOO_LONG: f"A text can have at most {LONGEST_TEXT:,} characters here.",
    FormFault.TOO_MILD: "By what the card says of itself, it is rated stronger than that. Choose a stronger rating.",
}


@dataclass(frozen=True, slots=True)
class CardNotes:
    """What became of a card file on its way into a draft; every line is ours, with the card's words escaped."""

    format: str
    """Such as "Character Card V2, PNG"."""
    mapped: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    """What went into the prompt."""
    lost: tuple[str, ...] = ()
    has_picture: bool = False
    file_kept: bool = True
    """Whether the original file is kept, so that an export can give it back."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of a new character without a clear answer: it may be there already."""

    sheets: tuple[Sheet, ...]
    """As it was each time, the first one first."""
    beside: tuple[CharacterId, ...]
    """The characters that were there before: none of them was made from it."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What a draft holds. It is sealed as a whole."""

    now: Sheet
    before: OwnCharacter | None = None
    """The character as NanoGPT had it when the draft was opened; None for a new one."""
    typed: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]], repr=False)
    """Forms that could not be taken, by their values, with what was typed into each field."""
    sent: Sent | None = None
    """What was sent of it already, if no clear answer came."""
    tell: bool = False
    """Whether the author wants to be told by direct message once it is reviewed."""
    notes: CardNotes | None = None
    card: CardFileId | None = None
    rating_floor: ContentRating = ContentRating.SFW
    """The mildest rating that may be chosen, as what it was made from says so much of itself."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of one member."""

    id: DraftId
    user_id: UserId
    kind: DraftKind
    subject: CharacterRef | None
    """The character that is edited; None for a new one."""
    writing: Writing
    touched_at_ms: int
    in_place_of: str | None = None
    """The name in the draft that made room for it, right after it was opened; None where none had to."""

    @property
    def character_id(self) -> CharacterId | None:
        """NanoGPT's id of the character that is edited."""
        before = self.writing.before
        return None if before is None else before.character.id

    @property
    def unrated_card(self) -> bool:
        """Whether it came from a card, and its author has not said yet how adult it is."""
        return self.writing.notes is not None and self.writing.now.rating is None

    @property
    def rating(self) -> ContentRating | None:
        """The strictest that is said of its content; None for one that its author writes anew and has not rated yet."""
        if self.unrated_card:
            return ContentRating.EXPLICIT
        said = [self.writing.now.rating]
        if self.writing.before is not None:
            said.append(self.writing.before.character.rating)
        if self.writing.rating_floor is not ContentRating.SFW:
            # The mildest floor is said of nothing: that a card does not call itself strong does not make it safe.
            said.append(self.writing.rating_floor)
        return max((rating for rating in said if rating is not None), default=None)


def texts_may_open(rating: ContentRating | None, place: Place | None, ceiling: ContentRating) -> bool:
    """Tell whether a place may show its author the texts of a character.

    What is above the place's ceiling opens in age-restricted channels only. None is what its author writes anew and has
    not rated yet.
    """
    return rating is None or rating <= ceiling or (place is not None and place.age_restricted)


def shown_in(writing: Writing, form: Form) -> Mapping[str, str]:
    """Return what the fields of a form begin with: what was typed in vain, else what the draft holds."""
    sheet = writing.now
    held = {name: sheet.text(name) for name in TEXTS} | {
        "tags": ", ".join(sheet.tags),
        "rating": "" if sheet.rating is None else sheet.rating.word,
        "base_model": sheet.base_model,
        "visibility": "" if sheet.visibility is None else sheet.visibility.value,
        "allow_api": TICKED if sheet.allow_api else "",
        TELL: TICKED if writing.tell else "",
        CLEAR: "",
    }
    typed = writing.typed.get(form.value, {})
    return {name: typed.get(name, held[name]) for name in FORM_FIELDS[form]}


def filled(writing: Writing, form: Form, values: Mapping[str, str]) -> Writing | FormFault:
    """Return a draft with a filled-in form in it. A field that the form did not have stays as it is."""
    values = _whole(values)
    match form:
        case Form.TEXTS:
            taken = _with_texts(writing, values)
        case Form.PROMPT:
            taken = _with_prompt(writing, values)
        case Form.LABELS:
            taken = _with_labels(writing, values)
        case _:
            taken = _with_access(writing, values)
    if isinstance(taken, FormFault):
        return taken
    return replace(taken, typed={name: kept for name, kept in writing.typed.items() if name != form.value})


def left_of(held: Writing, *, was: Writing, saved: Sheet, own: OwnCharacter) -> Writing | None:
    """Return what is left of a draft once a sheet of it was saved: an edit of the character, or None.

    `was` is the draft as it was read for saving: what was written after that is not in the character.
    """
    if held.typed == was.typed and not changes_between(saved, held.now):
        return None
    return replace(held, before=as_saved(own, saved), sent=None, notes=None, card=None)


def with_typed(writing: Writing, form: Form, values: Mapping[str, str]) -> Writing:
    """Return a draft that remembers what was typed into a form that could not be taken."""
    kept = {name: value for name, value in _whole(values).items() if name in FORM_FIELDS[form]}
    return replace(writing, typed={**writing.typed, form.value: kept})


def _whole(values: Mapping[str, str]) -> Mapping[str, str]:
    """Put a question mark in place of half a pair of surrogates, which nothing could store or send."""
    return {name: text.encode("utf-8", "replace").decode() for name, text in values.items()}


def _with_texts(writing: Writing, values: Mapping[str, str]) -> Writing | FormFault:
    given = {name: values[name] for name in TEXTS if name in values}
    if "name" in given and not given["name"].strip():
        return FormFault.NAMELESS
    if any(len(text) > LONGEST_TEXT for text in given.values()):
        return FormFault.TOO_LONG
    # What only changed in line ends is left as it was, so that it does not count as an edit.
    changed = {name: plain_text(text) for name, text in given.items() if not same_text(text, writing.now.text(name))}
    return replace(writing, now=replace(writing.now, **changed))


def _with_prompt(writing: Writing, values: Mapping[str, str]) -> Writing | FormFault:
    if values.get(CLEAR) == TICKED:
        return replace(writing, now=replace(writing.now, system_prompt=""))
    if not values.get("system_prompt", "").strip():
        return writing
    return _with_texts(writing, {"system_prompt": values["system_prompt"]})


def _with_labels(writing: Writing, values: Mapping[str, str]) -> Writing | FormFault:
    sheet = writing.now
    if "tags" in values:
        known = sheet.tags if writing.before is None else (*sheet.tags, *writing.before.character.tags)
        tags = read_tags(values["tags"], known=tuple(dict.fromkeys(known)))
        if isinstance(tags, TagFault):
            return FormFault.TOO_MANY_TAGS if tags is TagFault.TOO_MANY else FormFault.UNREADABLE_TAG
        sheet = replace(sheet, tags=tags)
    chosen = parse_rating(values.get("rating"))
    if chosen is not None and chosen < writing.rating_floor:
        return FormFault.TOO_MILD
    sheet = replace(
        sheet,
        rating=sheet.rating if chosen is None else chosen,
        base_model=values.get("base_model", "").strip() or sheet.base_model,
    )
    return replace(writing, now=sheet)


def _with_access(writing: Writing, values: Mapping[str, str]) -> Writing:
    sheet = writing.now
    allow_api = sheet.allow_api
    if "allow_api" in values and (values["allow_api"] == TICKED) is not bool(allow_api):
        # A box that stays empty leaves what is not known as it is.
        allow_api = values["allow_api"] == TICKED
    return replace(
        writing,
        now=replace(
            sheet, visibility=read_visibility(values.get("visibility")) or sheet.visibility, allow_api=allow_api
        ),
        tell=values[TELL] == TICKED if TELL in values else writing.tell,
    )
