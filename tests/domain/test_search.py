import pytest

from bot.domain.ids import SearchPageId, UserId
from bot.domain.search import MOST_TAGS, SearchPage, SearchQuery, tag_slugs


@pytest.mark.parametrize(
    ("typed", "slugs"),
    [
        ("writing", ("writing",)),
        (" Sci  Fi , #fantasy,sci fi", ("sci-fi", "fantasy")),
        ("", ()),
        (" , ,", ()),
        (",".join("abcdefgh"), tuple("abcdefgh"[:MOST_TAGS])),
    ],
)
def test_tags_are_read_as_people_type_them(typed: str, slugs: tuple[str, ...]) -> None:
    assert tag_slugs(typed) == slugs


def test_a_search_stands_at_the_page_that_its_cursors_lead_to() -> None:
    first = SearchPage(SearchPageId(1), UserId(2), SearchQuery(), (), 0)
    third = SearchPage(SearchPageId(1), UserId(2), SearchQuery(), ("a", "b"), 0)
    assert (first.cursor, first.number) == (None, 1)
    assert (third.cursor, third.number) == ("b", 3)
