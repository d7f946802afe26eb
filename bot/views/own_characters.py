"""Asking a member before a character of their own speaks, which everyone there then spends their balance on."""

from typing import Any, Final, Self

import discord
from discord import ui

from bot.domain.bindings import Trigger
from bot.domain.ids import CharacterRef
from bot.domain.own_wording import LEAST_TURNS, MOST_TURNS, NO_NUMBER, SUGGESTED_TURNS, read_turns
from bot.errors import UserError
from bot.gateway.binding_answers import defer_in_private, tell, use_character
from bot.gateway.places import asker_of, bot_rights, place_of, refuse_forum
from bot.services.bindings import BindingService
from bot.services.own_characters import OwnCharacterFound
from bot.views.base import AnsweringItem, services_of
from bot.views.modals import Submission, drawn_form

OWN_FORM: Final = "own-form"
_TURNS: Final = "turns"
_TRIGGERS: Final = tuple(Trigger)


class AgreeButton(AnsweringItem[ui.Button[Any]], kind="own-agree", ids=2):
    """Opens the form in which a member says for how many replies a day they pay."""

    def __init__(self, ref: CharacterRef, trigger: Trigger) -> None:
        super().__init__(
            ui.Button(
                label="Pay for it here…",
                style=discord.ButtonStyle.primary,
                custom_id=self.id_for(ref, _TRIGGERS.index(trigger)),
            )
        )
        self._ref = ref
        self._trigger = trigger

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the button of a character and of what it is to answer."""
        ref, trigger = ids
        return cls(CharacterRef(ref), _trigger(trigger))

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form; whose the character is, is looked at when it comes back."""
        await interaction.response.send_modal(agreement_form(interaction, self._ref, self._trigger))


async def use_or_ask(
    interaction: discord.Interaction, bindings: BindingService, address: str, trigger: Trigger | None = None
) -> None:
    """Bring a character to the channel of an interaction; ask first where it is the person's own. Raises UserError."""
    try:
        await use_character(interaction, bindings, address, trigger)
    except OwnCharacterFound as found:
        view = ui.View(timeout=None)
        view.add_item(AgreeButton(found.known.ref, found.trigger))
        await interaction.edit_original_response(content=found.sentence, view=view)


def agreement_form(interaction: discord.Interaction, ref: CharacterRef, trigger: Trigger) -> ui.Modal:
    """Draw the form that asks for how many replies a day the member pays."""
    turns = ui.TextInput[Any](
        custom_id=_TURNS,
        default=str(SUGGESTED_TURNS),
        min_length=len(str(LEAST_TURNS)),
        max_length=len(str(MOST_TURNS)),
    )
    return drawn_form(
        interaction,
        OWN_FORM,
        ref,
        _TRIGGERS.index(trigger),
        title="Pay for your character here",
        items=[
            ui.Label(
                text="Replies a day, at most",
                description="Your NanoGPT account pays for each, whoever is answered. Starts afresh at midnight UTC.",
                component=turns,
            )
        ],
    )


async def submit_agreement(interaction: discord.Interaction, submission: Submission) -> None:
    """Let the character speak, as its owner has agreed."""
    refuse_forum(interaction)
    turns = read_turns(submission.values.get(_TURNS, ""))
    if turns is None:
        raise UserError(NO_NUMBER)
    ref, trigger, *_ = submission.ids
    bindings = services_of(interaction).bindings
    await defer_in_private(interaction)
    change = await bindings.use_own(
        await place_of(interaction),
        asker_of(interaction),
        CharacterRef(ref),
        _trigger(trigger),
        turns,
        missing=bot_rights(interaction),
    )
    await tell(interaction, bindings, change)


def _trigger(number: int) -> Trigger:
    return _TRIGGERS[number % len(_TRIGGERS)]
