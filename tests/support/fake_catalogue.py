"""A catalogue of characters behind httpx's fake transport, which can be slow, broken or strange on demand."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import unquote

import httpx

from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.retry import RetryPolicy

BASE_URL: Final = "https://nano-gpt.example/api/v1"
RATINGS: Final = ("sfw", "suggestive", "nsfw", "explicit")


class FakeCatalogue:
    """Holds characters as JSON, in the order of their adding."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.status = 200
        """Another one is answered to everything."""
        self.held: asyncio.Event | None = None
        """When there is one, answers wait for it."""
        self.arrived = asyncio.Event()
        """Set by each request."""
        self.largest_page = 50
        self.list_fields: tuple[str, ...] | None = None
        """The fields of list items; all of them when None."""
        self.turn_page: Callable[[str | None, str | None], str | None] = lambda _, following: following
        """Given the cursor asked with and the right next one, returns the one to answer."""
        self.requests: list[httpx.URL] = []
        self.owners: dict[str, str] = {}
        """The keys of those whom some characters belong to, by id; what has an owner is shown to no other key."""
        self.refused: set[str] = set()
        """Keys that are answered 401."""
        self.keys: list[str] = []
        """The keys that came along, one a request; "" where none did."""

    def add(self, slug: str, name: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON.
        item = {
            "id": f"id-of-{slug}",
            "slug": slug,
            "name": name or slug.replace("-", " ").title(),
            "summary": f"All about {slug}",
            "visibility": "public",
            "moderation_status": "approved",
            "allow_api": True,
            "content_rating": "sfw",
            "creator_content_rating": "sfw",
            **fields,
        }
        self.items.append(item)
        return item

    def add_own(self, slug: str, key: str, name: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON.
        """Add a private character of whoever has that key."""
        private = {"visibility": "private", "moderation_status": None, "allow_api": False, "content_rating": None}
        item = self.add(slug, name, **(private | fields))
        self.owners[item["id"]] = key
        return item

    @property
    def reads(self) -> list[str]:
        """The addresses that were read one by one."""
        paths = (unquote(url.raw_path.decode().partition("?")[0]) for url in self.requests)
        return [path.removeprefix("/api/v1/characters/") for path in paths if path.startswith("/api/v1/characters/")]

    @property
    def lists(self) -> list[httpx.QueryParams]:
        """The queries that were listed."""
        return [url.params for url in self.requests if url.path == "/api/v1/characters"]

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[NanoGptClient]:
        """Give a client that sees this catalogue and never retries."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(self._answer)) as http:
            yield NanoGptClient(
                http,
                base_url=BASE_URL,
                responses_url=BASE_URL,
                pace=Pace(10_000),
                jitter=lambda: 0.0,
                policy=RetryPolicy(retries=0),
            )

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url)
        self.arrived.set()
        if self.held is not None:
            await self.held.wait()
        if self.status != 200:
            return httpx.Response(self.status, json={"error": {"message": "no", "type": "fake"}})
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.keys.append(key)
        if key in self.refused:
            return httpx.Response(401, json={"error": {"message": "Invalid session", "code": "invalid_api_key"}})
        address = unquote(request.url.path).removeprefix("/api/v1/characters").strip("/")
        if address == "mine":
            mine = [item for item in self.items if key and self.owners.get(item["id"]) == key]
            return httpx.Response(200, json={"data": mine, "next_cursor": None})
        if address:
            return self._one(address, key)
        return self._page(request.url.params)

    def _one(self, address: str, key: str) -> httpx.Response:
        for item in self.items:
            if address in (item["id"], item.get("slug")) and self.owners.get(item["id"]) in (None, key):
                return httpx.Response(200, json=item)
        return httpx.Response(404, json={"error": {"message": "Character not found", "type": "not_found"}})

    def _page(self, params: httpx.QueryParams) -> httpx.Response:
        ceiling = RATINGS.index(params["content_rating_max"])
        words = params.get("q", "").casefold()
        found = [
            item
            for item in self.items
            if item["id"] not in self.owners
            and (item["content_rating"] not in RATINGS or RATINGS.index(item["content_rating"]) <= ceiling)
            and words in f"{item['name']} {item['summary']}".casefold()
            and set(params.get_list("tags")) <= set(item.get("tags", ()))
        ]
        asked = params.get("cursor")
        start = int(asked or 0)
        end = start + min(int(params["limit"]), self.largest_page)
        listed = found[start:end]
        if self.list_fields is not None:
            listed = [{name: item[name] for name in self.list_fields if name in item} for item in listed]
        following = self.turn_page(asked, str(end) if end < len(found) else None)
        content = json.dumps({"data": listed, "next_cursor": following})
        return httpx.Response(200, headers={"content-type": "application/json"}, content=content)
