"""Sealing of what must not lie in the database as plain text: message texts, API keys, webhook tokens.

A sealed value is ``version (1 byte) | key id (4) | nonce (12) | AES-256-GCM ciphertext and tag``. The
header and a context string (which table, column and row the value belongs to) are authenticated with
it, so a value copied to another row, or an edited header, does not open.

The vault protects a leaked database. A key file in the same volume does not protect a leaked volume.
"""

import base64
import binascii
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
"""The size NIST SP 800-38D recommends; random ones are safe for 2**32 values under one key."""
_TAG_BYTES: Final = 16
HEADER_BYTES: Final = len(_VERSION) + _KEY_ID_BYTES
"""What stands before the nonce: version and key id."""
_SMALLEST_BLOB: Final = HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES

_ANY_TEXT: Final = "surrogatepass"
"""JSON can carry half a surrogate pair; a strange message must not fail to be stored."""

_OTHERS_MAY: Final = stat.S_IRWXG | stat.S_IRWXO
_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR


class VaultError(Exception):
    """A sealed value could not be opened."""


class UnknownKey(VaultError):
    """The value was sealed with a key this vault was not given."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(f"sealed with key {key_id.hex()}, which is not among the configured ones")
        self.key_id = key_id


class Damaged(VaultError):
    """The value is not one of ours, was changed, or belongs to another context."""


class BadKey(ValueError):
    """A master key is not base64 of 32 bytes. The text of it is never repeated."""

    def __init__(self) -> None:
        super().__init__(f"a master key is the base64 of {KEY_BYTES} random bytes")


class KeyFileProblem(Enum):
    """What is wrong with a key file, as the end of a sentence."""

    READABLE_BY_OTHERS = "can be read by other users of this machine; run `chmod 600` on it"
    NOT_A_KEY = f"does not hold a master key, which is one line of base64 for {KEY_BYTES} bytes"


class KeyFileError(Exception):
    """A key file cannot be trusted or read."""

    def __init__(self, path: Path, problem: KeyFileProblem) -> None:
        super().__init__(f"The key file {path} {problem.value}.")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One AES-256 key. Its repr does not show it."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise BadKey

    @property
    def id(self) -> bytes:
        """Four bytes that name the key without telling it."""
        return hashlib.sha256(b"master key id\0" + self.secret).digest()[:_KEY_ID_BYTES]


class Vault:
    """Seals with the first key, opens with any: a rotation puts the new key in front."""

    def __init__(self, keys: Sequence[MasterKey], *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        if not keys:
            raise ValueError("a vault needs at least one key")
        self._sealing_id = keys[0].id
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._random_bytes = random_bytes

    @property
    def header(self) -> bytes:
        """What every value that this vault seals begins with."""
        return _VERSION + self._sealing_id

    @property
    def older_key_ids(self) -> frozenset[bytes]:
        """The ids of the keys that open and do not seal."""
        return frozenset(self._ciphers) - {self._sealing_id}

    def seal(self, text: str, *, context: str) -> bytes:
        """Encrypt a text, bound to the place named by the context."""
        return self.seal_bytes(text.encode(errors=_ANY_TEXT), context=context)

    def open(self, blob: bytes, *, context: str) -> str:
        """Decrypt a sealed text. Raises as open_bytes does."""
        return self.open_bytes(blob, context=context).decode(errors=_ANY_TEXT)

    def seal_bytes(self, content: bytes, *, context: str) -> bytes:
        """Encrypt any content, bound to the place named by the context."""
        header = self.header
        nonce = self._random_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._sealing_id].encrypt(nonce, content, header + context.encode())

    def open_bytes(self, blob: bytes, *, context: str) -> bytes:
        """Decrypt a sealed value.

        Raises UnknownKey for a key that was not given, and Damaged for anything that is not a whole
        value of this context.
        """
        if len(blob) < _SMALLEST_BLOB or not blob.startswith(_VERSION):
            raise Damaged("not a sealed value")
        header, nonce = blob[:HEADER_BYTES], blob[HEADER_BYTES : HEADER_BYTES + _NONCE_BYTES]
        key_id = key_id_of(header)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKey(key_id)
        try:
            return cipher.decrypt(nonce, blob[HEADER_BYTES + _NONCE_BYTES :], header + context.encode())
        except InvalidTag:
            raise Damaged("changed since it was sealed, or of another context") from None


def key_id_of(header: bytes) -> bytes:
    """Return the id of the key that a value was sealed with, from the value or its header alone."""
    return header[len(_VERSION) : HEADER_BYTES]


def parse_key(text: str) -> MasterKey:
    """Read a master key from base64, plain or URL-safe, with or without its padding.

    Raises BadKey.
    """
    compact = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    padding = "=" * (-len(compact) % 4)
    try:
        return MasterKey(base64.b64decode(compact + padding, validate=True))
    except (binascii.Error, ValueError):
        raise BadKey from None


def load_or_create_key_file(path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> MasterKey:
    """Return the key of a file, which is made with a fresh key when it is missing.

    A new file belongs to its owner alone and appears whole or not at all; when two processes start at
    once, both get the key of whichever came first. Raises KeyFileError for a file that others may
    read or that holds no key, and OSError when the disk refuses.
    """
    with suppress(FileNotFoundError):
        return _load(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _create(path, MasterKey(random_bytes(KEY_BYTES)))
    return _load(path)


def _load(path: Path) -> MasterKey:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & _OTHERS_MAY:
            raise KeyFileError(path, KeyFileProblem.READABLE_BY_OTHERS)
        content = file.read()
    try:
        return parse_key(content.decode("ascii"))
    except ValueError:
        raise KeyFileError(path, KeyFileProblem.NOT_A_KEY) from None


def _create(path: Path, key: MasterKey) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key.secret) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    try:
        # Unlike a rename, a link never replaces a key that another process has just made.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    except OSError:
        # Some file systems (FAT, several network shares) have no links.
        draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
