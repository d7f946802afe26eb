"""Saying something whole in a conversation: a finished reply, a greeting, or the mark of a turn that failed."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.bindings import Binding, BindingState, Conversation, PauseCause, Scope
from bot.domain.characters import KnownCharacter
from bot.domain.failures import NOT_RETRYABLE, Failure, FailureCause, cut_mark, failure_sentence
from bot.domain.ids import ChannelId, MessageId, TurnId, snowflake_at
from bot.domain.ratings import ContentRating
from bot.domain.turns import (
    Post,
    PostKind,
    PostState,
    Transport,
    Turn,
    TurnKind,
    TurnState,
    VersionOutcome,
    VersionState,
)
from bot.services.announcing import Announcer
from bot.services.binding_index import BindingIndex
from bot.services.delivery import Delivery, Ending, Layout, Withheld
from bot.services.outlet import (
    Controls,
    Destination,
    Forbidden,
    Gone,
    OutletError,
    Persona,
    Refused,
)
from bot.services.posting import Poster
from bot.services.shaping import Shaper
from bot.store.errors import StoreError
from bot.store.turns import Turns

_log = logging.getLogger(__name__)

FOLD_WITHIN_MS: Final = 5 * 60_000
"""Within this time one mark stands for all turns of a conversation that fail for one cause."""
BUTTONS_MOVE_WITHIN_SECONDS: Final = 3600.0
"""Edits of messages older than an hour are limited hard (Discord's error 30046)."""
MOST_BUTTONS_REMEMBERED: Final = 10_000
CANNOT_SPEAK: Final = FailureCause.CANNOT_SPEAK.value
"""The stored cause of a turn in whose place nothing can be said."""
PAUSED: Final = "paused"
"""The stored cause of a turn whose character may not speak for the time being."""
UNBOUND: Final = "unbound"
"""The stored cause of a turn whose character has left."""
_MS_PER_SECOND: Final = 1_000
NO_WEBHOOK_CAUSE: Final = "no_webhook"
NO_WEBHOOK_NOTICE: Final = (
    "Characters speak under my name here, because I have no webhook in this channel. Give me the Manage Webhooks "
    "permission, or remove one of the channel's 15 webhooks, and they get their own name and picture."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a turn plays, and who speaks."""

    binding: Binding
    conversation: Conversation
    destination: Destination
    ceiling: ContentRating
    """The strongest rating that may be shown there."""
    known: KnownCharacter
    persona: Persona
    shaper: Shaper

    def anchor(self, turn: Turn) -> MessageId:
        """Return a message older than anything that the turn posts."""
        if turn.messages:
            return turn.messages[-1].message_id
        return MessageId(max(self.conversation.starts_after, self.binding.active_from))


@dataclass(frozen=True, slots=True)
class _Buttons:
    message_id: MessageId
    transport: Transport
    placed_at: float


class Speaker:
    """Brings turns to their visible end."""

    def __init__(
        self,
        *,
        poster: Poster,
        turns: Turns,
        index: BindingIndex,
        obstacle: Callable[[Stage], Awaitable[PauseCause | None]],
        announcer: Announcer,
        first_text_delay_seconds: float,
        feedback_buttons: bool,
    ) -> None:
        """`obstacle` asks the gate, and tells what speaks against the character of a stage."""
        self._announcer = announcer
        self._hinted: set[ChannelId] = set()
        self._poster = poster
        self._turns = turns
        self._index = index
        self._obstacle = obstacle
        self._first_text_delay = first_text_delay_seconds
        self._feedback_buttons = feedback_buttons
        self._buttons: OrderedDict[ChannelId, _Buttons] = OrderedDict()

    def reply(self, turn: Turn, stage: Stage, standing: Sequence[Post] = (), *, asked_again: bool = False) -> Delivery:
        """Return the delivery of a turn's reply; `asked_again` where somebody pressed Retry."""
        return Delivery(
            self._poster,
            turn_id=turn.id,
            kind=PostKind.REPLY,
            destination=stage.destination,
            persona=stage.persona,
            anchor=stage.anchor(turn),
            attempt=turn.attempts,
            preview=stage.shaper.preview,
            first_text_delay_seconds=self._first_text_delay,
            standing=standing,
            asked_again=asked_again,
            may_begin=lambda: self._may_begin(stage),
        )

    async def _may_begin(self, stage: Stage) -> bool:
        """Tell whether a text may be shown that was written when the gate let it through."""
        current = self._index.current(stage.binding)
        if current is not None and current.state is BindingState.ACTIVE:
            return True
        return await self._obstacle(stage) is None

    async def complete(
        self, turn: Turn, stage: Stage, delivery: Delivery, text: str, outcome: VersionOutcome | None
    ) -> None:
        """End a turn with its whole text. `outcome` is None where the text is stored already."""
        controls = Controls(turn.id, stage.known.ref, feedback=True) if self._feedback_buttons else None
        layout = stage.shaper.final(text)
        if not layout.parts:
            await self.fail(turn, stage, delivery, Failure(FailureCause.EMPTY), text="")
            return
        await self._end(turn, stage, delivery, Ending(layout, TurnState.ANSWERED, outcome=outcome, controls=controls))

    async def fail(
        self, turn: Turn, stage: Stage, delivery: Delivery, failure: Failure, *, text: str, model: str | None = None
    ) -> None:
        """End a turn that has no whole text: mark the part there is, or say in the bot's name that there is none."""
        _log.info("Turn %s: %s%s", turn.id, failure.cause.value, " after some text" if text else "")
        retry = failure.cause not in NOT_RETRYABLE
        layout = stage.shaper.final(text, mark=cut_mark(failure)) if text else Layout(())
        if layout.parts:
            controls = Controls(turn.id, stage.known.ref, feedback=self._feedback_buttons, retry=retry)
            outcome = VersionOutcome(text, VersionState.PARTIAL, model=model)
            ending = Ending(layout, TurnState.FAILED, failure.cause.value, outcome, controls)
            await self._end(turn, stage, delivery, ending)
            return
        await delivery.stop()
        await delivery.take_back()
        if failure.cause is FailureCause.STOPPED:
            # Whoever stopped it has said so in the channel.
            await self.give_up(turn.id, stage.destination, failure.cause.value)
            return
        await self.mark(turn, stage, failure)

    async def mark(self, turn: Turn, stage: Stage, failure: Failure) -> None:
        """End a turn of which nothing can be seen with a note of the bot's own.

        A turn that fails for the same cause as the one before it, within five minutes, joins that one under
        its mark.
        """
        since = self._poster.clock.now_ms() - FOLD_WITHIN_MS
        earlier = await self._turns.failed_just_before(turn.id, failure.cause.value, since_ms=since)
        posts = await self._poster.posts.of_turn(turn.id)
        if earlier is not None and turn.attempts == 1 and all(post.state is PostState.INTENDED for post in posts):
            await self._turns.fold(turn.id, earlier)
            self._poster.settle(stage.destination, turn.id)
            return
        controls = None
        if failure.cause not in NOT_RETRYABLE and turn.kind is TurnKind.REPLY:
            controls = Controls(turn.id, stage.known.ref, retry=True)
        layout = Layout((failure_sentence(failure),))
        ending = Ending(layout, TurnState.FAILED, failure.cause.value, controls=controls)
        await self._end(turn, stage, self.note(turn, stage, posts), ending)

    def note(self, turn: Turn, stage: Stage, standing: Sequence[Post]) -> Delivery:
        """Return the delivery of a turn's mark."""
        return Delivery(
            self._poster,
            turn_id=turn.id,
            kind=PostKind.MARK,
            destination=stage.destination,
            persona=None,
            anchor=stage.anchor(turn),
            attempt=turn.attempts,
            standing=standing,
        )

    async def _end(self, turn: Turn, stage: Stage, delivery: Delivery, ending: Ending) -> None:
        try:
            await delivery.finish(ending)
        except Refused as refused:
            _log.warning("Turn %s: Discord refused the text (code %s)", turn.id, refused.code)
            if ending.cause == FailureCause.REFUSED_BY_DISCORD.value:
                await self.give_up(turn.id, stage.destination, ending.cause)
            else:
                await self._say_refused(turn, stage, delivery)
        except (Forbidden, Gone) as error:
            _log.warning("Turn %s: cannot speak in %s: %r", turn.id, stage.destination.place, error)
            shorter = None if ending.cause == CANNOT_SPEAK else self._cut_off(turn, stage, delivery, ending)
            if shorter is None:
                await self.give_up(turn.id, stage.destination, CANNOT_SPEAK)
            else:
                await self._end(turn, stage, delivery, shorter)
        except Withheld:
            _log.info("Turn %s: its character may not speak any more", turn.id)
            await self.drop(turn.id, stage.destination, PAUSED if self._index.current(stage.binding) else UNBOUND)
        else:
            await self._move_buttons(turn.id, stage.destination, delivery, ending.controls)
            await self._hint_at_webhooks(stage.destination, delivery)

    def _cut_off(self, turn: Turn, stage: Stage, delivery: Delivery, ending: Ending) -> Ending | None:
        """Return the ending of a reply of which a part is on show and the rest cannot be posted; None for any other.

        It would look like all there is, and can be edited: through a webhook that takes no permission.
        """
        shown = ending.layout.parts[: delivery.shown]
        if not shown or len(shown) == len(ending.layout.parts):
            return None
        layout = stage.shaper.cut_off(shown, cut_mark(Failure(FailureCause.CANNOT_SPEAK)))
        controls = Controls(
            turn.id, stage.known.ref, feedback=self._feedback_buttons, retry=turn.kind is TurnKind.REPLY
        )
        return Ending(layout, TurnState.FAILED, CANNOT_SPEAK, controls=controls)

    async def _hint_at_webhooks(self, destination: Destination, delivery: Delivery) -> None:
        """Tell staff once why characters speak under the bot's own name in a channel."""
        last = delivery.last_message
        if last is None or last[1] is not Transport.BOT or not delivery.has_persona:
            return
        if destination.channel_id in self._hinted:
            return
        self._hinted.add(destination.channel_id)
        await self._announcer.announce(destination, NO_WEBHOOK_CAUSE, NO_WEBHOOK_NOTICE)

    async def _say_refused(self, turn: Turn, stage: Stage, delivery: Delivery) -> None:
        try:
            await delivery.take_back()
        except OutletError as error:
            _log.warning("Turn %s: what was refused could not be taken back: %r", turn.id, error)
        await self.mark(turn, stage, Failure(FailureCause.REFUSED_BY_DISCORD))

    async def give_up(self, turn_id: TurnId, destination: Destination, cause: str) -> None:
        """End a turn that nothing more can be shown of: the bot may not speak there, say, or the place is gone."""
        await self._turns.finish(turn_id, TurnState.FAILED, cause=cause, now_ms=self._poster.clock.now_ms())
        self._poster.settle(destination, turn_id)

    async def drop(self, turn_id: TurnId, destination: Destination, cause: str) -> None:
        """End a turn of which nothing is to be shown."""
        await self._turns.finish(turn_id, TurnState.DROPPED, cause=cause, now_ms=self._poster.clock.now_ms())
        self._poster.settle(destination, turn_id)

    async def _move_buttons(
        self, turn_id: TurnId, destination: Destination, delivery: Delivery, controls: Controls | None
    ) -> None:
        """Take the buttons off the reply before, when there is room; the old ones would go on working.

        What can be retried keeps its buttons until it is: it is still to be answered, whatever is said after it.
        """
        if controls is None or controls.retry or delivery.last_message is None:
            return
        now = self._poster.clock.monotonic()
        message_id, transport = delivery.last_message
        before = self._buttons.pop(destination.place, None) or await self._buttons_before(turn_id, destination)
        self._buttons[destination.place] = _Buttons(message_id, transport, now)
        if len(self._buttons) > MOST_BUTTONS_REMEMBERED:
            self._buttons.popitem(last=False)
        if before is None or before.message_id == message_id or now - before.placed_at > BUTTONS_MOVE_WITHIN_SECONDS:
            return
        self._poster.tidy(destination, before.transport, before.message_id)

    async def _buttons_before(self, turn_id: TurnId, destination: Destination) -> _Buttons | None:
        """Find out where an earlier process put the buttons of a place; None where they are too old to be moved."""
        clock = self._poster.clock
        horizon = MessageId(snowflake_at(clock.now_ms() - round(BUTTONS_MOVE_WITHIN_SECONDS * _MS_PER_SECOND)))
        try:
            post = await self._poster.posts.last_answer_in(destination.place, other_than=turn_id, newer_than=horizon)
        except StoreError as error:
            _log.info("Turn %s: where the buttons are cannot be looked up: %s", turn_id, error)
            return None
        if post is None or post.message_id is None:
            return None
        return _Buttons(post.message_id, post.transport, clock.monotonic())


def destination_of(conversation: Conversation) -> Destination:
    """Return where a conversation is held."""
    thread_id = ChannelId(conversation.scope_id) if conversation.scope is Scope.THREAD else None
    return Destination(conversation.guild_id, conversation.channel_id, thread_id)
