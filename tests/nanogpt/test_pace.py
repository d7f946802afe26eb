import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nanogpt.pace import Pace, Priority


class Clock:
    """Time that passes only when everybody waits for it."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        await future

    async def settle(self) -> None:
        """Let everybody run until nobody can without the clock."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def run(self) -> None:
        """Move on from one sleeper's end to the next until none is left."""
        await self.settle()
        while self._sleepers:
            self._sleepers.sort(key=lambda sleeper: sleeper[0])
            due, future = self._sleepers.pop(0)
            self.now = max(self.now, due)
            if not future.done():
                future.set_result(None)
            await self.settle()


class Starts:
    """Takes turns and notes when each came."""

    def __init__(self, rate: int) -> None:
        self.clock = Clock()
        self.pace = Pace(rate, monotonic=self.clock.monotonic, sleep=self.clock.sleep)
        self.log: list[tuple[str, float]] = []

    async def take(self, name: str, priority: Priority = Priority.CHAT) -> None:
        await self.pace.turn(priority)
        self.log.append((name, self.clock.now))

    @property
    def names(self) -> str:
        return "".join(name for name, _ in self.log)


async def test_nobody_waits_below_the_rate() -> None:
    starts = Starts(3)
    for name in "abc":
        await starts.take(name)
    assert starts.log == [("a", 100.0), ("b", 100.0), ("c", 100.0)]


async def test_the_rest_waits_for_the_second_to_pass() -> None:
    starts = Starts(2)
    tasks = [asyncio.create_task(starts.take(name)) for name in "abcde"]
    await starts.clock.run()
    await asyncio.gather(*tasks)
    assert starts.log == [("a", 100.0), ("b", 100.0), ("c", 101.0), ("d", 101.0), ("e", 102.0)]


async def test_chat_goes_before_the_catalogue() -> None:
    starts = Starts(1)
    tasks = [asyncio.create_task(starts.take("a"))]
    tasks += [asyncio.create_task(starts.take(name, Priority.CATALOGUE)) for name in "yz"]
    await starts.clock.settle()
    tasks += [asyncio.create_task(starts.take(name)) for name in "bc"]
    await starts.clock.run()
    await asyncio.gather(*tasks)
    assert starts.names == "abcyz"


async def test_a_waiter_that_leaves_takes_no_place() -> None:
    starts = Starts(1)
    tasks = [asyncio.create_task(starts.take(name)) for name in "abcd"]
    await starts.clock.settle()
    tasks[1].cancel()
    await starts.clock.run()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert starts.names == "acd"
    assert starts.log[-1][1] <= 103.0


@given(
    rate=st.integers(1, 4),
    arrivals=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(Priority)), min_size=1, max_size=20),
)
def test_no_second_ever_sees_more_than_the_rate(rate: int, arrivals: list[tuple[int, Priority]]) -> None:
    async def scenario() -> list[float]:
        starts = Starts(rate)

        async def arrive(after: int, priority: Priority) -> None:
            await starts.clock.sleep(after * 0.3)
            await starts.take("x", priority)

        tasks = [asyncio.create_task(arrive(after, priority)) for after, priority in arrivals]
        await starts.clock.run()
        await asyncio.gather(*tasks)
        return [at for _, at in starts.log]

    at = asyncio.run(scenario())
    assert len(at) == len(arrivals)
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in zip(at, at[rate:], strict=False))


def test_a_pace_below_one_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Pace(0)
