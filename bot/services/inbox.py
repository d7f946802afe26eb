"""What has come in for a channel or thread and is not yet in the database, in order."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from bot.domain.ids import ChannelId, GuildId, MessageId
from bot.domain.messages import IncomingMessage
from bot.services.clock import Clock
from bot.store.errors import StoreError

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000
"""Events kept for one place while the database or the catch-up is slow; another catch-up finds what is left out."""
FIRST_BACKOFF_SECONDS: Final = 1.0
LONGEST_BACKOFF_SECONDS: Final = 30.0
TRIES_TOGETHER: Final = 5


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A message of a person has a new text."""

    message: IncomingMessage


@dataclass(frozen=True, slots=True)
class MessagesDeleted:
    """Messages are gone, whoever wrote them."""

    guild_id: GuildId
    channel_id: ChannelId
    ids: tuple[MessageId, ...]


@dataclass(frozen=True, slots=True)
class ThreadDeleted:
    """A thread is gone with everything in it."""

    thread_id: ChannelId


Event: TypeAlias = IncomingMessage | MessageEdited | MessagesDeleted | ThreadDeleted


@dataclass(slots=True)
class _Box:
    guild_id: GuildId
    events: deque[Event] = field(default_factory=deque[Event])
    worker: asyncio.Task[None] | None = None
    left_out: bool = False
    """Whether something was left out since it was empty last."""


class Inbox:
    """Takes events without waiting and hands them on in order, one place at a time.

    A server's events wait until it is released, so that a catch-up can put the missed ones before them.
    """

    def __init__(self, handle: Callable[[ChannelId, Sequence[Event]], Awaitable[None]], clock: Clock) -> None:
        """`handle` gets the events of one place that have gathered; when it raises, they are handed over again."""
        self._handle = handle
        self._clock = clock
        self._boxes: dict[ChannelId, _Box] = {}
        self._open: set[GuildId] = set()
        self._closed = False
        self.on_left_out: Callable[[GuildId], None] = lambda _: None
        """Hears of a server of which something was left out, once all that was not has been handed on."""

    def put(self, guild_id: GuildId, place: ChannelId, event: Event) -> None:
        """Take one event. Never waits.

        Where too much waits, messages and edits are left out until all of it has been handed on: a message that is
        claimed stands for all before it, so the catch-up would not look for what was left out between two others.
        """
        if self._closed:
            return
        box = self._box(guild_id, place)
        is_found_later = isinstance(event, (IncomingMessage, MessageEdited))
        if is_found_later and (box.left_out or len(box.events) >= MOST_WAITING):
            if not box.left_out:
                _log.error("Too much waits for %s; what comes is left out", place)
            box.left_out = True
            return
        box.events.append(event)
        self._start(place, box)

    def put_missed(self, guild_id: GuildId, place: ChannelId, messages: Sequence[IncomingMessage]) -> None:
        """Put messages that were missed before the ones that came since, by the order of their ids."""
        box = self._box(guild_id, place)
        waiting = {event.id for event in box.events if isinstance(event, IncomingMessage)}
        passed = {gone for event in box.events if isinstance(event, MessagesDeleted) for gone in event.ids} | waiting
        late = deque(
            sorted((message for message in messages if message.id not in passed), key=lambda message: message.id)
        )
        merged: deque[Event] = deque()
        for event in box.events:
            while isinstance(event, IncomingMessage) and late and late[0].id < event.id:
                merged.append(late.popleft())
            merged.append(event)
        merged.extend(late)
        box.events = merged
        self._start(place, box)

    def hold(self, guild_id: GuildId) -> None:
        """Let a server's events wait again."""
        self._open.discard(guild_id)

    def release(self, guild_id: GuildId) -> None:
        """Hand a server's events on from now."""
        self._open.add(guild_id)
        for place, box in list(self._boxes.items()):
            if box.guild_id == guild_id:
                self._start(place, box)

    async def idle(self) -> None:
        """Wait until everything that is not held was handed on."""
        while workers := [box.worker for box in self._boxes.values() if box.worker is not None]:
            await asyncio.gather(*workers, return_exceptions=True)

    async def close(self) -> None:
        """End the workers; what they had not handed on is met again by the next start's catch-up."""
        self._closed = True
        workers = [box.worker for box in self._boxes.values() if box.worker is not None]
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _box(self, guild_id: GuildId, place: ChannelId) -> _Box:
        box = self._boxes.get(place)
        if box is None:
            box = self._boxes[place] = _Box(guild_id)
        return box

    def _start(self, place: ChannelId, box: _Box) -> None:
        if box.worker is None and box.events and box.guild_id in self._open:
            box.worker = asyncio.create_task(self._work(place, box), name=f"inbox of {place}")

    async def _work(self, place: ChannelId, box: _Box) -> None:
        backoff, failures = FIRST_BACKOFF_SECONDS, 0
        try:
            while box.events and box.guild_id in self._open:
                # One event that always fails must not keep a place deaf: after a few tries they go one by one.
                one_by_one = failures >= TRIES_TOGETHER
                batch = deque([box.events.popleft()]) if one_by_one else box.events
                box.events = box.events if one_by_one else deque()
                try:
                    await self._handle(place, tuple(batch))
                except BaseException as error:
                    failures += not isinstance(error, StoreError)
                    if one_by_one and isinstance(error, Exception) and not isinstance(error, StoreError):
                        _log.exception("An event of %s is left out", place)
                        continue
                    batch.extend(box.events)
                    box.events = batch
                    if not isinstance(error, Exception):
                        raise
                    _log.exception("Events of %s could not be taken; trying again in %.0f s", place, backoff)
                    await self._clock.sleep(backoff)
                    backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
                    continue
                backoff = FIRST_BACKOFF_SECONDS
                failures = failures if one_by_one and box.events else 0
        finally:
            box.worker = None
            if not box.events:
                self._boxes.pop(place, None)
                if box.left_out and not self._closed:
                    self.on_left_out(box.guild_id)
