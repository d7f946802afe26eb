import pytest

from bot.domain.ids import SearchPageId
from bot.domain.ratings import ContentRating
from bot.domain.search import SearchQuery, Sort
from bot.store.database import Database
from bot.store.search_pages import SearchPages
from tests.store.seed import ALICE, BOB, NOW

QUERIES = [
    SearchQuery(),
    SearchQuery("wri\u00e7ing \U0001f600 \"'", ("a", "b"), ContentRating.SUGGESTIVE, Sort.TRENDING),
    SearchQuery(rating_max=ContentRating.SFW),
]


@pytest.fixture
def pages(database: Database) -> SearchPages:
    return SearchPages(database)


@pytest.mark.parametrize("query", QUERIES)
async def test_a_search_starts_at_its_first_page(pages: SearchPages, query: SearchQuery) -> None:
    page = await pages.create(ALICE, query, NOW)
    assert (page.user_id, page.query, page.cursors, page.used_at_ms) == (ALICE, query, (), NOW)
    assert (page.cursor, page.number) == (None, 1)
    assert await pages.get(page.id) == page


async def test_pages_are_turned_forth_and_back(pages: SearchPages) -> None:
    page = await pages.create(ALICE, QUERIES[1], NOW)
    third = await pages.turn(page.id, ["second", "third"], NOW + 1)
    assert third is not None
    assert (third.cursor, third.number, third.query, third.used_at_ms) == ("third", 3, QUERIES[1], NOW + 1)
    second = await pages.turn(page.id, third.cursors[:-1], NOW + 2)
    assert second is not None
    assert (second.cursor, second.number) == ("second", 2)
    assert await pages.get(page.id) == second


async def test_each_search_is_apart(pages: SearchPages) -> None:
    first = await pages.create(ALICE, QUERIES[0], NOW)
    second = await pages.create(BOB, QUERIES[1], NOW)
    await pages.turn(second.id, ["x"], NOW)
    assert await pages.get(first.id) == first


async def test_unused_searches_are_pruned_and_their_ids_never_given_again(pages: SearchPages) -> None:
    old = await pages.create(ALICE, QUERIES[0], NOW)
    used = await pages.create(ALICE, QUERIES[0], NOW)
    await pages.turn(used.id, ["x"], NOW + 10)
    assert await pages.prune(NOW + 10) == 1
    assert await pages.get(old.id) is None
    assert await pages.turn(old.id, [], NOW) is None
    assert await pages.prune(NOW + 11) == 1
    assert (await pages.create(BOB, QUERIES[0], NOW)).id > used.id


async def test_an_unknown_search_is_none(pages: SearchPages) -> None:
    assert await pages.get(SearchPageId(9)) is None
