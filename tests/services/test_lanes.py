import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from bot.services.lanes import HOUSEKEEPING_RESERVE, RESERVED_CALLS, Lane, Priority
from bot.services.outlet import Allowance, Busy
from tests.support.manual_clock import ManualClock
from tests.support.recording_outlet import Gate

FLOOR = 1.2
UNKNOWN = Allowance(None, 0.0)


class Street:
    """One lane, and what was done in it."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.done: list[str] = []
        self.allowance = UNKNOWN
        self.lane = Lane(clock.clock, preview_interval_seconds=FLOOR, allowance=lambda: self.allowance)

    def call(self, name: str, gate: Gate | None = None) -> Callable[[], Awaitable[str]]:
        async def carry_out() -> str:
            if gate is not None:
                await gate.wait()
            self.done.append(name)
            return name

        return carry_out

    def submit(self, priority: Priority, name: str, gate: Gate | None = None) -> asyncio.Future[str]:
        return self.lane.submit(priority, self.call(name, gate))


@pytest.fixture
def street(clock: ManualClock) -> Street:
    return Street(clock)


async def settle() -> None:
    """Let everything run that can run without time or anybody's leave."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_waits_is_done_by_priority_and_then_in_order(street: Street) -> None:
    gate = Gate()
    first = street.submit(Priority.HOUSEKEEPING, "under way", gate)
    await gate.entered.wait()
    street.submit(Priority.HOUSEKEEPING, "tidy")
    street.submit(Priority.PREVIEW, "preview")
    street.submit(Priority.TEXT, "text one")
    street.submit(Priority.TEXT, "text two")
    gate.open()
    await first
    await settle()
    assert street.done == ["under way", "text one", "text two"]
    street.clock.advance(FLOOR)
    await street.lane.idle()
    assert street.done == ["under way", "text one", "text two", "preview", "tidy"]


async def test_a_closed_lane_carries_nothing_out(street: Street) -> None:
    gate = Gate()
    under_way = street.submit(Priority.TEXT, "under way", gate)
    waiting = street.submit(Priority.TEXT, "waiting")
    await gate.entered.wait()
    await street.lane.aclose()
    late = street.submit(Priority.TEXT, "late")
    await street.lane.aclose()
    assert [each.cancelled() for each in (under_way, waiting, late)] == [True] * 3
    assert street.lane.is_idle
    assert street.done == []


async def test_one_call_runs_at_a_time(street: Street) -> None:
    gates = [Gate(), Gate()]
    for number, gate in enumerate(gates):
        street.submit(Priority.TEXT, str(number), gate)
    await gates[0].entered.wait()
    await settle()
    assert not gates[1].entered.is_set()
    gates[0].open()
    await gates[1].entered.wait()
    assert street.done == ["0"]
    gates[1].open()
    await street.lane.idle()


@pytest.mark.parametrize("before", [Priority.TEXT, Priority.PREVIEW])
async def test_previews_keep_a_distance_from_texts_and_from_one_another(street: Street, before: Priority) -> None:
    await street.submit(before, "first")
    preview = street.submit(Priority.PREVIEW, "preview")
    assert await street.clock.sleeping() == pytest.approx(FLOOR)
    street.clock.advance(FLOOR - 0.1)
    await settle()
    assert not preview.done()
    street.clock.advance(0.1)
    assert await preview == "preview"


async def test_housekeeping_does_not_hold_back_a_preview(street: Street) -> None:
    await street.submit(Priority.HOUSEKEEPING, "tidy")
    assert await street.submit(Priority.PREVIEW, "preview") == "preview"


async def test_a_text_does_not_wait_for_a_preview_that_waits(street: Street) -> None:
    await street.submit(Priority.TEXT, "post")
    preview = street.submit(Priority.PREVIEW, "preview")
    await street.clock.sleeping()
    assert await street.submit(Priority.TEXT, "final") == "final"
    assert not preview.done()
    preview.cancel()


@pytest.mark.parametrize(
    ("priority", "reserve"), [(Priority.PREVIEW, RESERVED_CALLS), (Priority.HOUSEKEEPING, HOUSEKEEPING_RESERVE)]
)
async def test_the_last_calls_of_a_bucket_are_left_for_texts(street: Street, priority: Priority, reserve: int) -> None:
    street.allowance = Allowance(reserve, 2.0)
    waiting = street.submit(priority, "later")
    assert await street.clock.sleeping() == pytest.approx(2.0)
    assert await street.submit(Priority.TEXT, "text") == "text"
    assert not waiting.done()
    await settle()
    street.allowance = Allowance(reserve + 1, 1.0)
    street.clock.advance(2.0)
    assert await waiting == "later"


@pytest.mark.parametrize("priority", [Priority.PREVIEW, Priority.HOUSEKEEPING])
@pytest.mark.parametrize("allowance", [UNKNOWN, Allowance(3, 60.0)])
async def test_with_calls_to_spare_nothing_waits(street: Street, priority: Priority, allowance: Allowance) -> None:
    street.allowance = allowance
    assert await street.submit(priority, "now") == "now"


async def test_a_text_spends_even_the_last_call(street: Street) -> None:
    street.allowance = Allowance(0, 60.0)
    assert await street.submit(Priority.TEXT, "text") == "text"


async def test_a_call_that_has_not_begun_can_be_taken_back(street: Street) -> None:
    gate = Gate()
    under_way = street.submit(Priority.TEXT, "under way", gate)
    await gate.entered.wait()
    taken_back = street.submit(Priority.TEXT, "taken back")
    after = street.submit(Priority.TEXT, "after")
    taken_back.cancel()
    gate.open()
    await asyncio.gather(under_way, after)
    assert street.done == ["under way", "after"]


async def test_a_call_taken_back_while_it_waits_for_its_time_is_never_made(street: Street) -> None:
    await street.submit(Priority.TEXT, "post")
    preview = street.submit(Priority.PREVIEW, "preview")
    await street.clock.sleeping()
    preview.cancel()
    street.clock.advance(FLOOR)
    await street.lane.idle()
    assert street.done == ["post"]


async def test_a_call_that_has_begun_is_never_cancelled(street: Street) -> None:
    gate = Gate()

    async def wait_for_it() -> None:
        await street.submit(Priority.TEXT, "begun", gate)

    waiter = asyncio.create_task(wait_for_it())
    await gate.entered.wait()
    waiter.cancel()
    with suppress(asyncio.CancelledError):
        await waiter
    assert waiter.cancelled()
    following = street.submit(Priority.TEXT, "following")
    gate.open()
    assert await following == "following"
    assert street.done == ["begun", "following"]


async def test_waiting_for_quiet_can_be_given_up_without_stopping_the_work(street: Street) -> None:
    gate = Gate()
    street.submit(Priority.TEXT, "begun", gate)
    waiter = asyncio.create_task(street.lane.idle())
    await gate.entered.wait()
    waiter.cancel()
    with suppress(asyncio.CancelledError):
        await waiter
    gate.open()
    await street.lane.idle()
    assert street.done == ["begun"]


async def test_an_exception_reaches_the_one_who_waits_and_nobody_else(street: Street) -> None:
    async def busy() -> str:
        raise Busy(3.0)

    failing = street.lane.submit(Priority.TEXT, busy)
    fine = street.submit(Priority.TEXT, "fine")
    with pytest.raises(Busy):
        await failing
    assert await fine == "fine"


async def test_a_failure_that_nobody_waits_for_is_logged(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()

    async def busy() -> str:
        await gate.wait()
        raise Busy(3.0)

    abandoned = street.lane.submit(Priority.TEXT, busy)
    await gate.entered.wait()
    abandoned.cancel()
    gate.open()
    await street.lane.idle()
    assert "nobody waits for" in caplog.text


async def test_a_call_that_ends_itself_as_cancelled_does_not_stop_the_lane(street: Street) -> None:
    async def cancelled_from_within() -> str:
        raise asyncio.CancelledError

    odd = street.lane.submit(Priority.TEXT, cancelled_from_within)
    fine = street.submit(Priority.TEXT, "fine")
    with pytest.raises(asyncio.CancelledError):
        await odd
    assert await fine == "fine"


async def test_a_lane_is_idle_until_asked_and_after_its_work(street: Street) -> None:
    assert street.lane.is_idle
    await street.lane.idle()
    work = street.submit(Priority.TEXT, "work")
    assert not street.lane.is_idle
    await street.lane.idle()
    assert work.done()
    assert street.lane.is_idle


async def test_when_the_process_ends_the_lane_and_its_waiters_end_too(street: Street) -> None:
    gate = Gate()
    begun = street.submit(Priority.TEXT, "begun", gate)
    await gate.entered.wait()
    for task in asyncio.all_tasks():
        if task.get_name() == "lane":
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun
    assert street.lane.is_idle
