"""The context menu that tells whose words a message is."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.notices import SERVERS_ONLY
from bot.errors import UserError
from bot.gateway.conversion import incoming_message
from bot.gateway.places import place_of
from bot.gateway.presenting import answer
from bot.services.authorship import AuthorshipService


class AuthorshipCog(commands.Cog):
    """`Who said this?` on any message."""

    def __init__(self, authorship: AuthorshipService, tree: app_commands.CommandTree[discord.Client]) -> None:
        self._authorship = authorship
        tree.add_command(
            app_commands.ContextMenu(
                name="Who said this?",
                callback=self.who_said,
                allowed_contexts=app_commands.AppCommandContext(guild=True),
                allowed_installs=app_commands.AppInstallationType(guild=True),
            )
        )

    async def who_said(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell whether a character, the bot, a person or another app said it, and who pays here."""
        place = await place_of(interaction)
        user = interaction.client.user
        if place is None or user is None:
            raise UserError(SERVERS_ONLY)
        asked_about = incoming_message(
            message, place.guild_id, bot_id=user.id, application_id=interaction.application_id
        )
        by_webhook = message.webhook_id is not None and message.webhook_id != interaction.application_id
        await answer(interaction, await self._authorship.who_said(asked_about, place, by_webhook=by_webhook))
