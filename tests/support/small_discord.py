"""A small Discord as fixtures: one server, one channel, and a client that is connected to it."""

from collections.abc import AsyncGenerator

import pytest

from bot.sandbox.discord import Channel, DiscordSandbox, Guild
from tests.sandbox.discord_clients import RecordingClient, running


@pytest.fixture
async def sandbox() -> AsyncGenerator[DiscordSandbox]:
    """Open a stand-in for Discord."""
    async with DiscordSandbox() as opened:
        yield opened


@pytest.fixture
def guild(sandbox: DiscordSandbox) -> Guild:
    """Add a server."""
    return sandbox.add_guild("Guild")


@pytest.fixture
def general(guild: Guild) -> Channel:
    """Add its first channel."""
    return guild.add_channel("general")


@pytest.fixture
async def client(sandbox: DiscordSandbox, general: Channel) -> AsyncGenerator[RecordingClient]:
    """Connect a client that knows the channel."""
    async with running(sandbox, RecordingClient()) as opened:
        assert opened.get_channel(general.id) is not None
        yield opened
