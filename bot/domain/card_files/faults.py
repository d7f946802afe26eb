"""Why a card file cannot be used."""

from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What is wrong, from the outside of the file to its inside."""

    FILE_EMPTY = "file_empty"
    FILE_TOO_LARGE = "file_too_large"
    OTHER_FORMAT = "other_format"
    """Neither a PNG, nor JSON, nor a zip."""
    OTHER_PICTURE = "other_picture"
    """A picture that is not a PNG: a card rarely survives in one."""

    PNG_DAMAGED = "png_damaged"
    PNG_CUT_OFF = "png_cut_off"
    PNG_TOO_MANY_CHUNKS = "png_too_many_chunks"
    PNG_WITHOUT_CARD = "png_without_card"
    PNG_COMPRESSED_CARD = "png_compressed_card"
    PNG_BAD_BASE64 = "png_bad_base64"

    ZIP_DAMAGED = "zip_damaged"
    ZIP_DIRECTORY_TOO_LARGE = "zip_directory_too_large"
    ZIP_TOO_MANY_ENTRIES = "zip_too_many_entries"
    ZIP_ENCRYPTED = "zip_encrypted"
    ZIP_OTHER_COMPRESSION = "zip_other_compression"
    ZIP_UNSAFE_PATH = "zip_unsafe_path"
    ZIP_BOMB = "zip_bomb"
    ZIP_WITHOUT_CARD = "zip_without_card"

    JSON_TOO_LARGE = "json_too_large"
    JSON_NOT_UTF8 = "json_not_utf8"
    JSON_BROKEN = "json_broken"
    JSON_TOO_DEEP = "json_too_deep"
    JSON_TOO_MANY_PARTS = "json_too_many_parts"
    JSON_BAD_NUMBER = "json_bad_number"
    """Infinite, not a number, or with more digits than any card has a use for."""
    JSON_BAD_TEXT = "json_bad_text"
    """Half a surrogate pair, which is no character."""

    NOT_A_CARD = "not_a_card"
    NAMELESS = "nameless"
    TEXT_TOO_LONG = "text_too_long"

    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"
    READER_FAILED = "reader_failed"


@dataclass(frozen=True, slots=True)
class CardFault:
    """What is wrong with a card file, with figures where there are any; no text of the file."""

    kind: FaultKind
    part: str | None = None
    """Which text it is about, in words of ours."""
    found: int | None = None
    limit: int | None = None
    """What was found and what is allowed: bytes for sizes, characters for texts, else a number of things."""


class CardUnusable(Exception):
    """A card file, or what is in it, cannot be used. The sentence for people: `wording.fault_sentence`."""

    def __init__(
        self, kind: FaultKind, *, part: str | None = None, found: int | None = None, limit: int | None = None
    ) -> None:
        super().__init__(kind.value)
        self.fault = CardFault(kind, part, found, limit)
