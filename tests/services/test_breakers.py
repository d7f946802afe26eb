from bot.domain.failures import Failure, FailureCause
from bot.domain.ids import PayerId
from bot.services.breakers import DAILY_HOLD_SECONDS, HOLD_SECONDS, Breakers
from tests.support.manual_clock import START_MS, ManualClock

OPERATOR = PayerId("operator")


def test_a_key_without_credit_is_left_alone_for_a_minute(clock: ManualClock) -> None:
    breakers = Breakers(clock.clock)
    breakers.note(OPERATOR, Failure(FailureCause.BALANCE))
    assert breakers.failure(OPERATOR) == Failure(FailureCause.BALANCE)
    assert breakers.failure(PayerId("another")) is None
    clock.advance(HOLD_SECONDS)
    assert breakers.failure(OPERATOR) is None


def test_a_daily_limit_holds_until_it_resets(clock: ManualClock) -> None:
    breakers = Breakers(clock.clock)
    limit = Failure(FailureCause.DAILY_LIMIT, resets_at_s=START_MS // 1_000 + 60)
    breakers.note(OPERATOR, limit)
    clock.advance(59)
    assert breakers.failure(OPERATOR) == limit
    clock.advance(1)
    assert breakers.failure(OPERATOR) is None


def test_a_daily_limit_that_was_raised_shows_within_a_quarter_of_an_hour(clock: ManualClock) -> None:
    breakers = Breakers(clock.clock)
    limit = Failure(FailureCause.DAILY_LIMIT, resets_at_s=START_MS // 1_000 + 86_400)
    for _ in range(2):
        breakers.note(OPERATOR, limit)
        clock.advance(DAILY_HOLD_SECONDS - 1)
        assert breakers.failure(OPERATOR) == limit
        clock.advance(1)
        assert breakers.failure(OPERATOR) is None


def test_a_passing_failure_keeps_no_key_from_being_tried(clock: ManualClock) -> None:
    breakers = Breakers(clock.clock)
    for cause in (FailureCause.BUSY, FailureCause.UPSTREAM_DOWN, FailureCause.EMPTY, FailureCause.DAILY_LIMIT):
        breakers.note(OPERATOR, Failure(cause))
    assert breakers.failure(OPERATOR) is None
