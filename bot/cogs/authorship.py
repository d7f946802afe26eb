"""The context menu that tells whose words a message is."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.message_menus import add_message_menu, asked_about
from bot.gateway.presenting import answer
from bot.services.authorship import AuthorshipService


class AuthorshipCog(commands.Cog):
    """`Who said this?` on any message."""

    def __init__(self, authorship: AuthorshipService, tree: app_commands.CommandTree[discord.Client]) -> None:
        self._authorship = authorship
        add_message_menu(tree, "Who said this?", self.who_said)

    async def who_said(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell whether a character, the bot, a person or another app said it, and who pays here."""
        read, place = await asked_about(interaction, message)
        by_webhook = message.webhook_id is not None and message.webhook_id != interaction.application_id
        await answer(interaction, await self._authorship.who_said(read, place, by_webhook=by_webhook))
