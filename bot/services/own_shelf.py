"""What members' own keys see of characters that are not for everybody, in memory and in the store alike."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.domain.characters import Character, KnownCharacter, is_private
from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.domain.linking_wording import NOT_LINKED
from bot.errors import UserError
from bot.services.clock import Clock
from bot.store.accounts import NotLinkedError
from bot.store.own_characters import OwnCharacters


class UnlinkedError(UserError):
    """A member took their account away while what its key told was on its way here."""

    def __init__(self) -> None:
        super().__init__(NOT_LINKED)


class OwnShelf:
    """An index of the table own_character: each change goes to the store first, and then to memory.

    What it holds belongs to the member whose key saw it, and is shown to nobody else unasked.
    """

    def __init__(
        self, *, own: OwnCharacters, made_private: Callable[[CharacterId], Awaitable[None]], clock: Clock
    ) -> None:
        """`made_private` hears of each character that is its author's alone, as the catalogue may not have noticed."""
        self._own = own
        self._made_private = made_private
        self._clock = clock
        self._by_member: dict[UserId, dict[CharacterRef, KnownCharacter]] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Read everything from the store."""
        async with self._changing:
            for user_id, known in await self._own.all():
                self._put(user_id, known)

    async def remember(self, user_id: UserId, character: Character) -> KnownCharacter:
        """Keep what a full read with a member's key told. Raises UnlinkedError."""
        async with self._keeping():
            known = await self._own.remember(user_id, character, self._clock.now_ms())
            self._put(user_id, known)
        await self._tell_private([known])
        return known

    async def remember_listed(self, user_id: UserId, characters: Iterable[Character]) -> list[KnownCharacter]:
        """Keep what a member's list of their own told, without losing what full reads told; returns them in order.

        Raises UnlinkedError.
        """
        async with self._keeping():
            listed = await self._own.remember_listed(user_id, characters, self._clock.now_ms())
            for known in listed:
                self._put(user_id, known)
        await self._tell_private(listed)
        return listed

    async def _tell_private(self, seen: Iterable[KnownCharacter]) -> None:
        for known in seen:
            if is_private(known.character):
                await self._made_private(known.character.id)

    @asynccontextmanager
    async def _keeping(self) -> AsyncGenerator[None]:
        async with self._changing:
            try:
                yield
            except NotLinkedError as error:
                raise UnlinkedError from error

    async def gone(self, user_id: UserId, ref: CharacterRef) -> KnownCharacter | None:
        """Write down that a member's key does not see a character any more; return it as it stands now."""
        async with self._changing:
            now_ms = self._clock.now_ms()
            await self._own.gone(user_id, ref, now_ms)
            known = self.by_ref(user_id, ref)
            if known is not None and known.gone_at_ms is None:
                known = replace(known, gone_at_ms=now_ms)
                self._put(user_id, known)
            return known

    def forget(self, user_id: UserId) -> None:
        """Forget what a member's key saw, once the store has."""
        self._by_member.pop(user_id, None)

    def of(self, user_id: UserId) -> list[KnownCharacter]:
        """Return the characters that a member's key sees and that are not archived, by name."""
        there = (
            known
            for known in self._by_member.get(user_id, {}).values()
            if known.gone_at_ms is None and not known.character.archived
        )
        return sorted(there, key=lambda known: (known.character.name.casefold(), known.ref))

    def archived(self, user_id: UserId) -> int:
        """Count the characters that a member has archived."""
        return sum(known.character.archived for known in self._by_member.get(user_id, {}).values())

    def by_ref(self, user_id: UserId, ref: CharacterRef) -> KnownCharacter | None:
        """Return what a member's key saw of a character, be it gone or not."""
        return self._by_member.get(user_id, {}).get(ref)

    def _put(self, user_id: UserId, known: KnownCharacter) -> None:
        self._by_member.setdefault(user_id, {})[known.ref] = known
