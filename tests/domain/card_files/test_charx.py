import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.card_files.card_json import MAX_JSON_BYTES
from bot.domain.card_files.charx import (
    MAX_DIRECTORY_BYTES,
    MAX_ENTRIES,
    card_in_charx,
    charx_with_card,
    has_other_files,
    is_zip,
)
from bot.domain.card_files.faults import CardFault, FaultKind
from tests.domain.card_files.faults import refused
from tests.support.card_samples import charx

CARD = b'{"name": "Ada", "description": "A lighthouse."}'
thorough = settings(deadline=None, max_examples=60, derandomize=True)
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=12
).filter(lambda name: name.lower() not in {"card.json", ".", ".."})
files = st.dictionaries(names.map(lambda name: f"assets/{name}"), st.binary(max_size=200), max_size=5)


def unzipped(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@given(
    others=files, card=st.binary(max_size=500), compression=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
)
@thorough
def test_what_zipfile_writes_is_read(others: dict[str, bytes], card: bytes, compression: int) -> None:
    file = charx({**others, "card.json": card}, compression=compression)
    assert is_zip(file)
    assert card_in_charx(file) == card
    assert has_other_files(file) == any(others.values())


@given(others=files, card=st.binary(max_size=500), lead=st.binary(max_size=50), tail=st.binary(max_size=50))
@thorough
def test_zipfile_reads_what_is_written(others: dict[str, bytes], card: bytes, lead: bytes, tail: bytes) -> None:
    before = lead + charx({**others, "card.json": b"old"}) + tail
    after = charx_with_card(before, card)
    assert unzipped(after) == {**others, "card.json": card}
    assert card_in_charx(after) == card
    assert b"old" not in after or any(b"old" in content for content in (card, *others.values()))


def test_a_new_archive_holds_the_card_alone() -> None:
    file = charx_with_card(None, CARD)
    assert unzipped(file) == {"card.json": CARD}
    assert not has_other_files(file)


def test_the_same_card_gives_the_same_file() -> None:
    assert charx_with_card(None, CARD) == charx_with_card(None, CARD)


def test_an_archive_written_to_a_stream_is_read_and_rewritten() -> None:
    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            piece = bytes(memoryview(data))  # pyright: ignore[reportArgumentType] - zipfile writes bytes
            self.written += piece
            return len(piece)

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # pyright: ignore[reportCallIssue, reportArgumentType]
        archive.writestr("card.json", CARD)
        archive.writestr("assets/a.bin", b"asset")
    file = bytes(stream.written)
    assert file[6] & 0x08, "the sizes follow the data"
    assert card_in_charx(file) == CARD
    assert unzipped(charx_with_card(file, b"{}")) == {"card.json": b"{}", "assets/a.bin": b"asset"}


@pytest.mark.parametrize("lead", [b"", b"\xff\xd8\xff\xe0 a picture", b"MZ a program"])
def test_the_archive_may_stand_behind_something(lead: bytes) -> None:
    assert card_in_charx(lead + charx({"card.json": CARD})) == CARD


@pytest.mark.parametrize(
    "tail", [b"a comment", b"PK\x05\x06", b"PK\x05\x06" + b"x" * 18, b"PK\x05\x06" * 10, bytes(0xFFFF)]
)
def test_something_may_follow_the_archive(tail: bytes) -> None:
    assert card_in_charx(charx({"card.json": CARD}) + tail) == CARD


def test_nothing_is_looked_for_beyond_the_longest_comment() -> None:
    assert not is_zip(charx({"card.json": CARD}) + bytes(0xFFFF + 1))


def test_marks_without_end_are_looked_through_quickly() -> None:
    assert is_zip(charx({}) + b"PK\x05\x06" * 10_000)


def test_the_name_of_the_card_may_have_capitals() -> None:
    assert card_in_charx(charx({"Card.JSON": CARD})) == CARD


@pytest.mark.parametrize(
    "path",
    ["/etc/x", "\\x", "../x", "a/../x", "a\\..\\x", "..", "C:x", "c:\\x", "assets/a\nb", "assets/\x7f"],
)
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    safe = "x" * len(path)
    with refused(FaultKind.ZIP_UNSAFE_PATH):
        card_in_charx(charx({"card.json": CARD, safe: b"-"}).replace(safe.encode(), path.encode()))


@pytest.mark.parametrize("path", ["assets/..x", "a..b", "assets/日本.png", "folder/", ".hidden", "ab:c"])
def test_other_paths_are_fine(path: str) -> None:
    assert card_in_charx(charx({"card.json": CARD, path: b""})) == CARD


def patched(change: Callable[[bytearray, int], None], *, stored: bool = False) -> bytes:
    """Return an archive with a card in which the line of the directory was changed, given where that begins."""
    file = bytearray(charx({"card.json": CARD}, compression=zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED))
    change(file, file.rfind(b"PK\x01\x02"))
    return bytes(file)


def put(offset: int, form: str, *values: int) -> Callable[[bytearray, int], None]:
    """Return a change of some numbers at an offset into the line."""

    def change(file: bytearray, line: int) -> None:
        struct.pack_into(form, file, line + offset, *values)

    return change


def put_in_end(offset: int, form: str, value: int) -> Callable[[bytearray, int], None]:
    def change(file: bytearray, _line: int) -> None:
        struct.pack_into(form, file, file.rfind(b"PK\x05\x06") + offset, value)

    return change


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (put(8, "<H", 0x0001), FaultKind.ZIP_ENCRYPTED),
        (put(8, "<H", 0x0040), FaultKind.ZIP_ENCRYPTED),
        (put(8, "<H", 0x0020), FaultKind.ZIP_OTHER_COMPRESSION),
        (put(10, "<H", 12), FaultKind.ZIP_OTHER_COMPRESSION),
        (put(10, "<H", 99), FaultKind.ZIP_OTHER_COMPRESSION),
        (put(16, "<I", 1), FaultKind.ZIP_DAMAGED),  # Checksum.
        (put(20, "<I", 5), FaultKind.ZIP_DAMAGED),  # Packed size.
        (put(20, "<I", 0xFFFFFFFF), FaultKind.ZIP_DAMAGED),
        (put(28, "<H", 0xFFFF), FaultKind.ZIP_DAMAGED),  # Length of the name.
        (put(28, "<H", 3), FaultKind.ZIP_DAMAGED),
        (put(28, "<HH", 0, len("card.json")), FaultKind.ZIP_UNSAFE_PATH),  # No name, and its bytes as something extra.
        (put(42, "<I", 0xFFFFFFF0), FaultKind.ZIP_DAMAGED),  # Where its header is.
        (put(42, "<I", 4), FaultKind.ZIP_DAMAGED),
        (put(0, "<I", 0), FaultKind.ZIP_DAMAGED),
        (put_in_end(10, "<H", 2), FaultKind.ZIP_DAMAGED),
        (put_in_end(10, "<H", 501), FaultKind.ZIP_TOO_MANY_ENTRIES),
        (put_in_end(10, "<H", 0xFFFF), FaultKind.ZIP_TOO_MANY_ENTRIES),
        (put_in_end(12, "<I", 0xFFFFFFFF), FaultKind.ZIP_DIRECTORY_TOO_LARGE),
        (put_in_end(12, "<I", 5000), FaultKind.ZIP_DAMAGED),
        (put_in_end(12, "<I", 10), FaultKind.ZIP_DAMAGED),
        (put_in_end(16, "<I", 0xFFFFFFFF), FaultKind.ZIP_DAMAGED),
    ],
)
def test_a_directory_that_lies_is_refused(change: Callable[[bytearray, int], None], kind: FaultKind) -> None:
    with refused(kind):
        card_in_charx(patched(change))


@pytest.mark.parametrize("size", [0, 1, 0xFFFFFFFF])
def test_the_stated_size_is_not_believed(size: int) -> None:
    assert card_in_charx(patched(put(24, "<I", size))) == CARD


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (b"PK\x03\x04 and nothing else", FaultKind.ZIP_DAMAGED),
        (charx({"card.json": CARD})[:-1], FaultKind.ZIP_DAMAGED),
        (charx({}), FaultKind.ZIP_WITHOUT_CARD),
        (charx({"folder/card.json": CARD}), FaultKind.ZIP_WITHOUT_CARD),
        (charx({"card.json": CARD, "CARD.json": CARD}), FaultKind.ZIP_DAMAGED),
        (charx({"card.json": b"x" * 1_000_000}), FaultKind.ZIP_BOMB),
        (charx({"card.json": CARD}, compression=zipfile.ZIP_LZMA), FaultKind.ZIP_OTHER_COMPRESSION),
    ],
)
def test_other_files_are_refused(file: bytes, kind: FaultKind) -> None:
    with refused(kind):
        card_in_charx(file)


def test_data_that_are_no_deflate_are_refused() -> None:
    with refused(FaultKind.ZIP_DAMAGED):
        card_in_charx(patched(put(10, "<H", 8), stored=True))


def test_nothing_is_unpacked_beyond_the_limit_of_a_card() -> None:
    # Zeros and noise in turn, so that the ratio alone would let it pass.
    noise = b"".join(
        zlib.compress(bytes([number % 251] * 40) + number.to_bytes(4)) + b"\0" * 900 for number in range(3_000)
    )
    assert len(noise) > MAX_JSON_BYTES
    with refused(FaultKind.ZIP_BOMB) as faults:
        card_in_charx(charx({"card.json": noise}))
    assert faults == [CardFault(FaultKind.ZIP_BOMB, limit=MAX_JSON_BYTES)]


def test_the_number_of_files_has_a_limit() -> None:
    others = {f"assets/{number}": b"" for number in range(MAX_ENTRIES - 1)}
    assert card_in_charx(charx({"card.json": CARD, **others})) == CARD
    with refused(FaultKind.ZIP_TOO_MANY_ENTRIES) as faults:
        card_in_charx(charx({"card.json": CARD, **others, "assets/x": b""}))
    assert faults == [CardFault(FaultKind.ZIP_TOO_MANY_ENTRIES, found=501, limit=500)]


def test_the_directory_is_not_read_beyond_its_limit() -> None:
    long = {f"assets/{number}/" + "x" * 3_000: b"" for number in range(90)}
    with refused(FaultKind.ZIP_DIRECTORY_TOO_LARGE) as faults:
        card_in_charx(charx({"card.json": CARD, **long}))
    assert faults[0].limit == MAX_DIRECTORY_BYTES == 256 * 1024


def test_files_on_top_of_each_other_are_refused() -> None:
    file = bytearray(charx({f"assets/{number}": bytes(2_000) for number in range(9)}, compression=zipfile.ZIP_STORED))
    position = 0
    while (position := file.find(b"PK\x01\x02", position + 1)) > 0:
        struct.pack_into("<II", file, position + 20, 10_000, 10_000)
        struct.pack_into("<I", file, position + 42, 0)
    with refused(FaultKind.ZIP_BOMB):
        charx_with_card(bytes(file), CARD)
