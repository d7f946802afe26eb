"""The connection to SQLite: one writer behind one lock, one reader, and nothing that cancellation can tear.

Measured with aiosqlite 0.22: a statement that was handed to the connection's thread is carried out even when
the task that awaited it is cancelled. BEGIN therefore stands inside the try, and COMMIT and ROLLBACK are
waited for to their end before the lock is given back.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final, Self

import aiosqlite

from bot.store.errors import DatabaseInUse, DatabaseNotWritable, translate
from bot.store.migrations import MIGRATIONS, migrate

BUSY_TIMEOUT_SECONDS: Final = 5.0

SqlValue = None | int | float | str | bytes
Row = sqlite3.Row


class Transaction:
    """One open write transaction; made by Database.transaction only."""

    def __init__(self, connection: aiosqlite.Connection, failures: Callable[[sqlite3.Error], Exception]) -> None:
        self._connection = connection
        self._failures = failures

    async def execute(self, sql: str, *values: SqlValue) -> list[Row]:
        """Run one statement and return all its rows, so that no RETURNING is left half stepped.

        `$1` is the first value. SQLite takes `$1` for a name, and binds a tuple by first appearance in the
        text; binding a dict keeps the numbers to their meaning.
        """
        return await _fetch(self._connection, self._failures, sql, values)


class Database:
    """An open database. Reads see what was committed; writes go through transaction()."""

    def __init__(self, path: Path, lock_file: int, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self.path = path
        self._lock_file = lock_file
        self._writer = writer
        self._reader = reader
        self._writing = asyncio.Lock()
        self._writing_task: asyncio.Task[Any] | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, now_ms: int, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> Self:
        """Open or create the database at path, bring its schema up to date, and hold it for this process.

        `busy_timeout_seconds` is how long a lock held by another program is waited for.
        Raises a StoreError whose text is one sentence: in use, not writable, full, locked, damaged, too new.
        """
        lock_file = _lock(path)
        try:
            return await cls._open_locked(path, lock_file, now_ms, busy_timeout_seconds)
        except BaseException:
            os.close(lock_file)
            raise

    @classmethod
    async def _open_locked(cls, path: Path, lock_file: int, now_ms: int, busy_timeout_seconds: float) -> Self:
        opened: list[aiosqlite.Connection] = []

        async def connect() -> None:
            opened.append(await aiosqlite.connect(path, isolation_level=None, timeout=busy_timeout_seconds))

        try:
            _try_to_open(path)
            for _ in ("writer", "reader"):
                await _to_the_end(connect())
                await _prepare(opened[-1])
            await migrate(opened[0], MIGRATIONS, path=path, now_ms=now_ms)
            await _try_to_write(opened[0])
            await opened[1].execute("PRAGMA query_only = ON")
        except BaseException as error:
            for connection in opened:
                await _to_the_end(connection.close())
            if isinstance(error, sqlite3.Error) and (failure := translate(path, error)):
                raise failure from error
            raise
        writer, reader = opened
        return cls(path, lock_file, writer, reader)

    async def close(self) -> None:
        """Close both connections and let go of the file; waits for a transaction under way."""
        async with self._writing:
            if self._closed:
                return
            self._closed = True
            try:
                await _to_the_end(self._close_connections())
            finally:
                os.close(self._lock_file)

    async def _close_connections(self) -> None:
        try:
            await self._reader.close()
        finally:
            await self._writer.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a write transaction: committed when the block ends, undone when it raises or is cancelled.

        Raises RuntimeError when this task has one open already: it would wait for itself for ever.
        """
        if self._writing_task is not None and self._writing_task is asyncio.current_task():
            raise RuntimeError("a transaction inside a transaction")
        async with self._writing:
            self._writing_task = asyncio.current_task()
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield Transaction(self._writer, self._failure)
                await _to_the_end(self._writer.commit())
            except BaseException as error:
                await _to_the_end(self._writer.rollback())
                if isinstance(error, sqlite3.Error):
                    raise self._failure(error) from error
                raise
            finally:
                self._writing_task = None

    async def read(self, sql: str, *values: SqlValue) -> list[Row]:
        """Run one query against what was committed."""
        return await _fetch(self._reader, self._failure, sql, values)

    def _failure(self, error: sqlite3.Error) -> Exception:
        return translate(self.path, error) or error


async def _fetch(
    connection: aiosqlite.Connection,
    failures: Callable[[sqlite3.Error], Exception],
    sql: str,
    values: tuple[SqlValue, ...],
) -> list[Row]:
    try:
        rows = await connection.execute_fetchall(sql, {str(place): value for place, value in enumerate(values, 1)})
    except sqlite3.Error as error:
        raise failures(error) from error
    return list(rows)


async def _prepare(connection: aiosqlite.Connection) -> None:
    connection.row_factory = sqlite3.Row
    # Without secure_delete, what was deleted stays readable in the free pages of the file.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        await connection.execute(f"PRAGMA {pragma}")


def _try_to_open(path: Path) -> None:
    """Open the file once without a thread: aiosqlite leaves its thread behind when a connection fails."""
    with closing(sqlite3.connect(path)):
        pass


async def _try_to_write(writer: aiosqlite.Connection) -> None:
    """Write something and undo it: SQLite opens a read-only file silently, and complains at the first write."""
    await writer.execute("BEGIN IMMEDIATE")
    await writer.execute("UPDATE schema_version SET name = name")
    await writer.rollback()


async def _to_the_end(work: Awaitable[Any]) -> None:
    """Wait for work even when this task is cancelled meanwhile, then let the cancellation go on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:
            if cancelled is None:
                raise
    if cancelled is not None:
        raise cancelled


def _lock(path: Path) -> int:
    """Take the lock beside the database; the system frees it when the process ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock_file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseNotWritable(path) from error
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock_file)
        raise DatabaseInUse(path) from error
    return lock_file
