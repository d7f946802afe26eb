from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feedback import OutboxEntry, OutboxKind
from bot.domain.ids import OutboxId, PayerId
from bot.domain.outbox import (
    FIRST_DELAY_MS,
    LONGEST_DELAY_MS,
    TRIED_FOR_MS,
    expires_at_ms,
    next_try_ms,
    retry_delay_ms,
)

ATTEMPTS = st.integers(0, 10_000)
JITTER = st.floats(0, 1)


def entry(*, attempts: int = 0, created_at_ms: int = 0) -> OutboxEntry:
    return OutboxEntry(OutboxId(1), OutboxKind.REPORT, "1", PayerId("operator"), attempts, 0, created_at_ms)


@given(attempts=ATTEMPTS, jitter=JITTER)
def test_a_delay_lies_between_a_minute_and_six_hours(attempts: int, jitter: float) -> None:
    assert FIRST_DELAY_MS <= retry_delay_ms(attempts, jitter=jitter) <= LONGEST_DELAY_MS


@given(attempts=ATTEMPTS, jitter=JITTER)
def test_delays_never_shrink(attempts: int, jitter: float) -> None:
    assert retry_delay_ms(attempts, jitter=1) <= retry_delay_ms(attempts + 1, jitter=jitter) * 1.25


def test_delays_double_from_a_minute_up_to_six_hours() -> None:
    minutes = [retry_delay_ms(attempts, jitter=0) / 60_000 for attempts in range(11)]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


def test_jitter_spreads_what_failed_together() -> None:
    assert retry_delay_ms(0, jitter=0) < retry_delay_ms(0, jitter=0.5) < retry_delay_ms(0, jitter=1)


def test_what_upstream_asks_for_is_honoured() -> None:
    assert next_try_ms(entry(), now_ms=1_000, asked_ms=600_000, jitter=0) == 601_000


def test_a_shorter_wish_than_the_delay_changes_nothing() -> None:
    assert next_try_ms(entry(attempts=3), now_ms=0, asked_ms=5, jitter=0) == 8 * 60_000


def test_the_last_try_is_no_later_than_the_end() -> None:
    now = TRIED_FOR_MS - 2 * 60_000
    assert next_try_ms(entry(attempts=9), now_ms=now, asked_ms=0, jitter=0) == expires_at_ms(entry())


@given(attempts=ATTEMPTS, jitter=JITTER, now=st.integers(0, 2 * TRIED_FOR_MS), asked=st.integers(0, 10**12))
def test_the_next_try_is_a_minute_away_at_least(attempts: int, jitter: float, now: int, asked: int) -> None:
    due = next_try_ms(entry(attempts=attempts), now_ms=now, asked_ms=asked, jitter=jitter)
    assert now + FIRST_DELAY_MS <= due <= max(now + FIRST_DELAY_MS, TRIED_FOR_MS)
