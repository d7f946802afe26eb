from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.domain.authoring import Visibility
from bot.domain.characters import Character, OwnCharacter
from bot.domain.drafts import (
    CLEAR,
    FORM_FIELDS,
    TELL,
    CardNotes,
    Draft,
    DraftKind,
    Form,
    FormFault,
    Writing,
    filled,
    shown_in,
    texts_may_open,
    with_typed,
)
from bot.domain.forms import TICKED, fits_form
from bot.domain.ids import ChannelId, CharacterId, DraftId, GuildId, UserId
from bot.domain.places import Place
from bot.domain.ratings import ContentRating
from bot.domain.sheets import LONGEST_TEXT, NEW_SHEET, Sheet, changes_between, sheet_of

ADA = OwnCharacter(
    Character(
        CharacterId("id"), "Ada", description="Counts.\nAlways.", tags=("日本語", "numbers"), visibility="public"
    ),
    system_prompt="You count.",
    creator_rating=ContentRating.SFW,
)
EDIT = Writing(sheet_of(ADA), before=ADA)
OPEN, ADULT = (Place(GuildId(1), ChannelId(2), None, age_restricted=adult) for adult in (False, True))


def taken(writing: Writing, form: Form, **values: str) -> Writing:
    result = filled(writing, form, values)
    assert isinstance(result, Writing)
    return result


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("writing", [EDIT, Writing(NEW_SHEET)])
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(form: Form, writing: Writing) -> None:
    values = dict(shown_in(writing, form))
    if form is Form.TEXTS and not values["name"]:
        values["name"] = "Bob"
    after = taken(writing, form, **values).now
    assert after == replace(writing.now, name=values.get("name", writing.now.name))


def test_every_form_is_shown_with_all_its_fields() -> None:
    assert {form: tuple(shown_in(EDIT, form)) for form in Form} == dict(FORM_FIELDS)


def test_texts_are_taken_without_what_the_form_did_to_them() -> None:
    after = taken(EDIT, Form.TEXTS, name="Ada L.", description="Counts.\r\nAlways.  ", summary=" New \r\n line ").now
    assert (after.name, after.description, after.summary) == ("Ada L.", "Counts.\nAlways.", "New \n line")


def test_a_text_too_long_for_the_form_is_left_as_it_is() -> None:
    long = replace(EDIT, now=replace(EDIT.now, first_message="x" * 5_000))
    assert not fits_form(long.now.first_message)
    assert taken(long, Form.TEXTS, name="Ada").now.first_message == "x" * 5_000


@pytest.mark.parametrize(
    ("values", "prompt"),
    [
        ({"system_prompt": ""}, "You count."),
        ({"system_prompt": "  \n"}, "You count."),
        ({"system_prompt": "You sing."}, "You sing."),
        ({"system_prompt": "You count.\r\n"}, "You count."),
        ({"system_prompt": "", CLEAR: TICKED}, ""),
        ({CLEAR: TICKED}, ""),
        ({CLEAR: ""}, "You count."),
    ],
)
def test_a_blank_prompt_means_keep_and_clearing_is_a_choice(values: Mapping[str, str], prompt: str) -> None:
    assert taken(EDIT, Form.PROMPT, **values).now.system_prompt == prompt


def test_a_prompt_that_was_not_shown_stays_unknown_when_left_blank() -> None:
    hidden = Writing(replace(EDIT.now, system_prompt=None), before=replace(ADA, system_prompt=None))
    after = taken(hidden, Form.PROMPT, system_prompt="", **{CLEAR: ""})
    assert after.now.system_prompt is None
    assert not changes_between(sheet_of(replace(ADA, system_prompt=None)), after.now)


def test_labels_are_taken() -> None:
    after = taken(EDIT, Form.LABELS, tags="日本語, Number Theory", rating="nsfw", base_model=" fake/model ").now
    assert (after.tags, after.rating, after.base_model) == (
        ("日本語", "number-theory"),
        ContentRating.NSFW,
        "fake/model",
    )


def test_the_mildest_rating_can_be_chosen() -> None:
    strict = replace(EDIT, now=replace(EDIT.now, rating=ContentRating.EXPLICIT))
    assert taken(strict, Form.LABELS, rating="sfw").now.rating is ContentRating.SFW


def test_a_rating_that_was_not_chosen_is_never_guessed() -> None:
    assert taken(Writing(NEW_SHEET), Form.LABELS, tags="a", rating="", base_model="m").now.rating is None
    assert taken(Writing(NEW_SHEET), Form.LABELS, tags="a", rating="harmless", base_model="m").now.rating is None


def test_a_tag_that_was_taken_away_can_come_back() -> None:
    after = taken(EDIT, Form.LABELS, tags="numbers")
    assert after.now.tags == ("numbers",)
    assert taken(after, Form.LABELS, tags="日本語").now.tags == ("日本語",)


def test_access_is_taken() -> None:
    after = taken(EDIT, Form.ACCESS, visibility="unlisted", allow_api=TICKED, **{TELL: TICKED})
    assert (after.now.visibility, after.now.allow_api, after.tell) == (Visibility.UNLISTED, True, True)
    again = taken(after, Form.ACCESS, visibility="unlisted", allow_api="", **{TELL: ""})
    assert (again.now.allow_api, again.tell) == (False, False)


@pytest.mark.parametrize(
    ("form", "values", "fault"),
    [
        (Form.TEXTS, {"name": " "}, FormFault.NAMELESS),
        (Form.TEXTS, {"description": "x" * (LONGEST_TEXT + 1)}, FormFault.TOO_LONG),
        (Form.PROMPT, {"system_prompt": "x" * (LONGEST_TEXT + 1)}, FormFault.TOO_LONG),
        (Form.LABELS, {"rating": "sfw"}, FormFault.TOO_MILD),
        (Form.LABELS, {"tags": "???"}, FormFault.UNREADABLE_TAG),
        (Form.LABELS, {"tags": ",".join(map(str, range(11)))}, FormFault.TOO_MANY_TAGS),
    ],
)
def test_what_is_wrong_with_a_form_is_told(form: Form, values: Mapping[str, str], fault: FormFault) -> None:
    assert filled(replace(EDIT, rating_floor=ContentRating.SUGGESTIVE), form, values) is fault


def test_half_a_pair_of_surrogates_is_taken_for_a_question_mark() -> None:
    assert taken(EDIT, Form.TEXTS, name="A\ud800da \U0001f600").now.name == "A?da \U0001f600"
    assert with_typed(EDIT, Form.TEXTS, {"name": "\udfff"}).typed == {"texts": {"name": "?"}}


def test_what_was_typed_in_vain_is_shown_again_until_it_is_taken() -> None:
    tried = with_typed(EDIT, Form.TEXTS, {"name": " ", "summary": "New", "other": "no field"})
    shown = shown_in(tried, Form.TEXTS)
    assert (shown["name"], shown["summary"], shown["description"]) == (" ", "New", "Counts.\nAlways.")
    assert "other" not in shown
    assert tried.now == EDIT.now
    assert shown_in(tried, Form.LABELS) == shown_in(EDIT, Form.LABELS)
    after = taken(tried, Form.TEXTS, name="Ada L.", summary="New")
    assert after.typed == {}
    assert shown_in(after, Form.TEXTS)["name"] == "Ada L."


@pytest.mark.parametrize(
    ("rating", "place", "opens"),
    [
        (None, OPEN, True),
        (ContentRating.SFW, OPEN, True),
        (ContentRating.SUGGESTIVE, OPEN, False),
        (ContentRating.EXPLICIT, ADULT, True),
        (ContentRating.NSFW, None, False),
    ],
)
def test_texts_above_the_ceiling_open_in_age_restricted_channels_only(
    rating: ContentRating | None, place: Place | None, *, opens: bool
) -> None:
    assert texts_may_open(rating, place, ContentRating.SFW) is opens


@pytest.mark.parametrize(
    ("chosen", "catalogue", "strictest"),
    [
        (None, ContentRating.NSFW, ContentRating.NSFW),
        (ContentRating.SFW, ContentRating.NSFW, ContentRating.NSFW),
        (ContentRating.EXPLICIT, ContentRating.SFW, ContentRating.EXPLICIT),
    ],
)
def test_a_draft_is_as_strict_as_the_strictest_word_about_it(
    chosen: ContentRating | None, catalogue: ContentRating, strictest: ContentRating
) -> None:
    before = replace(ADA, character=replace(ADA.character, catalogue_rating=catalogue))
    writing = Writing(replace(sheet_of(before), rating=chosen), before=before)
    draft = Draft(DraftId(1), UserId(2), DraftKind.EDIT, None, writing, 0)
    assert draft.rating is strictest
    assert draft.character_id == "id"


def test_a_new_draft_has_no_rating_until_it_is_chosen() -> None:
    draft = Draft(DraftId(1), UserId(2), DraftKind.CREATE, None, Writing(NEW_SHEET), 0)
    assert (draft.rating, draft.unrated_card, draft.character_id) == (None, False, None)


@pytest.mark.parametrize("floor", [ContentRating.SFW, ContentRating.NSFW])
def test_what_came_from_a_card_counts_as_the_strictest_until_its_author_has_rated_it(floor: ContentRating) -> None:
    writing = Writing(NEW_SHEET, notes=CardNotes("Character Card V2, PNG"), rating_floor=floor)
    draft = Draft(DraftId(1), UserId(2), DraftKind.CREATE, None, writing, 0)
    assert (draft.unrated_card, draft.rating) == (True, ContentRating.EXPLICIT)
    rated = replace(draft, writing=replace(writing, now=replace(NEW_SHEET, rating=floor)))
    assert (rated.unrated_card, rated.rating) == (False, floor)


def test_nothing_written_shows_in_a_log() -> None:
    sheet = Sheet(name="Ada", first_message="hello-text", system_prompt="prompt-text")
    shown = repr(Writing(sheet, typed={"prompt": {"system_prompt": "typed-text"}}))
    assert not {"hello-text", "prompt-text", "typed-text"} & set(shown.replace("'", " ").split())
