from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.vault import MasterKey, Vault

NOW = 1_800_000_000_000
"""A Unix time in milliseconds, in January 2027."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    opened = await Database.open(tmp_path / "bot.db", now_ms=NOW)
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([MasterKey(b"fake-key" * 4)])
