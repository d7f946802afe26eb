"""Holding answers back, waiting, starting and stopping."""

import asyncio

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.nanogpt.faults import Fault
from bot.sandbox.nanogpt.recording import Outcome
from bot.sandbox.nanogpt.requests import ResponseRequest
from bot.sandbox.nanogpt.server import NanoGptSandbox
from tests.sandbox.nanogpt_visits import at, visiting


async def test_a_held_answer_comes_piece_by_piece() -> None:
    async with visiting() as visit, visit.upstream.hold() as held:
        asking = asyncio.create_task(visit.stream())
        call = await held.waiting()
        assert call.outcome is Outcome.HELD
        await held.release_text("Hel")
        await held.release_text("lo")
        assert not asking.done()
        await held.finish(" there")
        reply = await asking
        assert reply.streamed == "Hello there"
        assert at(reply.events[-1], "response", "output_text") == "Hello there"
        assert call.outcome is Outcome.ANSWERED


async def test_the_client_has_each_piece_before_the_next_is_released() -> None:
    async with visiting() as visit, visit.upstream.hold() as held:
        body = {"character_id": "helpful-guide", "store": False, "input": "hello", "stream": True}
        headers = {"Authorization": f"Bearer {visit.upstream.operator_key}"}
        url = f"{visit.upstream.responses_url}/responses"
        async with visit.session.post(url, json=body, headers=headers) as response:
            assert (await response.content.readline()).startswith(b'data: {"type":"response.created"')
            await held.release_text("Hel")
            while b'"delta":"Hel"' not in await response.content.readline():
                pass
            await held.finish()
            assert b"[DONE]" in await response.content.read()


async def test_a_held_answer_that_is_only_finished_is_the_characters_own() -> None:
    async with visiting() as visit:
        visit.upstream.script("My own words.")
        async with visit.upstream.hold() as held:
            asking = asyncio.create_task(visit.stream())
            await held.finish()
            assert (await asking).streamed == "My own words."


async def test_the_end_of_the_block_lets_the_answer_go() -> None:
    async with visiting() as visit:
        visit.upstream.script("My own words.")
        async with visit.upstream.hold() as held:
            asking = asyncio.create_task(visit.ask())
            await held.waiting()
        assert (await asking).at("output_text") == "My own words."


async def test_a_held_answer_that_is_not_streamed_comes_whole() -> None:
    async with visiting() as visit, visit.upstream.hold() as held:
        asking = asyncio.create_task(visit.ask())
        await held.release_text("Hel")
        await held.finish("lo")
        assert (await asking).at("output_text") == "Hello"


async def test_a_silent_hold_sends_no_headers_before_the_first_step() -> None:
    async with visiting() as visit, visit.upstream.hold(silent=True) as held:
        asking = asyncio.create_task(visit.stream())
        call = await held.waiting()
        assert call.status is None
        await held.release_text("Hello")
        assert call.status == 200
        await held.finish()
        assert (await asking).streamed == "Hello"


async def test_holds_take_the_requests_they_fit_and_one_each() -> None:
    async with visiting() as visit:
        upstream = visit.upstream
        async with (
            upstream.hold(lambda call: call.character == "night-bard") as bard,
            upstream.hold() as first,
        ):
            guide = asyncio.create_task(visit.stream())
            await first.waiting()
            singer = asyncio.create_task(visit.stream(character_id="night-bard"))
            assert (await bard.waiting()).character == "night-bard"
            assert (await visit.stream()).status == 200
            await bard.finish("La.")
            await first.finish("Lo.")
            assert [(await guide).streamed, (await singer).streamed] == ["Lo.", "La."]


@pytest.mark.parametrize(("fault", "kind"), [(Fault.FAILED_IN_TEXT, "response.failed"), (Fault.ERROR_IN_TEXT, "error")])
async def test_a_held_answer_may_fail_in_the_end(fault: Fault, kind: str) -> None:
    async with visiting() as visit, visit.upstream.hold() as held:
        asking = asyncio.create_task(visit.stream())
        await held.release_text("Hel")
        await held.fail(fault)
        reply = await asking
        assert (reply.streamed, reply.kinds[-1]) == ("Hel", kind)


async def test_a_held_answer_may_be_cut_and_may_stall() -> None:
    async with visiting() as visit:
        async with visit.upstream.hold() as held:
            asking = asyncio.create_task(visit.stream())
            await held.release_text("Hel")
            await held.fail(Fault.CUT_IN_TEXT)
            with pytest.raises(aiohttp.ClientPayloadError):
                await asking
        async with visit.upstream.hold() as held:
            asking = asyncio.create_task(visit.stream())
            await held.fail(Fault.STALL_BEFORE_TEXT)
            asking.cancel()
            await held.disconnected()


async def test_a_held_answer_cannot_end_by_a_fault_of_another_kind() -> None:
    async with visiting() as visit, visit.upstream.hold() as held:
        with pytest.raises(ValueError, match="does not end"):
            await held.fail(Fault.BAD_KEY)


async def test_a_client_that_goes_away_is_noticed() -> None:
    async with visiting() as visit, visit.upstream.hold() as held:
        asking = asyncio.create_task(visit.stream())
        call = await held.waiting()
        await held.release_text("Hel")
        asking.cancel()
        await held.disconnected()
        assert call.outcome is Outcome.DISCONNECTED
        with pytest.raises(ConnectionError):
            await held.release_text("lo")


async def test_waiting_for_a_request_that_never_comes_ends_in_time() -> None:
    async with visiting() as visit, visit.upstream.hold(patience=0.01) as held:
        with pytest.raises(TimeoutError):
            await held.waiting()


async def test_an_unused_hold_holds_nothing_after_its_block() -> None:
    async with visiting() as visit:
        async with visit.upstream.hold():
            pass
        assert (await visit.ask()).status == 200


async def test_waiting_for_a_condition_ends_with_it_or_in_time() -> None:
    async with visiting() as visit:
        upstream = visit.upstream
        await upstream.wait_for(lambda: True)
        waiting = asyncio.create_task(upstream.wait_for(lambda: len(upstream.calls) == 2))
        await visit.ask()
        assert not waiting.done()
        await visit.ask()
        await waiting
        with pytest.raises(TimeoutError):
            await upstream.wait_for(lambda: False, timeout=0.01)


async def test_a_condition_that_fails_is_told_to_the_one_who_waits() -> None:
    async with visiting() as visit:
        upstream = visit.upstream

        def broken() -> bool:
            if upstream.calls:
                raise LookupError("no such thing")
            return False

        waiting = asyncio.create_task(upstream.wait_for(broken))
        await asyncio.sleep(0)
        assert (await visit.ask()).status == 200
        with pytest.raises(LookupError):
            await waiting


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/characters/helpful-guide/review"),
        ("DELETE", "/characters/helpful-guide/review"),
        ("DELETE", "/characters/mine"),
        ("PUT", "/characters/helpful-guide"),
        ("GET", "/check-balance"),
        ("GET", "/responses/resp_1"),
        ("GET", "/"),
        ("DELETE", "/characters"),
    ],
)
async def test_a_route_that_is_not_there_is_recorded_and_answered_with_404(method: str, path: str) -> None:
    async with visiting() as visit:
        async with visit.session.request(method, f"{visit.upstream.base_url}{path}") as response:
            assert response.status == 404
        assert [call.path for call in visit.upstream.unknown_routes] == [path]
        assert path in visit.upstream.complaints[0]


async def test_a_path_outside_the_interface_is_not_found() -> None:
    async with visiting() as visit:
        root = visit.upstream.base_url.removesuffix("/api/v1")
        async with visit.session.get(f"{root}/other") as response:
            assert response.status == 404
        assert visit.upstream.unknown_routes


async def test_an_encoded_slash_stays_inside_the_id() -> None:
    async with visiting() as visit:
        url = f"{visit.upstream.base_url}/characters/a%2Fb"
        async with visit.session.get(URL(url, encoded=True)) as response:
            assert response.status == 404
        call = visit.upstream.calls[0]
        assert (call.route, call.target) == ("GET /characters/{idOrSlug}", "a/b")


async def test_closing_cuts_what_is_still_open_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession() as session:
        async with NanoGptSandbox() as upstream:
            upstream.faults.next(Fault.STALL_IN_TEXT)
            body = {"character_id": "helpful-guide", "store": False, "input": "hello", "stream": True}
            headers = {"Authorization": f"Bearer {upstream.operator_key}"}
            response = await session.post(f"{upstream.responses_url}/responses", json=body, headers=headers)
            await upstream.wait_for(lambda: upstream.calls[0].outcome is Outcome.STALLED)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert asyncio.all_tasks() == before


async def test_many_requests_at_once_are_all_answered() -> None:
    async with visiting() as visit:
        replies = await asyncio.gather(*(visit.stream(f"[P{number}] hello") for number in range(60)))
        assert {reply.kinds[-1] for reply in replies} == {"response.completed"}
        assert all(f"P{number}" in reply.streamed for number, reply in enumerate(replies))


async def test_a_fault_of_the_stand_in_itself_is_complained_about() -> None:
    def broken(request: ResponseRequest) -> str:
        return str(1 // (len(request.items) - 1))

    async with visiting() as visit:
        visit.upstream.responder = broken
        assert (await visit.ask()).status == 500
        assert "ZeroDivisionError" in visit.upstream.complaints[0]
