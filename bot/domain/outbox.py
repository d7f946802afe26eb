"""When something that could not be sent is tried again, and when it is given up."""

from typing import Final

from bot.domain.feedback import OutboxEntry

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
FIRST_DELAY_MS: Final = _MINUTE_MS
LONGEST_DELAY_MS: Final = 6 * 60 * _MINUTE_MS
TRIED_FOR_MS: Final = 7 * _DAY_MS
"""What the catalogue has not taken within a week it will not take."""
JITTER_SHARE: Final = 0.25
"""So that what failed together is not tried together for ever."""
_MOST_DOUBLINGS: Final = 10
"""A minute doubled this often is past the longest delay."""


def retry_delay_ms(attempts: int, *, jitter: float) -> int:
    """Return how long to wait after so many earlier attempts in vain; `jitter` is a random number from 0 to 1.

    Between a minute and six hours, doubled each time.
    """
    delay = FIRST_DELAY_MS * 2 ** min(attempts, _MOST_DOUBLINGS)
    return min(LONGEST_DELAY_MS, int(delay * (1 + JITTER_SHARE * jitter)))


def expires_at_ms(entry: OutboxEntry) -> int:
    """Tell when an entry is given up, in Unix milliseconds."""
    return entry.created_at_ms + TRIED_FOR_MS


def next_try_ms(entry: OutboxEntry, *, now_ms: int, asked_ms: int, jitter: float) -> int:
    """Tell when a failed entry is due again, in Unix milliseconds: never past the time it is given up.

    `asked_ms` is how long upstream wants to be left alone, 0 where it said nothing.
    """
    delay = max(asked_ms, retry_delay_ms(entry.attempts, jitter=jitter))
    return max(now_ms + FIRST_DELAY_MS, min(now_ms + delay, expires_at_ms(entry)))
