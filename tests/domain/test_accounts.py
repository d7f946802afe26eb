import pytest

from bot.domain.accounts import LoginApproved, LoginStart, UsageWindow


@pytest.mark.parametrize(
    ("used", "remaining", "share"),
    [
        (25.0, 75.0, 0.25),
        (0.0, 100.0, 0.0),
        (100.0, 0.0, 1.0),
        (120.0, -20.0, 1.0),
        (0.0, 0.0, None),
        (None, 75.0, None),
        (25.0, None, None),
    ],
)
def test_the_share_used_follows_from_what_is_used_and_what_is_left(
    used: float | None, remaining: float | None, share: float | None
) -> None:
    assert UsageWindow("daily", used, remaining).share_used == share


def test_no_secret_of_a_login_shows_in_a_log() -> None:
    start = LoginStart("device-fake", "ABCD-EFGH", "https://a.example/?code=ABCD-EFGH", 600.0, 2.0)
    assert "device-fake" not in repr(start)
    assert "sk-nano-fake" not in repr(LoginApproved("sk-nano-fake"))
