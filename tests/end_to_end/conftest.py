from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end_to_end.secrecy import listening
from tests.end_to_end.world import World, open_world
from tests.support.openapi import RequestCheck


@asynccontextmanager
async def watched_world(folder: Path, check: RequestCheck) -> AsyncGenerator[World]:
    """Open a world in which nothing may happen that Discord, NanoGPT or the people in it would not accept."""
    async with open_world(folder) as opened:
        opened.discord.request_validators.append(check)
        with listening(opened):
            yield opened
        opened.discord.assert_clean()
        opened.upstream.assert_clean()


@pytest.fixture
async def world(tmp_path: Path, discord_request_check: RequestCheck) -> AsyncGenerator[World]:
    """Open a world for one test."""
    async with watched_world(tmp_path, discord_request_check) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_world(
    tmp_path_factory: pytest.TempPathFactory, discord_request_check: RequestCheck
) -> AsyncGenerator[World]:
    """Open a world for all tests of a module: each keeps to a server of its own."""
    async with watched_world(tmp_path_factory.mktemp("world"), discord_request_check) as opened:
        yield opened
