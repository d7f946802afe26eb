"""Sending a message once, though an answer may be lost, doubled or late.

Webhooks know no idempotency key. What can be done instead: calls of a channel run one at a time, so an own
message that appears meanwhile and is not known is the one under way. The first to appear is kept, every further
copy is deleted. discord.py posts again by itself after a 5xx, so a second copy is ordinary.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.ids import ChannelId, MessageId
from bot.domain.turns import Post, PostState, Transport
from bot.services.clock import Clock
from bot.services.lanes import Lane, Priority
from bot.services.outlet import Destination, Draft, Outlet, OutletError, SeenPost, Uncertain
from bot.store.posts import Posts

_log = logging.getLogger(__name__)

KNOWN_IDS: Final = 4096
"""How many own message ids are remembered to recognise their echoes without asking the database."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The message that stands for a post."""

    message_id: MessageId
    as_drafted: bool
    """False where an earlier copy was kept, whose text may be another."""


@dataclass(slots=True)
class _InFlight:
    transport: Transport
    nonce: str | None
    adopted: MessageId | None = None
    extras: list[MessageId] = field(default_factory=list[MessageId])


class Poster:
    """All posts of this process: their lanes, their echoes, and what became of lost ones."""

    def __init__(self, outlet: Outlet, posts: Posts, clock: Clock, *, preview_interval_seconds: float) -> None:
        self.outlet = outlet
        self.posts = posts
        self.clock = clock
        self._interval = preview_interval_seconds
        self._lanes: dict[ChannelId, Lane] = {}
        self._in_flight: dict[ChannelId, _InFlight] = {}
        self._orphans: dict[ChannelId, list[SeenPost]] = {}
        self._known: OrderedDict[MessageId, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = False

    def lane(self, destination: Destination) -> Lane:
        """Return the lane of a channel, which its threads share."""
        lane = self._lanes.get(destination.channel_id)
        if lane is None:
            lane = Lane(
                self.clock,
                preview_interval_seconds=self._interval,
                allowance=lambda: self.outlet.allowance(destination),
            )
            self._lanes[destination.channel_id] = lane
        return lane

    async def send(self, destination: Destination, transport: Transport, draft: Draft, anchor: MessageId) -> Sent:
        """Post a message whose intent is written down; call it from within the channel's lane only.

        `anchor` is any message older than the post. Raises an OutletError; Uncertain only after the place was
        searched for the message in vain.
        """
        place = destination.place
        if (orphan := self._take_orphan(place, transport, draft)) is not None:
            return self._keep(orphan, as_drafted=False)
        flight = _InFlight(transport, draft.nonce if transport is Transport.BOT else None)
        self._in_flight[place] = flight
        try:
            message_id = await self.outlet.post(destination, transport, draft)
        except Uncertain:
            found = flight.adopted or await self._search(destination, transport, draft, anchor)
            if found is None:
                raise
            message_id = found
        finally:
            del self._in_flight[place]
        kept = flight.adopted or message_id
        self._keep(kept, as_drafted=True)
        late = [orphan.message_id for orphan in self._orphans.pop(place, ()) if orphan.transport is transport]
        for extra in {message_id, *flight.extras, *late} - {kept}:
            await self._delete_extra(destination, transport, extra)
        return Sent(kept, as_drafted=kept == message_id)

    def listen(self) -> None:
        """Begin to act on echoes; until then the recovery looks for itself."""
        self._listening = True

    def seen(self, destination: Destination, seen: SeenPost) -> None:
        """Take note of an own message that the gateway shows."""
        flight = self._in_flight.get(destination.place)
        if seen.message_id in self._known:
            return
        if flight is not None and flight.transport is seen.transport and flight.nonce in (None, seen.nonce):
            if flight.adopted is None:
                flight.adopted = seen.message_id
            elif flight.adopted != seen.message_id:
                flight.extras.append(seen.message_id)
            return
        if self._listening and (seen.transport is Transport.WEBHOOK or seen.nonce is not None):
            self._start(self._unexpected(destination, seen))

    async def reconcile(
        self,
        destination: Destination,
        posts: list[Post],
        anchor: MessageId,
        is_bot_post: Callable[[Post, SeenPost], bool],
    ) -> dict[MessageId, str]:
        """Find out what became of intents that a stop of the process left open.

        The first own messages behind the anchor that nobody knows are taken for the intents, in order; further
        ones of the webhook are deleted. The bot's own account also posts notices, so its messages are asked
        about with `is_bot_post`. Returns the texts of the own messages that were seen. Raises an OutletError.
        """
        seen = await self.outlet.recent(destination, anchor)
        known = await self.posts.known([post.message_id for post in seen])
        texts = {post.message_id: post.text for post in seen}
        strangers = [post for post in seen if post.message_id not in known]
        for post in posts:
            if post.state is not PostState.INTENDED:
                continue
            match = next(
                (
                    stranger
                    for stranger in strangers
                    if stranger.transport is post.transport
                    and (stranger.transport is Transport.WEBHOOK or is_bot_post(post, stranger))
                ),
                None,
            )
            if match is None:
                await self.posts.withdraw(post.id)
            else:
                strangers.remove(match)
                await self.posts.posted(post.id, match.message_id)
                self._keep(match.message_id, as_drafted=False)
        for stranger in strangers:
            if stranger.transport is Transport.WEBHOOK:
                await self._delete_extra(destination, stranger.transport, stranger.message_id)
        return texts

    def tidy(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Take the buttons off an old message when nothing else wants the channel's calls."""
        done = self.lane(destination).submit(
            Priority.HOUSEKEEPING, lambda: self.outlet.bare(destination, transport, message_id)
        )
        done.add_done_callback(_note_untidy)

    async def drain(self) -> None:
        """Wait until no call is under way."""
        for lane in list(self._lanes.values()):
            await lane.idle()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, message_id: MessageId, *, as_drafted: bool) -> Sent:
        self._known[message_id] = None
        if len(self._known) > KNOWN_IDS:
            self._known.popitem(last=False)
        return Sent(message_id, as_drafted=as_drafted)

    def _take_orphan(self, place: ChannelId, transport: Transport, draft: Draft) -> MessageId | None:
        for orphan in self._orphans.get(place, ()):
            if orphan.transport is transport and (transport is Transport.WEBHOOK or orphan.nonce == draft.nonce):
                self._orphans[place].remove(orphan)
                return orphan.message_id
        return None

    async def _search(
        self, destination: Destination, transport: Transport, draft: Draft, anchor: MessageId
    ) -> MessageId | None:
        seen = await self.outlet.recent(destination, anchor)
        known = await self.posts.known([post.message_id for post in seen])
        for post in seen:
            if post.message_id in known or post.message_id in self._known or post.transport is not transport:
                continue
            if transport is Transport.WEBHOOK or post.nonce == draft.nonce or post.text == draft.text:
                return post.message_id
        return None

    async def _unexpected(self, destination: Destination, seen: SeenPost) -> None:
        """Deal with an own message that no post under way accounts for."""
        if await self.posts.by_message(seen.message_id) is not None or seen.message_id in self._known:
            return
        intents = await self.posts.intended_in(destination.channel_id, destination.thread_id)
        if any(intent.transport is seen.transport for intent in intents):
            # A post whose answer was lost, seen before it is tried again; or one under way since this look-up began.
            self._orphans.setdefault(destination.place, []).append(seen)
            return
        _log.info("Message %s in %s is a second copy; deleting it", seen.message_id, destination.place)
        await self.lane(destination).submit(
            Priority.TEXT, lambda: self._delete_extra(destination, seen.transport, seen.message_id)
        )

    async def _delete_extra(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        self._keep(message_id, as_drafted=False)
        try:
            await self.outlet.delete(destination, transport, message_id)
        except OutletError as error:
            _log.warning("Second copy %s in %s could not be deleted: %r", message_id, destination.place, error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="unexpected echo")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("An echo could not be dealt with", exc_info=error)


def _note_untidy(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.debug("Old buttons stay where they are: %r", error)
