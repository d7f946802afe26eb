"""What an author reads of a draft while it is being written. Names and words are escaped here, once."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bot.domain.card_files.wording import rating_question
from bot.domain.cards import Card, Field
from bot.domain.desk_wording import WHAT_ACCESS_MEANS, access_words, visibility_words
from bot.domain.drafts import MOST_DRAFTS, CardNotes, Draft, DraftKind, Writing
from bot.domain.forms import fits_form
from bot.domain.quoting import quoted
from bot.domain.ratings import ContentRating
from bot.domain.sheets import TEXTS, Sheet, changed_words, changes_between, missing_parts, sheet_of
from bot.domain.unicode_text import truncate

_NAME: Final = 100
_WORD: Final = 100
_TAG: Final = 30
_LINE: Final = 900
"""UTF-16 units of a list from a card file; a field takes 1,024."""
_FOOTER: Final = f"A draft is kept for an hour after you last touched it, up to {MOST_DRAFTS} of a member."
_TEXT_WORDS: Final = {
    "name": "name",
    "summary": "summary",
    "description": "description",
    "first_message": "first message",
    "system_prompt": "prompt",
}
_UNTIL_RATED: Final = (
    "Until you have chosen, its texts open in age-restricted channels only; then, wherever that rating may be shown."
)
PROMPT_HIDDEN: Final = "NanoGPT did not show it; it stays as it is"


def text_words(name: str) -> str:
    """Return what people call one of the texts of a sheet."""
    return _TEXT_WORDS[name]


def draft_card(draft: Draft) -> Card:
    """Return what a draft holds, in sizes and not in texts, so that it can stand anywhere."""
    card = _access_card(draft) if draft.kind is DraftKind.PUBLISH else _sheet_card(draft)
    if draft.in_place_of is None:
        return card
    name = quoted(draft.in_place_of, _NAME)
    gone = f"Your oldest draft{f', of {name},' if name else ''} is gone for this one: I keep {MOST_DRAFTS} of a member."
    return replace(card, description="\n\n".join(filter(None, (card.description, gone))))


def card_question(writing: Writing) -> str | None:
    """Ask for the content rating of what came from a card; None for what did not, of which no card says anything."""
    if writing.notes is None and writing.rating_floor is ContentRating.SFW:
        return None
    return rating_question(writing.rating_floor)


def too_long_words(sheet: Sheet) -> tuple[str, ...]:
    """Return the texts that no form can hold."""
    return tuple(text_words(name) for name in TEXTS if not fits_form(sheet.text(name)))


def _sheet_card(draft: Draft) -> Card:
    writing = draft.writing
    sheet = writing.now
    fields = [
        Field("Name", quoted(sheet.name, _NAME) or "none yet"),
        Field("Content rating", "not chosen yet" if sheet.rating is None else sheet.rating.word),
        Field("Model", quoted(sheet.base_model, _WORD) or "not chosen yet"),
        Field("Summary", _size(sheet.summary)),
        Field("Description", _size(sheet.description)),
        Field("First message", _size(sheet.first_message)),
        Field("Prompt", _prompt_words(draft)),
        Field("Tags", truncate(" · ".join(quoted(tag, _TAG) for tag in sheet.tags), _LINE) or "none"),
    ]
    if draft.kind is DraftKind.CREATE:
        who = "private" if sheet.visibility is None else sheet.visibility.value
        fields.append(Field("Who can see it", f"{who}, {'open' if sheet.allow_api else 'closed'} to apps"))
    if writing.notes is not None:
        fields += _from_file(writing.notes)
    return Card(_title(draft), _state(draft), tuple(fields), _FOOTER)


def _access_card(draft: Draft) -> Card:
    before = draft.writing.before
    assert before is not None, "only a character that is there can be published"
    character = before.character
    now = f"It is {access_words(character)} now."
    return Card(
        f"Publishing {quoted(character.name, _NAME) or visibility_words(character)}",
        f"{now}\n\n{WHAT_ACCESS_MEANS}",
        footer=_FOOTER,
    )


def _title(draft: Draft) -> str:
    before = draft.writing.before
    if before is not None:
        return f"Editing {quoted(before.character.name, _NAME)}".strip()
    return "New character" if draft.writing.notes is None else "New character from a card"


def _state(draft: Draft) -> str:
    """Say what is still to be done before it can be saved."""
    writing = draft.writing
    lines: list[str] = []
    if writing.before is None:
        missing = [part.value for part in missing_parts(writing.now)]
        lines.append(f"Still to be given: {', '.join(missing)}." if missing else "It can be saved.")
        if writing.now.rating is None and (question := card_question(writing)):
            lines.append(question)
        if draft.unrated_card:
            lines.append(_UNTIL_RATED)
    else:
        changed = changed_words(changes_between(sheet_of(writing.before), writing.now))
        lines.append(f"Changed so far: {', '.join(changed)}." if changed else "Nothing is changed so far.")
    if long := too_long_words(writing.now):
        lines.append(f"Too long for a form, to be edited with *Texts as files*: {', '.join(long)}.")
    if writing.typed:
        lines.append("A form could not be taken; open it again, and what you typed is there.")
    return "\n".join(lines)


def _prompt_words(draft: Draft) -> str:
    prompt, before = draft.writing.now.system_prompt, draft.writing.before
    if prompt is None:
        return "none yet" if before is None else PROMPT_HIDDEN
    if not prompt and before is not None:
        return "is cleared when you save" if before.system_prompt != "" else "none"
    return _size(prompt)


def _size(text: str) -> str:
    if not text:
        return "none"
    return "1 character" if len(text) == 1 else f"{len(text):,} characters"


def _from_file(notes: CardNotes) -> Iterator[Field]:
    yield Field(f"From a file: {notes.format}", _list(notes.mapped) or "nothing", inline=False)
    if notes.folded:
        yield Field("Put into the prompt", _list(notes.folded), inline=False)
    if notes.lost:
        yield Field("Lost, as NanoGPT has no place for it", _list(notes.lost), inline=False)
    kept = (
        "It is kept for you, encrypted, and /character export gives it back as long as the character is unchanged."
        if notes.file_kept
        else "It is not kept, as you have as many files here as I keep for one member: an export makes a new card."
    )
    picture = " NanoGPT takes no picture: it is in the export only." if notes.has_picture else ""
    yield Field("The file itself", kept + picture, inline=False)


def _list(words: tuple[str, ...]) -> str:
    return truncate(", ".join(words), _LINE)
