"""Work that several ask for at once and that is done once."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Runs one piece of work a key at a time, and shares its outcome among all who ask meanwhile.

    The work belongs to this object: who asks may stop waiting, by a time limit or by being cancelled, and the work
    goes on for the others. `aclose` ends what is under way.
    """

    def __init__(self, work: Callable[[K], Awaitable[V]]) -> None:
        self._work = work
        self._flights: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K, *, seconds: float | None = None) -> V:
        """Return the outcome of the work for a key, or raise what it raised.

        Raises TimeoutError when that takes longer than so many seconds.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(self._work(key))
            flight.add_done_callback(partial(self._landed, key))
        async with asyncio.timeout(seconds):
            return await asyncio.shield(flight)

    async def aclose(self) -> None:
        """Cancel the work under way, and wait until it has ended."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _landed(self, key: K, flight: asyncio.Future[V]) -> None:
        del self._flights[key]
        # Looked at here, as asyncio complains about an outcome that nobody is left to see.
        if not flight.cancelled():
            flight.exception()
