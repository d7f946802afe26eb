"""What a fake transport cannot show: real connections, used again or closed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest

from bot.domain.conversation import InputItem
from bot.domain.ids import CharacterId, PayerId
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.events import Completed, Started, TextDelta
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey, ResponseRequest
from bot.nanogpt.transport import build_http_client
from tests.nanogpt.fixtures import FAKE_KEY, completed, delta, frame, stream

KEY: Final = ApiKey(FAKE_KEY, PayerId("operator"))
REQUEST: Final = ResponseRequest(CharacterId("helpful-guide"), (InputItem("user", "Hi"),))
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@dataclass
class Server:
    """A web server of one answer; counts connections and tells when one was closed by the other side."""

    reply: Callable[[asyncio.StreamWriter], Awaitable[None]]
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                await self.reply(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


@asynccontextmanager
async def client_of(server: Server, *, max_connections: int = 4) -> AsyncGenerator[NanoGptClient, None]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/api/v1"
    async with listener, build_http_client(max_connections=max_connections) as http:
        yield NanoGptClient(http, base_url=url, responses_url=url, pace=Pace(), jitter=lambda: 0.0)


async def hello(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk(stream(delta("Hello"), completed("Hello"))) + chunk(b": bye\n\n") + b"0\r\n\r\n")
    await writer.drain()


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk(frame(delta("Hel"))))
    await writer.drain()


async def test_a_connection_is_used_again() -> None:
    server = Server(hello)
    async with client_of(server) as client:
        for _ in range(3):
            events = [event async for event in client.stream_response(REQUEST, key=KEY)]
            assert [type(event) for event in events] == [Started, TextDelta, Completed]
    assert server.connections == 1


async def test_leaving_a_stream_closes_its_connection() -> None:
    server = Server(endless)
    async with client_of(server) as client:
        async with aclosing(client.stream_response(REQUEST, key=KEY)) as events:
            assert await anext(events) == Started(None)
            assert await anext(events) == TextDelta("Hel")
        await asyncio.wait_for(server.left.wait(), 5)


async def test_cancelling_a_reader_closes_its_connection() -> None:
    server = Server(endless)
    text = asyncio.Event()
    async with client_of(server) as client:

        async def read() -> None:
            async for event in client.stream_response(REQUEST, key=KEY):
                if isinstance(event, TextDelta):
                    text.set()

        task = asyncio.create_task(read())
        await asyncio.wait_for(text.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.left.wait(), 5)


async def test_calls_wait_for_a_connection_however_long_the_queue() -> None:
    server = Server(hello)
    async with client_of(server, max_connections=2) as client:
        completions = await asyncio.gather(*(client.create_response(REQUEST, key=KEY) for _ in range(10)))
    assert [completion.text for completion in completions] == ["Hello"] * 10
    assert server.connections <= 2
