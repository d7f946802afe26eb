from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.authoring import Visibility
from bot.domain.cards import MAX_DESCRIPTION, MAX_FIELD_VALUE, MAX_TITLE, MAX_TOTAL
from bot.domain.characters import Character, OwnCharacter
from bot.domain.draft_wording import PROMPT_HIDDEN, card_question, draft_card, too_long_words
from bot.domain.drafts import CardNotes, Draft, DraftKind, Form, Writing, with_typed
from bot.domain.ids import CharacterId, DraftId, UserId
from bot.domain.ratings import ContentRating
from bot.domain.sheets import NEW_SHEET, Sheet, sheet_of
from bot.domain.unicode_text import utf16_length

ADA = OwnCharacter(Character(CharacterId("id"), "Ada *L.*", visibility="public"), "You count.", ContentRating.SFW)
NOTES = CardNotes("Character Card V2, PNG", ("name", "prompt"), ("scenario",), ("1 lorebook entry",), has_picture=True)
LONG = st.text(max_size=300)


def draft(writing: Writing, kind: DraftKind = DraftKind.CREATE) -> Draft:
    return Draft(DraftId(1), UserId(2), kind, None, writing, 0)


def fields(writing: Writing, kind: DraftKind = DraftKind.CREATE) -> dict[str, str]:
    return {field.name: field.value for field in draft_card(draft(writing, kind)).fields}


@given(
    sheet=st.builds(
        Sheet,
        name=LONG,
        summary=LONG,
        system_prompt=st.none() | LONG,
        base_model=LONG,
        tags=st.lists(st.text(max_size=60), max_size=30).map(tuple),
        visibility=st.none() | st.sampled_from(Visibility),
    ),
    kind=st.sampled_from(DraftKind),
    notes=st.none() | st.just(NOTES),
    in_place_of=st.none() | LONG,
)
def test_a_panel_fits_into_an_embed(
    sheet: Sheet, kind: DraftKind, notes: CardNotes | None, in_place_of: str | None
) -> None:
    before = None if kind is DraftKind.CREATE else replace(ADA, character=replace(ADA.character, name=sheet.name))
    card = draft_card(replace(draft(Writing(sheet, before=before, notes=notes), kind), in_place_of=in_place_of))
    assert card.size <= MAX_TOTAL
    assert 0 < utf16_length(card.title) <= MAX_TITLE
    assert utf16_length(card.description or "") <= MAX_DESCRIPTION
    assert all(field.name and 0 < utf16_length(field.value) <= MAX_FIELD_VALUE for field in card.fields)


def test_a_panel_shows_sizes_and_no_texts() -> None:
    sheet = Sheet(name="Ada", summary="secret one", first_message="secret two", system_prompt="secret three")
    card = draft_card(draft(Writing(sheet)))
    assert "secret" not in str(card)
    assert fields(Writing(sheet))["Prompt"] == "12 characters"


@pytest.mark.parametrize("kind", DraftKind)
@pytest.mark.parametrize(
    ("name", "words"), [("*Ada*", "Your oldest draft, of \\*Ada\\*, is gone"), ("", "Your oldest draft is gone")]
)
def test_a_panel_tells_which_draft_made_room_for_it(kind: DraftKind, name: str, words: str) -> None:
    opened = draft(Writing(sheet_of(ADA), before=ADA), kind)
    said = draft_card(replace(opened, in_place_of=name)).description or ""
    assert said.startswith(draft_card(opened).description or "nothing")
    assert f"{words} for this one: I keep 10 of a member." in said


def test_a_new_one_tells_what_is_missing() -> None:
    card = draft_card(draft(Writing(NEW_SHEET)))
    assert card.description == "Still to be given: a name, a prompt, a model, a content rating."
    assert fields(Writing(NEW_SHEET))["Content rating"] == "not chosen yet"
    assert fields(Writing(NEW_SHEET))["Who can see it"] == "private, closed to apps"


def test_an_edit_tells_what_is_changed() -> None:
    writing = Writing(sheet_of(ADA), before=ADA)
    assert draft_card(draft(writing, DraftKind.EDIT)).description == "Nothing is changed so far."
    assert draft_card(draft(writing, DraftKind.EDIT)).title == "Editing Ada \\*L.\\*"
    changed = replace(writing, now=replace(writing.now, summary="New", tags=("a",)))
    assert draft_card(draft(changed, DraftKind.EDIT)).description == "Changed so far: summary, tags."


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (None, None, PROMPT_HIDDEN),
        (None, "", "is cleared when you save"),
        ("You count.", "", "is cleared when you save"),
        ("You count.", "You count.", "10 characters"),
        ("", "", "none"),
    ],
)
def test_what_becomes_of_a_prompt_is_told(before: str | None, now: str | None, words: str) -> None:
    own = replace(ADA, system_prompt=before)
    writing = Writing(replace(sheet_of(own), system_prompt=now), before=own)
    assert fields(writing, DraftKind.EDIT)["Prompt"] == words


def test_long_texts_and_forms_in_vain_are_pointed_out() -> None:
    sheet = replace(NEW_SHEET, description="x" * 5_000, system_prompt="x" * 4_001)
    assert too_long_words(sheet) == ("description", "prompt")
    said = draft_card(draft(with_typed(Writing(sheet), Form.TEXTS, {"name": ""}))).description
    assert said is not None
    assert "*Texts as files*: description, prompt." in said
    assert "open it again, and what you typed is there" in said


def test_an_import_tells_what_is_taken_folded_and_lost_and_what_becomes_of_the_file() -> None:
    shown = fields(Writing(NEW_SHEET, notes=NOTES))
    assert shown["From a file: Character Card V2, PNG"] == "name, prompt"
    assert shown["Put into the prompt"] == "scenario"
    assert shown["Lost, as NanoGPT has no place for it"] == "1 lorebook entry"
    assert "kept for you, encrypted" in shown["The file itself"]
    assert "picture: it is in the export only" in shown["The file itself"]
    shown = fields(Writing(NEW_SHEET, notes=replace(NOTES, has_picture=False, file_kept=False)))
    assert "not kept, as you have as many" in shown["The file itself"]
    assert "picture" not in shown["The file itself"]


@pytest.mark.parametrize(
    ("floor", "words"),
    [
        (ContentRating.SFW, "No card can say that its character is safe: choose how adult it is."),
        (ContentRating.NSFW, "its character is at least nsfw. Choose how adult it is; nothing milder is offered."),
    ],
)
def test_an_import_asks_for_the_rating_until_it_is_chosen(floor: ContentRating, words: str) -> None:
    writing = Writing(NEW_SHEET, notes=NOTES, rating_floor=floor)
    said = draft_card(draft(writing)).description or ""
    assert words in said
    assert "Until you have chosen, its texts open in age-restricted channels only" in said
    chosen = replace(writing, now=replace(NEW_SHEET, rating=ContentRating.EXPLICIT))
    said = draft_card(draft(chosen)).description or ""
    assert words not in said
    assert "age-restricted" not in said
    assert card_question(chosen) == card_question(writing)
    assert card_question(Writing(NEW_SHEET)) is None


def test_what_is_left_of_an_import_still_says_why_nothing_milder_is_offered() -> None:
    assert "at least nsfw" in (card_question(Writing(sheet_of(ADA), ADA, rating_floor=ContentRating.NSFW)) or "")


def test_publishing_explains_what_approval_means() -> None:
    card = draft_card(draft(Writing(sheet_of(ADA), before=ADA), DraftKind.PUBLISH))
    assert card.description is not None
    assert "submitted to NanoGPT's moderators" in card.description
    assert "public, approved and open" in card.description
