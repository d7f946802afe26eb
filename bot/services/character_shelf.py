"""Every character the bot has heard of, in memory and in the store alike."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

from bot.domain.characters import Character, KnownCharacter, is_private, unusable_reason
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating
from bot.domain.suggestions import MAX_CHOICES, Entry, Suggestion, as_choices, beginning_with, entry_of, folded
from bot.services.clock import Clock
from bot.services.name_index import NameIndex
from bot.store.characters import Characters

_SHORTEST_MISSPELT: Final = 3
"""Characters. Shorter texts resemble everything."""


class CharacterShelf:
    """An index of the table character: each change goes to the store first, and then to memory."""

    def __init__(self, *, characters: Characters, clock: Clock) -> None:
        self._characters = characters
        self._clock = clock
        self._by_ref: dict[CharacterRef, KnownCharacter] = {}
        self._by_id: dict[CharacterId, CharacterRef] = {}
        self._by_slug: dict[str, set[CharacterRef]] = {}
        self._entries: dict[CharacterRef, Entry] = {}
        self._sorted: tuple[list[Entry], NameIndex] | None = None
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Read everything from the store."""
        async with self._changing:
            for known in await self._characters.all():
                self._put(known)

    async def remember(self, characters: Iterable[Character]) -> list[KnownCharacter]:
        """Keep what a list of the catalogue told. Returns what is known of each now, in their order, each once."""
        async with self._changing:
            kept = await self._characters.remember(characters, self._clock.now_ms())
            for known in kept:
                self._put(known)
            return kept

    async def remember_full(self, character: Character) -> KnownCharacter:
        """Keep what a full read of one character told."""
        async with self._changing:
            known = await self._characters.remember_full(character, self._clock.now_ms())
            self._put(known)
            return known

    async def gone(self, known: KnownCharacter) -> KnownCharacter:
        """Write down that a character cannot be had any more, and return it as it stands now."""
        async with self._changing:
            marked = await self._characters.gone(known.character.id, self._clock.now_ms()) or known
            self._put(marked)
            return marked

    async def made_private(self, character_id: CharacterId) -> None:
        """Write down that its author shows a character to nobody else (any more)."""
        async with self._changing:
            known = self.by_id(character_id)
            if known is None or is_private(known.character):
                return
            marked = await self._characters.made_private(character_id)
            if marked is not None:
                self._put(marked)

    def by_ref(self, ref: CharacterRef) -> KnownCharacter | None:
        """Return the character of a row id."""
        return self._by_ref.get(ref)

    def by_id(self, character_id: CharacterId) -> KnownCharacter | None:
        """Return the character of the catalogue's own id."""
        ref = self._by_id.get(character_id)
        return None if ref is None else self._by_ref[ref]

    def by_address(self, address: str) -> KnownCharacter | None:
        """Return the character of an id, or of a slug in any case.

        A slug may have passed on: of several, the one that is still there and was seen last has it.
        """
        found = self.by_id(CharacterId(address))
        if found is not None:
            return found
        candidates = [self._by_ref[ref] for ref in self._by_slug.get(address.lower(), ())]
        return max(candidates, key=lambda known: (known.gone_at_ms is None, known.seen_at_ms, known.ref), default=None)

    def named(self, name: str) -> list[KnownCharacter]:
        """Return the characters that can be used and bear a name, whatever its case, accents and punctuation."""
        typed = folded(name)
        return [self._by_ref[entry.ref] for entry in self._entries.values() if typed and entry.name == typed]

    def suggest(self, text: str, *, ceiling: ContentRating, limit: int = MAX_CHOICES) -> list[Suggestion]:
        """Return at most `limit` choices for what a person has typed, and at least one.

        What begins like the text comes first, then what resembles it; the popular come before the others, and
        stand alone where nothing is typed.
        """
        typed = folded(text)
        if text.strip() and not typed:
            return as_choices((), text, limit=limit)
        entries, names = self._sorted or self._sort()
        found = beginning_with(entries, typed, ceiling=ceiling, limit=limit)
        if len(found) < limit and len(typed) >= _SHORTEST_MISSPELT:
            found += names.resembling(typed, ceiling=ceiling, limit=limit)
        return as_choices(found, text, limit=limit)

    def most_used_model(self) -> str | None:
        """Return the model that most characters of the catalogue are built on; None where no model is known."""
        models = Counter(
            known.character.base_model
            for known in self._by_ref.values()
            if known.gone_at_ms is None and unusable_reason(known.character) is None
        )
        del models[None]
        return max(models, key=lambda model: (models[model], model), default=None)

    def _sort(self) -> tuple[list[Entry], NameIndex]:
        entries = sorted(self._entries.values(), key=lambda entry: entry.popularity, reverse=True)
        self._sorted = entries, NameIndex(entries)
        return self._sorted

    def _put(self, known: KnownCharacter) -> None:
        before = self._by_ref.get(known.ref)
        if before is not None and before.character.slug:
            self._by_slug[before.character.slug.lower()].discard(known.ref)
        self._by_ref[known.ref] = known
        self._by_id[known.character.id] = known.ref
        if known.character.slug:
            self._by_slug.setdefault(known.character.slug.lower(), set()).add(known.ref)
        entry = entry_of(known)
        if entry == self._entries.get(known.ref):
            return
        self._sorted = None
        if entry is None:
            del self._entries[known.ref]
        else:
            self._entries[known.ref] = entry
