"""Answers of the account endpoints and of the list of models: from what arrives to domain values.

Figures come as numbers or as strings, and a subscription's usage in two shapes: the documented one, and the one that
clients have seen since.
"""

import hashlib
from typing import Final
from urllib.parse import urlsplit

from bot.domain.accounts import (
    Balance,
    LoginApproved,
    LoginConsumed,
    LoginExpired,
    LoginInvalid,
    LoginOutcome,
    LoginPending,
    LoginStart,
    Subscription,
    UsageWindow,
)
from bot.domain.language_models import LanguageModel
from bot.nanogpt.errors import Fault
from bot.nanogpt.jsonvalue import Json, as_clean_text, as_moment_ms, as_number, as_object, as_text, as_url
from bot.nanogpt.requests import usable_secret

_WINDOWS: Final = ("daily", "monthly", "weeklyInputTokens", "dailyInputTokens", "dailyImages")
_ACTIVE: Final = "active"
_MODEL_LISTS: Final = ("data", "models", "items", "results")
_PER_MILLION: Final = "per_million_tokens"
_KEY_NAMES: Final = ("key", "api_key", "apiKey")
_LOGIN_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 2.0
"""Both as documented, for an answer that leaves them out (docs, CLI login)."""

_ACCEPTED: Final = 202
_OUTCOME_BY_STATUS: Final[dict[int | None, LoginOutcome]] = {
    404: LoginInvalid(),
    409: LoginConsumed(),
    410: LoginExpired(),
}
_OUTCOME_BY_WORD: Final[dict[str, LoginOutcome]] = {
    "authorization_pending": LoginPending(),
    "pending": LoginPending(),
    "expired": LoginExpired(),
    "expired_token": LoginExpired(),
    "access_denied": LoginExpired(),
    "denied": LoginExpired(),
    "consumed": LoginConsumed(),
    "invalid_code": LoginInvalid(),
}
"""The documented words, what a client types of them, and those of RFC 8628, which the flow resembles."""


def read_balance(body: Json) -> Balance:
    """Read what an account holds; raises ValueError when neither currency is there."""
    holder = _holder(body)
    usd, nano = as_number(holder.get("usd_balance")), as_number(holder.get("nano_balance"))
    if usd is None and nano is None:
        raise ValueError("no balance")
    address = as_clean_text(holder.get("nanoDepositAddress"))
    return Balance(usd, nano, None if address is None else hashlib.sha256(address.encode()).hexdigest())


def read_nano_price(body: Json) -> float:
    """Read how many US dollars one Nano is worth; raises ValueError when that is not a price."""
    price = as_number(_holder(body).get("latestPrice"))
    if price is None or price <= 0:
        raise ValueError("no price")
    return price


def read_subscription(body: Json) -> Subscription:
    """Read the usage of a subscription, in either shape; raises ValueError when it does not say whether it is active.

    Windows that are null do not apply to the account and are left out.
    """
    holder = _holder(body)
    state = as_clean_text(holder.get("state"))
    active = holder.get("active")
    if not isinstance(active, bool):
        if state is None:
            raise ValueError("neither active nor inactive")
        active = state.lower() == _ACTIVE
    return Subscription(
        active=active,
        period_end_ms=as_moment_ms(as_object(holder.get("period")).get("currentPeriodEnd")),
        windows=tuple(
            UsageWindow(
                name=name,
                used=as_number(window.get("used")),
                remaining=as_number(window.get("remaining")),
                resets_at_ms=as_moment_ms(window.get("resetAt")),
            )
            for name in _WINDOWS
            if (window := as_object(holder.get(name)))
        ),
    )


def read_language_models(body: Json) -> tuple[LanguageModel, ...]:
    """Read the list of models in its order, each once; raises ValueError when there is no array."""
    holder = as_object(body)
    lists = (value for name in _MODEL_LISTS if isinstance(value := holder.get(name), list))
    items = body if isinstance(body, list) else next(lists, None)
    if items is None:
        raise ValueError("no list of models")
    found = (_language_model(item) for item in items)
    return tuple({model.id: model for model in found if model is not None}.values())


def read_login_start(body: Json, *, site: str) -> LoginStart:
    """Read a login that was begun; raises ValueError where a code or the page of approval is missing.

    `site` is the API's address: a page that is not encrypted is taken only where the API itself is not, on one machine.
    """
    holder = _holder(body)
    device_code, user_code = as_clean_text(holder.get("device_code")), as_clean_text(holder.get("user_code"))
    schemes = frozenset({"https", urlsplit(site).scheme})
    page = as_url(holder.get("verification_uri"), site=site, schemes=schemes)
    complete = as_url(holder.get("verification_uri_complete"), site=site, schemes=schemes)
    address = complete or page
    if device_code is None or user_code is None or address is None:
        raise ValueError("not the beginning of a login")
    return LoginStart(
        device_code=device_code,
        user_code=user_code,
        address=address,
        expires_in=_positive(holder.get("expires_in"), _LOGIN_SECONDS),
        interval=_positive(holder.get("interval"), _POLL_SECONDS),
    )


def read_login_outcome(status: int, body: Json) -> LoginOutcome:
    """Read how a login stands from an answer with 200 or 202; raises ValueError where that cannot be told.

    A key counts whatever else the answer says, as it comes only once.
    """
    holder = _holder(body)
    key = next((text for name in _KEY_NAMES if (text := as_text(holder.get(name)))), None)
    if key is not None:
        return LoginApproved(usable_secret(key))
    outcome = _OUTCOME_BY_WORD.get((as_text(holder.get("status")) or "").lower())
    if outcome is None and status == _ACCEPTED:
        return LoginPending()
    if outcome is None:
        raise ValueError("neither a key nor a word that is known")
    return outcome


def refused_login_outcome(fault: Fault) -> LoginOutcome | None:
    """Read how a login stands from a refusal to tell the key; None where the refusal has another reason."""
    words = (*fault.words, (fault.message or "").lower())
    by_word = next((outcome for word in words if (outcome := _OUTCOME_BY_WORD.get(word))), None)
    return by_word or _OUTCOME_BY_STATUS.get(fault.status)


def _holder(body: Json) -> dict[str, Json]:
    outer = as_object(body)
    return as_object(outer.get("data")) or outer


def _positive(value: Json, otherwise: float) -> float:
    number = as_number(value)
    return number if number is not None and number > 0 else otherwise


def _language_model(item: Json) -> LanguageModel | None:
    holder = {"id": item} if isinstance(item, str) else as_object(item)
    identity = as_clean_text(holder.get("id"))
    if identity is None:
        return None
    pricing = as_object(holder.get("pricing"))
    if pricing.get("unit") not in (None, _PER_MILLION):
        pricing = {}
    return LanguageModel(
        id=identity,
        name=as_clean_text(holder.get("name")),
        prompt_price=_price(pricing.get("prompt")),
        completion_price=_price(pricing.get("completion")),
    )


def _price(value: Json) -> float | None:
    number = as_number(value)
    return number if number is not None and number >= 0 else None
