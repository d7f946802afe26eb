"""CHARX files: zip archives with `card.json` at the root, read and rewritten.

Written out here instead of over the zipfile module, for two reasons: that reads and believes a whole directory before
anybody can look at it, and it cannot carry a compressed file over from one archive to another as it is, so that
replacing the card would unpack every asset of an archive that nobody trusts. The format:
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3 General Format of a .ZIP file).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from bot.domain.card_files.card_json import MAX_JSON_BYTES
from bot.domain.card_files.faults import CardUnusable, FaultKind

CARD_NAME: Final = "card.json"
MAX_DIRECTORY_BYTES: Final = 256 * 1024
MAX_ENTRIES: Final = 500
MAX_RATIO: Final = 100
"""How many times its compressed size the card may have; texts reach about ten."""

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_END_MARK: Final = b"PK\x05\x06"
_SIZE_IN_END: Final = 5
"""The field of the last record that holds the size of the directory."""
_LONGEST_COMMENT: Final = 0xFFFF

_STORED: Final = 0
_DEFLATED: Final = 8
_ENCRYPTED: Final = 0x0001
_SIZES_FOLLOW: Final = 0x0008
_PATCHED: Final = 0x0020
_STRONGLY_ENCRYPTED: Final = 0x0040
_UTF8_NAME: Final = 0x0800
_VERSION: Final = 20
"""2.0, the first with deflate (APPNOTE, 4.4.3.2)."""
_FIRST_DAY: Final = 0x0021
"""1 January 1980 as DOS counts: the earliest date that there is, for files made of nothing but their content."""

_LEADS_OUT: Final = re.compile(r"^$|^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|[\x00-\x1f\x7f]")
"""No path, one from the root or from a drive, one that climbs, and one with control characters."""


class _Listing(NamedTuple):
    """A record of the central directory as it stands (APPNOTE, 4.3.12)."""

    mark: bytes
    made_by: int
    needs: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_size: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    external: int
    offset: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of an archive: what the directory says of it, and its data as they lie there."""

    name: bytes
    flags: int
    method: int
    time: int
    date: int
    crc: int
    size: int
    """Unpacked, as the archive claims."""
    packed: memoryview

    @property
    def is_card(self) -> bool:
        """Whether it is the card."""
        return self.name.decode("latin-1").lower() == CARD_NAME


def is_zip(file: bytes) -> bool:
    """Tell whether there is a zip archive at the end of a file, whatever it begins with."""
    return _end_of_directory(file) is not None


def card_in_charx(file: bytes) -> bytes:
    """Return the JSON text of the card in an archive; nothing else of it is unpacked.

    Raises CardUnusable for a damaged archive, a directory of more than 256 KiB or 500 files, an encrypted file, a path
    that leads out of the archive, a card that unpacks to more than 2 MiB or 100 times its size, or none.
    """
    cards = [entry for entry in _entries(file) if entry.is_card]
    if not cards:
        raise CardUnusable(FaultKind.ZIP_WITHOUT_CARD)
    if len(cards) > 1:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    return _unpacked(cards[0])


def charx_with_card(file: bytes | None, card: bytes) -> bytes:
    """Return an archive with this JSON text as its card, and with the other files of `file` as they are.

    What precedes or follows the archive in the file is dropped. Raises CardUnusable as `card_in_charx` does.
    """
    name = CARD_NAME.encode("ascii")
    # Not compressed: a text that repeats itself would look like a bomb when it is read again.
    entries = [_Entry(name, _UTF8_NAME, _STORED, 0, _FIRST_DAY, zlib.crc32(card), len(card), memoryview(card))]
    if file is not None:
        entries += [entry for entry in _entries(file) if not entry.is_card]
    return _archive(entries)


def has_other_files(file: bytes) -> bool:
    """Tell whether an archive holds anything beside its card: pictures, mostly."""
    return any(not entry.is_card and entry.size for entry in _entries(file))


def _end_of_directory(file: bytes) -> int | None:
    """Return where the record stands that ends the archive: the last one with a directory in front of it.

    Where there is none such, it is the last record that is whole. Up to 64 KiB may follow, a comment by the rules.
    """
    last_whole = None
    first = max(0, len(file) - _END.size - _LONGEST_COMMENT)
    position = file.rfind(_END_MARK, first, len(file) - _END.size + len(_END_MARK))
    while position >= 0:
        size = _END.unpack_from(file, position)[_SIZE_IN_END]
        if file.startswith(_CENTRAL_MARK if size else _END_MARK, max(0, position - size)):
            return position
        last_whole = position if last_whole is None else last_whole
        position = file.rfind(_END_MARK, first, position)
    return last_whole


def _entries(file: bytes) -> list[_Entry]:
    """Read the directory, within its bounds, and check every line of it.

    Where the archive begins is reckoned from its end, as it may stand behind a picture or a program.
    """
    end = _end_of_directory(file)
    if end is None:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    _mark, _disk, _first_disk, _here, count, size, offset, _comment = _END.unpack_from(file, end)
    if size > MAX_DIRECTORY_BYTES:
        raise CardUnusable(FaultKind.ZIP_DIRECTORY_TOO_LARGE, found=size, limit=MAX_DIRECTORY_BYTES)
    if count > MAX_ENTRIES:
        raise CardUnusable(FaultKind.ZIP_TOO_MANY_ENTRIES, found=count, limit=MAX_ENTRIES)
    archive_start = end - size - offset
    if archive_start < 0:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    archive = memoryview(file)[archive_start:end]
    entries = list(_listed(archive, offset))
    if len(entries) != count:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    if sum(len(entry.packed) for entry in entries) > len(file):
        # Files that lie on top of each other: some kilobytes can be listed as gigabytes in that way.
        raise CardUnusable(FaultKind.ZIP_BOMB)
    return entries


def _listed(archive: memoryview, position: int) -> Iterator[_Entry]:
    while position < len(archive):
        if len(archive) - position < _CENTRAL.size:
            raise CardUnusable(FaultKind.ZIP_DAMAGED)
        listing = _Listing(*_CENTRAL.unpack_from(archive, position))
        position += _CENTRAL.size
        name = bytes(archive[position : position + listing.name_length])
        position += listing.name_length + listing.extra_length + listing.comment_length
        if listing.mark != _CENTRAL_MARK or position > len(archive):
            raise CardUnusable(FaultKind.ZIP_DAMAGED)
        if _LEADS_OUT.search(name.decode("latin-1")) is not None:
            raise CardUnusable(FaultKind.ZIP_UNSAFE_PATH)
        if listing.flags & (_ENCRYPTED | _STRONGLY_ENCRYPTED):
            raise CardUnusable(FaultKind.ZIP_ENCRYPTED)
        if listing.method not in (_STORED, _DEFLATED) or listing.flags & _PATCHED:
            raise CardUnusable(FaultKind.ZIP_OTHER_COMPRESSION)
        yield _Entry(
            name,
            listing.flags,
            listing.method,
            listing.time,
            listing.date,
            listing.crc,
            listing.size,
            _data(archive, listing),
        )


def _data(archive: memoryview, listing: _Listing) -> memoryview:
    """Return the data of a file; of the header in front of them only its length is believed."""
    if len(archive) - listing.offset < _LOCAL.size:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    mark, *_, name_length, extra_length = _LOCAL.unpack_from(archive, listing.offset)
    start = listing.offset + _LOCAL.size + name_length + extra_length
    data = archive[start : start + listing.packed_size]
    if mark != _LOCAL_MARK or len(data) != listing.packed_size:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    return data


def _unpacked(entry: _Entry) -> bytes:
    """Unpack with a limit on what comes out; the size that the archive states is not asked."""
    if entry.method == _STORED:
        content = bytes(entry.packed)
    else:
        longest = min(MAX_JSON_BYTES, len(entry.packed) * MAX_RATIO)
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            content = unpacker.decompress(entry.packed, longest + 1)
        except zlib.error:
            raise CardUnusable(FaultKind.ZIP_DAMAGED) from None
        if len(content) > longest:
            raise CardUnusable(FaultKind.ZIP_BOMB, limit=longest)
        if not unpacker.eof:
            raise CardUnusable(FaultKind.ZIP_DAMAGED)
    if zlib.crc32(content) != entry.crc:
        raise CardUnusable(FaultKind.ZIP_DAMAGED)
    return content


def _archive(entries: list[_Entry]) -> bytes:
    pieces: list[bytes | memoryview] = []
    directory: list[bytes] = []
    offset = 0
    for entry in entries:
        # Sizes and checksum stand in the header here, so none follow the data.
        plain = replace(entry, flags=entry.flags & ~_SIZES_FOLLOW)
        local = _LOCAL.pack(_LOCAL_MARK, _VERSION, *_shared_by_headers(plain), len(plain.name), 0) + plain.name
        central = _Listing(
            _CENTRAL_MARK,
            _VERSION,
            _VERSION,
            *_shared_by_headers(plain),
            len(plain.name),
            extra_length=0,
            comment_length=0,
            disk=0,
            internal=0,
            external=0,
            offset=offset,
        )
        directory += [_CENTRAL.pack(*central), plain.name]
        pieces += [local, plain.packed]
        offset += len(local) + len(plain.packed)
    listing = b"".join(directory)
    end = _END.pack(_END_MARK, 0, 0, len(entries), len(entries), len(listing), offset, 0)
    return b"".join([*pieces, listing, end])


def _shared_by_headers(entry: _Entry) -> tuple[int, int, int, int, int, int, int]:
    return entry.flags, entry.method, entry.time, entry.date, entry.crc, len(entry.packed), entry.size
