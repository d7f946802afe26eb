"""`/privacy`: what is kept, to have it deleted, to be ignored."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.ids import MessageId, UserId
from bot.domain.privacy_wording import DELETE_QUESTION, NOW_HEARD, NOW_IGNORED
from bot.services.privacy import PrivacyService
from bot.views.privacy import delete_question_view


class PrivacyCog(commands.GroupCog, group_name="privacy", group_description="What this bot keeps about you"):
    """Answers members about themselves, in private."""

    def __init__(self, privacy: PrivacyService) -> None:
        self._privacy = privacy

    @app_commands.command(name="show", description="What I keep about you, for how long, and where messages go")
    async def show(self, interaction: discord.Interaction) -> None:
        """Tell what is kept."""
        text = await self._privacy.overview(UserId(interaction.user.id))
        await interaction.response.send_message(text, ephemeral=True, suppress_embeds=True)

    @app_commands.command(name="delete", description="Delete what I keep about you")
    async def delete(self, interaction: discord.Interaction) -> None:
        """Ask before deleting."""
        view = delete_question_view(UserId(interaction.user.id))
        await interaction.response.send_message(DELETE_QUESTION, view=view, ephemeral=True)

    @app_commands.command(
        name="ignore-me", description="Make me pass over your messages everywhere, or hear them again"
    )
    async def ignore_me(self, interaction: discord.Interaction) -> None:
        """Ignore the member, or hear them again."""
        ignored = await self._privacy.toggle_ignored(UserId(interaction.user.id), MessageId(interaction.id))
        await interaction.response.send_message(NOW_IGNORED if ignored else NOW_HEARD, ephemeral=True)
