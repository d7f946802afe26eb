"""Rating and reporting, by command and in the menu of a message, and the news that members hear after any command."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.autocomplete import complete_character
from bot.cogs.message_menus import add_message_menu
from bot.domain.ids import MessageId
from bot.services.feedback import FeedbackService
from bot.views.feedback import open_rating, open_report, tell_news


class FeedbackCog(commands.Cog):
    """Opens the forms. A form has to be the first answer, so characters are looked up here and never upstream."""

    def __init__(
        self, feedback: FeedbackService, group: app_commands.Group, tree: app_commands.CommandTree[discord.Client]
    ) -> None:
        """Take the group `/character`, to which the commands are added, and the tree for those in menus."""
        self._feedback = feedback
        group.command(name="rate", description="Say what you think of a character")(self.rate)
        group.command(name="report", description="Report a character to the NanoGPT catalogue")(self.report)
        for name, callback in (("Rate character", self.rate_message), ("Report", self.report_message)):
            add_message_menu(tree, name, callback)

    @app_commands.describe(character="Its name in the catalogue, or its id")
    @app_commands.autocomplete(character=complete_character)
    async def rate(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Open the form to rate a character."""
        await open_rating(interaction, await self._feedback.find(character))

    @app_commands.describe(character="Its name in the catalogue, or its id")
    @app_commands.autocomplete(character=complete_character)
    async def report(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Open the form to report a character."""
        await open_report(interaction, await self._feedback.find(character))

    async def rate_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open the form to rate the character whose message it is."""
        ref, _ = await self._feedback.spoken_by(MessageId(message.id))
        await open_rating(interaction, ref)

    async def report_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open the form to report the character whose message it is, for that reply."""
        await open_report(interaction, *await self._feedback.spoken_by(MessageId(message.id)))

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: discord.Interaction, _command: object) -> None:
        """Tell the person what became of their reports and reviews, unless a form is open before them."""
        if interaction.response.type is not discord.InteractionResponseType.modal:
            await tell_news(interaction, self._feedback)
