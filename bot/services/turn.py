"""Running a turn: gate, context, stream, and what is said when it goes wrong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.domain.bindings import Binding, Conversation, PauseCause
from bot.domain.context import ContextBudget, input_items
from bot.domain.failures import Failure, FailureCause
from bot.domain.ids import ConversationId, PayerId, UserId
from bot.domain.payers import payer_kind
from bot.domain.turns import (
    Exchange,
    PostKind,
    PostState,
    Turn,
    TurnKind,
    TurnMessage,
    TurnState,
    VersionOutcome,
    VersionState,
)
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import CharacterUnusableError, ContextTooLongError, NanoGptError
from bot.nanogpt.events import Completed, Incomplete, TextDelta, TextReplaced
from bot.nanogpt.requests import ApiKey, ResponseRequest
from bot.services.binding_gate import BindingGate
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.breakers import Breakers
from bot.services.clock import Clock
from bot.services.delivery import Delivery
from bot.services.key_ring import NoKeyError
from bot.services.outlet import Destination, Outlet, OutletError
from bot.services.speaking import CANNOT_SPEAK, PAUSED, Speaker, Stage, destination_of
from bot.services.staging import Stages
from bot.services.upstream_failures import failure_of, failure_of_incomplete
from bot.store.paid_turns import PaidTurns
from bot.store.posts import Posts
from bot.store.turns import Turns

_log = logging.getLogger(__name__)

TYPING_AFTER_SECONDS: Final = 1.0
TYPING_AGAIN_SECONDS: Final = 8.0
"""A typing sign lasts ten seconds, and a webhook's post does not clear it (Discord, Trigger Typing Indicator)."""
STOP_SECONDS: Final = 10.0
MS_PER_DAY: Final = 86_400_000
_MS_PER_SECOND: Final = 1_000
IGNORED: Final = "ignored_member"


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """What the operator may set about replies."""

    budget: ContextBudget = field(default_factory=lambda: ContextBudget(40, 24_000))
    greeting_sent_by_server: bool = False
    max_output_tokens: int | None = None


@dataclass(slots=True)
class _Reading:
    """A reply as far as it has been read."""

    text: str = ""
    ending: Completed | Incomplete | None = None
    key: ApiKey | None = None
    """The key that it is asked for with; None when it was not asked for."""


class Readers:
    """The turns under way, so that one can be stopped from outside."""

    def __init__(self) -> None:
        self._ended: dict[ConversationId, asyncio.Event] = {}
        self._tasks: dict[ConversationId, asyncio.Task[None]] = {}
        self._causes: dict[ConversationId, FailureCause] = {}

    @contextmanager
    def turn(self, conversation_id: ConversationId) -> Generator[None]:
        """Mark a conversation's turn as under way for the length of the block."""
        ended = self._ended[conversation_id] = asyncio.Event()
        try:
            yield
        finally:
            self._causes.pop(conversation_id, None)
            del self._ended[conversation_id]
            ended.set()

    async def stop(self, conversation_id: ConversationId, cause: FailureCause = FailureCause.STOPPED) -> None:
        """Stop reading the reply of a conversation, and wait until its turn has ended.

        What is visible of it stays, and is marked. The wait is bounded: while Discord does not answer, a turn
        cannot end.
        """
        ended = self._ended.get(conversation_id)
        if ended is None:
            return
        self._cancel(conversation_id, cause)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await ended.wait()

    def stop_all(self, cause: FailureCause) -> None:
        """Stop reading every reply, without waiting."""
        for conversation_id in list(self._ended):
            self._cancel(conversation_id, cause)

    async def read(self, conversation_id: ConversationId, reading: Coroutine[Any, Any, None]) -> FailureCause | None:
        """Read a reply to its end; return the cause when it was stopped. Raises what the reading raises."""
        if conversation_id in self._causes:
            reading.close()
            return self._causes[conversation_id]
        task = asyncio.create_task(reading, name=f"reader of conversation {conversation_id}")
        self._tasks[conversation_id] = task
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if conversation_id in self._causes:
                return self._causes[conversation_id]
            task.cancel()
            raise
        finally:
            self._tasks.pop(conversation_id, None)
        return None

    def _cancel(self, conversation_id: ConversationId, cause: FailureCause) -> None:
        self._causes.setdefault(conversation_id, cause)
        if (task := self._tasks.get(conversation_id)) is not None:
            task.cancel()


class TurnRunner:
    """Runs turns, one call of `run` each; at most `max_concurrent` of them ask upstream at once.

    A conversation has one turn at a time, so first come, first served is fair between conversations.
    """

    def __init__(
        self,
        *,
        turns: Turns,
        posts: Posts,
        speaker: Speaker,
        stages: Stages,
        gate: BindingGate,
        upkeep: BindingUpkeep,
        nanogpt: NanoGptClient,
        outlet: Outlet,
        readers: Readers,
        breakers: Breakers,
        key_of: Callable[[PayerId], Awaitable[ApiKey]],
        paid_turns: PaidTurns,
        is_ignored: Callable[[UserId], bool],
        clock: Clock,
        max_concurrent: int,
        settings: TurnSettings,
        new_code: Callable[[], str],
    ) -> None:
        """`key_of` finds the key of a payer, and raises NoKeyError."""
        self._turns = turns
        self._posts = posts
        self._speaker = speaker
        self._stages = stages
        self._gate = gate
        self._upkeep = upkeep
        self._nanogpt = nanogpt
        self._outlet = outlet
        self._key_of = key_of
        self._paid_turns = paid_turns
        self._is_ignored = is_ignored
        self._clock = clock
        self._slots = asyncio.Semaphore(max_concurrent)
        self._settings = settings
        self._new_code = new_code
        self._readers = readers
        self._breakers = breakers

    async def run(self, turn: Turn, binding: Binding, conversation: Conversation) -> None:
        """Bring a running turn to its end, whatever happens on the way."""
        with self._readers.turn(conversation.id):
            await self._run_to_its_end(turn, binding, conversation)

    async def abandon(self, turn: Turn, binding: Binding, conversation: Conversation) -> None:
        """End a turn whose end could not be written down when it came: with a mark, unless its reply stands."""
        stage = self._stages.of(binding, conversation, turn)
        posts = await self._posts.of_turn(turn.id)
        stands = any(post.kind is PostKind.REPLY and post.state is PostState.POSTED for post in posts)
        if stage is None or stands:
            await self._speaker.give_up(turn.id, destination_of(conversation), FailureCause.UNEXPECTED.value)
        else:
            await self._speaker.mark(turn, stage, Failure(FailureCause.UNEXPECTED))

    async def fail_unexpectedly(
        self, turn: Turn, binding: Binding, conversation: Conversation, error: Exception
    ) -> None:
        """End a turn that met a fault nobody foresaw: with a mark, if possible, whose code is in the log."""
        failure = self._unexpected(turn, error)
        try:
            stage = self._stages.of(binding, conversation)
            if stage is not None:
                await self._speaker.mark(turn, stage, failure)
                return
        except Exception:  # noqa: BLE001 - the turn still has to end, and both faults are logged
            _log.exception("Turn %s could not be marked either (code %s)", turn.id, failure.code)
        await self._speaker.give_up(turn.id, destination_of(conversation), failure.cause.value)

    async def _run_to_its_end(self, turn: Turn, binding: Binding, conversation: Conversation) -> None:
        try:
            await self._run(turn, binding, conversation)
        except Exception as error:  # noqa: BLE001 - nothing may leave a turn without an end; it is logged with a code
            await self.fail_unexpectedly(turn, binding, conversation, error)

    async def _run(self, turn: Turn, binding: Binding, conversation: Conversation) -> None:
        await self._stages.loaded(conversation)
        stage = self._stages.of(binding, conversation, turn)
        if stage is None:
            _log.info("Turn %s: its channel is not there", turn.id)
            await self._turns.finish(turn.id, TurnState.FAILED, cause=CANNOT_SPEAK, now_ms=self._clock.now_ms())
            return
        if not self._outlet.may_speak(stage.destination):
            await self._stay_silent(turn, stage)
            return
        standing = await self._gate.standing(binding, ceiling=stage.ceiling)
        if standing.cause is not None:
            await self.pause(turn, stage, standing.cause)
            return
        if turn.payer != binding.payer:
            # Who pays has changed since it began, or since a stop of the process cut it.
            await self._turns.charge(turn.id, binding.payer)
            turn = replace(turn, payer=binding.payer)
        if standing.known != stage.known:
            stage = self._stages.of(binding, conversation, turn) or stage
        if turn.kind is TurnKind.GREETING:
            await self._greet(turn, stage)
            return
        messages = self._heard(turn.messages)
        if not any(message.text for message in messages):
            cause = IGNORED if messages != turn.messages else "deleted"
            await self._turns.finish(turn.id, TurnState.DROPPED, cause=cause, now_ms=self._clock.now_ms())
            return
        turn = replace(turn, messages=messages)
        posts = await self._posts.of_turn(turn.id) if turn.attempts > 1 else []
        if any(post.kind is PostKind.MARK for post in posts):
            await self._speaker.note(turn, stage, posts).take_back()
        delivery = self._speaker.reply(turn, stage, posts, asked_again=turn.attempts > 1)
        try:
            await self._answer(turn, stage, delivery)
        finally:
            await delivery.stop()

    async def _greet(self, turn: Turn, stage: Stage) -> None:
        """Say a greeting, whose text is stored with its turn."""
        version = await self._turns.latest_version(turn.id)
        if version is None or version.text is None:
            await self._turns.finish(turn.id, TurnState.DROPPED, cause="deleted", now_ms=self._clock.now_ms())
            return
        await self._speaker.complete(turn, stage, self._speaker.reply(turn, stage), version.text, outcome=None)

    async def pause(self, turn: Turn, stage: Stage, cause: PauseCause) -> None:
        """End a turn that the gate does not let through, and let its character fall silent."""
        await self._speaker.drop(turn.id, stage.destination, PAUSED)
        await self._upkeep.pause(stage.binding, cause)

    async def _stay_silent(self, turn: Turn, stage: Stage) -> None:
        """End a turn whose reply nobody could read, as the bot may not write there: it would be paid for."""
        _log.info("Turn %s: may not speak in %s", turn.id, stage.destination.place)
        await self._speaker.give_up(turn.id, stage.destination, CANNOT_SPEAK)

    async def _answer(self, turn: Turn, stage: Stage, delivery: Delivery) -> None:
        reading = _Reading()
        failure = self._breakers.failure(turn.payer)
        if failure is None:
            waited = self._slots.locked()
            async with self._slots:
                # The wait for upstream may have taken minutes.
                if waited and not self._outlet.may_speak(stage.destination):
                    await self._stay_silent(turn, stage)
                    return
                if waited and (cause := await self._stages.obstacle(stage)) is not None:
                    await self.pause(turn, stage, cause)
                    return
                failure = await self._over_the_cap(stage.binding)
                if failure is None:
                    failure = await self._read(turn, stage, delivery, reading)
            if failure is not None:
                await self._note(turn.payer, reading.key, failure)
        ending = reading.ending
        if failure is None and isinstance(ending, Completed):
            outcome = VersionOutcome(
                ending.text,
                VersionState.COMPLETE,
                ending.response_id,
                ending.model,
                ending.usage.input_tokens,
                ending.usage.output_tokens,
                None if ending.cost is None else str(ending.cost),
            )
            await self._speaker.complete(turn, stage, delivery, ending.text, outcome)
            return
        if failure is None and isinstance(ending, Incomplete):
            failure = failure_of_incomplete(ending)
            reading.text = ending.text
        text = reading.text
        if not text.strip() and delivery.visible:
            # Retry of a reply that was cut: what stood there stays.
            version = await self._turns.latest_version(turn.id)
            text = (version.text if version else None) or ""
        failure = replace(failure or Failure(FailureCause.CUT), paid_by=payer_kind(turn.payer))
        await self._speaker.fail(turn, stage, delivery, failure, text=text)
        if failure.cause is FailureCause.BAD_KEY:
            await self._upkeep.key_refused(stage.binding, reading.key)

    async def _note(self, payer: PayerId, key: ApiKey | None, failure: Failure) -> None:
        """Have a key left alone after a failure that concerns it, unless its payer has another by now."""
        with suppress(NoKeyError):
            if key is not None and await self._key_of(payer) == key:
                self._breakers.note(payer, failure)

    async def _over_the_cap(self, binding: Binding) -> Failure | None:
        """Count one more reply of the day where a member pays, and say so when they have agreed to no more."""
        if binding.daily_turns is None:
            return None
        now_ms = self._clock.now_ms()
        day_start_ms = now_ms - now_ms % MS_PER_DAY
        if await self._paid_turns.take(binding.id, binding.payer, most=binding.daily_turns, day_start_ms=day_start_ms):
            return None
        return Failure(FailureCause.PAYER_CAP, resets_at_s=(day_start_ms + MS_PER_DAY) // _MS_PER_SECOND)

    async def _read(self, turn: Turn, stage: Stage, delivery: Delivery, reading: _Reading) -> Failure | None:
        """Read the stream into the delivery; return what went wrong."""
        typing = asyncio.create_task(self._keep_typing(stage.destination, reading), name="typing")
        try:
            stopped = await self._readers.read(stage.conversation.id, self._stream(turn, stage, delivery, reading))
        except CharacterUnusableError:
            await self._gate.withdrawn(stage.binding)
            return Failure(FailureCause.CHARACTER_UNAVAILABLE)
        except NoKeyError as error:
            _log.warning("Turn %s: %s", turn.id, error)
            return Failure(FailureCause.NO_KEY)
        except NanoGptError as error:
            _log.info("Turn %s: upstream failed: %r", turn.id, error)
            reading.text = error.partial_text or reading.text
            return failure_of(error)
        except Exception as error:  # noqa: BLE001 - what was read so far is kept; the fault is logged with a code
            return self._unexpected(turn, error)
        finally:
            typing.cancel()
        return None if stopped is None else Failure(stopped)

    async def _stream(self, turn: Turn, stage: Stage, delivery: Delivery, reading: _Reading) -> None:
        budget = self._settings.budget
        try:
            await self._stream_within(turn, stage, delivery, reading, budget)
        except ContextTooLongError:
            if reading.text:
                raise
            await self._stream_within(turn, stage, delivery, reading, budget.halved())

    async def _stream_within(
        self, turn: Turn, stage: Stage, delivery: Delivery, reading: _Reading, budget: ContextBudget
    ) -> None:
        request = await self._request(turn, stage, budget)
        reading.key = key = await self._key_of(turn.payer)
        async with aclosing(self._nanogpt.stream_response(request, key=key)) as events:
            async for event in events:
                match event:
                    case TextDelta(text):
                        reading.text += text
                        delivery.feed(reading.text)
                    case TextReplaced(text):
                        reading.text = text
                        delivery.feed(text)
                    case Completed() | Incomplete():
                        reading.ending = event
                    case _:
                        pass

    async def _request(self, turn: Turn, stage: Stage, budget: ContextBudget) -> ResponseRequest:
        past = await self._turns.past(stage.conversation.id, before_turn=turn.id, limit=budget.messages)
        history = [self._remembered(exchange) for exchange in past.exchanges]
        greeting = None if self._settings.greeting_sent_by_server else past.greeting
        return ResponseRequest(
            stage.known.character.id,
            input_items(greeting, history, turn.messages, budget, character_name=stage.known.character.name),
            base_model=stage.known.character.base_model,
            max_output_tokens=self._settings.max_output_tokens,
        )

    def _remembered(self, exchange: Exchange) -> Exchange:
        heard = self._heard(exchange.messages)
        # Copying costs, and nearly always nothing is left out.
        return exchange if len(heard) == len(exchange.messages) else replace(exchange, messages=heard)

    def _heard(self, messages: Iterable[TurnMessage]) -> tuple[TurnMessage, ...]:
        """Leave out the messages of members who asked to be ignored since they wrote them."""
        return tuple(message for message in messages if not self._is_ignored(message.author_id))

    async def _keep_typing(self, destination: Destination, reading: _Reading) -> None:
        """Show the bot typing while nothing of the reply has come; never the reason why a turn fails."""
        await self._clock.sleep(TYPING_AFTER_SECONDS)
        while not reading.text:
            try:
                await self._outlet.typing(destination)
            except OutletError as error:
                _log.debug("Typing in %s was not shown: %r", destination.place, error)
                return
            except Exception:  # noqa: BLE001 - a sign of life is not worth a turn; the fault is logged
                _log.exception("Typing in %s was not shown", destination.place)
                return
            await self._clock.sleep(TYPING_AGAIN_SECONDS)

    def _unexpected(self, turn: Turn, error: Exception) -> Failure:
        code = self._new_code()
        _log.error("Turn %s failed unexpectedly (code %s)", turn.id, code, exc_info=error)
        return Failure(FailureCause.UNEXPECTED, code=code)
