"""After a crash, a dropped gateway or a deploy: end what was left half done, and hear what was missed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from bot.domain.bindings import Binding, BindingState, Conversation, PauseCause
from bot.domain.failures import MARK_SIGN, Failure, FailureCause
from bot.domain.ids import GuildId, MessageId, TurnId, snowflake_at
from bot.domain.messages import BotPolicy, IncomingMessage, Silence, silence_reason
from bot.domain.persona_names import without_heading
from bot.domain.recovery import Remedy, remedy, text_of_posts
from bot.domain.turns import Post, PostKind, PostState, Transport, Turn, TurnMessage, TurnState
from bot.services.announcing import Announcer
from bot.services.binding_index import BindingIndex
from bot.services.clock import Clock
from bot.services.delivery import DELETED, Delivery, post_nonce
from bot.services.ignored_members import IgnoredMembers
from bot.services.outlet import Busy, Destination, Forbidden, OutletError, Refused, SeenPost, Uncertain
from bot.services.posting import Poster
from bot.services.relay import RelayService
from bot.services.speaking import Speaker, Stage, destination_of
from bot.services.staging import Stages
from bot.services.turn import TurnRunner
from bot.store.conversations import Conversations
from bot.store.errors import StoreError
from bot.store.posts import Posts
from bot.store.turns import Turns

_log = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE: Final = 4
LOOK_SECONDS: Final = 0.2
"""Channels looked at side by side, and how long each look lasts at the least: twenty a second, so that a start
leaves most of the 50 requests a second that a bot has (https://discord.com/developers/docs/topics/rate-limits)."""
FIRST_BACKOFF_SECONDS: Final = 1.0
LONGEST_BACKOFF_SECONDS: Final = 60.0
LOOK_AGAIN_SECONDS: Final = (1.0, 2.0, 4.0)
MISSED_CAUSE: Final = "missed"
MISSED_NOTICE: Final = (
    f"{MARK_SIGN} I was away for a while, and do not answer what was said long ago. Say it again if it still matters."
)


@dataclass(frozen=True, slots=True)
class PlaceState:
    """A channel or thread as the gateway shows it."""

    destination: Destination
    last_message_id: MessageId | None


@dataclass(frozen=True, slots=True)
class History:
    """The newest messages of a place: those of people, and the ids of all."""

    messages: tuple[IncomingMessage, ...]
    ids: frozenset[MessageId]
    edited: frozenset[MessageId] = frozenset()
    """Which of them have another text than at first."""
    complete: bool = False
    """Whether these are all that there are."""


ReadHistory = Callable[[Destination], Awaitable[History]]
"""Reads the newest 100 messages of a place. Raises an OutletError."""
PlacesOf = Callable[[GuildId], Sequence[PlaceState] | None]
"""Names the places of a server as the gateway shows them now; None while that does not describe it."""


class RecoveryService:
    """Runs once per server at a fresh start, and after every reconnect that lost events."""

    def __init__(
        self,
        *,
        index: BindingIndex,
        conversations: Conversations,
        turns: Turns,
        posts: Posts,
        poster: Poster,
        speaker: Speaker,
        stages: Stages,
        runner: TurnRunner,
        relay: RelayService,
        announcer: Announcer,
        read_history: ReadHistory,
        places_of: PlacesOf,
        ignored: IgnoredMembers,
        clock: Clock,
        bots: BotPolicy,
        catch_up_ms: int,
        known_for_ms: int,
    ) -> None:
        """Take the services it stands on.

        Messages are answered for `catch_up_ms`, and told of when they are older. Of those older than `known_for_ms`
        nobody knows any more whether they were heard, or meant to be.
        """
        self._index = index
        self._conversations = conversations
        self._turns = turns
        self._posts = posts
        self._poster = poster
        self._speaker = speaker
        self._stages = stages
        self._runner = runner
        self._relay = relay
        self._announcer = announcer
        self._read_history = read_history
        self._places_of = places_of
        self._ignored = ignored
        self._clock = clock
        self._bots = bots
        self._catch_up_ms = catch_up_ms
        self._known_for_ms = known_for_ms
        self._left: frozenset[TurnId] | None = None
        self._recovered: set[GuildId] = set()
        self._sessions: dict[GuildId, int] = {}
        self._served: dict[GuildId, int] = {}
        """The session for which a server was brought up to date, or is being so."""
        self._looking = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        relay.inbox.on_left_out = self._hear_what_was_left_out

    async def load(self) -> None:
        """Note which turns an earlier process left running; call it before anything new can begin.

        A character may be brought in, and greet, before all servers have come and the recovery runs.
        """
        self._left = frozenset(turn.id for turn in await self._turns.unfinished())

    def new_session(self, guilds: Iterable[GuildId]) -> None:
        """Let the events of servers wait, because a session has begun that knows nothing of what came before.

        A resumed session is no new one: it has replayed everything.
        """
        for guild_id in guilds:
            self._sessions[guild_id] = self._sessions.get(guild_id, 0) + 1
            self._relay.inbox.hold(guild_id)

    async def ready(self, places: Mapping[GuildId, Sequence[PlaceState]]) -> None:
        """Bring servers up to date that have just become visible: end old turns, hear what was missed, go on.

        Turns are looked after once per process; missed messages once per session. A server's events wait meanwhile,
        also for a database that takes nothing.
        """
        await self._owned(self._bring_up_to_date(places))

    async def mirror_changes(self, places: Iterable[PlaceState]) -> None:
        """Forget what was deleted while the bot was away, and take over what was edited.

        The newest 100 messages of each place tell.
        """
        await self._owned(self._mirror_changes(tuple(places)))

    async def aclose(self) -> None:
        """Cut off what is under way; the next start begins anew."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _owned(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that `aclose` can end, whoever waits for it."""
        await self._begin(work)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="recovery")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _hear_what_was_left_out(self, guild_id: GuildId) -> None:
        """Catch up with a server of which more came in than could wait."""
        self.new_session([guild_id])
        places = self._places_of(guild_id)
        # A server that is away is brought up to date when it comes back.
        if places is not None:
            self._begin(self._hear_again(guild_id, places))

    async def _hear_again(self, guild_id: GuildId, places: Sequence[PlaceState]) -> None:
        try:
            await self._bring_up_to_date({guild_id: places})
            await self._mirror_changes(places)
        except Exception:  # noqa: BLE001 - the next session tries again; the fault is logged
            _log.exception("What was left out of %s could not be heard", guild_id)

    async def _bring_up_to_date(self, places: Mapping[GuildId, Sequence[PlaceState]]) -> None:
        sessions = {
            guild_id: session
            for guild_id in places
            if (session := self._sessions.get(guild_id, 0)) != self._served.get(guild_id)
        }
        self._served.update(sessions)
        fresh = sessions.keys() - self._recovered
        self._recovered.update(fresh)
        try:
            cut = await self._insist(lambda: self._cut_turns(fresh))
            newest = await self._insist(self._turns.newest_claims)
        except BaseException:
            # Deaf is worse than having missed something; the next session tries again.
            self._recovered.difference_update(fresh)
            for guild_id in sessions:
                self._served.pop(guild_id, None)
                self._relay.inbox.release(guild_id)
            raise
        finally:
            self._poster.listen()
        self._take_up(cut)
        late: dict[GuildId, list[PlaceState]] = {}
        for guild_id, session in sessions.items():
            # A session that has begun meanwhile is brought up to date on its own.
            if self._sessions.get(guild_id, 0) != session:
                continue
            if missed := [state for state in places[guild_id] if self._heard_until(state, newest) is not None]:
                late[guild_id] = missed
            else:
                self._relay.inbox.release(guild_id)
        await asyncio.gather(*(self._catch_up(guild_id, states, newest) for guild_id, states in late.items()))
        await self._insist(lambda: self._relay.resume_waiting(sessions))

    async def _mirror_changes(self, places: Sequence[PlaceState]) -> None:
        claimed = await self._insist(self._turns.newest_claims)
        for state in places:
            if state.destination.place in claimed:
                await self._insist(partial(self._mirror_changes_in, state.destination))

    async def _mirror_changes_in(self, destination: Destination) -> None:
        kept = await self._turns.kept_in(destination.place)
        shown = await self._posts.replies_in(destination.place)
        if not kept and not shown:
            return
        try:
            history = await self._look(destination)
        except OutletError as error:
            _log.info("What changed in %s cannot be looked up: %r", destination.place, error)
            return
        await self._take_over_edits(kept, history)
        oldest = 0 if history.complete else min(history.ids, default=None)
        if oldest is not None:
            said = [message.message_id for message in kept]
            gone = {message_id for message_id in (*said, *shown) if message_id >= oldest} - history.ids
            await self._erase([message_id for message_id in said if message_id in gone], gone.intersection(shown))

    async def _take_over_edits(self, kept: Iterable[TurnMessage], history: History) -> None:
        said = {message.id: message.said for message in history.messages if message.id in history.edited}
        for message in kept:
            # Without the message-content intent a history has no texts.
            text = said.get(message.message_id)
            if text and text != message.text and not self._ignored.is_ignored(message.author_id):
                await self._turns.correct(message, text)

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something, again and again while the database takes nothing."""
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                return await work()
            except StoreError as error:
                _log.warning("The recovery waits for the database: %s; trying again in %.0f s", error, backoff)
                await self._clock.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)

    async def _erase(self, messages: Iterable[MessageId], replies: Iterable[MessageId]) -> None:
        await self._turns.erase(messages)
        for message_id in replies:
            post = await self._posts.gone(message_id)
            if post is not None:
                await self._turns.erase_reply(post.turn_id)

    async def _look(self, destination: Destination) -> History:
        async with self._looking:
            history = await self._read_history(destination)
            await self._clock.sleep(LOOK_SECONDS)
            return history

    # Turns

    async def _cut_turns(self, guilds: Collection[GuildId]) -> list[tuple[TurnId, Conversation]]:
        """Return the turns of some servers that a stop cut."""
        found: list[tuple[TurnId, Conversation]] = []
        for turn in await self._turns.unfinished():
            if self._left is not None and turn.id not in self._left:
                continue
            conversation = await self._conversations.get(turn.conversation_id)
            if conversation is not None and conversation.guild_id in guilds:
                found.append((turn.id, conversation))
        return found

    def _take_up(self, cut: Iterable[tuple[TurnId, Conversation]]) -> None:
        """Leave each of these turns to the worker of its conversation: nothing new can come before it."""
        for turn_id, conversation in cut:
            self._poster.expect(destination_of(conversation), turn_id)
            self._relay.take_up(conversation, self._ending(turn_id, conversation))

    def _ending(self, turn_id: TurnId, conversation: Conversation) -> Callable[[], Awaitable[None]]:
        return lambda: self._end_turn(turn_id, conversation)

    async def _end_turn(self, turn_id: TurnId, conversation: Conversation) -> None:
        await self._stages.loaded(conversation)
        try:
            await self._look_after(turn_id, conversation)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - it would fail again, and hold the conversation up; it is logged
            turn, binding = await self._turns.get(turn_id), self._index.get(conversation.channel_id)
            if turn is not None and turn.state is TurnState.RUNNING and binding is not None:
                await self._runner.fail_unexpectedly(turn, binding, conversation, error)

    async def _look_after(self, turn_id: TurnId, conversation: Conversation) -> None:
        try:
            turn = await self._turns.get(turn_id)
            if turn is None or turn.state is not TurnState.RUNNING:
                return
            binding = self._index.get(conversation.channel_id)
            stage = None
            if binding is not None and binding.id == conversation.binding_id:
                stage = self._stages.of(binding, conversation, turn)
            if stage is None:
                await self._give_up(turn_id)
                return
            posts, texts = await self._reconciled(turn, stage)
        except OutletError as error:
            _log.warning("Turn %s cannot be looked after: %r", turn_id, error)
            await self._give_up(turn_id)
            return
        finally:
            self._poster.reconciled(destination_of(conversation), turn_id)
        await self._remedy(turn, stage, posts, texts)

    async def _give_up(self, turn_id: TurnId) -> None:
        await self._turns.finish(turn_id, TurnState.FAILED, cause="cannot_speak", now_ms=self._clock.now_ms())

    async def _reconciled(self, turn: Turn, stage: Stage) -> tuple[list[Post], dict[MessageId, str]]:
        """Return a turn's posts as Discord has them, and their texts. Raises Forbidden or Gone."""
        texts: dict[MessageId, str] = {}
        posts = await self._posts.of_turn(turn.id)
        backoff = FIRST_BACKOFF_SECONDS
        while posts:
            try:
                async with self._looking:
                    texts = await self._poster.reconcile(
                        stage.destination,
                        posts,
                        stage.anchor(turn),
                        lambda post, seen: _is_bot_post(post, seen, turn.attempts, stage.persona.name),
                    )
            except (Busy, Uncertain) as error:
                _log.warning("Turn %s cannot be looked after yet: %r", turn.id, error)
                await self._clock.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
            else:
                return await self._posts.of_turn(turn.id), texts
        return posts, texts

    async def _remedy(self, turn: Turn, stage: Stage, posts: list[Post], texts: dict[MessageId, str]) -> None:
        replies = [post for post in posts if post.kind is PostKind.REPLY]
        if replies and all(post.state is PostState.DELETED for post in replies):
            await self._turns.finish(turn.id, TurnState.FAILED, cause=DELETED, now_ms=self._clock.now_ms())
            return
        version = await self._turns.latest_version(turn.id)
        age_ms = self._clock.now_ms() - turn.created_at_ms
        choice = remedy(turn.kind, version, visible=bool(replies), age_ms=age_ms, attempts=turn.attempts)
        _log.info("Turn %s was left running: %s", turn.id, choice.value)
        if choice is Remedy.RUN_AGAIN:
            again = await self._turns.run_again(turn.id, now_ms=self._clock.now_ms())
            if again is not None:
                await self._relay.run(stage.conversation, again)
            return
        if any(post.kind is PostKind.MARK for post in posts) and choice is not Remedy.MARK_FAILED:
            await self._speaker.note(turn, stage, posts).take_back()
        delivery = self._speaker.reply(turn, stage, posts)
        if choice is Remedy.DELIVER and version is not None and version.text is not None:
            # It may be long ago that the gate was asked.
            cause = await self._stages.obstacle(stage)
            if cause is None:
                await self._speaker.complete(turn, stage, delivery, version.text, outcome=None)
            else:
                await self._take_back(turn, stage, delivery, cause)
            return
        text = text_of_posts(
            without_heading(shown, stage.persona.name) if post.transport is Transport.BOT else shown
            for post in replies
            if post.message_id is not None and (shown := texts.get(post.message_id))
        )
        text = text or (version.text if version else None) or ""
        await self._speaker.fail(turn, stage, delivery, Failure(FailureCause.RESTARTED), text=text)

    async def _take_back(self, turn: Turn, stage: Stage, delivery: Delivery, cause: PauseCause) -> None:
        """End a turn whose character may not speak any more; what can be seen of it goes."""
        try:
            await delivery.take_back()
        except (Forbidden, Refused) as error:
            _log.warning("Turn %s: what may not be shown could not be taken back: %r", turn.id, error)
        await self._runner.pause(turn, stage, cause)

    # Missed messages

    async def _catch_up(self, guild_id: GuildId, states: Sequence[PlaceState], newest: dict[int, int]) -> None:
        session = self._sessions.get(guild_id)
        try:
            await asyncio.gather(*(self._catch_up_place(state, newest) for state in states))
        finally:
            # A session that has begun meanwhile brings a catch-up of its own.
            if self._sessions.get(guild_id) == session:
                self._relay.inbox.release(guild_id)

    def _heard_until(self, state: PlaceState, newest: Mapping[int, int]) -> int | None:
        """Return the last message that a place needs no answer to; None where nothing can have been missed."""
        binding = self._index.get(state.destination.channel_id)
        if binding is None or binding.state is not BindingState.ACTIVE or state.last_message_id is None:
            return None
        forgotten = snowflake_at(self._clock.now_ms() - self._known_for_ms)
        heard = max(newest.get(state.destination.place, 0), binding.active_from, forgotten)
        return heard if state.last_message_id > heard else None

    async def _catch_up_place(self, state: PlaceState, newest: dict[int, int]) -> None:
        try:
            await self._hear_missed(state, newest)
        except Exception:  # noqa: BLE001 - other places, and what waits, must not pay for it; the fault is logged
            _log.exception("What was missed in %s could not be heard", state.destination.place)

    async def _hear_missed(self, state: PlaceState, newest: dict[int, int]) -> None:
        destination = state.destination
        binding = self._index.get(destination.channel_id)
        heard = self._heard_until(state, newest)
        if binding is None or heard is None:
            return
        history = await self._look_insistently(destination)
        if history is None:
            await self._tell_missed(destination)
            return
        missed = [message for message in history.messages if message.id > heard]
        horizon = snowflake_at(self._clock.now_ms() - self._catch_up_ms)
        recent = [message for message in missed if message.id >= horizon]
        if recent:
            _log.info("Hearing %d missed messages in %s", len(recent), destination.place)
            self._relay.inbox.put_missed(destination.guild_id, destination.place, recent)
        old = [message for message in missed if message.id < horizon and self._silence(message, binding) is None]
        if old:
            await self._insist(lambda: self._relay.pass_over(binding, destination.place, old))
            await self._tell_missed(destination)

    async def _tell_missed(self, destination: Destination) -> None:
        await self._insist(lambda: self._announcer.announce(destination, MISSED_CAUSE, MISSED_NOTICE))

    def _silence(self, message: IncomingMessage, binding: Binding) -> Silence | None:
        return silence_reason(
            message,
            binding,
            ignored=self._ignored.is_ignored(message.author_id),
            was_ignored=self._ignored.was_ignored(message.author_id, message.id),
            bots=self._bots,
        )

    async def _look_insistently(self, destination: Destination) -> History | None:
        """Read a place although Discord fails now and then; None when it goes on failing, or may not be read."""
        waits = list(LOOK_AGAIN_SECONDS)
        while True:
            try:
                return await self._look(destination)
            except OutletError as error:
                _log.warning("What was missed in %s cannot be read: %r", destination.place, error)
                if not waits or not isinstance(error, (Busy, Uncertain)):
                    return None
                await self._clock.sleep(waits.pop(0))


def _is_bot_post(post: Post, seen: SeenPost, attempt: int, name: str) -> bool:
    """Tell a turn's mark or reply from the bot's other messages: by its nonce, else by how it begins.

    A reply in the voice that the bot lends begins with the character's name.
    """
    if seen.nonce is not None:
        return seen.nonce == post_nonce(post.turn_id, attempt, post.kind, post.number)
    if post.kind is PostKind.MARK:
        return seen.text.startswith(MARK_SIGN)
    return without_heading(seen.text, name) != seen.text
