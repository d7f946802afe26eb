"""The pace of the whole process: never more requests a second than NanoGPT takes, chat before catalogue."""

import asyncio
import math
import time
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count
from typing import Final

REQUESTS_PER_SECOND: Final = 20
"""NanoGPT takes 25 a second over the whole API (docs, rate limits); the rest is for clocks that differ."""

_WINDOW_SECONDS: Final = 1.0


class Priority(IntEnum):
    """Who goes first when there is a queue."""

    CHAT = 0
    CATALOGUE = 1


class Pace:
    """Lets at most `rate` requests start within any one second.

    As long as that many have not started in the last second nobody waits at all. Within a priority, first come is first
    served; a waiter that is cancelled leaves no trace.
    """

    def __init__(
        self,
        rate: int = REQUESTS_PER_SECOND,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`rate` is in requests a second. Raises ValueError when it is below one."""
        if rate < 1:
            raise ValueError("the pace must be at least one request a second")
        self._rate = rate
        self._monotonic = monotonic
        self._sleep = sleep
        self._starts = deque([-math.inf] * rate, maxlen=rate)
        self._queue: list[tuple[Priority, int]] = []
        self._numbers = count()

    async def turn(self, priority: Priority) -> None:
        """Wait until a request may start, and count it as started."""
        ticket = (priority, next(self._numbers))
        insort(self._queue, ticket)
        try:
            while (wait := self._wait(self._queue.index(ticket))) > 0:
                await self._sleep(wait)
            self._starts.append(self._monotonic())
        finally:
            self._queue.remove(ticket)

    def _wait(self, ahead: int) -> float:
        """Return the seconds until the place behind `ahead` others comes up."""
        now = self._monotonic()
        rounds, place = divmod(ahead, self._rate)
        free_at = self._starts[place] + _WINDOW_SECONDS
        if rounds:
            free_at = max(free_at, now) + rounds * _WINDOW_SECONDS
        return free_at - now
