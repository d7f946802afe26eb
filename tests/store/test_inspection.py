"""A database is looked at without being made, changed or held."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.ids import ChannelId, WebhookId
from bot.domain.webhooks import OwnWebhook
from bot.store.database import Database
from bot.store.errors import DatabaseDamaged, DatabaseInUse, DatabaseLocked, DatabaseNotWritable, DatabaseTooNew
from bot.store.inspection import inspect
from bot.store.migrations import MIGRATIONS
from bot.store.sealed import SEALED_COLUMNS
from bot.store.vault import MasterKey, Vault
from bot.store.webhooks import Webhooks
from tests.store.seed import GUILD, NOW

NEWEST = MIGRATIONS[-1].version


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Return the path of a database that was used and closed."""
    path = tmp_path / "bot.db"
    await (await Database.open(path, now_ms=NOW)).close()
    return path


def test_a_database_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "data" / "deeper" / "bot.db"
    assert inspect(path).schema is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_up_to_date_can_be_opened_afterwards(path: Path) -> None:
    found = inspect(path)
    assert (found.schema, found.newest, found.key_ids) == (NEWEST, NEWEST, frozenset())
    assert inspect(path) == found


def test_an_older_schema_stays_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE schema_version SET version = 0 WHERE version = ?", (NEWEST,))
        connection.commit()
    assert inspect(path).schema == NEWEST - 1
    assert inspect(path).schema == NEWEST - 1


def test_an_empty_file_has_no_schema_yet(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.touch()
    assert inspect(path).schema is None


def test_a_newer_schema_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (999, 'tomorrow', 0)")
        connection.commit()
    with pytest.raises(DatabaseTooNew):
        inspect(path)


async def test_a_database_in_use_is_refused(path: Path) -> None:
    database = await Database.open(path, now_ms=NOW)
    with pytest.raises(DatabaseInUse):
        inspect(path)
    await database.close()
    assert inspect(path).schema == NEWEST


def test_a_locked_database_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.inspection.BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseLocked):
            inspect(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseDamaged):
        inspect(path)


def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotWritable):
        inspect(tmp_path)


def test_a_place_where_nothing_can_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(DatabaseNotWritable):
        inspect(tmp_path / "data" / "bot.db")


async def test_the_keys_that_sealed_something_are_named(path: Path) -> None:
    keys = [MasterKey(bytes([number]) * 32) for number in range(2)]
    database = await Database.open(path, now_ms=NOW)
    for number, key in enumerate(keys):
        webhook = OwnWebhook(ChannelId(number), GUILD, WebhookId(number), "fake-token")
        await Webhooks(database, Vault([key])).put(webhook, NOW)
    await database.close()
    assert inspect(path).key_ids == {key.id for key in keys}


async def test_every_sealed_column_is_looked_at(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        blobs = {
            (table, column)
            for table in tables
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            if kind == "BLOB"
        }
    assert {(sealed.table, sealed.column) for sealed in SEALED_COLUMNS} == blobs


def test_a_lock_file_that_cannot_be_opened_is_refused(path: Path) -> None:
    lock = path.with_name("bot.db.lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(DatabaseNotWritable):
        inspect(path)
