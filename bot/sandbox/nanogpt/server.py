"""The stand-in as a whole: starts, stops, routes, and is what tests and the demo hold in their hands."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic, time
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from bot.sandbox.callers import HOST, is_own_form, is_program
from bot.sandbox.heads import Head
from bot.sandbox.nanogpt.accounts import OPERATOR, Account
from bot.sandbox.nanogpt.cast import load_cast
from bot.sandbox.nanogpt.catalog import Catalog
from bot.sandbox.nanogpt.faults import ArmedFault, Fault, Faults, Route, failure_answer
from bot.sandbox.nanogpt.holding import DEFAULT_PATIENCE_SECONDS, Held
from bot.sandbox.nanogpt.live import FORWARDED, LiveUpstream
from bot.sandbox.nanogpt.logins import Logins
from bot.sandbox.nanogpt.moderation import Moderation
from bot.sandbox.nanogpt.recording import KeyState, Outcome, Record, RecordedCall, Report, Review
from bot.sandbox.nanogpt.responder import respond
from bot.sandbox.nanogpt.responses import Responder, Responses, ResponseSettings
from bot.sandbox.nanogpt.routing import API, path_of, route_of
from bot.sandbox.nanogpt.streaming import Exchange, Pace
from bot.sandbox.nanogpt.variants import Variants
from bot.sandbox.nanogpt.website import ANONYMOUS, KEYLESS, Website, signed_in
from bot.sandbox.nanogpt.wire import RefusedError, error_answer, refusal

_OPERATOR_USD: Final = 25.0
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_MAX_BODY_BYTES: Final = 32 * 1024 * 1024
"""The application limit that the Responses page names."""
_KEY_HEADERS: Final = ("Authorization", "x-api-key")
"""NanoGPT's Characters page, Authentication: either."""
_SHUTDOWN_SECONDS: Final = 2.0


class NanoGptSandbox:
    """NanoGPT on a socket of this machine, for as long as the `async with` block lasts.

    `monotonic` and `sleep` pace the streams, `now` is Unix seconds. A long bench sets `keep_calls` to
    False, and neither calls nor heads are kept. With `live`, the real NanoGPT answers what changes nothing there, in
    place of catalogue and responder; it has to be open already. Not for use from several event loops.
    """

    def __init__(
        self,
        *,
        with_cast: bool = True,
        keep_calls: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = monotonic,
        now: Callable[[], float] = time,
        live: LiveUpstream | None = None,
    ) -> None:
        self.catalog = Catalog()
        self.faults = Faults()
        self.variants = Variants()
        self.pace = Pace(sleep=sleep, monotonic=monotonic)
        self.operator = self.catalog.add_account(OPERATOR, usd=_OPERATOR_USD)
        self._record = Record()
        self.moderation = Moderation(self.catalog, self._record.changes)
        self._keep_calls = keep_calls
        self._count = 0
        self._now = now
        self._live = live
        self._settings = ResponseSettings(self.variants, self.pace, respond)
        self._responses = Responses(self.catalog, self._record, self._settings, now=now)
        self._website = Website(
            self.catalog, self._record, self.variants, now=now, site=lambda: self.site_url, foreign=live is not None
        )
        self._runner: web.AppRunner | None = None
        self._ports: tuple[int, ...] = ()
        self._open: set[asyncio.Transport] = set()
        if with_cast and live is None:
            self.load_cast()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        for _ in ("website", "direct"):
            await web.TCPSite(self._runner, HOST, 0).start()
        self._ports = tuple(int(address[1]) for address in self._runner.addresses)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for transport in tuple(self._open):
            transport.abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def site_url(self) -> str:
        """The website's address, where the page of approval is."""
        return f"http://{HOST}:{self._ports[0]}"

    @property
    def base_url(self) -> str:
        """The website's API, with every route."""
        return f"{self.site_url}{API}"

    @property
    def responses_url(self) -> str:
        """The direct host's address, with the responses alone."""
        return f"http://{HOST}:{self._ports[1]}{API}"

    @property
    def operator_key(self) -> str:
        """The key a bot under test is given; it owns no character."""
        return self.operator.key

    @property
    def calls(self) -> list[RecordedCall]:
        """Every request so far, in order."""
        return self._record.calls

    @property
    def heads(self) -> list[Head]:
        """The heads of all that was asked so far, refused callers included, in order."""
        return self._record.heads

    @property
    def response_calls(self) -> list[RecordedCall]:
        """Every request for a response so far, in order."""
        return [call for call in self.calls if call.route == Route.RESPONSES.value]

    @property
    def unknown_routes(self) -> list[RecordedCall]:
        """Requests for routes that the stand-in does not have."""
        return [call for call in self.calls if call.route is None]

    @property
    def logins(self) -> Logins:
        """The device logins, where they can be approved."""
        return self._website.logins

    @property
    def reviews(self) -> list[Review]:
        """The reviews that stand, one of each account and character, in the order in which they were first given."""
        return list(self._record.reviews.values())

    @property
    def reports(self) -> list[Report]:
        """Every report that was accepted, in order."""
        return self._record.reports

    @property
    def complaints(self) -> list[str]:
        """What no careful client does, a sentence each: unknown routes and parameters, no `store`, and so on."""
        return self._record.complaints

    @property
    def responder(self) -> Responder:
        """Who writes the replies that no script covers."""
        return self._settings.responder

    @responder.setter
    def responder(self, responder: Responder) -> None:
        self._settings.responder = responder

    @property
    def context_characters(self) -> int | None:
        """The longest input, in characters; a longer one is refused as too long. None is no limit."""
        return self._settings.context_characters

    @context_characters.setter
    def context_characters(self, limit: int | None) -> None:
        self._settings.context_characters = limit

    def listen(self, receive: Callable[[RecordedCall], None]) -> None:
        """Tell a receiver of every later call when it comes in, and whenever it gets further."""
        self._record.listeners.append(receive)

    def load_cast(self) -> None:
        """Put the default cast into the catalogue, with its authors."""
        load_cast(self.catalog)

    def script(self, reply: str | Responder, times: int = 1) -> None:
        """Set the reply of the next answers; several calls queue up."""
        self._settings.scripted.extend([reply] * times)

    @asynccontextmanager
    async def hold(
        self,
        where: Callable[[RecordedCall], bool] | None = None,
        *,
        silent: bool = False,
        patience: float = DEFAULT_PATIENCE_SECONDS,
    ) -> AsyncGenerator[Held]:
        """Hold back the answer to the next request for a response, or to the next that fits.

        With `silent`, not even headers are sent before the first step. Requests that a fault takes are not
        held. The end of the block finishes the answer if nothing else did. `patience` is in seconds, per step.
        """
        held = Held(where or (lambda _: True), silent=silent, patience=patience)
        self._settings.holds.append(held)
        try:
            yield held
            await held.release()
        finally:
            if held in self._settings.holds:
                self._settings.holds.remove(held)

    async def wait_for(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Return once a condition holds, looked at whenever something happens here.

        Raises TimeoutError after so many seconds.
        """
        await self._record.changes.wait_for(condition, timeout)

    def assert_clean(self) -> None:
        """Raise AssertionError if anything was done that no careful client does."""
        assert not self.complaints, "\n".join(self.complaints)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._keep_calls:
            self._record.heads.append(Head.of(request))
        if not self._is_welcome(request):
            return web.Response(status=403)
        raw = await request.read()
        call, account = self._note(request, raw)
        exchange = Exchange(request, raw, call, self._record)
        transport = request.transport
        if transport is not None:
            self._open.add(transport)
        self._record.note(call)
        try:
            response = await self._answer(request, exchange, account)
            call.outcome = Outcome.ANSWERED
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, ConnectionError):
                self._record.complain(f"The stand-in itself failed at {call.method} {call.path}: {error!r}")
            if call.outcome not in {Outcome.CUT, Outcome.STALLED}:
                call.outcome = Outcome.DISCONNECTED
            raise
        finally:
            if transport is not None:
                self._open.discard(transport)
            call.ended = self.pace.monotonic()
            self._record.note(call)
        return response

    def _is_welcome(self, request: web.Request) -> bool:
        port = _local_port(request)
        route, _ = route_of(request.method, request.rel_url.raw_path, direct=port == self._ports[1])
        judge = is_own_form if route is Route.LOGIN_APPROVAL else is_program
        return judge(request.headers.get(hdrs.HOST), request.headers.get(hdrs.ORIGIN), port)

    def _note(self, request: web.Request, raw: bytes) -> tuple[RecordedCall, Account | None]:
        account, key = self._who(request)
        direct = _local_port(request) == self._ports[1]
        raw_path = request.rel_url.raw_path
        route, target = route_of(request.method, raw_path, direct=direct)
        self._count += 1
        call = RecordedCall(
            number=self._count,
            method=request.method,
            path=path_of(raw_path),
            route=None if route is None else route.value,
            target=target,
            direct=direct,
            query={name: tuple(request.query.getall(name)) for name in request.query},
            body=_decode(raw, request.content_type),
            account=None if account is None else account.id,
            key=key,
            key_header=next((name for name in _KEY_HEADERS if name in request.headers), None),
            started=self.pace.monotonic(),
        )
        if self._keep_calls:
            self._record.calls.append(call)
        return call, account

    def _who(self, request: web.Request) -> tuple[Account | None, KeyState]:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        own = request.headers.get("x-api-key", "")
        if bearer and own:
            self._record.complain("A key in Authorization and in x-api-key at once.")
        if not (bearer or own):
            return None, "none"
        account = self.catalog.accounts.of_key(bearer or own)
        return account, "bad" if account is None else "good"

    async def _answer(self, request: web.Request, exchange: Exchange, account: Account | None) -> web.StreamResponse:
        call = exchange.call
        if call.route is None:
            self._record.complain(f"The stand-in has no route {call.method} {call.path}.")
            return await exchange.answer(error_answer(404, "Not found", kind="not_found_error"))
        route = Route(call.route)
        admitted = call.key == "good" or route in KEYLESS or (call.key == "none" and route in ANONYMOUS)
        fault = self.faults.take(route) if admitted else self.faults.outage(route)
        if fault is not None and (answer := await self._strike(exchange, fault)) is not None:
            return answer
        try:
            if call.key == "bad" and route not in KEYLESS:
                status = self.variants.bad_balance_status if route is Route.BALANCE else 401
                raise refusal(status, "Invalid session", kind="authentication_error", code="invalid_api_key")
            if self._live is not None and route in FORWARDED and not self._is_ours(call):
                return await self._live.answer(request, exchange, fault, self.pace, self._record.complain)
            if route is Route.RESPONSES:
                return await self._responses.answer(exchange, signed_in(account), fault)
            answer = self._website.answer(route, call, account)
        except RefusedError as refused:
            answer = refused.answer
        if fault is not None and fault.kind is Fault.LOST_ANSWER:
            await exchange.cut()
        if fault is not None and fault.kind is Fault.SILENT_ANSWER:
            await exchange.stall()
        return await exchange.answer(answer)

    async def _strike(self, exchange: Exchange, fault: ArmedFault) -> web.StreamResponse | None:
        """Answer with a fault that needs no look at the request, or return None for another."""
        if fault.kind is Fault.STALL_BEFORE_ANSWER:
            await exchange.stall()
        if fault.kind is Fault.CUT_BEFORE_ANSWER:
            await exchange.cut()
        if fault.kind is Fault.STREAM_UNSUPPORTED and exchange.call.fields.get("stream") is not True:
            return None
        answer = failure_answer(fault, now=self._now())
        return None if answer is None else await exchange.answer(answer)

    def _is_ours(self, call: RecordedCall) -> bool:
        """Tell whether a call is about a character that was made here: no other NanoGPT knows it."""
        return self.catalog.find(call.target or call.character or "") is not None


def _local_port(request: web.Request) -> int | None:
    address = None if request.transport is None else request.transport.get_extra_info("sockname")
    return address[1] if address else None


def _decode(raw: bytes, content_type: str) -> object:
    if not raw:
        return None
    if content_type == _FORM_TYPE:
        return dict(parse_qsl(raw.decode("utf-8", "replace")))
    try:
        return json.loads(raw)
    except ValueError:
        return None
