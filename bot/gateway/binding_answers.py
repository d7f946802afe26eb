"""Carrying a change of a channel's character out and telling it: for the commands, and for the button on a profile."""

import discord

from bot.domain.bindings import Trigger
from bot.gateway.places import asker_of, bot_rights, place_of, refuse_forum
from bot.gateway.presenting import answer
from bot.services.bindings import BindingChange, BindingService


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
    nobody = discord.AllowedMentions.none()
    try:
        if interaction.response.is_done():
            await interaction.edit_original_response(content=change.answer)
            await interaction.followup.send(change.notice, suppress_embeds=True, allowed_mentions=nobody)
        else:
            await interaction.response.send_message(change.notice, suppress_embeds=True, allowed_mentions=nobody)
        await bindings.greet(change)
    finally:
        bindings.release(change)
