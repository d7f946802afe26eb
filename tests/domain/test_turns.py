import pytest

from bot.domain.turns import AdmissionFacts, AdmissionLimits, Refusal, refusal

LIMITS = AdmissionLimits(waiting=3, member_per_day=5, guild_per_day=7)


@pytest.mark.parametrize(
    ("waiting", "member", "guild", "expected"),
    [
        (0, 0, 0, None),
        (2, 4, 6, None),
        (3, 0, 0, Refusal.QUEUE_FULL),
        (0, 5, 0, Refusal.MEMBER_CAP),
        (0, 0, 7, Refusal.GUILD_CAP),
        # A cap lasts until midnight and a queue for a moment: the cap is what is worth saying.
        (3, 5, 7, Refusal.MEMBER_CAP),
        (3, 0, 7, Refusal.GUILD_CAP),
    ],
)
def test_what_is_not_let_in(waiting: int, member: int, guild: int, expected: Refusal | None) -> None:
    assert refusal(AdmissionFacts(waiting, member, guild), LIMITS) is expected


def test_zero_is_no_limit_for_a_day() -> None:
    assert refusal(AdmissionFacts(0, 10**6, 10**6), AdmissionLimits(1, 0, 0)) is None


def test_without_room_to_wait_nothing_is_let_in() -> None:
    assert refusal(AdmissionFacts(0, 0, 0), AdmissionLimits(0, 0, 0)) is Refusal.QUEUE_FULL
