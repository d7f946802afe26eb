"""Error answers: from the many shapes upstream gives them to one typed error.

The shapes are those of NanoGPT's error page, the Responses events and the clients that wrote down what they saw.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from http import HTTPStatus
from typing import Final

from bot.nanogpt.errors import (
    MESSAGE_LENGTH,
    BadKeyError,
    CharacterUnusableError,
    ConflictError,
    ContentPolicyError,
    ContextTooLongError,
    DailyLimitError,
    EmptyResponseError,
    Fault,
    InsufficientBalanceError,
    InvalidRequestError,
    MalformedAnswerError,
    NanoGptError,
    NotFoundError,
    NotPermittedError,
    ThroughputLimitedError,
    TooLargeError,
    UpstreamDownError,
)
from bot.nanogpt.jsonvalue import Json, as_clean_text, as_list, as_number, as_object, as_text, parse_json
from bot.nanogpt.retry import parse_retry_after

REQUEST_ID_HEADER: Final = "x-request-id"
RETRY_AFTER_HEADER: Final = "retry-after"

_KEY_WORDS: Final = frozenset(
    {
        "authentication_error",
        "authentication_required",
        "invalid_api_key",
        "malformed_api_key",
        "missing_api_key",
    }
)
_BALANCE_WORDS: Final = frozenset(
    {
        "both_balance_required",
        "insufficient_quota",
        "memory_balance_required",
        "websearch_balance_required",
    }
)
_DAILY_WORDS: Final = frozenset({"daily_rpd_limit_exceeded", "daily_usd_limit_exceeded"})
_THROUGHPUT_WORDS: Final = frozenset({"rate_limit_error", "rate_limit_exceeded"})
_POLICY_WORDS: Final = frozenset(
    {"bio_policy", "content_filter", "content_policy_violation", "image_content_policy_violation", "invalid_prompt"}
)
_CONTEXT_WORDS: Final = frozenset({"context_length_exceeded"})
_EMPTY_WORDS: Final = frozenset({"empty_response"})
_PERMISSION_WORDS: Final = frozenset(
    {
        "api_key_origin_not_allowed",
        "model_not_allowed",
        "model_not_included",
        "permission_denied_error",
        "permission_error",
    }
)
_NOT_FOUND_WORDS: Final = frozenset({"model_not_found", "not_found_error", "response_not_found"})
_INVALID_WORDS: Final = frozenset({"invalid_request_error"})

_BAD_SESSION: Final = re.compile(r"\binvalid session\b", re.IGNORECASE)
_BALANCE: Final = re.compile(r"\binsufficient\b.*\b(?:balance|funds|credits?)\b", re.IGNORECASE)
_DAILY: Final = re.compile(r"\bdaily\b.*\blimit\b", re.IGNORECASE)
_CONTEXT: Final = re.compile(
    r"\bcontext (?:length|window|size|limit)\b|\bcontext\b.*\btoo long\b|\bmaximum context\b", re.IGNORECASE
)
_CHARACTER: Final = re.compile(r"\bcharacter(?:[_ ]?id)?\b", re.IGNORECASE)
# "Character" also means a sign of writing: limits and encodings are complaints of another kind.
_SIGN_OF_WRITING: Final = re.compile(
    r"\bcharacter (?:limit|count|length|set|encoding|at|in|class|'|\")"
    r"|\b(?:unexpected|control|special|null|non-ascii) character",
    re.IGNORECASE,
)
_LIKE_A_KEY: Final = re.compile(r"\bsk-[\w*.-]{6,}")
_HIDDEN: Final = "[key]"

_SECONDS_A_DAY: Final = 86_400
_BAD_KEY_STATUSES: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN})
"""What an endpoint that takes nothing but a key says of a bad one, besides 401."""
_CHARACTER_STATUSES: Final = frozenset(
    {
        None,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_CONTEXT_STATUSES: Final = frozenset(
    {None, HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
_BALANCE_STATUSES: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_PROXY_STATUSES: Final = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS})
"""What a proxy in front of the API says in earnest, web page or not."""
_STATUSES: Final = range(100, 600)
_CLIENT_ERRORS: Final = range(400, 500)
_BY_STATUS: Final[dict[int, type[NanoGptError]]] = {
    HTTPStatus.FORBIDDEN: NotPermittedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.REQUEST_TIMEOUT: UpstreamDownError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.GONE: NotFoundError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLargeError,
}


class Call(Enum):
    """What was being done, which decides what a refusal means."""

    LOOKUP = "lookup"
    REPORT = "report"
    REVIEW = "review"
    AUTHORING = "authoring"
    """A character of one's own is made, changed or archived."""
    RESPONSE = "response"
    KEY_CHECK = "key check"
    """Asked of an endpoint that has nothing to refuse but the key."""
    LOGIN = "login"


def read_fault(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Fault:
    """Read an error answer, whatever its body holds.

    `headers` must find lower-case names; `now` is Unix time in seconds.
    """
    try:
        value = parse_json(body)
    except ValueError:
        value = None
        page = looks_like_page(headers.get("content-type", ""), body)
        fault = Fault(web_page=page, message=None if page else _cut(body.decode("utf-8", "replace")))
    else:
        fault = fault_of(value)
    in_header = headers.get(RETRY_AFTER_HEADER)
    waiting = None if in_header is None else parse_retry_after(in_header, now=now)
    return replace(
        fault,
        status=status,
        retry_after=fault.retry_after if waiting is None else waiting,
        request_id=headers.get(REQUEST_ID_HEADER) or fault.request_id,
    )


def looks_like_page(content_type: str, body: bytes) -> bool:
    """Tell whether an answer is a web page: an outage or a wrong address, and not the API speaking."""
    return "html" in content_type.lower() or body.lstrip()[:1] == b"<"


def fault_of(value: Json) -> Fault:
    """Read the error out of a JSON body or out of a failing event of a stream.

    1. `{"error": {...}}`, with or without `status` inside.
    2. `{"error": "sentence", "status": 402}`, and OAuth's `{"error": "code", "error_description": ...}`.
    3. `{"error": 400, "message": ...}`.
    4. `code` and `message` at top level, `detail`, `errors`; a bare string.
    """
    if isinstance(value, str):
        return Fault(message=_cut(value))
    outer = as_object(value)
    error = outer.get("error")
    inner = as_object(error)
    described = as_text(outer.get("error_description"))
    code = inner.get("code", outer.get("code"))
    message = (
        as_text(inner.get("message"))
        or described
        or (as_text(error) if not described else None)
        or as_text(outer.get("message"))
        or _detail(outer)
    )
    if described and code is None:
        code = error
    # On an event, `type` names the event and is no type of error.
    kind = inner.get("type") if inner else outer.get("type")
    return Fault(
        status=_status(inner.get("status"), outer.get("status"), error, code),
        type=None if kind == "error" or not isinstance(kind, str) or kind.startswith("response.") else kind,
        code=as_text(code),
        message=_cut(message),
        param=as_text(inner.get("param", outer.get("param"))),
        retry_after=_waiting(inner) or _waiting(outer),
        request_id=as_text(outer.get("request_id")),
        required_balance=as_number(outer.get("requiredBalance", inner.get("requiredBalance"))),
        moderated="moderation" in outer,
    )


def without_secret(fault: Fault, secret: str) -> Fault:
    """Take the key, and whatever looks like one, out of what upstream wrote."""

    def clean(text: str | None) -> str | None:
        return text and _LIKE_A_KEY.sub(_HIDDEN, text.replace(secret, _HIDDEN) if secret else text)

    return replace(
        fault, type=clean(fault.type), code=clean(fault.code), message=clean(fault.message), param=clean(fault.param)
    )


def error_for(fault: Fault, call: Call, *, keyed: bool, now: float) -> NanoGptError:
    """Name the failure: the first rung that fits.

    1. A web page: something in front of the API spoke, so nothing is said of key or character.
    2. Words that mean one thing wherever they come: daily cap, balance, key, rate, policy, length, emptiness.
    3. A refusal to speak as a character that names the character.
    4. A refusal of a request that had nothing but its key to be refused for.
    5. The status; inside a stream, where none is given, the words.

    `keyed` tells whether a key was sent: without one, 401 says only that one is needed. `now` is Unix time.
    """
    if fault.web_page and fault.status not in _PROXY_STATUSES:
        return UpstreamDownError(fault)
    named = _by_words(fault, call, keyed=keyed, now=now)
    if named is None and call is Call.KEY_CHECK and keyed and fault.status in _BAD_KEY_STATUSES:
        return BadKeyError(fault)
    return named or _by_status(fault)


def _by_words(fault: Fault, call: Call, *, keyed: bool, now: float) -> NanoGptError | None:
    words, message, status = fault.words, fault.message or "", fault.status
    if words & _DAILY_WORDS or (status == HTTPStatus.TOO_MANY_REQUESTS and _DAILY.search(message)):
        return DailyLimitError(fault, resets_at=_reset(fault, now))
    if status == HTTPStatus.PAYMENT_REQUIRED or words & _BALANCE_WORDS or _tells_of_balance(fault):
        return InsufficientBalanceError(fault)
    if status == HTTPStatus.TOO_MANY_REQUESTS or words & _THROUGHPUT_WORDS:
        return ThroughputLimitedError(fault)
    if _is_about_key(fault):
        return BadKeyError(fault) if keyed else NotPermittedError(fault)
    if words & _POLICY_WORDS or (status == HTTPStatus.BAD_REQUEST and fault.moderated):
        return ContentPolicyError(fault)
    if words & _CONTEXT_WORDS or (status in _CONTEXT_STATUSES and _CONTEXT.search(message)):
        return ContextTooLongError(fault)
    if words & _EMPTY_WORDS:
        return EmptyResponseError(fault)
    if call is Call.RESPONSE and status in _CHARACTER_STATUSES and _names_character(fault):
        return CharacterUnusableError(fault)
    return None


def _by_status(fault: Fault) -> NanoGptError:
    status = fault.status
    if status is None:
        return _by_failure(fault)
    if status in _BY_STATUS:
        return _BY_STATUS[status](fault)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UpstreamDownError(fault)
    if status >= HTTPStatus.BAD_REQUEST:
        return InvalidRequestError(fault)
    # A redirect: the address is wrong, and a key must not follow it.
    return MalformedAnswerError(fault)


def _by_failure(fault: Fault) -> NanoGptError:
    """Name a failure that came inside an answer, where the words are all there is."""
    if fault.words & _PERMISSION_WORDS:
        return NotPermittedError(fault)
    if fault.words & _NOT_FOUND_WORDS:
        return NotFoundError(fault)
    if fault.words & _INVALID_WORDS or (fault.code or "").lower().startswith("invalid_"):
        return InvalidRequestError(fault)
    return UpstreamDownError(fault)


def _tells_of_balance(fault: Fault) -> bool:
    return fault.status in _BALANCE_STATUSES and _BALANCE.search(fault.message or "") is not None


def _is_about_key(fault: Fault) -> bool:
    if fault.status == HTTPStatus.UNAUTHORIZED:
        return True
    if fault.words & _PERMISSION_WORDS or (fault.status is not None and fault.status not in _CLIENT_ERRORS):
        return False
    return bool(fault.words & _KEY_WORDS) or _BAD_SESSION.search(fault.message or "") is not None


def _names_character(fault: Fault) -> bool:
    if any("character" in word.lower() for word in (fault.code, fault.param, fault.type) if word):
        return True
    message = fault.message or ""
    return _CHARACTER.search(message) is not None and _SIGN_OF_WRITING.search(message) is None


def _reset(fault: Fault, now: float) -> float:
    if fault.retry_after is not None:
        return now + fault.retry_after
    return (now // _SECONDS_A_DAY + 1) * _SECONDS_A_DAY


def _status(*candidates: Json) -> int | None:
    for candidate in candidates:
        number = as_number(candidate)
        if number is not None and number in _STATUSES:
            return int(number)
    return None


def _waiting(holder: dict[str, Json]) -> float | None:
    number = as_number(holder.get("retry_after", holder.get("retryAfter")))
    return number if number is not None and number >= 0 else None


def _detail(outer: dict[str, Json]) -> str | None:
    detail = outer.get("detail")
    if isinstance(detail, str):
        return detail
    for entry in [*as_list(detail), *as_list(outer.get("errors"))]:
        entry_object = as_object(entry)
        text = as_text(entry) or as_text(entry_object.get("message")) or as_text(entry_object.get("msg"))
        if text:
            return text
    return None


def _cut(text: str | None) -> str | None:
    text = as_clean_text(text)
    if text is None:
        return None
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…"
