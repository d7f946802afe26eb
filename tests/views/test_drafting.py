"""The panel over a draft and its forms, as Discord is sent them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord import ui
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.authoring import Visibility
from bot.domain.characters import Character, KnownCharacter, OwnCharacter
from bot.domain.custom_ids import parse_custom_id
from bot.domain.drafts import CLEAR, FORM_FIELDS, TELL, CardNotes, Draft, DraftKind, Form, Writing, with_typed
from bot.domain.forms import LONGEST_IN_FORM, TICKED
from bot.domain.ids import CharacterId, CharacterRef, DraftId, UserId
from bot.domain.ratings import ContentRating
from bot.domain.sheets import NEW_SHEET, Sheet, sheet_of
from bot.errors import UserError
from bot.sandbox.discord import RecordedRequest
from bot.services.drafting import Question, Saved
from bot.store.errors import DatabaseFull
from bot.views.base import AnsweringItem
from bot.views.drafting import (
    DraftFormButton,
    DraftSaveButton,
    draft_modal,
    open_again_view,
    panel_view,
    question_view,
    submit_draft,
    upload_modal,
)
from bot.views.modals import Submission, read_submission
from tests.support.openapi import RequestCheck, discord_request_check
from tests.support.openings import opening

__all__ = ["discord_request_check"]

ADA = OwnCharacter(
    Character(CharacterId("id"), "Ada", summary="Counts.", tags=("a", "b"), visibility="public", allow_api=True),
    system_prompt="You count.",
    creator_rating=ContentRating.SUGGESTIVE,
)
NEW = Draft(DraftId(7), UserId(400), DraftKind.CREATE, None, Writing(NEW_SHEET), 0)
EDIT = Draft(DraftId(8), UserId(400), DraftKind.EDIT, CharacterRef(3), Writing(sheet_of(ADA), before=ADA), 0)
PUBLISH = replace(EDIT, id=DraftId(9), kind=DraftKind.PUBLISH)
QUESTION = Question(EDIT, "Save it all the same?", reviewed=True)
LONG = "x" * (LONGEST_IN_FORM + 1)


def problem(check: RequestCheck, modal: Mapping[str, Any]) -> str | None:
    """Return what Discord's description says against opening a form."""
    route = "/interactions/{interaction_id}/{interaction_token}/callback"
    body = {"type": 9, "data": modal}
    return check(RecordedRequest(0.0, "POST", route, {}, {}, body, (), authorised=False))


def parts(modal: ui.Modal) -> dict[str, dict[str, Any]]:
    """Return the fields of a form by their custom ids."""
    inner = [part.get("component", {}) for part in modal.to_components()]
    return {part["custom_id"]: part for part in inner if "custom_id" in part}


def texts(modal: ui.Modal) -> str:
    return "\n".join(part["content"] for part in modal.to_components() if part["type"] == 10)


def labels(view: ui.View) -> list[str | None]:
    found: list[str | None] = []
    for item in view.children:
        assert isinstance(item, AnsweringItem)
        found.append(cast("ui.Button[Any]", item.item).label)
    return found


def writing(**changes: Any) -> Draft:  # noqa: ANN401 - the fields of a sheet
    return replace(EDIT, writing=replace(EDIT.writing, now=replace(EDIT.writing.now, **changes)))


SHEETS = st.builds(
    Sheet,
    name=st.text(max_size=300),
    summary=st.text(max_size=300),
    first_message=st.sampled_from(["", "Hello", LONG]),
    system_prompt=st.sampled_from([None, "", "Hello", LONG]),
    base_model=st.text(max_size=300),
    rating=st.none() | st.sampled_from(ContentRating),
    tags=st.lists(st.text(max_size=60), max_size=20).map(tuple),
    visibility=st.none() | st.sampled_from(Visibility),
    allow_api=st.none() | st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(sheet=SHEETS, form=st.sampled_from(Form), kind=st.sampled_from(DraftKind), floor=st.sampled_from(ContentRating))
async def test_every_form_is_valid_whatever_the_draft_holds(
    discord_request_check: RequestCheck, sheet: Sheet, form: Form, kind: DraftKind, floor: ContentRating
) -> None:
    before = None if kind is DraftKind.CREATE else ADA
    draft = replace(EDIT, kind=kind, writing=Writing(sheet, before=before, rating_floor=floor))
    assert problem(discord_request_check, draft_modal(opening(), draft, form).to_dict()) is None


async def test_the_form_that_takes_files_is_valid(discord_request_check: RequestCheck) -> None:
    modal = upload_modal(opening(), DraftId(7))
    assert problem(discord_request_check, modal.to_dict()) is None
    assert set(parts(modal)) == {"summary", "description", "first_message", "system_prompt"}


@pytest.mark.parametrize("form", Form)
async def test_a_form_shows_what_the_draft_holds(form: Form) -> None:
    fields = parts(draft_modal(opening(), EDIT, form))
    assert set(fields) == set(FORM_FIELDS[form])
    match form:
        case Form.TEXTS:
            assert (fields["name"]["value"], fields["summary"]["value"]) == ("Ada", "Counts.")
            assert [name for name, field in fields.items() if field["required"]] == ["name"]
        case Form.PROMPT:
            assert fields["system_prompt"]["value"] == "You count."
            assert not fields[CLEAR].get("default")
        case Form.LABELS:
            assert fields["tags"]["value"] == "a, b"
            assert chosen(fields["rating"]) == ["suggestive"]
        case Form.ACCESS:
            assert chosen(fields["visibility"]) == ["public"]
            assert fields["allow_api"]["default"]
            assert not fields[TELL].get("default")


def chosen(field: Mapping[str, Any]) -> list[str]:
    return [option["value"] for option in field["options"] if option.get("default")]


async def test_a_new_character_has_no_rating_chosen_beforehand_and_has_to_be_given_one() -> None:
    rating = parts(draft_modal(opening(), NEW, Form.LABELS))["rating"]
    assert chosen(rating) == []
    assert rating["required"]
    assert [option["value"] for option in rating["options"]] == ["explicit", "nsfw", "suggestive", "sfw"]


@pytest.mark.parametrize(
    ("floor", "offered"),
    [(ContentRating.NSFW, ["explicit", "nsfw"]), (ContentRating.EXPLICIT, ["explicit"])],
)
async def test_nothing_milder_is_offered_than_what_a_card_says_of_itself(
    floor: ContentRating, offered: list[str]
) -> None:
    draft = replace(NEW, writing=replace(NEW.writing, rating_floor=floor))
    modal = draft_modal(opening(), draft, Form.LABELS)
    assert [option["value"] for option in parts(modal)["rating"]["options"]] == offered
    assert f"its character is at least {floor.word}" in texts(modal)


async def test_the_form_of_a_card_says_that_no_card_is_believed_to_be_safe() -> None:
    imported = replace(NEW, writing=replace(NEW.writing, notes=CardNotes("Character Card V2, PNG")))
    assert texts(draft_modal(opening(), imported, Form.LABELS)).startswith("No card can say that its character is safe")
    assert texts(draft_modal(opening(), NEW, Form.LABELS)) == ""


async def test_a_text_that_no_field_holds_is_pointed_out_and_never_cut() -> None:
    modal = draft_modal(opening(), writing(description=LONG), Form.TEXTS)
    assert set(parts(modal)) == {"name", "summary", "first_message"}
    assert "description has 4,001 characters" in texts(modal)
    assert "Texts as files" in texts(modal)
    modal = draft_modal(opening(), writing(system_prompt=LONG), Form.PROMPT)
    assert set(parts(modal)) == {CLEAR}


async def test_a_prompt_that_nanogpt_did_not_show_is_said_to_stay() -> None:
    modal = draft_modal(opening(), writing(system_prompt=None), Form.PROMPT)
    assert parts(modal)["system_prompt"].get("value") is None
    assert "NanoGPT did not show it; it stays as it is, unless you write another" in texts(modal)
    assert CLEAR not in parts(draft_modal(opening(), NEW, Form.PROMPT))


async def test_what_was_typed_in_vain_is_there_when_the_form_is_opened_again() -> None:
    draft = replace(EDIT, writing=with_typed(EDIT.writing, Form.TEXTS, {"name": " ", "summary": "Typed."}))
    fields = parts(draft_modal(opening(), draft, Form.TEXTS))
    assert fields["summary"]["value"] == "Typed."


@pytest.mark.parametrize("form", Form)
async def test_the_custom_id_of_a_form_names_the_draft_and_the_form(form: Form) -> None:
    modal = draft_modal(opening(2**63 - 1), replace(EDIT, id=DraftId(2**53)), form)
    read = read_submission({"custom_id": modal.custom_id, "components": []})
    assert read == Submission("draft", (2**53, list(Form).index(form), 2**63 - 1), {})


async def test_a_panel_has_the_buttons_of_what_is_written() -> None:
    assert labels(panel_view(NEW)) == ["Texts", "Prompt", "Tags and rating", "Who can see it", "Save", "Texts as files"]
    assert labels(panel_view(EDIT)) == ["Texts", "Prompt", "Tags and rating", "Save", "Texts as files"]
    assert labels(panel_view(PUBLISH)) == ["Choose…"]
    assert labels(open_again_view(EDIT.id, Form.TEXTS)) == ["Open again"]
    for view in (panel_view(NEW), question_view(QUESTION), open_again_view(EDIT.id, Form.TEXTS)):
        assert view.timeout is None


async def test_a_message_is_offered_only_where_something_is_reviewed() -> None:
    assert labels(question_view(QUESTION)) == ["Save it", "Save it and tell me by direct message"]
    assert labels(question_view(replace(QUESTION, reviewed=False))) == ["Save it"]


@pytest.mark.parametrize("number", [0, 3, 4, 99])
async def test_any_forged_number_is_some_form_and_some_way_to_save(number: int) -> None:
    assert DraftFormButton.from_ids(7, number).custom_id.startswith("v1:draft-form:7:")
    assert DraftSaveButton.from_ids(7, number).custom_id.startswith("v1:draft-save:7:")


# What comes back


class Submitting:
    """As much of an interaction as a submitted form needs."""

    def __init__(self, drafting: object) -> None:
        self.id = 1
        self.type = discord.InteractionType.modal_submit
        self.guild_id = self.channel_id = None
        self.user = SimpleNamespace(id=400)
        self.client = SimpleNamespace(services=SimpleNamespace(drafting=drafting))
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.response = self.followup = self

    @property
    def seen(self) -> discord.Interaction:
        return cast("discord.Interaction", cast("object", self))

    def is_done(self) -> bool:
        return bool(self.said)

    async def send(self, text: str, **options: object) -> None:
        self.said.append((text, options))

    async def send_message(self, text: str, **options: object) -> None:
        self.said.append((text, options))


class Failing:
    """Takes no form; whether it can keep what was typed is for the test to say."""

    def __init__(self, error: Exception, *, keeps: bool | Exception) -> None:
        self._error = error
        self._keeps = keeps
        self.kept: list[Mapping[str, str]] = []

    async def fill(self, *_: object) -> None:
        raise self._error

    async def keep_typed(self, _draft: object, _user: object, _form: object, values: Mapping[str, str]) -> bool:
        if isinstance(self._keeps, Exception):
            raise self._keeps
        self.kept.append(values)
        return self._keeps


TYPED = Submission("draft", (8, 0, 1), {"name": "", "summary": "A long thought. \ud800", "first_message": ""})


async def test_a_form_that_cannot_be_taken_can_be_opened_again() -> None:
    drafting = Failing(UserError("A character needs a name."), keeps=True)
    interaction = Submitting(drafting)
    await submit_draft(interaction.seen, TYPED)
    ((text, options),) = interaction.said
    assert text == "A character needs a name."
    assert labels(options["view"]) == ["Open again"]
    assert drafting.kept == [TYPED.values]


async def test_what_nobody_foresaw_gets_a_code_and_can_be_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    interaction = Submitting(Failing(RuntimeError("a mistake of ours"), keeps=True))
    await submit_draft(interaction.seen, TYPED)
    (first, _), (second, options) = interaction.said
    assert "code" in first
    assert second == "What you typed is kept."
    assert labels(options["view"]) == ["Open again"]
    assert "a mistake of ours" in caplog.text


@pytest.mark.parametrize("keeps", [False, DatabaseFull(Path("bot.db"))])
async def test_what_no_draft_can_keep_is_handed_back_as_a_file(*, keeps: bool | Exception) -> None:
    interaction = Submitting(Failing(DatabaseFull(Path("bot.db")), keeps=keeps))
    await submit_draft(interaction.seen, TYPED)
    (first, _), (second, options) = interaction.said
    assert "my own records" in first
    assert "This is what you wrote" in second
    file = options["file"]
    assert isinstance(file, discord.File)
    assert file.fp.read().decode() == "summary:\nA long thought. ?"


async def test_a_form_of_boxes_alone_has_nothing_to_hand_back() -> None:
    interaction = Submitting(Failing(UserError("Gone."), keeps=False))
    await submit_draft(interaction.seen, Submission("draft", (8, 1, 1), {"system_prompt": "", CLEAR: ""}))
    assert [text for text, _ in interaction.said] == ["Gone."]
    assert TICKED not in str(interaction.said)


# What saving came to


class Saving(Submitting):
    """As much of an interaction as a press of Save needs; it keeps what takes the place of the panel."""

    def __init__(self, result: Saved | Question) -> None:
        super().__init__(self)
        self.client.services.catalog = self
        self._result = result
        self.shown: list[dict[str, Any]] = []
        self.asked: list[tuple[bool, bool]] = []

    async def save(self, _draft: object, _user: object, *, confirmed: bool, tell: bool) -> Saved | Question:
        self.asked.append((confirmed, tell))
        return self._result

    def ceiling(self, _place: object) -> ContentRating:
        return ContentRating.SFW

    async def defer(self) -> None:
        pass

    async def edit_original_response(self, **options: object) -> None:
        self.shown.append(options)


KNOWN = KnownCharacter(CharacterRef(3), ADA.character, 0, 0, None)


async def test_what_was_written_while_a_draft_was_saved_stays_open_to_be_saved_too() -> None:
    left = writing(summary="Counts and writes.")
    interaction = Saving(Saved(KNOWN, ADA, "**Ada** is saved.", submitted=False, left=left))
    await DraftSaveButton(left.id).act(interaction.seen)
    (shown,) = interaction.shown
    assert shown["content"] == "**Ada** is saved."
    (panel,) = shown["embeds"]
    assert panel.title == "Editing Ada"
    assert "Changed so far: summary." in panel.description
    assert labels(shown["view"]) == labels(panel_view(left))
    for item in shown["view"].children:
        parsed = parse_custom_id(item.custom_id)
        assert parsed is not None
        assert parsed.ids[0] == left.id


async def test_what_was_saved_whole_takes_the_place_of_the_panel() -> None:
    interaction = Saving(Saved(KNOWN, ADA, "**Ada** is saved.", submitted=False, left=None))
    await DraftSaveButton(EDIT.id, 2).act(interaction.seen)
    assert interaction.asked == [(True, True)]
    (shown,) = interaction.shown
    assert (shown["content"], shown["view"]) == ("**Ada** is saved.", None)
    assert [embed.title for embed in shown["embeds"]] == ["Ada"]


async def test_what_nanogpt_does_not_show_is_saved_without_a_card() -> None:
    interaction = Saving(Saved(KNOWN, None, "**Ada** is saved.", submitted=False, left=None))
    await DraftSaveButton(EDIT.id).act(interaction.seen)
    (shown,) = interaction.shown
    assert (shown["embeds"], shown["view"]) == ([], None)


async def test_a_question_leaves_the_panel_and_offers_to_save_all_the_same() -> None:
    interaction = Saving(QUESTION)
    await DraftSaveButton(EDIT.id).act(interaction.seen)
    assert interaction.asked == [(False, False)]
    assert interaction.shown == []
    ((text, options),) = interaction.said
    assert text == "Save it all the same?"
    assert labels(options["view"]) == labels(question_view(QUESTION))
