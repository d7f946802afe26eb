"""`/help` and `/ping`."""

from collections.abc import Iterator, Mapping
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.help_wording import CommandLine, help_text, ping_text
from bot.services.health import HealthService


class HelpCog(commands.Cog):
    """Explains the bot, and tells how it is."""

    def __init__(
        self, *, tree: app_commands.CommandTree[Any], command_ids: Mapping[str, int], health: HealthService
    ) -> None:
        """Take the tree, whose commands are listed as they are, and Discord's ids of them as far as they are known."""
        self._tree = tree
        self._command_ids = command_ids
        self._health = health

    @app_commands.command(name="help", description="What this bot does, its commands, and how to be left alone")
    async def help(self, interaction: discord.Interaction) -> None:
        """Answer with an overview."""
        embed = discord.Embed(title="AI characters for your server")
        embed.description = help_text(
            _listed(self._tree),
            self._command_ids,
            menus=[menu.name for menu in self._tree.get_commands(type=discord.AppCommandType.message)],
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    @app_commands.command(name="ping", description="Whether the bot and what it depends on are well")
    async def ping(self, interaction: discord.Interaction) -> None:
        """Answer with three times."""
        await interaction.response.defer(ephemeral=True)
        health = await self._health.check()
        text = ping_text(
            gateway_seconds=interaction.client.latency,
            upstream_ms=health.upstream_ms,
            database_ms=health.database_ms,
        )
        await interaction.followup.send(text, ephemeral=True)


def _listed(tree: app_commands.CommandTree[Any]) -> Iterator[CommandLine]:
    for command in tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield CommandLine(command.qualified_name, command.description)
