"""The one place that knows httpx: sends requests at the process's pace, reads answers, names what goes wrong.

What is asked for, and what an answer means, is the business of the clients.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeAlias, TypeVar

import httpx

from bot.nanogpt.errors import (
    CutStreamError,
    Fault,
    MalformedAnswerError,
    NanoGptError,
    StalledError,
    UnreachableError,
    UpstreamDownError,
)
from bot.nanogpt.events import Failed, ReaderEvent, ResponseReader
from bot.nanogpt.faults import (
    REQUEST_ID_HEADER,
    Call,
    error_for,
    looks_like_page,
    read_fault,
    without_secret,
)
from bot.nanogpt.jsonvalue import Json, as_number, dump_json, parse_json, whole_text
from bot.nanogpt.pace import Pace, Priority
from bot.nanogpt.requests import ApiKey
from bot.nanogpt.retry import RetryPolicy, retry_delay
from bot.nanogpt.sse import TooMuchDataError

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

HttpClient: TypeAlias = httpx.AsyncClient
"""For those who hand the HTTP client on without knowing what it is."""

_ANSWER_CAP_BYTES: Final = 8 * 1024 * 1024
_ERROR_CAP_BYTES: Final = 64 * 1024
_DRAIN_CAP_BYTES: Final = 64 * 1024
_KEEPALIVE_SECONDS: Final = 30.0
_MILLISECONDS: Final = 1_000
_USER_AGENT: Final = "character-bot"
_COST_HEADER: Final = "x-cost"
_TOO_LARGE: Final = "too_large"
_OVERALL_LIMIT: Final = "overall_limit"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long things may take; seconds."""

    connect: float = 10.0
    idle: float = 90.0
    """Between two arrivals of bytes in a stream, the first included. Keep-alive comments count as arrivals."""
    overall: float = 300.0
    """For one reply, retries and all. Looked at when bytes arrive, so a silent stream may pass it by `idle`."""
    lookup_idle: float = 10.0
    """As `idle`, for every call but the replies."""
    lookup: float = 30.0
    """As `overall`, for every call but the replies."""
    drain: float = 0.5
    """For the end of a stream after its closing event: reading it lets the connection be used again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request, whoever sends it and however often."""

    method: str
    url: str
    call: Call
    priority: Priority
    deadline: float
    """On the transport's monotonic clock."""
    idle: float
    """Seconds; see TimeLimits."""
    key: ApiKey | None = None
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: dict[str, Json] | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)
    """What in the body must not be told on, should upstream quote it."""
    accept: str = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer, whole."""

    status: int
    headers: Mapping[str, str]
    """Names are found in lower case."""
    body: bytes

    @property
    def request_id(self) -> str | None:
        """X-Request-ID, for a letter to support."""
        return self.headers.get(REQUEST_ID_HEADER)


def build_http_client(*, max_connections: int) -> HttpClient:
    """Return the HTTP client that a NanoGptClient expects; its maker closes it.

    `max_connections` should be the number of replies at a time and some more for lookups: a call waits for a free
    connection for as long as it takes. Redirects are not followed, as a key must not go where the
    settings did not send it. The environment is not trusted: a netrc entry would take the key's place. Cookies are
    refused, as one key's session would be sent with another's.
    """
    return httpx.AsyncClient(
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        headers={"User-Agent": _USER_AGENT},
        http2=False,
        limits=httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=_KEEPALIVE_SECONDS,
        ),
        timeout=httpx.Timeout(TimeLimits().idle, pool=None),
        trust_env=False,
        verify=_certificates(),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Return httpx's own defaults; reading the authorities takes 30 ms, so once for all clients."""
    return httpx.create_ssl_context(trust_env=False)


class Transport:
    """Carries requests to NanoGPT and brings back whole answers or events, or raises a NanoGptError."""

    def __init__(
        self,
        http: HttpClient,
        *,
        pace: Pace,
        jitter: Callable[[], float],
        limits: TimeLimits | None = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the shared HTTP client, which stays its maker's to close.

        `jitter` gives random numbers from 0 to 1, `monotonic` seconds of any origin, `now` Unix time in seconds.
        """
        self._http = http
        self._pace = pace
        self._jitter = jitter
        self._limits = limits or TimeLimits()
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now

    @property
    def limits(self) -> TimeLimits:
        """How long things may take."""
        return self._limits

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return self._now()

    def deadline_of_reply(self) -> float:
        """Return when a reply that begins now must be complete, for the `deadline` of its requests."""
        return self._monotonic() + self._limits.overall

    def lookup(
        self,
        method: str,
        url: str,
        key: ApiKey | None,
        *,
        call: Call = Call.LOOKUP,
        params: Iterable[tuple[str, str]] = (),
        body: dict[str, Json] | None = None,
        secret: str = "",
    ) -> Ask:
        """Make a request whose answer is short and comes at once; its time runs from now."""
        return Ask(
            method=method,
            url=url,
            call=call,
            priority=Priority.CATALOGUE,
            deadline=self._monotonic() + self._limits.lookup,
            idle=self._limits.lookup_idle,
            key=key,
            params=tuple((name, whole_text(value)) for name, value in params),
            body=body,
            secret=secret,
        )

    async def fetch(self, ask: Ask, read: Callable[[Json], _T]) -> _T:
        """Ask until there is an answer or no use in asking, and read it: for requests that repeating cannot harm.

        `read` raises ValueError for what it cannot read.
        """
        retries = 0
        while True:
            try:
                answer = await self.answer(ask)
            except NanoGptError as error:
                failure = error
            else:
                try:
                    return read(parse_json(answer.body))
                except ValueError:
                    failure = MalformedAnswerError(Fault(status=answer.status, request_id=answer.request_id))
            await self.wait_before_retry(failure, retries, ask.deadline)
            retries += 1

    async def answer(self, ask: Ask) -> Answer:
        """Ask once and return a good answer."""
        response = await self._send(ask)
        try:
            body = await self._read(response, ask.deadline)
            if not looks_like_page(response.headers.get("content-type", ""), body):
                return Answer(response.status_code, response.headers, body)
            failure: NanoGptError = UpstreamDownError(_fault_of(response, web_page=True))
        except TooMuchDataError:
            failure = MalformedAnswerError(_fault_of(response, code=_TOO_LARGE))
        except httpx.HTTPError as exc:
            failure = _broken(exc, response, UnreachableError)
        finally:
            await response.aclose()
        raise failure

    async def events(self, ask: Ask, reader: ResponseReader) -> AsyncGenerator[list[ReaderEvent], None]:
        """Ask once for a reply and read it, whatever its form, as batches of events.

        A failing event comes as Failed, for the caller to raise with `error`. Closing the generator closes the
        connection.
        """
        response = await self._send(ask)
        kind = response.headers.get("content-type", "").lower()
        reader.header_cost = as_number(response.headers.get(_COST_HEADER))
        failure: NanoGptError | None = None
        try:
            if "html" in kind:
                failure = UpstreamDownError(_fault_of(response, web_page=True))
            elif "json" in kind:
                yield _identified(_whole(reader, await self._read(response, ask.deadline), response), response)
            else:
                chunks = response.aiter_bytes()
                async for chunk in chunks:
                    yield _identified(reader.feed(chunk), response)
                    if reader.ended:
                        break
                    self._check_deadline(response, ask.deadline)
                else:
                    yield _identified(reader.finish(), response)
                failure = await self._leave(chunks) if reader.complete else CutStreamError(_fault_of(response))
        except httpx.HTTPError as exc:
            failure = _broken(exc, response, CutStreamError)
        except TooMuchDataError:
            failure = MalformedAnswerError(_fault_of(response, code=_TOO_LARGE))
        finally:
            await response.aclose()
        if failure is not None:
            raise failure

    def error(self, fault: Fault, ask: Ask) -> NanoGptError:
        """Name a failure, with the secrets of the request taken out of what upstream wrote."""
        for secret in (ask.secret, "" if ask.key is None else ask.key.reveal()):
            fault = without_secret(fault, secret)
        return error_for(fault, ask.call, keyed=ask.key is not None, now=self._now())

    async def wait_before_retry(self, failure: NanoGptError, retries_done: int, deadline: float) -> None:
        """Wait as long as the policy says, or raise the failure where it says no or the time is up."""
        delay = retry_delay(failure, retries_done, jitter=self._jitter(), policy=self._policy)
        if delay is None or self._monotonic() + delay >= deadline:
            raise failure
        _log.info("trying again in %.1f s after %r", delay, failure)
        await self._sleep(delay)

    async def _leave(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the few bytes behind a closing event, as long as that is quickly done."""
        left = _DRAIN_CAP_BYTES
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(self._limits.drain):
                async for chunk in chunks:
                    left -= len(chunk)
                    if left < 0:
                        return

    async def _send(self, ask: Ask) -> httpx.Response:
        """Send a request in its turn and return the answer, its body unread, if it is a good one."""
        await self._pace.turn(ask.priority)
        began = self._monotonic()
        left = ask.deadline - began
        if left <= 0:
            raise StalledError(Fault(code=_OVERALL_LIMIT, unsent=True))
        headers = {"Accept": ask.accept}
        if ask.key is not None:
            headers["Authorization"] = f"Bearer {ask.key.reveal()}"
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
        if ask.call is Call.RESPONSE:
            # A compressor in between would hold back the pieces of a stream.
            headers["Accept-Encoding"] = "identity"
        request = self._http.build_request(
            ask.method,
            ask.url,
            params=ask.params or None,
            content=None if ask.body is None else dump_json(ask.body),
            headers=headers,
            timeout=httpx.Timeout(min(ask.idle, left), connect=min(self._limits.connect, left), pool=None),
        )
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as exc:
            failure = _no_answer(exc)
        else:
            _log.debug(
                "%s %s: %d in %.0f ms, request %s, %s",
                ask.method,
                request.url.path,
                response.status_code,
                (self._monotonic() - began) * _MILLISECONDS,
                _request_id(response),
                "no key" if ask.key is None else f"key of {ask.key.id}",
            )
            if response.is_success:
                return response
            failure = await self._refusal(response, ask)
        raise failure

    async def _refusal(self, response: httpx.Response, ask: Ask) -> NanoGptError:
        body = bytearray()
        try:
            # The status has said enough where the body breaks.
            with suppress(httpx.HTTPError):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _ERROR_CAP_BYTES:
                        break
        finally:
            await response.aclose()
        fault = read_fault(response.status_code, response.headers, bytes(body), now=self._now())
        return self.error(fault, ask)

    async def _read(self, response: httpx.Response, deadline: float) -> bytes:
        """Read a whole body; raises TooMuchDataError beyond the cap."""
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _ANSWER_CAP_BYTES:
                raise TooMuchDataError(_ANSWER_CAP_BYTES)
            self._check_deadline(response, deadline)
        return bytes(body)

    def _check_deadline(self, response: httpx.Response, deadline: float) -> None:
        if self._monotonic() >= deadline:
            raise StalledError(_fault_of(response, code=_OVERALL_LIMIT))


def _whole(reader: ResponseReader, body: bytes, response: httpx.Response) -> list[ReaderEvent]:
    try:
        return reader.whole(parse_json(body))
    except TooMuchDataError:
        raise
    except ValueError:
        pass
    raise MalformedAnswerError(_fault_of(response))


def _identified(events: list[ReaderEvent], response: httpx.Response) -> list[ReaderEvent]:
    """Give a failure, with which a reply always ends, the request id of its answer."""
    if events and isinstance(last := events[-1], Failed):
        fault = last.fault
        events[-1] = Failed(replace(fault, request_id=_request_id(response) or fault.request_id))
    return events


def _request_id(response: httpx.Response) -> str | None:
    return response.headers.get(REQUEST_ID_HEADER)


def _fault_of(response: httpx.Response, *, code: str | None = None, web_page: bool = False) -> Fault:
    return Fault(status=response.status_code, code=code, request_id=_request_id(response), web_page=web_page)


def _no_answer(error: httpx.HTTPError) -> NanoGptError:
    """Name a failure before the answer; only its kind is kept, as the text of some quotes headers."""
    fault = Fault(code=type(error).__name__, unsent=isinstance(error, httpx.ConnectError | httpx.ConnectTimeout))
    return StalledError(fault) if isinstance(error, httpx.ReadTimeout) else UnreachableError(fault)


def _broken(error: httpx.HTTPError, response: httpx.Response, otherwise: type[NanoGptError]) -> NanoGptError:
    """Name a failure within the answer."""
    fault = _fault_of(response, code=type(error).__name__)
    if isinstance(error, httpx.ReadTimeout):
        return StalledError(fault)
    if isinstance(error, httpx.DecodingError):
        return MalformedAnswerError(fault)
    return otherwise(fault)
