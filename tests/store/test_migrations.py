"""Numbered migrations, each whole or not at all, from every version that was ever released."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import aiosqlite
import pytest

from bot.domain.ratings import ContentRating
from bot.store.characters import Characters
from bot.store.database import Database
from bot.store.errors import DatabaseTooNew
from bot.store.migrations import MIGRATIONS, Migration, migrate
from tests.store.seed import NOW


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncGenerator[aiosqlite.Connection]:
    async with aiosqlite.connect(tmp_path / "bot.db", isolation_level=None) as connection:
        await connection.execute("PRAGMA foreign_keys = ON")
        yield connection


async def run(connection: aiosqlite.Connection, *migrations: Migration) -> None:
    await migrate(connection, migrations, path=Path("bot.db"), now_ms=NOW)


async def rows(connection: aiosqlite.Connection, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await connection.execute_fetchall(sql)]


async def tables(connection: aiosqlite.Connection) -> set[object]:
    return {row[0] for row in await rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'")}


# Reading the files


def test_the_files_are_numbered_from_one_without_a_gap() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_every_file_has_a_reason_in_its_name_and_splits_into_statements() -> None:
    for migration in MIGRATIONS:
        assert migration.name.replace("_", "").isalnum()
        assert list(migration.statements())


TRIGGER = """CREATE TRIGGER t AFTER INSERT ON a BEGIN
  DELETE FROM a WHERE x = ';';
  SELECT 1;
END;
"""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", []),
        ("-- nothing but words; and a semicolon\n\n", []),
        ("SELECT 1;\nSELECT 2;\n", ["SELECT 1;\n", "SELECT 2;\n"]),
        ("SELECT 1;", ["SELECT 1;"]),
        ("SELECT\n  ';'\n  , 1;\n", ["SELECT\n  ';'\n  , 1;\n"]),
        ("-- why;\nSELECT 1; -- really\n-- the end\n", ["-- why;\nSELECT 1; -- really\n"]),
        (TRIGGER + "SELECT 1;\n", [TRIGGER, "SELECT 1;\n"]),
    ],
)
def test_sql_is_split_at_the_ends_of_statements_only(sql: str, expected: list[str]) -> None:
    assert list(Migration(1, "split", sql).statements()) == expected


@pytest.mark.parametrize("sql", ["SELECT 1;\nSELECT 2\n", "SELECT 1;\n/* half a comment", "SELECT 'half;\n"])
def test_a_statement_without_its_end_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="migration 3"):
        list(Migration(3, "broken", sql).statements())


# Running them


FIRST = Migration(1, "first", "CREATE TABLE a (x BIGINT);\nINSERT INTO a VALUES (1);\n")
SECOND = Migration(2, "second", "INSERT INTO a VALUES (2);\n")


async def test_each_step_runs_once_and_is_written_down_with_its_reason(connection: aiosqlite.Connection) -> None:
    await run(connection, FIRST)
    await run(connection, FIRST, SECOND)
    await run(connection, FIRST, SECOND)
    assert await rows(connection, "SELECT x FROM a") == [(1,), (2,)]
    assert await rows(connection, "SELECT * FROM schema_version") == [(1, "first", NOW), (2, "second", NOW)]


async def test_a_failing_step_rolls_back_whole_and_the_ones_before_it_stay(connection: aiosqlite.Connection) -> None:
    failing = Migration(2, "failing", "INSERT INTO a VALUES (2);\nCREATE TABLE b (x BIGINT);\nSELECT nonsense;\n")
    with pytest.raises(sqlite3.OperationalError, match="nonsense"):
        await run(connection, FIRST, failing)
    assert await rows(connection, "SELECT x FROM a") == [(1,)]
    assert "b" not in await tables(connection)
    assert await rows(connection, "SELECT version FROM schema_version") == [(1,)]
    await run(connection, FIRST, SECOND)
    assert await rows(connection, "SELECT x FROM a") == [(1,), (2,)]


@pytest.mark.parametrize("points", range(0, 60, 6))
async def test_a_cancelled_step_is_whole_or_not_there(connection: aiosqlite.Connection, points: int) -> None:
    await run(connection, FIRST)
    task = asyncio.ensure_future(run(connection, FIRST, SECOND))
    for _ in range(points):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    versions = await rows(connection, "SELECT MAX(version) FROM schema_version")
    assert await rows(connection, "SELECT MAX(x) FROM a") == versions
    await run(connection, FIRST, SECOND)
    assert await rows(connection, "SELECT x FROM a") == [(1,), (2,)]


FAMILY = Migration(
    1,
    "family",
    """
    CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id BIGINT REFERENCES parent (id) ON DELETE CASCADE);
    INSERT INTO parent VALUES (7, 'p');
    INSERT INTO child VALUES (1, 7);
    """,
)
REBUILD = """
CREATE TABLE new_parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
INSERT INTO new_parent SELECT id, name FROM parent{where};
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;
"""


async def test_a_table_can_be_rebuilt_without_losing_what_refers_to_it(connection: aiosqlite.Connection) -> None:
    await run(connection, FAMILY, Migration(2, "rebuild", REBUILD.format(where="")))
    assert await rows(connection, "SELECT * FROM child") == [(1, 7)]
    assert await rows(connection, "PRAGMA foreign_keys") == [(1,)]
    with pytest.raises(sqlite3.IntegrityError):
        await connection.execute("INSERT INTO child VALUES (2, 8)")


async def test_a_rebuild_that_leaves_references_dangling_is_undone(connection: aiosqlite.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="migration 2 leaves 1 dangling"):
        await run(connection, FAMILY, Migration(2, "rebuild", REBUILD.format(where=" WHERE id <> 7")))
    assert await rows(connection, "SELECT * FROM parent") == [(7, "p")]
    assert await rows(connection, "PRAGMA foreign_keys") == [(1,)]


async def test_a_schema_from_the_future_is_refused_without_touching_it(connection: aiosqlite.Connection) -> None:
    await run(connection, FIRST, SECOND)
    with pytest.raises(DatabaseTooNew) as caught:
        await run(connection, FIRST)
    assert (caught.value.found, caught.value.known) == (2, 1)
    assert await rows(connection, "SELECT x FROM a") == [(1,), (2,)]


async def test_a_release_without_migrations_takes_an_empty_database(connection: aiosqlite.Connection) -> None:
    await run(connection)
    assert await tables(connection) == {"schema_version"}


# Upgrades from every version that was released


SAMPLES: dict[int, Sequence[str]] = {
    1: (
        "INSERT INTO guild (id, seen_at) VALUES (10, 1)",
        "INSERT INTO character (ref, id, slug, facts, rating, seen_at) VALUES (1, 'c', 'slug', '{}', 0, 1)",
        "INSERT INTO binding VALUES (1, 10, 20, 1, 'every', 'active', NULL, 30, 'operator', 0, 1, NULL)",
        "INSERT INTO conversation VALUES (1, 1, 'room', 20, 10, 20, 0, 1)",
        "INSERT INTO turn VALUES (1, 1, 'reply', 'answered', NULL, 'operator', 1, 1, 1, 2)",
        "INSERT INTO claim VALUES (40, 1, 10, 20, 30, 'answered', NULL, 1, x'00', 1)",
        "INSERT INTO version VALUES (1, 1, 1, 'complete', x'00', NULL, NULL, NULL, NULL, NULL, 1, 2)",
        "INSERT INTO post VALUES (1, 1, 'reply', 0, 20, NULL, 'webhook', 'posted', 1, 50)",
        "INSERT INTO rating VALUES (30, 1, 5, NULL, 10, 1, 1, NULL)",
        "INSERT INTO report VALUES (1, 30, 1, 10, 20, 40, 'reason', NULL, 'waiting', NULL, 1, NULL, NULL)",
        "INSERT INTO outbox VALUES (1, 'report', '1', 'operator', 0, 1, 1)",
    ),
    2: ("INSERT INTO ignored_member (user_id, since) VALUES (30, 1)",),
    3: (),
    4: (),
    5: (
        "INSERT INTO linked_account VALUES (30, x'00', 'device', 1, NULL)",
        "INSERT INTO pending_login VALUES (31, 'waiting', x'00', NULL, 1, 2, 3)",
        "INSERT INTO server_settings VALUES (10, 5, 1, 6, 1, x'00', 1)",
        "INSERT INTO own_character VALUES (30, 1, x'00', 1, 1, NULL)",
        "UPDATE binding SET payer = 'member:30', daily_turns = 50",
        "INSERT INTO paid_turns VALUES (1, 'member:30', 0, 7)",
    ),
    6: (
        "INSERT INTO refused_review VALUES (30, 1, 'balance', x'00', 1, NULL)",
        "UPDATE report SET addressee = 'staff', shared = 1",
    ),
    7: (
        "INSERT INTO draft VALUES (1, 30, 'edit', 1, x'00', 1)",
        "INSERT INTO card_file VALUES (1, 30, 1, NULL, 'a', 9, x'00', 1)",
        "INSERT INTO card_file VALUES (2, 30, NULL, 1, 'b', 9, x'00', 1)",
        "INSERT INTO moderation_watch VALUES (30, 1, 1, 'pending', 1, 0, 2, NULL)",
    ),
    8: ("UPDATE conversation SET heard_until = 39",),
    9: ("UPDATE binding SET untold = 1",),
}
"""What a database of each version may hold. A new migration adds its own number, with rows of what it brings."""

COUNTS = """
    SELECT (SELECT COUNT(*) FROM guild), (SELECT COUNT(*) FROM character), (SELECT COUNT(*) FROM binding),
           (SELECT COUNT(*) FROM conversation), (SELECT COUNT(*) FROM turn), (SELECT COUNT(*) FROM claim),
           (SELECT COUNT(*) FROM version), (SELECT COUNT(*) FROM post), (SELECT COUNT(*) FROM rating),
           (SELECT COUNT(*) FROM report), (SELECT COUNT(*) FROM outbox)
"""
"""Rows that an upgrade must not lose."""


def test_there_is_a_sample_of_every_version() -> None:
    assert sorted(SAMPLES) == [migration.version for migration in MIGRATIONS]


async def schema(connection: aiosqlite.Connection) -> list[tuple[object, ...]]:
    """Tables with their columns, and indexes: what a program can tell of a schema, whatever way led there."""
    return await rows(
        connection,
        """
        SELECT m.type, m.tbl_name, c.name, c.type, c."notnull", c.dflt_value, c.pk FROM sqlite_master m
        JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
        UNION ALL
        SELECT m.type, m.tbl_name, m.name, m.sql, NULL, NULL, NULL FROM sqlite_master m
        WHERE m.type = 'index' AND m.sql IS NOT NULL
        ORDER BY 1, 2, 3
        """,
    )


@pytest.mark.parametrize("version", [migration.version for migration in MIGRATIONS])
async def test_a_database_of_every_version_becomes_what_a_new_one_is(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    async with aiosqlite.connect(old, isolation_level=None) as connection:
        for migration in MIGRATIONS[:version]:
            await migrate(connection, MIGRATIONS[: migration.version], path=old, now_ms=1)
            for sample in SAMPLES[migration.version]:
                await connection.execute(sample)
        before = await rows(connection, COUNTS)
    for path in (old, new):
        await (await Database.open(path, now_ms=NOW)).close()
    async with aiosqlite.connect(old) as upgraded, aiosqlite.connect(new) as fresh:
        assert await schema(upgraded) == await schema(fresh)
        assert await rows(upgraded, "PRAGMA foreign_key_check") == []
        assert await rows(upgraded, "PRAGMA integrity_check") == [("ok",)]
        assert await rows(upgraded, COUNTS) == before == [(1,) * 11]


async def test_a_character_from_before_both_ratings_were_kept_is_explicit_until_it_is_read_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.db"
    facts = '{"id": "c", "name": "Ada", "rating": 0, "rating_stated": true}'
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        await migrate(connection, MIGRATIONS[:1], path=path, now_ms=1)
        await connection.execute(
            "INSERT INTO character (ref, id, facts, rating, seen_at, checked_at) VALUES (1, 'c', ?, 0, 1, 1)", (facts,)
        )
    database = await Database.open(path, now_ms=NOW)
    (known,) = await Characters(database).all()
    await database.close()
    assert (known.character.rating, known.checked_at_ms) == (ContentRating.EXPLICIT, None)
