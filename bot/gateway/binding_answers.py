"""Carrying a change of a channel's character out and telling it: for the command, and for the button on a profile."""

import discord

from bot.domain.bindings import Trigger
from bot.gateway.places import asker_of, bot_rights, place_of, refuse_forum
from bot.services.bindings import BindingChange, BindingService


async def use_character(
    interaction: discord.Interaction, bindings: BindingService, address: str, trigger: Trigger | None = None
) -> None:
    """Bring a character to the channel of an interaction. Raises UserError when it cannot be; answers otherwise."""
    refuse_forum(interaction)
    await defer_in_private(interaction)
    change = await bindings.use(
        await place_of(interaction), asker_of(interaction), address, trigger, missing=bot_rights(interaction)
    )
    await tell(interaction, bindings, change)


async def defer_in_private(interaction: discord.Interaction) -> None:
    """Gain time; the answer will be seen by the person alone. For a button too, whose message stays as it is."""
    await interaction.response.defer(ephemeral=True, thinking=True)


async def tell(interaction: discord.Interaction, bindings: BindingService, change: BindingChange) -> None:
    """Answer a deferred interaction, tell the channel what concerns everyone, then let the character greet."""
    await interaction.edit_original_response(content=change.answer)
    if change.notice is not None:
        await interaction.followup.send(
            change.notice, suppress_embeds=True, allowed_mentions=discord.AllowedMentions.none()
        )
    await bindings.greet(change)
