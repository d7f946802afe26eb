"""Rate limits as Discord keeps them: headers on every answer, 429 beyond, and limits that no header tells.

Discord publishes no numbers (https://discord.com/developers/docs/topics/rate-limits). The defaults are what bot
authors have measured: five webhook calls in 2 s, five posts in 5 s, thirty webhook posts a minute in one channel.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

_EXECUTE: Final = "/webhooks/{webhook_id}/{webhook_token}"
_MESSAGES: Final = "/channels/{channel_id}/messages"
_MESSAGE: Final = "/channels/{channel_id}/messages/{message_id}"
_SWEEP_ABOVE: Final = 20_000


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """How many calls (`limit`) in how many seconds (`window`); smaller windows make tests faster."""

    webhook_limit: int = 5
    webhook_window: float = 2.0
    hidden_webhook_limit: int = 30
    hidden_webhook_window: float = 60.0
    post_limit: int = 5
    post_window: float = 5.0
    edit_limit: int = 5
    edit_window: float = 5.0
    default_limit: int = 50
    default_window: float = 1.0
    global_limit: int = 50
    global_window: float = 1.0


@dataclass(slots=True)
class _Window:
    count: int
    ends: float
    told: bool = False
    """Whether an answer has told the present process of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Headers for the answer; with `retry_after` (seconds) set, the call must be answered 429 with that `scope`.

    `announced` says whether the client could have known.
    """

    headers: dict[str, str]
    retry_after: float | None = None
    scope: str = "user"
    announced: bool = True


class Buckets:
    """Count calls per bucket in fixed windows that begin with their first call."""

    def __init__(self, policy: BucketPolicy, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        """Take `clock` for measuring (seconds, monotonic) and `wall` for the Reset header (Unix seconds)."""
        self._policy = policy
        self._clock = clock
        self._wall = wall
        self._windows: dict[tuple[str, str], _Window] = {}

    def take(
        self, method: str, template: str, path: Mapping[str, str], *, authorised: bool, webhook_channel: int | None
    ) -> Verdict:
        """Count one call and say how it must be answered; `path` are the parameters of the template.

        Interaction callbacks are never limited.
        """
        if template.startswith("/interactions/"):
            return Verdict({})
        now = self._clock()
        if len(self._windows) > _SWEEP_ABOVE:
            self._windows = {key: window for key, window in self._windows.items() if window.ends > now}
        policy = self._policy
        if authorised:
            spent = self._count(("global", ""), policy.global_limit, policy.global_window, now)
            if spent.count > policy.global_limit:
                return Verdict({"X-RateLimit-Global": "true"}, max(0.0, spent.ends - now), "global")
        name, limit, window = self._bucket(method, template)
        major = path.get("webhook_id", "") + path.get("webhook_token", "")
        major = major or path.get("channel_id") or path.get("guild_id") or ""
        if template == _EXECUTE and method == "POST" and webhook_channel is not None:
            hidden = self._count(
                ("hidden", str(webhook_channel)), policy.hidden_webhook_limit, policy.hidden_webhook_window, now
            )
            if hidden.count > policy.hidden_webhook_limit:
                return Verdict({}, max(0.0, hidden.ends - now), "shared", announced=False)
        state = self._count((name, major), limit, window, now)
        left = max(0.0, state.ends - now)
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - state.count)),
            "X-RateLimit-Reset": f"{self._wall() + left:.3f}",
            "X-RateLimit-Reset-After": f"{math.ceil(left * 1000) / 1000:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(name.encode()).hexdigest()[:32],
        }
        announced, state.told = state.told, True
        return Verdict(headers, left if state.count > limit else None, announced=announced)

    def forget_client(self) -> None:
        """Take note that the client is another process from here on, which no answer has told anything yet."""
        for window in self._windows.values():
            window.told = False

    def _bucket(self, method: str, template: str) -> tuple[str, int, float]:
        policy = self._policy
        if template.startswith(_EXECUTE):
            return "webhook", policy.webhook_limit, policy.webhook_window
        if template == _MESSAGES and method == "POST":
            return "post", policy.post_limit, policy.post_window
        if template == _MESSAGE and method in {"PATCH", "DELETE"}:
            return method, policy.edit_limit, policy.edit_window
        return f"{method} {template}", policy.default_limit, policy.default_window

    def _count(self, key: tuple[str, str], limit: int, seconds: float, now: float) -> _Window:
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            window = self._windows[key] = _Window(0, now + seconds)
        if window.count <= limit:
            window.count += 1
        return window
