"""NanoGPT behind httpx's fake transport: replies come as a script says, piece by piece."""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.retry import RetryPolicy
from tests.support.manual_clock import ManualClock
from tests.support.recording_outlet import Gate

SITE: Final = "https://nano-gpt.example/api/v1"
USAGE: Final = {"input_tokens": 11, "output_tokens": 22, "total_tokens": 33}

Piece = bytes | Exception | Gate | Callable[[], None]
"""Bytes are sent, an exception breaks the stream, a gate is waited for, anything else is called."""


class _Body(httpx.AsyncByteStream):
    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            elif isinstance(piece, Exception):
                raise piece
            elif isinstance(piece, Gate):
                await piece.wait()
            else:
                piece()


def event(kind: str, **fields: Any) -> bytes:  # noqa: ANN401 - JSON.
    return b"data: " + json.dumps({"type": f"response.{kind}", **fields}).encode() + b"\n\n"


def delta(text: str) -> bytes:
    return event("output_text.delta", item_id="msg_0", output_index=0, content_index=0, delta=text)


def ended(text: str, *, status: str = "completed", **fields: Any) -> bytes:  # noqa: ANN401 - JSON.
    """Return the closing event of a reply."""
    content = [{"type": "output_text", "text": text}] if text else []
    output = [{"type": "message", "role": "assistant", "content": content}]
    response = {"id": "resp_1", "model": "a-model", "status": status, "output": output, "usage": USAGE, **fields}
    return event(status, response=response)


def streams(*pieces: Piece | str) -> httpx.Response:
    """Return a streamed answer made of pieces; plain texts are deltas. It ends without a closing event."""
    sent = tuple(delta(piece) if isinstance(piece, str) else piece for piece in pieces)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Body(sent))


def says(*pieces: Gate | str) -> httpx.Response:
    """Return a whole reply, streamed in pieces."""
    whole = "".join(piece for piece in pieces if isinstance(piece, str))
    return streams(*pieces, ended(whole))


def refuses(status: int, message: str = "no", *, code: str = "", kind: str = "", **headers: str) -> httpx.Response:
    """Return an answer that is an error."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"message": message, "type": kind or "error", "code": code or None}
    return httpx.Response(status, headers=named, json={"error": error})


@dataclass
class ScriptedUpstream:
    """Answers replies from a script, and then with "Hello."; characters from a table."""

    characters: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    catalogue_down: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The bodies of the requests for replies."""
    owners: dict[str, str] = field(default_factory=dict[str, str])
    """The keys of those whom some characters belong to, by id; what has an owner is shown to no other key."""
    refused: set[str] = field(default_factory=set[str])
    """Keys that are answered 401."""
    shows_ids: bool = True
    """False: a character that is read by itself is named by its slug alone."""
    paid_with: list[str] = field(default_factory=list[str])
    """The keys of the requests for replies."""
    _replies: deque[httpx.Response | Exception] = field(default_factory=deque[httpx.Response | Exception])

    def script(self, *replies: httpx.Response | Exception) -> None:
        """Decide how the next requests for a reply are answered."""
        self._replies.extend(replies)

    def said(self, place: int = -1) -> list[tuple[str, str]]:
        """Return what a request told the character, by role, without the house note."""
        items = [(item["role"], item["content"]) for item in self.asked[place]["input"]]
        return [item for item in items if item[0] != "developer"]

    def client(self, clock: ManualClock) -> NanoGptClient:
        """Return a client that asks here and never retries."""
        return NanoGptClient(
            httpx.AsyncClient(transport=httpx.MockTransport(self._answer)),
            base_url=SITE,
            responses_url=SITE,
            pace=Pace(10_000),
            jitter=lambda: 0.0,
            policy=RetryPolicy(retries=0, retries_when_empty=0),
            sleep=clock.sleep,
            monotonic=clock.monotonic,
            now=lambda: clock.now_ms() / 1_000,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.url.path.endswith("/responses"):
            self.asked.append(json.loads(request.content))
            self.paid_with.append(key)
            if key in self.refused:
                return refuses(401, "Invalid session", code="invalid_api_key")
            reply = self._replies.popleft() if self._replies else says("Hello.")
            if isinstance(reply, Exception):
                raise reply
            return reply
        address = request.url.path.rpartition("/")[2]
        if self.catalogue_down:
            return refuses(503)
        if key in self.refused:
            return refuses(401, "Invalid session", code="invalid_api_key")
        if address == "mine":
            mine = [character for number, character in self.characters.items() if self.owners.get(number) == key]
            return httpx.Response(200, json={"data": mine, "next_cursor": None})
        if address == "characters":
            return httpx.Response(200, json={"data": [], "next_cursor": None})
        character = self.characters.get(address)
        if character is None or self.owners.get(address) not in (None, key):
            return refuses(404)
        shown = {name: value for name, value in character.items() if self.shows_ids or name != "id"}
        return httpx.Response(200, json=shown)
