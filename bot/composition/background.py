"""What goes on beside the talk: the loops, the heartbeat, and what is done once at every start."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bot.composition.parts import Parts
from bot.config import Settings
from bot.services.resealing import ResealingService
from bot.store.resealing import Resealing

HEARTBEAT_SECONDS: Final = 10.0
RESTART_SECONDS: Final = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Background:
    """What is kept going, and what is done once."""

    loops: tuple[tuple[str, Callable[[], Awaitable[None]]], ...]
    """By name."""
    resealing: ResealingService

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep it going for the length of the block."""
        async with AsyncExitStack() as stack:
            for name, work in self.loops:
                await stack.enter_async_context(_kept_running(name, work))
            await stack.enter_async_context(_begun("sealing anew", self.resealing.run))
            yield


def open_background(parts: Parts) -> Background:
    """Gather what has work to do that nobody asks for."""
    settings, stores, catalog, relay = parts.ground.settings, parts.ground.stores, parts.rules.catalog, parts.talk.relay
    return Background(
        loops=(
            ("outbox", parts.feedback.outbox.run),
            ("retention", parts.retention.run),
            ("catalogue", catalog.keep_warm),
            ("freshness", lambda: catalog.keep_fresh(relay.characters_in_use)),
            ("paused characters", parts.talk.upkeep.keep_watch),
            ("logins", parts.accounts.logins.run),
            ("accounts", parts.accounts.linking.keep_identified),
            ("models", parts.desk.models.keep_warm),
            ("drafts", parts.desk.drafting.keep_tidy),
            ("card files", parts.desk.cards.keep_tidy),
            ("moderation", parts.desk.moderation.run),
            ("heartbeat", lambda: _beat(settings)),
        ),
        resealing=ResealingService(resealing=Resealing(stores.database, stores.vault), vault=stores.vault),
    )


@asynccontextmanager
async def _kept_running(name: str, work: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Keep a background loop going, and end it on the way out."""
    task = asyncio.create_task(_keep_running(name, work), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _begun(name: str, work: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Do something once beside everything else, and break it off on the way out if it is not done."""

    async def once() -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001 - it is logged, and done at the next start
            _log.exception("The work “%s” stumbled; the next start takes it up", name)

    task = asyncio.create_task(once(), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - one loop's fault must not end the bot; it is logged, and tried again
            _log.exception("The %s loop stumbled; it starts again in %.0f s", name, RESTART_SECONDS)
        await asyncio.sleep(RESTART_SECONDS)


async def _beat(settings: Settings) -> None:
    """Touch a file while the event loop turns; a health check reads its age."""
    file = settings.health_file
    while True:
        await asyncio.to_thread(file.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)
