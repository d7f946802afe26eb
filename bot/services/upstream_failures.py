"""From what went wrong upstream to the cause that people read about."""

import math

from bot.domain.failures import Failure, FailureCause
from bot.nanogpt import errors
from bot.nanogpt.events import Incomplete

_CAUSES: tuple[tuple[type[errors.NanoGptError], FailureCause], ...] = (
    (errors.InsufficientBalanceError, FailureCause.BALANCE),
    (errors.BadKeyError, FailureCause.BAD_KEY),
    (errors.NotPermittedError, FailureCause.NOT_PERMITTED),
    (errors.DailyLimitError, FailureCause.DAILY_LIMIT),
    (errors.RateLimitedError, FailureCause.BUSY),
    (errors.StalledError, FailureCause.STALLED),
    (errors.CutStreamError, FailureCause.CUT),
    (errors.EmptyResponseError, FailureCause.EMPTY),
    (errors.ContentPolicyError, FailureCause.CONTENT_POLICY),
    (errors.ContextTooLongError, FailureCause.CONTEXT_TOO_LONG),
    (errors.TooLargeError, FailureCause.CONTEXT_TOO_LONG),
    (errors.CharacterUnusableError, FailureCause.CHARACTER_UNAVAILABLE),
    (errors.NotFoundError, FailureCause.CHARACTER_UNAVAILABLE),
    (errors.RejectedError, FailureCause.REJECTED),
    (errors.ConflictError, FailureCause.REJECTED),
    (errors.UnreachableError, FailureCause.UPSTREAM_DOWN),
    (errors.UpstreamDownError, FailureCause.UPSTREAM_DOWN),
    (errors.MalformedAnswerError, FailureCause.UPSTREAM_DOWN),
)
"""The first class that fits wins, so that the special ones stand before the general."""


def failure_of(error: errors.NanoGptError) -> Failure:
    """Return the cause of a failed reply, with the time after which it is worth trying again."""
    cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), FailureCause.UPSTREAM_DOWN)
    resets_at = math.ceil(error.resets_at) if isinstance(error, errors.DailyLimitError) else None
    return Failure(cause, resets_at_s=resets_at)


def failure_of_incomplete(ending: Incomplete) -> Failure:
    """Return why upstream cut a reply on purpose."""
    filtered = ending.reason is not None and "filter" in ending.reason
    return Failure(FailureCause.FILTERED if filtered else FailureCause.LENGTH)
