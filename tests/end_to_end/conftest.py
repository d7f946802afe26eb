from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bot.sandbox.discord import RecordedRequest
from bot.sandbox.discord.json_types import as_object
from tests.end_to_end.secrecy import listening
from tests.end_to_end.world import World, open_world
from tests.support.openapi import RequestCheck


def may_ping(request: RecordedRequest) -> str | None:
    """Say so when a text is sent with which somebody could be notified."""
    body = as_object(request.json) or {}
    data = as_object(body.get("data")) if request.route.endswith("/callback") else body
    if not data or not data.get("content"):
        return None
    allowed = as_object(data.get("allowed_mentions"))
    return None if allowed is not None and allowed.get("parse") == [] else "mentions are not denied"


@asynccontextmanager
async def watched_world(folder: Path, check: RequestCheck) -> AsyncGenerator[World]:
    """Open a world in which nothing may happen that Discord, NanoGPT or the people in it would not accept."""
    async with open_world(folder) as opened:
        opened.discord.request_validators.extend((check, may_ping))
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
