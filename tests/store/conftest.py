from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from tests.store.seed import NOW, Seed


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    opened = await Database.open(tmp_path / "bot.db", now_ms=NOW)
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey(b"fake-key" * 4)])


@pytest.fixture
def seed(database: Database, vault: Vault) -> Seed:
    return Seed(database, vault)
