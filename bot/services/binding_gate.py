"""The gate as a binding meets it: by what the catalogue says, or by what the key of a member who pays sees."""

from bot.domain.bindings import Binding
from bot.domain.characters import Character, KnownCharacter
from bot.domain.gate import FRESH_MS
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.payers import paying_member
from bot.domain.ratings import ContentRating
from bot.services.catalog import CatalogService, Standing
from bot.services.own_characters import OwnCharacterService


class BindingGate:
    """Tells who is bound, and whether they may speak."""

    def __init__(self, *, catalog: CatalogService, own: OwnCharacterService) -> None:
        self._catalog = catalog
        self._own = own

    def known(self, binding: Binding) -> KnownCharacter | None:
        """Return the character of a binding, from memory and without the gate.

        One that a member's key sees no more has no name, and a rating that no place may show.
        """
        owner = paying_member(binding.payer)
        if owner is None:
            return self._catalog.by_ref(binding.character_ref)
        return self._own.known(owner, binding.character_ref) or _nameless(binding.character_ref)

    async def standing(self, binding: Binding, *, ceiling: ContentRating, fresh_ms: int = FRESH_MS) -> Standing:
        """Tell whether a bound character may speak where the ceiling is such, as CatalogService.standing does."""
        if paying_member(binding.payer) is None:
            return await self._catalog.standing(binding.character_ref, ceiling=ceiling, fresh_ms=fresh_ms)
        cause = await self._own.pause_cause(binding, ceiling=ceiling, fresh_ms=fresh_ms)
        return Standing(self.known(binding) or _nameless(binding.character_ref), cause)

    async def withdrawn(self, binding: Binding) -> None:
        """Write down that a bound character cannot be spoken with, as the AI service said so."""
        if paying_member(binding.payer) is None:
            await self._catalog.withdrawn(binding.character_ref)
        else:
            await self._own.withdrawn(binding)


def _nameless(ref: CharacterRef) -> KnownCharacter:
    return KnownCharacter(ref, Character(CharacterId(""), ""), seen_at_ms=0, checked_at_ms=None, gone_at_ms=None)
