"""Faults to order: what goes wrong with the next calls, and on which route."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.sandbox.nanogpt.wire import HTML_TYPE, Answer, error_answer

_SECONDS_PER_DAY: Final = 86_400


class Route(Enum):
    """The routes of the stand-in, by template: below /api/v1, or from the root where they stand beside it."""

    LIST = "GET /characters"
    CHARACTER = "GET /characters/{idOrSlug}"
    MODELS = "GET /character-models"
    REPORT = "POST /characters/{idOrSlug}/report"
    RESPONSES = "POST /responses"

    CREATE = "POST /characters"
    MINE = "GET /characters/mine"
    CHANGE = "PATCH /characters/{idOrSlug}"
    ARCHIVE = "DELETE /characters/{idOrSlug}"
    REVIEW = "PUT /characters/{idOrSlug}/review"
    LANGUAGE_MODELS = "GET /models"

    BALANCE = "POST /api/check-balance"
    USAGE = "GET /api/subscription/v1/usage"
    NANO_PRICE = "GET /api/get-nano-price"
    LOGIN_START = "POST /api/cli-login/start"
    LOGIN_POLL = "POST /api/cli-login/poll"
    LOGIN_PAGE = "GET /cli-login/verify"
    LOGIN_APPROVAL = "POST /cli-login/verify"

    @property
    def beside_api(self) -> bool:
        """Whether it stands beside /api/v1 and not below."""
        return self in _BESIDE_API


_BESIDE_API: Final = frozenset(
    {
        Route.BALANCE,
        Route.USAGE,
        Route.NANO_PRICE,
        Route.LOGIN_START,
        Route.LOGIN_POLL,
        Route.LOGIN_PAGE,
        Route.LOGIN_APPROVAL,
    }
)
CATALOG_ROUTES: Final = frozenset(Route) - {Route.RESPONSES}
_OF_ONE_CHARACTER: Final = frozenset(
    {Route.RESPONSES, Route.CHARACTER, Route.REPORT, Route.CHANGE, Route.ARCHIVE, Route.REVIEW}
)
_WRITING: Final = frozenset(
    {
        Route.REPORT,
        Route.CREATE,
        Route.CHANGE,
        Route.ARCHIVE,
        Route.REVIEW,
        Route.LOGIN_START,
        Route.LOGIN_POLL,
    }
)
"""Routes on which it matters that something was carried out although nobody was told."""


class Fault(Enum):
    """What can go wrong."""

    BAD_KEY = "401"
    INSUFFICIENT_BALANCE = "402"
    RATE_LIMITED = "429 for a moment"
    DAILY_CAP = "429 until midnight UTC"
    EMPTY_500 = "500 without a body"
    HTML_502 = "502 with a page of HTML"
    UNAVAILABLE = "503"
    NOT_JSON = "200 with something that is not JSON"
    STALL_BEFORE_ANSWER = "silence, before any byte of an answer"
    CUT_BEFORE_ANSWER = "connection dropped, before any byte of an answer"
    LOST_ANSWER = "carried out, then the connection is dropped"
    SILENT_ANSWER = "carried out, then silence"

    CHARACTER_FORBIDDEN = "403, character withdrawn"
    CHARACTER_MISSING = "404, character withdrawn"
    CONTENT_POLICY = "400, content policy"
    CONTEXT_TOO_LONG = "400, context too long"
    STREAM_UNSUPPORTED = "400, model does not stream"
    STALL_BEFORE_TEXT = "silence, after the first events"
    STALL_IN_TEXT = "silence, in mid text"
    CUT_BEFORE_TEXT = "connection dropped, after the first events"
    CUT_IN_TEXT = "connection dropped, in mid text"
    END_BEFORE_TEXT = "stream ends in order, without text or closing event"
    END_IN_TEXT = "stream ends in order, in mid text, without a closing event"
    EMPTY = "completed, without text"
    INCOMPLETE = "incomplete, max_output_tokens"
    CONTENT_FILTERED = "incomplete, content_filter"
    REFUSAL = "completed, with a refusal"
    FAILED_BEFORE_TEXT = "response.failed before any text"
    FAILED_IN_TEXT = "response.failed in mid text"
    ERROR_BEFORE_TEXT = "error event before any text"
    ERROR_IN_TEXT = "error event in mid text"
    CHAT_STYLE_ERROR = "an error frame without a type, in mid text"
    PLAIN_JSON = "plain JSON in place of a stream"
    UNKNOWN_EVENTS = "events that no page names, among the known ones"


_ANYWHERE: Final = frozenset(
    {
        Fault.BAD_KEY,
        Fault.INSUFFICIENT_BALANCE,
        Fault.RATE_LIMITED,
        Fault.DAILY_CAP,
        Fault.EMPTY_500,
        Fault.HTML_502,
        Fault.UNAVAILABLE,
        Fault.NOT_JSON,
        Fault.STALL_BEFORE_ANSWER,
        Fault.CUT_BEFORE_ANSWER,
    }
)


@dataclass(frozen=True, slots=True)
class ArmedFault:
    """A fault waiting for its call."""

    kind: Fault
    on: Route
    retry_after: float
    """Seconds announced with RATE_LIMITED."""
    after_characters: int | None
    """Where a fault in mid text strikes; None is half-way."""


class Faults:
    """The queue of faults; each call takes the oldest one that is meant for its route."""

    def __init__(self) -> None:
        self.catalog_down = False
        """While true, every route but the responses answers 503."""
        self._armed: list[ArmedFault] = []

    def next(
        self,
        kind: Fault,
        times: int = 1,
        *,
        on: Route = Route.RESPONSES,
        retry_after: float = 1,
        after_characters: int | None = None,
    ) -> None:
        """Let the next calls of a route go wrong; raises ValueError for a fault that cannot happen there."""
        if not self._possible(kind, on):
            raise ValueError(f"{kind} cannot happen on {on.value}.")
        self._armed.extend([ArmedFault(kind, on, retry_after, after_characters)] * times)

    def clear(self) -> None:
        """Forget every fault that has not struck yet, and bring the catalogue back."""
        self._armed.clear()
        self.catalog_down = False

    @property
    def pending(self) -> tuple[ArmedFault, ...]:
        """The faults that have not struck yet."""
        return tuple(self._armed)

    def take(self, route: Route) -> ArmedFault | None:
        """Take the fault meant for a call of this route, if there is one."""
        if (down := self.outage(route)) is not None:
            return down
        armed = next((fault for fault in self._armed if fault.on is route), None)
        if armed is not None:
            self._armed.remove(armed)
        return armed

    def outage(self, route: Route) -> ArmedFault | None:
        """Return the fault that every call of this route meets, whoever asks, if there is one."""
        return ArmedFault(Fault.UNAVAILABLE, route, 0, None) if self.catalog_down and route in CATALOG_ROUTES else None

    @staticmethod
    def _possible(kind: Fault, on: Route) -> bool:
        if kind in _ANYWHERE:
            return True
        if kind in {Fault.LOST_ANSWER, Fault.SILENT_ANSWER}:
            return on in _WRITING
        if kind in {Fault.CHARACTER_MISSING, Fault.CHARACTER_FORBIDDEN}:
            return on in _OF_ONE_CHARACTER
        return on is Route.RESPONSES


_FIXED_ANSWERS: Final[Mapping[Fault, Answer]] = {
    Fault.BAD_KEY: error_answer(401, "Invalid session", kind="authentication_error", code="invalid_api_key"),
    Fault.INSUFFICIENT_BALANCE: Answer.of(
        402, {"error": "Insufficient balance", "requiredBalance": 0.0035, "status": 402}
    ),
    Fault.EMPTY_500: Answer(500),
    Fault.HTML_502: Answer(502, b"<html><body><h1>Bad gateway</h1></body></html>", HTML_TYPE),
    Fault.UNAVAILABLE: error_answer(
        503, "Service temporarily unavailable", kind="service_unavailable", code="all_fallbacks_failed"
    ),
    Fault.NOT_JSON: Answer(200, b"All is well, but this is not JSON."),
    Fault.CHARACTER_FORBIDDEN: error_answer(
        403, "Character is not available through the API", kind="permission_denied_error"
    ),
    Fault.CHARACTER_MISSING: error_answer(404, "Character not found", kind="not_found_error"),
    Fault.CONTENT_POLICY: error_answer(
        400,
        "Your request was blocked by content moderation.",
        kind="invalid_request_error",
        code="content_policy_violation",
    ),
    Fault.CONTEXT_TOO_LONG: error_answer(
        400, "context too long", kind="invalid_request_error", code="context_length_exceeded"
    ),
    Fault.STREAM_UNSUPPORTED: error_answer(
        400,
        "Streaming is not supported for this model",
        kind="invalid_request_error",
        code="invalid_parameter_value",
        param="stream",
    ),
}
"""Bodies and codes as NanoGPT's error-handling page has them; the sentences about characters are invented."""


def failure_answer(fault: ArmedFault, *, now: float) -> Answer | None:
    """Return the whole answer of a fault that is one, or None for a fault of another nature.

    `now` is Unix seconds, from which the time to midnight UTC follows, when daily caps are lifted
    (NanoGPT's rate-limits page).
    """
    match fault.kind:
        case Fault.RATE_LIMITED:
            return _limited("Rate limit exceeded", "rate_limit_exceeded", fault.retry_after)
        case Fault.DAILY_CAP:
            message = "Daily request limit exceeded (1000/1000). Resets at midnight UTC."
            return _limited(message, "daily_rpd_limit_exceeded", _SECONDS_PER_DAY - int(now) % _SECONDS_PER_DAY)
        case kind:
            return _FIXED_ANSWERS.get(kind)


def _limited(message: str, code: str, retry_after: float) -> Answer:
    body = {"error": {"message": message, "type": "rate_limit_error", "code": code}}
    return Answer.of(429, body, {"Retry-After": f"{retry_after:g}"})
