import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest

from bot.domain.conversation import InputItem
from bot.domain.ids import CharacterId, PayerId
from bot.nanogpt import errors
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.events import (
    Completed,
    Incomplete,
    Started,
    StreamEvent,
    TextDelta,
    TextReplaced,
    Usage,
)
from bot.nanogpt.pace import Priority
from bot.nanogpt.requests import ApiKey, ResponseRequest
from bot.nanogpt.sse import FRAME_CAP_BYTES
from bot.nanogpt.transport import TimeLimits
from tests.nanogpt.fixtures import (
    COMPLETED,
    CREATED,
    EMPTY,
    ERRORS,
    FAILED,
    FAKE_KEY,
    INCOMPLETE,
    PAGE,
    QUEUED,
    STREAMS,
    completed,
    delta,
    frame,
    stream,
)
from tests.nanogpt.support import Body, Step, Upstream, answer, body_of, raw, streamed

KEY = ApiKey(FAKE_KEY, PayerId("operator"))
REQUEST = ResponseRequest(CharacterId("helpful-guide"), (InputItem("user", "Hi"),), base_model="some/model")
HELLO = stream(CREATED, delta("Hel"), delta("lo"), completed("Hello"))
HELLO_USAGE = Usage(5, 2, 7)


async def collect(client: NanoGptClient, request: ResponseRequest = REQUEST) -> list[StreamEvent]:
    return [event async for event in client.stream_response(request, key=KEY)]


async def last(client: NanoGptClient) -> StreamEvent:
    return (await collect(client))[-1]


async def failing(upstream: Upstream) -> errors.NanoGptError:
    """Stream, expect a failure, and return it."""
    with pytest.raises(errors.NanoGptError) as caught:
        await collect(upstream.client())
    return caught.value


async def test_a_reply_is_streamed() -> None:
    upstream = Upstream([streamed(*(HELLO[place : place + 7] for place in range(0, len(HELLO), 7)))])
    assert await collect(upstream.client()) == [
        Started("resp_s1"),
        TextDelta("Hel"),
        TextDelta("lo"),
        Completed("Hello", "resp_s1", usage=HELLO_USAGE),
    ]
    request = upstream.requests[0]
    assert str(request.url) == "https://api.nano-gpt.example/api/v1/responses"
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert upstream.sent() == {
        "character_id": "helpful-guide",
        "input": [{"type": "message", "role": "user", "content": "Hi"}],
        "store": False,
        "stream": True,
    }
    assert upstream.pace.turns == [Priority.CHAT]


@pytest.mark.parametrize("name", STREAMS)
async def test_every_stream_comes_to_its_end_byte_by_byte(name: str) -> None:
    expected = STREAMS[name]
    steps = [streamed(*(expected.body[place : place + 1] for place in range(len(expected.body)))) for _ in range(3)]
    client = Upstream(steps).client()
    if expected.end in {"Completed", "Incomplete"}:
        event = await last(client)
        assert isinstance(event, Completed | Incomplete)
        assert (event.text, type(event).__name__) == (expected.text, expected.end)
    else:
        with pytest.raises(errors.NanoGptError) as caught:
            await collect(client)
        assert caught.value.partial_text == expected.text


async def test_a_reply_that_was_asked_for_whole_is_not_streamed() -> None:
    upstream = Upstream([answer(COMPLETED)])
    completion = await upstream.client().create_response(REQUEST, key=KEY)
    assert completion == Completed(
        "The capital of France is Paris.", "resp_abc123", "some/model", Usage(15, 10, 25, 4, 3)
    )
    assert upstream.sent()["stream"] is False
    assert upstream.requests[0].extensions["timeout"]["read"] == TimeLimits().overall


async def test_an_incomplete_reply_is_no_error() -> None:
    upstream = Upstream([answer(INCOMPLETE)])
    completion = await upstream.client().create_response(REQUEST, key=KEY)
    assert completion == Incomplete("Once upon a", "max_output_tokens", "resp_inc", usage=Usage(9, 16, 25))


async def test_a_stream_that_was_not_asked_for_is_read_all_the_same() -> None:
    completion = await Upstream([streamed(HELLO)]).client().create_response(REQUEST, key=KEY)
    assert completion.text == "Hello"


async def test_a_whole_answer_to_a_streaming_request_becomes_events() -> None:
    assert await collect(Upstream([answer(COMPLETED)]).client()) == [
        Started("resp_abc123"),
        TextDelta("The capital of France is Paris."),
        Completed("The capital of France is Paris.", "resp_abc123", "some/model", Usage(15, 10, 25, 4, 3)),
    ]


async def test_the_cost_may_stand_in_a_header() -> None:
    event = await last(Upstream([streamed(HELLO, x_cost="0.25")]).client())
    assert isinstance(event, Completed)
    assert event.cost == 0.25


@pytest.mark.parametrize(
    "failure",
    [
        answer(ERRORS["down"], 503),
        answer(ERRORS["too fast"], 429),
        raw(PAGE, 502),
        raw(PAGE, 200),
        answer(FAILED),
        answer(EMPTY),
        httpx.ConnectError("no"),
        httpx.ReadTimeout("no"),
        httpx.WriteError("no"),
        streamed(),
        streamed(b": keep-alive\n\n"),
        streamed(frame(CREATED), httpx.ReadError("no")),
        streamed(frame(CREATED), httpx.ReadTimeout("no")),
        streamed(stream(CREATED, {"type": "response.failed", "response": FAILED})),
        streamed(stream({"type": "error", "code": "rate_limit_exceeded"})),
        streamed(stream(CREATED, completed())),
        streamed(stream(delta("<think>hm"), done=False)),
    ],
)
async def test_a_failure_before_the_first_text_is_retried(failure: Step) -> None:
    upstream = Upstream([failure, streamed(HELLO)])
    events = await collect(upstream.client())
    assert [type(event) for event in events] == [Started, TextDelta, Completed]
    assert upstream.slept == [1.0]


async def test_a_stall_before_first_text_is_retried_twice() -> None:
    stalls = [streamed(frame(CREATED), httpx.ReadTimeout("no")) for _ in range(3)]
    upstream = Upstream(stalls)
    assert isinstance(await failing(upstream), errors.StalledError)
    assert upstream.slept == [1.0, 2.0]
    assert all(body_of(stall).closed for stall in stalls)


@pytest.mark.parametrize(
    ("break_", "expected"),
    [
        (httpx.ReadError("no"), errors.CutStreamError),
        (httpx.RemoteProtocolError("no"), errors.CutStreamError),
        (httpx.ReadTimeout("no"), errors.StalledError),
        (b"", errors.CutStreamError),
        (b"data: [DONE]\n\n", errors.CutStreamError),
        (stream({"type": "response.failed", "response": FAILED}), errors.UpstreamDownError),
        (stream({"type": "error", "code": "rate_limit_exceeded"}), errors.ThroughputLimitedError),
        (b"data: " + b"x" * (FRAME_CAP_BYTES + 1), errors.MalformedAnswerError),
    ],
)
async def test_a_failure_after_text_is_raised_with_the_text(
    break_: bytes | Exception, expected: type[errors.NanoGptError]
) -> None:
    cut = streamed(frame(CREATED), frame(delta("Hel")), break_, x_request_id="req_fake")
    upstream = Upstream([cut])
    error = await failing(upstream)
    assert type(error) is expected
    assert error.partial_text == "Hel"
    assert error.request_id == "req_fake"
    assert upstream.slept == []
    assert body_of(cut).closed


async def test_text_in_the_chunk_of_its_failure_is_handed_on_first() -> None:
    upstream = Upstream([streamed(stream(delta("Hel"), {"type": "error", "code": "server_error"}))])
    events = upstream.client().stream_response(REQUEST, key=KEY)
    assert [await anext(events), await anext(events)] == [Started(None), TextDelta("Hel")]
    with pytest.raises(errors.UpstreamDownError) as caught:
        await anext(events)
    assert caught.value.partial_text == "Hel"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (answer(ERRORS["bad session"], 401), errors.BadKeyError),
        (answer(ERRORS["no balance"], 402), errors.InsufficientBalanceError),
        (answer(ERRORS["character closed"], 403), errors.CharacterUnusableError),
        (answer(ERRORS["no character"], 404), errors.CharacterUnusableError),
        (raw(PAGE, 404), errors.UpstreamDownError),
        (answer(ERRORS["too few tokens"], 400), errors.InvalidRequestError),
        (answer(ERRORS["moderated"], 400), errors.ContentPolicyError),
        (answer(ERRORS["too long"], 400), errors.ContextTooLongError),
        (answer(ERRORS["daily cap"], 429, retry_after="30000"), errors.DailyLimitError),
        (answer(ERRORS["too fast"], 429, retry_after="61"), errors.ThroughputLimitedError),
        (raw(b"", 413), errors.TooLargeError),
        (answer(QUEUED, 202), errors.MalformedAnswerError),
        (raw(b"not JSON at all", 200, "application/json"), errors.MalformedAnswerError),
        (answer({"output_text": "x" * 5_000_000}), errors.MalformedAnswerError),
        (streamed(stream({"type": "error", "code": "context_length_exceeded"})), errors.ContextTooLongError),
        (streamed(stream({"type": "error", "code": "character_archived"})), errors.CharacterUnusableError),
    ],
)
async def test_a_lasting_failure_is_raised_at_once(step: Step, expected: type[errors.NanoGptError]) -> None:
    upstream = Upstream([step])
    assert type(await failing(upstream)) is expected
    assert upstream.slept == []


async def test_an_empty_reply_is_asked_for_once_more() -> None:
    upstream = Upstream([answer(EMPTY), streamed(stream(CREATED, completed()))])
    assert isinstance(await failing(upstream), errors.EmptyResponseError)
    assert upstream.slept == [1.0]


async def test_a_missing_model_is_sent_and_remembered() -> None:
    upstream = Upstream([answer(ERRORS["model required"], 400), streamed(HELLO), streamed(HELLO)])
    client = upstream.client()
    await collect(client)
    await collect(client)
    assert ["model" in upstream.sent(place) for place in range(3)] == [False, True, True]
    assert upstream.sent()["model"] == "some/model"
    assert upstream.slept == []


async def test_a_model_that_is_not_known_cannot_be_sent() -> None:
    upstream = Upstream([answer(ERRORS["model required"], 400)])
    with pytest.raises(errors.InvalidRequestError):
        await collect(upstream.client(), ResponseRequest(CharacterId("x"), ()))


async def test_a_model_that_is_still_missing_is_not_sent_twice() -> None:
    upstream = Upstream([answer(ERRORS["model required"], 400)] * 2)
    assert isinstance(await failing(upstream), errors.InvalidRequestError)


async def test_what_cannot_be_streamed_is_asked_for_whole() -> None:
    upstream = Upstream([answer(ERRORS["no streaming"], 400), answer(COMPLETED)])
    events = await collect(upstream.client())
    assert [type(event) for event in events] == [Started, TextDelta, Completed]
    assert [upstream.sent(place)["stream"] for place in range(2)] == [True, False]
    assert upstream.slept == []


async def test_a_model_may_be_missing_and_not_stream() -> None:
    upstream = Upstream(
        [
            answer(ERRORS["model required"], 400),
            answer(ERRORS["no streaming"], 400),
            answer(ERRORS["down"], 503),
            answer(COMPLETED),
        ]
    )
    await collect(upstream.client())
    assert (upstream.sent()["stream"], upstream.sent()["model"]) == (False, "some/model")


async def test_a_server_that_streams_nothing_at_all_is_not_asked_for_ever() -> None:
    upstream = Upstream([answer(ERRORS["no streaming"], 400)] * 2)
    assert isinstance(await failing(upstream), errors.InvalidRequestError)


async def test_keep_alives_do_not_outlast_the_overall_limit() -> None:
    upstream = Upstream([], limits=TimeLimits(overall=300))
    wait = upstream.pass_time(80)
    endless = streamed(frame(CREATED), *[b": keep-alive\n\n", wait] * 10)
    upstream.script = [endless]
    error = await failing(upstream)
    assert isinstance(error, errors.StalledError)
    assert error.code == "overall_limit"
    assert upstream.now == 320
    assert body_of(endless).closed


async def test_a_closing_event_counts_however_late_it_comes() -> None:
    upstream = Upstream([])
    upstream.script = [streamed(frame(delta("Hello")), upstream.pass_time(400), frame(completed("Hello")))]
    assert isinstance(await last(upstream.client()), Completed)


async def test_the_limits_cover_all_tries_together() -> None:
    upstream = Upstream([], limits=TimeLimits(overall=100))
    stall = streamed(frame(CREATED), upstream.pass_time(60), httpx.ReadTimeout("no"))
    upstream.script = [stall, streamed(upstream.pass_time(39), httpx.ReadTimeout("no"))]
    assert isinstance(await failing(upstream), errors.StalledError)
    assert upstream.slept == [1.0]
    assert upstream.requests[1].extensions["timeout"] == {"connect": 10, "read": 39, "write": 39, "pool": None}


async def test_leaving_early_closes_the_stream() -> None:
    endless = streamed(frame(CREATED), *[frame(delta("Hel"))] * 1000)
    async with aclosing(Upstream([endless]).client().stream_response(REQUEST, key=KEY)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert body_of(endless).closed
    assert body_of(endless).sent < 10


class Hanging(Body):
    """A body that says what it has and then hangs until it is left alone."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(pieces)
        self.hanging = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            yield piece
        self.hanging.set()
        await asyncio.Event().wait()


async def test_cancellation_closes_the_stream() -> None:
    body = Hanging(frame(CREATED), frame(delta("Hel")))
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)
    task = asyncio.create_task(collect(Upstream([response]).client()))
    await body.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert body.closed


async def test_the_rest_behind_the_closing_event_is_read() -> None:
    whole = streamed(frame(delta("Hello")), frame(completed("Hello")), b"data: [DONE]\n\n")
    await collect(Upstream([whole]).client())
    assert body_of(whole).sent == 3


async def test_a_stream_that_does_not_end_is_left_after_its_closing_event() -> None:
    body = Hanging(frame(completed("Hello")))
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)
    upstream = Upstream([response], limits=TimeLimits(drain=0.0))
    assert isinstance(await last(upstream.client()), Completed)
    assert body.closed


@pytest.mark.parametrize("rest", [[b"x" * 40_000] * 50, [httpx.ReadError("no")]])
async def test_nothing_behind_the_closing_event_can_spoil_it(rest: list[bytes | Exception]) -> None:
    response = streamed(frame(completed("Hello")), *rest)
    assert isinstance(await last(Upstream([response]).client()), Completed)
    assert body_of(response).sent < 5
    assert body_of(response).closed


async def test_a_correction_is_handed_on() -> None:
    events = await collect(Upstream([streamed(frame(delta("Helo")), frame(completed("Hello")))]).client())
    assert events[1:3] == [TextDelta("Helo"), TextReplaced("Hello")]


async def test_lone_surrogates_in_the_history_do_not_stop_a_request() -> None:
    upstream = Upstream([streamed(HELLO)])
    await collect(upstream.client(), ResponseRequest(CharacterId("x"), (InputItem("user", "a\ud83d"),)))
    assert upstream.sent()["input"] == [{"type": "message", "role": "user", "content": "a?"}]


async def test_a_probe_tells_whether_a_model_was_wanted() -> None:
    wanting = Upstream([answer(ERRORS["model required"], 400), answer(COMPLETED)])
    findings = await wanting.client().probe_response(REQUEST, key=KEY)
    assert (findings.model_wanted, findings.completion.text) == (True, COMPLETED["output_text"])
    content = Upstream([answer(COMPLETED)])
    assert not (await content.client().probe_response(REQUEST, key=KEY)).model_wanted
