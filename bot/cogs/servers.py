"""`/server settings`."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.views.servers import open_panel


class ServersCog(commands.Cog):
    """Shows the staff of a server its settings."""

    def __init__(self, group: app_commands.Group) -> None:
        group.command(name="settings", description="See and change who decides here, what may be shown, and who pays")(
            self.settings
        )

    async def settings(self, interaction: discord.Interaction) -> None:
        """Open the panel."""
        await open_panel(interaction)
