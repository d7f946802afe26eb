import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.starts import FIRST_DELAY_SECONDS, HELD_BELOW, SPACED_BELOW, start_delay_seconds

DAY = 86_400.0


@pytest.mark.parametrize(
    ("remaining", "reset_after", "expected"),
    [
        (1_000, DAY, 0.0),
        (200, DAY, 0.0),
        (199, DAY, 30.0),
        (175, DAY, 30.0),
        (174, DAY, 60.0),
        (150, DAY, 60.0),
        (100, DAY, 240.0),
        (50, DAY, 960.0),
        (49, DAY, DAY),
        (0, DAY, DAY),
        (100, 100.0, 100.0),
        (199, 0.0, 0.0),
    ],
)
def test_how_long_a_start_waits(remaining: int, reset_after: float, expected: float) -> None:
    assert start_delay_seconds(remaining, reset_after) == expected


@given(st.integers(0, 1_000), st.floats(0, DAY))
def test_no_start_waits_beyond_the_reset_and_fewer_left_never_wait_less(remaining: int, reset_after: float) -> None:
    delay = start_delay_seconds(remaining, reset_after)
    assert 0 <= delay <= reset_after
    if remaining:
        assert start_delay_seconds(remaining - 1, reset_after) >= delay


def test_a_crash_loop_does_not_use_up_the_starts_of_a_day() -> None:
    remaining, passed = 1_000, 0.0
    while passed < DAY and remaining:
        passed += max(start_delay_seconds(remaining, DAY - passed), 5.0)
        remaining -= 1
    assert remaining >= HELD_BELOW - 2
    assert SPACED_BELOW > HELD_BELOW
    assert FIRST_DELAY_SECONDS > 0
