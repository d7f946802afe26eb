"""What the option `character` offers while a person types."""

import asyncio
import logging
from typing import Final

import discord
from discord import app_commands

from bot.domain.ids import UserId
from bot.domain.suggestions import Suggestion
from bot.gateway.places import place_of
from bot.views.base import services_of

_log = logging.getLogger(__name__)

PLACE_SECONDS: Final = 0.1
"""How long the parent of an uncached thread is waited for; the answer has to come within 200 ms."""


async def complete_character(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer characters for what was typed: `@app_commands.autocomplete(character=complete_character)`.

    Answers from memory, with nothing above the place's ceiling; a place that cannot be told in time counts as not
    age-restricted.
    """
    catalog = services_of(interaction).catalog
    try:
        async with asyncio.timeout(PLACE_SECONDS):
            place = await place_of(interaction)
    except TimeoutError:
        _log.info("channel %s could not be looked up in time", interaction.channel_id)
        place = None
    return _choices(catalog.suggest(typed, ceiling=catalog.ceiling(place)))


async def complete_own(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the person's own characters, whatever their rating: the list is before nobody but their author."""
    return _choices(services_of(interaction).desk.suggest(UserId(interaction.user.id), typed))


async def complete_model(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer language models, from memory."""
    return _choices(services_of(interaction).models.suggest(typed))


def _choices(offered: list[Suggestion]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=suggestion.label, value=suggestion.value) for suggestion in offered]
