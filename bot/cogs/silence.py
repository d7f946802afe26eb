"""The context menu that explains why a message got no answer."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.message_menus import add_message_menu, asked_about
from bot.domain.ids import MessageId, UserId
from bot.gateway.presenting import answer
from bot.services.silence import SilenceService


class SilenceCog(commands.Cog):
    """`Why silent?` on any message."""

    def __init__(self, silence: SilenceService, tree: app_commands.CommandTree[discord.Client]) -> None:
        self._silence = silence
        add_message_menu(tree, "Why silent?", self.why_silent)

    async def why_silent(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell why a message was not answered, or that it was."""
        read, place = await asked_about(interaction, message)
        reference = message.reference
        replies_to = None if reference is None or reference.message_id is None else MessageId(reference.message_id)
        await answer(
            interaction,
            await self._silence.explain(read, place, UserId(interaction.user.id), replies_to=replies_to),
        )
