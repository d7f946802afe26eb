"""The real NanoGPT behind the stand-in: reads and responses are passed on with the real key, writes are not.

The client of the stand-in holds the stand-in's own key. The real one is put in here, on the way out, and nowhere else.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, hdrs, web

from bot.sandbox.nanogpt.accounts import OPERATOR
from bot.sandbox.nanogpt.faults import ArmedFault, Route
from bot.sandbox.nanogpt.plan import Ending, ending_of, ends_before_text
from bot.sandbox.nanogpt.routing import API
from bot.sandbox.nanogpt.streaming import Exchange, Pace
from bot.sandbox.nanogpt.wire import EVENT_STREAM_TYPE, JSON_TYPE, Answer, error_answer

WEBSITE: Final = "https://nano-gpt.com/api/v1"
"""The host of every example of NanoGPT's Characters page."""
DIRECT: Final = "https://api.nano-gpt.com/api/v1"
"""The host that NanoGPT's Responses page recommends for responses."""
FORWARDED: Final = frozenset({Route.LIST, Route.CHARACTER, Route.MODELS, Route.RESPONSES})
"""None of them changes anything upstream; a response is asked for with `store: false`."""
_CONNECT_SECONDS: Final = 10.0
_EVENT_END: Final = re.compile(rb"\r?\n\r?\n")
_TEXT_EVENT: Final = re.compile(rb'"response\.(?:output_text|refusal)\.delta"')
_TEXTS_BEFORE_FAULT: Final = 6
"""How many pieces of text are passed on before a fault in mid text strikes."""
_PASSED_ON: Final[tuple[str, ...]] = (hdrs.ACCEPT, hdrs.CONTENT_TYPE)
_HIDDEN_KEY: Final = b"[the real key]"
_PLAYABLE: Final = frozenset({Ending.STALL, Ending.CUT})
_UNREACHABLE: Final = error_answer(502, "NanoGPT could not be reached", kind="service_unavailable", code="unreachable")


class LiveUpstream:
    """The two hosts of the real NanoGPT, and the key that pays. Use as an asynchronous context manager."""

    def __init__(self, key: str, *, website: str = WEBSITE, direct: str = DIRECT) -> None:
        """Take the real key; the addresses are NanoGPT's own unless a test stands in for it."""
        self._key = key
        self._website = website
        self._direct = direct
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        self._session = ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def answer(
        self,
        request: web.Request,
        exchange: Exchange,
        fault: ArmedFault | None,
        pace: Pace,
        complain: Callable[[str], None],
    ) -> web.StreamResponse:
        """Pass a request on, and its answer back; a fault before any text costs no request."""
        ending = _ending(fault, complain)
        if ending is not None and ends_before_text(fault):
            await exchange.send(exchange.open_stream())
            await exchange.strike(ending)
        try:
            upstream = await self._ask(request, exchange)
        except (ClientError, TimeoutError):
            return await exchange.answer(_UNREACHABLE)
        async with upstream:
            if upstream.ok and upstream.content_type == EVENT_STREAM_TYPE:
                return await self._pass_stream(exchange, upstream, ending, pace)
            return await exchange.answer(await self._whole(upstream))

    async def _ask(self, request: web.Request, exchange: Exchange) -> ClientResponse:
        assert self._session is not None
        base = self._direct if exchange.call.direct else self._website
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        headers[hdrs.ACCEPT_ENCODING] = "identity"
        body = exchange.body
        if exchange.call.route == Route.RESPONSES.value:
            body = json.dumps({**exchange.call.fields, "store": False}).encode()
            headers[hdrs.CONTENT_TYPE] = JSON_TYPE
        if exchange.call.account == OPERATOR:
            headers[hdrs.AUTHORIZATION] = f"Bearer {self._key}"
        return await self._session.request(
            request.method,
            base + request.raw_path.removeprefix(API),
            data=body or None,
            headers=headers,
            # A redirect would carry the key to wherever it leads.
            allow_redirects=False,
        )

    async def _whole(self, upstream: ClientResponse) -> Answer:
        try:
            body = await upstream.read()
        except (ClientError, TimeoutError):
            return _UNREACHABLE
        wait = upstream.headers.get(hdrs.RETRY_AFTER)
        headers = {} if wait is None else {str(hdrs.RETRY_AFTER): wait}
        # An error may quote the key that it refuses.
        return Answer(upstream.status, body.replace(self._key.encode(), _HIDDEN_KEY), upstream.content_type, headers)

    @staticmethod
    async def _pass_stream(
        exchange: Exchange, upstream: ClientResponse, ending: Ending | None, pace: Pace
    ) -> web.StreamResponse:
        response = exchange.open_stream()
        await exchange.send(response)
        call = exchange.call
        texts = 0
        due = pace.monotonic()
        async for event in _events(upstream):
            if event is None:
                await exchange.cut()
            is_text = _TEXT_EVENT.search(event) is not None
            if ending is not None and texts and (texts >= _TEXTS_BEFORE_FAULT or not is_text):
                await exchange.strike(ending)
            if is_text:
                texts += 1
                if (wait := due - pace.monotonic()) > 0:
                    await pace.sleep(wait)
                due = max(due, pace.monotonic()) + pace.interval
                call.last_text = pace.monotonic()
                call.first_text = call.first_text or call.last_text
            await response.write(event)
        await response.write_eof()
        return response


async def _events(upstream: ClientResponse) -> AsyncGenerator[bytes | None]:
    """Yield the events of a stream as they are, each with its empty line; None where the stream breaks."""
    pending = b""
    try:
        async for chunk in upstream.content.iter_any():
            pending += chunk
            done = 0
            for end in _EVENT_END.finditer(pending):
                yield pending[done : end.end()]
                done = end.end()
            pending = pending[done:]
    except (ClientError, TimeoutError):
        yield None
    else:
        yield pending


def _ending(fault: ArmedFault | None, complain: Callable[[str], None]) -> Ending | None:
    """Return how a live answer goes wrong; others than a stall and a cut would have to be made up."""
    if fault is None:
        return None
    with suppress(ValueError):
        if (ending := ending_of(fault.kind)) in _PLAYABLE:
            return ending
    complain(f"A live answer cannot go wrong by {fault.kind.value!r}.")
    return None
