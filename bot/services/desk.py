"""The author's desk: the characters of a member's own, read and written with the member's own key and no other."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.domain import desk_wording
from bot.domain.characters import KnownCharacter, OwnCharacter
from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.domain.linking_wording import KEY_REFUSED, NOT_LINKED
from bot.domain.ratings import ContentRating
from bot.domain.suggestions import MAX_CHOICES, Suggestion, as_choices, beginning_with, entry_of_own, folded, looked_for
from bot.errors import UserError
from bot.nanogpt.desk import DeskClient
from bot.nanogpt.errors import (
    BadKeyError,
    ConflictError,
    DailyLimitError,
    InsufficientBalanceError,
    NanoGptError,
    NotFoundError,
    NotPermittedError,
    RateLimitedError,
    RejectedError,
)
from bot.nanogpt.requests import ApiKey
from bot.services.clock import Clock
from bot.services.key_ring import KeyRing
from bot.services.own_shelf import OwnShelf

_log = logging.getLogger(__name__)

MOST_PAGES: Final = 20
"""Pages of one's own characters that are read in one go."""
LIST_SECONDS: Final = 20.0

CharacterChanged: TypeAlias = Callable[[CharacterRef], Awaitable[None]]
"""Hears that a character may be usable no longer, or again, so that its bindings are looked at."""
CharacterDropped: TypeAlias = Callable[[UserId, CharacterRef], Awaitable[None]]
"""Hears that a member has archived a character, so that what is kept with it goes."""

_FAILURES: Final[tuple[tuple[type[NanoGptError], str], ...]] = (
    (BadKeyError, KEY_REFUSED),
    (InsufficientBalanceError, desk_wording.NO_BALANCE),
    (DailyLimitError, desk_wording.DAILY_LIMIT),
    (RateLimitedError, desk_wording.NANOGPT_BUSY),
    (NotPermittedError, desk_wording.NOT_PERMITTED),
    (NotFoundError, desk_wording.NO_LONGER),
)


@dataclass(frozen=True, slots=True)
class MinePage:
    """One page of a member's own characters."""

    characters: tuple[KnownCharacter, ...]
    number: int
    pages: int
    archived: int


def desk_sentence(error: NanoGptError) -> str:
    """Return what an author reads about a call that failed; the key and the account are their own."""
    for kind, sentence in _FAILURES:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, RejectedError | ConflictError):
        return desk_wording.refused_by_nanogpt(error.message)
    return desk_wording.NANOGPT_DOWN


class DeskService:
    """Finds, reads and archives members' own characters."""

    def __init__(
        self,
        *,
        shelf: OwnShelf,
        keys: KeyRing,
        client: DeskClient,
        changed: CharacterChanged,
        dropped: CharacterDropped,
        channels_of: Callable[[CharacterRef], int],
        clock: Clock,
    ) -> None:
        """`channels_of` tells in how many channels a character speaks."""
        self._shelf = shelf
        self._keys = keys
        self._client = client
        self._changed = changed
        self._dropped = dropped
        self._channels_of = channels_of
        self._clock = clock

    async def key(self, user_id: UserId) -> ApiKey:
        """Return the key of a member's account. Raises UserError for one who has none that can be used."""
        key = await self._keys.of_member(user_id)
        if key is None:
            raise UserError(KEY_REFUSED if await self._keys.is_linked(user_id) else NOT_LINKED)
        return key

    @asynccontextmanager
    async def asking(self, user_id: UserId) -> AsyncGenerator[ApiKey]:
        """Hand out a member's key, and turn NanoGPT's refusals inside into sentences for them.

        A refused key is marked as such. Raises UserError.
        """
        key = await self.key(user_id)
        try:
            yield key
        except BadKeyError as error:
            await self.key_refused(key)
            raise UserError(desk_sentence(error)) from error
        except (NanoGptError, TimeoutError) as error:
            _log.info("The desk of %s had to do without an answer: %r", user_id, error)
            sentence = desk_sentence(error) if isinstance(error, NanoGptError) else desk_wording.NANOGPT_DOWN
            raise UserError(sentence) from error

    async def key_refused(self, key: ApiKey) -> None:
        """Take note that NanoGPT refused a member's key."""
        await self._keys.refused(key)

    # Looking

    async def mine(self, user_id: UserId) -> MinePage:
        """Read the list of a member's own characters, and return its first page. Raises UserError."""
        await self.read_all(user_id)
        return self.page(user_id, 1)

    def page(self, user_id: UserId, number: int) -> MinePage:
        """Return a page of what was read last, from memory; the last one where there are not so many."""
        characters = self._shelf.of(user_id)
        pages = max(1, -(-len(characters) // desk_wording.PAGE))
        number = min(max(number, 1), pages)
        start = (number - 1) * desk_wording.PAGE
        shown = tuple(characters[start : start + desk_wording.PAGE])
        return MinePage(shown, number, pages, self._shelf.archived(user_id))

    async def read_all(self, user_id: UserId) -> list[OwnCharacter]:
        """Read all of a member's own characters, archived ones too. Raises UserError."""
        async with self.asking(user_id) as key, asyncio.timeout(LIST_SECONDS):
            return await self._listed(user_id, key)

    async def find(self, user_id: UserId, address: str) -> KnownCharacter:
        """Find the one of a member's own characters that they named by id, slug or name. Raises UserError."""
        await self.key(user_id)
        address = looked_for(address) or address.strip()
        found = _answering_to(self._shelf.of(user_id), address)
        if not found:
            await self.read_all(user_id)
            found = _answering_to(self._shelf.of(user_id), address)
        if len(found) > 1:
            raise UserError(desk_wording.SEVERAL_OF_YOURS)
        if not found:
            raise UserError(desk_wording.NONE_OF_YOURS)
        return found[0]

    def known(self, user_id: UserId, ref: CharacterRef) -> KnownCharacter:
        """Return the one of a member's own characters that a button names. Raises UserError for anybody else's."""
        known = self._shelf.by_ref(user_id, ref)
        if known is None:
            raise UserError(desk_wording.SOMEBODY_ELSES)
        return known

    async def read(self, user_id: UserId, known: KnownCharacter) -> OwnCharacter:
        """Read one of a member's own characters as it is now. Raises UserError, also for one that is gone."""
        async with self.asking(user_id) as key:
            try:
                own = await self._client.own_character(known.character.id, key=key)
            except NotFoundError:
                await self._shelf.gone(user_id, known.ref)
                raise
        own = own.under(known.character.id)
        await self._shelf.remember(user_id, own.character)
        if own.character.archived:
            raise UserError(desk_wording.ARCHIVED)
        return own

    async def read_new(self, user_id: UserId, character_id: CharacterId) -> OwnCharacter:
        """Read a character that NanoGPT has just made for a member. Raises UserError."""
        async with self.asking(user_id) as key:
            own = await self._client.own_character(character_id, key=key)
        named_by_slug = own.character.id == own.character.slug
        return own.under(character_id) if named_by_slug else own

    def suggest(self, user_id: UserId, typed: str, *, limit: int = MAX_CHOICES) -> list[Suggestion]:
        """Return which of a member's own characters to offer for a text, from memory; never nothing."""
        entries = [entry for known in self._shelf.of(user_id) if (entry := entry_of_own(known)) is not None]
        found = beginning_with(entries, folded(typed), ceiling=ContentRating.EXPLICIT, limit=limit)
        return as_choices(found, typed, limit=limit)

    def channels(self, ref: CharacterRef) -> int:
        """Count the channels in which a character speaks."""
        return self._channels_of(ref)

    # Changing

    async def remember(self, user_id: UserId, own: OwnCharacter) -> KnownCharacter:
        """Keep what NanoGPT said of a character after it was written, and have its bindings looked at."""
        known = await self._shelf.remember(user_id, own.character)
        await self._tell_changed(known.ref)
        return known

    async def _tell_changed(self, ref: CharacterRef) -> None:
        try:
            await self._changed(ref)
        except Exception:  # noqa: BLE001 - what was written is written; the watch over bindings comes by later.
            _log.exception("The bindings of character %s could not be looked at", ref)

    async def archive(self, user_id: UserId, ref: CharacterRef) -> KnownCharacter:
        """Archive one of a member's own characters, which nothing undoes. Raises UserError.

        What hung on it goes with it, also where NanoGPT finds it no more and lists it no more. Where the answer was
        lost, the character is looked at to see what became of it.
        """
        known = self.known(user_id, ref)
        key = await self.key(user_id)
        try:
            await self._client.archive_character(known.character.id, key=key)
        except NotFoundError:
            if not await self._is_listed_as_archived(user_id, known):
                raise UserError(desk_wording.NO_LONGER) from None
        except NanoGptError as error:
            if isinstance(error, BadKeyError):
                await self.key_refused(key)
            if not error.uncertain:
                raise UserError(desk_sentence(error)) from error
            _log.info("Whether character %s was archived is not known: %r", ref, error)
            if not await self._is_archived(known, key):
                raise UserError(desk_wording.NOT_ARCHIVED) from error
        await self._let_go(user_id, ref)
        return known

    async def _is_archived(self, known: KnownCharacter, key: ApiKey) -> bool:
        """Look whether an archiving that was not answered was done, after which a character may not be found either."""
        try:
            own = await self._client.own_character(known.character.id, key=key)
        except NotFoundError:
            return True
        except NanoGptError as error:
            raise UserError(desk_wording.UNCERTAIN_ARCHIVE) from error
        return own.character.archived

    async def _is_listed_as_archived(self, user_id: UserId, known: KnownCharacter) -> bool:
        """Tell whether the author's list shows an archived character; one that it leaves out is let go."""
        try:
            mine = await self.read_all(user_id)
        except UserError as error:
            raise UserError(desk_wording.UNCERTAIN_ARCHIVE) from error
        listed = next((own for own in mine if own.character.id == known.character.id), None)
        if listed is not None:
            return listed.character.archived
        present = self._shelf.by_ref(user_id, known.ref)
        # A list that was too long to be read whole says nothing of what it left out.
        if present is not None and present.gone_at_ms is not None:
            await self._let_go(user_id, known.ref)
        return False

    async def _let_go(self, user_id: UserId, ref: CharacterRef) -> None:
        await self._shelf.gone(user_id, ref)
        await self._dropped(user_id, ref)
        await self._tell_changed(ref)

    async def _listed(self, user_id: UserId, key: ApiKey) -> list[OwnCharacter]:
        listed: dict[CharacterId, OwnCharacter] = {}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._client.my_characters(key=key, cursor=cursor)
            await self._shelf.remember_listed(user_id, [own.character for own in page.characters])
            listed |= {own.character.id: own for own in page.characters}
            cursor = page.next_cursor
            if cursor is None:
                await self._forget_others(user_id, frozenset(listed))
                break
        return list(listed.values())

    async def _forget_others(self, user_id: UserId, listed: frozenset[CharacterId]) -> None:
        """Write down that what a whole list leaves out is there no more."""
        for known in self._shelf.of(user_id):
            if known.character.id not in listed:
                await self._shelf.gone(user_id, known.ref)


def _answering_to(characters: list[KnownCharacter], address: str) -> list[KnownCharacter]:
    """Return the character of an id or slug, else those of a name."""
    for known in characters:
        character = known.character
        if character.id == address or (character.slug or "").lower() == address.lower() != "":
            return [known]
    wanted = folded(address)
    return [known for known in characters if wanted and folded(known.character.name) == wanted]
