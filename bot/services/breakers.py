"""Not asking again where the answer is known: keys that are out of credit, refused, or used up for today."""

import logging
from dataclasses import dataclass
from typing import Final

from bot.domain.failures import Failure, FailureCause
from bot.domain.ids import PayerId
from bot.domain.payers import OPERATOR
from bot.services.clock import Clock

_log = logging.getLogger(__name__)

HOLD_SECONDS: Final = 60.0
"""How long a key is left alone that has no credit or was refused; topping it up shows within this time."""
DAILY_HOLD_SECONDS: Final = 15 * 60.0
"""How long a key is left alone at a time that has used up its day: its limit may have been raised since."""
_MS_PER_SECOND: Final = 1_000

_HELD: Final = frozenset({FailureCause.BALANCE, FailureCause.BAD_KEY})


@dataclass(frozen=True, slots=True)
class _Open:
    failure: Failure
    until_ms: float


class Breakers:
    """Remembers, per payer, what went wrong and until when it is not worth asking."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[PayerId, _Open] = {}

    def failure(self, payer: PayerId) -> Failure | None:
        """Return why a payer's key need not be tried just now, or None."""
        found = self._open.get(payer)
        if found is None:
            return None
        if self._clock.now_ms() >= found.until_ms:
            del self._open[payer]
            return None
        return found.failure

    def forget(self, payer: PayerId) -> None:
        """Try a payer again at once: the key is another, or its account was put in order."""
        self._open.pop(payer, None)

    def note(self, payer: PayerId, failure: Failure) -> None:
        """Take note of a failure; one that concerns the key as a whole keeps it from being tried for a while."""
        if failure.cause is FailureCause.DAILY_LIMIT and failure.resets_at_s is not None:
            until_ms = min(
                float(failure.resets_at_s * _MS_PER_SECOND), self._clock.now_ms() + DAILY_HOLD_SECONDS * _MS_PER_SECOND
            )
        elif failure.cause in _HELD:
            until_ms = self._clock.now_ms() + HOLD_SECONDS * _MS_PER_SECOND
        else:
            return
        if payer not in self._open:
            level = logging.ERROR if payer == OPERATOR else logging.WARNING
            _log.log(level, "The key of %s cannot pay for replies: %s", payer, failure.cause.value)
        self._open[payer] = _Open(failure, until_ms)
