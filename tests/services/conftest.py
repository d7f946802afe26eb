from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from tests.support.manual_clock import ManualClock
from tests.support.new_database import NewDatabase


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock, new_database: NewDatabase) -> AsyncGenerator[Database]:
    opened = await new_database(tmp_path / "bot.db", now_ms=clock.now_ms())
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey(b"fake-key" * 4)])
