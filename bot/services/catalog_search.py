"""Searching the catalogue, five characters a page, forwards and back and across restarts."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from bot.domain.characters import KnownCharacter
from bot.domain.gate import obstacle
from bot.domain.ids import CharacterRef, SearchPageId, UserId
from bot.domain.ratings import ContentRating
from bot.domain.search import SearchPage, SearchQuery
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import NanoGptError, RejectedError
from bot.nanogpt.requests import CatalogQuery
from bot.services.catalog import CATALOGUE_DOWN
from bot.services.character_shelf import CharacterShelf
from bot.services.clock import Clock
from bot.store.search_pages import SearchPages

_log = logging.getLogger(__name__)

PAGE_SIZE: Final = 5
"""Characters shown at a time: what a phone shows without much scrolling."""
UPSTREAM_LIMIT: Final = 25
"""Characters asked for at a time, so that most pages turn without a request."""
MOST_READS: Final = 5
"""Pages of the catalogue read to fill one page, as many may hold nothing that can be shown here."""
SEARCH_SECONDS: Final = 20.0
KEPT_MS: Final = 120_000
"""How long a page of the catalogue is used again."""
KEPT_PAGES: Final = 200

TOO_OLD: Final = "These results are too old to turn their pages. Search again with /character search."
NOT_YOURS: Final = "These results belong to somebody else. Use /character search for your own."
NOT_TAKEN: Final = "The catalogue did not take this search. Try other words, or leave out the tag."


class Direction(Enum):
    """Which way a page is turned."""

    BACK = "back"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class ResultPage:
    """What a person sees of their search."""

    id: SearchPageId
    number: int
    """From 1."""
    query: SearchQuery
    rating_max: ContentRating
    """The strongest rating that was looked for: what the person wants, within what the place may show."""
    characters: tuple[KnownCharacter, ...]
    more: bool
    """Whether there may be another page. True with no characters where a long way held nothing to show."""


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a page begins: at a cursor of the catalogue, past so many of its characters. Stored as a text."""

    cursor: str | None = None
    passed: int = 0

    def __str__(self) -> str:
        return f"{self.passed}:{self.cursor or ''}"

    @classmethod
    def parse(cls, text: str) -> "_Position":
        passed, _, cursor = text.partition(":")
        return cls(cursor or None, int(passed))


@dataclass(frozen=True, slots=True)
class _Listed:
    """A page of the catalogue as it was read."""

    refs: tuple[CharacterRef, ...]
    next_cursor: str | None
    read_at_ms: int


class SearchService:
    """Searches on behalf of persons. What is shown passes the gate anew with every page."""

    def __init__(
        self,
        *,
        shelf: CharacterShelf,
        client: NanoGptClient,
        pages: SearchPages,
        clock: Clock,
        seconds: float = SEARCH_SECONDS,
    ) -> None:
        """`seconds` is how long one page may take."""
        self._shelf = shelf
        self._client = client
        self._pages = pages
        self._clock = clock
        self._seconds = seconds
        self._kept: OrderedDict[CatalogQuery, _Listed] = OrderedDict()

    async def search(self, user_id: UserId, query: SearchQuery, *, ceiling: ContentRating) -> ResultPage:
        """Return the first page. Raises UserError when the catalogue does not answer, or not to this."""
        found, following = await self._look(query, (), ceiling)
        page = await self._pages.create(user_id, query, self._clock.now_ms())
        return _result(page, ceiling, found, more=following is not None)

    async def turn(
        self, page_id: SearchPageId, user_id: UserId, direction: Direction, *, ceiling: ContentRating
    ) -> ResultPage:
        """Return the page before or after the one that a search is at; at either end, the same one again.

        Raises UserError when the search was somebody else's, is too old, or the catalogue does not answer.
        """
        page = await self._pages.get(page_id)
        if page is None:
            raise UserError(TOO_OLD)
        if page.user_id != user_id:
            raise UserError(NOT_YOURS)
        cursors = page.cursors[:-1]
        if direction is Direction.FORWARD:
            shown, following = await self._look(page.query, page.cursors, ceiling)
            if following is None:
                return _result(page, ceiling, shown, more=False)
            cursors = (*page.cursors, str(following))
        found, following = await self._look(page.query, cursors, ceiling)
        turned = await self._pages.turn(page_id, cursors, self._clock.now_ms())
        if turned is None:
            raise UserError(TOO_OLD)
        return _result(turned, ceiling, found, more=following is not None)

    async def _look(
        self, query: SearchQuery, steps: tuple[str, ...], ceiling: ContentRating
    ) -> tuple[tuple[KnownCharacter, ...], _Position | None]:
        """Return the characters of the page that so many steps lead to, and where the next one begins, if one does."""
        way = [_Position(), *map(_Position.parse, steps)]
        try:
            async with asyncio.timeout(self._seconds):
                return await self._fill(query, way, ceiling)
        except RejectedError as error:
            raise UserError(NOT_TAKEN if way[-1].cursor is None else TOO_OLD) from error
        except (NanoGptError, TimeoutError) as error:
            _log.info("a search came to nothing: %r", error)
            raise UserError(CATALOGUE_DOWN) from error

    async def _fill(
        self, query: SearchQuery, way: list[_Position], ceiling: ContentRating
    ) -> tuple[tuple[KnownCharacter, ...], _Position | None]:
        rating_max = _rating_max(query, ceiling)
        asked = CatalogQuery(
            rating_max=rating_max,
            text=query.text or "",
            tags=query.tags,
            sort=query.sort,
            cursor=way[-1].cursor,
            limit=UPSTREAM_LIMIT,
        )
        found: list[KnownCharacter] = []
        passed = way[-1].passed
        been = {position.cursor for position in way}
        for _ in range(MOST_READS):
            listed = await self._list(asked)
            for place, ref in enumerate(listed.refs[passed:], passed):
                known = self._shelf.by_ref(ref)
                if known is None or known in found or obstacle(known, ceiling=rating_max) is not None:
                    continue
                if len(found) == PAGE_SIZE:
                    return tuple(found), _Position(asked.cursor, place)
                found.append(known)
            if listed.next_cursor is None or listed.next_cursor in been:
                return tuple(found), None
            been.add(listed.next_cursor)
            asked, passed = replace(asked, cursor=listed.next_cursor), 0
        return tuple(found), _Position(asked.cursor)

    async def _list(self, query: CatalogQuery) -> _Listed:
        now_ms = self._clock.now_ms()
        kept = self._kept.get(query)
        if kept is not None and now_ms - kept.read_at_ms < KEPT_MS:
            return kept
        page = await self._client.list_characters(query)
        known = await self._shelf.remember(page.characters)
        listed = self._kept[query] = _Listed(tuple(each.ref for each in known), page.next_cursor, now_ms)
        self._kept.move_to_end(query)
        if len(self._kept) > KEPT_PAGES:
            self._kept.popitem(last=False)
        return listed


def _rating_max(query: SearchQuery, ceiling: ContentRating) -> ContentRating:
    return ceiling if query.rating_max is None else min(ceiling, query.rating_max)


def _result(
    page: SearchPage, ceiling: ContentRating, characters: tuple[KnownCharacter, ...], *, more: bool
) -> ResultPage:
    return ResultPage(page.id, page.number, page.query, _rating_max(page.query, ceiling), characters, more)
