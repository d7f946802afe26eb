"""The client of NanoGPT."""

import random
from contextlib import AsyncExitStack
from typing import Final

from bot.config import Settings
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.transport import TimeLimits, build_http_client
from bot.services.clock import Clock

CATALOGUE_CONNECTIONS: Final = 8
"""Connections beside those that replies may use, so that looking a character up never waits for them."""
_MS_PER_SECOND: Final = 1_000


async def open_nanogpt(settings: Settings, pace: Pace | None, clock: Clock, stack: AsyncExitStack) -> NanoGptClient:
    """Open the connections to NanoGPT; `pace` takes the place of the one that the settings describe."""
    upstream = settings.nanogpt
    http = await stack.enter_async_context(
        build_http_client(max_connections=upstream.max_concurrent + CATALOGUE_CONNECTIONS)
    )
    return NanoGptClient(
        http,
        base_url=upstream.base_url,
        responses_url=upstream.responses_url,
        pace=pace or Pace(upstream.requests_per_second),
        jitter=random.random,
        limits=TimeLimits(
            connect=upstream.connect_timeout_seconds,
            idle=upstream.idle_timeout_seconds,
            overall=upstream.overall_timeout_seconds,
        ),
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        now=lambda: clock.now_ms() / _MS_PER_SECOND,
    )
