"""Carrying a change of a channel's character out and telling it: for the commands, and for the button on a profile."""

import logging

import discord

from bot.domain.bindings import Trigger
from bot.gateway.conversion import destination_of_channel
from bot.gateway.failures import asking
from bot.gateway.places import asker_of, bot_rights, place_of, refuse_forum
from bot.gateway.presenting import answer
from bot.services.bindings import BindingChange, BindingService
from bot.services.outlet import OutletError

_log = logging.getLogger(__name__)


async def use_character(
    interaction: discord.Interaction, bindings: BindingService, address: str, trigger: Trigger | None = None
) -> None:
    """Bring a character to the channel of an interaction, and tell it. Raises UserError when it cannot be."""
    refuse_forum(interaction)
    await defer_in_private(interaction)
    change = await bindings.use(
        await place_of(interaction), asker_of(interaction), address, trigger, missing=bot_rights(interaction)
    )
    await tell(interaction, bindings, change)


async def defer_in_private(interaction: discord.Interaction) -> None:
    """Gain time; what went wrong is then for the person alone. A button's own message stays as it is."""
    await interaction.response.defer(ephemeral=True, thinking=True)


async def tell(interaction: discord.Interaction, bindings: BindingService, change: BindingChange) -> None:
    """Answer the person, tell the channel what concerns everyone there, then let the character greet."""
    if change.notice is None:
        await answer(interaction, change.answer)
        return
    notice = change.notice
    try:
        try:
            await asking(lambda: _tell_everyone(interaction, change.answer, notice))
        except OutletError as error:
            # The change is made, and people have to know of it, whatever became of the command.
            destination = destination_of_channel(interaction.guild_id or 0, interaction.channel)
            if destination is None:
                raise
            _log.warning("A notice in %s could not be the answer to its command: %r", destination.place, error)
            await bindings.tell(destination, notice)
        await bindings.greet(change)
    finally:
        bindings.release(change)


async def _tell_everyone(interaction: discord.Interaction, answer_in_private: str, notice: str) -> None:
    nobody = discord.AllowedMentions.none()
    if interaction.response.is_done():
        # This comes first: what comes first takes the place of the answer that was put off, and is private as that is.
        await interaction.edit_original_response(content=answer_in_private)
        await interaction.followup.send(notice, suppress_embeds=True, allowed_mentions=nobody)
    else:
        await interaction.response.send_message(notice, suppress_embeds=True, allowed_mentions=nobody)
