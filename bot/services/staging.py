"""Setting the stage of a turn: where it plays, who speaks, and how text is cut for it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.domain.bindings import Binding, Conversation, PauseCause
from bot.domain.ids import GuildId, UserId
from bot.domain.turns import Turn
from bot.services.binding_gate import BindingGate
from bot.services.catalog import CatalogService
from bot.services.clock import Clock
from bot.services.personas import persona_for
from bot.services.shaping import Shaper
from bot.services.speaking import Stage, destination_of
from bot.services.surroundings import SurroundingsOf

LOADING_SECONDS: Final = 1.0


class Stages:
    """Puts together what the catalogue, the gateway's cache and a turn say."""

    def __init__(
        self,
        *,
        catalog: CatalogService,
        gate: BindingGate,
        surroundings: SurroundingsOf,
        is_loading: Callable[[GuildId], bool],
        clock: Clock,
    ) -> None:
        """`is_loading` tells of a server that the gateway has named and not described yet."""
        self._is_loading = is_loading
        self._clock = clock
        self._catalog = catalog
        self._gate = gate
        self._surroundings = surroundings

    async def loaded(self, conversation: Conversation) -> None:
        """Wait until a conversation's server can be seen: while a session begins, and in an outage, it cannot."""
        while self._is_loading(conversation.guild_id):
            await self._clock.sleep(LOADING_SECONDS)

    def of(self, binding: Binding, conversation: Conversation, turn: Turn | None = None) -> Stage | None:
        """Return the stage of a conversation, or None when its place cannot be seen or its character is unknown."""
        destination = destination_of(conversation)
        around = self._surroundings(destination)
        known = self._gate.known(binding)
        if around is None or known is None:
            return None
        members = {
            UserId(message.author_id): message.author_name
            for message in (turn.messages if turn is not None else ())
            if message.author_name is not None
        }
        names = replace(around.names, users={**around.names.users, **members})
        persona = persona_for(
            known,
            guild_name=around.guild_name,
            bot_name=around.bot_name,
            marked=binding.name_marked,
        )
        return Stage(
            binding=binding,
            conversation=conversation,
            destination=destination,
            ceiling=self._catalog.ceiling(around.place),
            known=known,
            persona=persona,
            shaper=Shaper(known.character.name, names),
        )

    async def obstacle(self, stage: Stage) -> PauseCause | None:
        """Ask the gate about a stage as its place is now; None where the character may speak there."""
        around = self._surroundings(stage.destination)
        ceiling = stage.ceiling if around is None else self._catalog.ceiling(around.place)
        return (await self._gate.standing(stage.binding, ceiling=ceiling)).cause
