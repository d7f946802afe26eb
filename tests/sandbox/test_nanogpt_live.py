"""The stand-in before the real NanoGPT, for which another stand-in stands in here: what passes, and what never does."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.nanogpt.faults import Fault, Route
from bot.sandbox.nanogpt.live import LiveUpstream
from bot.sandbox.nanogpt.recording import Outcome
from bot.sandbox.nanogpt.server import NanoGptSandbox
from tests.sandbox.nanogpt_visits import Visit, slugs

REPLY = "A reply of several words, so that there is something to cut off in the middle of it."


@dataclass(frozen=True)
class Pair:
    """A visitor of the stand-in, and what is behind it."""

    visit: Visit
    real: NanoGptSandbox
    key: str

    @property
    def near(self) -> NanoGptSandbox:
        return self.visit.upstream


@asynccontextmanager
async def live(*, key: str | None = None) -> AsyncGenerator[Pair]:
    async with NanoGptSandbox() as real, aiohttp.ClientSession() as session:
        paying = key or real.catalog.add_account("payer").key
        forward = LiveUpstream(paying, website=real.base_url, direct=real.responses_url)
        async with forward, NanoGptSandbox(live=forward) as near:
            yield Pair(Visit(near, session), real, paying)


async def test_the_catalogue_is_the_real_one() -> None:
    async with live() as pair:
        pair.real.catalog.update("helpful-guide", name="Real Guide")
        found = await pair.visit.get("/characters", [("q", "witch & co"), ("q2", "x")])
        assert found.status == 400
        found = await pair.visit.get("/characters", [("q", "candlelight"), ("limit", "3")])
        assert slugs(found.at("data")) == ["margin-witch"]
        assert (await pair.visit.get("/characters/helpful-guide")).at("name") == "Real Guide"
        assert (await pair.visit.get("/characters/nobody")).status == 404
        assert (await pair.visit.get("/character-models", [("detailed", "true")])).at("object") == "list"


async def test_a_search_arrives_as_it_was_sent() -> None:
    async with live() as pair:
        query = [("q", "tea & biscuits + 50%"), ("tags", "slice of life"), ("tags", "a/b")]
        await pair.visit.get("/characters", query)
        (call,) = pair.real.calls
        assert call.query == {"q": ("tea & biscuits + 50%",), "tags": ("slice of life", "a/b")}


async def test_a_response_is_streamed_through_with_the_real_key_on_the_direct_host() -> None:
    async with live() as pair:
        pair.real.script(REPLY)
        reply = await pair.visit.stream("hello", instructions=None)
        assert reply.streamed == REPLY
        assert reply.data[-1] == "[DONE]"
        (call,) = pair.real.response_calls
        assert (call.account, call.key, call.direct) == ("payer", "good", True)
        (near,) = pair.near.response_calls
        assert (near.account, near.status, near.outcome) == ("operator", 200, Outcome.ANSWERED)
        assert near.body == call.body
        assert near.first_text is not None


async def test_text_passes_while_the_rest_is_still_being_written() -> None:
    async with live() as pair, pair.real.hold() as held:
        body = {"character_id": "helpful-guide", "store": False, "stream": True, "input": "hello"}
        headers = {"Authorization": f"Bearer {pair.near.operator_key}"}
        url = f"{pair.near.responses_url}/responses"
        async with pair.visit.session.post(url, json=body, headers=headers) as response:
            await held.release_text("Half of it, ")
            seen = b""
            while b"Half of it" not in seen:
                seen += await response.content.readany()
            await held.finish("and the rest.")
            assert b"and the rest." in await response.read()


async def test_a_whole_response_passes_too() -> None:
    async with live() as pair:
        pair.real.script(REPLY)
        assert (await pair.visit.ask("hello")).at("output_text") == REPLY


async def test_without_a_key_none_is_added() -> None:
    async with live() as pair:
        await pair.visit.get("/characters/helpful-guide")
        await pair.visit.get("/characters/helpful-guide", key=pair.near.operator_key)
        assert [call.account for call in pair.real.calls] == [None, "payer"]


@pytest.mark.parametrize("store", [True, None, "yes"])
async def test_nothing_is_stored_upstream_whatever_was_asked(store: object) -> None:
    async with live() as pair:
        assert (await pair.visit.ask("hello", store=store)).status == 200
        (call,) = pair.real.response_calls
        assert call.fields["store"] is False
        assert call.fields["input"] == "hello"


async def test_a_wrong_key_is_refused_here() -> None:
    async with live() as pair:
        assert (await pair.visit.ask(key=pair.key)).status == 401
        assert pair.real.calls == []


async def test_what_upstream_refuses_is_refused_without_quoting_the_key() -> None:
    async with live(key="sk-nano-fake-0f0f-with-a-dash") as pair:
        reply = await pair.visit.ask()
        assert (reply.status, reply.at("error", "code")) == (401, "invalid_api_key")


async def test_how_long_upstream_asks_to_wait_is_passed_on() -> None:
    async with live() as pair:
        pair.real.faults.next(Fault.RATE_LIMITED, retry_after=7)
        limited = await pair.visit.ask()
        assert (limited.status, limited.headers["Retry-After"]) == (429, "7")


async def test_an_answer_that_quotes_the_real_key_has_it_taken_out() -> None:
    async with live() as pair:
        pair.real.catalog.update("helpful-guide", name=f"The one with {pair.key}")
        reply = await pair.visit.get("/characters/helpful-guide")
        assert reply.at("name") == "The one with [the real key]"


async def test_a_report_is_taken_here_and_goes_no_further() -> None:
    async with live() as pair:
        path = "/characters/somebody-only-upstream-knows/report"
        reply = await pair.visit.post(path, {"reason": "spam"}, key=pair.near.operator_key)
        assert reply.status == 201
        assert [report.character for report in pair.near.reports] == ["somebody-only-upstream-knows"]
        assert pair.real.calls == []


async def test_no_login_made_here_spends_the_real_key() -> None:
    async with live() as pair:
        member = pair.near.catalog.add_account("member", usd=5)
        begin = f"{pair.near.site_url}/api/cli-login/start"
        async with pair.visit.session.post(begin, json={"client_name": "Bot"}) as response:
            code = (await response.json())["user_code"]
        form = {"code": code, "account": pair.near.operator.id}
        async with pair.visit.session.post(f"{pair.near.site_url}/cli-login/verify", data=form) as response:
            assert response.status == 400
        await pair.visit.ask(key=member.key)
        assert [call.account for call in pair.real.response_calls] == [None]


@pytest.mark.parametrize(("method", "path"), [("POST", "characters"), ("PATCH", "characters/x"), ("DELETE", "x")])
async def test_no_other_write_goes_anywhere(method: str, path: str) -> None:
    async with live() as pair:
        headers = {"Authorization": f"Bearer {pair.near.operator_key}"}
        url = f"{pair.near.base_url}/{path}"
        async with pair.visit.session.request(method, url, json={}, headers=headers) as response:
            assert response.status in {400, 404}
        assert pair.real.calls == []


@pytest.mark.parametrize("fault", [Fault.INSUFFICIENT_BALANCE, Fault.UNAVAILABLE, Fault.DAILY_CAP])
async def test_a_refusing_fault_costs_no_call(fault: Fault) -> None:
    async with live() as pair:
        pair.near.faults.next(fault)
        assert (await pair.visit.ask()).status in {402, 429, 503}
        assert pair.real.calls == []
        assert (await pair.visit.ask()).status == 200


@pytest.mark.parametrize(("fault", "calls"), [(Fault.CUT_BEFORE_TEXT, 0), (Fault.CUT_IN_TEXT, 1)])
async def test_a_cut_breaks_a_live_stream(fault: Fault, calls: int) -> None:
    async with live() as pair:
        pair.real.script(REPLY)
        pair.near.faults.next(fault)
        with pytest.raises(aiohttp.ClientPayloadError):
            await pair.visit.stream()
        assert len(pair.real.response_calls) == calls
        assert pair.near.response_calls[0].outcome is Outcome.CUT


@pytest.mark.parametrize(("fault", "texts"), [(Fault.STALL_BEFORE_TEXT, 0), (Fault.STALL_IN_TEXT, 1)])
async def test_a_stall_silences_a_live_stream_even_a_short_one(fault: Fault, texts: int) -> None:
    async with live() as pair:
        pair.real.script("Yes")
        pair.near.faults.next(fault)
        asking = asyncio.create_task(pair.visit.stream())
        await pair.near.wait_for(lambda: any(call.outcome is Outcome.STALLED for call in pair.near.calls))
        assert (pair.near.response_calls[0].first_text is not None) == bool(texts)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await pair.near.wait_for(lambda: pair.near.response_calls[0].ended is not None)
        assert pair.near.response_calls[0].outcome is Outcome.STALLED


async def test_a_client_that_leaves_ends_the_real_call_as_well() -> None:
    async with live() as pair, pair.real.hold() as held:
        asking = asyncio.create_task(pair.visit.stream())
        await held.waiting()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await held.disconnected()


async def test_the_pace_can_be_slowed() -> None:
    waits: list[float] = []
    now = 100.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    async with NanoGptSandbox() as real, aiohttp.ClientSession() as session:
        forward = LiveUpstream(real.operator_key, website=real.base_url, direct=real.responses_url)
        async with forward, NanoGptSandbox(live=forward, sleep=sleep, monotonic=lambda: now) as near:
            near.pace.tokens_per_second = 4
            real.script("one two three four")
            assert (await Visit(near, session).stream()).streamed == "one two three four"
    assert waits == [0.25, 0.25, 0.25]


async def test_a_fault_that_cannot_be_played_live_is_complained_of() -> None:
    async with live() as pair:
        pair.near.faults.next(Fault.FAILED_IN_TEXT)
        assert (await pair.visit.ask()).status == 200
        assert len(pair.near.complaints) == 1


async def test_an_upstream_that_is_not_there_is_a_502() -> None:
    async with (
        LiveUpstream("sk-nano-fake", website="http://127.0.0.1:9/api/v1") as forward,
        NanoGptSandbox(live=forward) as near,
        aiohttp.ClientSession() as session,
    ):
        reply = await Visit(near, session).get("/characters")
        assert (reply.status, reply.at("error", "code")) == (502, "unreachable")


async def test_an_upstream_that_breaks_off_breaks_the_stream() -> None:
    async with live() as pair:
        pair.real.script(REPLY)
        pair.real.faults.next(Fault.CUT_IN_TEXT)
        with pytest.raises(aiohttp.ClientPayloadError):
            await pair.visit.stream()


async def test_the_real_key_is_in_no_record() -> None:
    async with live() as pair:
        await pair.visit.stream()
        await pair.visit.get("/characters", key=pair.near.operator_key)
        assert pair.key not in repr(pair.near.calls)
        assert pair.key not in json.dumps([call.body for call in pair.near.calls])
        assert Route.RESPONSES.value in {call.route for call in pair.near.calls}


async def test_a_redirect_is_handed_back_and_not_followed() -> None:
    asked: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", redirect)
    async with (
        TestServer(app) as elsewhere,
        LiveUpstream("sk-nano-fake", direct=str(elsewhere.make_url("/api/v1"))) as forward,
        NanoGptSandbox(live=forward) as near,
        aiohttp.ClientSession() as session,
    ):
        assert (await Visit(near, session).ask()).status == 307
    assert asked == ["/api/v1/responses"]
