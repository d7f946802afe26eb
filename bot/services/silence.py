"""Why a message was not answered: worked out anew from the settings, or read from what became of it."""

from dataclasses import replace

from bot.domain.bindings import Binding, Scope
from bot.domain.explaining import AskedAbout, Claimed, OwnPost, PauseFacts, explain
from bot.domain.ids import MessageId, TurnId, UserId, snowflake_time_ms
from bot.domain.messages import Author, BotPolicy, IncomingMessage, Silence, silence_reason
from bot.domain.payers import PayerKind, payer_kind
from bot.domain.places import Place
from bot.domain.turns import PostKind, PostState, TurnState
from bot.services.binding_gate import BindingGate
from bot.services.binding_index import BindingIndex
from bot.services.catalog import CatalogService
from bot.services.clock import Clock
from bot.services.ignored_members import IgnoredMembers
from bot.store.conversations import Conversations
from bot.store.posts import Posts
from bot.store.turns import Turns


class SilenceService:
    """Answers `Why silent?` for any message of a server. Changes nothing."""

    def __init__(
        self,
        *,
        index: BindingIndex,
        catalog: CatalogService,
        gate: BindingGate,
        conversations: Conversations,
        turns: Turns,
        posts: Posts,
        ignored: IgnoredMembers,
        bots: BotPolicy,
        clock: Clock,
    ) -> None:
        self._index = index
        self._catalog = catalog
        self._gate = gate
        self._conversations = conversations
        self._turns = turns
        self._posts = posts
        self._ignored = ignored
        self._bots = bots
        self._clock = clock

    async def explain(
        self, message: IncomingMessage, place: Place, asker_id: UserId, *, replies_to: MessageId | None = None
    ) -> str:
        """Say in plain words why a message has no answer, or that it has one.

        `place` is where the message stands; `replies_to` the message it replies to, which Discord may name without
        showing it.
        """
        if replies_to is not None and not message.addressed and await self._posts.by_message(replies_to) is not None:
            message = replace(message, addressed=True)
        binding = self._index.get(place.channel_id)
        return explain(
            AskedAbout(
                own=await self._own(message.id),
                claimed=await self._claimed(message.id, place),
                silence=await self._silence(message, place, binding),
                pause=self._pause(binding, place),
                by_asker=message.author_id == asker_id,
                age_ms=self._clock.now_ms() - snowflake_time_ms(message.id),
            )
        )

    async def _own(self, message_id: MessageId) -> OwnPost | None:
        post = await self._posts.by_message(message_id)
        if post is None:
            return None
        turn = await self._turns.get(post.turn_id)
        return OwnPost(post.kind, None if turn is None else turn.kind)

    async def _claimed(self, message_id: MessageId, place: Place) -> Claimed | None:
        outcome = await self._turns.outcome_of(message_id)
        if outcome is None:
            return None
        state, cause, turn_id = outcome
        if turn_id is None:
            return Claimed(TurnState(state), cause, None)
        turn = await self._turns.get(turn_id)
        paid_by = PayerKind.OPERATOR if turn is None else payer_kind(turn.payer)
        return Claimed(TurnState(state), cause, await self._reply_link(turn_id, place), paid_by)

    async def _reply_link(self, turn_id: TurnId, place: Place) -> str | None:
        for post in await self._posts.of_turn(turn_id):
            if post.kind is PostKind.REPLY and post.state is PostState.POSTED and post.message_id is not None:
                return place.link_to(post.message_id)
        return None

    async def _silence(self, message: IncomingMessage, place: Place, binding: Binding | None) -> Silence | None:
        bot_turns = 0
        if binding is not None:
            scope = Scope.ROOM if place.thread_id is None else Scope.THREAD
            conversation = await self._conversations.find(binding.id, scope, place.here)
            if conversation is not None:
                if message.author is not Author.MEMBER:
                    authors = await self._turns.last_authors(conversation.id, self._bots.turns_in_a_row)
                    bot_turns = self._bots.turns_so_far(authors)
                # A reset of one thread moves its own horizon and not that of the whole channel.
                binding = replace(binding, active_from=max(binding.active_from, conversation.starts_after))
        return silence_reason(
            message,
            binding,
            ignored=self._ignored.is_ignored(message.author_id),
            was_ignored=self._ignored.was_ignored(message.author_id, message.id),
            bots=self._bots,
            bot_turns_so_far=bot_turns,
        )

    def _pause(self, binding: Binding | None, place: Place) -> PauseFacts | None:
        if binding is None or binding.pause_cause is None:
            return None
        known = self._gate.known(binding)
        if known is None:
            return PauseFacts(binding.pause_cause, "", more_if_restricted=False)
        restricted = self._catalog.ceiling(replace(place, age_restricted=True))
        name = known.character.name if known.character.rating <= self._catalog.ceiling(place) else ""
        return PauseFacts(binding.pause_cause, name, more_if_restricted=known.character.rating <= restricted)
