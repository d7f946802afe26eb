"""What a card comes in: told apart by content, never by the name of the file."""

from enum import Enum
from typing import Final

from bot.domain.card_files.card_json import JsonObject, parse_card_json
from bot.domain.card_files.charx import card_in_charx, charx_with_card, has_other_files, is_zip
from bot.domain.card_files.faults import CardUnusable, FaultKind
from bot.domain.card_files.png import SIGNATURE, V2_KEYWORD, V3_KEYWORD, card_in_png, png_with_cards

MAX_FILE_BYTES: Final = 10 * 1024 * 1024

_ZIP_BEGINS: Final = b"PK"
_OTHER_PICTURES: Final = (b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")
"""JPEG, GIF, WebP, BMP."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_WHITE_SPACE: Final = b" \t\r\n"
_LONGEST_LEAD: Final = 1_000
"""Bytes of white space that a JSON file may begin with."""


class Container(Enum):
    """The kinds of card files; the value is the ending of the file's name."""

    PNG = "png"
    JSON = "json"
    CHARX = "charx"


def container_of(file: bytes) -> Container:
    """Tell what a file is, by its first bytes; a zip archive also by its end, as it may stand behind a picture.

    Raises CardUnusable for an empty file, one of more than 10 MiB, and one of another kind.
    """
    if not file:
        raise CardUnusable(FaultKind.FILE_EMPTY)
    if len(file) > MAX_FILE_BYTES:
        raise CardUnusable(FaultKind.FILE_TOO_LARGE, found=len(file), limit=MAX_FILE_BYTES)
    if file.startswith(SIGNATURE):
        return Container.PNG
    if file.startswith(_ZIP_BEGINS) or is_zip(file):
        return Container.CHARX
    if file[:_LONGEST_LEAD].removeprefix(_BYTE_ORDER_MARK).lstrip(_WHITE_SPACE).startswith((b"{", b"[")):
        return Container.JSON
    raise CardUnusable(FaultKind.OTHER_PICTURE if file.startswith(_OTHER_PICTURES) else FaultKind.OTHER_FORMAT)


def card_in(file: bytes, container: Container) -> JsonObject:
    """Return the JSON of the card in a file. Raises CardUnusable when there is none, or none that can be trusted."""
    match container:
        case Container.PNG:
            return parse_card_json(card_in_png(file))
        case Container.CHARX:
            return parse_card_json(card_in_charx(file))
        case _:
            return parse_card_json(file)


def has_picture(file: bytes, container: Container) -> bool:
    """Tell whether a file that could be read holds more than words."""
    return container is Container.PNG or (container is Container.CHARX and has_other_files(file))


def file_with_card(original: bytes, container: Container, v3: bytes, v2: bytes) -> bytes:
    """Return the original file with another card in it, given as the text of its JSON.

    A PNG gets the V2 card too, as older programs look for that. Raises CardUnusable when the original is damaged.
    """
    match container:
        case Container.PNG:
            return png_with_cards(original, ((V2_KEYWORD, v2), (V3_KEYWORD, v3)))
        case Container.CHARX:
            return charx_with_card(original, v3)
        case _:
            return v3
