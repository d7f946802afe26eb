"""Whether what the bot stands on answers."""

import asyncio
from dataclasses import dataclass
from typing import Final

from bot.domain.ratings import ContentRating
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import NanoGptError
from bot.nanogpt.requests import CatalogQuery
from bot.services.clock import Clock
from bot.store.state import State

ANSWER_KEPT_SECONDS: Final = 30.0
"""Within this time everybody gets the same answer: a ping is for free, and asking upstream is not."""
UPSTREAM_WAIT_SECONDS: Final = 5.0
_MILLISECONDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Health:
    """How long answers took, in milliseconds; None where none came."""

    database_ms: float
    upstream_ms: float | None


class HealthService:
    """Asks the database and the catalogue for something small."""

    def __init__(
        self,
        *,
        state: State,
        nanogpt: NanoGptClient,
        clock: Clock,
        upstream_wait_seconds: float = UPSTREAM_WAIT_SECONDS,
    ) -> None:
        self._state = state
        self._nanogpt = nanogpt
        self._clock = clock
        self._upstream_wait = upstream_wait_seconds
        self._asking = asyncio.Lock()
        self._answer: tuple[float, Health] | None = None

    async def check(self) -> Health:
        """Return what is the case, at most half a minute old. Takes at most UPSTREAM_WAIT_SECONDS or so."""
        async with self._asking:
            now = self._clock.monotonic()
            if self._answer is not None and now - self._answer[0] < ANSWER_KEPT_SECONDS:
                return self._answer[1]
            health = Health(await self._database_ms(), await self._upstream_ms())
            self._answer = (self._clock.monotonic(), health)
            return health

    async def _database_ms(self) -> float:
        begun = self._clock.monotonic()
        await self._state.get("ping")
        return (self._clock.monotonic() - begun) * _MILLISECONDS

    async def _upstream_ms(self) -> float | None:
        begun = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._upstream_wait):
                await self._nanogpt.list_characters(CatalogQuery(ContentRating.SFW, limit=1))
        except (TimeoutError, NanoGptError):
            return None
        return (self._clock.monotonic() - begun) * _MILLISECONDS
