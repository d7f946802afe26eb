"""The posts of one turn: a reader feeds text, a painter owns the posts.

What Discord shows is compared with what it should show, and the difference is sent until there is none. The same
code so streams a reply, finishes one that a crash left half said, and writes Retry's text into the posts of the
last try.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.ids import MessageId, PostId, TurnId, VersionId
from bot.domain.turns import Post, PostKind, PostState, Transport, TurnState, VersionOutcome
from bot.services.lanes import Priority
from bot.services.outlet import (
    Busy,
    Controls,
    Destination,
    Draft,
    Forbidden,
    Gone,
    Lost,
    OutletError,
    Persona,
    Refused,
    TextFile,
    Uncertain,
)
from bot.services.posting import Poster
from bot.store.errors import StoreError

_log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS: Final = 1.0
LONGEST_BACKOFF_SECONDS: Final = 60.0
GATHER_SECONDS: Final = 0.1
"""For how long new words are gathered before it is looked whether they change what is on show."""
DELETED: Final = "deleted"
"""The stored cause of a turn whose reply somebody deleted before it was whole."""


class Withheld(Exception):
    """Nothing of the text is on show, and it may not be shown any more; what stood there before it is as it was."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A reply cut into the messages that carry it."""

    parts: tuple[str, ...]
    file: TextFile | None = None
    """Goes with the last part."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a turn comes to."""

    layout: Layout
    state: TurnState
    cause: str | None = None
    outcome: VersionOutcome | None = None
    """Written down before the last posts carry it; None where the text is stored already."""
    controls: Controls | None = None


@dataclass(slots=True)
class _Slot:
    """One place of a reply, and what Discord is known to show there."""

    post_id: PostId
    transport: Transport
    message_id: MessageId
    shown: Draft | None
    """None where nobody knows: the post was met again after a restart, or an earlier copy was kept."""


class Delivery:
    """Puts one turn's text, or its mark, on Discord."""

    def __init__(
        self,
        poster: Poster,
        *,
        turn_id: TurnId,
        kind: PostKind,
        destination: Destination,
        persona: Persona | None,
        anchor: MessageId,
        attempt: int = 1,
        preview: Callable[[str], tuple[str, ...]] | None = None,
        first_text_delay_seconds: float = 0.0,
        standing: Sequence[Post] = (),
        asked_again: bool = False,
        may_begin: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Take up a turn.

        `anchor` is a message older than anything posted here. `attempt` counts how often the turn was run.
        `preview` cuts text that still grows into what may be seen of it. `standing` are the posts that the turn has
        from earlier; with `asked_again` the text is said anew where those can no longer be edited. `may_begin` is
        asked before anything can be seen, which may be long after the text was whole.
        """
        self._poster = poster
        self._turn_id = turn_id
        self._kind = kind
        self._destination = destination
        self._persona = persona
        self._anchor = anchor
        self._attempt = attempt
        self._asked_again = asked_again
        self._may_begin = may_begin
        self._preview = preview
        self._first_text_delay = first_text_delay_seconds
        self._slots = {
            post.number: _Slot(post.id, post.transport, post.message_id, None)
            for post in standing
            if post.kind is kind and post.state is PostState.POSTED and post.message_id is not None
        }
        self._version_id: VersionId | None = None
        self._text = ""
        self._closing = False
        self._begun = False
        self._stirred = asyncio.Event()
        self._closed = asyncio.Event()
        self._painter: asyncio.Task[None] | None = None
        self._pending: asyncio.Future[bool] | None = None
        self._unrecorded: dict[PostId, MessageId] = {}
        self._found_gone = False

    @property
    def removed(self) -> bool:
        """Whether somebody deleted a message of the reply while it was being written."""
        return self._found_gone or any(
            self._poster.was_deleted(slot.message_id) and not self._is_said_again(slot) for slot in self._slots.values()
        )

    def _is_said_again(self, slot: _Slot) -> bool:
        """Tell whether a place that the last try left is filled anew where its message is gone."""
        return self._asked_again and slot.shown is None

    @property
    def visible(self) -> bool:
        """Whether anything can be seen of it."""
        return bool(self._slots)

    @property
    def shown(self) -> int:
        """How many messages of it can be seen."""
        return len(self._slots)

    @property
    def has_persona(self) -> bool:
        """Whether a character speaks, and not the bot."""
        return self._persona is not None

    @property
    def last_message(self) -> tuple[MessageId, Transport] | None:
        """The last message of the reply, which carries the buttons."""
        if not self._slots:
            return None
        slot = self._slots[max(self._slots)]
        return slot.message_id, slot.transport

    def feed(self, text: str) -> None:
        """Take the whole text so far; it is shown when there is room."""
        self._text = text
        self._stirred.set()
        if self._painter is None and self._preview is not None:
            self._painter = asyncio.create_task(self._paint(), name=f"painter of turn {self._turn_id}")

    async def finish(self, ending: Ending) -> None:
        """Show the final text, and end the turn once Discord has confirmed it.

        Goes on trying for as long as Discord does not answer or the database takes nothing: what is on show must
        not be said again, nor marked as failed. Raises Forbidden, Refused or Gone where trying again changes nothing,
        and Withheld; the turn is not ended then.
        """
        await self.stop()
        await self._again_and_again(self._check_may_begin)
        outcome = ending.outcome
        if outcome is not None and self.removed:
            outcome = replace(outcome, text="")
        if outcome is not None and (self._version_id is not None or self._slots or self.removed):
            await self._again_and_again(self._settling(outcome))
            outcome = None
        if not self.removed:
            await self._show(ending, outcome)
        await self._again_and_again(lambda: self._end(ending))
        self._poster.settle(self._destination, self._turn_id)

    async def take_back(self) -> None:
        """Delete every message of this delivery, such as the mark of a turn that is tried again."""
        await self._remove_from(0)

    async def stop(self) -> None:
        """Stop painting, and wait for a call that has begun."""
        self._closing = True
        self._stirred.set()
        self._closed.set()
        if self._pending is not None and not self._begun:
            self._pending.cancel()
        painter, self._painter = self._painter, None
        if painter is None:
            return
        try:
            await asyncio.shield(painter)
        except Exception:  # noqa: BLE001 - what counts is the final text, which is yet to be shown; the fault is logged
            _log.exception("Turn %s: its previews came to an end", self._turn_id)

    # Painting

    async def _paint(self) -> None:
        # A reply that ends within the first moment is one post and nothing else.
        await self._pause(self._first_text_delay)
        while not self._closing:
            self._stirred.clear()
            if self._next_preview() is None or not await self._request_preview():
                await self._stirred.wait()
                if self._slots:
                    # Laying a long text out anew for every word of it takes more time than all the rest.
                    await self._pause(GATHER_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait for a while, or until the text is whole."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    async def _request_preview(self) -> bool:
        """Ask the lane for a call, and tell whether it may be worth asking again at once."""
        self._begun = False
        priority = Priority.PREVIEW if self._slots else Priority.TEXT
        self._pending = self._poster.lane(self._destination).submit(priority, self._show_preview)
        try:
            return await self._pending
        except asyncio.CancelledError:
            if not self._closing:
                raise
            return False
        except OutletError as error:
            # The final text is what counts; it is tried until it stands or cannot stand.
            _log.info("Turn %s: a preview was not shown: %r", self._turn_id, error)
            return False
        finally:
            self._pending = None

    def _next_preview(self) -> tuple[int, Draft] | None:
        if self.removed or self._preview is None:
            return None
        for number, text in enumerate(self._preview(self._text)):
            draft = self._draft(number, text)
            slot = self._slots.get(number)
            if slot is None or slot.shown != draft:
                return number, draft
        return None

    async def _show_preview(self) -> bool:
        step = None if self._closing else self._next_preview()
        if step is None:
            return False
        self._begun = True
        try:
            await self._put(*step)
        except Withheld:
            return False
        return True

    # Showing

    async def _show(self, ending: Ending, outcome: VersionOutcome | None) -> None:
        parts = ending.layout.parts
        last = len(parts) - 1
        for number, text in enumerate(parts):
            is_last = number == last
            draft = self._draft(
                number,
                text,
                controls=ending.controls if is_last else None,
                file=ending.layout.file if is_last else None,
            )
            # The last id is written down together with the end of the turn.
            deferred = is_last and not any(slot > last for slot in self._slots)
            await self._insist(self._putting(number, draft, outcome, deferred=deferred))
            outcome = None
            if self.removed:
                return
        await self._remove_from(len(parts))

    def _putting(
        self, number: int, draft: Draft, outcome: VersionOutcome | None, *, deferred: bool
    ) -> Callable[[], Awaitable[None]]:
        return lambda: self._put(number, draft, outcome, deferred=deferred)

    def _draft(
        self, number: int, text: str, *, controls: Controls | None = None, file: TextFile | None = None
    ) -> Draft:
        nonce = post_nonce(self._turn_id, self._attempt, self._kind, number)
        return Draft(text, persona=self._persona, controls=controls, file=file, nonce=nonce)

    async def _insist(self, call: Callable[[], Awaitable[None]]) -> None:
        """Carry a call out through the lane, again and again while Discord is busy or does not answer."""
        await self._again_and_again(lambda: self._poster.lane(self._destination).submit(Priority.TEXT, call))

    async def _again_and_again(self, call: Callable[[], Awaitable[None]]) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                await call()
            except Busy as busy:
                await self._poster.clock.sleep(busy.retry_after_seconds)
            except (Uncertain, StoreError) as error:
                _log.warning("Turn %s: %r; trying again in %.0f s", self._turn_id, error, backoff)
                await self._poster.clock.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
            else:
                return

    async def _put(
        self, number: int, draft: Draft, outcome: VersionOutcome | None = None, *, deferred: bool = False
    ) -> None:
        """Make a place of the reply show the draft, by a post or an edit; runs in the lane."""
        if self.removed:
            return
        slot = self._slots.get(number)
        if slot is None:
            slot = await self._post(number, draft, outcome, deferred=deferred)
        if slot.shown == draft:
            return
        await self._check_may_begin()
        try:
            await self._poster.outlet.edit(self._destination, slot.transport, slot.message_id, draft)
        except Gone as gone:
            if gone.what is Lost.PLACE:
                raise
            if gone.what is Lost.MESSAGE and not self._is_said_again(slot):
                self._found_gone = True
                del self._slots[number]
                await self._poster.posts.gone(slot.message_id)
                return
            # What an old webhook said can no longer be edited, nor deleted; it is said again from here on.
            await self._withdraw(number)
            for later in sorted(later for later in self._slots if later > number):
                await (self._withdraw(later) if gone.what is Lost.WEBHOOK else self._remove(later))
            await self._put(number, draft, outcome, deferred=deferred)
        else:
            slot.shown = draft

    async def _check_may_begin(self) -> None:
        """Raise Withheld where nothing of the text is on show yet, and it may not be."""
        unseen = all(slot.shown is None for slot in self._slots.values())
        if unseen and self._may_begin is not None and not await self._may_begin():
            raise Withheld

    async def _post(self, number: int, draft: Draft, outcome: VersionOutcome | None, *, deferred: bool) -> _Slot:
        try:
            return await self._post_once(number, draft, outcome, deferred=deferred)
        except Gone as gone:
            if gone.what is not Lost.WEBHOOK:
                raise
        # The outlet has forgotten the webhook that is gone; it finds or makes another, or falls back.
        return await self._post_once(number, draft, outcome, deferred=deferred)

    async def _post_once(self, number: int, draft: Draft, outcome: VersionOutcome | None, *, deferred: bool) -> _Slot:
        posts, clock = self._poster.posts, self._poster.clock
        transport = Transport.BOT
        if draft.persona is not None:
            transport = await self._poster.outlet.transport(self._destination)
        await self._check_may_begin()
        writing = outcome is not None or not self._closing
        needs_version = self._kind is PostKind.REPLY and self._version_id is None and writing
        post_id, version_id = await posts.intend(
            self._turn_id,
            self._kind,
            number,
            channel_id=self._destination.channel_id,
            thread_id=self._destination.thread_id,
            transport=transport,
            now_ms=clock.now_ms(),
            begin_version=needs_version,
            outcome=outcome if needs_version else None,
        )
        self._version_id = version_id or self._version_id
        try:
            sent = await self._poster.send(self._destination, self._turn_id, transport, draft, self._anchor)
        except (Forbidden, Refused, Gone):
            await posts.withdraw(post_id)
            raise
        slot = _Slot(post_id, transport, sent.message_id, draft if sent.as_drafted else None)
        self._slots[number] = slot
        self._unrecorded[post_id] = sent.message_id
        if not deferred or not sent.as_drafted:
            await self._record()
        return slot

    async def _record(self) -> None:
        """Write down which messages the intents became, the ones that could not be before included."""
        for post_id, message_id in list(self._unrecorded.items()):
            await self._poster.posts.posted(post_id, message_id)
            del self._unrecorded[post_id]

    async def _end(self, ending: Ending) -> None:
        await self._poster.posts.posted_and_ended(
            self._turn_id,
            ending.state,
            posted=tuple(self._unrecorded.items()),
            cause=DELETED if self.removed else ending.cause,
            forget=self.removed,
            now_ms=self._poster.clock.now_ms(),
        )
        self._unrecorded.clear()

    def _settling(self, outcome: VersionOutcome) -> Callable[[], Awaitable[None]]:
        return lambda: self._settle(outcome)

    async def _settle(self, outcome: VersionOutcome) -> None:
        posts, now_ms = self._poster.posts, self._poster.clock.now_ms()
        if self._version_id is None:
            self._version_id = await posts.begin_version(self._turn_id, outcome, now_ms=now_ms)
        else:
            await posts.settle_version(self._version_id, outcome, now_ms=now_ms)

    async def _remove_from(self, first: int) -> None:
        for number in sorted((number for number in self._slots if number >= first), reverse=True):
            await self._insist(self._removing(number))

    def _removing(self, number: int) -> Callable[[], Awaitable[None]]:
        return lambda: self._remove(number)

    async def _remove(self, number: int) -> None:
        slot = self._slots[number]
        with contextlib.suppress(Gone):
            await self._poster.remove(self._destination, slot.transport, slot.message_id)
        await self._withdraw(number)

    async def _withdraw(self, number: int) -> None:
        post_id = self._slots[number].post_id
        await self._poster.posts.withdraw(post_id)
        self._unrecorded.pop(post_id, None)
        del self._slots[number]


def post_nonce(turn_id: TurnId, attempt: int, kind: PostKind, number: int) -> str:
    """Name a post, for Discord and for whoever meets its echo; 25 characters at most are taken.

    The attempt is part of it: within a few minutes Discord answers a name that it knows with the old message, also,
    for all that is documented, where that was deleted since
    (https://discord.com/developers/docs/resources/message#create-message, `enforce_nonce`).
    """
    return f"{turn_id}.{attempt}.{kind.value}.{number}"
