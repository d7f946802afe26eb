"""What is told of an account, and the lists that need none: balance, subscription, the price of Nano, models."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.sandbox.nanogpt.accounts import Account, Accounts
from bot.sandbox.nanogpt.language_models import models_body
from bot.sandbox.nanogpt.queries import known_query, word
from bot.sandbox.nanogpt.recording import Record, RecordedCall
from bot.sandbox.nanogpt.variants import UsageShape, Variants
from bot.sandbox.nanogpt.wire import Answer

_MODELS_PARAMETERS: Final = frozenset({"detailed", "sort"})
_MILLISECONDS: Final = 1_000
_DAILY: Final = 5_000
_MONTHLY: Final = 60_000
_WEEKLY_TOKENS: Final = 60_000_000
_IMAGES: Final = 100
"""A subscription's allowances, as the usage page's examples have them; none of it is ever used up here."""


class AccountAnswers:
    """Answers questions about accounts."""

    def __init__(self, accounts: Accounts, record: Record, variants: Variants, *, now: Callable[[], float]) -> None:
        """`now` is Unix seconds."""
        self._accounts = accounts
        self._record = record
        self._variants = variants
        self._now = now

    def balance(self, account: Account) -> Answer:
        """POST /api/check-balance."""
        figures: tuple[float, float] | tuple[str, str] = (account.usd, account.nano)
        if not self._variants.number_balances:
            figures = (f"{account.usd:.8f}", f"{account.nano:.8f}")
        usd, nano = figures
        body = {"usd_balance": usd, "nano_balance": nano, "nanoDepositAddress": f"nano_fake_{account.id}"}
        return Answer.of(200, body)

    def usage(self, account: Account) -> Answer:
        """GET /api/subscription/v1/usage, in one of its two shapes."""
        if not account.subscribed:
            return Answer.of(200, {"active": False, "state": "inactive"})
        midnight = datetime.fromtimestamp(self._now(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow, in_a_month = midnight + timedelta(days=1), midnight + timedelta(days=30)
        body: dict[str, object] = {
            "active": True,
            "state": "active",
            "period": {"currentPeriodEnd": in_a_month.isoformat().replace("+00:00", "Z")},
        }
        match self._variants.usage_shape:
            case UsageShape.DOCUMENTED:
                body |= {
                    "limits": {"daily": _DAILY, "monthly": _MONTHLY},
                    "enforceDailyLimit": True,
                    "daily": _window(_DAILY, tomorrow),
                    "monthly": _window(_MONTHLY, in_a_month),
                    "graceUntil": None,
                }
            case UsageShape.SEEN:
                body |= {
                    "limits": {"weeklyInputTokens": _WEEKLY_TOKENS, "dailyInputTokens": None, "dailyImages": _IMAGES},
                    "weeklyInputTokens": _window(_WEEKLY_TOKENS, midnight + timedelta(days=7)),
                    "dailyInputTokens": None,
                    "dailyImages": _window(_IMAGES, tomorrow),
                    "allowOverage": False,
                }
        return Answer.of(200, body)

    def nano_price(self) -> Answer:
        """GET /api/get-nano-price."""
        return Answer.of(200, {"pair": "NANOUSD", "latestPrice": self._accounts.nano_price})

    def models(self, call: RecordedCall) -> Answer:
        """GET /models: for everybody, a bad key included."""
        query = known_query(call, _MODELS_PARAMETERS, self._record)
        return Answer.of(200, models_body(detailed=word(query, "detailed", ("true", "false")) == "true"))


def _window(allowance: int, resets_at: datetime) -> dict[str, object]:
    return {
        "used": 0,
        "remaining": allowance,
        "percentUsed": 0,
        "resetAt": int(resets_at.timestamp() * _MILLISECONDS),
    }
