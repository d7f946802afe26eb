"""Whole transactions in the connection's thread: each for itself, though they are committed together."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from bot.store.database import Database, Transaction
from bot.store.errors import DatabaseFull, DatabaseLocked, DatabaseNotWritable
from tests.store.seed import NOW

PUT = "INSERT INTO state (name, value) VALUES ($1, $2)"


class Writer(Protocol):
    """What the tests need of the connection inside."""

    async def execute(self, sql: str) -> object: ...

    async def set_trace_callback(self, handler: Callable[[str], None]) -> None: ...


def writer_of(database: Database) -> Writer:
    return vars(database)["_writer"]


async def names(database: Database) -> list[str]:
    return [row["name"] for row in await database.read("SELECT name FROM state ORDER BY name")]


async def put(database: Database, *wanted: str) -> str:
    async def work(tx: Transaction) -> str:
        for name in wanted:
            await tx.execute(PUT, name, "x")
        return wanted[0]

    return await database.write(work)


async def test_what_the_work_returns_comes_back_once_it_is_committed(database: Database) -> None:
    assert await put(database, "a", "b") == "a"
    assert await names(database) == ["a", "b"]


async def test_a_failing_statement_undoes_its_own_work_and_no_other(database: Database) -> None:
    results = await asyncio.gather(
        put(database, "a"), put(database, "b", "a"), put(database, "c"), return_exceptions=True
    )
    assert [type(result) for result in results] == [str, sqlite3.IntegrityError, str]
    assert await names(database) == ["a", "c"]


async def test_an_error_of_our_own_undoes_the_work(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(PUT, "a", "x")
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await database.write(work)
    assert await names(database) == []


async def test_works_that_come_together_are_committed_together(database: Database) -> None:
    seen: list[str] = []
    await writer_of(database).set_trace_callback(seen.append)
    await asyncio.gather(*(put(database, name) for name in "abcdef"))
    assert seen.count("COMMIT") == 1
    assert await names(database) == list("abcdef")


async def test_one_after_another_they_keep_their_order(database: Database) -> None:
    async def append(letter: str) -> None:
        async def work(tx: Transaction) -> None:
            await tx.execute(
                "INSERT INTO state (name, value) VALUES ('all', $1) "
                "ON CONFLICT (name) DO UPDATE SET value = state.value || excluded.value",
                letter,
            )

        await database.write(work)

    await asyncio.gather(*(append(letter) for letter in "order"))
    assert (await database.read("SELECT value FROM state"))[0]["value"] == "order"


async def test_when_the_commit_fails_everyone_is_told_and_nothing_stays(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        await tx.execute("CREATE TABLE child (id BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")

    async def orphan(tx: Transaction) -> None:
        await tx.execute("INSERT INTO child (id) VALUES (7)")

    results = await asyncio.gather(put(database, "a"), database.write(orphan), return_exceptions=True)
    assert [type(result) for result in results] == [sqlite3.IntegrityError] * 2
    assert await names(database) == []
    assert await put(database, "b") == "b"


async def test_a_full_disk_is_named_and_what_was_said_to_be_written_is_there(database: Database) -> None:
    (pages,) = await database.read("PRAGMA page_count")
    await writer_of(database).execute(f"PRAGMA max_page_count = {pages[0] + 2}")

    async def large(tx: Transaction) -> None:
        await tx.execute(PUT, "large", "x" * 100_000)

    before, failed, after = await asyncio.gather(
        put(database, "before"), database.write(large), put(database, "after"), return_exceptions=True
    )
    assert isinstance(failed, DatabaseFull)
    assert [name for name, result in (("after", after), ("before", before)) if result == name] == await names(database)
    await writer_of(database).execute("PRAGMA max_page_count = 1000000")
    assert await put(database, "later") == "later"


async def test_a_lock_of_another_program_is_named_and_outlived(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    database = await Database.open(path, now_ms=NOW, busy_timeout_seconds=0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked):
        await put(database, "a")
    other.execute("ROLLBACK")
    other.close()
    assert await put(database, "b") == "b"
    await database.close()


async def test_waiting_for_anything_but_a_statement_is_refused(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(PUT, "a", "x")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="its own statements"):
        await database.write(work)
    with pytest.raises(RuntimeError, match="its own statements"):
        await database.look(lambda _: asyncio.sleep(0))
    assert await names(database) == []


async def test_inside_a_transaction_it_is_refused_and_not_waited_for(database: Database) -> None:
    async with database.transaction():
        with pytest.raises(RuntimeError, match="inside"):
            await put(database, "a")


async def test_both_kinds_of_transaction_wait_for_each_other(database: Database) -> None:
    async def slowly(name: str) -> None:
        async with database.transaction() as tx:
            await tx.execute(PUT, name, "x")
            await asyncio.sleep(0)
            await tx.execute(PUT, f"{name}{name}", "x")

    await asyncio.gather(*(step for name in "abc" for step in (slowly(name), put(database, name.upper()))))
    assert len(await names(database)) == 9


async def test_cancelled_before_its_turn_it_is_not_begun(database: Database) -> None:
    async with database.transaction() as tx:
        waiting = asyncio.ensure_future(put(database, "late"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await tx.execute(PUT, "a", "x")
    await put(database, "b")
    assert await names(database) == ["a", "b"]


async def test_cancelled_at_any_scheduling_point_it_is_whole_or_not_there(database: Database) -> None:
    for pair in range(200):
        task = asyncio.ensure_future(put(database, f"{pair}a", f"{pair}b"))
        for _ in range(pair % 20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await put(database, "last")
    found = await names(database)
    assert {name[:-1] for name in found if name.endswith("a")} == {name[:-1] for name in found if name.endswith("b")}


async def test_closing_waits_for_what_is_under_way_and_ends_what_comes_later(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    first = await Database.open(path, now_ms=NOW)
    writing = [asyncio.ensure_future(put(first, name)) for name in "abc"]
    await asyncio.sleep(0)
    await first.close()
    assert await asyncio.gather(*writing) == ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"(?i)connection"):
        await put(first, "d")
    second = await Database.open(path, now_ms=NOW)
    assert await names(second) == ["a", "b", "c"]
    await second.close()


async def test_a_look_sees_one_state_however_long_it_takes(database: Database) -> None:
    await put(database, "a")

    async def count_twice(tx: Transaction) -> tuple[int, int]:
        (before,) = await tx.execute("SELECT COUNT(*) AS n FROM state")
        other = sqlite3.connect(database.path)
        other.execute("INSERT INTO state (name, value) VALUES ('b', 'x')")
        other.commit()
        other.close()
        (after,) = await tx.execute("SELECT COUNT(*) AS n FROM state")
        return before["n"], after["n"]

    assert await database.look(count_twice) == (1, 1)
    assert await names(database) == ["a", "b"]


async def test_a_look_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseNotWritable):
        await database.look(lambda tx: tx.execute(PUT, "a", "x"))
    assert await database.look(lambda tx: tx.execute("SELECT name FROM state")) == []
