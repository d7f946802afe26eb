from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nanogpt.sse import Frame, SseDecoder, TooMuchDataError
from tests.nanogpt.fixtures import STREAMS


def decode(*chunks: bytes, cap: int = 1_000_000) -> list[Frame]:
    decoder = SseDecoder(frame_cap=cap)
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.finish()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"data: a\n\n", [Frame("a")]),
        (b"data:a\n\n", [Frame("a")]),
        (b"data:  a\n\n", [Frame(" a")]),
        (b"data: a\r\n\r\n", [Frame("a")]),
        (b"data: a\r\r", [Frame("a")]),
        (b"data: a\r\n\ndata: b\n\r\n", [Frame("a"), Frame("b")]),
        (b"data: a\ndata: b\n\n", [Frame("a\nb")]),
        (b"data\n\n", [Frame("")]),
        (b"data: a:b\n\n", [Frame("a:b")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [Frame("a", "x"), Frame("b")]),
        (b"event: x\n\ndata: b\n\n", [Frame("b")]),
        (b": note\nid: 4\nretry: 5\nother: 6\ndata: a\n\n", [Frame("a")]),
        (b"\n\n\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", [Frame("a")]),
        (b"\xef\xbb", []),
        (b"data: \xff\n\n", [Frame("\ufffd")]),
        (b"data: \xe2\x80\xa8\x0b\x0c\x1c\x85\n\n", [Frame("\u2028\x0b\x0c\x1c\ufffd")]),
        (b"data: a", [Frame("a")]),
        (b"data: a\n", [Frame("a")]),
    ],
)
def test_frames_are_cut_out_of_bytes(body: bytes, expected: list[Frame]) -> None:
    assert decode(body) == expected


@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_at_any_byte_changes_nothing(name: str) -> None:
    body = STREAMS[name].body
    whole = decode(body)
    assert all(decode(body[:cut], body[cut:]) == whole for cut in range(len(body) + 1))
    assert decode(*(body[place : place + 1] for place in range(len(body)))) == whole


@given(
    st.lists(st.sampled_from([b"data", b": ", b"x", b"\r", b"\n", b"\r\n", b"event", "é".encode(), b""]), max_size=30),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_any_bytes_in_any_pieces_give_the_same_frames(tokens: list[bytes], cuts: list[int]) -> None:
    body = b"".join(tokens)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(places)]
    assert decode(*pieces) == decode(body)


def test_a_frame_is_handed_on_with_the_byte_that_ends_it() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\r\n\r") == [Frame("a")]
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"data: b\n\n") == [Frame("b")]


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: " + b"x" * 20],
        [b"data: ", *[b"x"] * 20],
        [b"data: x\n"] * 20,
        [b": " + b"x" * 20],
    ],
)
def test_a_frame_beyond_the_cap_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(TooMuchDataError) as caught:
        decode(*chunks, cap=16)
    assert caught.value.limit == 16


def test_many_frames_below_the_cap_pass_in_any_pieces() -> None:
    body = b"data: 0123456789\n\n: 0123456\n" * 50
    assert decode(*(body[place : place + 3] for place in range(0, len(body), 3)), cap=20) == [Frame("0123456789")] * 50


def test_a_line_at_the_cap_may_be_ended_by_the_end_of_the_stream() -> None:
    assert decode(b"data: 0123", b"4567", cap=15) == [Frame("01234567")]
