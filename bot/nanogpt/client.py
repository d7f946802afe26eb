"""The NanoGPT API over HTTP: the one place that knows httpx.

Every call takes its key as an argument: the client has none of its own. All calls share one HTTP client and one pace.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeVar
from urllib.parse import quote

import httpx

from bot.domain.characters import RESERVED_SLUGS, Character
from bot.domain.ratings import ContentRating
from bot.nanogpt.errors import (
    CutStreamError,
    Fault,
    MalformedAnswerError,
    NanoGptError,
    NotFoundError,
    StalledError,
    UnreachableError,
    UpstreamDownError,
)
from bot.nanogpt.events import (
    Completed,
    Completion,
    Failed,
    Incomplete,
    ReaderEvent,
    ResponseReader,
    StreamEvent,
)
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
from bot.nanogpt.payloads import (
    CharacterModelsPage,
    CharacterPage,
    PageShape,
    describe_page,
    read_character,
    read_character_page,
    read_models_page,
)
from bot.nanogpt.requests import ApiKey, CatalogQuery, ResponseRequest
from bot.nanogpt.retry import RetryPolicy, parse_date, refuses_streaming, retry_delay, wants_model
from bot.nanogpt.sse import TooMuchDataError

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_ANSWER_CAP_BYTES: Final = 8 * 1024 * 1024
_ERROR_CAP_BYTES: Final = 64 * 1024
_DRAIN_CAP_BYTES: Final = 64 * 1024
_KEEPALIVE_SECONDS: Final = 30.0
_MILLISECONDS: Final = 1_000
_USER_AGENT: Final = "character-bot"
_COST_HEADER: Final = "x-cost"
_TOO_LARGE: Final = "too_large"
_OVERALL_LIMIT: Final = "overall_limit"
_HALF_A_SECOND: Final = 0.5
"""On average a Date header is this much behind, as it leaves the fraction out."""
_DOTS: Final = frozenset({".", ".."})
"""Path segments that an address may not have as a name: they mean a folder."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long things may take; seconds."""

    connect: float = 10.0
    idle: float = 90.0
    """Between two arrivals of bytes in a stream, the first included. Keep-alive comments count as arrivals."""
    overall: float = 300.0
    """For one reply, retries and all. Looked at when bytes arrive, so a silent stream may pass it by `idle`."""
    lookup_idle: float = 10.0
    """As `idle`, for the calls of the catalogue."""
    lookup: float = 30.0
    """As `overall`, for the calls of the catalogue."""
    drain: float = 0.5
    """For the end of a stream after its closing event: reading it lets the connection be used again."""


@dataclass(frozen=True, slots=True)
class CatalogueFindings:
    """What the live catalogue looks like, in names only."""

    characters: PageShape
    models: PageShape


@dataclass(frozen=True, slots=True)
class ResponseFindings:
    """What a live reply was like."""

    model_wanted: bool
    """Whether the server insists on `model` beside `character_id`."""
    completion: Completion


@dataclass(frozen=True, slots=True)
class _Ask:
    """One HTTP request, whoever sends it and however often."""

    method: str
    url: str
    call: Call
    priority: Priority
    deadline: float
    idle: float
    key: ApiKey | None = None
    params: tuple[tuple[str, str], ...] = ()
    body: dict[str, Json] | None = None
    accept: str = "application/json"


def build_http_client(*, max_connections: int) -> httpx.AsyncClient:
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


class NanoGptClient:
    """Calls the NanoGPT API and gives back domain values, or raises a NanoGptError.

    Calls that may be repeated without harm are retried here (see bot.nanogpt.retry): what a caller catches
    is final for now.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        responses_url: str,
        pace: Pace,
        jitter: Callable[[], float],
        limits: TimeLimits | None = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the shared HTTP client, which stays its maker's to close.

        `base_url` serves the characters and `responses_url` the replies, both up to and with `/v1`. `jitter`
        gives random numbers from 0 to 1, `monotonic` seconds of any origin, `now` Unix time in seconds.
        """
        self._http = http
        self._base = base_url.rstrip("/")
        self._responses = responses_url.rstrip("/")
        self._pace = pace
        self._jitter = jitter
        self._limits = limits or TimeLimits()
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._model_wanted = False

    async def list_characters(self, query: CatalogQuery, *, key: ApiKey | None = None) -> CharacterPage:
        """Fetch one page of the public catalogue; leave the key out to spare its daily cap."""
        ask = self._lookup("GET", "/characters", key, params=query.parameters())
        return await self._fetch(
            ask, lambda body: read_character_page(body, site=self._base, asked_cursor=query.cursor)
        )

    async def get_character(self, id_or_slug: str, *, key: ApiKey | None = None) -> Character:
        """Fetch one character by id or slug; an archived one may come back, marked as such.

        Raises NotFoundError without asking for names that are no character's, such as `mine`.
        """
        ask = self._lookup("GET", _character_path(id_or_slug), key)
        return await self._fetch(ask, lambda body: read_character(body, site=self._base))

    async def character_models(
        self,
        *,
        detailed: bool = True,
        cursor: str | None = None,
        limit: int | None = None,
        key: ApiKey | None = None,
    ) -> CharacterModelsPage:
        """Fetch one page of the characters that any key may speak with."""
        params = [("detailed", "true" if detailed else "false")]
        if cursor is not None:
            params.append(("cursor", cursor))
        if limit is not None:
            params.append(("limit", str(limit)))
        ask = self._lookup("GET", "/character-models", key, params=params)
        return await self._fetch(ask, lambda body: read_models_page(body, asked_cursor=cursor))

    async def report(self, id_or_slug: str, *, reason: str, details: str | None, key: ApiKey) -> None:
        """Report a character to the catalogue.

        Sent once and never retried here: a lost answer may mean a report that was taken. Raises ConflictError
        where upstream knows of the report already.
        """
        body: dict[str, Json] = {"reason": reason}
        if details:
            body["details"] = details
        ask = self._lookup("POST", f"{_character_path(id_or_slug)}/report", key, call=Call.REPORT, body=body)
        await self._answer(ask)

    def stream_response(self, request: ResponseRequest, *, key: ApiKey) -> AsyncGenerator[StreamEvent, None]:
        """Generate a reply: Started, then TextDelta and TextReplaced, then one Completed or Incomplete.

        Nothing is sent before the first event is asked for. Failures before the first text are retried; after
        it they are raised with what had come in `partial_text`. Whoever leaves early must close the generator
        (`contextlib.aclosing`), which ends the HTTP stream; so does cancellation. Reading on past the last event
        lets the connection be used again.
        """
        return self._respond(request, key, stream=True)

    async def create_response(self, request: ResponseRequest, *, key: ApiKey) -> Completion:
        """Generate a reply that arrives all at once."""
        completion: Completion | None = None
        async with aclosing(self._respond(request, key, stream=False)) as events:
            async for event in events:
                if isinstance(event, Completed | Incomplete):
                    completion = event
        assert completion is not None
        return completion

    async def probe_catalogue(self, *, key: ApiKey | None = None) -> CatalogueFindings:
        """Look at one page of each list and tell what they are made of, which no document says."""
        query = CatalogQuery(rating_max=ContentRating.SFW, limit=5)
        characters = self._lookup("GET", "/characters", key, params=query.parameters())
        models = self._lookup("GET", "/character-models", key, params=[("detailed", "true"), ("limit", "5")])
        return CatalogueFindings(
            characters=await self._fetch(characters, lambda body: describe_page(body, site=self._base)),
            models=await self._fetch(models, lambda body: describe_page(body, site=self._base)),
        )

    async def clock_offset(self) -> float | None:
        """Return by how many seconds this machine's clock is ahead of NanoGPT's; None when an answer has no date.

        Good to a second or two: the Date header has whole seconds (RFC 9110, 6.6.1), and the way takes time.
        """
        query = CatalogQuery(rating_max=ContentRating.SFW, limit=1)
        asked = self._now()
        response, _ = await self._answer(self._lookup("GET", "/characters", None, params=query.parameters()))
        answered = self._now()
        theirs = parse_date(response.headers.get("Date", ""))
        if theirs is None:
            return None
        # An answer out of a cache carries the date when it was made, and its age since.
        age = as_number(response.headers.get("Age")) or 0.0
        return (asked + answered) / 2 - (theirs + age + _HALF_A_SECOND)

    async def probe_response(self, request: ResponseRequest, *, key: ApiKey) -> ResponseFindings:
        """Generate one reply, which is billed, and tell whether the server wanted a model beside the character."""
        completion = await self.create_response(request, key=key)
        return ResponseFindings(model_wanted=self._model_wanted, completion=completion)

    def _lookup(
        self,
        method: str,
        path: str,
        key: ApiKey | None,
        *,
        call: Call = Call.LOOKUP,
        params: Iterable[tuple[str, str]] = (),
        body: dict[str, Json] | None = None,
    ) -> _Ask:
        return _Ask(
            method=method,
            url=self._base + path,
            call=call,
            priority=Priority.CATALOGUE,
            deadline=self._monotonic() + self._limits.lookup,
            idle=self._limits.lookup_idle,
            key=key,
            params=tuple((name, whole_text(value)) for name, value in params),
            body=body,
        )

    async def _fetch(self, ask: _Ask, read: Callable[[Json], _T]) -> _T:
        """Ask until there is an answer or no use in asking, and read it."""
        retries = 0
        while True:
            try:
                response, body = await self._answer(ask)
            except NanoGptError as error:
                failure = error
            else:
                try:
                    return read(parse_json(body))
                except ValueError:
                    failure = MalformedAnswerError(_fault_of(response))
            await self._wait_before_retry(failure, retries, ask.deadline)
            retries += 1

    async def _answer(self, ask: _Ask) -> tuple[httpx.Response, bytes]:
        """Ask once and return a good answer and the whole of its body."""
        response = await self._send(ask)
        try:
            body = await self._read(response, ask.deadline)
            if not looks_like_page(response.headers.get("content-type", ""), body):
                return response, body
            failure: NanoGptError = UpstreamDownError(_fault_of(response, web_page=True))
        except TooMuchDataError:
            failure = MalformedAnswerError(_fault_of(response, code=_TOO_LARGE))
        except httpx.HTTPError as exc:
            failure = _broken(exc, response, UnreachableError)
        finally:
            await response.aclose()
        raise failure

    async def _respond(
        self, request: ResponseRequest, key: ApiKey, *, stream: bool
    ) -> AsyncGenerator[StreamEvent, None]:
        """Generate a reply, streamed or not, as events.

        What upstream objects to is changed once each: no model beside the character, and being asked for a stream.
        """
        deadline = self._monotonic() + self._limits.overall
        with_model = self._model_wanted
        retries = 0
        while True:
            reader = ResponseReader()
            try:
                ask = _Ask(
                    method="POST",
                    url=f"{self._responses}/responses",
                    call=Call.RESPONSE,
                    priority=Priority.CHAT,
                    deadline=deadline,
                    idle=self._limits.idle if stream else self._limits.overall,
                    key=key,
                    body=request.body(stream=stream, with_model=with_model),
                    accept="text/event-stream, application/json" if stream else "application/json",
                )
                response = await self._send(ask)
                async with aclosing(self._events(response, reader, deadline)) as batches:
                    async for batch in batches:
                        for event in batch:
                            yield self._good(event, response, ask)
            except NanoGptError as error:
                failure = error
            else:
                return
            failure.partial_text = reader.text
            if failure.partial_text:
                raise failure
            if not with_model and request.base_model is not None and wants_model(failure):
                with_model = self._model_wanted = True
                _log.info("sending the model beside the character from now on: %r", failure)
            elif stream and refuses_streaming(failure):
                stream = False
                _log.info("asking again without a stream: %r", failure)
            else:
                await self._wait_before_retry(failure, retries, deadline)
                retries += 1

    async def _events(
        self, response: httpx.Response, reader: ResponseReader, deadline: float
    ) -> AsyncGenerator[list[ReaderEvent], None]:
        """Read one answer, whatever its form, as batches of events, and close it."""
        kind = response.headers.get("content-type", "").lower()
        reader.header_cost = as_number(response.headers.get(_COST_HEADER))
        failure: NanoGptError | None = None
        try:
            if "html" in kind:
                failure = UpstreamDownError(_fault_of(response, web_page=True))
            elif "json" in kind:
                yield _whole(reader, await self._read(response, deadline), response)
            else:
                chunks = response.aiter_bytes()
                async for chunk in chunks:
                    yield reader.feed(chunk)
                    if reader.ended:
                        break
                    self._check_deadline(response, deadline)
                else:
                    yield reader.finish()
                failure = await self._leave(chunks) if reader.complete else CutStreamError(_fault_of(response))
        except httpx.HTTPError as exc:
            failure = _broken(exc, response, CutStreamError)
        except TooMuchDataError:
            failure = MalformedAnswerError(_fault_of(response, code=_TOO_LARGE))
        finally:
            await response.aclose()
        if failure is not None:
            raise failure

    def _good(self, event: ReaderEvent, response: httpx.Response, ask: _Ask) -> StreamEvent:
        """Return an event, unless it is the end that must be raised."""
        if isinstance(event, Failed):
            fault = event.fault
            raise self._error(replace(fault, request_id=_request_id(response) or fault.request_id), ask)
        return event

    async def _leave(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the few bytes behind a closing event, as long as that is quickly done."""
        left = _DRAIN_CAP_BYTES
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(self._limits.drain):
                async for chunk in chunks:
                    left -= len(chunk)
                    if left < 0:
                        return

    async def _send(self, ask: _Ask) -> httpx.Response:
        """Send a request in its turn and return the answer, its body unread, if it is a good one."""
        await self._pace.turn(ask.priority)
        began = self._monotonic()
        left = ask.deadline - began
        if left <= 0:
            raise StalledError(Fault(code=_OVERALL_LIMIT))
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
                "%s %s: %d in %.0f ms, request %s, key of %s",
                ask.method,
                request.url.path,
                response.status_code,
                (self._monotonic() - began) * _MILLISECONDS,
                _request_id(response),
                ask.key and ask.key.id,
            )
            if response.is_success:
                return response
            failure = await self._refusal(response, ask)
        raise failure

    async def _refusal(self, response: httpx.Response, ask: _Ask) -> NanoGptError:
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
        return self._error(fault, ask)

    def _error(self, fault: Fault, ask: _Ask) -> NanoGptError:
        secret = "" if ask.key is None else ask.key.reveal()
        return error_for(without_secret(fault, secret), ask.call, keyed=ask.key is not None, now=self._now())

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

    async def _wait_before_retry(self, failure: NanoGptError, retries_done: int, deadline: float) -> None:
        """Wait as long as the policy says, or raise the failure where it says no or the time is up."""
        delay = retry_delay(failure, retries_done, jitter=self._jitter(), policy=self._policy)
        if delay is None or self._monotonic() + delay >= deadline:
            raise failure
        _log.info("trying again in %.1f s after %r", delay, failure)
        await self._sleep(delay)


def _whole(reader: ResponseReader, body: bytes, response: httpx.Response) -> list[ReaderEvent]:
    try:
        return reader.whole(parse_json(body))
    except TooMuchDataError:
        raise
    except ValueError:
        pass
    raise MalformedAnswerError(_fault_of(response))


def _character_path(id_or_slug: str) -> str:
    name = id_or_slug.strip()
    if not name or name in _DOTS or name.lower() in RESERVED_SLUGS:
        raise NotFoundError(Fault(code="no_such_name"))
    return f"/characters/{quote(whole_text(name), safe='')}"


def _request_id(response: httpx.Response) -> str | None:
    return response.headers.get(REQUEST_ID_HEADER)


def _fault_of(response: httpx.Response, *, code: str | None = None, web_page: bool = False) -> Fault:
    return Fault(status=response.status_code, code=code, request_id=_request_id(response), web_page=web_page)


def _no_answer(error: httpx.HTTPError) -> NanoGptError:
    """Name a failure before the answer; only its kind is kept, as the text of some quotes headers."""
    fault = Fault(code=type(error).__name__)
    return StalledError(fault) if isinstance(error, httpx.ReadTimeout) else UnreachableError(fault)


def _broken(error: httpx.HTTPError, response: httpx.Response, otherwise: type[NanoGptError]) -> NanoGptError:
    """Name a failure within the answer."""
    fault = _fault_of(response, code=type(error).__name__)
    if isinstance(error, httpx.ReadTimeout):
        return StalledError(fault)
    if isinstance(error, httpx.DecodingError):
        return MalformedAnswerError(fault)
    return otherwise(fault)
