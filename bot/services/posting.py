"""Sending a message once, though an answer may be lost, doubled or late.

Webhooks know no idempotency key. What can be done instead: calls of a channel run one at a time, so an own
message that appears meanwhile and is not known is the one under way, unless it reads like a lost one of another turn.
The first to appear is kept, every further copy is deleted. discord.py posts again by itself after a 5xx, so a second
copy is ordinary.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.ids import ChannelId, MessageId, TurnId
from bot.domain.persona_names import headed
from bot.domain.turns import Post, PostState, Transport
from bot.services.clock import Clock
from bot.services.lanes import Lane, Priority
from bot.services.outlet import Destination, Draft, Outlet, OutletError, SeenPost, Uncertain
from bot.store.posts import Posts

_log = logging.getLogger(__name__)

KNOWN_IDS: Final = 4096
"""How many own message ids are remembered: of echoes that say nothing new, and of deletions that are ours."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The message that stands for a post."""

    message_id: MessageId
    as_drafted: bool
    """False where an earlier copy was kept, whose text may be another."""


@dataclass(slots=True)
class _Flight:
    """One post of a turn, from its first try until it stands or is given up."""

    transport: Transport
    nonce: str | None
    texts: set[str] = field(default_factory=set[str])
    """What was tried: a preview may have grown between two tries."""
    under_way: bool = False
    adopted: MessageId | None = None
    extras: list[MessageId] = field(default_factory=list[MessageId])

    def may_be(self, seen: SeenPost) -> bool:
        """Tell whether a message that turned up can be this post."""
        if seen.transport is not self.transport:
            return False
        return self.transport is not Transport.BOT or self.nonce in (None, seen.nonce)

    def likeness(self, seen: SeenPost) -> tuple[bool, bool, bool]:
        """Tell how much speaks for a message being this post, and not one of another turn in the place."""
        return seen.message_id in (self.adopted, *self.extras), seen.text in self.texts, self.under_way

    def adopt(self, message_id: MessageId) -> None:
        """Take the first message as the post, and every further one as a copy too many."""
        if self.adopted is None:
            self.adopted = message_id
        elif message_id not in (self.adopted, *self.extras):
            self.extras.append(message_id)


class Poster:
    """All posts of this process: their lanes, their echoes, and what became of lost ones."""

    def __init__(self, outlet: Outlet, posts: Posts, clock: Clock, *, preview_interval_seconds: float) -> None:
        self.outlet = outlet
        self.posts = posts
        self.clock = clock
        self._interval = preview_interval_seconds
        self._lanes: dict[ChannelId, Lane] = {}
        self._flights: dict[ChannelId, dict[TurnId, _Flight]] = {}
        """By place: a turn may outlive the one that stops it, and then two of them post there."""
        self._known: OrderedDict[MessageId, None] = OrderedDict()
        self._removed: OrderedDict[MessageId, None] = OrderedDict()
        self._deleted: OrderedDict[MessageId, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = False
        self._closed = False
        self._expected: dict[ChannelId, set[TurnId]] = {}
        self._early: deque[tuple[Destination, SeenPost]] = deque(maxlen=KNOWN_IDS)

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
            if self._closed:
                lane.close()
        return lane

    async def send(
        self, destination: Destination, turn_id: TurnId, transport: Transport, draft: Draft, anchor: MessageId
    ) -> Sent:
        """Post a message of a turn whose intent is written down; call it from within the channel's lane only.

        `anchor` is any message older than the post. Raises an OutletError; Uncertain only after the place was
        searched for the message in vain.
        """
        flight = self._flight(destination, turn_id, transport, draft)
        answered = None
        if flight.adopted is None:
            answered = await self._post(destination, transport, draft, anchor, flight)
        if answered is not None:
            flight.adopt(answered)
        kept = flight.adopted
        assert kept is not None
        self._keep(kept)
        self._land(destination, turn_id)
        for extra in flight.extras:
            await self._delete_extra(destination, transport, extra)
        return Sent(kept, as_drafted=kept == answered)

    def _flight(self, destination: Destination, turn_id: TurnId, transport: Transport, draft: Draft) -> _Flight:
        """Return the post's flight: where it was tried before, something of it may have turned up since."""
        flight = self._flights.get(destination.place, {}).get(turn_id)
        if flight is None or (flight.transport, flight.nonce) != (transport, draft.nonce):
            self.settle(destination, turn_id)
            flight = _Flight(transport, draft.nonce)
            self._flights.setdefault(destination.place, {})[turn_id] = flight
        flight.texts.add(_text_on_show(transport, draft))
        return flight

    def _land(self, destination: Destination, turn_id: TurnId) -> _Flight | None:
        """Take a turn's flight out, if there is one."""
        flights = self._flights.get(destination.place, {})
        flight = flights.pop(turn_id, None)
        if not flights:
            self._flights.pop(destination.place, None)
        return flight

    async def _post(
        self, destination: Destination, transport: Transport, draft: Draft, anchor: MessageId, flight: _Flight
    ) -> MessageId | None:
        """Post, and return the id that was answered; None where the flight has a message without an answer."""
        flight.under_way = True
        try:
            return await self.outlet.post(destination, transport, draft)
        except OutletError as error:
            if flight.adopted is None and isinstance(error, Uncertain):
                found = await self._search(destination, transport, draft, anchor, flight)
                if found is not None:
                    flight.adopt(found)
            if flight.adopted is None:
                raise
            return None
        finally:
            flight.under_way = False

    async def remove(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Delete a message of ours; call it from within the channel's lane only. Raises an OutletError."""
        _remember(self._removed, message_id)
        await self.outlet.delete(destination, transport, message_id)

    def was_removed(self, message_id: MessageId) -> bool:
        """Tell whether a message's deletion is this program's own doing."""
        return message_id in self._removed

    def note_deletions(self, message_ids: Iterable[MessageId]) -> list[MessageId]:
        """Take note of messages that are gone, and return those whose deletion is not this program's own doing."""
        theirs = [message_id for message_id in message_ids if not self.was_removed(message_id)]
        for message_id in theirs:
            _remember(self._deleted, message_id)
        return theirs

    def was_deleted(self, message_id: MessageId) -> bool:
        """Tell whether somebody else deleted a message lately."""
        return message_id in self._deleted

    def settle(self, destination: Destination, turn_id: TurnId) -> None:
        """Take note that a turn's posts stand or are given up: what turned up of one given up is deleted."""
        flight = self._land(destination, turn_id)
        if flight is not None and flight.adopted is not None:
            for message_id in (flight.adopted, *flight.extras):
                self._start(self._delete_in_lane(destination, flight.transport, message_id))

    def listen(self) -> None:
        """Begin to act on echoes of posts that are not under way; until then the recovery looks for itself."""
        self._listening = True
        self._look_at_early(None)

    def seen(self, destination: Destination, seen: SeenPost) -> None:
        """Take note of an own message that the gateway shows."""
        if seen.message_id in self._known or self._taken(destination, seen):
            return
        if seen.transport is Transport.BOT and seen.nonce is None:
            return
        if self._listening:
            self._start(self._unexpected(destination, seen))
        else:
            self._early.append((destination, seen))

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
                    if stranger.message_id not in self._known
                    and stranger.transport is post.transport
                    and (stranger.transport is Transport.WEBHOOK or is_bot_post(post, stranger))
                ),
                None,
            )
            if match is None:
                await self.posts.withdraw(post.id)
            else:
                # At once: its echo may be looked at just now.
                self._keep(match.message_id)
                await self.posts.posted(post.id, match.message_id)
        unclaimed = [
            stranger
            for stranger in strangers
            if stranger.transport is Transport.WEBHOOK and stranger.message_id not in self._known
        ]
        # While other turns of the place are to be reconciled, these may be theirs.
        if len(self._expected.get(destination.place, ())) <= 1:
            for stranger in unclaimed:
                await self._delete_in_lane(destination, stranger.transport, stranger.message_id)
        return texts

    def expect(self, destination: Destination, turn_id: TurnId) -> None:
        """Take note that a turn of a place was cut by a stop, and that its posts are still to be reconciled."""
        self._expected.setdefault(destination.place, set()).add(turn_id)

    def reconciled(self, destination: Destination, turn_id: TurnId) -> None:
        """Take note that such a turn has been looked after."""
        expected = self._expected.get(destination.place, set())
        expected.discard(turn_id)
        if not expected:
            self._expected.pop(destination.place, None)
            self._look_at_early(destination.place)

    def tidy(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Take the buttons off an old message when nothing else wants the channel's calls."""
        done = self.lane(destination).submit(
            Priority.HOUSEKEEPING, lambda: self._bare(destination, transport, message_id)
        )
        done.add_done_callback(_note_untidy)

    async def _bare(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        # A mark that was taken back, or a reply that somebody deleted, has no buttons left.
        if await self.posts.stands(message_id):
            await self.outlet.bare(destination, transport, message_id)

    async def aclose(self) -> None:
        """Cut off every call under way, and let no other begin: only where the process ends."""
        self._closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(lane.aclose() for lane in self._lanes.values()), *tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Wait until no call is under way."""
        for lane in list(self._lanes.values()):
            await lane.idle()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look_at_early(self, place: ChannelId | None) -> None:
        """Look again at what turned up before its time, in one place or everywhere."""
        for _ in range(len(self._early)):
            destination, seen = self._early.popleft()
            if place in (None, destination.place):
                self._start(self._unexpected(destination, seen))
            else:
                self._early.append((destination, seen))

    def _keep(self, message_id: MessageId) -> None:
        _remember(self._known, message_id)

    def _taken(self, destination: Destination, seen: SeenPost) -> bool:
        flight = self._flight_of(destination, seen)
        if flight is not None:
            flight.adopt(seen.message_id)
        return flight is not None

    def _flight_of(self, destination: Destination, seen: SeenPost) -> _Flight | None:
        """Return the flight that a message of the place is likeliest to be; None where it can be none of them."""
        flights = [flight for flight in self._flights.get(destination.place, {}).values() if flight.may_be(seen)]
        return max(flights, key=lambda flight: flight.likeness(seen), default=None)

    async def _search(
        self, destination: Destination, transport: Transport, draft: Draft, anchor: MessageId, flight: _Flight
    ) -> MessageId | None:
        try:
            seen = await self.outlet.recent(destination, anchor)
        except OutletError as error:
            _log.info("What stands in %s cannot be looked up: %r", destination.place, error)
            return None
        known = await self.posts.known([post.message_id for post in seen])
        for post in seen:
            if post.message_id in known or post.message_id in self._known or post.transport is not transport:
                continue
            # Discord does not promise the nonce in a history.
            same = _text_on_show(transport, draft) if post.nonce is None else draft.nonce
            if transport is Transport.WEBHOOK or same == (post.text if post.nonce is None else post.nonce):
                # Another turn may have lost one here, too.
                likeliest = self._flight_of(destination, post)
                if likeliest is None or likeliest is flight:
                    return post.message_id
        return None

    async def _unexpected(self, destination: Destination, seen: SeenPost) -> None:
        """Delete an own message that no post accounts for: a second copy, or one that came too late."""
        if await self.posts.by_message(seen.message_id) is not None or seen.message_id in self._known:
            return
        if self._taken(destination, seen):
            return
        if destination.place in self._expected:
            # A turn that a stop cut and that is still to be reconciled may find the message by itself.
            self._early.append((destination, seen))
        elif seen.message_id not in self._known:
            await self._delete_in_lane(destination, seen.transport, seen.message_id)

    async def _delete_in_lane(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        _log.info("Message %s in %s is a second copy; deleting it", message_id, destination.place)
        self._keep(message_id)
        await self.lane(destination).submit(
            Priority.TEXT, lambda: self._delete_extra(destination, transport, message_id)
        )

    async def _delete_extra(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        self._keep(message_id)
        try:
            await self.remove(destination, transport, message_id)
        except OutletError as error:
            _log.warning("Second copy %s in %s could not be deleted: %r", message_id, destination.place, error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(work, name="unexpected echo")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("An echo could not be dealt with", exc_info=error)


def _text_on_show(transport: Transport, draft: Draft) -> str:
    """Return what a message says once it stands: where the bot speaks for a character, the name is above."""
    if transport is Transport.WEBHOOK or draft.persona is None:
        return draft.text
    return headed(draft.text, draft.persona.name)


def _remember(ids: OrderedDict[MessageId, None], message_id: MessageId) -> None:
    ids[message_id] = None
    if len(ids) > KNOWN_IDS:
        ids.popitem(last=False)


def _note_untidy(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.debug("Old buttons stay where they are: %r", error)
