"""What the commands in the menu of a message have in common."""

from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord import app_commands

from bot.domain.messages import IncomingMessage
from bot.domain.notices import SERVERS_ONLY
from bot.domain.places import Place
from bot.errors import UserError
from bot.gateway.conversion import incoming_message
from bot.gateway.places import place_of


def add_message_menu(
    tree: app_commands.CommandTree[discord.Client],
    name: str,
    callback: Callable[[discord.Interaction, discord.Message], Coroutine[Any, Any, None]],
) -> None:
    """Put a command into the menu of every message in servers that have the bot."""
    tree.add_command(
        app_commands.ContextMenu(
            name=name,
            callback=callback,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
    )


async def asked_about(interaction: discord.Interaction, message: discord.Message) -> tuple[IncomingMessage, Place]:
    """Read a message that somebody asks about, and where they do. Raises UserError outside of servers."""
    place = await place_of(interaction)
    user = interaction.client.user
    if place is None or user is None:
        raise UserError(SERVERS_ONLY)
    read = incoming_message(message, place.guild_id, bot_id=user.id, application_id=interaction.application_id)
    return read, place
