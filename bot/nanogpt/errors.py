"""What can go wrong with a call, told apart by what its caller can do about it.

NanoGptError
├── UnreachableError             no connection, or it broke before there was an answer
├── StalledError                 nothing came for too long, or the whole call took too long
├── UpstreamDownError            5xx, 408, a failed generation, or a web page where an answer should be
├── CutStreamError               the stream ended without saying that it was complete
├── EmptyResponseError           completed, and said nothing
├── MalformedAnswerError         an answer that cannot be read
├── BadKeyError                  the key is unknown, revoked or expired (401)
├── InsufficientBalanceError     the key's account cannot pay (402)
├── RateLimitedError
│   ├── ThroughputLimitedError   too many requests just now (429)
│   └── DailyLimitError          the key's cap is used up until midnight UTC (429)
├── NotPermittedError            the key may not do this (403), or a key is needed
├── NotFoundError                no such thing, or not yours, or gone (404, 410)
├── ConflictError                already done, or done differently (409)
└── RejectedError                the request itself was turned down
    ├── InvalidRequestError      (400, 415, 422)
    ├── TooLargeError            (413)
    ├── ContextTooLongError      the history must be shortened
    ├── ContentPolicyError       a moderation layer refused the input
    └── CharacterUnusableError   withdrawn, archived, not approved, or closed to the API
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

MESSAGE_LENGTH: Final = 300
"""Characters kept of a message from upstream."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What upstream, or the connection to it, said of a failure. None where nothing was said."""

    status: int | None = None
    """HTTP status; inside a stream, the one the failing event names."""
    type: str | None = None
    code: str | None = None
    message: str | None = None
    """In upstream's words: may quote the request, so it is for the operator and never for a log."""
    param: str | None = None
    retry_after: float | None = None
    """Seconds."""
    request_id: str | None = None
    required_balance: float | None = None
    """US dollars that the account should have held."""
    web_page: bool = False
    """Whether HTML came, so that something in front of the API spoke and not the API."""
    moderated: bool = False
    """Whether the findings of a moderation layer came along."""
    unsent: bool = False
    """Whether the request never left, so that nothing can have come of it."""

    @property
    def words(self) -> frozenset[str]:
        """Type and code in lower case: some endpoints put a code in `type`."""
        return frozenset(word.lower() for word in (self.type, self.code) if word)


class NanoGptError(Exception):
    """A call to NanoGPT that failed.

    Its text names status, codes and request id and holds nothing that a person or upstream wrote, so it can be logged.
    """

    def __init__(self, fault: Fault | None = None, *, partial_text: str = "") -> None:
        super().__init__()
        self.fault = fault or Fault()
        self.partial_text = partial_text
        """The visible text that had come before the failure."""

    @property
    def status(self) -> int | None:
        """The HTTP status, where there was one."""
        return self.fault.status

    @property
    def type(self) -> str | None:
        """The error's `type`, as upstream spells it."""
        return self.fault.type

    @property
    def code(self) -> str | None:
        """The error's `code`, as upstream spells it."""
        return self.fault.code

    @property
    def message(self) -> str | None:
        """Upstream's own words, at most MESSAGE_LENGTH characters. May quote the request: never log it."""
        return self.fault.message

    @property
    def param(self) -> str | None:
        """The field that upstream complains of."""
        return self.fault.param

    @property
    def retry_after(self) -> float | None:
        """Seconds after which upstream may be asked again."""
        return self.fault.retry_after

    @property
    def request_id(self) -> str | None:
        """X-Request-ID of the answer, for a letter to support."""
        return self.fault.request_id

    @property
    def uncertain(self) -> bool:
        """Whether upstream may have done all the same what it was asked: look there before asking again.

        It has not where it refused, or where the request never left.
        """
        status = self.fault.status
        if self.fault.unsent:
            return False
        if status is None or status == HTTPStatus.REQUEST_TIMEOUT:
            return True
        return status < HTTPStatus.MULTIPLE_CHOICES or status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def __str__(self) -> str:
        known = {
            "status": self.status,
            "type": self.type,
            "code": self.code,
            "param": self.param,
            "request": self.request_id,
        }
        return ", ".join(f"{name} {value}" for name, value in known.items() if value is not None) or "no details"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class UnreachableError(NanoGptError):
    """There was no connection, or it broke before an answer."""


class StalledError(NanoGptError):
    """Nothing came within the idle limit, or the call passed its overall limit."""


class UpstreamDownError(NanoGptError):
    """Upstream failed, or a web page came where an answer should be."""


class CutStreamError(NanoGptError):
    """The stream ended without a terminal event."""


class EmptyResponseError(NanoGptError):
    """The reply was completed without any text."""


class MalformedAnswerError(NanoGptError):
    """The answer was not what the API gives, or too large."""


class BadKeyError(NanoGptError):
    """The key that was sent was refused."""


class InsufficientBalanceError(NanoGptError):
    """The account behind the key cannot pay."""

    @property
    def required_balance(self) -> float | None:
        """US dollars that the account should have held."""
        return self.fault.required_balance


class RateLimitedError(NanoGptError):
    """Upstream wants to be asked later."""


class ThroughputLimitedError(RateLimitedError):
    """Too many requests just now."""


class DailyLimitError(RateLimitedError):
    """The key's daily cap of requests or of money is used up."""

    def __init__(self, fault: Fault | None = None, *, resets_at: float, partial_text: str = "") -> None:
        super().__init__(fault, partial_text=partial_text)
        self.resets_at = resets_at
        """Unix time in seconds."""


class NotPermittedError(NanoGptError):
    """The key may not do this, or a key is needed."""


class NotFoundError(NanoGptError):
    """There is no such thing, or it is not the key's own, or it is gone."""


class ConflictError(NanoGptError):
    """It is already done, or something else stands in its place."""


class RejectedError(NanoGptError):
    """The request was understood and turned down; the same one will be again."""


class InvalidRequestError(RejectedError):
    """Something about the request is wrong."""


class TooLargeError(RejectedError):
    """The body is larger than upstream takes."""


class ContextTooLongError(RejectedError):
    """The messages are more than the model can read."""


class ContentPolicyError(RejectedError):
    """A moderation layer refused the input."""


class CharacterUnusableError(RejectedError):
    """The character cannot be spoken with through this key."""
