from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[Database]:
    opened = await Database.open(tmp_path / "bot.db", now_ms=clock.now_ms())
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey(b"fake-key" * 4)])
