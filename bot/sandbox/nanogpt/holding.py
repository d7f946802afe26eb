"""Holding answers back, so that a test can let one go piece by piece and need not sleep."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.sandbox.nanogpt.faults import Fault
from bot.sandbox.nanogpt.plan import Ending, ending_of
from bot.sandbox.nanogpt.recording import RecordedCall

DEFAULT_PATIENCE_SECONDS: Final = 10.0
"""How long a step of a held answer waits before it fails the test."""


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class TextStep:
    """Send this piece of text."""

    text: str
    done: asyncio.Future[None] = field(default_factory=_future)


@dataclass(frozen=True, slots=True)
class FinishStep:
    """Send the rest and the closing events."""

    rest: str | None
    ending: Ending = Ending.COMPLETED
    done: asyncio.Future[None] = field(default_factory=_future)


@dataclass(frozen=True, slots=True)
class FailStep:
    """End in this way in place of finishing."""

    ending: Ending
    done: asyncio.Future[None] = field(default_factory=_future)


Step = TextStep | FinishStep | FailStep


class Held:
    """One answer, held back: the next response that fits waits here until it is told what to send."""

    def __init__(self, fits: Callable[[RecordedCall], bool], *, silent: bool, patience: float) -> None:
        self.fits = fits
        self.silent = silent
        """Whether even the headers wait for the first step."""
        self.call: RecordedCall | None = None
        self._patience = patience
        self._arrived = asyncio.Event()
        self._left = asyncio.Event()
        self._steps: asyncio.Queue[Step] = asyncio.Queue()
        self._current: Step | None = None
        self._finished = False

    async def waiting(self) -> RecordedCall:
        """Wait until a request is held here; raises TimeoutError when none comes."""
        async with asyncio.timeout(self._patience):
            await self._arrived.wait()
        assert self.call is not None
        return self.call

    async def release_text(self, text: str) -> None:
        """Send one piece of text, as one event; returns when it has been written to the socket.

        Raises ConnectionError when the client has gone away.
        """
        await self._do(TextStep(text))

    async def finish(self, rest: str | None = None) -> None:
        """Send the rest and complete the answer; returns when all is written.

        Without `rest`, an answer of which nothing was released yet becomes the character's own whole reply,
        and any other ends where it is. Raises ConnectionError when the client has gone away.
        """
        self._finished = True
        await self._do(FinishStep(rest))

    async def fail(self, fault: Fault) -> None:
        """End by a fault in place of finishing: a cut, an end, a failed or an error event.

        Raises ValueError for a fault of another nature, ConnectionError when the client has gone away.
        """
        step = FailStep(ending_of(fault))
        self._finished = True
        await self._do(step)

    async def disconnected(self) -> None:
        """Wait until the client has closed the connection; raises TimeoutError when it does not."""
        async with asyncio.timeout(self._patience):
            await self._left.wait()

    async def release(self) -> None:
        """Finish if nothing else did; what the end of the `hold` block does."""
        if self._arrived.is_set() and not self._left.is_set() and not self._finished:
            await self.finish()

    async def _do(self, step: Step) -> None:
        await self.waiting()
        if self._left.is_set():
            raise ConnectionError("The client has gone away.")
        self._steps.put_nowait(step)
        async with asyncio.timeout(self._patience):
            await step.done

    def arrive(self, call: RecordedCall) -> None:
        """Take a request in; for the server."""
        self.call = call
        self._arrived.set()

    async def next_step(self) -> Step:
        """Wait for what to do next; for the server, which ends each step before it takes another."""
        self._current = await self._steps.get()
        return self._current

    def step_done(self) -> None:
        """Tell the test that the step is carried out; for the server."""
        if self._current is not None and not self._current.done.done():
            self._current.done.set_result(None)
        self._current = None

    def leave(self) -> None:
        """Note that the client has gone; for the server."""
        self._left.set()
        steps = [] if self._current is None else [self._current]
        while not self._steps.empty():
            steps.append(self._steps.get_nowait())
        for step in steps:
            if not step.done.done():
                step.done.set_exception(ConnectionError("The client has gone away."))
