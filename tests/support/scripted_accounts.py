"""NanoGPT's account endpoints behind httpx's fake transport: keys, balances, and logins by code."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.retry import RetryPolicy
from tests.support.manual_clock import ManualClock

SITE: Final = "https://nano-gpt.example/api/v1"
PENDING: Final = httpx.Response(202, json={"status": "authorization_pending"})


def approved(key: str) -> httpx.Response:
    """Return the answer that carries a key, the one time it comes."""
    return httpx.Response(200, json={"status": "approved", "key": key})


def outcome(status: int) -> httpx.Response:
    """Return an answer that ends a login, or a refusal to answer."""
    words = {410: {"status": "expired"}, 409: {"status": "consumed"}, 404: {"error": "invalid_code"}}
    return httpx.Response(status, json=words.get(status, {"error": {"message": "no"}}))


@dataclass
class ScriptedAccounts:
    """Answers balances by key, and polls from a script by device code; then for ever that nobody has approved."""

    balances: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What each good key's account holds; another key is refused."""
    subscribed: set[str] = field(default_factory=set[str])
    nano_price: float | None = 2.0
    status: int = 200
    """Another one is answered to every question about an account."""
    start_status: int = 200
    polls: dict[str, deque[httpx.Response | Exception]] = field(
        default_factory=dict[str, deque[httpx.Response | Exception]]
    )
    polled: list[str] = field(default_factory=list[str])
    """The device codes that were asked about, in order."""
    started: list[str] = field(default_factory=list[str])
    """The client names that logins were begun under."""
    held: asyncio.Event | None = None
    """When there is one, polls wait for it before they are answered."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by each poll."""
    held_keys: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    """Keys whose accounts are told only once the event is set."""
    looked_at: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by each question about such an account."""

    def script(self, device_code: str, *answers: httpx.Response | Exception) -> None:
        """Decide how the next polls of a login are answered."""
        self.polls.setdefault(device_code, deque()).extend(answers)

    def account(self, key: str, *, usd: float = 5.0, nano: float = 0.0, address: str | None = None) -> None:
        """Let there be an account that a key opens."""
        self.balances[key] = {"usd_balance": str(usd), "nano_balance": str(nano)}
        if address is not None:
            self.balances[key]["nanoDepositAddress"] = address

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

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        if path == "/cli-login/start":
            return self._start(json.loads(request.content))
        if path == "/cli-login/poll":
            self.arrived.set()
            if self.held is not None:
                await self.held.wait()
            return self._poll(json.loads(request.content)["device_code"])
        if self.status != 200:
            return outcome(self.status)
        if path == "/get-nano-price":
            price = {"pair": "NANOUSD", "latestPrice": self.nano_price}
            return outcome(503) if self.nano_price is None else httpx.Response(200, json=price)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key in self.held_keys:
            self.looked_at.set()
            await self.held_keys[key].wait()
        if key not in self.balances:
            return httpx.Response(401, json={"error": {"message": "Invalid session", "code": "invalid_api_key"}})
        if path == "/check-balance":
            return httpx.Response(200, json=self.balances[key])
        assert path == "/subscription/v1/usage", path
        return httpx.Response(200, json={"active": key in self.subscribed, "state": "active"})

    def _start(self, body: dict[str, Any]) -> httpx.Response:
        if self.start_status != 200:
            return outcome(self.start_status)
        self.started.append(body["client_name"])
        number = len(self.started)
        return httpx.Response(
            200,
            json={
                "device_code": f"fake-device-{number}",
                "user_code": f"CODE-{number}",
                "verification_uri": "https://nano-gpt.example/cli",
                "verification_uri_complete": f"https://nano-gpt.example/cli?code=CODE-{number}",
                "expires_in": 600,
                "interval": 2,
            },
        )

    def _poll(self, device_code: str) -> httpx.Response:
        self.polled.append(device_code)
        script = self.polls.get(device_code)
        answer = script.popleft() if script else PENDING
        if isinstance(answer, Exception):
            raise answer
        return answer
