"""Time that passes only when a test says so."""

import asyncio

from bot.services.clock import Clock

START_MS = 1_800_000_000_000
"""A Unix time in milliseconds, in January 2027."""


class ManualClock:
    """Stands still until `advance`, which wakes those whose sleep is over."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self._start_ms = start_ms
        self._seconds = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._asleep = asyncio.Condition()
        self.clock = Clock(now_ms=self.now_ms, monotonic=self.monotonic, sleep=self.sleep)

    def now_ms(self) -> int:
        return self._start_ms + round(self._seconds * 1_000)

    def monotonic(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        self._seconds += seconds
        for due, sleeper in self._sleepers:
            if due <= self._seconds and not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        entry = (self._seconds + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(entry)
        async with self._asleep:
            self._asleep.notify_all()
        try:
            await entry[1]
        finally:
            self._sleepers.remove(entry)

    async def sleeping(self) -> float:
        """Wait until somebody sleeps, and return for how many seconds the soonest to wake still does."""
        async with self._asleep:
            await self._asleep.wait_for(lambda: any(not sleeper.done() for _, sleeper in self._sleepers))
        return min(due for due, sleeper in self._sleepers if not sleeper.done()) - self._seconds

    async def pass_for(self, seconds: float) -> None:
        """Wait until somebody has so many seconds left to sleep, to the digit, and let them pass."""

        def sleeps() -> bool:
            return any(due == self._seconds + seconds and not sleeper.done() for due, sleeper in self._sleepers)

        async with self._asleep:
            await self._asleep.wait_for(sleeps)
        self.advance(seconds)
