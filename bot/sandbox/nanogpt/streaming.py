"""Putting one answer on the socket: whole, or event by event at the pace that was ordered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, NoReturn

from aiohttp import web

from bot.sandbox.nanogpt.events import EventWriter
from bot.sandbox.nanogpt.plan import Ending, Plan, split_tokens
from bot.sandbox.nanogpt.recording import Outcome, Record, RecordedCall
from bot.sandbox.nanogpt.wire import EVENT_STREAM_TYPE, Answer

REQUEST_ID_HEADER: Final = "X-Request-ID"


@dataclass(slots=True)
class Pace:
    """How fast text is streamed; both at 0 send everything at once."""

    first_token_seconds: float = 0.0
    tokens_per_second: float = 0.0
    """0 is no limit. A token is a word or up to twelve characters of one."""
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, repr=False)
    monotonic: Callable[[], float] = field(default=monotonic, repr=False)

    @property
    def interval(self) -> float:
        """The seconds from one token to the next."""
        return 1 / self.tokens_per_second if self.tokens_per_second > 0 else 0.0


class Exchange:
    """One request and the answer to it, as far as the socket is concerned."""

    def __init__(self, request: web.Request, body: bytes, call: RecordedCall, record: Record) -> None:
        self.call = call
        self.body = body
        self._request = request
        self._record = record

    @property
    def request_id(self) -> str:
        """What the answer carries as its X-Request-ID."""
        return f"req_sandbox{self.call.number:08d}"

    async def answer(self, answer: Answer) -> web.StreamResponse:
        """Send a whole answer."""
        response = web.Response(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers={**answer.headers, REQUEST_ID_HEADER: self.request_id},
        )
        return await self.send(response)

    async def send(self, response: web.StreamResponse) -> web.StreamResponse:
        """Begin an answer, and with a whole one end it as well."""
        self.call.status = response.status
        self._record.note(self.call)
        await response.prepare(self._request)
        if isinstance(response, web.Response):
            await response.write_eof()
        return response

    def open_stream(self) -> web.StreamResponse:
        """Make the answer of a stream, to be sent."""
        response = web.StreamResponse(headers={REQUEST_ID_HEADER: self.request_id})
        response.content_type = EVENT_STREAM_TYPE
        return response

    async def strike(self, ending: Ending) -> NoReturn:
        """End an answer by a stall or a cut."""
        if ending is Ending.STALL:
            await self.stall()
        await self.cut()

    async def stall(self) -> NoReturn:
        """Say nothing more until the client goes away."""
        await self._wait_forever(Outcome.STALLED)

    async def cut(self) -> NoReturn:
        """Drop the connection."""
        assert self._request.transport is not None
        self._request.transport.abort()
        await self._wait_forever(Outcome.CUT)

    async def _wait_forever(self, outcome: Outcome) -> NoReturn:
        """Wait for the cancellation that the end of a connection brings to its handler."""
        self.call.outcome = outcome
        self._record.note(self.call)
        while True:
            await asyncio.Event().wait()


class StreamedAnswer:
    """One answer as a stream of events."""

    def __init__(self, exchange: Exchange, events: EventWriter, pace: Pace) -> None:
        self._exchange = exchange
        self._events = events
        self._pace = pace
        self._has_text = False
        self._response = exchange.open_stream()

    async def begin(self) -> None:
        """Send the headers, once; the first events wait for the next flush."""
        if self._response.prepared:
            return
        await self._exchange.send(self._response)
        self._events.begin()

    async def flush(self) -> None:
        """Put on the socket what has been written so far."""
        pending = self._events.take()
        if not pending:
            return
        await self._response.write(pending)
        if self._has_text:
            self._has_text = False
            call = self._exchange.call
            call.last_text = self._pace.monotonic()
            if call.first_text is None:
                call.first_text = call.last_text

    def piece(self, text: str) -> None:
        """Write a piece of text, for the next flush."""
        self._events.text(text)
        self._has_text = True

    async def text(self, plan: Plan) -> None:
        """Send a plan's text at the ordered pace; what is due at once goes out together."""
        pace = self._pace
        due = pace.monotonic() + pace.first_token_seconds
        for index, token in enumerate(split_tokens(plan.text)):
            if (wait := due - pace.monotonic()) > 0:
                await self.flush()
                await pace.sleep(wait)
            self._events.text(token, refused=plan.refused)
            self._has_text = True
            due += pace.interval
            if plan.unknown_events and index == 0:
                self._events.unknown()

    async def end(self, plan: Plan) -> web.StreamResponse:
        """Send the closing events and end the answer."""
        self._events.end(plan)
        await self.flush()
        await self._response.write_eof()
        return self._response
