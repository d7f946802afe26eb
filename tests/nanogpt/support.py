"""A scripted NanoGPT behind httpx's own fake transport, and a clock that nobody has to wait for."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import httpx

from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.jsonvalue import Json
from bot.nanogpt.pace import Pace, Priority
from bot.nanogpt.transport import TimeLimits

BASE_URL: Final = "https://nano-gpt.example/api/v1"
RESPONSES_URL: Final = "https://api.nano-gpt.example/api/v1"
NOON: Final = 1_760_011_200.0


class Body(httpx.AsyncByteStream):
    """A body that comes in pieces; an exception or a callable among them is raised or called in its place."""

    def __init__(self, pieces: Iterable[bytes | Exception | Callable[[], None]]) -> None:
        self._pieces = list(pieces)
        self.closed = False
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            self.sent += 1
            if isinstance(piece, bytes):
                yield piece
            else:
                piece()

    async def aclose(self) -> None:
        self.closed = True


Step = httpx.Response | Exception


def answer(value: Json, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, headers={"content-type": "application/json", **named}, content=json.dumps(value))


def raw(body: bytes, status: int = 200, content_type: str = "text/html") -> httpx.Response:
    return httpx.Response(status, headers={"content-type": content_type}, content=body)


def piecemeal(
    *pieces: bytes | Exception | Callable[[], None],
    status: int = 200,
    content_type: str = "application/json",
    **headers: str,
) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = Body(pieces)
    # httpx wraps the stream of a response that it has handled; the extension keeps ours within reach.
    return httpx.Response(
        status, headers={"content-type": content_type, **named}, stream=body, extensions={"body": body}
    )


def streamed(*pieces: bytes | Exception | Callable[[], None], status: int = 200, **headers: str) -> httpx.Response:
    return piecemeal(*pieces, status=status, content_type="text/event-stream", **headers)


def body_of(response: httpx.Response) -> Body:
    return cast("Body", response.extensions["body"])


def _nothing() -> None:
    """Stand in for something that takes no time."""


class RecordingPace(Pace):
    """Lets everybody through and notes who went."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[Priority] = []
        self.on_turn: Callable[[], None] = _nothing

    async def turn(self, priority: Priority) -> None:
        self.turns.append(priority)
        self.on_turn()


@dataclass
class Upstream:
    """Answers requests with the steps of a script, in order."""

    script: Sequence[Step]
    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    slept: list[float] = field(default_factory=list[float])
    now: float = 0.0
    jitter: float = 0.0
    limits: TimeLimits = field(default_factory=TimeLimits)
    pace: RecordingPace = field(default_factory=RecordingPace)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script[len(self.requests) - 1]
        if isinstance(step, Exception):
            raise step
        return step

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pass_time(self, seconds: float) -> Callable[[], None]:
        """Return a piece of a body that takes so long to come."""

        def wait() -> None:
            self.now += seconds

        return wait

    def client(self, http: httpx.AsyncClient | None = None) -> NanoGptClient:
        return NanoGptClient(
            http or httpx.AsyncClient(transport=httpx.MockTransport(self.handle)),
            base_url=BASE_URL,
            responses_url=RESPONSES_URL + "/",
            pace=self.pace,
            limits=self.limits,
            jitter=lambda: self.jitter,
            sleep=self.sleep,
            monotonic=lambda: self.now,
            now=lambda: NOON,
        )

    def sent(self, place: int = -1) -> dict[str, Json]:
        """Return the JSON body of a request."""
        return cast("dict[str, Json]", json.loads(self.requests[place].content))
