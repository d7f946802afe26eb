from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx
import pytest

from bot.domain.ids import SearchPageId, UserId
from bot.domain.ratings import ContentRating
from bot.domain.search import SearchQuery, Sort
from bot.errors import UserError
from bot.services.catalog import CATALOGUE_DOWN
from bot.services.catalog_search import (
    KEPT_MS,
    MOST_READS,
    NOT_TAKEN,
    NOT_YOURS,
    PAGE_SIZE,
    TOO_OLD,
    Direction,
    ResultPage,
    SearchService,
)
from bot.services.character_shelf import CharacterShelf
from bot.store.characters import Characters
from bot.store.database import Database
from bot.store.search_pages import SearchPages
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import ManualClock

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating
ALICE, BOB = UserId(1), UserId(2)
EVERYTHING = SearchQuery()


class Bench:
    """A search service that can be replaced by one that knows only what is stored."""

    def __init__(self, database: Database, clock: ManualClock, upstream: FakeCatalogue) -> None:
        self.upstream = upstream
        self.clock = clock
        self.pages = SearchPages(database)
        self._database = database
        self._client = upstream.client()

    async def __aenter__(self) -> "Bench":
        self._open = await self._client.__aenter__()
        self.restart()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)

    def restart(self, *, seconds: float = 20.0) -> None:
        shelf = CharacterShelf(characters=Characters(self._database), clock=self.clock.clock)
        self.service = SearchService(
            shelf=shelf, client=self._open, pages=self.pages, clock=self.clock.clock, seconds=seconds
        )

    def fill(self, count: int, **fields: object) -> None:
        for number in range(count):
            self.upstream.add(f"character-{len(self.upstream.items)}", f"Number {number}", **fields)

    async def search(self, query: SearchQuery = EVERYTHING, *, ceiling: ContentRating = SFW) -> ResultPage:
        return await self.service.search(ALICE, query, ceiling=ceiling)

    async def forward(self, page: ResultPage, *, ceiling: ContentRating = SFW) -> ResultPage:
        return await self.service.turn(page.id, ALICE, Direction.FORWARD, ceiling=ceiling)

    async def back(self, page: ResultPage, *, ceiling: ContentRating = SFW) -> ResultPage:
        return await self.service.turn(page.id, ALICE, Direction.BACK, ceiling=ceiling)


@pytest.fixture
async def bench(database: Database, clock: ManualClock) -> AsyncGenerator[Bench]:
    async with Bench(database, clock, FakeCatalogue()) as made:
        yield made


def slugs(page: ResultPage) -> list[str | None]:
    return [known.character.slug for known in page.characters]


def numbered(first: int, last: int) -> list[str]:
    return [f"character-{number}" for number in range(first, last + 1)]


async def refusal(bench: Bench, page: ResultPage, user_id: UserId = ALICE) -> str:
    with pytest.raises(UserError) as caught:
        await bench.service.turn(page.id, user_id, Direction.FORWARD, ceiling=SFW)
    return caught.value.sentence


@pytest.mark.parametrize("largest_page", [1, 3, 5, 7, 25, 50])
async def test_pages_turn_forwards_and_back_whatever_size_the_catalogue_gives(bench: Bench, largest_page: int) -> None:
    bench.upstream.largest_page = largest_page
    bench.fill(12)
    first = await bench.search()
    assert (first.number, slugs(first), first.more) == (1, numbered(0, 4), True)
    second = await bench.forward(first)
    assert (second.number, slugs(second), second.more) == (2, numbered(5, 9), True)
    third = await bench.forward(second)
    assert (third.number, slugs(third), third.more) == (3, numbered(10, 11), False)
    assert await bench.forward(third) == third
    assert slugs(await bench.back(third)) == numbered(5, 9)
    assert slugs(await bench.back(third)) == numbered(0, 4)
    assert (await bench.back(third)).number == 1


async def test_pages_turn_after_a_restart(bench: Bench) -> None:
    bench.upstream.largest_page = 5
    bench.fill(20)
    page = await bench.search(SearchQuery(text="number", tags=(), sort=Sort.NEW))
    page = await bench.forward(page)
    bench.restart()
    assert slugs(await bench.forward(page)) == numbered(10, 14)
    bench.restart()
    assert slugs(await bench.back(page)) == numbered(5, 9)
    assert bench.upstream.lists[-1]["sort"] == "new"
    assert bench.upstream.lists[-1]["q"] == "number"


async def test_most_pages_turn_without_asking_the_catalogue(bench: Bench) -> None:
    bench.fill(25)
    page = await bench.search()
    for _ in range(4):
        page = await bench.forward(page)
    assert slugs(page) == numbered(20, 24)
    assert len(bench.upstream.requests) == 1
    bench.clock.advance(KEPT_MS / 1000)
    await bench.back(page)
    assert len(bench.upstream.requests) == 2


async def test_what_a_person_asks_for_is_what_upstream_is_asked(bench: Bench) -> None:
    query = SearchQuery(text="guide", tags=("writing", "tools"), rating_max=SUGGESTIVE, sort=Sort.TOP_RATED)
    assert (await bench.search(query, ceiling=NSFW)).rating_max is SUGGESTIVE
    (params,) = bench.upstream.lists
    assert params["q"] == "guide"
    assert params.get_list("tags") == ["writing", "tools"]
    assert params["sort"] == "top_rated"
    assert params["content_rating_max"] == "suggestive"


async def test_the_place_s_ceiling_is_above_a_person_s_wish(bench: Bench) -> None:
    bench.fill(1, content_rating="nsfw")
    page = await bench.search(SearchQuery(rating_max=EXPLICIT), ceiling=SFW)
    assert (page.characters, page.rating_max) == ((), SFW)
    assert bench.upstream.lists[0]["content_rating_max"] == "sfw"


@pytest.mark.parametrize(
    "fields",
    [
        {"allow_api": False},
        {"visibility": "private"},
        {"moderation_status": "pending"},
        {"archived": True},
        {"creator_content_rating": "nsfw"},
        {"content_rating": "a-new-word"},
    ],
)
async def test_what_may_not_be_used_or_shown_is_left_out_though_upstream_lists_it(
    bench: Bench, fields: dict[str, object]
) -> None:
    bench.fill(3)
    bench.fill(2, **fields)
    bench.fill(2)
    page = await bench.search()
    assert slugs(page) == [*numbered(0, 2), *numbered(5, 6)]
    assert not page.more


async def test_short_list_items_are_not_held_against_a_character(bench: Bench) -> None:
    bench.upstream.list_fields = ("id", "slug", "name", "content_rating")
    bench.fill(2)
    assert slugs(await bench.search()) == numbered(0, 1)


async def test_stretches_with_nothing_to_show_are_skipped(bench: Bench) -> None:
    bench.upstream.largest_page = 2
    bench.fill(6, allow_api=False)
    bench.fill(3)
    page = await bench.search()
    assert slugs(page) == numbered(6, 8)
    assert not page.more


async def test_skipping_ends_somewhere_and_can_be_continued(bench: Bench) -> None:
    bench.upstream.largest_page = 2
    bench.fill(2 * MOST_READS + 2, allow_api=False)
    bench.fill(1)
    page = await bench.search()
    assert (page.characters, page.more) == ((), True)
    assert len(bench.upstream.requests) == MOST_READS
    page = await bench.forward(page)
    assert slugs(page) == [f"character-{2 * MOST_READS + 2}"]
    assert not page.more


async def test_no_page_is_promised_where_nothing_more_can_be_shown(bench: Bench) -> None:
    bench.upstream.largest_page = PAGE_SIZE
    bench.fill(PAGE_SIZE)
    bench.fill(PAGE_SIZE, allow_api=False)
    assert not (await bench.search()).more


@pytest.mark.parametrize("turned", ["5", "0", "10"])
async def test_a_cursor_that_repeats_ends_the_list(bench: Bench, turned: str) -> None:
    bench.upstream.largest_page = PAGE_SIZE
    bench.upstream.turn_page = lambda asked, following: turned if asked == "10" else following
    bench.fill(40)
    page = await bench.search()
    for _ in range(10):
        page = await bench.forward(page)
    assert not page.more
    assert page.number <= 4


async def test_a_page_that_loses_its_flag_shows_less(bench: Bench) -> None:
    bench.fill(7, content_rating="nsfw")
    page = await bench.search(ceiling=NSFW)
    assert len(page.characters) == PAGE_SIZE
    page = await bench.forward(page, ceiling=SFW)
    assert page.characters == ()


async def test_a_search_belongs_to_the_person_who_made_it(bench: Bench) -> None:
    bench.fill(10)
    page = await bench.search()
    assert await refusal(bench, page, BOB) == NOT_YOURS
    assert (await bench.forward(page)).number == 2


async def test_a_search_that_was_tidied_away_is_too_old(bench: Bench) -> None:
    bench.fill(10)
    page = await bench.search()
    assert await refusal(bench, replace(page, id=SearchPageId(99))) == TOO_OLD
    await bench.pages.prune(bench.clock.now_ms() + 1)
    assert await refusal(bench, page) == TOO_OLD


async def test_a_cursor_that_upstream_no_longer_takes_makes_a_search_too_old(bench: Bench) -> None:
    bench.upstream.largest_page = PAGE_SIZE
    bench.fill(20)
    page = await bench.forward(await bench.search())
    bench.restart()
    bench.upstream.status = 400
    assert await refusal(bench, page) == TOO_OLD


@pytest.mark.parametrize(("status", "sentence"), [(400, NOT_TAKEN), (503, CATALOGUE_DOWN), (429, CATALOGUE_DOWN)])
async def test_a_catalogue_that_refuses_or_fails_is_told_apart(bench: Bench, status: int, sentence: str) -> None:
    bench.upstream.status = status
    with pytest.raises(UserError) as caught:
        await bench.search()
    assert caught.value.sentence == sentence


async def test_a_search_does_not_wait_forever(bench: Bench) -> None:
    bench.restart(seconds=0.0)
    bench.fill(1)
    with pytest.raises(UserError) as caught:
        await bench.search()
    assert caught.value.sentence == CATALOGUE_DOWN


async def test_a_page_that_could_not_be_turned_stays_where_it_was(bench: Bench) -> None:
    bench.upstream.largest_page = PAGE_SIZE
    bench.fill(20)
    page = await bench.search()
    bench.restart()
    bench.upstream.status = 503
    assert await refusal(bench, page) == CATALOGUE_DOWN
    bench.upstream.status = int(httpx.codes.OK)
    assert (await bench.forward(page)).number == 2
