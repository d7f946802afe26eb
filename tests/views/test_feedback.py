from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord import ui
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.bindings import Trigger
from bot.domain.custom_ids import parse_custom_id
from bot.domain.drafts import Draft, DraftKind, Form, Writing
from bot.domain.feedback import MAX_DETAILS_CHARACTERS, MAX_REVIEW_CHARACTERS, Addressee, Rating, Review
from bot.domain.ids import CharacterRef, DraftId, ReportId, TurnId, UserId
from bot.domain.publishing import Standing, Whereabouts
from bot.domain.reporting import Readers
from bot.domain.sheets import NEW_SHEET
from bot.sandbox.discord import RecordedRequest
from bot.services.feedback import FeedbackService, News, RatingForm, ReportForm
from bot.store.errors import DatabaseFull
from bot.views.accounts import key_form
from bot.views.base import AnsweringItem
from bot.views.drafting import draft_modal, upload_modal
from bot.views.feedback import (
    REVIEW_BOX_CHARACTERS,
    PublishButton,
    PublishMineButton,
    RateButton,
    ReportButton,
    handed_back,
    rate_modal,
    report_modal,
    submit_rating,
    submit_report,
    tell_news,
)
from bot.views.modals import ModalHandler, Submission
from bot.views.own_characters import agreement_form
from bot.views.privacy import DeleteMineButton
from bot.views.registry import DYNAMIC_ITEMS, MODAL_HANDLERS
from bot.views.servers import server_key_form
from tests.support.openapi import RequestCheck, discord_request_check
from tests.support.openings import opening

__all__ = ["discord_request_check"]

REF = CharacterRef(2**53)
CHECKBOX = discord.ComponentType.checkbox.value
MAX_MESSAGE = 2_000
NAMES = st.text(max_size=200)
LONGEST_SENTENCE = 300


def problem(check: RequestCheck, modal: Mapping[str, Any]) -> str | None:
    """Return what Discord's description says against opening a form."""
    route = "/interactions/{interaction_id}/{interaction_token}/callback"
    body = {"type": 9, "data": modal}
    return check(RecordedRequest(0.0, "POST", route, {}, {}, body, (), authorised=False))


@settings(max_examples=25, deadline=None)
@given(
    name=NAMES,
    stars=st.integers(1, 5),
    text=st.none() | st.text(max_size=MAX_REVIEW_CHARACTERS),
    publishes=st.booleans(),
)
async def test_a_rating_form_is_valid_whatever_the_name_and_the_earlier_rating(
    discord_request_check: RequestCheck, name: str, stars: int, text: str | None, *, publishes: bool
) -> None:
    modal = rate_modal(opening(), RatingForm(REF, name, Review(stars, text), publishes))
    assert problem(discord_request_check, modal.to_dict()) is None


async def test_a_first_rating_has_nothing_chosen_and_nothing_written() -> None:
    stars, text = (part["component"] for part in rate_modal(opening(), RatingForm(REF, "Ada", None)).to_components())
    assert [option["value"] for option in stars["options"]] == ["5", "4", "3", "2", "1"]
    assert not any(option.get("default") for option in stars["options"])
    assert text.get("value") is None
    assert text["required"] is False


@pytest.mark.parametrize(("publishes", "words"), [(True, "as your own review"), (False, "not published")])
async def test_a_rating_form_says_whether_the_text_is_published(*, publishes: bool, words: str) -> None:
    _, text = rate_modal(opening(), RatingForm(REF, "Ada", None, publishes)).to_components()
    assert words in text["description"]


@settings(max_examples=25, deadline=None)
@given(
    name=st.none() | NAMES,
    turn=st.none() | st.integers(1, 2**53),
    readers=st.builds(Readers, st.sampled_from(Addressee), linked=st.booleans(), staff=st.booleans()),
)
async def test_a_report_form_is_valid_whatever_the_name_and_whoever_reads_it(
    discord_request_check: RequestCheck, name: str | None, turn: int | None, readers: Readers
) -> None:
    modal = report_modal(opening(), ReportForm(REF, name, None if turn is None else TurnId(turn), readers))
    assert problem(discord_request_check, modal.to_dict()) is None


async def test_a_report_form_says_that_discord_has_a_report_of_its_own() -> None:
    shown, *_ = report_modal(opening(), ReportForm(REF, "Ada", None)).to_components()
    assert "does not replace Discord's own report function" in shown["content"]


@pytest.mark.parametrize("staff", [True, False])
async def test_the_staff_is_shown_name_and_details_only_after_a_tick(*, staff: bool) -> None:
    readers = Readers(Addressee.CATALOGUE, linked=False, staff=staff)
    drawn = report_modal(opening(), ReportForm(REF, "Ada", None, readers)).to_components()
    boxes = [part["component"] for part in drawn if part.get("component", {}).get("type") == CHECKBOX]
    assert [box.get("default", False) for box in boxes] == ([False] if staff else [])


@given(text=st.text(max_size=REVIEW_BOX_CHARACTERS))
def test_what_was_typed_comes_back_in_one_whole_block(text: str) -> None:
    block = handed_back(text)
    if text:
        assert block.count("```") == 2
        assert block.endswith("\n```")
    else:
        assert block == ""


def test_a_plain_text_comes_back_as_it_was() -> None:
    assert "\n```\nIt is *good*,\n`really`.\n```" in handed_back("It is *good*,\n`really`.")


@pytest.mark.parametrize("size", [REVIEW_BOX_CHARACTERS, MAX_DETAILS_CHARACTERS])
def test_the_longest_text_fits_into_a_message_with_its_sentence(size: int) -> None:
    assert len(handed_back("x" * size)) + LONGEST_SENTENCE <= MAX_MESSAGE


@pytest.mark.parametrize(
    ("made", "label"),
    [
        (lambda: RateButton(REF), "★ Rate"),
        (lambda: ReportButton(REF), "⚑ Report"),
        (lambda: ReportButton(REF, TurnId(2**53)), "⚑ Report"),
        (lambda: PublishButton(REF), "Publish"),
        (PublishMineButton, "Publish my ratings"),
        (lambda: DeleteMineButton(UserId(2**63 - 1)), "Delete it all"),
    ],
)
async def test_every_button_is_known_again_by_its_custom_id(
    made: Callable[[], AnsweringItem[ui.Button[Any]]], label: str
) -> None:
    button = made()
    assert button.item.label == label
    matching = [each for each in DYNAMIC_ITEMS if each.__discord_ui_compiled_template__.fullmatch(button.custom_id)]
    assert matching == [type(button)]


class Rated:
    """Takes ratings, and notes which of them may be published."""

    def __init__(self) -> None:
        self.published: list[bool] = []

    async def rate(self, user_id: UserId, ref: CharacterRef, *, publish: bool, **_: object) -> Rating:
        self.published.append(publish)
        return Rating(user_id, ref, Review(4), None, 1, 1, None)

    async def standing(self, user_id: UserId, ref: CharacterRef) -> Standing:
        return Standing(Rating(user_id, ref, Review(4), None, 1, 1, None), Whereabouts.UNLINKED)

    async def pending_news(self, _: object) -> None:
        return None


@pytest.mark.parametrize(
    ("form", "published"),
    [(RatingForm(REF, "Ada", None, publishes=True), True), (RatingForm(REF, "Ada", None), False)],
)
async def test_only_a_rating_of_a_form_that_said_so_is_published(form: RatingForm, *, published: bool) -> None:
    parsed = parse_custom_id(rate_modal(opening(), form).custom_id)
    assert parsed is not None
    rated = Rated()
    submission = Submission(parsed.kind, parsed.ids, {"stars": "4"})
    await submit_rating(cast("discord.Interaction", cast("object", Answering(rated))), submission)
    assert rated.published == [published]


async def test_a_form_from_before_ratings_could_be_published_stays_here() -> None:
    rated = Rated()
    submission = Submission("rate-form", (REF, 2**60), {"stars": "4"})
    await submit_rating(cast("discord.Interaction", cast("object", Answering(rated))), submission)
    assert rated.published == [False]


async def test_every_form_has_somebody_to_take_it() -> None:
    forms = (
        rate_modal(opening(), RatingForm(REF, "Ada", None)),
        report_modal(opening(), ReportForm(REF, "Ada", None)),
        agreement_form(opening(), REF, Trigger.EVERY),
        key_form(opening()),
        server_key_form(opening()),
        draft_modal(opening(), Draft(DraftId(1), UserId(1), DraftKind.CREATE, None, Writing(NEW_SHEET), 0), Form.TEXTS),
        upload_modal(opening(), DraftId(1)),
    )
    assert {form.custom_id.split(":")[1] for form in forms} == set(MODAL_HANDLERS)


class Answering:
    """As much of an interaction as a submitted form needs, outside servers."""

    def __init__(self, feedback: object) -> None:
        self.id = 1
        self.type = discord.InteractionType.modal_submit
        self.guild_id = None
        self.channel_id = None
        self.user = SimpleNamespace(id=400)
        self.client = SimpleNamespace(services=SimpleNamespace(feedback=feedback, publishing=feedback))
        self.said: list[str] = []
        self.response = self.followup = self

    def is_done(self) -> bool:
        return bool(self.said)

    async def send(self, text: str, **_: object) -> None:
        self.said.append(text)

    async def send_message(self, text: str, **_: object) -> None:
        self.said.append(text)


class Breaking:
    """Fails at whatever is stored."""

    async def rate(self, *_: object, **__: object) -> None:
        raise DatabaseFull(Path("bot.db"))

    async def report(self, *_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")


@pytest.mark.parametrize(
    ("submit", "field", "said"),
    [(submit_rating, "text", "my own records"), (submit_report, "details", "this code")],
)
async def test_what_was_typed_is_handed_back_whatever_failed(submit: ModalHandler, field: str, said: str) -> None:
    interaction = Answering(Breaking())
    submission = Submission("form", (5, 1), {"stars": "5", "reason": "hate", field: "A long thought."})
    await submit(cast("discord.Interaction", cast("object", interaction)), submission)
    first, second = interaction.said
    assert said in first
    assert "```\nA long thought.\n```" in second


async def test_news_that_could_not_be_shown_are_told_another_time(caplog: pytest.LogCaptureFixture) -> None:
    class WithNews:
        shown = False

        async def pending_news(self, _: object) -> News:
            return News((ReportId(1),), ("Your report was not taken.",))

        async def told(self, _: News) -> None:
            self.shown = True

    class Gone(Answering):
        async def send(self, text: str, **_: object) -> None:
            raise ConnectionResetError(text)

    feedback = WithNews()
    await tell_news(cast("discord.Interaction", cast("object", Gone(feedback))), cast("FeedbackService", feedback))
    assert not feedback.shown
    assert "could not be told" in caplog.text


async def test_nobody_deletes_the_data_of_somebody_else() -> None:
    interaction = Answering(Breaking())
    await DeleteMineButton(UserId(401)).callback(cast("discord.Interaction", cast("object", interaction)))
    assert interaction.said == ["That button is somebody else's. Use /privacy delete for your own data."]
