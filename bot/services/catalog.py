"""The catalogue: what is known of characters, and whether they may be shown and may speak."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.domain.bindings import PauseCause
from bot.domain.characters import KnownCharacter
from bot.domain.ids import CharacterRef
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.suggestions import Suggestion
from bot.nanogpt.client import NanoGptClient
from bot.services.clock import Clock
from bot.store.characters import Characters


@dataclass(frozen=True, slots=True)
class Standing:
    """A character, and why it may not speak in a place; `cause` is None when it may."""

    known: KnownCharacter
    cause: PauseCause | None


class CatalogService:
    """Knows the characters. `load` comes first; `aclose` ends what is under way."""

    def __init__(self, *, characters: Characters, client: NanoGptClient, limits: ContentLimits, clock: Clock) -> None:
        self._characters = characters
        self._client = client
        self._limits = limits
        self._clock = clock

    async def load(self) -> None:
        """Read the index in memory from the store."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Cancel the reads under way, and wait for them."""
        raise NotImplementedError

    def ceiling(self, place: Place | None) -> ContentRating:
        """Return the strongest rating that a place may show; None stands for direct messages."""
        return self._limits.ceiling(age_restricted=place is not None and place.age_restricted)

    def by_ref(self, ref: CharacterRef) -> KnownCharacter | None:
        """Return what is known of a character, from memory."""
        raise NotImplementedError

    def by_address(self, address: str) -> KnownCharacter | None:
        """Return what is known of the character of an id, or of a slug in any case, from memory."""
        raise NotImplementedError

    async def resolve(self, address: str, *, ceiling: ContentRating) -> KnownCharacter:
        """Find the character that a person named. Raises UserError with a sentence of its own for each refusal."""
        raise NotImplementedError

    async def standing(self, ref: CharacterRef, *, ceiling: ContentRating) -> Standing:
        """Tell whether a bound character may speak. Takes at most READ_SECONDS."""
        raise NotImplementedError

    async def withdrawn(self, ref: CharacterRef) -> None:
        """Write down that a character cannot be spoken with, as the AI service said so."""
        raise NotImplementedError

    async def keep_fresh(self, refs: Callable[[], Iterable[CharacterRef]]) -> None:
        """Read the characters in use again before their knowledge grows old; runs until cancelled."""
        raise NotImplementedError

    async def keep_warm(self) -> None:
        """List some of the catalogue now and every half hour, for suggestions; runs until cancelled."""
        raise NotImplementedError

    def suggest(self, text: str, *, ceiling: ContentRating, limit: int = 25) -> list[Suggestion]:
        """Return what to suggest for a text, from memory; never empty."""
        raise NotImplementedError
