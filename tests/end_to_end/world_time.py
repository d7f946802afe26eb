"""The time of a world, of which a test may skip what it has no time to wait for."""

import asyncio
import time
from typing import Final

from bot.services.clock import Clock

MS_PER_SECOND: Final = 1_000
SECONDS_PER_DAY: Final = 86_400


class WorldTime:
    """The machine's time and what was skipped of it, for both stand-ins and for the bot.

    `haste` divides every wait of the bot's own (its patience with a silent NanoGPT is not such a wait).
    """

    def __init__(self) -> None:
        self.haste = 1.0
        self._skipped = 0.0
        self._waits: list[tuple[float, asyncio.Future[None]]] = []
        self._begun = asyncio.Condition()

    def skip(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let time pass at once. Whoever waits goes on waiting."""
        self._skipped += seconds + 60 * minutes + 3_600 * hours

    async def cut_short(self, seconds: float) -> None:
        """Wait until the bot waits for so many seconds, to the digit, and end that wait at once."""

        def found() -> list[asyncio.Future[None]]:
            return [cut for length, cut in self._waits if length == seconds]

        async with self._begun:
            await self._begun.wait_for(found)
        found()[0].set_result(None)

    def skip_to_morning(self) -> None:
        """Let it be six o'clock UTC of the next day, so that no midnight comes in between."""
        self.skip(hours=30, seconds=-(self.now() % SECONDS_PER_DAY))

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time() + self._skipped

    def clock(self) -> Clock:
        """Return the clock that the bot goes by."""
        return Clock(
            now_ms=lambda: int(self.now() * MS_PER_SECOND),
            monotonic=lambda: time.monotonic() + self._skipped,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        wait = (seconds, asyncio.get_running_loop().create_future())
        self._waits.append(wait)
        async with self._begun:
            self._begun.notify_all()
        try:
            await asyncio.wait((wait[1],), timeout=seconds / self.haste)
        finally:
            self._waits.remove(wait)
