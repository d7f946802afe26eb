"""The page's side of the socket, without a browser."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import aiohttp

Json: TypeAlias = dict[str, Any]


class PageClient:
    """Asks, and keeps everything that is sent."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0
        self._news = asyncio.Event()
        self.raw: list[str] = []
        self.frames: list[Json] = []
        self.messages: dict[str, Json] = {}
        self.closed: int | None = None

    async def listen(self) -> None:
        """Take frames in until the socket closes."""
        async for frame in self._socket:
            self.raw.append(frame.data)
            self._take(json.loads(frame.data))
            self._news.set()
        self.closed = self._socket.close_code
        self._news.set()

    def _take(self, frame: Json) -> None:
        self.frames.append(frame)
        if frame["t"] == "message":
            self.messages[frame["message"]["id"]] = frame["message"]
        elif frame["t"] == "gone":
            self.messages.pop(frame["id"], None)

    async def until(self, condition: Callable[[], Any], timeout: float = 15.0) -> Any:  # noqa: ANN401 - as JSON is
        """Return the condition's value once it is true; it is looked at after every frame."""
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                self._news.clear()
                await self._news.wait()
            return value

    async def answer_to(self, verb: str, **fields: object) -> Json:
        """Ask, and return the answer whatever it is."""
        self._count += 1
        number = self._count
        await self._socket.send_json({"n": number, "do": verb, **fields})
        return await self.until(
            lambda: next((each for each in self.of("answer") if each["n"] == number), None), timeout=20.0
        )

    async def ask(self, verb: str, **fields: object) -> Json:
        """Ask for something that is done."""
        answer = await self.answer_to(verb, **fields)
        assert answer["ok"], answer
        return answer

    async def refused(self, verb: str, **fields: object) -> str:
        """Ask for something that is not done, and return the sentence."""
        answer = await self.answer_to(verb, **fields)
        assert not answer["ok"], answer
        return answer["sentence"]

    async def send(self, text: str) -> None:
        """Send any text."""
        await self._socket.send_str(text)

    def of(self, kind: str) -> list[Json]:
        """Return the frames of one kind so far."""
        return [frame for frame in self.frames if frame["t"] == kind]

    @property
    def state(self) -> Json:
        """The newest state."""
        return self.of("state")[-1]

    def channel(self, name: str) -> str:
        """Return the id of a channel that is shown."""
        return next(channel["id"] for channel in self.state["channels"] if channel["name"] == name)

    async def become(self, name: str) -> None:
        """Switch to another of the people."""
        before = len(self.of("state"))
        person = next(person["id"] for person in self.state["people"] if person["name"] == name)
        await self.ask("become", person=person)
        await self.until(lambda: len(self.of("state")) > before and self.state["me"]["name"] == name)

    async def message(self, condition: Callable[[Json], Any]) -> Json:
        """Wait for a message that is as it should be."""
        return await self.until(lambda: next((each for each in self.messages.values() if condition(each)), None))

    async def panel(self, part: str, condition: Callable[[Json], Any]) -> Json:
        """Wait for an entry of the panel that is as it should be."""
        return await self.until(
            lambda: next((entry for frame in self.of("panel") for entry in frame[part] if condition(entry)), None)
        )


def origin_of(address: str) -> str:
    """Return the origin of an address."""
    return "/".join(address.split("/")[:3])


@asynccontextmanager
async def page_at(address: str) -> AsyncGenerator[PageClient]:
    """Open the socket of a page, as the page itself does."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}socket", headers={"Origin": origin_of(address)}, max_msg_size=0) as socket,
    ):
        client = PageClient(socket)
        listening = asyncio.create_task(client.listen())
        try:
            await client.until(lambda: client.of("panel"))
            yield client
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
