"""The context menu that explains why a message got no answer."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.ids import MessageId, UserId
from bot.domain.notices import SERVERS_ONLY
from bot.errors import UserError
from bot.gateway.conversion import incoming_message
from bot.gateway.places import place_of
from bot.gateway.presenting import answer
from bot.services.silence import SilenceService


class SilenceCog(commands.Cog):
    """`Why silent?` on any message."""

    def __init__(self, silence: SilenceService, tree: app_commands.CommandTree[discord.Client]) -> None:
        self._silence = silence
        tree.add_command(
            app_commands.ContextMenu(
                name="Why silent?",
                callback=self.why_silent,
                allowed_contexts=app_commands.AppCommandContext(guild=True),
                allowed_installs=app_commands.AppInstallationType(guild=True),
            )
        )

    async def why_silent(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell why a message was not answered, or that it was."""
        place = await place_of(interaction)
        user = interaction.client.user
        if place is None or user is None:
            raise UserError(SERVERS_ONLY)
        asked_about = incoming_message(
            message, place.guild_id, bot_id=user.id, application_id=interaction.application_id
        )
        reference = message.reference
        replies_to = None if reference is None or reference.message_id is None else MessageId(reference.message_id)
        await answer(
            interaction,
            await self._silence.explain(asked_about, place, UserId(interaction.user.id), replies_to=replies_to),
        )
