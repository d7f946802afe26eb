"""Who is behind a number, as the people of a server may know it."""

from collections.abc import Callable

from bot.domain.bindings import Binding
from bot.domain.characters import KnownCharacter, is_private
from bot.domain.ids import CharacterRef, GuildId
from bot.services.binding_index import BindingIndex
from bot.store.characters import Characters


class Faces:
    """Tells of characters: of a private one what its owner's key sees, and only where it speaks."""

    def __init__(
        self, *, characters: Characters, index: BindingIndex, known_of: Callable[[Binding], KnownCharacter | None]
    ) -> None:
        """`known_of` tells from memory what is known of the character of a binding."""
        self._characters = characters
        self._index = index
        self._known_of = known_of

    async def of(self, ref: CharacterRef, guild_id: GuildId | None) -> KnownCharacter | None:
        """Return what is known of a character, for the people of a server; None for one that was never seen."""
        known = await self._characters.get(ref)
        if known is None or not is_private(known.character):
            return known
        bound = (
            self._known_of(binding)
            for binding in self._index
            if binding.guild_id == guild_id and binding.character_ref == ref
        )
        return next((found for found in bound if found is not None), known)
