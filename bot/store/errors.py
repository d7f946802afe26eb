"""What can be wrong with the database.

StoreError
├── DatabaseInUse        another process has it
├── DatabaseNotWritable  the file, its folder or the disk is read-only
├── DatabaseFull         the disk is full
├── DatabaseLocked       another program holds a lock past the busy timeout
├── DatabaseDamaged      the file is not a database, or is corrupt
└── DatabaseTooNew       a newer release of the bot wrote the schema
"""

import sqlite3
from pathlib import Path


class StoreError(Exception):
    """A failure of the database; the text is one sentence fit for the operator."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


class DatabaseInUse(StoreError):
    def __init__(self, path: Path) -> None:
        super().__init__(path, f"Another process is using the database {path}; stop it first.")


class DatabaseNotWritable(StoreError):
    def __init__(self, path: Path) -> None:
        super().__init__(path, f"The database {path} cannot be written; check the rights of the file and its folder.")


class DatabaseFull(StoreError):
    def __init__(self, path: Path) -> None:
        super().__init__(path, f"The disk that holds the database {path} is full; free some space.")


class DatabaseLocked(StoreError):
    def __init__(self, path: Path) -> None:
        super().__init__(path, f"Another program holds a lock on the database {path}; close it and try again.")


class DatabaseDamaged(StoreError):
    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(path, f"The database {path} is damaged or not a database ({detail}); restore a backup.")
        self.detail = detail


class DatabaseTooNew(StoreError):
    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            path,
            f"The database {path} has schema {found}, but this release knows only up to {known}; "
            "install a newer release.",
        )
        self.found = found
        self.known = known


_NOT_WRITABLE = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY_CODE_MASK = 0xFF
"""SQLite's extended result codes keep the primary one in the low byte (sqlite.org/rescode.html)."""


def translate(path: Path, error: sqlite3.Error) -> StoreError | None:
    """Return the typed failure behind an error of sqlite3, or None for a mistake in our own SQL."""
    extended: int | None = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        return None
    code = extended & _PRIMARY_CODE_MASK
    if code in _NOT_WRITABLE:
        return DatabaseNotWritable(path)
    if code in _LOCKED:
        return DatabaseLocked(path)
    if code == sqlite3.SQLITE_FULL:
        return DatabaseFull(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
        return DatabaseDamaged(path, str(error))
    return None
