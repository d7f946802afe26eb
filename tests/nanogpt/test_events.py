from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nanogpt.events import (
    TEXT_CAP,
    Completed,
    Failed,
    Incomplete,
    ReaderEvent,
    ResponseReader,
    Started,
    TextDelta,
    TextReplaced,
    Usage,
    VisibleText,
)
from bot.nanogpt.jsonvalue import Json
from bot.nanogpt.sse import TooMuchDataError
from tests.nanogpt.fixtures import (
    COMPLETED,
    CREATED,
    EMPTY,
    FAILED,
    INCOMPLETE,
    QUEUED,
    REFUSED,
    STREAMS,
    THOUGHTFUL,
    completed,
    delta,
    message,
    stream,
)

_TOKENS: Final = ["<think>", "</think>", "<thinking>", "</thinking>", "<th", "ink>", "<", "/", " ", "\n", "Hi", "é"]


def read(chunks: Iterable[bytes]) -> tuple[ResponseReader, list[ReaderEvent]]:
    reader = ResponseReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return reader, events + reader.finish()


def fold(events: Sequence[ReaderEvent]) -> tuple[str, str]:
    """Follow events as a consumer would; return the text on show and what came last."""
    text, end = "", "cut"
    for place, event in enumerate(events):
        assert end == "cut", "nothing comes after the end"
        match event:
            case Started():
                assert place == 0
            case TextDelta(more):
                assert more
                text += more
            case TextReplaced(full):
                text = full
            case Completed() | Incomplete():
                assert isinstance(events[0], Started)
                assert text == event.text
                end = type(event).__name__
            case Failed(fault):
                end = fault.code or ""
    return text, end


def closing(events: Sequence[ReaderEvent]) -> ReaderEvent:
    return events[-1]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_comes_to_its_text_and_its_end(name: str) -> None:
    expected = STREAMS[name]
    reader, events = read([expected.body])
    assert fold(events) == (expected.text, expected.end)
    assert reader.text == expected.text
    assert reader.complete is (expected.end != "cut")


@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_at_any_byte_comes_to_the_same(name: str) -> None:
    expected = STREAMS[name]
    body = expected.body
    for cut in range(len(body) + 1):
        _, events = read([body[:cut], body[cut:]])
        assert fold(events) == (expected.text, expected.end)
    _, events = read(body[place : place + 1] for place in range(len(body)))
    assert fold(events) == (expected.text, expected.end)


@given(
    st.lists(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1, max_size=8),
    st.lists(st.integers(0, 5_000), max_size=8),
)
def test_any_text_in_any_pieces_arrives_whole(deltas: list[str], cuts: list[int]) -> None:
    body = stream(*(delta(piece) for piece in deltas), completed("".join(deltas)))
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    _, events = read(body[start:end] for start, end in pairwise(places))
    visible = VisibleText()
    expected = visible.feed("".join(deltas)) + visible.finish()
    assert fold(events) == ((expected, "Completed") if expected else ("", "empty_response"))


@given(st.lists(st.sampled_from([*_TOKENS, "\ud83d", "\udc09"]), max_size=14))
def test_the_visible_text_does_not_depend_on_the_pieces(pieces: list[str]) -> None:
    whole, piecewise = VisibleText(), VisibleText()
    at_once = whole.feed("".join(pieces)) + whole.finish()
    assert "".join(piecewise.feed(piece) for piece in pieces) + piecewise.finish() == at_once
    at_once.encode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Hello", "Hello"),
        ("  \nHello ", "Hello "),
        ("<think>a</think>Hello", "Hello"),
        ("\n<THINK>a\n</Think>\n\nHello", "Hello"),
        ("<thinking>a</think></thinking>Hello", "Hello"),
        ("<think>a</think> <think>b</think>Hello", "Hello"),
        ("<think>never closed", ""),
        ("<think></think>", ""),
        ("<think", "<think"),
        ("<thinker>", "<thinker>"),
        ("Hello <think>b</think>", "Hello <think>b</think>"),
        ("\ud83d", "\ufffd"),
        ("\udc09x", "\ufffdx"),
        ("\ud83d\udc09", "\U0001f409"),
        ("", ""),
    ],
)
def test_leading_thoughts_are_left_out(raw: str, shown: str) -> None:
    visible = VisibleText()
    assert visible.feed(raw) + visible.finish() == shown


def test_deltas_are_handed_on_as_they_come() -> None:
    reader = ResponseReader()
    assert reader.feed(stream(CREATED, done=False)) == []
    assert reader.feed(stream(delta("Hel"), done=False)) == [Started("resp_s1"), TextDelta("Hel")]
    assert reader.feed(stream(delta("lo"), done=False)) == [TextDelta("lo")]
    assert not reader.ended
    assert reader.feed(stream(completed("Hello"))) == [
        Completed("Hello", "resp_s1", None, Usage(5, 2, 7)),
    ]
    assert reader.ended


def test_deltas_of_one_chunk_are_one_event() -> None:
    _, events = read([stream(delta("a"), delta("b"), delta("c"), completed("abc"))])
    assert events[:2] == [Started("resp_s1"), TextDelta("abc")]


def test_the_closing_text_overrules_the_deltas() -> None:
    _, events = read([stream(delta("Helo"), done=False), stream(completed("Hello"))])
    assert events[2] == TextReplaced("Hello")


def test_a_part_known_only_when_done_waits_for_the_end() -> None:
    late: dict[str, Json] = {"type": "response.output_text.done", "output_index": 7, "text": "Two."}
    _, events = read([stream(delta("One."), late, done=False), stream(completed("One.", "Two."))])
    assert events[1:3] == [TextDelta("One."), TextDelta("\n\nTwo.")]


def test_items_without_index_are_told_apart_by_their_id() -> None:
    deltas: list[dict[str, Json]] = [
        {"type": "response.output_text.delta", "item_id": name, "delta": text}
        for name, text in (("a", "One"), ("a", "."), ("b", "Two"), ("b", "."))
    ]
    _, events = read([stream(*deltas, completed("One.", "Two."))])
    assert events[1] == TextDelta("One.\n\nTwo.")


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [("One.\n", "Two.", "One.\nTwo."), ("One.", " Two.", "One. Two."), ("One.", "Two.", "One.\n\nTwo.")],
)
def test_messages_are_kept_apart_by_white_space(first: str, second: str, text: str) -> None:
    _, events = read([stream(delta(first), delta(second, item=1), completed(first, second))])
    assert fold(events) == (text, "Completed")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.delta"},
        {"type": "response.output_text.delta", "delta": None},
        {"type": "response.output_text.delta", "delta": ""},
        {"type": "response.output_text.done", "text": ""},
        {"type": "response.output_text.done"},
        {"type": "response.refusal.done"},
        {"type": "response.content_part.done", "part": {"type": "reasoning_text", "text": "secret"}},
        {"type": "response.output_item.done", "item": {"type": "reasoning", "content": []}},
        {"type": "response.output_item.done", "item": {"type": "message", "content": ""}},
        {"type": "response.output_item.done", "item": {"type": "message", "role": "user", "content": "echo"}},
        {"type": "response.created", "response": None},
        {"type": ["odd"]},
        {"type": None, "error": None},
    ],
)
def test_events_that_say_nothing_are_passed_over(event: dict[str, Json]) -> None:
    _, events = read([stream(event, delta("Hello"), event, completed("Hello"))])
    assert fold(events) == ("Hello", "Completed")


def test_an_item_that_is_done_overrules_its_deltas() -> None:
    item: dict[str, Json] = {"type": "response.output_item.done", "output_index": 0, "item": message("Hello")}
    _, events = read([stream(delta("Helo"), item, done=False)])
    assert events[-1] == TextReplaced("Hello")


def test_text_that_turns_out_to_be_thoughts_is_taken_back() -> None:
    _, events = read([stream(delta("Hm."), done=False), stream(completed("<think>Hm.</think>Hello"))])
    assert fold(events) == ("Hello", "Completed")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            COMPLETED,
            Completed("The capital of France is Paris.", "resp_abc123", "some/model", Usage(15, 10, 25, 4, 3), None),
        ),
        (INCOMPLETE, Incomplete("Once upon a", "max_output_tokens", "resp_inc", None, Usage(9, 16, 25))),
        (REFUSED, Completed("I can't help with that.", "resp_ref", refusal=True)),
        (THOUGHTFUL, Completed("Hello.", "resp_think", cost=0.000169)),
        ({"output_text": "Hello"}, Completed("Hello")),
        ({"status": "completed", "output": [], "output_text": "Hello"}, Completed("Hello")),
        ({"output": [message("items")], "output_text": "top"}, Completed("items")),
        ({"output": [{"type": "message", "content": "Hello"}]}, Completed("Hello")),
        ({"output": [{"content": [{"type": "text", "text": "Hello"}]}]}, Completed("Hello")),
        ({"response": {"id": "r", "output": [message("Hello")]}}, Completed("Hello", "r")),
        ({"status": "completed", "error": {"code": "odd"}, "output": [message("Hello")]}, Completed("Hello")),
        ({"status": "novel", "output": [message("Hello")]}, Completed("Hello")),
        ({"status": "incomplete", "output": []}, Incomplete("")),
    ],
)
def test_a_whole_answer_is_read_like_a_stream(body: dict[str, Json], expected: ReaderEvent) -> None:
    events = ResponseReader().whole(body)
    assert closing(events) == expected
    assert fold(events)[1] == type(expected).__name__


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (FAILED, "server_error"),
        (EMPTY, "empty_response"),
        ({"status": "cancelled"}, ""),
        ({"error": {"code": "x"}}, "x"),
    ],
)
def test_a_whole_answer_may_be_a_failure(body: dict[str, Json], code: str) -> None:
    assert fold(ResponseReader().whole(body)) == ("", code)


@pytest.mark.parametrize("body", [QUEUED, {}, [], "text", None, {"id": "x"}, {"status": "in_progress", "output": []}])
def test_what_is_no_finished_answer_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="no finished response"):
        ResponseReader().whole(body)


def test_the_status_inside_overrules_the_name_of_the_event() -> None:
    _, events = read([stream({"type": "response.completed", "response": INCOMPLETE})])
    assert isinstance(closing(events), Incomplete)
    _, events = read([stream({"type": "response.completed", "response": FAILED})])
    assert isinstance(closing(events), Failed)


def test_a_failure_may_be_told_beside_the_response() -> None:
    event: dict[str, Json] = {"type": "response.failed", "response": {"error": None}, "error": {"code": "beside"}}
    _, events = read([stream(event)])
    assert fold(events) == ("", "beside")


@pytest.mark.parametrize(
    ("extra", "cost"),
    [
        ({}, None),
        ({"x_nanogpt_pricing": None}, None),
        ({"x_nanogpt_pricing": {"cost": 0}}, 0.0),
        ({"x_nanogpt_pricing": {"cost": "0.25", "amount": 3}}, 0.25),
        ({"x_nanogpt_pricing": {"amount": 0.5}}, 0.5),
        ({"x_nanogpt_pricing": {"amount": 0.5, "currency": "XNO"}}, None),
        ({"x_nanogpt_pricing": {"amount": 0.5, "currency": "XNO", "costUsd": 0.1}}, 0.1),
        ({"x_nanogpt_pricing": {"cost": -1}}, None),
        ({"cost": 0.75}, 0.75),
        ({"usage": {"cost": 0.75}}, None),
    ],
)
def test_the_cost_is_found_where_it_stands(extra: dict[str, Json], cost: float | None) -> None:
    inside = ResponseReader().whole({"output": [message("Hello")], **extra})
    _, beside = read([stream({"type": "response.completed", "response": {"output": [message("Hello")]}, **extra})])
    for event in (closing(inside), closing(beside)):
        assert isinstance(event, Completed)
        assert event.cost == cost


def test_a_cost_in_the_headers_counts_where_the_body_says_none() -> None:
    for body, cost in (({}, 0.5), ({"cost": 0.25}, 0.25)):
        reader = ResponseReader()
        reader.header_cost = 0.5
        event = closing(reader.whole({"output": [message("Hello")], **body}))
        assert isinstance(event, Completed)
        assert event.cost == cost


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        ({"input_tokens": "7", "output_tokens": 0, "total_tokens": None}, Usage(7, 0)),
        ({"input_tokens": -1, "output_tokens": 1.5, "total_tokens": True}, Usage()),
        ({"input_tokens_details": [], "output_tokens_details": {"reasoning_tokens": 2}}, Usage(reasoning_tokens=2)),
    ],
)
def test_missing_tokens_are_unknown_and_not_zero(usage: Json, expected: Usage) -> None:
    event = closing(ResponseReader().whole({"output": [message("Hello")], "usage": usage}))
    assert isinstance(event, Completed)
    assert event.usage == expected


def test_a_text_without_end_is_refused() -> None:
    reader = ResponseReader()
    chunk = stream(delta("x" * (TEXT_CAP // 4)), done=False)
    for _ in range(4):
        reader.feed(chunk)
    with pytest.raises(TooMuchDataError):
        reader.feed(chunk)


def test_a_closing_text_without_measure_is_refused() -> None:
    with pytest.raises(TooMuchDataError):
        ResponseReader().whole({"output_text": "x" * (TEXT_CAP + 1)})
