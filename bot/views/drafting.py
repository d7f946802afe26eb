"""Drafts on Discord: the panel over one, its forms, and what saving it came to."""

import io
import logging
from collections.abc import Mapping
from typing import Any, Final

import discord
from discord import ui

from bot.domain.authoring import Visibility
from bot.domain.card_files.rating_words import rating_choices
from bot.domain.desk_wording import own_card
from bot.domain.draft_wording import PROMPT_HIDDEN, card_question, draft_card, text_words
from bot.domain.drafts import CLEAR, TELL, Draft, DraftKind, Form, shown_in, texts_may_open
from bot.domain.forms import LONGEST_IN_FORM, TICKED, fits_form
from bot.domain.ids import DraftId, UserId
from bot.domain.unicode_text import utf16_length
from bot.gateway.places import place_of
from bot.gateway.presenting import answer, answer_failure, failure_sentence
from bot.services.drafting import Question, Saved
from bot.views.base import AnsweringItem, services_of
from bot.views.catalog import drawn
from bot.views.modals import Submission, drawn_form

_log = logging.getLogger(__name__)

DRAFT_FORM: Final = "draft"
UPLOAD_FORM: Final = "draft-upload"

_FORMS: Final = tuple(Form)
_LABELS: Final = {
    Form.TEXTS: "Texts",
    Form.PROMPT: "Prompt",
    Form.LABELS: "Tags and rating",
    Form.ACCESS: "Who can see it",
}
_PLAIN, _CONFIRMED, _CONFIRMED_AND_TELL = range(3)
"""What a button to save says, as the second id in its custom id."""
_SAVE_LABELS: Final = ("Save", "Save it", "Save it and tell me by direct message")
_NAME_CHARACTERS: Final = 100
_TAGS_CHARACTERS: Final = 400
_FEWEST_IN_GROUP: Final = 2
"""A group of radio buttons has at least so many (https://discord.com/developers/docs/components/reference)."""
_MODEL_CHARACTERS: Final = 200
_VISIBILITIES: Final = {
    Visibility.PRIVATE: "Only you can see and use it",
    Visibility.UNLISTED: "Whoever has its id or slug, where NanoGPT permits; in no list",
    Visibility.PUBLIC: "Everybody, once NanoGPT's moderators have approved it",
}
_TYPED_FILE: Final = "what-you-wrote.txt"
_HANDED_BACK: Final = "This is what you wrote, to be used again."


class DraftFormButton(AnsweringItem[ui.Button[Any]], kind="draft-form", ids=2):
    """Opens one of the forms of a draft."""

    def __init__(self, draft_id: DraftId, form: Form, *, label: str | None = None) -> None:
        super().__init__(ui.Button(label=label or _LABELS[form], custom_id=self.id_for(draft_id, _FORMS.index(form))))
        self._draft_id = draft_id
        self._form = form

    @classmethod
    def from_ids(cls, *ids: int) -> "DraftFormButton":
        """Build the button of a draft and a form."""
        draft_id, number = ids
        return cls(DraftId(draft_id), _FORMS[number % len(_FORMS)])

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form, with what the draft holds."""
        draft = await services_of(interaction).drafting.form(
            self._draft_id, UserId(interaction.user.id), self._form, await place_of(interaction)
        )
        await interaction.response.send_modal(draft_modal(interaction, draft, self._form))


class DraftFilesButton(AnsweringItem[ui.Button[Any]], kind="draft-files"):
    """Hands the texts of a draft out as files, as a form holds only so much."""

    def __init__(self, draft_id: DraftId) -> None:
        super().__init__(ui.Button(label="Texts as files", custom_id=self.id_for(draft_id)))
        self._draft_id = draft_id

    @classmethod
    def from_ids(cls, *ids: int) -> "DraftFilesButton":
        """Build the button of a draft."""
        return cls(DraftId(ids[0]))

    async def act(self, interaction: discord.Interaction) -> None:
        """Send the files, with a button to bring them back."""
        texts = await services_of(interaction).drafting.as_files(
            self._draft_id, UserId(interaction.user.id), await place_of(interaction)
        )
        view = ui.View(timeout=None)
        view.add_item(DraftUploadButton(self._draft_id))
        files = [discord.File(io.BytesIO(each.text.encode()), each.name) for each in texts if each.text]
        words = "Change them in an editor, then press *Upload*." if files else "There are no texts yet: press *Upload*."
        await interaction.response.send_message(
            f"{words} Each is plain text in UTF-8, and only those you upload are taken.",
            files=files,
            view=view,
            ephemeral=True,
        )


class DraftUploadButton(AnsweringItem[ui.Button[Any]], kind="draft-upload"):
    """Opens the form that takes texts as files."""

    def __init__(self, draft_id: DraftId) -> None:
        super().__init__(ui.Button(label="Upload", style=discord.ButtonStyle.primary, custom_id=self.id_for(draft_id)))
        self._draft_id = draft_id

    @classmethod
    def from_ids(cls, *ids: int) -> "DraftUploadButton":
        """Build the button of a draft."""
        return cls(DraftId(ids[0]))

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form."""
        await services_of(interaction).drafting.form(
            self._draft_id, UserId(interaction.user.id), Form.PROMPT, await place_of(interaction)
        )
        await interaction.response.send_modal(upload_modal(interaction, self._draft_id))


class DraftSaveButton(AnsweringItem[ui.Button[Any]], kind="draft-save", ids=2):
    """Sends a draft to NanoGPT."""

    def __init__(self, draft_id: DraftId, way: int = _PLAIN) -> None:
        label = _SAVE_LABELS[way]
        style = discord.ButtonStyle.success if way == _PLAIN else discord.ButtonStyle.danger
        super().__init__(ui.Button(label=label, style=style, custom_id=self.id_for(draft_id, way)))
        self._draft_id = draft_id
        self._way = way

    @classmethod
    def from_ids(cls, *ids: int) -> "DraftSaveButton":
        """Build the button of a draft and of how it is saved."""
        draft_id, way = ids
        return cls(DraftId(draft_id), way % (_CONFIRMED_AND_TELL + 1))

    async def act(self, interaction: discord.Interaction) -> None:
        """Save it, and put what came of it in the place of the panel; a failure leaves the panel as it is."""
        await interaction.response.defer()
        await _save(
            interaction,
            self._draft_id,
            confirmed=self._way != _PLAIN,
            tell=self._way == _CONFIRMED_AND_TELL,
        )


def panel_view(draft: Draft) -> ui.View:
    """Return the buttons over a draft."""
    view = ui.View(timeout=None)
    if draft.kind is DraftKind.PUBLISH:
        view.add_item(DraftFormButton(draft.id, Form.ACCESS, label="Choose…"))
        return view
    for form in (Form.TEXTS, Form.PROMPT, Form.LABELS):
        view.add_item(DraftFormButton(draft.id, form))
    if draft.kind is DraftKind.CREATE:
        view.add_item(DraftFormButton(draft.id, Form.ACCESS))
    view.add_item(DraftSaveButton(draft.id))
    view.add_item(DraftFilesButton(draft.id))
    return view


def open_again_view(draft_id: DraftId, form: Form) -> ui.View:
    """Return the button under what went wrong with a form."""
    view = ui.View(timeout=None)
    view.add_item(DraftFormButton(draft_id, form, label="Open again"))
    return view


def question_view(question: Question) -> ui.View:
    """Return the buttons under the question whether to save."""
    view = ui.View(timeout=None)
    view.add_item(DraftSaveButton(question.draft.id, _CONFIRMED))
    if question.reviewed:
        view.add_item(DraftSaveButton(question.draft.id, _CONFIRMED_AND_TELL))
    return view


async def show_panel(interaction: discord.Interaction, draft: Draft) -> None:
    """Show a draft: as the answer to a deferred interaction, else in place of the message that opened its form."""
    embed = drawn(draft_card(draft), with_picture=False)
    if interaction.response.is_done():
        await interaction.edit_original_response(content=None, embed=embed, view=panel_view(draft), attachments=[])
    elif interaction.message is not None:
        await interaction.response.edit_message(content=None, embed=embed, view=panel_view(draft), attachments=[])
    else:
        await interaction.response.send_message(embed=embed, view=panel_view(draft), ephemeral=True)


# Forms


def draft_modal(interaction: discord.Interaction, draft: Draft, form: Form) -> ui.Modal:
    """Draw a form of a draft."""
    values = shown_in(draft.writing, form)
    match form:
        case Form.TEXTS:
            items = _text_items(values)
        case Form.PROMPT:
            items = _prompt_items(draft, values)
        case Form.LABELS:
            items = _label_items(draft, values)
        case Form.ACCESS:
            items = _access_items(values)
    title = draft.writing.now.name or "New character"
    return drawn_form(
        interaction, DRAFT_FORM, draft.id, _FORMS.index(form), title=f"{_LABELS[form]}: {title}", items=items
    )


def upload_modal(interaction: discord.Interaction, draft_id: DraftId) -> ui.Modal:
    """Draw the form that takes texts as files."""
    return drawn_form(
        interaction,
        UPLOAD_FORM,
        draft_id,
        title="Texts as files",
        items=[
            ui.Label(
                text=text_words(name).capitalize(),
                component=ui.FileUpload[Any](custom_id=name, required=False, min_values=0, max_values=1),
            )
            for name in ("summary", "description", "first_message", "system_prompt")
        ],
    )


def _text_items(values: Mapping[str, str]) -> list[ui.Item[Any]]:
    descriptions = {
        "summary": "One or two sentences, for lists. The catalogue shows them.",
        "description": "For people who look at it in the catalogue; the model does not read it.",
        "first_message": "What it says first. Optional.",
    }
    return [
        _text_item(name, value, description=descriptions.get(name), required=name == "name")
        for name, value in values.items()
    ]


def _text_item(name: str, value: str, *, description: str | None, required: bool = False) -> ui.Item[Any]:
    if not fits_form(value):
        return _too_long(name, value)
    short = name == "name"
    return ui.Label(
        text=text_words(name).capitalize(),
        description=description,
        component=ui.TextInput[Any](
            custom_id=name,
            style=discord.TextStyle.short if short else discord.TextStyle.paragraph,
            default=value or None,
            required=required,
            max_length=max(_NAME_CHARACTERS, utf16_length(value)) if short else LONGEST_IN_FORM,
        ),
    )


def _too_long(name: str, value: str) -> ui.Item[Any]:
    return ui.TextDisplay[Any](
        f"The {text_words(name)} has {len(value):,} characters, more than a form holds. "
        "Edit it with *Texts as files*; here it stays as it is."
    )


def _prompt_items(draft: Draft, values: Mapping[str, str]) -> list[ui.Item[Any]]:
    prompt, held = values["system_prompt"], draft.writing.now.system_prompt
    items: list[ui.Item[Any]] = []
    if held is None and draft.writing.before is not None:
        items.append(ui.TextDisplay(f"{PROMPT_HIDDEN}, unless you write another."))
    items.append(
        _text_item(
            "system_prompt",
            prompt,
            description="Who it is and how it speaks, for the model. Left empty, it stays as it is.",
        )
    )
    if draft.writing.before is not None or held:
        items.append(
            ui.Label(
                text="Clear the prompt",
                description="Ticked, the prompt is emptied, whatever stands above.",
                component=ui.Checkbox[Any](custom_id=CLEAR),
            )
        )
    return items


def _label_items(draft: Draft, values: Mapping[str, str]) -> list[ui.Item[Any]]:
    question = card_question(draft.writing)
    return [
        ui.Label(
            text="Tags",
            description="With commas between them",
            component=ui.TextInput[Any](
                custom_id="tags",
                default=values["tags"] or None,
                required=False,
                max_length=min(max(_TAGS_CHARACTERS, utf16_length(values["tags"])), LONGEST_IN_FORM),
            ),
        ),
        *([] if question is None else [ui.TextDisplay[Any](question)]),
        ui.Label(
            text="Content rating",
            description="How adult it is, the strictest first. NanoGPT may rate it stricter.",
            component=_rating_item(draft, values["rating"]),
        ),
        ui.Label(
            text="Model",
            description="The id of a model of NanoGPT. /character create offers them while you type.",
            component=ui.TextInput[Any](
                custom_id="base_model",
                default=values["base_model"] or None,
                required=False,
                max_length=min(max(_MODEL_CHARACTERS, utf16_length(values["base_model"])), LONGEST_IN_FORM),
            ),
        ),
    ]


def _rating_item(draft: Draft, chosen: str) -> ui.Item[Any]:
    """Return what the rating is chosen with. Nothing is chosen beforehand that its author has not said."""
    required = draft.kind is DraftKind.CREATE
    words = [rating.word for rating in rating_choices(draft.writing.rating_floor)]
    if len(words) >= _FEWEST_IN_GROUP:
        options = [discord.RadioGroupOption(label=word, value=word, default=word == chosen) for word in words]
        return ui.RadioGroup[Any](custom_id="rating", options=options, required=required)
    choices = [discord.SelectOption(label=word, value=word, default=word == chosen) for word in words]
    return ui.Select[Any](custom_id="rating", options=choices, required=required, min_values=int(required))


def _access_items(values: Mapping[str, str]) -> list[ui.Item[Any]]:
    options = [
        discord.RadioGroupOption(
            label=visibility.value.capitalize(),
            value=visibility.value,
            description=description,
            default=values["visibility"] == visibility.value,
        )
        for visibility, description in _VISIBILITIES.items()
    ]
    return [
        ui.Label(
            text="Who can see and use it",
            component=ui.RadioGroup[Any](custom_id="visibility", options=options, required=True),
        ),
        ui.Label(
            text="Open to apps",
            description="Lets others use it through apps such as this bot, once it is public and approved",
            component=ui.Checkbox[Any](custom_id="allow_api", default=values["allow_api"] == TICKED),
        ),
        ui.Label(
            text="Tell me by direct message?",
            description="Once NanoGPT's moderators have decided, if you make it public",
            component=ui.Checkbox[Any](custom_id=TELL, default=values[TELL] == TICKED),
        ),
    ]


# What comes back


async def submit_draft(interaction: discord.Interaction, submission: Submission) -> None:
    """Take a filled-in form of a draft."""
    draft_id, number, *_ = (*submission.ids, 0)
    form = _FORMS[number % len(_FORMS)]
    try:
        draft = await services_of(interaction).drafting.fill(
            DraftId(draft_id), UserId(interaction.user.id), form, submission.values
        )
    except Exception as error:  # noqa: BLE001 - whatever failed, nothing that was typed is lost.
        await _keep_typed(interaction, DraftId(draft_id), form, submission.values, error)
        return
    if draft.kind is DraftKind.PUBLISH:
        await interaction.response.defer()
        await _save(interaction, draft.id)
    else:
        await show_panel(interaction, draft)


async def submit_upload(interaction: discord.Interaction, submission: Submission) -> None:
    """Take texts that were uploaded as files."""
    await interaction.response.defer()
    draft_id, *_ = submission.ids
    draft = await services_of(interaction).drafting.take_files(
        DraftId(draft_id), UserId(interaction.user.id), submission.files, await place_of(interaction)
    )
    await show_panel(interaction, draft)


async def _keep_typed(
    interaction: discord.Interaction, draft_id: DraftId, form: Form, values: Mapping[str, str], error: Exception
) -> None:
    """Say what went wrong, and keep what was typed: with the draft, or else hand it back as a file."""
    try:
        kept = await services_of(interaction).drafting.keep_typed(draft_id, UserId(interaction.user.id), form, values)
    except Exception:  # noqa: BLE001 - then it is handed back.
        _log.exception("what was typed into draft %s could not be kept", draft_id)
        kept = False
    sentence = failure_sentence(error)
    if kept and sentence is not None:
        await answer(interaction, sentence, view=open_again_view(draft_id, form))
        return
    await answer_failure(interaction, error)
    if kept:
        await answer(interaction, "What you typed is kept.", view=open_again_view(draft_id, form))
    elif typed := "\n\n".join(f"{name}:\n{text}" for name, text in values.items() if text.strip()):
        file = discord.File(io.BytesIO(typed.encode("utf-8", "replace")), _TYPED_FILE)
        await interaction.followup.send(_HANDED_BACK, file=file, ephemeral=True)


async def _save(
    interaction: discord.Interaction, draft_id: DraftId, *, confirmed: bool = False, tell: bool = False
) -> None:
    result = await services_of(interaction).drafting.save(
        draft_id, UserId(interaction.user.id), confirmed=confirmed, tell=tell
    )
    if isinstance(result, Question):
        await answer(interaction, result.text, view=question_view(result))
        return
    await _show_saved(interaction, result)


async def _show_saved(interaction: discord.Interaction, saved: Saved) -> None:
    if saved.left is not None:
        embed = drawn(draft_card(saved.left), with_picture=False)
        await interaction.edit_original_response(
            content=saved.sentence, embeds=[embed], view=panel_view(saved.left), attachments=[]
        )
        return
    embeds: list[discord.Embed] = []
    if saved.own is not None:
        place = await place_of(interaction)
        ceiling = services_of(interaction).catalog.ceiling(place)
        texts = texts_may_open(saved.own.character.rating, place, ceiling)
        embeds.append(drawn(own_card(saved.own, texts=texts), with_picture=False))
    await interaction.edit_original_response(content=saved.sentence, embeds=embeds, view=None, attachments=[])
