"""What is bound where, in the store and in memory: what everything that changes it has to share."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Final, TypeAlias

from bot.domain.bindings import Binding, BindingState, Conversation
from bot.domain.ids import BindingId
from bot.domain.persona_names import is_taken
from bot.services.binding_gate import BindingGate
from bot.services.binding_index import BindingIndex
from bot.services.clock import Clock
from bot.store.bindings import Bindings
from bot.store.conversations import Conversations

_log = logging.getLogger(__name__)

LOOK_AGAIN_AFTER_SECONDS: Final = 15.0
"""How often at most the messages of a channel make its paused character be looked at again."""

Stopper: TypeAlias = Callable[[Conversation], Awaitable[None]]
"""Stops the reply that is under way in a conversation, if any, and returns when its turn has ended.

Never called while the book is being changed: a turn that ends may have to pause its own binding.
"""


class BindingBook:
    """Keeps the index in memory in step with the store, one change at a time."""

    def __init__(
        self,
        *,
        bindings: Bindings,
        conversations: Conversations,
        index: BindingIndex,
        gate: BindingGate,
        stop: Stopper,
        clock: Clock,
    ) -> None:
        self._bindings = bindings
        self._conversations = conversations
        self._index = index
        self._gate = gate
        self._stop = stop
        self._clock = clock
        self.changing: Final = asyncio.Lock()
        """Held by whoever changes a binding in the store and in the index."""
        self._looked_at: dict[BindingId, float] = {}

    async def met(self, binding: Binding, names: Collection[str]) -> Binding:
        """Mark a character's name for good where it could be taken for one of these people's.

        Returns the binding as it stands then. Whoever speaks or manages the channel is all that the bot knows of a
        server's people: lists of members need another privileged intent.
        """
        known = self._gate.known(binding)
        if binding.name_marked or known is None or not is_taken(known.character.name, names):
            return binding
        async with self.changing:
            marked = await self._bindings.mark_name(binding.id)
            if marked is None:
                return binding
            self._index.put(marked)
        _log.info("Binding %s: somebody goes by the character's name, so it is marked", binding.id)
        return marked

    async def end(self, binding: Binding) -> Binding | None:
        """End a binding, with the lock held; returns it as the store has it, None when it had ended before."""
        ended = await self._bindings.end(binding.id, self._clock.now_ms())
        self._index.put(replace(binding, state=BindingState.ENDED))
        self.forget_look(binding.id)
        return ended

    async def stop_all(self, binding: Binding) -> None:
        """Stop the replies that are under way for a binding; never with the lock held."""
        for conversation in await self._conversations.of_binding(binding.id):
            await self._stop(conversation)

    def may_look_again(self, binding: Binding) -> bool:
        """Tell whether a message may make a paused character be looked at again; if so, that counts as the look."""
        now = self._clock.monotonic()
        if now - self._looked_at.get(binding.id, -LOOK_AGAIN_AFTER_SECONDS) < LOOK_AGAIN_AFTER_SECONDS:
            return False
        self._looked_at[binding.id] = now
        return True

    def forget_look(self, binding_id: BindingId) -> None:
        """Let the next message be the first again that makes a paused character be looked at."""
        self._looked_at.pop(binding_id, None)
