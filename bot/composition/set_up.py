"""What the client is given once it is logged in: its commands, and the components that it is to know."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from discord import app_commands

from bot.config import Settings
from bot.gateway.client import CharacterBot, CommandSync
from bot.views.registry import DYNAMIC_ITEMS

if TYPE_CHECKING:
    from discord.ext import commands


class SetUp:
    """What is to be done once the client is logged in; filled after the client exists."""

    def __init__(self) -> None:
        self.cogs: tuple[commands.Cog, ...] = ()
        self.finish: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, client: CharacterBot) -> None:
        """Do it; the client calls this between its login and its connection."""
        for cog in self.cogs:
            await client.add_cog(cog)
        if self.finish is not None:
            await self.finish()


def finishing(
    client: CharacterBot, groups: Iterable[app_commands.Group], sync: CommandSync, settings: Settings
) -> Callable[[], Awaitable[None]]:
    """Return what puts the commands in place, and sends them to Discord where they have changed."""

    async def finish() -> None:
        for group in groups:
            client.tree.add_command(group)
        client.add_dynamic_items(*DYNAMIC_ITEMS)
        await sync.load()
        if settings.discord.shard_ids is None or 0 in settings.discord.shard_ids:
            await sync.if_changed(client.application_id or 0)

    return finish
