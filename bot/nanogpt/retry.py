"""Which failure may be tried again, and after how long. Pure: no clock, no sleep, no randomness."""

import math
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from bot.nanogpt.errors import (
    CutStreamError,
    EmptyResponseError,
    InvalidRequestError,
    NanoGptError,
    StalledError,
    ThroughputLimitedError,
    UnreachableError,
    UpstreamDownError,
)

_TRANSIENT: Final = (
    CutStreamError,
    EmptyResponseError,
    StalledError,
    ThroughputLimitedError,
    UnreachableError,
    UpstreamDownError,
)
_TRANSIENT_CLIENT_STATUSES: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_MISSING: Final = frozenset({"missing_required_parameter"})
_MODEL: Final = re.compile(r"\bmodel\b", re.IGNORECASE)
_MODEL_MISSING: Final = re.compile(
    r"\bmodel\b.{0,20}\b(?:required|missing)|\b(?:required|missing)\b.{0,30}\bmodel\b", re.IGNORECASE
)
_STREAMING: Final = re.compile(r"\bstream(?:ing|ed)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late a call is tried again; seconds.

    The delays are those NanoGPT suggests (docs, rate limits: 1 s, 2 s, 4 s with jitter).
    """

    retries: int = 2
    retries_when_empty: int = 1
    first_delay: float = 1.0
    jitter_share: float = 0.5
    """Jitter adds at most this share of the delay, so that Retry-After is never undercut."""
    longest_wait: float = 60.0
    """A Retry-After beyond this is not slept through: the caller is told instead."""


def retry_delay(error: NanoGptError, retries_done: int, *, jitter: float, policy: RetryPolicy) -> float | None:
    """Return the seconds to wait before trying again, or None when it must not be.

    1. Text that has been shown is billed, and would be billed again: never.
    2. Only failures that pass by themselves, and within the number of retries.
    3. Retry-After is honoured, up to the longest wait.

    `jitter` is a random number from 0 to 1.
    """
    if error.partial_text or not _passes_by_itself(error):
        return None
    allowed = policy.retries_when_empty if isinstance(error, EmptyResponseError) else policy.retries
    if retries_done >= allowed:
        return None
    asked = error.retry_after or 0.0
    if asked > policy.longest_wait:
        return None
    delay = max(asked, policy.first_delay * 2**retries_done)
    return delay + delay * policy.jitter_share * jitter


def _passes_by_itself(error: NanoGptError) -> bool:
    if not isinstance(error, _TRANSIENT):
        return False
    status = error.status
    # A web page may come with any status; a redirect or a refusal will not change by asking again.
    return (
        status is None
        or status < HTTPStatus.MULTIPLE_CHOICES
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status in _TRANSIENT_CLIENT_STATUSES
    )


def wants_model(error: NanoGptError) -> bool:
    """Tell whether upstream refused a request because it named a character and no model.

    The Characters page needs no `model` beside `character_id`, the Responses page requires one.
    """
    if not isinstance(error, InvalidRequestError):
        return False
    message = error.message or ""
    if error.fault.words & _MISSING:
        return error.param == "model" or (error.param is None and _MODEL.search(message) is not None)
    return _MODEL_MISSING.search(message) is not None


def refuses_streaming(error: NanoGptError) -> bool:
    """Tell whether upstream refused a request because it asked for a stream (some models have none)."""
    if not isinstance(error, InvalidRequestError):
        return False
    return error.param == "stream" or _STREAMING.search(error.message or "") is not None


def parse_retry_after(value: str, *, now: float) -> float | None:
    """Read a Retry-After header: seconds, or an HTTP date (RFC 9110, 10.2.3).

    `now` is Unix time. Returns seconds from now, not negative, or None for anything else.
    """
    try:
        seconds = float(value)
    except ValueError:
        moment = parse_date(value)
        return None if moment is None else max(0.0, moment - now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def parse_date(value: str) -> float | None:
    """Read an HTTP date (RFC 9110, 5.6.7) as Unix seconds; None for anything else."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
