from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.end_to_end.world import World, open_world
from tests.support.openapi import RequestValidator


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as opened:
        yield opened
        opened.discord.assert_clean()
        opened.upstream.assert_clean()
