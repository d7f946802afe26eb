"""How far people have paged through their searches, so that the buttons survive a restart."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from bot.domain.ids import SearchPageId, UserId
from bot.domain.search import SearchPage, SearchQuery
from bot.store.database import Database, Row

_QUERY = TypeAdapter(SearchQuery)
_CURSORS = TypeAdapter(tuple[str, ...])


class SearchPages:
    """The table search_page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user_id: UserId, query: SearchQuery, now_ms: int) -> SearchPage:
        """Start at the first page of a search; the id is short enough for a component's custom id."""
        async with self._database.transaction() as tx:
            (row,) = await tx.execute(
                "INSERT INTO search_page (user_id, query, cursors, used_at) VALUES ($1, $2, $3, $4) RETURNING *",
                user_id,
                _QUERY.dump_json(query, exclude_none=True).decode(),
                _CURSORS.dump_json(()).decode(),
                now_ms,
            )
            return _page(row)

    async def get(self, page_id: SearchPageId) -> SearchPage | None:
        """Return where a search stands; None when it was pruned. Whose it is, the caller checks."""
        rows = await self._database.read("SELECT * FROM search_page WHERE id = $1", page_id)
        return _page(rows[0]) if rows else None

    async def turn(self, page_id: SearchPageId, cursors: Sequence[str], now_ms: int) -> SearchPage | None:
        """Write down that another page is shown, by the cursors that lead there; None when it was pruned."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE search_page SET cursors = $2, used_at = $3 WHERE id = $1 RETURNING *",
                page_id,
                _CURSORS.dump_json(tuple(cursors)).decode(),
                now_ms,
            )
            return _page(rows[0]) if rows else None

    async def prune(self, older_than_ms: int) -> int:
        """Delete the searches last used before a time, and return how many."""
        async with self._database.transaction() as tx:
            return len(await tx.execute("DELETE FROM search_page WHERE used_at < $1 RETURNING id", older_than_ms))


def _page(row: Row) -> SearchPage:
    return SearchPage(
        SearchPageId(row["id"]),
        UserId(row["user_id"]),
        _QUERY.validate_json(row["query"]),
        _CURSORS.validate_json(row["cursors"]),
        row["used_at"],
    )
