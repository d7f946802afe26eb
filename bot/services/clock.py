"""Time as an argument, so that a test can hold it still."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock in Unix milliseconds, a steady clock in seconds, and a way to wait."""

    now_ms: Callable[[], int] = _now_ms
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
