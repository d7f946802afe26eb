from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from tests.store.seed import NOW, Seed
from tests.support.new_database import NewDatabase


@pytest.fixture
async def database(tmp_path: Path, new_database: NewDatabase) -> AsyncGenerator[Database]:
    opened = await new_database(tmp_path / "bot.db", now_ms=NOW)
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey(b"fake-key" * 4)])


@pytest.fixture
def seed(database: Database, vault: Vault) -> Seed:
    return Seed(database, vault)
