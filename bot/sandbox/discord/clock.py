"""Snowflakes and timestamps from one injected clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

DISCORD_EPOCH_MS: Final = 1_420_070_400_000
"""First millisecond of 2015 (Discord's API reference, Snowflakes)."""
_TIMESTAMP_SHIFT: Final = 22


class Snowflakes:
    """Make ids that rise strictly and tell the time, even when the clock stands still or steps back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id, greater than every earlier one."""
        now = (int(self._clock() * 1000) - DISCORD_EPOCH_MS) << _TIMESTAMP_SHIFT
        self._last = max(now, self._last + 1)
        return self._last


def iso(at: float) -> str:
    """Write a Unix time in seconds the way Discord writes timestamps."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
