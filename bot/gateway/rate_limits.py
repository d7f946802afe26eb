"""What is left of each webhook's rate limit, read from the answers as they arrive.

discord.py keeps an answer back while a bucket is empty and tells nobody its headers; a trace on its HTTP
client, which it offers as `http_trace`, sees them at once.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import aiohttp

from bot.services.outlet import Allowance

_WEBHOOK: Final = re.compile(r"/webhooks/(\d+)/")
_UNKNOWN: Final = Allowance(None, 0.0)


@dataclass(slots=True)
class _Bucket:
    remaining: int
    resets_at: float


class WebhookRateLimits:
    """The newest word of Discord on each webhook's bucket (https://discord.com/developers/docs/topics/rate-limits)."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[int, _Bucket] = {}

    def trace(self) -> aiohttp.TraceConfig:
        """Return the trace to give to discord.py's client."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._note)
        return config

    def of(self, webhook_id: int) -> Allowance:
        """Return what is left for a webhook."""
        bucket = self._buckets.get(webhook_id)
        if bucket is None:
            return _UNKNOWN
        resets_in = bucket.resets_at - self._monotonic()
        if resets_in <= 0:
            del self._buckets[webhook_id]
            return _UNKNOWN
        return Allowance(bucket.remaining, resets_in)

    async def _note(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        del session, context
        found = _WEBHOOK.search(end.url.path)
        if found is None:
            return
        headers = end.response.headers
        try:
            remaining = int(headers["X-RateLimit-Remaining"])
            resets_in = float(headers["X-RateLimit-Reset-After"])
        except (KeyError, ValueError):
            return
        self._buckets[int(found[1])] = _Bucket(remaining, self._monotonic() + resets_in)
