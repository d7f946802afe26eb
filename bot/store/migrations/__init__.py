"""Numbered SQL files, each run once, in a transaction of its own with its version row."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import aiosqlite

from bot.store.errors import DatabaseTooNew

_VERSIONS: Final = """
CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its number, its name (the reason for it) and its SQL."""

    version: int
    name: str
    sql: str

    def statements(self) -> Iterator[str]:
        """Split the SQL into statements; executescript would commit before the first one.

        Statements begin on lines of their own. Raises ValueError when the last one is not ended by a semicolon.
        """
        pending = ""
        for line in self.sql.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                yield pending
                pending = ""
        rest = (line.strip() for line in pending.splitlines())
        if any(line and not line.startswith("--") for line in rest):
            raise ValueError(f"the last statement of migration {self.version} is not complete")


def _load() -> tuple[Migration, ...]:
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    loaded: list[Migration] = []
    for file in files:
        number, _, name = file.name.removesuffix(".sql").partition("_")
        loaded.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return tuple(loaded)


MIGRATIONS: Final = _load()


async def migrate(
    connection: aiosqlite.Connection, migrations: Sequence[Migration], *, path: Path, now_ms: int
) -> None:
    """Run what is missing. Raises DatabaseTooNew when the database knows steps that this release does not.

    A step may rebuild a table, for which SQLite needs foreign keys off; they can only be switched outside a
    transaction, so they are off for every step and checked before its COMMIT
    (https://www.sqlite.org/lang_altertable.html#otheralter).
    """
    await connection.execute(_VERSIONS)
    rows = await connection.execute_fetchall("SELECT COALESCE(MAX(version), 0) FROM schema_version")
    current: int = next(iter(rows))[0]
    newest = migrations[-1].version if migrations else 0
    if current > newest:
        raise DatabaseTooNew(path, current, newest)
    for migration in migrations:
        if migration.version > current:
            await _apply(connection, migration, now_ms)


async def _apply(connection: aiosqlite.Connection, migration: Migration, now_ms: int) -> None:
    await connection.execute("PRAGMA foreign_keys = OFF")
    try:
        await connection.execute("BEGIN IMMEDIATE")
        for statement in migration.statements():
            await connection.execute(statement)
        broken = list(await connection.execute_fetchall("PRAGMA foreign_key_check"))
        if broken:
            raise sqlite3.IntegrityError(f"migration {migration.version} leaves {len(broken)} dangling references")
        await connection.execute(
            "INSERT INTO schema_version (version, name, applied_at) VALUES (?, ?, ?)",
            (migration.version, migration.name, now_ms),
        )
        await connection.commit()
    except BaseException:
        await connection.rollback()
        raise
    finally:
        await connection.execute("PRAGMA foreign_keys = ON")
