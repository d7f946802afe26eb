from dataclasses import replace

import pytest

from bot.domain.accounts import Balance, Subscription, UsageWindow
from bot.domain.ids import UserId
from bot.domain.linking import KeyOrigin, LinkedAccount, LoginEnd
from bot.domain.linking_wording import (
    CLIENT_NAME,
    KEY_REFUSED,
    LINKED,
    TAKEN,
    invitation,
    login_news,
    reviews_accepted,
    status,
    unlinked,
)
from bot.nanogpt.requests import LONGEST_CLIENT_NAME

ACCOUNT = LinkedAccount(UserId(400), KeyOrigin.DEVICE, 1_800_000_000_000)
ACTIVE, INACTIVE = Subscription(active=True), Subscription(active=False)


@pytest.mark.parametrize(
    ("balance", "subscription", "price", "accepted"),
    [
        (Balance(0.0, 0.0), ACTIVE, None, True),
        (None, ACTIVE, None, True),
        (Balance(1.01, 0.0), INACTIVE, None, True),
        (Balance(1.01, None), None, None, True),
        (Balance(1.0, 0.0), INACTIVE, None, False),
        (Balance(0.99, 0.0), INACTIVE, 2.0, False),
        (Balance(0.5, 0.3), INACTIVE, 2.0, True),
        (Balance(0.5, 0.25), INACTIVE, 2.0, False),
        (Balance(None, 3.0), INACTIVE, 1.0, True),
        (Balance(0.5, 3.0), INACTIVE, None, None),
        (Balance(0.5, None), INACTIVE, 1.0, None),
        (Balance(None, 0.5), INACTIVE, 1.0, None),
        (Balance(0.5, 0.0), None, None, None),
        (None, INACTIVE, 1.0, None),
        (None, None, None, None),
        (Balance(-0.5, 0.0), INACTIVE, None, False),
    ],
)
def test_reviews_need_a_subscription_or_more_than_a_dollar(
    balance: Balance | None, subscription: Subscription | None, price: float | None, *, accepted: bool | None
) -> None:
    assert reviews_accepted(balance, subscription, price) is accepted


def told(
    account: LinkedAccount = ACCOUNT,
    balance: Balance | None = None,
    subscription: Subscription | None = None,
    price: float | None = None,
    paid_today: int = 0,
) -> str:
    return status(account, balance=balance, subscription=subscription, nano_price=price, paid_today=paid_today)


def test_a_status_tells_the_figures_in_words() -> None:
    text = told(balance=Balance(1.5, 2.0, "digest-of-an-address"), subscription=INACTIVE, price=0.5, paid_today=3)
    for words in (
        "<t:1800000000:D>",
        "1.50 US dollars and 2.0000 Nano, about 1.00 US dollars",
        "no active subscription",
        "will take your ratings",
        "asked to pay for 3 replies of your own characters today, counting those that failed",
    ):
        assert words in text
    assert "digest-of-an-address" not in text


def test_a_status_without_figures_says_that_it_cannot_tell() -> None:
    text = told()
    assert text.count("I cannot tell just now") == 3
    assert "replies" not in text


@pytest.mark.parametrize(
    ("balance", "words"),
    [
        (Balance(0.0, 0.0), "It holds 0.00 US dollars."),
        (Balance(None, 1.0), "It holds 1.0000 Nano."),
        (Balance(None, 0.0), "What it holds I cannot tell just now."),
        (Balance(1234.5, None), "It holds 1,234.50 US dollars."),
    ],
)
def test_money_is_told_as_far_as_it_is_known(balance: Balance, words: str) -> None:
    assert words in told(balance=balance)


def test_a_subscription_says_until_when_it_is_paid() -> None:
    paid = Subscription(active=True, period_end_ms=1_810_000_000_000)
    assert "<t:1810000000:D>" in told(subscription=paid)
    assert "It has an active subscription." in told(subscription=ACTIVE)


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ((), "It has an active subscription."),
        (
            (UsageWindow("daily", 5.0, 95.0), UsageWindow("monthly", 1.0, 299.0)),
            "Used up so far: 5% of the day's allowance, 0% of the month's allowance.",
        ),
        (
            (
                UsageWindow("weeklyInputTokens", 45e6, 15e6, 1_810_000_000_000),
                UsageWindow("dailyInputTokens", 3.0, None),
                UsageWindow("dailyImages", 50.0, 50.0),
            ),
            "Used up so far: 75% of the week's input tokens (anew <t:1810000000:R>).",
        ),
        ((UsageWindow("dailyInputTokens", 9.0, -1.0),), "Used up so far: 100% of the day's input tokens."),
    ],
)
def test_a_subscription_says_how_much_of_it_is_used_up_as_far_as_that_is_known(
    windows: tuple[UsageWindow, ...], words: str
) -> None:
    line = next(line for line in told(subscription=replace(ACTIVE, windows=windows)).splitlines() if "active" in line)
    assert line.endswith(words)
    assert "Used up" not in told(subscription=replace(INACTIVE, windows=windows))


def test_of_a_refused_key_nothing_else_is_said() -> None:
    text = told(LinkedAccount(UserId(400), KeyOrigin.PASTED, 1_800_000_000_000, 1_800_000_000_001), paid_today=3)
    assert text.endswith(KEY_REFUSED)
    assert "by a key that you pasted" in text
    assert "replies" not in text


def test_the_invitation_names_the_discord_account_and_the_danger() -> None:
    text = invitation(
        member_name="Mara *bold*",
        username="mara",
        user_code="ABCD-EFGH",
        address="https://nano-gpt.example/cli?code=ABCD-EFGH",
        expires_at_ms=1_800_000_600_000,
    )
    for words in (
        r"Mara \*bold\*",
        "`mara`",
        "`ABCD-EFGH`",
        "<https://nano-gpt.example/cli?code=ABCD-EFGH>",
        "<t:1800000600:t>",
        "Approve only what you have begun yourself",
        "can spend your whole balance",
        "a key with a cap",
    ):
        assert words in text
    assert len(text) < 2_000


@pytest.mark.parametrize("end", list(LoginEnd))
def test_every_end_of_a_login_is_told_with_what_to_do(end: LoginEnd) -> None:
    text = login_news(end)
    assert text.endswith(".")
    assert end.is_linked or end is LoginEnd.TAKEN or "/account link" in text
    assert login_news(LoginEnd.LINKED) == LINKED
    assert login_news(LoginEnd.TAKEN) == TAKEN


def test_unlinking_says_where_a_key_is_revoked() -> None:
    assert "https://nano-gpt.com/api" in unlinked(KeyOrigin.PASTED)
    assert CLIENT_NAME not in unlinked(KeyOrigin.PASTED)
    assert f"CLI ({CLIENT_NAME})" in unlinked(KeyOrigin.DEVICE)


def test_the_client_name_fits_and_does_not_change() -> None:
    assert len(CLIENT_NAME) <= LONGEST_CLIENT_NAME
    assert CLIENT_NAME == "Character bot for Discord"
