"""What the stand-in saw: calls, reports, complaints; and waiting until something has been seen."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from bot.sandbox.heads import Head
from bot.sandbox.nanogpt.wire import as_list, as_object

KeyState = Literal["none", "good", "bad"]


class Outcome(Enum):
    """How far a call has come."""

    OPEN = "open"
    HELD = "held"
    """A test holds the answer back."""
    STALLED = "stalled"
    """A fault kept the connection open and silent, until the client went away."""
    ANSWERED = "answered"
    CUT = "cut"
    """A fault dropped the connection."""
    DISCONNECTED = "disconnected"
    """The client went away, or the stand-in was closed, before the answer was complete."""


@dataclass(slots=True, kw_only=True, eq=False)
class RecordedCall:
    """One HTTP request and what became of it, without its headers, and so without keys."""

    number: int
    """Counted from 1."""
    method: str
    path: str
    """Below /api/v1, or from the root for what is not below it; percent-decoded, beginning with a slash."""
    route: str | None
    """Its template, such as "GET /characters/{idOrSlug}"; None for a route the stand-in does not know."""
    target: str
    """The id or slug in the path, percent-decoded; empty where the route has none."""
    direct: bool
    """Whether it came to the responses address and not to the base address."""
    query: dict[str, tuple[str, ...]]
    body: object
    """The decoded JSON body; None where there was none."""
    account: str | None
    """Whose key it carried."""
    key: KeyState
    key_header: str | None
    """The name of the header that carried it."""
    started: float
    """Monotonic seconds when the request had been read."""
    first_text: float | None = None
    """Monotonic seconds when the first text was handed to the socket."""
    last_text: float | None = None
    """Monotonic seconds when the last text was handed to the socket."""
    ended: float | None = None
    """Monotonic seconds when the answer was complete, or nobody waited for it any more."""
    status: int | None = None
    """Of the answer; None until one was begun."""
    outcome: Outcome = Outcome.OPEN

    @property
    def fields(self) -> dict[str, object]:
        """The members of the body; empty when it is no JSON object."""
        return as_object(self.body) or {}

    @property
    def character(self) -> str | None:
        """The `character_id` of a response."""
        value = self.fields.get("character_id")
        return value if isinstance(value, str) else None

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """The input of a response as (role, text) pairs; parts that are no plain string are left out."""
        given = self.fields.get("input")
        if isinstance(given, str):
            return (("user", given),)
        pairs: list[tuple[str, str]] = []
        for item in as_list(given) or []:
            members = as_object(item) or {}
            role, content = members.get("role"), members.get("content")
            if isinstance(role, str) and isinstance(content, str):
                pairs.append((role, content))
        return tuple(pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review that stands: an account has at most one of each character."""

    character: str
    """The slug."""
    account: str
    rating: int
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that was accepted."""

    character: str
    """The slug."""
    account: str
    reason: str
    details: str | None


class Changes:
    """Wakes those who wait for a condition, each time something has happened; nothing is polled."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def notify(self) -> None:
        """Look at every awaited condition again."""
        if self._waiting:
            self._waiting = [entry for entry in self._waiting if not self._settle(*entry)]

    def _settle(self, condition: Callable[[], bool], future: asyncio.Future[None]) -> bool:
        if future.done():
            return True
        try:
            met = condition()
        except Exception as error:  # noqa: BLE001 - it belongs to the one who waits, not to the request at hand
            future.set_exception(error)
            return True
        if met:
            future.set_result(None)
        return met

    async def wait_for(self, condition: Callable[[], bool], timeout: float) -> None:
        """Return once the condition holds; raises TimeoutError after so many seconds."""
        if condition():
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, future))
        try:
            async with asyncio.timeout(timeout):
                await future
        finally:
            future.cancel()


@dataclass(slots=True)
class Record:
    """Everything that was seen, in order."""

    calls: list[RecordedCall] = field(default_factory=list[RecordedCall])
    heads: list[Head] = field(default_factory=list[Head])
    reports: list[Report] = field(default_factory=list[Report])
    reviews: dict[tuple[str, str], Review] = field(default_factory=dict[tuple[str, str], Review])
    """By character's id and account's id."""
    complaints: list[str] = field(default_factory=list[str])
    """What no careful client does, whether or not it was answered."""
    changes: Changes = field(default_factory=Changes)
    listeners: list[Callable[[RecordedCall], None]] = field(default_factory=list[Callable[[RecordedCall], None]])
    """Told of every call when it has come in, and whenever its status or outcome is another."""

    def note(self, call: RecordedCall) -> None:
        """Tell whoever listens or waits that a call came in, or got further."""
        for receive in self.listeners:
            receive(call)
        self.changes.notify()

    def complain(self, sentence: str) -> None:
        """Note something that a careful client never does."""
        self.complaints.append(sentence)
        self.changes.notify()
