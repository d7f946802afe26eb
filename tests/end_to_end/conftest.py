from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.end_to_end.secrecy import listening
from tests.end_to_end.world import World, open_world
from tests.support.openapi import RequestCheck


@pytest.fixture
async def world(tmp_path: Path, discord_request_check: RequestCheck) -> AsyncGenerator[World]:
    """Open a world in which nothing may happen that Discord, NanoGPT or the people in it would not accept."""
    async with open_world(tmp_path) as opened:
        opened.discord.request_validators.append(discord_request_check)
        with listening(opened):
            yield opened
        opened.discord.assert_clean()
        opened.upstream.assert_clean()
