"""A plain HTTP visitor of the NanoGPT stand-in: raw aiohttp, so that no client of ours hides a mistake."""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import aiohttp

from bot.sandbox.nanogpt.server import NanoGptSandbox


def at(value: object, *path: str | int) -> object:
    """Look into decoded JSON; raises KeyError or IndexError where the path does not lead anywhere."""
    for step in path:
        value = cast("list[object]", value)[step] if isinstance(step, int) else cast("dict[str, object]", value)[step]
    return value


def items(value: object) -> list[object]:
    """Return a decoded JSON array."""
    assert isinstance(value, list)
    return cast("list[object]", value)


def slugs(value: object) -> list[object]:
    """Return the slugs of a list of characters."""
    return [at(item, "slug") for item in items(value)]


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    raw: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> object:
        """The decoded body."""
        return json.loads(self.raw)

    def at(self, *path: str | int) -> object:
        """Look into the decoded body."""
        return at(self.json, *path)

    @property
    def data(self) -> list[str]:
        """What the frames of a stream carry, `[DONE]` included."""
        lines = self.raw.decode().replace("\r\n", "\n").split("\n")
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]

    @property
    def events(self) -> list[object]:
        """The decoded frames of a stream, without `[DONE]`."""
        return [json.loads(data) for data in self.data if data != "[DONE]"]

    @property
    def kinds(self) -> list[object]:
        """The types of a stream's events."""
        return [at(event, "type") for event in self.events]

    @property
    def streamed(self) -> str:
        """The text of a stream's deltas."""
        return "".join(
            str(at(event, "delta")) for event in self.events if at(event, "type") == "response.output_text.delta"
        )


class Visit:
    """Somebody with a connection to the stand-in."""

    def __init__(self, upstream: NanoGptSandbox, session: aiohttp.ClientSession) -> None:
        self.upstream = upstream
        self.session = session

    async def get(
        self, path: str, query: Iterable[tuple[str, str]] = (), *, key: str | None = None, direct: bool = False
    ) -> Reply:
        """GET a path below the base address, or below the direct one."""
        base = self.upstream.responses_url if direct else self.upstream.base_url
        async with self.session.get(f"{base}{path}", params=list(query), headers=_headers(key)) as response:
            return Reply(response.status, await response.read(), response.headers)

    async def post(self, path: str, body: object, *, key: str | None = None) -> Reply:
        """POST JSON to a path below the base address."""
        url = f"{self.upstream.base_url}{path}"
        async with self.session.post(url, json=body, headers=_headers(key)) as response:
            return Reply(response.status, await response.read(), response.headers)

    async def send(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Reply:
        """Send JSON, or nothing, to a path below the base address, or beside it if it begins like one that is there."""
        beside = path.startswith(("/api/", "/cli-login/"))
        base = self.upstream.site_url if beside else self.upstream.base_url
        async with self.session.request(method, f"{base}{path}", json=body, headers=_headers(key)) as response:
            return Reply(response.status, await response.read(), response.headers)

    async def ask(self, text: object = "hello", *, key: str | None = None, **fields: object) -> Reply:
        """Ask the Helpful Guide, or another by `character_id`, with the operator's key, or another."""
        body = {"character_id": "helpful-guide", "store": False, "input": text, **fields}
        url = f"{self.upstream.responses_url}/responses"
        async with self.session.post(url, json=body, headers=_headers(key or self.upstream.operator_key)) as response:
            return Reply(response.status, await response.read(), response.headers)

    async def stream(self, text: object = "hello", *, key: str | None = None, **fields: object) -> Reply:
        """Ask for a stream and read it to its end."""
        return await self.ask(text, key=key, stream=True, **fields)

    def key_of(self, account: str) -> str:
        """Return the key of an account, opening it if need be."""
        return self.upstream.catalog.add_account(account).key


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


@asynccontextmanager
async def visiting(upstream: NanoGptSandbox | None = None) -> AsyncGenerator[Visit]:
    """Start a stand-in and visit it."""
    async with upstream or NanoGptSandbox() as running, aiohttp.ClientSession() as session:
        yield Visit(running, session)
