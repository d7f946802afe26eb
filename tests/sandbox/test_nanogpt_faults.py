"""Every fault of the stand-in, as a client sees it."""

import asyncio
from typing import Final

import aiohttp
import pytest

from bot.sandbox.nanogpt.catalog import DEFAULT_MODEL, SandboxCharacter
from bot.sandbox.nanogpt.faults import Fault, Faults, Route
from bot.sandbox.nanogpt.recording import Outcome
from bot.sandbox.nanogpt.server import NanoGptSandbox
from tests.sandbox.nanogpt_visits import Reply, Visit, at, visiting

OWN = "bench-dog"
BODIES: Final[dict[Route, object]] = {
    Route.RESPONSES: {"character_id": "helpful-guide", "store": False, "input": "hello"},
    Route.REPORT: {"reason": "x"},
    Route.REVIEW: {"rating": 4},
    Route.CREATE: {"name": "Ada", "base_model_id": DEFAULT_MODEL, "system_prompt": "You are Ada."},
    Route.CHANGE: {"summary": "x"},
    Route.LOGIN_START: {"client_name": "bench"},
    Route.LOGIN_POLL: {"device_code": "fake-unknown"},
    Route.LOGIN_APPROVAL: {"code": "FAKE-9999"},
}
UNUSUAL: Final = {
    Route.REPORT: 201,
    Route.CREATE: 201,
    Route.LOGIN_POLL: 404,
    Route.LOGIN_PAGE: 404,
    Route.LOGIN_APPROVAL: 400,
}
"""Statuses of the calls below that are not 200."""
REPLY = "A reply of some length, to be cut in the middle."
HALF = REPLY[: len(REPLY) // 2]


async def call(visit: Visit, route: Route) -> Reply:
    """Call a route with a body that it takes, as the operator, who owns one character."""
    if visit.upstream.catalog.find(OWN) is None:
        visit.upstream.catalog.add(SandboxCharacter(slug=OWN, name="Bench Dog", owner=visit.upstream.operator.id))
    slug = OWN if route in {Route.CHANGE, Route.ARCHIVE} else "helpful-guide"
    method, path = route.value.replace("{idOrSlug}", slug).split(" ")
    return await visit.send(method, path, BODIES.get(route), key=visit.upstream.operator_key)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.BAD_KEY, 401, "invalid_api_key"),
        (Fault.RATE_LIMITED, 429, "rate_limit_exceeded"),
        (Fault.DAILY_CAP, 429, "daily_rpd_limit_exceeded"),
        (Fault.UNAVAILABLE, 503, "all_fallbacks_failed"),
        (Fault.CONTENT_POLICY, 400, "content_policy_violation"),
        (Fault.CONTEXT_TOO_LONG, 400, "context_length_exceeded"),
    ],
)
async def test_a_refusing_fault_answers_with_its_status_and_code(
    fault: Fault, status: int, code: str, *, stream: bool
) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(fault)
        reply = await visit.ask(stream=stream)
        assert (reply.status, reply.at("error", "code")) == (status, code)
        assert (await visit.ask(stream=stream)).status == 200


async def test_faults_without_an_error_object() -> None:
    async with visiting() as visit:
        faults = visit.upstream.faults
        for fault in (Fault.INSUFFICIENT_BALANCE, Fault.EMPTY_500, Fault.HTML_502, Fault.NOT_JSON):
            faults.next(fault)
        replies = [await visit.stream() for _ in range(4)]
        assert [reply.status for reply in replies] == [402, 500, 502, 200]
        assert replies[0].at("error") == "Insufficient balance"
        assert replies[1].raw == b""
        assert replies[2].headers["Content-Type"].startswith("text/html")
        with pytest.raises(ValueError, match="Expecting value"):
            replies[3].at()


async def test_a_short_limit_and_a_daily_one_announce_when_to_come_back() -> None:
    an_hour_before_midnight = 1_760_054_400 - 3_600
    async with visiting(NanoGptSandbox(now=lambda: an_hour_before_midnight)) as visit:
        visit.upstream.faults.next(Fault.RATE_LIMITED, retry_after=2)
        visit.upstream.faults.next(Fault.DAILY_CAP)
        assert (await visit.ask()).headers["Retry-After"] == "2"
        assert (await visit.ask()).headers["Retry-After"] == "3600"


@pytest.mark.parametrize(
    ("fault", "on", "status"),
    [
        (Fault.CHARACTER_MISSING, Route.RESPONSES, 404),
        (Fault.CHARACTER_FORBIDDEN, Route.RESPONSES, 403),
        (Fault.CHARACTER_MISSING, Route.CHARACTER, 404),
        (Fault.UNAVAILABLE, Route.LIST, 503),
        (Fault.HTML_502, Route.MODELS, 502),
        (Fault.RATE_LIMITED, Route.REPORT, 429),
        (Fault.UNAVAILABLE, Route.CREATE, 503),
        (Fault.BAD_KEY, Route.MINE, 401),
        (Fault.CHARACTER_FORBIDDEN, Route.CHANGE, 403),
        (Fault.CHARACTER_MISSING, Route.REVIEW, 404),
        (Fault.INSUFFICIENT_BALANCE, Route.REVIEW, 402),
        (Fault.RATE_LIMITED, Route.LOGIN_POLL, 429),
        (Fault.DAILY_CAP, Route.BALANCE, 429),
        (Fault.HTML_502, Route.USAGE, 502),
        (Fault.EMPTY_500, Route.LANGUAGE_MODELS, 500),
    ],
)
async def test_a_fault_waits_for_its_own_route(fault: Fault, on: Route, status: int) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(fault, on=on)

        async def call_all() -> dict[Route, int]:
            return {route: (await call(visit, route)).status for route in Route}

        usual = {route: UNUSUAL.get(route, 200) for route in Route}
        assert await call_all() == {**usual, on: status}
        visit.upstream.catalog.update(OWN, archived=False)
        assert await call_all() == usual


@pytest.mark.parametrize(
    ("on", "key"),
    [(Route.RESPONSES, None), (Route.RESPONSES, "sk-nano-fake-wrong"), (Route.LIST, "sk-nano-fake-wrong")],
)
async def test_a_call_that_no_key_opens_takes_no_fault(on: Route, key: str | None) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.UNAVAILABLE, on=on)
        method, path = on.value.split(" ")
        assert (await visit.send(method, path, BODIES.get(on), key=key)).status == 401
        assert len(visit.upstream.faults.pending) == 1
        assert (await call(visit, on)).status == 503


@pytest.mark.parametrize("on", [Route.LIST, Route.MODELS, Route.CHARACTER, Route.LOGIN_START, Route.NANO_PRICE])
async def test_a_call_that_needs_no_key_takes_its_fault_without_one(on: Route) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.UNAVAILABLE, on=on)
        method, path = on.value.replace("{idOrSlug}", "helpful-guide").split(" ")
        assert (await visit.send(method, path, BODIES.get(on))).status == 503
        assert visit.upstream.faults.pending == ()


async def test_a_catalogue_that_is_down_is_down_for_a_wrong_key_as_well() -> None:
    async with visiting() as visit:
        visit.upstream.faults.catalog_down = True
        for key in (None, "sk-nano-fake-wrong"):
            assert (await visit.get("/characters/mine", key=key)).status == 503


async def test_a_fault_strikes_as_often_as_ordered() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.UNAVAILABLE, times=2)
        assert [(await visit.ask()).status for _ in range(3)] == [503, 503, 200]


def test_a_fault_that_cannot_happen_on_a_route_is_refused() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="cannot happen"):
        faults.next(Fault.CUT_IN_TEXT, on=Route.LIST)
    with pytest.raises(ValueError, match="cannot happen"):
        faults.next(Fault.LOST_ANSWER)
    faults.next(Fault.UNAVAILABLE)
    faults.catalog_down = True
    assert len(faults.pending) == 1
    faults.clear()
    assert faults.take(Route.RESPONSES) is None
    assert faults.take(Route.LIST) is None


@pytest.mark.parametrize(
    ("fault", "text", "last_kind"),
    [
        (Fault.END_BEFORE_TEXT, "", "response.in_progress"),
        (Fault.END_IN_TEXT, HALF, "response.output_text.delta"),
        (Fault.EMPTY, "", "response.completed"),
        (Fault.INCOMPLETE, HALF, "response.incomplete"),
        (Fault.CONTENT_FILTERED, HALF, "response.incomplete"),
        (Fault.FAILED_BEFORE_TEXT, "", "response.failed"),
        (Fault.FAILED_IN_TEXT, HALF, "response.failed"),
        (Fault.ERROR_BEFORE_TEXT, "", "error"),
        (Fault.ERROR_IN_TEXT, HALF, "error"),
        (Fault.UNKNOWN_EVENTS, REPLY, "response.completed"),
    ],
)
async def test_a_stream_ends_as_its_fault_says(fault: Fault, text: str, last_kind: str) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(fault)
        visit.upstream.script(REPLY)
        reply = await visit.stream()
        assert reply.streamed == text
        assert reply.kinds[-1] == last_kind


async def test_incomplete_reasons_stand_in_the_closing_event() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.INCOMPLETE)
        visit.upstream.faults.next(Fault.CONTENT_FILTERED)
        reasons = [at((await visit.stream()).events[-1], "response", "incomplete_details", "reason") for _ in range(2)]
        assert reasons == ["max_output_tokens", "content_filter"]


async def test_a_refusal_has_parts_and_events_of_its_own() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.REFUSAL, times=2)
        reply = await visit.stream()
        assert {"response.refusal.delta", "response.refusal.done"} <= set(reply.kinds)
        assert reply.streamed == ""
        part = (await visit.ask()).at("output", 0, "content", 0)
        assert at(part, "type") == "refusal"
        assert at(part, "refusal")


async def test_an_error_frame_may_lack_a_type() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.CHAT_STYLE_ERROR)
        reply = await visit.stream()
        assert at(reply.events[-1], "error", "status") == 503
        with pytest.raises(KeyError):
            at(reply.events[-1], "type")


async def test_unknown_events_stand_among_the_known_ones() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.UNKNOWN_EVENTS)
        reply = await visit.stream()
        assert {"response.stardust.delta", "nanogpt.weather"} <= set(reply.kinds)


async def test_plain_json_may_come_in_place_of_a_stream() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.PLAIN_JSON)
        visit.upstream.script(REPLY)
        reply = await visit.stream()
        assert reply.headers["Content-Type"].startswith("application/json")
        assert reply.at("output_text") == REPLY


async def test_only_streams_are_refused_by_a_model_that_does_not_stream() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.STREAM_UNSUPPORTED, times=2)
        assert (await visit.stream()).at("error", "param") == "stream"
        assert (await visit.ask()).status == 200


@pytest.mark.parametrize("fault", [Fault.FAILED_IN_TEXT, Fault.ERROR_BEFORE_TEXT])
async def test_a_whole_answer_may_be_a_failed_one(fault: Fault) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(fault)
        reply = await visit.ask()
        assert (reply.status, reply.at("status"), reply.at("error", "code")) == (200, "failed", "server_error")


@pytest.mark.parametrize(
    ("after", "text"), [(1, REPLY[:1]), (0, REPLY[:1]), (7, REPLY[:7]), (10_000, REPLY[:-1]), (None, HALF)]
)
async def test_where_in_the_text_a_fault_strikes_can_be_ordered(after: int | None, text: str) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.END_IN_TEXT, after_characters=after)
        visit.upstream.script(REPLY)
        assert (await visit.stream()).streamed == text


async def read_until_cut(visit: Visit) -> bytes:
    """Read a stream that is to be dropped; return what came."""
    body = {"character_id": "helpful-guide", "store": False, "input": "hello", "stream": True}
    headers = {"Authorization": f"Bearer {visit.upstream.operator_key}"}
    received = bytearray()
    url = f"{visit.upstream.responses_url}/responses"
    async with visit.session.post(url, json=body, headers=headers) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await _drain(response, received)
    return bytes(received)


async def _drain(response: aiohttp.ClientResponse, into: bytearray) -> None:
    async for chunk in response.content.iter_any():
        into += chunk


@pytest.mark.parametrize(("fault", "text"), [(Fault.CUT_BEFORE_TEXT, ""), (Fault.CUT_IN_TEXT, HALF)])
async def test_a_cut_drops_the_connection_after_what_was_sent(fault: Fault, text: str) -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(fault)
        visit.upstream.script(REPLY)
        reply = Reply(200, await read_until_cut(visit), {})
        assert reply.kinds[0] == "response.created"
        assert reply.streamed == text
        await visit.upstream.wait_for(lambda: visit.upstream.calls[0].outcome is Outcome.CUT)


@pytest.mark.parametrize("on", list(Route))
async def test_a_cut_before_the_answer_sends_nothing_on_any_route(on: Route) -> None:
    async with visiting() as visit:
        tries_of_aiohttp = 2
        visit.upstream.faults.next(Fault.CUT_BEFORE_ANSWER, on=on, times=tries_of_aiohttp)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await call(visit, on)


@pytest.mark.parametrize("fault", [Fault.STALL_BEFORE_ANSWER, Fault.STALL_BEFORE_TEXT, Fault.STALL_IN_TEXT])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_stall_lasts_until_the_client_goes_away(fault: Fault, *, stream: bool) -> None:
    async with visiting() as visit:
        upstream = visit.upstream
        upstream.faults.next(fault)
        asking = asyncio.create_task(visit.ask(stream=stream))
        await upstream.wait_for(lambda: bool(upstream.calls) and upstream.calls[0].outcome is Outcome.STALLED)
        assert not asking.done()
        asking.cancel()
        await upstream.wait_for(lambda: upstream.calls[0].ended is not None)
        assert upstream.calls[0].outcome is Outcome.STALLED
        assert (await visit.ask()).status == 200


async def test_a_whole_answer_can_be_cut() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.CUT_IN_TEXT)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await visit.ask()
