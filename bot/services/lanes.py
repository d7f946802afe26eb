"""One painter clock per webhook: whose turn it is to spend a call of a channel's rate limit.

discord.py holds one lock per webhook and keeps an answer back when the bucket is empty, so calls of a channel
and its threads run one after another whatever we do; a lane only decides their order. It also owns them: a
call that has begun is never cancelled, since that would lose the message id and jam discord.py's lock for the
webhook (measured with discord.py 2.7.1: AsyncDeferredLock releases without a finally). The end of the process is the
one exception: what became of such a call is found out by the next start.
"""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, TypeVar

from bot.services.clock import Clock
from bot.services.outlet import Allowance

T = TypeVar("T")

_log = logging.getLogger(__name__)

RESERVED_CALLS: Final = 1
"""Calls of a bucket that previews leave for a first post or a final text."""
HOUSEKEEPING_RESERVE: Final = 2


class Priority(IntEnum):
    """Who goes first."""

    TEXT = 0
    """First posts and final texts."""
    PREVIEW = 1
    HOUSEKEEPING = 2


@dataclass(order=True, slots=True)
class _Job:
    priority: Priority
    number: int
    call: Callable[[], Awaitable[Any]] = field(compare=False)
    result: asyncio.Future[Any] = field(compare=False)


class Lane:
    """The calls of one channel, one at a time."""

    def __init__(self, clock: Clock, *, preview_interval_seconds: float, allowance: Callable[[], Allowance]) -> None:
        self._clock = clock
        self._interval = preview_interval_seconds
        self._allowance = allowance
        self._jobs: list[_Job] = []
        self._numbers = 0
        self._next_preview_at = 0.0
        self._stirred = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    def submit(self, priority: Priority, call: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        """Queue a call and return its future result.

        Cancelling the future takes a call back that has not begun; one that has goes on to its end. Once the lane is
        closed the future is cancelled from the start.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            result.cancel()
            return result
        self._numbers += 1
        heapq.heappush(self._jobs, _Job(priority, self._numbers, call, result))
        self._stirred.set()
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="lane")
        return result

    def close(self) -> None:
        """Take nothing more in, and cut everything off where it is: only where the process ends."""
        self._closed = True
        for job in self._jobs:
            job.result.cancel()
        if self._worker is not None:
            self._worker.cancel()

    async def aclose(self) -> None:
        """As `close`, and wait until nothing is under way."""
        self.close()
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._worker is not None:
            await asyncio.shield(self._worker)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waiting."""
        return self._worker is None

    async def _work(self) -> None:
        try:
            while self._jobs:
                if self._jobs[0].result.cancelled():
                    heapq.heappop(self._jobs)
                    continue
                delay = self._delay(self._jobs[0].priority)
                if delay > 0:
                    await self._wait(delay)
                    continue
                await self._carry_out(heapq.heappop(self._jobs))
        finally:
            self._worker = None

    def _delay(self, priority: Priority) -> float:
        """Return for how many seconds the most urgent job has to wait."""
        if priority is Priority.TEXT:
            return 0.0
        reserve = RESERVED_CALLS if priority is Priority.PREVIEW else HOUSEKEEPING_RESERVE
        allowance = self._allowance()
        short = allowance.remaining is not None and allowance.remaining <= reserve
        delay = allowance.resets_in_seconds if short else 0.0
        if priority is Priority.PREVIEW:
            delay = max(delay, self._next_preview_at - self._clock.monotonic())
        return delay

    async def _wait(self, delay: float) -> None:
        self._stirred.clear()
        timer = asyncio.ensure_future(self._clock.sleep(delay))
        stir = asyncio.ensure_future(self._stirred.wait())
        try:
            await asyncio.wait((timer, stir), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            stir.cancel()

    async def _carry_out(self, job: _Job) -> None:
        if job.priority is not Priority.HOUSEKEEPING:
            # The first post counts too: a preview right behind it would only flicker.
            self._next_preview_at = self._clock.monotonic() + self._interval
        try:
            outcome = await job.call()
        except asyncio.CancelledError:
            job.result.cancel()
            worker = asyncio.current_task()
            if worker is not None and worker.cancelling():
                raise
            # The call gave itself up, and nobody wants the lane to stop.
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the one who waits for the result
            if job.result.cancelled():
                _log.warning("A call that nobody waits for any more failed: %r", error)
            else:
                job.result.set_exception(error)
        else:
            if not job.result.cancelled():
                job.result.set_result(outcome)
