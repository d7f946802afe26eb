from collections.abc import AsyncGenerator, Mapping

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.gateway.rate_limits import WebhookRateLimits
from bot.services.outlet import Allowance
from tests.support.manual_clock import ManualClock

UNKNOWN = Allowance(None, 0.0)
FULL = {"X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "2.0"}


class Discord:
    """Answers any request with the headers of the moment."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}
        self.status = 200

    async def handle(self, request: web.Request) -> web.Response:
        del request
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
def discord() -> Discord:
    return Discord()


@pytest.fixture
async def server(discord: Discord) -> AsyncGenerator[TestServer]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", discord.handle)
    server = TestServer(application)
    async with server:
        yield server


@pytest.fixture
def limits(clock: ManualClock) -> WebhookRateLimits:
    return WebhookRateLimits(clock.monotonic)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def http(limits: WebhookRateLimits) -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(trace_configs=[limits.trace()]) as session:
        yield session


async def call(http: aiohttp.ClientSession, server: TestServer, path: str) -> None:
    async with http.post(server.make_url(path)) as answer:
        await answer.read()


async def test_before_any_answer_nothing_is_known(limits: WebhookRateLimits) -> None:
    assert limits.of(70) == UNKNOWN


@pytest.mark.parametrize(
    "path", ["/api/v10/webhooks/70/token", "/api/v10/webhooks/70/token/messages/5", "/webhooks/70/token?wait=true"]
)
async def test_the_newest_answer_counts(
    http: aiohttp.ClientSession, server: TestServer, discord: Discord, limits: WebhookRateLimits, path: str
) -> None:
    discord.headers = FULL
    await call(http, server, path)
    assert limits.of(70) == Allowance(4, pytest.approx(2.0))  # pyright: ignore[reportArgumentType] - compares as a float
    discord.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"}
    await call(http, server, path)
    assert limits.of(70).remaining == 0
    assert limits.of(71) == UNKNOWN


async def test_a_bucket_is_full_again_after_its_reset(
    http: aiohttp.ClientSession, server: TestServer, discord: Discord, limits: WebhookRateLimits, clock: ManualClock
) -> None:
    discord.headers = FULL
    await call(http, server, "/webhooks/70/token")
    clock.advance(1.5)
    assert limits.of(70).resets_in_seconds == pytest.approx(0.5)
    clock.advance(0.5)
    assert limits.of(70) == UNKNOWN
    assert limits.of(70) == UNKNOWN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "4"},
        {"X-RateLimit-Reset-After": "4"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset-After": "2.0"},
    ],
)
async def test_an_answer_that_says_nothing_changes_nothing(
    http: aiohttp.ClientSession,
    server: TestServer,
    discord: Discord,
    limits: WebhookRateLimits,
    headers: dict[str, str],
) -> None:
    discord.headers = FULL
    await call(http, server, "/webhooks/70/token")
    discord.headers = headers
    await call(http, server, "/webhooks/70/token")
    assert limits.of(70).remaining == 4


async def test_a_refusal_tells_of_the_limit_too(
    http: aiohttp.ClientSession, server: TestServer, discord: Discord, limits: WebhookRateLimits
) -> None:
    discord.status, discord.headers = 429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "9"}
    await call(http, server, "/webhooks/70/token")
    assert limits.of(70).remaining == 0


async def test_other_calls_are_not_noted(
    http: aiohttp.ClientSession, server: TestServer, discord: Discord, limits: WebhookRateLimits
) -> None:
    discord.headers = FULL
    await call(http, server, "/api/v10/channels/70/messages")
    await call(http, server, "/api/v10/channels/70/webhooks")
    assert limits.of(70) == UNKNOWN
