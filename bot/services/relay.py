"""From a message on Discord to a turn in the queue, and from the queue to the turn runner."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.bindings import Binding, BindingState, Conversation, Scope
from bot.domain.failures import FailureCause, refusal_sentence
from bot.domain.ids import BindingId, ChannelId, CharacterRef, ConversationId, GuildId, MessageId, TurnId, UserId
from bot.domain.messages import Author, BotPolicy, IncomingMessage, Silence, names_of_people, silence_reason
from bot.domain.payers import paying_member
from bot.domain.turns import AdmissionLimits, Admitted, Arrival, Refusal, Turn, TurnKind, TurnState
from bot.errors import UserError
from bot.services.announcing import Announcer
from bot.services.binding_book import BindingBook
from bot.services.binding_index import BindingIndex
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.clock import Clock
from bot.services.ignored_members import IgnoredMembers
from bot.services.inbox import Event, Inbox, MessageEdited, MessagesDeleted, ThreadDeleted
from bot.services.outlet import Forbidden, Gone
from bot.services.speaking import PAUSED, UNBOUND, destination_of
from bot.services.turn import Readers, TurnRunner
from bot.store.conversations import Conversations
from bot.store.posts import Posts
from bot.store.turns import Turns

_log = logging.getLogger(__name__)

MS_PER_DAY: Final = 86_400_000
FIRST_BACKOFF_SECONDS: Final = 1.0
LONGEST_BACKOFF_SECONDS: Final = 60.0
MISSED: Final = "missed"
"""The stored cause of messages that came while the bot was away, too long ago to be answered."""
IN_USE_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """What the operator may set about which messages are let in."""

    limits: AdmissionLimits = field(default_factory=lambda: AdmissionLimits(20, 200, 2_000))
    bots: BotPolicy = field(default_factory=BotPolicy)


class RelayService:
    """Takes messages in, keeps one worker per conversation that has work, and ends with nothing half done."""

    def __init__(
        self,
        *,
        index: BindingIndex,
        book: BindingBook,
        upkeep: BindingUpkeep,
        conversations: Conversations,
        turns: Turns,
        posts: Posts,
        runner: TurnRunner,
        readers: Readers,
        announcer: Announcer,
        ignored: IgnoredMembers,
        parent_of: Callable[[ChannelId], Awaitable[ChannelId | None]],
        note_deletions: Callable[[Sequence[MessageId]], list[MessageId]],
        clock: Clock,
        settings: RelaySettings,
    ) -> None:
        """Take the services it stands on.

        `parent_of` asks Discord for the channel of a thread, and says None for a place that is no thread; raises an
        OutletError. `note_deletions` tells whatever speaks of deleted messages, and returns those that the program did
        not delete itself.
        """
        self._index = index
        self._book = book
        self._upkeep = upkeep
        self._conversations = conversations
        self._turns = turns
        self._posts = posts
        self._runner = runner
        self._readers = readers
        self._announcer = announcer
        self._ignored = ignored
        self._parent_of = parent_of
        self._note_deletions = note_deletions
        self._clock = clock
        self._settings = settings
        self.inbox = Inbox(self._handle, clock)
        self._parents: dict[ChannelId, ChannelId | None] = {}
        self._workers: dict[ConversationId, asyncio.Task[None]] = {}
        self._awake: set[ConversationId] = set()
        self._first: dict[ConversationId, deque[Callable[[], Awaitable[None]]]] = {}
        self._begun: dict[ConversationId, Turn] = {}
        """Turns that run already, for the worker that is about to look."""
        self._untold: dict[BindingId, list[asyncio.Event]] = {}
        """Bindings whose channel is still to be told of them, and what ends the wait."""
        self._spoke_at: dict[CharacterRef, float] = {}
        self._stopping = False

    # Coming in. Nothing here waits: what is decided before the first await keeps the order of the events.

    def accept(self, message: IncomingMessage) -> None:
        """Take a message that the gateway shows."""
        if message.author is Author.SELF or self._stopping:
            return
        if self.concerns(message.channel_id, message.parent_id, in_thread=message.in_thread):
            self.inbox.put(message.guild_id, message.channel_id, message)

    def edited(self, message: IncomingMessage) -> None:
        """Take the new text of a message."""
        if self.concerns(message.channel_id, message.parent_id, in_thread=message.in_thread):
            self.inbox.put(message.guild_id, message.channel_id, MessageEdited(message))

    def deleted(
        self,
        guild_id: GuildId,
        channel_id: ChannelId,
        parent_id: ChannelId | None,
        ids: Sequence[MessageId],
        *,
        in_thread: bool | None = None,
    ) -> None:
        """Take note that messages were deleted, ours or others'; `in_thread` is None where nobody knows."""
        if self.concerns(channel_id, parent_id, in_thread=in_thread):
            self.inbox.put(guild_id, channel_id, MessagesDeleted(guild_id, channel_id, tuple(ids)))

    def thread_deleted(self, guild_id: GuildId, thread_id: ChannelId, parent_id: ChannelId) -> None:
        """Take note that a thread was deleted, with all that was said in it."""
        if self._index.get(parent_id) is not None:
            self.inbox.put(guild_id, thread_id, ThreadDeleted(thread_id))

    def concerns(self, channel_id: ChannelId, parent_id: ChannelId | None, *, in_thread: bool | None) -> bool:
        """Tell whether what happens in a place can matter; True where that takes more than a look into memory.

        Most of what the gateway sends is talk of others, so this is asked before anything else is done with it.
        """
        if self._index.get(channel_id) is not None:
            return True
        if parent_id is None:
            parent_id = self._parents.get(channel_id)
        if parent_id is not None:
            return self._index.get(parent_id) is not None
        return in_thread is not False and len(self._index) > 0

    async def _handle(self, place: ChannelId, events: Sequence[Event]) -> None:
        pending: list[IncomingMessage] = []
        for event in events:
            if isinstance(event, IncomingMessage):
                pending.append(event)
                continue
            await self._admit(place, pending)
            pending = []
            if isinstance(event, MessageEdited):
                await self._rewrite(event.message)
            elif isinstance(event, MessagesDeleted):
                await self._erase(event)
            else:
                await self._forget(event.thread_id)
        await self._admit(place, pending)

    async def _channel_of(self, message: IncomingMessage) -> ChannelId:
        if message.in_thread is False or self._index.get(message.channel_id) is not None:
            return message.channel_id
        if message.parent_id is not None:
            return message.parent_id
        if message.channel_id not in self._parents:
            try:
                self._parents[message.channel_id] = await self._parent_of(message.channel_id)
            except (Gone, Forbidden) as error:
                _log.info("The channel of %s cannot be looked up: %r", message.channel_id, error)
                return message.channel_id
        return self._parents[message.channel_id] or message.channel_id

    async def _admit(self, place: ChannelId, messages: Sequence[IncomingMessage]) -> None:
        """Decide on messages of one place, and claim the ones that will be answered."""
        if not messages:
            return
        channel_id = await self._channel_of(messages[0])
        binding = self._index.get(channel_id)
        if binding is None:
            return
        binding = await self._book.met(binding, names_of_people(messages))
        arrivals: list[Arrival] = []
        for message in messages:
            silence = await self._silence(message, binding)
            if silence is None:
                arrivals.append(_arrival(message))
            elif silence is Silence.PAUSED:
                woken = await self._upkeep.paused_message(binding, message.id)
                binding = woken or binding
                if woken is not None and await self._silence(message, woken) is None:
                    arrivals.append(_arrival(message))
        if not arrivals:
            return
        conversation = await self._conversation(binding, place, channel_id)
        arrivals = [arrival for arrival in arrivals if arrival.message_id > conversation.starts_after]
        now_ms = self._clock.now_ms()
        day_start_ms = now_ms - now_ms % MS_PER_DAY
        if conversation.id in self._workers or binding.id in self._untold or self._stopping:
            results = await self._turns.admit(
                conversation.id, arrivals, self._settings.limits, now_ms=now_ms, day_start_ms=day_start_ms
            )
        else:
            results, turn = await self._turns.admit_and_begin(
                conversation.id,
                arrivals,
                self._settings.limits,
                binding.payer,
                now_ms=now_ms,
                day_start_ms=day_start_ms,
            )
            if turn is not None:
                self._begun[conversation.id] = turn
        if Admitted.CLAIMED in results:
            self.wake(conversation)
        for refused in sorted({result for result in results if isinstance(result, Refusal)}, key=lambda r: r.value):
            text = refusal_sentence(refused, day_ends_at_s=(day_start_ms + MS_PER_DAY) // 1_000)
            await self._announcer.announce(destination_of(conversation), refused.value, text)

    async def _silence(self, message: IncomingMessage, binding: Binding) -> Silence | None:
        bot_turns = 0
        if message.author is not Author.MEMBER and message.author_id in self._settings.bots.answered_ids:
            bot_turns = await self._bot_turns(message, binding)
        return silence_reason(
            message,
            binding,
            ignored=self._ignored.is_ignored(message.author_id),
            was_ignored=self._ignored.was_ignored(message.author_id, message.id),
            bots=self._settings.bots,
            bot_turns_so_far=bot_turns,
        )

    async def _bot_turns(self, message: IncomingMessage, binding: Binding) -> int:
        """Count how many messages of allowed bots stand behind the last one of a member."""
        conversation = await self._conversation(binding, message.channel_id, binding.channel_id)
        bots = self._settings.bots
        return bots.turns_so_far(await self._turns.last_authors(conversation.id, bots.turns_in_a_row))

    async def _conversation(self, binding: Binding, place: ChannelId, channel_id: ChannelId) -> Conversation:
        scope = Scope.ROOM if place == channel_id else Scope.THREAD
        return await self._conversations.get_or_create(binding, scope, place, self._clock.now_ms())

    async def pass_over(self, binding: Binding, place: ChannelId, messages: Sequence[IncomingMessage]) -> None:
        """Claim messages that are too old to be answered, so that nobody is told of them twice."""
        conversation = await self._conversation(binding, place, binding.channel_id)
        await self._turns.pass_over(
            conversation.id, [_arrival(message) for message in messages], MISSED, now_ms=self._clock.now_ms()
        )

    async def _rewrite(self, message: IncomingMessage) -> None:
        if not message.said or self._ignored.is_ignored(message.author_id):
            return
        await self._turns.rewrite(message.id, message.author_name, message.said)

    async def _erase(self, event: MessagesDeleted) -> None:
        # A post that gives way to another is no word taken back. Whoever is still writing hears of one that is, before
        # its text is dropped: it would write the text down again.
        theirs = self._note_deletions(event.ids)
        await self._turns.erase(event.ids)
        for message_id in await self._posts.known(theirs):
            post = await self._posts.gone(message_id)
            if post is not None:
                await self._turns.erase_reply(post.turn_id)

    async def _forget(self, thread_id: ChannelId) -> None:
        for conversation in await self._conversations.in_place(thread_id):
            # Forgotten first and stopped after: between the two, nothing that waits can begin.
            await self._conversations.forget(conversation.id)
            await self._readers.stop(conversation.id)

    # Working through the queue.

    def wake(self, conversation: Conversation) -> None:
        """Let a conversation's worker look at its queue."""
        self._awake.add(conversation.id)
        if conversation.id not in self._workers and not self._stopping:
            task = asyncio.create_task(self._work(conversation), name=f"worker of {conversation.id}")
            self._workers[conversation.id] = task

    def hold(self, binding: Binding) -> Callable[[], None]:
        """Let nothing be said for a binding until the returned function is called: its channel is being told of it.

        Messages are claimed meanwhile.
        """
        told = asyncio.Event()
        self._untold.setdefault(binding.id, []).append(told)

        def release() -> None:
            waits = self._untold.get(binding.id, [])
            if told in waits:
                waits.remove(told)
                told.set()
            if not waits:
                self._untold.pop(binding.id, None)

        return release

    def greet(self, conversation: Conversation, text: str) -> None:
        """Let the character of a conversation say its first words, before it answers anything more."""
        self.take_up(conversation, lambda: self._greet(conversation, text))

    def take_up(self, conversation: Conversation, work: Callable[[], Awaitable[None]]) -> None:
        """Let a conversation's worker do something before it looks at its queue; again, should it raise."""
        self._first.setdefault(conversation.id, deque()).append(work)
        self.wake(conversation)

    async def _work(self, conversation: Conversation) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        try:
            while conversation.id in self._awake and not self._stopping:
                self._awake.discard(conversation.id)
                try:
                    await self._work_through(conversation)
                except Exception:  # noqa: BLE001 - a conversation must not fall silent for good; the fault is logged
                    _log.exception("Conversation %s stumbled; trying again in %.0f s", conversation.id, backoff)
                    self._awake.add(conversation.id)
                    await self._clock.sleep(backoff)
                    backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        finally:
            del self._workers[conversation.id]

    async def _work_through(self, conversation: Conversation) -> None:
        while True:
            await self._do_first(conversation)
            if self._stopping or (turn := await self._next(conversation)) is None:
                return
            await self.run(conversation, turn)
            # A turn run again may have stood before messages that wait; a new one took them all.
            if turn.attempts == 1 and conversation.id not in self._awake:
                return
            self._awake.discard(conversation.id)

    async def _do_first(self, conversation: Conversation) -> None:
        """Do what comes before the queue, once the channel was told who speaks there."""
        while waits := self._untold.get(conversation.binding_id):
            await waits[0].wait()
        first = self._first.setdefault(conversation.id, deque())
        while first:
            await first[0]()
            first.popleft()
        del self._first[conversation.id]

    async def _greet(self, conversation: Conversation, text: str) -> None:
        binding = self._live_binding(conversation)
        if binding is None or binding.state is not BindingState.ACTIVE:
            return
        turn = await self._turns.begin_greeting(conversation.id, binding.payer, text, now_ms=self._clock.now_ms())
        try:
            await self.run(conversation, turn)
        except Exception:  # noqa: BLE001 - it is not to be begun a second time; its end is what comes next
            _log.exception("Turn %s could not be ended", turn.id)

    def _live_binding(self, conversation: Conversation) -> Binding | None:
        """Return the binding of a conversation, unless another took its place or its channel has none any more."""
        binding = self._index.get(conversation.channel_id)
        return binding if binding is not None and binding.id == conversation.binding_id else None

    async def _next(self, conversation: Conversation) -> Turn | None:
        if (begun := self._begun.pop(conversation.id, None)) is not None:
            return begun
        binding = self._live_binding(conversation)
        if binding is None or binding.state is not BindingState.ACTIVE:
            await self._turns.drop_waiting(conversation.id, UNBOUND if binding is None else PAUSED)
            return None
        return await self._turns.begin(conversation.id, binding.payer, now_ms=self._clock.now_ms())

    async def run(self, conversation: Conversation, turn: Turn) -> None:
        """Bring a running turn to its end; call it from the conversation's worker only."""
        try:
            await self._run(conversation, turn)
        except Exception:
            # Not even its end could be written down. While it counts as running, nothing else of the conversation does.
            self._first.setdefault(conversation.id, deque()).append(lambda: self._abandon(conversation, turn))
            raise

    async def _run(self, conversation: Conversation, turn: Turn) -> None:
        binding = self._live_binding(conversation)
        if binding is None:
            await self._turns.finish(turn.id, TurnState.DROPPED, cause=UNBOUND, now_ms=self._clock.now_ms())
            return
        if paying_member(binding.payer) is None:
            # A member's own character is read with their key alone, and only when it is about to speak.
            self._spoke_at[binding.character_ref] = self._clock.monotonic()
        await self._runner.run(turn, binding, conversation)

    async def _abandon(self, conversation: Conversation, turn: Turn) -> None:
        current = await self._turns.get(turn.id)
        if current is None or current.state is not TurnState.RUNNING:
            return
        binding = self._live_binding(conversation)
        if binding is not None:
            await self._runner.abandon(current, binding, conversation)
        else:
            await self._turns.finish(turn.id, TurnState.FAILED, cause=UNBOUND, now_ms=self._clock.now_ms())

    def characters_in_use(self) -> list[CharacterRef]:
        """Return the characters that spoke within the last hour: what is known of them is kept fresh."""
        horizon = self._clock.monotonic() - IN_USE_SECONDS
        self._spoke_at = {ref: spoke_at for ref, spoke_at in self._spoke_at.items() if spoke_at >= horizon}
        return list(self._spoke_at)

    # What people ask for.

    async def retry(self, turn_id: TurnId, place: ChannelId, user_id: UserId, *, is_staff: bool) -> None:
        """Answer a turn again. Raises UserError when it cannot be, or not by this person."""
        turn = await self._turns.get(turn_id)
        conversation = await self._conversations.get(turn.conversation_id) if turn else None
        if turn is None or conversation is None or destination_of(conversation).place != place:
            raise UserError("I no longer know this message. Just say it again.")
        if turn.kind is not TurnKind.REPLY or not any(message.text for message in turn.messages):
            raise UserError("The message this answered is gone. Just say it again.")
        if not is_staff and all(message.author_id != user_id for message in turn.messages):
            raise UserError("Only the people this answers, and whoever may manage the channel, can press Retry.")
        if turn.state is TurnState.ANSWERED:
            raise UserError("It has been answered. Say it again if you would like another answer.")
        binding = self._live_binding(conversation)
        if binding is None:
            raise UserError("This character no longer speaks here. Somebody who manages the channel can use it again.")
        if binding.state is BindingState.PAUSED:
            raise UserError("This character is paused here. /character current says why.")
        if not await self._turns.ask_again(turn_id):
            raise UserError("I am already on it.")
        self.wake(conversation)

    # Starting and stopping.

    async def resume_waiting(self, guilds: Collection[GuildId]) -> None:
        """Wake the conversations of some servers in which something was left waiting."""
        for conversation_id in await self._turns.with_work():
            conversation = await self._conversations.get(conversation_id)
            if conversation is not None and conversation.guild_id in guilds:
                self.wake(conversation)

    async def drain(self, seconds: float) -> None:
        """Take nothing more in, let replies under way come to their end, and cut the ones that take too long."""
        self._stopping = True
        await self.inbox.close()
        if not await self._finished(seconds):
            self._readers.stop_all(FailureCause.RESTARTED)
            await self._finished(seconds)
        # What is left waits for a Discord that does not answer.
        await self.aclose()

    async def aclose(self) -> None:
        """Take nothing more in, and cut everything off where it is; the next start takes it up."""
        self._stopping = True
        await self.inbox.close()
        left = list(self._workers.values())
        for worker in left:
            worker.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _finished(self, seconds: float) -> bool:
        workers = set(self._workers.values())
        if not workers:
            return True
        time_is_up = asyncio.ensure_future(self._clock.sleep(seconds))
        finished = asyncio.ensure_future(asyncio.wait(workers))
        try:
            await asyncio.wait((finished, time_is_up), return_when=asyncio.FIRST_COMPLETED)
            return finished.done()
        finally:
            time_is_up.cancel()
            finished.cancel()


def _arrival(message: IncomingMessage) -> Arrival:
    return Arrival(
        message.id, message.guild_id, message.channel_id, message.author_id, message.author_name, message.said
    )
