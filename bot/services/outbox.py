"""What has to reach the catalogue sooner or later: sent, tried again, given up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from bot.domain.feedback import OutboxEntry, OutboxKind
from bot.domain.ids import PayerId
from bot.domain.outbox import expires_at_ms, next_try_ms
from bot.nanogpt.errors import (
    BadKeyError,
    ConflictError,
    DailyLimitError,
    InsufficientBalanceError,
    NanoGptError,
    NotFoundError,
    NotPermittedError,
    RejectedError,
)
from bot.services.clock import Clock
from bot.services.outlet import Busy, OutletError, Uncertain
from bot.store.outbox import Outbox

_log = logging.getLogger(__name__)

BATCH: Final = 20
HELD_SECONDS: Final = 3_600.0
"""How long nothing is sent with a key that was refused or cannot pay: people have to put that right."""
LONGEST_HOLD_SECONDS: Final = 24 * 3_600.0
SHORTEST_REST_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 3_600.0
"""The wall clock that entries are dated by may be set while the loop rests."""
REST_AFTER_FAILURE_SECONDS: Final = 60.0
STOP_GRACE_SECONDS: Final = 5.0
"""How long a stop waits for what is being sent, so that its answer is not lost."""
_MILLISECONDS: Final = 1_000

_OF_KEYS: Final = (BadKeyError, InsufficientBalanceError, DailyLimitError, NotPermittedError)
"""Answers that say something of the key, or of its account: another one may be answered otherwise."""
_REFUSALS: Final[tuple[tuple[type[NanoGptError], str], ...]] = (
    (ConflictError, "there is one already"),
    (NotFoundError, "the character is no longer there"),
    (NotPermittedError, "not allowed"),
    (RejectedError, ""),
)
"""Final answers (400, 403, 404, 409, 410 and their like), and what is said where upstream gave no words."""


class Courier(Protocol):
    """Carries the entries of one kind."""

    @property
    def final(self) -> tuple[type[NanoGptError], ...]:
        """The failures that end an entry of this kind, beside those that end any."""
        ...

    @property
    def fallback(self) -> PayerId | None:
        """Whose key an entry of this kind leaves under where its payer's cannot be used; None where nobody's may."""
        ...

    async def send(self, entry: OutboxEntry) -> None:
        """Send it, or raise a NanoGptError or an OutletError."""
        ...

    async def accepted(self, entry: OutboxEntry) -> None:
        """Write down that it arrived."""
        ...

    async def refused(self, entry: OutboxEntry, error: Exception, answer: str) -> None:
        """Write down that it was refused for good, by what; `answer` is what was said about it, or empty."""
        ...

    async def expired(self, entry: OutboxEntry) -> None:
        """Write down that it was given up."""
        ...


@dataclass(frozen=True, slots=True)
class Refused:
    """Sending it again would be refused again."""

    answer: str


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing can be sent with this key for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Later:
    """Worth trying again, not before so many seconds."""

    seconds: float = 0.0


def verdict_on(
    error: NanoGptError | OutletError, *, now_s: float, final: tuple[type[NanoGptError], ...] = ()
) -> Refused | Held | Later:
    """Decide what a failed attempt means: what is not known to be final may pass by itself.

    `final` are failures that end an entry of this kind, beside those that end any.
    """
    if isinstance(error, OutletError):
        if isinstance(error, Busy):
            return Later(error.retry_after_seconds)
        return Later() if isinstance(error, Uncertain) else Refused("")
    if isinstance(error, final):
        return Refused(error.message or "")
    if isinstance(error, DailyLimitError):
        return Held(min(max(error.resets_at - now_s, 0.0), LONGEST_HOLD_SECONDS))
    if isinstance(error, BadKeyError | InsufficientBalanceError):
        return Held(HELD_SECONDS)
    for kind, words in _REFUSALS:
        if isinstance(error, kind):
            return Refused(error.message or words)
    return Later(error.retry_after or 0.0)


class OutboxService:
    """Sends what waits in the outbox, longest due first and one at a time, until it is taken, refused or too old.

    An attempt whose answer was lost is made again, so that the catalogue may get one entry twice. A key that was
    refused, cannot pay or is at its daily limit costs its entries no attempt: they rest together, but for those that
    may leave under another key, which neither rest nor let the others rest. What is said of a key that its payer has
    replaced meanwhile says nothing of the one they have now.
    """

    def __init__(
        self, *, outbox: Outbox, couriers: Mapping[OutboxKind, Courier], clock: Clock, jitter: Callable[[], float]
    ) -> None:
        """Take the table and who carries what; `jitter` gives random numbers from 0 to 1."""
        self._outbox = outbox
        self._couriers = couriers
        self._clock = clock
        self._jitter = jitter
        self._stirred = asyncio.Event()
        self._held: dict[PayerId, float] = {}
        self._sending: PayerId | None = None
        """Whose key is in use: one entry is sent at a time. None also where that key was replaced meanwhile."""
        self._running = False
        self._moved = asyncio.Event()
        """Set, and replaced by another, whenever an entry was tried, and when the loop ends."""

    def forget(self, payer: PayerId) -> None:
        """Try a payer's entries again at once: the key is another, or gone."""
        self._held.pop(payer, None)
        if self._sending == payer:
            self._sending = None
        self._stirred.set()

    def stir(self) -> None:
        """Say that there is something new to send."""
        self._stirred.set()

    async def tried(self, kind: OutboxKind, subject: str, *, seconds: float) -> bool:
        """Wait until the entry of a subject was tried or is gone; False when it was not, within so many seconds.

        An entry that has failed before, or whose key is held, counts as tried: the next time may be hours away.
        Nothing is waited for while the loop does not run.
        """
        self._stirred.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    moved = self._moved
                    if not await self._is_untried(kind, subject):
                        return True
                    if not self._running:
                        break
                    await moved.wait()
        return False

    async def run(self) -> None:
        """Send until cancelled. What is being sent then has a few seconds to hear its answer."""
        self._running = True
        try:
            while True:
                self._stirred.clear()
                try:
                    await self.send_due()
                    seconds = await self._seconds_to_rest()
                except Exception:  # noqa: BLE001 - the loop outlives whatever goes wrong in one round.
                    _log.exception("the outbox could not be worked on; trying again in a minute")
                    seconds = REST_AFTER_FAILURE_SECONDS
                await self._rest(seconds)
        finally:
            self._running = False
            self._tell_watchers()

    async def send_due(self) -> None:
        """Send everything that is due, and give up what is too old."""
        last: OutboxEntry | None = None
        while batch := await self._outbox.due(self._clock.now_ms(), BATCH, after=last):
            last = batch[-1]
            for entry in batch:
                if expires_at_ms(entry) <= self._clock.now_ms():
                    await self._give_up(entry)
                elif (payable := await self._payable(entry)) is None:
                    continue
                elif await self._is_latest(payable):
                    await self._to_its_end(payable)
                self._tell_watchers()

    async def _payable(self, entry: OutboxEntry) -> OutboxEntry | None:
        """Return an entry as it may leave now, under another key where its own rests; None where it has to wait."""
        if self._is_held(entry.payer):
            entry = await self._passed_on(entry) or entry
        return None if self._is_held(entry.payer) else entry

    async def _passed_on(self, entry: OutboxEntry) -> OutboxEntry | None:
        """Let an entry leave under another key for good, and return it; None where no other may take its place."""
        courier = self._couriers.get(entry.kind)
        payer = None if courier is None else courier.fallback
        if payer is None or payer == entry.payer:
            return None
        await self._outbox.pay_by(entry.id, payer)
        return replace(entry, payer=payer)

    async def _to_its_end(self, entry: OutboxEntry) -> None:
        sending = asyncio.create_task(self._send(entry), name=f"outbox-{entry.id}")
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.wait({sending}, timeout=STOP_GRACE_SECONDS)
            raise
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await sending

    async def _send(self, entry: OutboxEntry) -> None:
        courier = self._couriers.get(entry.kind)
        if courier is None:
            _log.error("nobody carries entry %s of the outbox (%s)", entry.id, entry.kind.value)
            await self._try_later(entry, 0.0)
            return
        self._sending = entry.payer
        try:
            await courier.send(entry)
        except (NanoGptError, OutletError) as error:
            await self._judge(courier, entry, error)
        except Exception:  # noqa: BLE001 - one entry that cannot be sent does not keep the others.
            _log.exception("entry %s of the outbox could not be sent", entry.id)
            await self._try_later(entry, 0.0)
        else:
            await courier.accepted(entry)
            await self._outbox.remove(entry.id)

    async def _judge(self, courier: Courier, entry: OutboxEntry, error: NanoGptError | OutletError) -> None:
        if self._sending is None and isinstance(error, _OF_KEYS):
            _log.info("entry %s of the outbox is tried again with another key: %r", entry.id, error)
            return
        if isinstance(error, _OF_KEYS) and (passed_on := await self._passed_on(entry)) is not None:
            _log.info("entry %s of the outbox goes with the key %s: %r", entry.id, passed_on.payer, error)
            if not self._is_held(passed_on.payer):
                await self._send(passed_on)
            return
        match verdict_on(error, now_s=self._clock.now_ms() / _MILLISECONDS, final=courier.final):
            case Refused(answer):
                _log.info("entry %s of the outbox was refused: %r", entry.id, error)
                await courier.refused(entry, error, answer)
                await self._outbox.remove(entry.id)
            case Held(seconds):
                _log.warning("nothing is sent with the key %s for %.0f s: %r", entry.payer, seconds, error)
                self._held[entry.payer] = self._clock.monotonic() + seconds
            case Later(seconds):
                _log.info("entry %s of the outbox is tried again later: %r", entry.id, error)
                await self._try_later(entry, seconds)

    async def _give_up(self, entry: OutboxEntry) -> None:
        if courier := self._couriers.get(entry.kind):
            await courier.expired(entry)
        await self._outbox.remove(entry.id)

    async def _try_later(self, entry: OutboxEntry, asked_seconds: float) -> None:
        due_ms = next_try_ms(
            entry,
            now_ms=self._clock.now_ms(),
            asked_ms=int(asked_seconds * _MILLISECONDS),
            jitter=self._jitter(),
        )
        await self._outbox.retry_at(entry.id, due_ms)

    def _is_held(self, payer: PayerId) -> bool:
        return self._held.get(payer, 0.0) > self._clock.monotonic()

    async def _is_latest(self, entry: OutboxEntry) -> bool:
        """Tell whether an entry still waits: while others were sent, it may have been withdrawn or replaced."""
        latest = await self._outbox.find(entry.kind, entry.subject)
        return latest is not None and latest.id == entry.id

    async def _is_untried(self, kind: OutboxKind, subject: str) -> bool:
        entry = await self._outbox.find(kind, subject)
        return entry is not None and entry.attempts == 0 and not self._is_held(entry.payer)

    def _tell_watchers(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _seconds_to_rest(self) -> float | None:
        now, now_ms = self._clock.monotonic(), self._clock.now_ms()
        self._held = {payer: until for payer, until in self._held.items() if until > now}
        held_until_ms = {payer: now_ms + round((until - now) * _MILLISECONDS) for payer, until in self._held.items()}
        due_ms = await self._outbox.next_due_ms(held_until_ms)
        if due_ms is None:
            return None
        return min(max((due_ms - now_ms) / _MILLISECONDS, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)

    async def _rest(self, seconds: float | None) -> None:
        """Wait so many seconds, or until stirred; None: until stirred."""
        if seconds is None:
            await self._stirred.wait()
            return
        waits = [
            asyncio.ensure_future(wait)
            for wait in (_nothing(self._stirred.wait()), _nothing(self._clock.sleep(seconds)))
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


async def _nothing(wait: Awaitable[object]) -> None:
    await wait
