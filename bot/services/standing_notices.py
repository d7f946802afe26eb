"""What a channel is told about whether its character speaks, and by which name it may be called there."""

from typing import Final

from bot.domain import notices
from bot.domain.bindings import Binding, PauseCause
from bot.domain.places import Place
from bot.services.announcing import Announcer
from bot.services.binding_gate import BindingGate
from bot.services.catalog import CatalogService
from bot.services.outlet import Destination
from bot.services.surroundings import SurroundingsOf

_RESUMED: Final = "resumed"
_PAUSED: Final = {cause: f"paused:{cause.value}" for cause in PauseCause}
_STANDINGS: Final = frozenset({_RESUMED, *_PAUSED.values()})
"""The causes of the notices that tell whether a character speaks; the latest of them holds."""


class StandingNotices:
    """Says in a channel that its character is paused or speaks again."""

    def __init__(
        self, *, announcer: Announcer, gate: BindingGate, catalog: CatalogService, surroundings_of: SurroundingsOf
    ) -> None:
        self._announcer = announcer
        self._gate = gate
        self._catalog = catalog
        self._surroundings_of = surroundings_of

    def shown_name(self, binding: Binding) -> str:
        """Return a character's name, or nothing while it is rated above what the channel may show.

        It is looked at anew each time: a channel may have lost its flag, or the catalogue have changed the rating,
        without a message having made the character pause.
        """
        known = self._gate.known(binding)
        around = self._surroundings_of(_room(binding))
        ceiling = self._catalog.ceiling(None if around is None else around.place)
        if binding.pause_cause is PauseCause.ABOVE_CEILING or known is None or known.character.rating > ceiling:
            return ""
        return known.character.name

    def more_if_restricted(self, binding: Binding) -> bool:
        """Tell whether the character could speak if the channel were marked as age-restricted."""
        known = self._gate.known(binding)
        restricted = Place(binding.guild_id, binding.channel_id, None, age_restricted=True)
        return known is not None and known.character.rating <= self._catalog.ceiling(restricted)

    async def tell_paused(self, binding: Binding, cause: PauseCause) -> None:
        """Say that a character is silent for now, and why."""
        text = notices.paused(cause, self.shown_name(binding), more_if_restricted=self.more_if_restricted(binding))
        await self._tell(binding, _PAUSED[cause], text)

    async def tell_resumed(self, binding: Binding) -> None:
        """Say that a character speaks again."""
        # It has just passed the gate of its channel, so its name may stand there.
        known = self._gate.known(binding)
        await self._tell(binding, _RESUMED, notices.resumed("" if known is None else known.character.name))

    async def tell(self, destination: Destination, notice: str) -> None:
        """Post a notice of a change, whatever stands there. Raises OutletError."""
        await self._announcer.post(destination, notice)

    async def outdated(self, binding: Binding) -> None:
        """Take note that what was said of a channel's character holds no more, so that the next word is new."""
        await self._announcer.outdated(_room(binding), _STANDINGS)

    async def _tell(self, binding: Binding, cause: str, text: str) -> None:
        await self._announcer.outdated(_room(binding), _STANDINGS - {cause})
        await self._announcer.announce(_room(binding), cause, text)


def _room(binding: Binding) -> Destination:
    return Destination(binding.guild_id, binding.channel_id)
