import logging
from typing import Final

import httpx
import pytest

from bot.domain.accounts import (
    Balance,
    LoginApproved,
    LoginConsumed,
    LoginExpired,
    LoginInvalid,
    LoginOutcome,
    LoginPending,
)
from bot.domain.ids import PayerId
from bot.nanogpt import errors
from bot.nanogpt.accounts import AccountClient
from bot.nanogpt.requests import LONGEST_CLIENT_NAME, ApiKey
from tests.nanogpt.account_fixtures import (
    APPROVED,
    BALANCE,
    CONSUMED,
    DEVICE_CODE,
    DIGEST,
    DOCUMENTED_USAGE,
    EXPIRED,
    INVALID,
    LOGIN,
    NANO_PRICE,
    NEW_KEY,
    NO_SUBSCRIPTION,
    PENDING,
)
from tests.nanogpt.fixtures import ERRORS, FAKE_KEY, PAGE
from tests.nanogpt.support import Step, Upstream, answer, piecemeal, raw

KEY: Final = ApiKey(FAKE_KEY, PayerId("member"))


def accounts(*script: Step) -> tuple[Upstream, AccountClient]:
    upstream = Upstream(list(script))
    return upstream, upstream.client().accounts


async def test_the_endpoints_of_accounts_stand_beside_the_versioned_ones() -> None:
    upstream, calls = accounts(
        answer(BALANCE), answer(NO_SUBSCRIPTION), answer(NANO_PRICE), answer(LOGIN), answer(PENDING, 202)
    )
    await calls.balance(key=KEY)
    await calls.subscription(key=KEY)
    await calls.nano_price()
    await calls.start_login("character-bot")
    await calls.poll_login(DEVICE_CODE)
    assert [(request.method, str(request.url)) for request in upstream.requests] == [
        ("POST", "https://nano-gpt.example/api/check-balance"),
        ("GET", "https://nano-gpt.example/api/subscription/v1/usage"),
        ("GET", "https://nano-gpt.example/api/get-nano-price"),
        ("POST", "https://nano-gpt.example/api/cli-login/start"),
        ("POST", "https://nano-gpt.example/api/cli-login/poll"),
    ]
    assert [request.headers.get("authorization") for request in upstream.requests] == [
        f"Bearer {FAKE_KEY}",
        f"Bearer {FAKE_KEY}",
        None,
        None,
        None,
    ]
    assert not any("x-api-key" in request.headers for request in upstream.requests)
    assert upstream.requests[0].content == b""
    assert [upstream.sent(3), upstream.sent(4)] == [{"client_name": "character-bot"}, {"device_code": DEVICE_CODE}]


async def test_what_an_account_holds_is_read() -> None:
    _, calls = accounts(answer(BALANCE), answer({"usd_balance": 1.01}), answer(NANO_PRICE), answer(DOCUMENTED_USAGE))
    assert await calls.balance(key=KEY) == Balance(usd=0.99, nano=0.0, account=DIGEST)
    assert await calls.balance(key=KEY) == Balance(usd=1.01)
    assert await calls.nano_price() == 1.23
    assert (await calls.subscription(key=KEY)).active


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (answer(ERRORS["bad session"], 401), errors.BadKeyError),
        (answer({"error": "Invalid API key"}, 400), errors.BadKeyError),
        (answer({"error": "Forbidden"}, 403), errors.BadKeyError),
        (answer(ERRORS["no key"], 401), errors.BadKeyError),
    ],
)
async def test_a_refused_balance_means_a_bad_key(step: Step, expected: type[errors.NanoGptError]) -> None:
    upstream, calls = accounts(step)
    with pytest.raises(expected):
        await calls.balance(key=KEY)
    assert upstream.slept == []


@pytest.mark.parametrize(
    "step",
    [
        answer(ERRORS["down"], 503),
        answer(ERRORS["too fast"], 429),
        raw(PAGE, 403),
        raw(PAGE, 200),
        httpx.ReadTimeout("no"),
        httpx.ConnectError("no"),
        answer({"ok": True}),
        answer(ERRORS["no character"], 404),
    ],
)
async def test_a_key_that_could_not_be_checked_is_not_called_bad(step: Step) -> None:
    _, calls = accounts(*[step] * 3)
    with pytest.raises(errors.NanoGptError) as caught:
        await calls.balance(key=KEY)
    assert not isinstance(caught.value, errors.BadKeyError)


async def test_figures_are_asked_for_again_after_a_passing_failure() -> None:
    upstream, calls = accounts(
        answer(ERRORS["down"], 503),
        answer(BALANCE),
        httpx.ReadTimeout("no"),
        answer(NO_SUBSCRIPTION),
        raw(PAGE, 502),
        answer(NANO_PRICE),
    )
    await calls.balance(key=KEY)
    await calls.subscription(key=KEY)
    await calls.nano_price()
    assert upstream.slept == [1.0, 1.0, 1.0]


async def test_a_login_is_begun() -> None:
    _, calls = accounts(answer(LOGIN))
    begun = await calls.start_login("character-bot")
    assert (begun.device_code, begun.user_code) == (DEVICE_CODE, "FAKE-CODE")
    assert begun.address == "https://nano-gpt.example/cli-login/verify?code=FAKE-CODE"
    assert (begun.expires_in, begun.interval) == (600.0, 2.0)


async def test_a_name_that_is_too_long_for_a_login_is_not_sent() -> None:
    upstream, calls = accounts(answer(LOGIN))
    await calls.start_login("x" * LONGEST_CLIENT_NAME)
    with pytest.raises(ValueError, match="64"):
        await calls.start_login("x" * (LONGEST_CLIENT_NAME + 1))
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (answer(ERRORS["too fast"], 429, retry_after="60"), errors.ThroughputLimitedError),
        (answer(ERRORS["down"], 503), errors.UpstreamDownError),
        (httpx.ReadTimeout("no"), errors.StalledError),
        (raw(PAGE, 200), errors.UpstreamDownError),
        (raw(b"thanks", 200, "text/plain"), errors.MalformedAnswerError),
        (answer({"ok": True}), errors.MalformedAnswerError),
        (answer({"error": "client_name is too long"}, 400), errors.InvalidRequestError),
    ],
)
async def test_a_login_is_begun_once(step: Step, expected: type[errors.NanoGptError]) -> None:
    upstream, calls = accounts(step)
    with pytest.raises(errors.NanoGptError) as caught:
        await calls.start_login("character-bot")
    assert type(caught.value) is expected
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (answer(PENDING, 202), LoginPending()),
        (answer({"status": "pending"}, 202), LoginPending()),
        (answer({"status": "pending"}, 200), LoginPending()),
        (httpx.Response(202), LoginPending()),
        (answer(APPROVED), LoginApproved(NEW_KEY)),
        (answer({"key": f" {NEW_KEY}\n"}), LoginApproved(NEW_KEY)),
        (answer({"data": APPROVED}), LoginApproved(NEW_KEY)),
        (answer({"status": "authorization_pending", "key": NEW_KEY}, 202), LoginApproved(NEW_KEY)),
        (answer(EXPIRED, 410), LoginExpired()),
        (answer(EXPIRED, 200), LoginExpired()),
        (httpx.Response(410), LoginExpired()),
        (answer(CONSUMED, 409), LoginConsumed()),
        (httpx.Response(409), LoginConsumed()),
        (answer(INVALID, 404), LoginInvalid()),
        (answer(INVALID, 400), LoginInvalid()),
        (httpx.Response(404), LoginInvalid()),
        (answer({"error": "authorization_pending", "error_description": "not yet"}, 400), LoginPending()),
        (answer({"error": "expired_token", "error_description": "too late"}, 400), LoginExpired()),
        (answer({"error": "access_denied"}, 403), LoginExpired()),
    ],
)
async def test_how_a_login_stands_is_told(step: Step, outcome: LoginOutcome) -> None:
    upstream, calls = accounts(step)
    assert await calls.poll_login(DEVICE_CODE) == outcome
    assert len(upstream.requests) == 1


async def test_a_login_that_is_approved_at_the_third_look() -> None:
    _, calls = accounts(answer(PENDING, 202), answer(PENDING, 202), answer(APPROVED))
    assert [await calls.poll_login(DEVICE_CODE) for _ in range(3)] == [
        LoginPending(),
        LoginPending(),
        LoginApproved(NEW_KEY),
    ]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (answer({"code": "rate_limited", "message": "Rate limit exceeded"}, 429), errors.ThroughputLimitedError),
        (answer(ERRORS["down"], 503), errors.UpstreamDownError),
        (raw(PAGE, 404), errors.UpstreamDownError),
        (raw(PAGE, 200), errors.UpstreamDownError),
        (httpx.ReadTimeout("no"), errors.StalledError),
        (piecemeal(b"{", httpx.ReadError("no")), errors.UnreachableError),
        (answer({"status": "approved"}), errors.MalformedAnswerError),
        (answer({"status": "approved", "key": "two words"}), errors.MalformedAnswerError),
        (answer({"status": "odd"}), errors.MalformedAnswerError),
        (raw(b"thanks", 200, "text/plain"), errors.MalformedAnswerError),
        (answer({"error": "device_code is required"}, 400), errors.InvalidRequestError),
        (answer({"error": "no"}, 401), errors.NotPermittedError),
    ],
)
async def test_a_look_at_a_login_is_never_repeated(step: Step, expected: type[errors.NanoGptError]) -> None:
    upstream, calls = accounts(step)
    with pytest.raises(errors.NanoGptError) as caught:
        await calls.poll_login(DEVICE_CODE)
    assert type(caught.value) is expected
    assert len(upstream.requests) == 1
    assert upstream.slept == []


async def test_no_secret_of_a_login_is_logged_or_raised(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, calls = accounts(
        answer(LOGIN),
        answer({"error": {"message": f"unknown {DEVICE_CODE}", "code": DEVICE_CODE, "param": DEVICE_CODE}}, 400),
        httpx.ReadTimeout(DEVICE_CODE),
        answer({"status": DEVICE_CODE}),
        answer(APPROVED),
    )
    told = repr(await calls.start_login("character-bot"))
    for _ in range(3):
        with pytest.raises(errors.NanoGptError) as caught:
            await calls.poll_login(DEVICE_CODE)
        error = caught.value
        told += f"{error} {error!r} {error.message} {error.args} {vars(error)}"
        assert error.__context__ is None
        assert error.__cause__ is None
    told += repr(await calls.poll_login(DEVICE_CODE))
    for secret in (DEVICE_CODE, NEW_KEY):
        assert secret not in told
        assert secret not in caplog.text
