import asyncio

import pytest

from bot.services.single_flight import SingleFlight


class Work:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.go = asyncio.Event()

    async def __call__(self, key: str) -> str:
        self.done.append(key)
        await self.go.wait()
        if key == "broken":
            raise LookupError(key)
        return key.upper()


async def test_all_who_ask_meanwhile_share_one_outcome() -> None:
    work = Work()
    flights = SingleFlight(work)
    asking = [asyncio.create_task(flights.get(key)) for key in ("a", "b", "a", "a")]
    await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(*asking) == ["A", "B", "A", "A"]
    assert sorted(work.done) == ["a", "b"]
    assert await flights.get("a") == "A"
    assert len(work.done) == 3


async def test_a_failure_reaches_all_who_ask_and_is_not_kept() -> None:
    work = Work()
    flights = SingleFlight(work)
    asking = [asyncio.create_task(flights.get("broken")) for _ in range(2)]
    await asyncio.sleep(0)
    work.go.set()
    failures = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(failure) for failure in failures] == [LookupError, LookupError]
    assert work.done == ["broken"]
    with pytest.raises(LookupError):
        await flights.get("broken")


async def test_who_stops_waiting_takes_the_outcome_from_nobody() -> None:
    work = Work()
    flights = SingleFlight(work)
    with pytest.raises(TimeoutError):
        await flights.get("a", seconds=0)
    patient, hasty = asyncio.create_task(flights.get("a")), asyncio.create_task(flights.get("a"))
    await asyncio.sleep(0)
    hasty.cancel()
    work.go.set()
    assert await patient == "A"
    assert work.done == ["a"]


async def test_a_failure_that_nobody_is_left_to_see_is_quiet() -> None:
    work = Work()
    flights = SingleFlight(work)
    with pytest.raises(TimeoutError):
        await flights.get("broken", seconds=0)
    work.go.set()
    with pytest.raises(LookupError):
        await flights.get("broken")


async def test_closing_ends_what_is_under_way() -> None:
    flights = SingleFlight(Work())
    asking = asyncio.create_task(flights.get("a"))
    await asyncio.sleep(0)
    await flights.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking
