"""Looking at a database without the bot: nothing is created, brought up to date or kept open."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.store.errors import DatabaseInUse, DatabaseNotWritable, DatabaseTooNew, translate
from bot.store.migrations import MIGRATIONS
from bot.store.sealed import SEALED_COLUMNS
from bot.store.vault import HEADER_BYTES, key_id_of

BUSY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a database is like. `schema` is None where there is none yet; the next start makes it."""

    schema: int | None
    newest: int
    """The schema that this release knows."""
    key_ids: frozenset[bytes] = frozenset()
    """The ids of the master keys under which something in it is sealed; looked up in a schema that is up to date."""


def inspect(path: Path) -> Inspection:
    """Look at a database, for as long as a lock may take. Blocks.

    Raises a StoreError when the bot could not start with it: in use, not writable, locked, damaged, too new.
    """
    newest = max(migration.version for migration in MIGRATIONS)
    if not path.exists():
        _check_folder(path)
        return Inspection(None, newest)
    _check_lock(path)
    try:
        with closing(_connect(path)) as connection:
            # SQLite opens a read-only file silently, and complains at the first write.
            connection.execute("BEGIN IMMEDIATE")
            schema = _schema(connection)
            if schema is not None:
                connection.execute("UPDATE schema_version SET name = name")
            key_ids = frozenset(_key_ids(connection)) if schema == newest else frozenset[bytes]()
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise translate(path, error) or error from error
    if schema is not None and schema > newest:
        raise DatabaseTooNew(path, schema, newest)
    return Inspection(schema, newest, key_ids)


def _connect(path: Path) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)


def _schema(connection: sqlite3.Connection) -> int | None:
    tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchall()
    if not tables:
        return None
    (version,) = connection.execute("SELECT MAX(version) FROM schema_version").fetchone()
    return version


def _key_ids(connection: sqlite3.Connection) -> Iterable[bytes]:
    for sealed in SEALED_COLUMNS:
        headers = connection.execute(
            f"SELECT DISTINCT substr({sealed.column}, 1, {HEADER_BYTES}) FROM {sealed.table} "
            f"WHERE {sealed.column} IS NOT NULL"
        )
        yield from (key_id_of(header) for (header,) in headers)


def _check_folder(path: Path) -> None:
    """Raise DatabaseNotWritable when the database could not be made where it belongs."""
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise DatabaseNotWritable(path)


def _check_lock(path: Path) -> None:
    """Raise DatabaseInUse when a bot holds the lock beside the database; see bot.store.database."""
    try:
        lock_file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatabaseNotWritable(path) from error
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise DatabaseInUse(path) from error
    finally:
        os.close(lock_file)
