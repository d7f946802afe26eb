"""The command group `/server`, which several cogs may fill."""

import discord
from discord import app_commands


def server_group() -> app_commands.Group:
    """Make the empty group `/server`: for servers only, and for people who manage them, unless they decide otherwise.

    Filled as the group `/character` is (bot.cogs.character_group).
    """
    return app_commands.Group(
        name="server",
        description="What this server lets characters do, and who pays for them",
        guild_only=True,
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )
