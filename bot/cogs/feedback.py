"""`/character rate` and `/character report`, and the news that members hear after any command."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.autocomplete import complete_character
from bot.services.feedback import FeedbackService
from bot.views.feedback import open_rating, open_report, tell_news


class FeedbackCog(commands.Cog):
    """Opens the forms. A form has to be the first answer, so characters are looked up here and never upstream."""

    def __init__(self, feedback: FeedbackService, group: app_commands.Group) -> None:
        """Take the group `/character`, to which the commands are added."""
        self._feedback = feedback
        group.command(name="rate", description="Say what you think of a character")(self.rate)
        group.command(name="report", description="Report a character to the NanoGPT catalogue")(self.report)

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

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: discord.Interaction, _command: object) -> None:
        """Tell the person what became of their reports, unless a form is open before them."""
        if interaction.response.type is not discord.InteractionResponseType.modal:
            await tell_news(interaction, self._feedback)
