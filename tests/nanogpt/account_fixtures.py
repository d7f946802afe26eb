"""Bodies of the author's and the account's endpoints, documented or feared; every id, key and code is made up."""

import hashlib
from typing import Final

from bot.nanogpt.jsonvalue import Json
from tests.nanogpt.fixtures import GUIDE

DEVICE_CODE: Final = "fake-device-code-0000-1111"
NEW_KEY: Final = "sk-nano-fake-3333-4444-5555"
PROMPT: Final = "You are a concise technical writing assistant."

OWN: Final[dict[str, Json]] = {
    **GUIDE,
    "system_prompt": PROMPT,
    "visibility": "private",
    "moderation_status": None,
    "allow_api": False,
    "content_rating": None,
    "updated_at": "2026-01-02T03:04:05Z",
}
CREATED_PUBLIC: Final[dict[str, Json]] = {**OWN, "visibility": "public", "moderation_status": "pending"}
REJECTED: Final[dict[str, Json]] = {
    **CREATED_PUBLIC,
    "moderation_status": "rejected",
    "moderation_reason": "Too much of a good thing.",
}
ARCHIVED: Final[dict[str, Json]] = {**OWN, "archived_at": "2026-02-03T00:00:00Z"}
REVIEWED: Final[dict[str, Json]] = {
    "review": {"rating": 5, "review_text": "Helped me a great deal."},
    "rating_avg": 4.8,
    "rating_count": 13,
}

BALANCE: Final[dict[str, Json]] = {"usd_balance": "0.99", "nano_balance": "0", "nanoDepositAddress": "nano_fake"}
DIGEST: Final = hashlib.sha256(b"nano_fake").hexdigest()
"""What is kept of the deposit address in it."""
DOCUMENTED_USAGE: Final[dict[str, Json]] = {
    "active": True,
    "limits": {"daily": 5000, "monthly": 60000},
    "enforceDailyLimit": True,
    "daily": {"used": 5, "remaining": 4995, "percentUsed": 0.001, "resetAt": 1738540800000},
    "monthly": {"used": 45, "remaining": 59955, "percentUsed": 0.00075, "resetAt": 1739404800000},
    "period": {"currentPeriodEnd": "2025-02-13T23:59:59.000Z"},
    "state": "active",
    "graceUntil": None,
}
SEEN_USAGE: Final[dict[str, Json]] = {
    "active": True,
    "limits": {"weeklyInputTokens": 60000000, "dailyInputTokens": None, "dailyImages": 100},
    "weeklyInputTokens": {"used": 15000000, "remaining": 45000000, "percentUsed": 25, "resetAt": 1769990400000},
    "dailyInputTokens": None,
    "dailyImages": {"used": 0, "remaining": 100, "percentUsed": 0, "resetAt": 1769990400000},
    "allowOverage": False,
    "period": {"currentPeriodEnd": None},
    "state": "active",
}
NO_SUBSCRIPTION: Final[dict[str, Json]] = {"active": False, "state": "inactive"}
NANO_PRICE: Final[dict[str, Json]] = {"pair": "NANOUSD", "latestPrice": 1.23}
MODELS: Final[dict[str, Json]] = {
    "object": "list",
    "data": [
        {
            "id": "deepseek-ai/DeepSeek-V3-0324",
            "object": "model",
            "created": 1704067200,
            "owned_by": "deepseek",
            "name": "DeepSeek V3",
            "context_length": 128000,
            "pricing": {"prompt": 0.25, "completion": 1.1, "currency": "USD", "unit": "per_million_tokens"},
        },
        {"id": "some/model", "object": "model", "created": 1704067200, "owned_by": "some"},
    ],
}

LOGIN: Final[dict[str, Json]] = {
    "device_code": DEVICE_CODE,
    "user_code": "FAKE-CODE",
    "verification_uri": "https://nano-gpt.example/cli-login/verify",
    "verification_uri_complete": "https://nano-gpt.example/cli-login/verify?code=FAKE-CODE",
    "expires_in": 600,
    "interval": 2,
}
PENDING: Final[dict[str, Json]] = {"status": "authorization_pending"}
APPROVED: Final[dict[str, Json]] = {"status": "approved", "key": NEW_KEY}
EXPIRED: Final[dict[str, Json]] = {"status": "expired"}
CONSUMED: Final[dict[str, Json]] = {"status": "consumed"}
INVALID: Final[dict[str, Json]] = {"error": "invalid_code"}
