import pytest

from bot.domain.accounts import Balance, Subscription, UsageWindow
from bot.domain.language_models import LanguageModel
from bot.nanogpt.account_payloads import (
    read_balance,
    read_language_models,
    read_login_start,
    read_nano_price,
    read_subscription,
)
from bot.nanogpt.jsonvalue import Json
from tests.nanogpt.account_fixtures import (
    BALANCE,
    DIGEST,
    DOCUMENTED_USAGE,
    LOGIN,
    MODELS,
    NANO_PRICE,
    NO_SUBSCRIPTION,
    SEEN_USAGE,
)
from tests.nanogpt.fixtures import SITE

LOCAL = "http://127.0.0.1:8080/api"


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        (BALANCE, Balance(0.99, 0.0, DIGEST)),
        ({"usd_balance": "129.46956147", "nano_balance": "26.71801147"}, Balance(129.46956147, 26.71801147)),
        ({"usd_balance": 1.01}, Balance(1.01, None)),
        ({"nano_balance": 2}, Balance(None, 2.0)),
        ({"usd_balance": -0.5, "nano_balance": None}, Balance(-0.5, None)),
        ({"usd_balance": "?", "nano_balance": "3"}, Balance(None, 3.0)),
        ({"data": {"usd_balance": 0}}, Balance(0.0, None)),
    ],
)
def test_a_balance_may_be_numbers_or_text(body: Json, balance: Balance) -> None:
    assert read_balance(body) == balance


@pytest.mark.parametrize("body", [None, [], {}, {"usd_balance": None}, {"usd_balance": True, "nano_balance": "NaN"}])
def test_an_answer_without_a_figure_is_no_balance(body: Json) -> None:
    with pytest.raises(ValueError, match="no balance"):
        read_balance(body)


def test_of_the_deposit_address_a_digest_is_kept_and_nothing_of_it_shows() -> None:
    balance = read_balance(BALANCE)
    assert "nano_fake" not in f"{balance!r} {balance.account}"
    assert (balance.account or "x") not in repr(balance)
    assert read_balance(BALANCE | {"usd_balance": "7"}).account == balance.account
    assert read_balance(BALANCE | {"nanoDepositAddress": "nano_fake_other"}).account != balance.account


@pytest.mark.parametrize("address", [None, "", "  ", 5])
def test_without_an_address_no_account_is_told(address: Json) -> None:
    assert read_balance(BALANCE | {"nanoDepositAddress": address}).account is None


@pytest.mark.parametrize("body", [NANO_PRICE, {"latestPrice": "1.23"}])
def test_the_price_of_nano_is_read(body: Json) -> None:
    assert read_nano_price(body) == 1.23


@pytest.mark.parametrize("body", [{}, {"latestPrice": None}, {"latestPrice": 0}, {"latestPrice": -1}, "1.23"])
def test_what_is_no_price_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="no price"):
        read_nano_price(body)


def test_usage_is_read_in_the_documented_shape() -> None:
    assert read_subscription(DOCUMENTED_USAGE) == Subscription(
        active=True,
        period_end_ms=1_739_491_199_000,
        windows=(
            UsageWindow("daily", 5.0, 4995.0, 1_738_540_800_000),
            UsageWindow("monthly", 45.0, 59955.0, 1_739_404_800_000),
        ),
    )


def test_usage_is_read_in_the_shape_that_clients_have_seen() -> None:
    found = read_subscription(SEEN_USAGE)
    assert found == Subscription(
        active=True,
        windows=(
            UsageWindow("weeklyInputTokens", 15e6, 45e6, 1_769_990_400_000),
            UsageWindow("dailyImages", 0.0, 100.0, 1_769_990_400_000),
        ),
    )
    assert found.windows[0].share_used == 0.25


@pytest.mark.parametrize(
    ("body", "active"),
    [
        (NO_SUBSCRIPTION, False),
        ({"active": True}, True),
        ({"active": True, "state": "grace"}, True),
        ({"active": None, "state": "active"}, True),
        ({"active": "yes", "state": "inactive"}, False),
        ({"state": "grace"}, False),
    ],
)
def test_a_subscription_is_active_when_upstream_says_so(body: Json, *, active: bool) -> None:
    assert read_subscription(body).active is active


@pytest.mark.parametrize("body", [None, {}, [], {"active": None}, {"active": 1, "state": ""}])
def test_an_answer_that_does_not_say_whether_it_is_active_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="neither"):
        read_subscription(body)


def test_windows_that_are_odd_are_read_as_far_as_they_go() -> None:
    body: Json = {"active": True, "daily": None, "monthly": {"used": "7", "remaining": None, "resetAt": "soon"}}
    assert read_subscription(body).windows == (UsageWindow("monthly", 7.0, None, None),)


def test_models_are_read_with_their_prices_where_they_are_given() -> None:
    assert read_language_models(MODELS) == (
        LanguageModel("deepseek-ai/DeepSeek-V3-0324", "DeepSeek V3", 0.25, 1.1),
        LanguageModel("some/model"),
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"id": "a"}], [LanguageModel("a")]),
        ({"models": ["a", "b", "a"]}, [LanguageModel("a"), LanguageModel("b")]),
        ({"data": []}, []),
        ({"data": [None, 7, {}, {"id": ""}, {"id": " a ", "name": 7}]}, [LanguageModel("a")]),
        ({"data": [{"id": "a", "pricing": {"prompt": "0.5", "completion": 0}}]}, [LanguageModel("a", None, 0.5, 0.0)]),
        ({"data": [{"id": "a", "pricing": {"prompt": 1, "unit": "per_token"}}]}, [LanguageModel("a")]),
        ({"data": [{"id": "a", "pricing": {"prompt": -1}}]}, [LanguageModel("a")]),
    ],
)
def test_a_list_of_models_may_have_any_wrapping(body: Json, expected: list[LanguageModel]) -> None:
    assert list(read_language_models(body)) == expected


@pytest.mark.parametrize("body", [None, {}, {"data": {}}, "a"])
def test_what_is_no_list_of_models_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="no list"):
        read_language_models(body)


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({}, LOGIN["verification_uri_complete"]),
        ({"verification_uri_complete": None}, LOGIN["verification_uri"]),
        ({"verification_uri": ""}, LOGIN["verification_uri_complete"]),
        ({"verification_uri_complete": "http://nano-gpt.example/verify"}, LOGIN["verification_uri"]),
        (
            {"verification_uri": "/verify", "verification_uri_complete": "javascript:alert(1)"},
            "https://nano-gpt.example/verify",
        ),
    ],
)
def test_the_page_of_approval_is_an_address_a_person_may_open(fields: dict[str, Json], address: str) -> None:
    assert read_login_start({**LOGIN, **fields}, site=SITE).address == address


def test_a_page_without_encryption_is_taken_only_from_an_api_without() -> None:
    body: Json = {**LOGIN, "verification_uri": f"{LOCAL}/verify", "verification_uri_complete": f"{LOCAL}/verify?code=x"}
    assert read_login_start(body, site=LOCAL).address == f"{LOCAL}/verify?code=x"
    with pytest.raises(ValueError, match="login"):
        read_login_start(body, site=SITE)


@pytest.mark.parametrize("missing", ["device_code", "user_code"])
def test_a_login_without_a_code_is_refused(missing: str) -> None:
    with pytest.raises(ValueError, match="login"):
        read_login_start({**LOGIN, missing: None}, site=SITE)


@pytest.mark.parametrize(
    ("expires", "interval", "expected"),
    [(600, 2, (600.0, 2.0)), ("300", "5", (300.0, 5.0)), (None, 0, (600.0, 2.0)), (-1, [], (600.0, 2.0))],
)
def test_the_times_of_a_login_are_the_documented_ones_unless_given(
    expires: Json, interval: Json, expected: tuple[float, float]
) -> None:
    begun = read_login_start({**LOGIN, "expires_in": expires, "interval": interval}, site=SITE)
    assert (begun.expires_in, begun.interval) == expected
