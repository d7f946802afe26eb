"""PNG files as card containers: their text chunks, read and replaced; pixels are never decoded.

The format: https://www.w3.org/TR/png-3/ (5 Datastream structure, 11.3.3 Textual information). A card is the base64 of
its JSON in a tEXt chunk, keyword `ccv3` for V3 and `chara` for V1 and V2.
"""

import binascii
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.domain.card_files.faults import CardUnusable, FaultKind

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
V3_KEYWORD: Final = "ccv3"
V2_KEYWORD: Final = "chara"
MAX_CHUNKS: Final = 2_000
"""libpng cuts pixels into pieces of 8 KiB, so a picture of 10 MiB has 1,280."""
MAX_BASE64_BYTES: Final = 4 * 1024 * 1024
LONGEST_KEYWORD: Final = 79
"""Bytes (PNG, 11.3.3.2 Keywords and text strings)."""

_KEYWORDS: Final = (V3_KEYWORD, V2_KEYWORD)
"""In the order of preference."""
_LENGTH_AND_TYPE: Final = struct.Struct(">I4s")
_CRC: Final = struct.Struct(">I")
_PLAIN: Final = b"tEXt"
_COMPRESSED: Final = b"zTXt"
_INTERNATIONAL: Final = b"iTXt"
_END: Final = b"IEND"


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    start: int
    """Where its data begins."""
    length: int

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.start + self.length + _CRC.size


def card_in_png(file: bytes) -> bytes:
    """Return the JSON text of the card in a PNG: that of `ccv3`, else that of `chara`.

    The first chunk of a keyword counts; keywords are matched in any case. Checksums are not looked at, as some editors
    write wrong ones. Raises CardUnusable for a damaged file, more than 2,000 chunks, more than 4 MiB of base64, a
    compressed card, or none.
    """
    plain: dict[str, bytes] = {}
    compressed = False
    for chunk in _chunks(file):
        keyword = _keyword(file, chunk)
        if keyword not in _KEYWORDS:
            continue
        text = _uncompressed_text(file, chunk)
        if text is None:
            compressed = True
        else:
            plain.setdefault(keyword, text)
    for keyword in _KEYWORDS:
        if keyword in plain:
            return _decoded(plain[keyword])
    raise CardUnusable(FaultKind.PNG_COMPRESSED_CARD if compressed else FaultKind.PNG_WITHOUT_CARD)


def png_with_cards(file: bytes, cards: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a PNG with these cards in place of those it has, as pairs of keyword and JSON text.

    All other chunks stay as they are; what follows the end of the picture is dropped. Raises CardUnusable for a
    damaged file.
    """
    pieces = [SIGNATURE]
    for chunk in _chunks(file):
        if chunk.kind == _END:
            pieces += [_text_chunk(keyword, card) for keyword, card in cards]
        if _keyword(file, chunk) not in _KEYWORDS:
            pieces.append(file[chunk.start - _LENGTH_AND_TYPE.size : chunk.end])
    return b"".join(pieces)


def _chunks(file: bytes) -> Iterator[_Chunk]:
    """Walk the chunks up to and with IEND, by their lengths."""
    if not file.startswith(SIGNATURE):
        raise CardUnusable(FaultKind.PNG_DAMAGED)
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if len(file) - position < _LENGTH_AND_TYPE.size:
            raise CardUnusable(FaultKind.PNG_CUT_OFF)
        length, kind = _LENGTH_AND_TYPE.unpack_from(file, position)
        chunk = _Chunk(kind, position + _LENGTH_AND_TYPE.size, length)
        if chunk.end > len(file):
            raise CardUnusable(FaultKind.PNG_CUT_OFF)
        if not (kind.isascii() and kind.isalpha()):
            raise CardUnusable(FaultKind.PNG_DAMAGED)
        yield chunk
        if kind == _END:
            return
        position = chunk.end
    raise CardUnusable(FaultKind.PNG_TOO_MANY_CHUNKS, limit=MAX_CHUNKS)


def _keyword(file: bytes, chunk: _Chunk) -> str | None:
    """Return the keyword of a text chunk in lower case, or None for other chunks."""
    if chunk.kind not in (_PLAIN, _COMPRESSED, _INTERNATIONAL):
        return None
    end = file.find(b"\0", chunk.start, chunk.start + min(chunk.length, LONGEST_KEYWORD + 1))
    return None if end < 0 else file[chunk.start : end].decode("latin-1").lower()


def _uncompressed_text(file: bytes, chunk: _Chunk) -> bytes | None:
    """Return the text of a chunk that has a keyword, or None where it is compressed."""
    text = file[chunk.start : chunk.start + chunk.length].partition(b"\0")[2]
    if chunk.kind == _PLAIN:
        return text
    if chunk.kind == _COMPRESSED or not text.startswith(b"\0"):
        return None
    # Compression flag and method, language, translated keyword, text.
    _language, _, rest = text[2:].partition(b"\0")
    _translated, separator, text = rest.partition(b"\0")
    if not separator:
        raise CardUnusable(FaultKind.PNG_DAMAGED)
    return text


def _decoded(text: bytes) -> bytes:
    if len(text) > MAX_BASE64_BYTES:
        raise CardUnusable(FaultKind.JSON_TOO_LARGE, found=len(text), limit=MAX_BASE64_BYTES)
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise CardUnusable(FaultKind.PNG_BAD_BASE64) from None


def _text_chunk(keyword: str, card: bytes) -> bytes:
    data = keyword.encode("latin-1") + b"\0" + binascii.b2a_base64(card, newline=False)
    return _LENGTH_AND_TYPE.pack(len(data), _PLAIN) + data + _CRC.pack(zlib.crc32(data, zlib.crc32(_PLAIN)))
