"""The connection to SQLite, on real files, with real threads, a real second process and a real kill -9."""

import asyncio
import os
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bot.store.database import BUSY_TIMEOUT_SECONDS, Database, Row, SqlValue
from bot.store.errors import (
    DatabaseDamaged,
    DatabaseFull,
    DatabaseInUse,
    DatabaseLocked,
    DatabaseNotWritable,
    DatabaseTooNew,
    StoreError,
    translate,
)
from tests.store.seed import NOW


class Writer(Protocol):
    """What the tests need of the connection inside; aiosqlite leaves most of its parameters untyped."""

    async def execute(self, sql: str) -> object: ...

    async def create_function(self, name: str, num_params: int, func: Callable[[], int]) -> None: ...

    async def set_trace_callback(self, handler: Callable[[str], None]) -> None: ...


def writer_of(database: Database) -> Writer:
    return vars(database)["_writer"]


PUT = "INSERT INTO state (name, value) VALUES ($1, $2)"
NAMES = "SELECT name FROM state ORDER BY name"


async def names(database: Database) -> list[str]:
    return [row["name"] for row in await database.read(NAMES)]


async def put(database: Database, name: str) -> None:
    async with database.transaction() as tx:
        await tx.execute(PUT, name, "x")


# Values and rows


@pytest.mark.parametrize(
    ("sql", "values", "expected"),
    [
        ("SELECT $2 AS a, $1 AS b", (1, 2), (2, 1)),
        ("SELECT $1 AS a, $1 AS b", ("x",), ("x", "x")),
        ("SELECT $10 AS a, $1 AS b", tuple(range(1, 11)), (10, 1)),
        ("SELECT $1 AS a, $2 AS b", (None, b"\0\xff"), (None, b"\0\xff")),
        ("SELECT $1 AS a, $2 AS b", (2**63 - 1, 1.5), (2**63 - 1, 1.5)),
    ],
)
async def test_values_are_bound_by_their_number(
    database: Database, sql: str, values: tuple[SqlValue, ...], expected: tuple[SqlValue, ...]
) -> None:
    (row,) = await database.read(sql, *values)
    assert tuple(row) == expected


async def test_a_missing_value_is_an_error(database: Database) -> None:
    with pytest.raises(sqlite3.ProgrammingError):
        await database.read("SELECT $1, $2", 1)


async def test_all_rows_of_returning_are_fetched_before_the_commit(database: Database) -> None:
    async with database.transaction() as tx:
        rows = await tx.execute(
            "INSERT INTO state (name, value) VALUES ($1, 'x'), ($2, 'x'), ($3, 'x') RETURNING name", "a", "b", "c"
        )
    assert [row["name"] for row in rows] == ["a", "b", "c"]
    assert await names(database) == ["a", "b", "c"]


async def test_reads_see_only_what_was_committed(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(PUT, "a", "x")
        assert await names(database) == []
    assert await names(database) == ["a"]


async def test_the_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseNotWritable):
        await database.read("DELETE FROM state RETURNING name")


async def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "bot.db"
    first = await Database.open(path, now_ms=NOW)
    await put(first, "a")
    await first.close()
    second = await Database.open(path, now_ms=NOW)
    assert await names(second) == ["a"]
    await second.close()


PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")


async def test_power_loss_foreign_keys_and_deletion_are_provided_for(database: Database) -> None:
    async with database.transaction() as tx:
        values = [(await tx.execute(f"PRAGMA {name}"))[0][0] for name in PRAGMAS]
    assert values == ["wal", 2, 1, 1]


# Undoing


async def test_an_error_undoes_the_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(PUT, "a", "x")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    await put(database, "b")
    assert await names(database) == ["b"]


async def test_a_failing_statement_undoes_the_ones_before_it(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(PUT, "a", "x")
            await tx.execute(PUT, "a", "x")

    with pytest.raises(sqlite3.IntegrityError):
        await fail()
    assert await names(database) == []


async def test_transactions_wait_for_each_other(database: Database) -> None:
    running = 0

    async def one(name: str) -> None:
        nonlocal running
        async with database.transaction() as tx:
            running += 1
            assert running == 1
            await tx.execute(PUT, name, "x")
            running -= 1

    await asyncio.gather(*(one(name) for name in "abcdef"))
    assert await names(database) == list("abcdef")


async def test_a_transaction_inside_a_transaction_is_refused_and_not_waited_for(database: Database) -> None:
    async with database.transaction() as tx:
        with pytest.raises(RuntimeError):
            await put(database, "inner")
        await tx.execute(PUT, "outer", "x")
    assert await names(database) == ["outer"]


# Cancellation


async def write_pair(database: Database, pair: int) -> None:
    async with database.transaction() as tx:
        await tx.execute(PUT, f"{pair}a", "x")
        await tx.execute(PUT, f"{pair}b", "x")


async def assert_whole_pairs_only(database: Database) -> None:
    found = await names(database)
    assert {name[:-1] + "a" for name in found} | {name[:-1] + "b" for name in found} == set(found)


@asynccontextmanager
async def traced(database: Database, at: Callable[[str], None]) -> AsyncGenerator[None]:
    """Call `at` in the connection's thread when a statement starts, before its result can reach the loop."""

    def nothing(_: str) -> None: ...

    await writer_of(database).set_trace_callback(at)
    yield
    await writer_of(database).set_trace_callback(nothing)


@pytest.mark.parametrize(
    ("statement", "committed"), [("BEGIN", False), ("'0a'", False), ("'0b'", False), ("COMMIT", True)]
)
async def test_cancelled_while_a_statement_is_under_way_nothing_is_half_committed(
    database: Database, statement: str, *, committed: bool
) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(write_pair(database, 0))

    def cancel(text: str) -> None:
        if statement in text:
            loop.call_soon_threadsafe(task.cancel)

    async with traced(database, cancel):
        await asyncio.wait([task])
    assert task.cancelled()
    assert await names(database) == (["0a", "0b"] if committed else [])
    await write_pair(database, 1)
    assert (await names(database))[-2:] == ["1a", "1b"]


async def test_cancelled_again_while_it_is_undone_the_next_transaction_still_works(database: Database) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(write_pair(database, 0))

    def cancel(text: str) -> None:
        if "'0b'" in text or "ROLLBACK" in text:
            loop.call_soon_threadsafe(task.cancel)

    async with traced(database, cancel):
        await asyncio.wait([task])
    assert task.cancelled()
    await write_pair(database, 1)
    assert await names(database) == ["1a", "1b"]


async def test_cancelled_while_a_statement_still_queues_it_leaves_nothing(database: Database) -> None:
    blocked, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold() -> int:
        loop.call_soon_threadsafe(blocked.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return 0

    async def write() -> None:
        async with database.transaction() as tx:
            await tx.execute(PUT, "a", "x")
            holding.append(asyncio.ensure_future(tx.execute("SELECT hold()")))
            await blocked.wait()
            await tx.execute(PUT, "b", "x")

    await writer_of(database).create_function("hold", 0, hold)
    holding: list[asyncio.Future[list[Row]]] = []
    task = asyncio.ensure_future(write())
    await blocked.wait()
    await asyncio.sleep(0)
    task.cancel()
    next_one = asyncio.ensure_future(put(database, "c"))
    await asyncio.sleep(0)
    assert not next_one.done()
    go_on.set()
    await next_one
    assert task.cancelled()
    await asyncio.gather(*holding)
    assert await names(database) == ["c"]


async def test_cancelled_at_any_scheduling_point_pairs_stay_whole(database: Database) -> None:
    for pair in range(300):
        task = asyncio.ensure_future(write_pair(database, pair))
        for _ in range(pair % 100):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await assert_whole_pairs_only(database)
    await write_pair(database, 1000)
    assert {"1000a", "1000b"} <= set(await names(database))


async def test_cancelled_while_waiting_for_its_turn_it_takes_no_lock_with_it(database: Database) -> None:
    async with database.transaction() as tx:
        waiting = asyncio.ensure_future(put(database, "late"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await tx.execute(PUT, "a", "x")
    await put(database, "b")
    assert await names(database) == ["a", "b"]


async def test_a_cancelled_read_leaves_the_reader_usable(database: Database) -> None:
    await put(database, "a")
    for _ in range(20):
        task = asyncio.ensure_future(database.read(NAMES))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert await names(database) == ["a"]


async def test_a_failing_commit_is_undone_even_when_it_is_cancelled(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        await tx.execute("CREATE TABLE child (id BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    loop = asyncio.get_running_loop()

    async def orphan() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO child (id) VALUES (7)")

    with pytest.raises(sqlite3.IntegrityError):
        await orphan()
    task = asyncio.ensure_future(orphan())

    def cancel(text: str) -> None:
        if "COMMIT" in text:
            loop.call_soon_threadsafe(task.cancel)

    async with traced(database, cancel):
        await asyncio.wait([task])
    assert task.cancelled()
    await put(database, "a")
    assert (await names(database), await database.read("SELECT id FROM child")) == (["a"], [])


# Closing


async def test_closing_waits_for_the_transaction_under_way(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    database = await Database.open(path, now_ms=NOW)
    async with database.transaction() as tx:
        closing = asyncio.ensure_future(database.close())
        await asyncio.sleep(0)
        await tx.execute(PUT, "a", "x")
        assert not closing.done()
    await closing
    database = await Database.open(path, now_ms=NOW)
    assert await names(database) == ["a"]
    await database.close()


async def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    first = await Database.open(tmp_path / "a.db", now_ms=NOW)
    await first.close()
    second = await Database.open(tmp_path / "b.db", now_ms=NOW)
    await first.close()
    with pytest.raises(DatabaseInUse):
        await Database.open(tmp_path / "b.db", now_ms=NOW)
    await second.close()


async def test_cancelled_while_closing_it_closes_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    for points in range(30):
        database = await Database.open(path, now_ms=NOW)
        closing = asyncio.ensure_future(database.close())
        for _ in range(1 + points):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
    database = await Database.open(path, now_ms=NOW)
    await database.close()


async def test_cancelled_while_opening_it_lets_go_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    for points in range(60):
        opening = asyncio.ensure_future(Database.open(path, now_ms=NOW))
        for _ in range(points * 3):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        if not opening.cancelled():
            await opening.result().close()
    database = await Database.open(path, now_ms=NOW)
    await put(database, "a")
    await database.close()


# Another process


SECOND_PROCESS = """
import asyncio, sys
from pathlib import Path
from bot.store.database import Database

async def main():
    database = await Database.open(Path(sys.argv[1]), now_ms=1)
    put = "INSERT INTO state (name, value) VALUES ($1, $1)"
    async with database.transaction() as tx:
        await tx.execute(put, "committed")
    async with database.transaction() as tx:
        await tx.execute(put, "not committed")
        sys.stdout.write("ready\\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SECOND_PROCESS, path, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"ready\n"
    with pytest.raises(DatabaseInUse) as caught:
        await Database.open(path, now_ms=NOW)
    assert str(caught.value) == f"Another process is using the database {path}; stop it first."
    first.send_signal(signal.SIGKILL)
    await first.wait()
    database = await Database.open(path, now_ms=NOW)
    assert await names(database) == ["committed"]
    await put(database, "mine")
    await database.close()


async def test_a_second_opening_in_the_same_process_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseInUse):
        await Database.open(database.path, now_ms=NOW)
    await put(database, "a")


# What can be wrong with the file


async def refusal(path: Path, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await Database.open(path, now_ms=NOW, busy_timeout_seconds=busy_timeout_seconds)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert caught.value.path == path
    return caught.value


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    database = await Database.open(path, now_ms=NOW)
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO schema_version (version, name, applied_at) VALUES (9000, 'later', 1)")
    await database.close()
    error = await refusal(path)
    assert isinstance(error, DatabaseTooNew)
    assert (error.found, "install a newer release" in str(error)) == (9000, True)
    await refusal(path)


@pytest.mark.parametrize("content", [b"This is a letter, not a database. " * 40, b"SQLite format 3\0" + b"\x07" * 4096])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(content)
    assert isinstance(await refusal(path), DatabaseDamaged)
    assert path.read_bytes() == content


async def test_damage_inside_is_named_when_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    database = await Database.open(path, now_ms=NOW)
    async with database.transaction() as tx:
        for number in range(2000):
            await tx.execute(PUT, f"name {number}", "x" * 100)
    await database.close()
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half:] = os.urandom(len(content) - half)
    path.write_bytes(content)

    async def use() -> None:
        database = await Database.open(path, now_ms=NOW)
        try:
            await database.read("SELECT name, value FROM state ORDER BY value, name")
        finally:
            await database.close()

    with pytest.raises(DatabaseDamaged):
        await use()


async def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bot.db").mkdir()
    assert isinstance(await refusal(tmp_path / "bot.db"), DatabaseNotWritable)


async def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert isinstance(await refusal(tmp_path / "data" / "bot.db"), DatabaseNotWritable)


@contextmanager
def without_privileges() -> Generator[None]:
    """Root may write everywhere; step down to a user that owns nothing for a while."""
    if os.geteuid() != 0:
        yield
        return
    nobody = 65_534
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder() -> Generator[Path]:
    """A folder that a user without privileges can reach; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def read_only_folder(public_folder: Path) -> Path:
    public_folder.chmod(0o555)
    return public_folder


@pytest.fixture
def read_only_file(public_folder: Path) -> Path:
    path = public_folder / "bot.db"

    async def make() -> None:
        await (await Database.open(path, now_ms=NOW)).close()

    asyncio.run(make())
    path.chmod(0o444)
    (public_folder / "bot.db.lock").chmod(0o666)
    public_folder.chmod(0o777)
    return path


async def test_a_read_only_folder_is_refused(read_only_folder: Path) -> None:
    with without_privileges():
        assert isinstance(await refusal(read_only_folder / "bot.db"), DatabaseNotWritable)
        assert isinstance(await refusal(read_only_folder / "deeper" / "bot.db"), DatabaseNotWritable)


async def test_a_read_only_file_is_refused_at_the_start(read_only_file: Path) -> None:
    with without_privileges():
        assert isinstance(await refusal(read_only_file), DatabaseNotWritable)


async def test_a_full_disk_is_named_and_can_be_recovered_from(database: Database) -> None:
    await put(database, "before")
    (pages,) = await database.read("PRAGMA page_count")
    await writer_of(database).execute(f"PRAGMA max_page_count = {pages[0] + 2}")

    async def fill() -> None:
        async with database.transaction() as tx:
            await tx.execute(PUT, "small", "x")
            await tx.execute(PUT, "large", "x" * 100_000)

    with pytest.raises(DatabaseFull) as caught:
        await fill()
    assert str(caught.value) == f"The disk that holds the database {database.path} is full; free some space."
    assert await names(database) == ["before"]
    await writer_of(database).execute("PRAGMA max_page_count = 1000000")
    await fill()
    assert await names(database) == ["before", "large", "small"]


async def test_a_lock_of_another_program_is_named_and_outlived(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    database = await Database.open(path, now_ms=NOW, busy_timeout_seconds=0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked) as caught:
        await put(database, "a")
    assert str(caught.value) == f"Another program holds a lock on the database {path}; close it and try again."
    other.execute("ROLLBACK")
    await put(database, "b")
    assert await names(database) == ["b"]
    other.close()
    await database.close()


async def test_a_lock_of_another_program_is_named_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    await (await Database.open(path, now_ms=NOW)).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert isinstance(await refusal(path, busy_timeout_seconds=0.01), DatabaseLocked)
    other.close()
    await (await Database.open(path, now_ms=NOW, busy_timeout_seconds=0.01)).close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_READONLY, DatabaseNotWritable),
        (sqlite3.SQLITE_READONLY_DBMOVED, DatabaseNotWritable),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, DatabaseNotWritable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseLocked),
        (sqlite3.SQLITE_LOCKED, DatabaseLocked),
        (sqlite3.SQLITE_FULL, DatabaseFull),
        (sqlite3.SQLITE_IOERR_READ, DatabaseDamaged),
        (sqlite3.SQLITE_CORRUPT_INDEX, DatabaseDamaged),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, type(None)),
        (sqlite3.SQLITE_ERROR, type(None)),
        (None, type(None)),
    ],
)
def test_codes_of_sqlite_become_sentences_and_our_own_mistakes_do_not(code: int | None, expected: type) -> None:
    error = sqlite3.OperationalError("detail")
    if code is not None:
        error.sqlite_errorcode = code
    assert type(translate(Path("bot.db"), error)) is expected
