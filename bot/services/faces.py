"""Who is behind a number, as the people of a server may know it."""

from collections.abc import Callable, Iterable

from bot.domain.bindings import Binding, BindingState
from bot.domain.characters import KnownCharacter, is_private
from bot.domain.ids import CharacterRef, GuildId
from bot.domain.payers import paying_member
from bot.services.binding_index import BindingIndex
from bot.store.characters import Characters


class Faces:
    """Tells of characters: of a private one what its owner's key sees, and only where it speaks.

    Where a character speaks at its owner's expense, what their key sees goes before what the catalogue said, which may
    be from before it was withdrawn. Where it is paused, nobody may have looked for long.
    """

    def __init__(
        self, *, characters: Characters, index: BindingIndex, known_of: Callable[[Binding], KnownCharacter | None]
    ) -> None:
        """`known_of` tells from memory what is known of the character of a binding."""
        self._characters = characters
        self._index = index
        self._known_of = known_of

    async def of(self, ref: CharacterRef, guild_id: GuildId | None) -> KnownCharacter | None:
        """Return what is known of a character, for the people of a server; None for one that was never seen."""
        bindings = [binding for binding in self._owners(ref) if binding.guild_id == guild_id]
        speaking = self._seen(binding for binding in bindings if binding.state is BindingState.ACTIVE)
        if speaking:
            return speaking[0]
        known = await self._characters.get(ref)
        if known is None or not is_private(known.character):
            return known
        bound = (self._known_of(binding) for binding in bindings)
        return next((found for found in bound if found is not None), known)

    async def is_private(self, ref: CharacterRef) -> bool:
        """Tell whether NanoGPT shows a character to its owner alone, wherever it is asked about."""
        bindings = self._owners(ref)
        known = await self._characters.get(ref)
        if known is not None and is_private(known.character):
            # What was private when the catalogue row was made may have been published since.
            seen = self._seen(bindings)
            return not seen or any(is_private(each.character) for each in seen)
        speaking = self._seen(binding for binding in bindings if binding.state is BindingState.ACTIVE)
        return any(is_private(each.character) for each in speaking)

    def _owners(self, ref: CharacterRef) -> list[Binding]:
        """Return the bindings of a character that its owner pays for."""
        return [
            binding
            for binding in self._index
            if binding.character_ref == ref and paying_member(binding.payer) is not None
        ]

    def _seen(self, bindings: Iterable[Binding]) -> list[KnownCharacter]:
        """Return what owners' keys see, where they see something: one that was unlinked tells nothing."""
        seen = (self._known_of(binding) for binding in bindings)
        return [known for known in seen if known is not None and known.character.visibility is not None]
