"""The connection to SQLite: one writer behind one lock, one reader, and nothing that cancellation can tear.

Measured with aiosqlite 0.22: a statement that was handed to the connection's thread is carried out even when
the task that awaited it is cancelled. BEGIN therefore stands inside the try, and COMMIT and ROLLBACK are
waited for to their end before the lock is given back.

Each way to the connection's thread and back costs more than most statements. What is done for every message
therefore goes there as a whole, with `write` and `look`; `transaction` is for what is done rarely.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar, cast

import aiosqlite

from bot.store.errors import DatabaseInUse, DatabaseNotWritable, translate
from bot.store.migrations import MIGRATIONS, migrate

BUSY_TIMEOUT_SECONDS: Final = 5.0

SqlValue = None | int | float | str | bytes
Row = sqlite3.Row


T = TypeVar("T")


class Transaction(Protocol):
    """One open transaction; made by a Database only."""

    async def execute(self, sql: str, *values: SqlValue) -> list[Row]:
        """Run one statement and return all its rows, so that no RETURNING is left half stepped.

        `$1` is the first value. SQLite takes `$1` for a name, and binds a tuple by first appearance in the
        text; binding a dict keeps the numbers to their meaning.
        """
        ...


Work = Callable[[Transaction], Coroutine[Any, Any, T]]
"""A transaction as a whole. It may await its own statements and nothing else, and runs outside the event loop."""


class _Remote:
    """A transaction whose statements go to the connection's thread one by one."""

    def __init__(self, connection: aiosqlite.Connection, failure: Callable[[sqlite3.Error], Exception]) -> None:
        self._connection = connection
        self._failure = failure

    async def execute(self, sql: str, *values: SqlValue) -> list[Row]:
        try:
            return list(await self._connection.execute_fetchall(sql, _numbered(values)))
        except sqlite3.Error as error:
            raise self._failure(error) from error


class _Local:
    """A transaction that is in the connection's thread already: no statement of it ever waits."""

    def __init__(self, connection: sqlite3.Connection, failure: Callable[[sqlite3.Error], Exception]) -> None:
        self._connection = connection
        self._failure = failure

    async def execute(self, sql: str, *values: SqlValue) -> list[Row]:
        try:
            return self._connection.execute(sql, _numbered(values)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error


class _Connection(aiosqlite.Connection):
    """A connection that can also run a function in its thread."""

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the function returns or raises; it is carried out even when this task is cancelled."""
        waiting: Awaitable[T] = self._execute(function, self._conn)  # pyright: ignore[reportUnknownMemberType] - untyped
        return await waiting


@dataclass(slots=True, eq=False)
class _Job:
    """A transaction that waits for the writer, or is with it."""

    work: Work[Any]
    result: asyncio.Future[Any]
    begun: bool = False
    value: Any = None
    error: BaseException | None = None

    def carry_out(self, connection: sqlite3.Connection, failure: Callable[[sqlite3.Error], Exception]) -> None:
        """Run the statements; in the connection's thread."""
        self.value = _driven(self.work(_Local(connection, failure)))

    def carry_out_among_others(
        self, connection: sqlite3.Connection, failure: Callable[[sqlite3.Error], Exception]
    ) -> None:
        """As carry_out, and undo these statements alone when one fails."""
        connection.execute("SAVEPOINT job")
        try:
            self.carry_out(connection, failure)
        except BaseException as error:
            if not connection.in_transaction:
                # After a full disk, for one, SQLite has undone everything by itself (https://sqlite.org/lang_transaction.html).
                raise
            self.error = error
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")

    def settle(self) -> None:
        """Tell who asked; in the event loop."""
        if self.result.done():
            return
        if self.error is None:
            self.result.set_result(self.value)
        else:
            self.result.set_exception(self.error)


class Database:
    """An open database. Reads see what was committed; writes go through transaction()."""

    def __init__(self, path: Path, lock_file: int, writer: _Connection, reader: _Connection) -> None:
        self.path = path
        self._lock_file = lock_file
        self._writer = writer
        self._reader = reader
        self._writing = asyncio.Lock()
        self._writing_task: asyncio.Task[Any] | None = None
        self._jobs: list[_Job] = []
        self._carrier: asyncio.Task[None] | None = None
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
        opened: list[_Connection] = []
        connector = partial(sqlite3.connect, path, isolation_level=None, timeout=busy_timeout_seconds)

        async def connect() -> None:
            connection = _Connection(connector, iter_chunk_size=1)
            await connection
            opened.append(connection)

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
        """Close both connections and let go of the file; waits for the transactions under way."""
        while self._carrier is not None:
            await asyncio.shield(self._carrier)
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

    async def write(self, work: Work[T]) -> T:
        """Carry out a whole transaction in the connection's thread: committed when it returns, undone when it raises.

        Transactions that come while another is being written to the disk are committed together, each of them
        undone alone when it fails. When its task is cancelled, one that has not begun never will, and one that
        has is waited for to its end.

        Raises RuntimeError when this task has a transaction open, or when the work waits for anything but its
        statements.
        """
        self._refuse_nesting()
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        if self._carrier is None:
            self._carrier = asyncio.create_task(self._carry_out(), name="database writer")
        try:
            return await job.result
        except asyncio.CancelledError:
            if job.begun:
                await _to_the_end(self._batch_ended())
            raise
        except sqlite3.Error as error:
            raise self._failure(error) from error

    async def _batch_ended(self) -> None:
        async with self._writing:
            pass

    async def _carry_out(self) -> None:
        try:
            while self._jobs:
                async with self._writing:
                    jobs = [job for job in self._jobs if not job.result.done()]
                    self._jobs = []
                    for job in jobs:
                        job.begun = True
                    try:
                        await self._writer.run(partial(_together, jobs, self._failure))
                    except BaseException as error:
                        for job in jobs:
                            job.error = job.error or error
                        if not isinstance(error, Exception):
                            raise
                    finally:
                        for job in jobs:
                            job.settle()
        finally:
            self._carrier = None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a write transaction: committed when the block ends, undone when it raises or is cancelled.

        Raises RuntimeError when this task has one open already: it would wait for itself for ever.
        """
        self._refuse_nesting()
        async with self._writing:
            self._writing_task = asyncio.current_task()
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield _Remote(self._writer, self._failure)
                await _to_the_end(self._writer.commit())
            except BaseException as error:
                await _to_the_end(self._writer.rollback())
                if isinstance(error, sqlite3.Error):
                    raise self._failure(error) from error
                raise
            finally:
                self._writing_task = None

    def _refuse_nesting(self) -> None:
        if self._writing_task is not None and self._writing_task is asyncio.current_task():
            raise RuntimeError("a transaction inside a transaction")

    async def read(self, sql: str, *values: SqlValue) -> list[Row]:
        """Run one query against what was committed."""
        return await _Remote(self._reader, self._failure).execute(sql, *values)

    async def look(self, work: Work[T]) -> T:
        """Run several queries against one state of what was committed, in the connection's thread.

        Raises RuntimeError when the work waits for anything but its queries.
        """
        return await self._reader.run(partial(_look, work, self._failure))

    def _failure(self, error: sqlite3.Error) -> Exception:
        return translate(self.path, error) or error


def _numbered(values: Sequence[SqlValue]) -> dict[str, SqlValue]:
    return {str(place): value for place, value in enumerate(values, 1)}


def _together(
    jobs: Sequence[_Job], failure: Callable[[sqlite3.Error], Exception], connection: sqlite3.Connection
) -> None:
    """Carry out transactions and commit them as one."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        if len(jobs) == 1:
            jobs[0].carry_out(connection, failure)
        else:
            for job in jobs:
                job.carry_out_among_others(connection, failure)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _look(work: Work[T], failure: Callable[[sqlite3.Error], Exception], connection: sqlite3.Connection) -> T:
    connection.execute("BEGIN")
    try:
        return _driven(work(_Local(connection, failure)))
    finally:
        connection.rollback()


def _driven(steps: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits to its end."""
    try:
        steps.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        steps.close()
    raise RuntimeError("a transaction may wait for its own statements only")


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
