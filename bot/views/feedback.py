"""Buttons and forms to rate and report characters."""

import logging
from typing import Any, Final, Self

import discord
from discord import ui

from bot.domain.feedback import MAX_DETAILS_CHARACTERS, MAX_STARS, MIN_REVIEW_CHARACTERS, MIN_STARS
from bot.domain.forms import TICKED
from bot.domain.ids import CharacterRef, TurnId, UserId
from bot.domain.publishing import Standing, Whereabouts, all_sentence, offer_sentence, standing_sentence
from bot.domain.quoting import code_block
from bot.domain.reporting import ReportReason, about_details, about_report
from bot.errors import UserError
from bot.gateway.places import place_of
from bot.gateway.presenting import amend, answer, answer_failure
from bot.services.feedback import FeedbackService, RatingForm, ReportForm
from bot.services.publishing import PublishingService
from bot.views.base import AnsweringItem, services_of
from bot.views.modals import Submission, drawn_form

_log = logging.getLogger(__name__)

RATE_FORM: Final = "rate-form"
REPORT_FORM: Final = "report-form"
REVIEW_BOX_CHARACTERS: Final = 1_500
"""Less than a review may have, so that it fits into one message when it has to be handed back."""

_STARS: Final = "stars"
_TEXT: Final = "text"
_REASON: Final = "reason"
_DETAILS: Final = "details"
_SHARED: Final = "shared"
_FIELDS_TYPED: Final = (_TEXT, _DETAILS)
_STAYS: Final = 0
_PUBLISHES: Final = 1
"""Whether a form said that the rating will be published: only then it is."""
_NO_TURN: Final = 0
"""Stands for "no particular reply" in a form's custom id: row ids begin at 1."""
_STAR_WORDS: Final = {5: "wonderful", 4: "good", 3: "fine", 2: "weak", 1: "bad"}
_ABOUT_TEXT: Final = {
    True: "Published with your stars in the NanoGPT catalogue, as your own review.",
    False: "Kept by this bot. It is not published to the NanoGPT catalogue.",
}


class RateButton(AnsweringItem[ui.Button[Any]], kind="rate"):
    """Opens the form to rate a character; under replies and on profiles."""

    def __init__(self, ref: CharacterRef) -> None:
        super().__init__(ui.Button(label="★ Rate", custom_id=self.id_for(ref)))
        self._ref = ref

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the button of a character."""
        (ref,) = ids
        return cls(CharacterRef(ref))

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form."""
        await open_rating(interaction, self._ref)


class ReportButton(AnsweringItem[ui.Button[Any]], kind="report", least=1, ids=2):
    """Opens the form to report a character, for one reply of it or as such."""

    def __init__(self, ref: CharacterRef, turn_id: TurnId | None = None) -> None:
        ids = (ref,) if turn_id is None else (ref, turn_id)
        super().__init__(ui.Button(label="⚑ Report", custom_id=self.id_for(*ids)))
        self._ref = ref
        self._turn_id = turn_id

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the button of a character, or of one reply of it."""
        ref, *turn = ids
        return cls(CharacterRef(ref), TurnId(turn[0]) if turn else None)

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form."""
        await open_report(interaction, self._ref, self._turn_id)


class PublishButton(AnsweringItem[ui.Button[Any]], kind="publish-rating"):
    """Publishes the presser's rating of a character; with the answer to a rating."""

    def __init__(self, ref: CharacterRef) -> None:
        super().__init__(ui.Button(label="Publish", custom_id=self.id_for(ref)))
        self._ref = ref

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the button of a character."""
        (ref,) = ids
        return cls(CharacterRef(ref))

    async def act(self, interaction: discord.Interaction) -> None:
        """Have it sent, and say how it went."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        publishing = services_of(interaction).publishing
        standing = await publishing.publish(UserId(interaction.user.id), self._ref)
        await _follow(interaction, publishing, standing, lead="")


class PublishMineButton(AnsweringItem[ui.Button[Any]], kind="publish-mine", ids=0):
    """Publishes everything that the presser has rated and not published; offered once an account is linked."""

    def __init__(self) -> None:
        super().__init__(
            ui.Button(label="Publish my ratings", style=discord.ButtonStyle.primary, custom_id=self.id_for())
        )

    async def act(self, interaction: discord.Interaction) -> None:
        """Have all of it sent, and say how it went."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        publishing = services_of(interaction).publishing
        standings = await publishing.publish_all(UserId(interaction.user.id))
        await answer(interaction, all_sentence(standings))
        outcomes = await publishing.outcomes(standings)
        if outcomes is not None and await amend(interaction, all_sentence(outcomes)):
            await publishing.told(outcomes)


def publish_mine_view() -> ui.View:
    """Return what goes with the offer to publish ratings that were given before the account was linked."""
    view = ui.View(timeout=None)
    view.add_item(PublishMineButton())
    return view


async def open_rating(interaction: discord.Interaction, ref: CharacterRef) -> None:
    """Answer with the form to rate a character. Raises UserError when it cannot be rated here."""
    form = await services_of(interaction).feedback.rating_form(
        UserId(interaction.user.id), ref, await place_of(interaction)
    )
    await interaction.response.send_modal(rate_modal(interaction, form))


async def open_report(interaction: discord.Interaction, ref: CharacterRef, turn_id: TurnId | None = None) -> None:
    """Answer with the form to report a character. Raises UserError when it cannot be reported here."""
    form = await services_of(interaction).feedback.report_form(
        UserId(interaction.user.id), ref, turn_id, await place_of(interaction)
    )
    await interaction.response.send_modal(report_modal(interaction, form))


def rate_modal(interaction: discord.Interaction, form: RatingForm) -> ui.Modal:
    """Draw the form to rate a character, with what the member said earlier."""
    earlier = form.earlier
    stars = ui.RadioGroup[Any](
        custom_id=_STARS,
        options=[
            discord.RadioGroupOption(
                label=f"{_drawn(number)} {_STAR_WORDS[number]}",
                value=str(number),
                default=earlier is not None and earlier.stars == number,
            )
            for number in range(MAX_STARS, MIN_STARS - 1, -1)
        ],
    )
    text = ui.TextInput[Any](
        custom_id=_TEXT,
        style=discord.TextStyle.paragraph,
        required=False,
        placeholder=f"At least {MIN_REVIEW_CHARACTERS} characters, or leave it empty",
        default=(earlier.text or "")[:REVIEW_BOX_CHARACTERS] or None if earlier else None,
        max_length=REVIEW_BOX_CHARACTERS,
    )
    return drawn_form(
        interaction,
        RATE_FORM,
        form.ref,
        _PUBLISHES if form.publishes else _STAYS,
        title=f"Rate {form.name}",
        items=[
            ui.Label(text="Your rating", component=stars),
            ui.Label(
                text="Why? (optional)",
                description=_ABOUT_TEXT[form.publishes],
                component=text,
            ),
        ],
    )


def report_modal(interaction: discord.Interaction, form: ReportForm) -> ui.Modal:
    """Draw the form to report a character."""
    reasons = ui.RadioGroup[Any](
        custom_id=_REASON,
        options=[discord.RadioGroupOption(label=reason.words, value=reason.value) for reason in ReportReason],
    )
    details = ui.TextInput[Any](
        custom_id=_DETAILS,
        style=discord.TextStyle.paragraph,
        required=False,
        placeholder="What did it say or do?",
        max_length=MAX_DETAILS_CHARACTERS,
    )
    items: list[ui.Item[Any]] = [
        ui.TextDisplay(about_report(form.readers)),
        ui.Label(text="What is wrong?", component=reasons),
        ui.Label(text="Details (optional)", description=about_details(form.readers), component=details),
    ]
    if form.readers.staff:
        items.append(
            ui.Label(
                text="Show the staff my name and my details",
                description="Else the staff of this server reads only what is wrong, and where.",
                component=ui.Checkbox(custom_id=_SHARED),
            )
        )
    return drawn_form(
        interaction,
        REPORT_FORM,
        form.ref,
        form.turn_id or _NO_TURN,
        title=f"Report {form.name or 'this character'}",
        items=items,
    )


async def submit_rating(interaction: discord.Interaction, submission: Submission) -> None:
    """Take a filled-in rating."""
    services = services_of(interaction)
    user_id = UserId(interaction.user.id)
    ref, publishes, *_ = (*submission.ids, _STAYS)
    try:
        rating = await services.feedback.rate(
            user_id,
            CharacterRef(ref),
            stars=submission.values.get(_STARS, ""),
            text=submission.values.get(_TEXT),
            place=await place_of(interaction),
            publish=publishes == _PUBLISHES,
        )
        standing = await services.publishing.standing(user_id, rating.character_ref)
    except Exception as error:  # noqa: BLE001 - whatever failed, the person gets back what they typed.
        await _hand_back(interaction, submission, error)
        return
    lead = f"{_drawn(rating.review.stars)} Thank you, your rating is saved. "
    await _follow(interaction, services.publishing, standing, lead=lead)
    if standing.where is Whereabouts.WAITING:
        others = await services.publishing.unpublished(user_id, also_refused=False)
        if others:
            await answer(interaction, offer_sentence(len(others)), view=publish_mine_view())
    await tell_news(interaction, services.feedback)


async def _follow(
    interaction: discord.Interaction, publishing: PublishingService, standing: Standing, *, lead: str
) -> None:
    """Say where a rating stands; while it is on its way, wait a little and say how it went in the same answer."""
    await answer(interaction, lead + standing_sentence(standing), view=_standing_view(standing))
    if standing.where is not Whereabouts.WAITING:
        return
    rating = standing.rating
    outcome = await publishing.outcome(rating.user_id, rating.character_ref)
    if outcome is None or outcome.where is Whereabouts.WAITING:
        return
    if await amend(interaction, lead + standing_sentence(outcome), view=_standing_view(outcome)):
        await publishing.told([outcome])


def _standing_view(standing: Standing) -> ui.View | None:
    if not standing.can_be_published:
        return None
    view = ui.View(timeout=None)
    view.add_item(PublishButton(standing.rating.character_ref))
    return view


async def submit_report(interaction: discord.Interaction, submission: Submission) -> None:
    """Take a filled-in report."""
    feedback = services_of(interaction).feedback
    ref, turn, *_ = (*submission.ids, _NO_TURN)
    try:
        report = await feedback.report(
            UserId(interaction.user.id),
            CharacterRef(ref),
            reason=submission.values.get(_REASON, ""),
            details=submission.values.get(_DETAILS),
            turn_id=TurnId(turn) if turn != _NO_TURN else None,
            place=await place_of(interaction),
            shared=submission.values.get(_SHARED) == TICKED,
        )
        receipt = await feedback.receipt(report)
    except Exception as error:  # noqa: BLE001 - whatever failed, the person gets back what they typed.
        await _hand_back(interaction, submission, error)
        return
    await answer(interaction, receipt)
    await tell_news(interaction, feedback)


async def tell_news(interaction: discord.Interaction, feedback: FeedbackService) -> None:
    """Tell the person what became of their reports and reviews, after their interaction was answered. Never raises."""
    try:
        news = await feedback.pending_news(UserId(interaction.user.id))
        if news is not None:
            await interaction.followup.send("\n".join(news.sentences), ephemeral=True, suppress_embeds=True)
            await feedback.told(news)
    except Exception:  # noqa: BLE001 - what the person asked for is done; they hear the news another time.
        _log.exception("the news for interaction %s could not be told", interaction.id)


async def _hand_back(interaction: discord.Interaction, submission: Submission, error: Exception) -> None:
    """Say what went wrong, and repeat what was typed so that it can be pasted again."""
    typed = next((text for name in _FIELDS_TYPED if (text := submission.values.get(name, "").strip())), "")
    block = handed_back(typed)
    if isinstance(error, UserError):
        await answer(interaction, f"{error.sentence}\n{block}" if block else error.sentence)
        return
    await answer_failure(interaction, error)
    if block:
        await answer(interaction, block)


def handed_back(typed: str) -> str:
    """Return a typed text in a code block with a line above; "" for none."""
    return f"This is what you wrote, to be used again:\n{code_block(typed)}" if typed else ""


def _drawn(stars: int) -> str:
    return "★" * stars + "☆" * (MAX_STARS - stars)
