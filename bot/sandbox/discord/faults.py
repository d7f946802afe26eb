"""Scripted trouble: a fault waits for a matching request and spoils it."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.discord.requests import RecordedRequest


@dataclass(slots=True, eq=False)
class Fault:
    """Spoil the next `times` requests that match; None for `times` means until removed.

    Matching: `method`, `path_pattern` (a regular expression searched in the route template), and `when`.
    Effect, in order: `delay_before` seconds; the action is carried out if `stored` (or if no error is asked for);
    `hold` is awaited; `delay_after` seconds; then `reset` cuts the connection, or `status` with Discord's error
    `code` and `message` is the answer, or else the true answer is given. For status 429, `retry_after` seconds and
    `scope` (user, shared, global) go into the answer, and `via` decides whether it looks like Discord's own.
    `html` answers with a page instead of JSON, as a proxy in front would. `seen` is set at each match.
    """

    method: str | None = None
    path_pattern: str = ""
    times: int | None = 1
    status: int | None = None
    code: int = 0
    message: str = "scripted"
    stored: bool = False
    delay_before: float = 0.0
    delay_after: float = 0.0
    hold: asyncio.Event | None = None
    reset: bool = False
    retry_after: float = 0.1
    scope: str = "user"
    via: bool = True
    html: bool = False
    when: Callable[[RecordedRequest], bool] | None = None
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    hits: int = 0

    @property
    def fails(self) -> bool:
        """Tell whether the true answer is withheld."""
        return self.reset or self.status is not None

    def matches(self, request: RecordedRequest) -> bool:
        """Tell whether this fault is still due and meant for the request."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method is not None and self.method != request.method:
            return False
        if self.path_pattern and not re.search(self.path_pattern, request.route):
            return False
        return self.when is None or self.when(request)


class Faults:
    """The faults that wait, first added first matched."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Queue a fault and return it, for its `seen` and `hits`."""
        self._waiting.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a fault away again."""
        self._waiting.remove(fault)

    def clear(self) -> None:
        """Take all faults away."""
        self._waiting.clear()

    def take(self, request: RecordedRequest) -> Fault | None:
        """Return the first fault that matches, counting the hit."""
        for fault in self._waiting:
            if fault.matches(request):
                fault.hits += 1
                fault.seen.set()
                if fault.times is not None and fault.hits >= fault.times:
                    self._waiting.remove(fault)
                return fault
        return None
