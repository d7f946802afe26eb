"""Fetching files from a CDN of one's own, which does what a CDN should not."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from bot.errors import UserError
from bot.gateway.attachments import DISCORD_CDN, AttachmentReader
from bot.sandbox.discord import DiscordSandbox

MANY = 1_000_000


@asynccontextmanager
async def cdn(handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncGenerator[str]:
    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/cdn"
    finally:
        await runner.cleanup()


async def test_a_file_is_fetched_whole() -> None:
    async with DiscordSandbox() as sandbox:
        guild = sandbox.add_guild("Writers")
        file = guild.owner.upload(guild.add_channel("general"), "card.png", b"\x00picture" * 20_000)
        assert await AttachmentReader(cdn_url=sandbox.cdn_url)(file.url, MANY) == file.content


@pytest.mark.parametrize("size", [100, 101, 300_000])
async def test_a_file_is_read_no_further_than_asked_for(size: int) -> None:
    async with DiscordSandbox() as sandbox:
        guild = sandbox.add_guild("Writers")
        file = guild.owner.upload(guild.add_channel("general"), "card.png", b"x" * size)
        reader = AttachmentReader(cdn_url=sandbox.cdn_url)
        if size == 100:
            assert len(await reader(file.url, 100)) == 100
        else:
            with pytest.raises(UserError, match="too large: I take at most"):
                await reader(file.url, 100)


async def test_the_size_that_is_named_is_not_believed() -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)
            sent += 10_000

    async with cdn(endless) as base:
        with pytest.raises(UserError, match="at most 10 MiB"):
            await AttachmentReader(cdn_url=base)(f"{base}/attachments/1/2/card.png", 10 * 1024 * 1024)
    assert sent < 20 * 1024 * 1024


async def test_a_packed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(b"x" * MANY)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with cdn(answer) as base:
        assert await AttachmentReader(cdn_url=base)(f"{base}/a", 10_000) == packed


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with cdn(answer) as base:
        with pytest.raises(UserError, match="could not fetch that file"):
            await AttachmentReader(cdn_url=base)(f"{base}/a", 10)
    assert asked == ["/cdn/a"]


async def test_a_cdn_that_says_nothing_is_left_alone_in_time() -> None:
    async def silent(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with cdn(silent) as base:
        with pytest.raises(UserError, match="could not fetch that file"):
            await AttachmentReader(cdn_url=base, seconds=0.05)(f"{base}/a", 10)


async def test_a_cdn_that_is_down_is_a_sentence() -> None:
    async with cdn(lambda _: asyncio.sleep(0, web.Response())) as base:
        pass
    with pytest.raises(UserError, match="could not fetch that file"):
        await AttachmentReader(cdn_url=base)(f"{base}/a", 10)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/cdn/a",
        "http://127.0.0.1/cdnx/a",
        "http://127.0.0.1@evil.invalid/cdn/a",
        "http://127.0.0.1/cdn/../secret",
        "http://127.0.0.1/cdn/%2e%2e/secret",
        "http://127.0.0.1/cdn/a/.%2E/%2e./secret",
        "http://127.0.0.1/cdn/..%2Fsecret",
        "http://127.0.0.1/cdn/..%5Csecret",
        "http://127.0.0.1:port/cdn/a",
        "http:/cdn/a",
        "//127.0.0.1/cdn/a",
        "/cdn/a",
        "http://127.0.0.1/cdn/\\evil",
        "http://127.0.0.1/cdn/a b\n",
        "file:///etc/passwd",
        "https://cdn.discordapp.com.evil.invalid/a",
        "https://cdn.discordapp.com@evil.invalid/a",
        "http://cdn.discordapp.com/a",
        "",
    ],
)
async def test_nothing_is_fetched_from_elsewhere(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> bytes:
        raise AssertionError("it was asked for")

    monkeypatch.setattr("bot.gateway.attachments._fetched", never)
    with pytest.raises(UserError, match="could not fetch that file"):
        await AttachmentReader(cdn_url="http://127.0.0.1/cdn")(url, 10)


async def test_discords_own_cdn_is_always_one_of_the_two(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fetched(address: URL, _: int) -> bytes:
        return str(address).encode()

    monkeypatch.setattr("bot.gateway.attachments._fetched", fetched)
    url = f"{DISCORD_CDN}/attachments/1/2/card.png?ex=1&is=2&hm=3"
    assert await AttachmentReader(cdn_url="http://127.0.0.1/cdn")(url, 10) == url.encode()
