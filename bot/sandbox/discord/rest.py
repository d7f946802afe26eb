"""The REST door: routing, the token check, rate limits, scripted trouble, and the books, around every handler."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from bot.sandbox.discord.buckets import Buckets, Verdict
from bot.sandbox.discord.errors import INVALID_FORM, RefusalError
from bot.sandbox.discord.faults import Fault, Faults
from bot.sandbox.discord.json_types import JsonObject, encode
from bot.sandbox.discord.ledger import Ledger
from bot.sandbox.discord.requests import NO_CONTENT, Auth, Call, RecordedRequest, Reply, Route, read_body
from bot.sandbox.discord.world import World

API_PREFIX: Final = "/api/v10"
_SECRET_PARAMETERS: Final = frozenset({"webhook_token", "interaction_token"})
_DROP_UNSENT: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing a socket send RST, which the other side sees as a connection reset."""
_LONGEST_WORD: Final = 24
"""Longer parts of a path are taken for tokens."""
_JSON: Final = "application/json"
"""Exactly this: with a charset behind it discord.py 2.7.1 takes the body for text."""
_PROXY_PAGE: Final = "<html><body>Bad gateway</body></html>"


class RestApi:
    """Answer REST calls for one world."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        faults: Faults,
        buckets: Buckets | None,
        routes: Sequence[Route],
    ) -> None:
        self._world = world
        self._ledger = ledger
        self._faults = faults
        self._buckets = buckets
        self._routes: dict[tuple[str, int], list[Route]] = {}
        for route in routes:
            self._routes.setdefault((route.method, len(route.segments)), []).append(route)
        for group in self._routes.values():
            # Templates with fewer parameters first, so that ".../messages/@original" wins over "{message_id}".
            group.sort(key=lambda route: route.template.count("{"))
        self.outage_status: int | None = None
        self.global_fault: Callable[[RecordedRequest], Fault | None] = lambda _: None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        parts = tuple(request.path[len(API_PREFIX) :].strip("/").split("/"))
        found = self._match(request.method, parts)
        if found is None:
            self._ledger.unknown_routes.append(f"{request.method} /{'/'.join(map(_without_secrets, parts))}")
            return _answer(Reply({"message": "404: Not Found", "code": 0}, 404), {})
        route, path = found
        authorised = request.headers.get("Authorization") == f"Bot {self._world.token}"
        try:
            body, files = await read_body(request, json.loads)
        except ValueError:
            body, files = None, ()
        record = RecordedRequest(
            self._world.now(),
            request.method,
            route.template,
            {name: value for name, value in path.items() if name not in _SECRET_PARAMETERS},
            dict(request.query),
            body,
            files,
            "Authorization" in request.headers,
        )
        self._ledger.begin(record)
        call = Call(path, record.params, body, files, record)
        try:
            return await self._serve(request, route, call, record, authorised=authorised)
        except Exception as error:
            self._ledger.violations.append(f"the stand-in failed at {record.method} {record.route}: {error!r}")
            raise
        finally:
            record.answered_at = self._world.now()
            self._ledger.end(record)
            self._world.changed()

    def _match(self, method: str, parts: tuple[str, ...]) -> tuple[Route, dict[str, str]] | None:
        for route in self._routes.get((method, len(parts)), ()):
            path: dict[str, str] = {}
            for pattern, part in zip(route.segments, parts, strict=True):
                if pattern.startswith("{"):
                    path[pattern[1:-1]] = part
                elif pattern != part:
                    break
            else:
                return route, path
        return None

    async def _serve(
        self, request: web.BaseRequest, route: Route, call: Call, record: RecordedRequest, *, authorised: bool
    ) -> web.StreamResponse:
        verdict = self._limit(record, call)
        if verdict.retry_after is not None:
            return self._rate_limited(record, verdict)
        if self.outage_status is not None:
            record.status = self.outage_status
            return _answer(Reply({"message": "outage", "code": 0}, self.outage_status), {})
        fault = self._faults.take(record)
        if fault is None:
            return _answer(self._act(route, call, record, authorised=authorised), verdict.headers)
        if fault.delay_before:
            await asyncio.sleep(fault.delay_before)
        reply = Reply(None, NO_CONTENT)
        if fault.stored or not fault.fails:
            reply = self._act(route, call, record, authorised=authorised)
        if fault.hold is not None:
            await fault.hold.wait()
        if fault.delay_after:
            await asyncio.sleep(fault.delay_after)
        return self._spoil(request, record, fault, reply, verdict)

    def _limit(self, record: RecordedRequest, call: Call) -> Verdict:
        if self._buckets is None:
            return Verdict({})
        webhook_id = record.ids.get("webhook_id", "")
        hook = self._world.webhooks.get(int(webhook_id)) if webhook_id.isdigit() else None
        return self._buckets.take(
            record.method,
            record.route,
            call.path,
            authorised=record.authorised,
            webhook_channel=None if hook is None else hook.channel.id,
        )

    def _rate_limited(self, record: RecordedRequest, verdict: Verdict) -> web.Response:
        record.status = 429
        if verdict.announced:
            self._ledger.refuse(record, 0, f"rate limit ({verdict.scope})", provoked=False)
        return _too_many(verdict.headers, verdict.retry_after or 0.0, verdict.scope, via=True)

    def _act(self, route: Route, call: Call, record: RecordedRequest, *, authorised: bool) -> Reply:
        try:
            if route.auth is Auth.BOT and not authorised:
                raise RefusalError(401, 0, "401: Unauthorized")
            reply = route.handler(call)
        except RefusalError as refusal:
            record.status = refusal.status
            record.code = refusal.code
            reason = refusal.message if refusal.code != INVALID_FORM else encode(refusal.payload())
            self._ledger.refuse(record, refusal.code, reason, provoked=False)
            return Reply(refusal.payload(), refusal.status)
        record.status = NO_CONTENT if reply.body is None else reply.status
        return reply

    def _spoil(
        self, request: web.BaseRequest, record: RecordedRequest, fault: Fault, reply: Reply, verdict: Verdict
    ) -> web.StreamResponse:
        if fault.reset:
            record.status = 0
            _reset(request)
            return web.Response(status=500)
        if fault.status is None:
            return _answer(reply, verdict.headers)
        record.status, record.code = fault.status, fault.code
        if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
            return _too_many(verdict.headers, fault.retry_after, fault.scope, via=fault.via)
        if fault.html:
            return web.Response(text=_PROXY_PAGE, status=fault.status, content_type="text/html")
        if HTTPStatus.BAD_REQUEST <= fault.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._ledger.refuse(record, fault.code, fault.message, provoked=True)
        return _answer(Reply({"message": fault.message, "code": fault.code}, fault.status), verdict.headers)


def _without_secrets(part: str) -> str:
    if part.isdigit():
        return "{id}"
    return part if len(part) <= _LONGEST_WORD else "{token}"


def _answer(reply: Reply, headers: dict[str, str]) -> web.Response:
    if reply.body is None:
        return web.Response(status=NO_CONTENT, headers=headers)
    return web.Response(
        body=encode(reply.body).encode(), status=reply.status, headers={**headers, "Content-Type": _JSON}
    )


def _too_many(headers: dict[str, str], retry_after: float, scope: str, *, via: bool) -> web.Response:
    everywhere = scope == "global"
    body: JsonObject = {
        "message": "You are being rate limited.",
        "retry_after": round(retry_after, 3),
        "global": everywhere,
        "code": 0,
    }
    extra: dict[str, Any] = {"Retry-After": f"{retry_after:.3f}", "X-RateLimit-Scope": scope}
    if everywhere:
        extra["X-RateLimit-Global"] = "true"
    if via:
        extra["Via"] = "1.1 google"
    return _answer(Reply(body, 429), {**headers, **extra})


def _reset(request: web.BaseRequest) -> None:
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_UNSENT)
    transport.abort()
