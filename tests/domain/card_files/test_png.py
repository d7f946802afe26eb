import base64
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.png import LONGEST_KEYWORD, MAX_BASE64_BYTES, MAX_CHUNKS, card_in_png, png_with_cards
from tests.domain.card_files.faults import refused
from tests.support.card_samples import END, HEADER, PIXELS, SIGNATURE, chunk, png

ONE = base64.b64encode(b'{"name":"One"}')
TWO = base64.b64encode(b'{"name":"Two"}')


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"tEXt", b"chara\0" + ONE)],
        [chunk(b"tEXt", b"Chara\0" + ONE)],
        [chunk(b"tEXt", b"chara\0" + TWO), chunk(b"tEXt", b"ccv3\0" + ONE)],
        [chunk(b"tEXt", b"CCV3\0" + ONE), chunk(b"tEXt", b"chara\0" + TWO)],
        [chunk(b"tEXt", b"chara\0" + ONE), chunk(b"tEXt", b"chara\0" + TWO)],
        [chunk(b"tEXt", b"Software\0x"), chunk(b"tEXt", b"no zero byte"), chunk(b"tEXt", b"chara\0" + ONE)],
        [chunk(b"tEXt", b"chara-ext-asset_:1\0" + TWO), chunk(b"tEXt", b"chara\0" + ONE)],
        [chunk(b"iTXt", b"chara\0\0\0en\0card\0" + ONE)],
        [chunk(b"iTXt", b"chara\0\0\0\0\0" + ONE)],
        [chunk(b"zTXt", b"ccv3\0\0" + zlib.compress(TWO)), chunk(b"tEXt", b"chara\0" + ONE)],
        [chunk(b"tEXt", b"chara\0" + ONE)[:-4] + b"\0\0\0\0"],
        [chunk(b"tEXt", b"x" * (LONGEST_KEYWORD + 1) + b"\0" + TWO), chunk(b"tEXt", b"chara\0" + ONE)],
    ],
)
def test_the_card_is_found(chunks: list[bytes]) -> None:
    assert card_in_png(png(*chunks)) == b'{"name":"One"}'


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (png(), FaultKind.PNG_WITHOUT_CARD),
        (png(chunk(b"tEXt", b"comment\0" + ONE)), FaultKind.PNG_WITHOUT_CARD),
        (png(chunk(b"zTXt", b"chara\0\0" + zlib.compress(ONE))), FaultKind.PNG_COMPRESSED_CARD),
        (png(chunk(b"iTXt", b"chara\0\1\0\0\0" + zlib.compress(ONE))), FaultKind.PNG_COMPRESSED_CARD),
        (png(chunk(b"iTXt", b"chara\0\0\0en" + ONE)), FaultKind.PNG_DAMAGED),
        (png(chunk(b"tEXt", b"chara\0not base64!")), FaultKind.PNG_BAD_BASE64),
        (png(chunk(b"tEXt", b"chara\0" + ONE + b"=")), FaultKind.PNG_BAD_BASE64),
        (png(chunk(b"tEXt", b"chara\0" + ONE[:9] + b"\n" + ONE[9:])), FaultKind.PNG_BAD_BASE64),
        (png(chunk(b"tEXt", b"chara\0abc")), FaultKind.PNG_BAD_BASE64),
        (b"GIF89a", FaultKind.PNG_DAMAGED),
        (SIGNATURE, FaultKind.PNG_CUT_OFF),
        (SIGNATURE + HEADER, FaultKind.PNG_CUT_OFF),
        (SIGNATURE + HEADER + b"\0\0\0", FaultKind.PNG_CUT_OFF),
        (png(chunk(b"tEXt", b"chara\0" + ONE))[:-1], FaultKind.PNG_CUT_OFF),
        (SIGNATURE + HEADER + struct.pack(">I4s", 0xFFFFFFFF, b"tEXt") + b"chara\0" + ONE, FaultKind.PNG_CUT_OFF),
        (SIGNATURE + HEADER + struct.pack(">I4s", 0, b"\0\0\0\0") * 9 + END, FaultKind.PNG_DAMAGED),
        (png(chunk(b"tE\xe9t", b"chara\0" + ONE)), FaultKind.PNG_DAMAGED),
    ],
)
def test_other_pictures_are_refused(file: bytes, kind: FaultKind) -> None:
    with refused(kind):
        card_in_png(file)


def test_a_card_behind_the_end_is_not_found() -> None:
    with refused(FaultKind.PNG_WITHOUT_CARD):
        card_in_png(png() + chunk(b"tEXt", b"chara\0" + ONE))


def test_the_number_of_chunks_has_a_limit() -> None:
    card = chunk(b"tEXt", b"chara\0" + ONE)
    few = [chunk(b"tEXt", b"x\0")] * (MAX_CHUNKS - 4)
    assert card_in_png(png(*few, card)) == b'{"name":"One"}'
    with refused(FaultKind.PNG_TOO_MANY_CHUNKS) as faults:
        card_in_png(png(*few, card, card))
    assert faults == [CardFault(FaultKind.PNG_TOO_MANY_CHUNKS, limit=2_000)]


def test_the_length_of_a_card_has_a_limit() -> None:
    assert len(card_in_png(png(chunk(b"tEXt", b"chara\0" + b"A" * MAX_BASE64_BYTES)))) == MAX_BASE64_BYTES * 3 // 4
    with refused(FaultKind.JSON_TOO_LARGE):
        card_in_png(png(chunk(b"tEXt", b"chara\0" + b"A" * (MAX_BASE64_BYTES + 4))))


@given(card=st.binary(max_size=300))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_card_that_was_put_in_is_found_again(card: bytes) -> None:
    assert card_in_png(png_with_cards(png(), [("chara", b"other"), ("ccv3", card)])) == card
    assert card_in_png(png_with_cards(png(), [("chara", card)])) == card


def test_a_card_takes_the_place_of_those_that_were_there() -> None:
    other = chunk(b"tEXt", b"Software\0painter")
    before = png(
        chunk(b"tEXt", b"Chara\0" + ONE), other, chunk(b"zTXt", b"ccv3\0\0x"), chunk(b"iTXt", b"ccv3\0\0\0\0\0x")
    )
    after = png_with_cards(before + b"behind the end", [("chara", b'{"name":"Two"}')])
    assert after == b"".join([SIGNATURE, HEADER, other, PIXELS, chunk(b"tEXt", b"chara\0" + TWO), END])


def test_a_damaged_picture_takes_no_card() -> None:
    with refused(FaultKind.PNG_CUT_OFF):
        png_with_cards(png()[:-3], [("chara", b"{}")])
