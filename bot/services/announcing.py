"""Notices to a whole channel: from the bot itself, without buttons, and not again and again."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, Final, TypeVar

from bot.domain.turns import Transport
from bot.services.clock import Clock
from bot.services.outlet import Busy, Destination, Draft, Outlet, OutletError
from bot.store.notices import Notices

_log = logging.getLogger(__name__)

NOTICE_WINDOW_SECONDS: Final = 300
"""A notice of the same cause is posted once in this time in one channel or thread."""
LONGEST_WAIT_SECONDS: Final = 60.0
_TRIES: Final = 3
_MS_PER_SECOND: Final = 1_000

T = TypeVar("T")


class Announcer:
    """Posts notices through the outlet and remembers in the store that it did.

    Notices carry no nonce, on purpose: an own message with a nonce that no reply accounts for is taken for a
    stray copy and deleted (bot.services.posting).
    """

    def __init__(self, *, outlet: Outlet, notices: Notices, clock: Clock) -> None:
        self._outlet = outlet
        self._notices = notices
        self._clock = clock
        self._tasks: set[asyncio.Task[Any]] = set()

    async def announce(self, destination: Destination, cause: str, text: str) -> bool:
        """Post a notice, unless one of the same cause stands there from the last five minutes.

        `cause` is a short word for the reason, never shown. Returns whether the notice was posted. What goes wrong in
        posting it is logged and never raised: a notice is a courtesy. Cancelling the caller does not cancel the post.
        """
        return await self._to_its_end(self._announce(destination, cause, text))

    async def post(self, destination: Destination, text: str) -> None:
        """Post something once, whatever stands there. Raises OutletError.

        Cancelling the caller does not cancel the post.
        """
        await self._to_its_end(self._outlet.post(destination, Transport.BOT, Draft(text)))

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work, name="notice")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def outdated(self, destination: Destination, causes: Iterable[str]) -> None:
        """Take note that notices no longer say how things stand: the next of each cause is posted at once."""
        await self._notices.forget(destination.place, causes)

    async def aclose(self) -> None:
        """Cut off the notices under way: only where the process ends."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Wait until no notice is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _announce(self, destination: Destination, cause: str, text: str) -> bool:
        window_ms = NOTICE_WINDOW_SECONDS * _MS_PER_SECOND
        if not await self._notices.try_mark(destination.place, cause, self._clock.now_ms(), window_ms):
            return False
        for tries_left in reversed(range(_TRIES)):
            try:
                await self._outlet.post(destination, Transport.BOT, Draft(text))
            except Busy as error:
                _log.info("A notice (%s) in %s has to wait: %s", cause, destination.place, error)
                if tries_left:
                    await self._clock.sleep(min(error.retry_after_seconds, LONGEST_WAIT_SECONDS))
            except OutletError as error:
                _log.warning("A notice (%s) in %s could not be posted: %r", cause, destination.place, error)
                return False
            except Exception:  # noqa: BLE001 - whoever announces has more to do than that; the fault is logged
                _log.exception("A notice (%s) in %s could not be posted", cause, destination.place)
                return False
            else:
                return True
        _log.warning("A notice (%s) in %s was given up", cause, destination.place)
        return False
