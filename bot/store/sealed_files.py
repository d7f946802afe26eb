"""Files beside the database, each sealed under a key of its own.

The keys lie sealed in the database, so that changing the master key leaves the files alone, and a file whose row is
gone cannot be read any more.
"""

import asyncio
import logging
import os
import re
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.store.vault import KEY_BYTES, MasterKey, Vault, VaultError

_log = logging.getLogger(__name__)

_NAME_BYTES: Final = 16
_OWNER_ONLY: Final = 0o600
_FOLDER_OWNER_ONLY: Final = 0o700
_UNFINISHED: Final = ".part"
_OUR_NAME: Final = re.compile(rf"[0-9a-f]{{{2 * _NAME_BYTES}}}(?:{re.escape(_UNFINISHED)})?")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was written: its name, and the key without which it is noise."""

    name: str
    key: bytes = field(repr=False)


class SealedFiles:
    """A folder of files; made at the first write. What blocks runs in a thread."""

    def __init__(self, folder: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._folder = folder
        self._random_bytes = random_bytes

    async def write(self, content: bytes) -> StoredFile:
        """Write a file, whole or not at all. Raises OSError when the disk refuses."""
        stored = StoredFile(secrets.token_hex(_NAME_BYTES), self._random_bytes(KEY_BYTES))
        sealed = await asyncio.to_thread(_vault(stored).seal_bytes, content, context=_context(stored))
        await asyncio.to_thread(self._write, stored.name, sealed)
        return stored

    async def read(self, stored: StoredFile) -> bytes | None:
        """Return a file's content, or None when it is gone or damaged."""
        try:
            sealed = await asyncio.to_thread((self._folder / stored.name).read_bytes)
            return await asyncio.to_thread(_vault(stored).open_bytes, sealed, context=_context(stored))
        except (OSError, VaultError) as error:
            _log.warning("Cannot read a stored file: %s", type(error).__name__)
            return None

    async def keep_only(self, names: Collection[str]) -> int:
        """Delete every file of ours that is not among these, and return how many.

        What is not named as our files are, was put there by somebody else and stays. Raises OSError where the folder
        cannot be read; a file that cannot be deleted is logged, and meant again the next time.
        """
        return await asyncio.to_thread(self._keep_only, frozenset(names))

    def _write(self, name: str, sealed: bytes) -> None:
        self._folder.mkdir(mode=_FOLDER_OWNER_ONLY, parents=True, exist_ok=True)
        path = self._folder / name
        draft = path.with_suffix(_UNFINISHED)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _keep_only(self, names: frozenset[str]) -> int:
        found: list[Path] = []
        with suppress(FileNotFoundError):
            found = [path for path in self._folder.iterdir() if _OUR_NAME.fullmatch(path.name)]
        return sum(_deleted(path) for path in found if path.name not in names)


def _deleted(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        _log.warning("A stored file could not be deleted", exc_info=True)
        return False
    return True


def _vault(stored: StoredFile) -> Vault:
    return Vault([MasterKey(stored.key)])


def _context(stored: StoredFile) -> str:
    return f"file:{stored.name}"
