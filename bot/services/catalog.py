"""The catalogue: what is known of characters, and whether they may be shown and may speak."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.bindings import PauseCause
from bot.domain.characters import Character, KnownCharacter
from bot.domain.gate import FRESH_MS, HOLDS_MS, SENTENCES, Obstacle, obstacle, obstacle_sentence, pause_cause
from bot.domain.ids import CharacterId, CharacterRef, GuildId
from bot.domain.places import Place
from bot.domain.ratings import ContentRating
from bot.domain.search import Sort
from bot.domain.suggestions import MAX_CHOICES, Suggestion, folded, looked_for
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import (
    NanoGptError,
    NotFoundError,
    RateLimitedError,
    StalledError,
    UnreachableError,
    UpstreamDownError,
)
from bot.nanogpt.requests import CatalogQuery
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.clock import Clock
from bot.services.single_flight import SingleFlight
from bot.store.errors import StoreError

_log = logging.getLogger(__name__)

READ_SECONDS: Final = 3.0
"""How long a reply waits for a character to be read again."""
RESOLVE_SECONDS: Final = 10.0
"""How long a person's command waits for the catalogue."""
QUIET_SECONDS: Final = 30.0
"""How long replies go by what is known after the catalogue failed, before they wait for it again."""
REUSE_MS: Final = 60_000
"""How old what is known may be to answer a person's command without asking the catalogue."""
REFRESH_AHEAD_MS: Final = 7 * 60_000
"""The age from which characters in use are read again in the background."""
REFRESH_GAP_SECONDS: Final = 0.25
"""Between two reads in the background: the catalogue is everybody's."""
REFRESH_ROUND_SECONDS: Final = 20.0
WARM_UP_SECONDS: Final = 30 * 60.0
WARM_UP_PAGES: Final = 4
"""Pages of each order that are listed for suggestions."""
WARM_UP_LIMIT: Final = 50
AFTER_FAILURE_SECONDS: Final = 60.0
_LOOK_LIMIT: Final = 25

_TROUBLE: Final = (UnreachableError, StalledError, UpstreamDownError, RateLimitedError)
"""Failures that say that the catalogue as a whole does not answer now."""
_NO_SLUG: Final = re.compile(r"[\s\"'/?#%]")

CATALOGUE_DOWN: Final = "The catalogue does not answer just now. Try again in a minute."
NOTHING_TYPED: Final = "Type a few letters of a character's name, or look around with /character search."
SEVERAL: Final = "Several characters go by that name. Find the one you mean with /character search, and open it there."


class Obstructed(UserError):
    """What speaks against a character lies with the character itself, and not with who asks or how."""

    def __init__(self, obstacle: Obstacle, sentence: str) -> None:
        super().__init__(sentence)
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class Standing:
    """A character, and why it may not speak in a place; `cause` is None when it may."""

    known: KnownCharacter
    cause: PauseCause | None


class CatalogService:
    """Reads characters, and decides by the gate what may be done with them.

    Catalogue reads send no key. The shelf is loaded before; `aclose` ends the reads under way.
    """

    def __init__(
        self,
        *,
        shelf: CharacterShelf,
        client: NanoGptClient,
        ceilings: Ceilings,
        clock: Clock,
        read_seconds: float = READ_SECONDS,
        resolve_seconds: float = RESOLVE_SECONDS,
    ) -> None:
        self._shelf = shelf
        self._client = client
        self._ceilings = ceilings
        self._clock = clock
        self._read_seconds = read_seconds
        self._resolve_seconds = resolve_seconds
        self._by_ref = SingleFlight(self._read_ref)
        self._by_address = SingleFlight(self._read_address)
        self._answered_ms: dict[CharacterRef, int] = {}
        self._refused_ms: dict[CharacterRef, int] = {}
        self._quiet_until = 0.0

    async def aclose(self) -> None:
        """Cancel the reads under way, and wait for them."""
        await self._by_ref.aclose()
        await self._by_address.aclose()

    def ceiling(self, place: Place | None) -> ContentRating:
        """Return the strongest rating that a place may show; None stands for direct messages."""
        return self._ceilings.of(place)

    def by_ref(self, ref: CharacterRef) -> KnownCharacter | None:
        """Return what is known of a character, from memory and without the gate."""
        return self._shelf.by_ref(ref)

    def named(self, name: str) -> list[KnownCharacter]:
        """Return the characters that bear a name, from memory and without the gate."""
        return self._shelf.named(name)

    def suggest(self, text: str, *, ceiling: ContentRating, limit: int = MAX_CHOICES) -> list[Suggestion]:
        """Return what to offer for a text that a person is typing, from memory; never nothing."""
        return self._shelf.suggest(text, ceiling=ceiling, limit=limit)

    def most_used_model(self) -> str | None:
        """Return the model that most characters are built on, from memory; None while there are none."""
        return self._shelf.most_used_model()

    async def resolve(self, address: str, *, ceiling: ContentRating, guild_id: GuildId | None = None) -> KnownCharacter:
        """Find the character that a person named, as the catalogue has it now.

        Takes an id, a slug, a name, or a choice made by look_for; a name is looked for, and has to be one
        character's. While the catalogue is down, what was read in the last 24 hours counts: `checked_at_ms` tells.
        `guild_id` is the server in which it is asked for. Raises UserError, with a sentence of its own for each reason;
        Obstructed where it lies with the character.
        """
        address = address.strip()
        typed = looked_for(address)
        if not (address if typed is None else typed):
            raise UserError(NOTHING_TYPED)
        try:
            known = await (self._meant(address, ceiling) if typed is None else self._looked_for(typed, ceiling))
        except (NanoGptError, TimeoutError) as error:
            _log.info("the catalogue could not be asked: %r", error)
            raise UserError(CATALOGUE_DOWN) from error
        if known is None:
            raise Obstructed(Obstacle.UNKNOWN, SENTENCES[Obstacle.UNKNOWN])
        return self._admitted(known, ceiling, guild_id)

    async def resolve_ref(
        self, ref: CharacterRef, *, ceiling: ContentRating, guild_id: GuildId | None = None
    ) -> KnownCharacter:
        """Return the character of a button as the catalogue has it now. Raises UserError as resolve does."""
        known = self._shelf.by_ref(ref)
        if known is None:
            raise Obstructed(Obstacle.UNKNOWN, SENTENCES[Obstacle.UNKNOWN])
        return self._admitted(await self._current(known), ceiling, guild_id)

    async def standing(self, ref: CharacterRef, *, ceiling: ContentRating, fresh_ms: int = FRESH_MS) -> Standing:
        """Tell whether a bound character may speak in a place, by knowledge at most `fresh_ms` old.

        Older knowledge is renewed first, for which it waits at most READ_SECONDS. While the catalogue does not
        answer, the last knowledge counts, until it is 24 hours old. Raises KeyError for a ref that was never given
        out.
        """
        known = self._shelf.by_ref(ref)
        if known is None:
            raise KeyError(ref)
        if fresh_ms <= 0:
            self._refused_ms.pop(ref, None)
        if self._is_refused(ref):
            # Also where a list has named it since: the AI service knows better.
            return Standing(known, PauseCause.UNAVAILABLE)
        if self._age_ms(known) > fresh_ms and self._clock.monotonic() >= self._quiet_until:
            try:
                known = await self._by_ref.get(ref, seconds=self._read_seconds)
            except TimeoutError:
                self._quiet_until = self._clock.monotonic() + QUIET_SECONDS
                _log.info("character %s stands by what is known of it: the catalogue is slow", ref)
            except NanoGptError as error:
                _log.info("character %s stands by what is known of it: %r", ref, error)
        return Standing(known, pause_cause(known, ceiling=ceiling, now_ms=self._clock.now_ms()))

    async def withdrawn(self, ref: CharacterRef) -> None:
        """Write down that a character cannot be spoken with, as the AI service said so.

        The catalogue, which may not know of it, is asked again after 10 minutes.
        """
        known = self._shelf.by_ref(ref)
        if known is not None:
            await self._shelf.gone(known)
            self._answered_ms[ref] = self._refused_ms[ref] = self._clock.now_ms()

    async def made_private(self, character_id: CharacterId) -> None:
        """Write down that a character is private by now, as its author's own key saw it.

        What the catalogue says later counts again.
        """
        await self._shelf.made_private(character_id)

    async def keep_fresh(self, refs: Callable[[], Iterable[CharacterRef]]) -> None:
        """Read the characters in use again before what is known of them grows old. Runs until cancelled.

        `refs` is asked every 20 seconds. One character is read at a time, the oldest first.
        """
        while True:
            for known in self._growing_old(refs()):
                await self._clock.sleep(await self._refresh(known))
            await self._clock.sleep(REFRESH_ROUND_SECONDS)

    async def keep_warm(self) -> None:
        """List some of the catalogue now and every half hour, so that suggestions know it. Runs until cancelled."""
        while True:
            try:
                await self.warm_up()
            except (NanoGptError, StoreError) as error:
                _log.info("the catalogue could not be listed: %r", error)
                await self._clock.sleep(AFTER_FAILURE_SECONDS)
            else:
                await self._clock.sleep(WARM_UP_SECONDS)

    async def warm_up(self) -> None:
        """List the first pages of the catalogue, up to the strongest rating that any place here may show.

        Raises NanoGptError or StoreError.
        """
        for sort in (Sort.TRENDING, Sort.TOP_RATED):
            query = CatalogQuery(rating_max=self._ceilings.highest(), sort=sort, limit=WARM_UP_LIMIT)
            asked: set[str | None] = set()
            while len(asked) < WARM_UP_PAGES and query.cursor not in asked:
                page = await self._client.list_characters(query)
                await self._shelf.remember(page.characters)
                if page.next_cursor is None:
                    break
                asked.add(query.cursor)
                query = replace(query, cursor=page.next_cursor)

    def _admitted(self, known: KnownCharacter, ceiling: ContentRating, guild_id: GuildId | None) -> KnownCharacter:
        found = obstacle(known, ceiling=ceiling)
        if found is not None:
            highest = self._ceilings.highest(guild_id)
            raise Obstructed(found, obstacle_sentence(found, known.character, highest=highest))
        return known

    async def _meant(self, text: str, ceiling: ContentRating) -> KnownCharacter | None:
        """Find the character of an id or slug, else of a name, as a person types it unaided."""
        if _NO_SLUG.search(text) is not None:
            return await self._named(text, ceiling)
        return await self._addressed(text) or await self._named(text, ceiling, exactly=True)

    async def _looked_for(self, text: str, ceiling: ContentRating) -> KnownCharacter | None:
        """Find the character that a person chose to look for."""
        found = await self._named(text, ceiling)
        return found if found is not None or _NO_SLUG.search(text) is not None else await self._addressed(text)

    async def _addressed(self, address: str) -> KnownCharacter | None:
        """Find the character of an id or slug. Raises NanoGptError or TimeoutError."""
        known = self._shelf.by_address(address)
        if known is not None:
            known = await self._current(known)
            if known.gone_at_ms is None and _answers_to(known, address):
                return known
        return await self._by_address.get(address, seconds=self._resolve_seconds)

    async def _named(self, name: str, ceiling: ContentRating, *, exactly: bool = False) -> KnownCharacter | None:
        """Find the one character of a name, or the only one that a search for it finds; `exactly` forbids the latter.

        Raises NanoGptError or TimeoutError, and UserError when there are several.
        """
        query = CatalogQuery(rating_max=ceiling, text=name, limit=_LOOK_LIMIT)
        async with asyncio.timeout(self._resolve_seconds):
            page = await self._client.list_characters(query)
        shown = [
            known for known in await self._shelf.remember(page.characters) if obstacle(known, ceiling=ceiling) is None
        ]
        bearers = [known for known in shown if folded(known.character.name) == folded(name) or _answers_to(known, name)]
        found = bearers if bearers or exactly else shown
        if len(found) > 1:
            raise UserError(SEVERAL)
        return await self._current(found[0]) if found else None

    async def _current(self, known: KnownCharacter) -> KnownCharacter:
        """Return what the catalogue says now, or said within the last minute.

        Raises UserError when the catalogue does not answer and was last heard a day ago.
        """
        if self._age_ms(known) <= REUSE_MS:
            return known
        try:
            return await self._by_ref.get(known.ref, seconds=self._resolve_seconds)
        except (NanoGptError, TimeoutError) as error:
            _log.info("character %s is shown by what is known of it: %r", known.ref, error)
            if self._age_ms(known) > HOLDS_MS:
                raise UserError(CATALOGUE_DOWN) from error
            return known

    def _is_refused(self, ref: CharacterRef) -> bool:
        """Tell whether the AI service has refused a character so lately that the catalogue is not asked yet."""
        refused_ms = self._refused_ms.get(ref)
        return refused_ms is not None and self._clock.now_ms() - refused_ms <= FRESH_MS

    def _age_ms(self, known: KnownCharacter) -> int:
        """Tell how long ago the catalogue last answered for a character, be it that there is none."""
        return self._clock.now_ms() - max(known.checked_at_ms or 0, self._answered_ms.get(known.ref, 0))

    def _growing_old(self, refs: Iterable[CharacterRef]) -> list[KnownCharacter]:
        inside = (self._shelf.by_ref(ref) for ref in dict.fromkeys(refs))
        old = [known for known in inside if known is not None and self._age_ms(known) > REFRESH_AHEAD_MS]
        return sorted(old, key=self._age_ms, reverse=True)

    async def _refresh(self, known: KnownCharacter) -> float:
        """Read one character in the background, and return the seconds to wait until the next."""
        try:
            await self._by_ref.get(known.ref)
        except (NanoGptError, StoreError) as error:
            _log.info("character %s could not be read again: %r", known.ref, error)
            return QUIET_SECONDS if isinstance(error, _TROUBLE) else REFRESH_GAP_SECONDS
        return REFRESH_GAP_SECONDS

    async def _read_ref(self, ref: CharacterRef) -> KnownCharacter:
        """Read a known character in full; one that is not there any more comes back marked as gone."""
        known = self._shelf.by_ref(ref)
        assert known is not None
        try:
            character = await self._read(known.character.id)
        except NotFoundError:
            known = await self._shelf.gone(known)
        else:
            # Under the id it is known by, also should a list have named it by its slug alone.
            known = await self._shelf.remember_full(replace(character, id=known.character.id))
        self._answered_ms[ref] = self._clock.now_ms()
        return known

    async def _read_address(self, address: str) -> KnownCharacter | None:
        try:
            return await self._shelf.remember_full(await self._read(address))
        except NotFoundError:
            return None

    async def _read(self, address: str) -> Character:
        try:
            character = await self._client.get_character(address)
        except _TROUBLE:
            self._quiet_until = self._clock.monotonic() + QUIET_SECONDS
            raise
        self._quiet_until = 0.0
        return character


def _answers_to(known: KnownCharacter, address: str) -> bool:
    slug = known.character.slug
    return known.character.id == address or (slug is not None and slug.lower() == address.lower())
