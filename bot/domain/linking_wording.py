"""What members read about linking their NanoGPT account."""

from typing import Final

from bot.domain.accounts import Balance, Subscription, UsageWindow
from bot.domain.linking import KeyOrigin, LinkedAccount, LoginEnd
from bot.domain.quoting import quoted

REVOKE_PAGE: Final = "https://nano-gpt.com/api"
"""NanoGPT's page of API keys, where one can be made, limited and revoked."""
CLIENT_NAME: Final = "Character bot for Discord"
"""How NanoGPT lists the keys of device logins. Never changes: another name would be another key of the member's."""
MORE_THAN_USD: Final = 1.0
"""What an account has to hold more than for its reviews to be taken (Characters API, Reviews And Reports)."""
_MS_PER_SECOND: Final = 1_000
_ALLOWANCES: Final = {
    "daily": "the day's allowance",
    "monthly": "the month's allowance",
    "dailyInputTokens": "the day's input tokens",
    "weeklyInputTokens": "the week's input tokens",
}
"""What a subscription's allowances are called, by upstream's names; pictures are none of this bot's business."""
_REVIEWS: Final = {
    True: "NanoGPT will take your ratings as reviews.",
    False: "NanoGPT will not take your ratings as reviews: that needs an active subscription, or more than one US "
    "dollar.",
    None: "Whether NanoGPT will take your ratings as reviews I cannot tell just now.",
}

NOT_LINKED: Final = "You have not linked a NanoGPT account. /account link does that."
KEY_REFUSED: Final = (
    "NanoGPT refuses the key of your account. Use /account link to link it anew, or /account status to try it again."
)
KEY_LOST: Final = "I cannot read the key of your account any more. Use /account link to link it anew."
ALREADY_LINKED: Final = (
    "You have linked a NanoGPT account already; /account status tells more. "
    "To link another one, use /account unlink first."
)
ALMOST_LINKED: Final = "Your code is approved, and I am about to finish. /account status tells more in a moment."
CODE_VOID: Final = "You had not linked a NanoGPT account. The code that waited for your approval is void now."
TOO_MANY_LOGINS: Final = "Several people are linking their accounts just now. Try again in a few minutes."
NANOGPT_BUSY: Final = "NanoGPT lets only so many people begin at once. Try again in a minute."
NANOGPT_DOWN: Final = "NanoGPT does not answer just now. Try again in a minute."
NO_KEY_TYPED: Final = (
    "That is no API key: a key is one word without spaces. Copy it from NanoGPT's API page and try again."
)
BAD_KEY: Final = "NanoGPT refuses that key. Copy it again from its API page, or make a new one there."
UNCHECKED_KEY: Final = (
    "NanoGPT could not tell me just now whether that key works, so I did not keep it. Paste it again in a minute."
)
UNLINKED_MEANWHILE: Final = (
    "Your account was unlinked while I was checking that key, so I did not keep it. Paste it again to link it."
)
KEY_VOID: Final = "You had not linked a NanoGPT account. The key that was being checked is not kept."
TAKEN: Final = (
    "That NanoGPT account is linked to another Discord member here already, so I did not link it. "
    "It has to be unlinked there first."
)
LOST: Final = (
    "The NanoGPT account that you linked turned out to be another Discord member's here, who had linked it before "
    "you, so I have unlinked it: its key is deleted here, with your drafts and card files, and characters that it paid "
    "for are paused. Once it is unlinked there, /account link links it again. To make sure that nobody can use that "
    f"key any more, revoke it on <{REVOKE_PAGE}>."
)
LINKED: Final = (
    "Your NanoGPT account is linked. Your key is kept encrypted and is used only for what you do under your own name; "
    "no reply of a character is paid with it unless you agree to that for a channel. /account status tells how it "
    "stands, /account unlink deletes the key."
)
REPLACED: Final = (
    f"{LINKED}\nIt is another account than the one before. What the key of that one let me see is deleted here, with "
    "your drafts and card files, and characters that it paid for stay paused until you use them anew."
)
UNPROVEN: Final = (
    f"{LINKED}\nNanoGPT does not tell whether it is the same account as before, so characters of your own that it paid "
    "for stay paused until you use them anew."
)

_ENDS: Final = {
    LoginEnd.LINKED: LINKED,
    LoginEnd.REPLACED: REPLACED,
    LoginEnd.UNPROVEN: UNPROVEN,
    LoginEnd.EXPIRED: "The code was not approved in time, or was turned down. Use /account link for a new one.",
    LoginEnd.CONSUMED: "NanoGPT says that it has handed out the key, but it did not reach me. "
    "Use /account link to start again.",
    LoginEnd.INVALID: "NanoGPT does not know that code any more. Use /account link to start again.",
    LoginEnd.TAKEN: TAKEN,
    LoginEnd.LOST: LOST,
}


def invitation(*, member_name: str, username: str, user_code: str, address: str, expires_at_ms: int) -> str:
    """Return what a member reads who links an account; for nobody else, as whoever approves gives a key away."""
    return (
        f"This links a NanoGPT account to **{quoted(member_name)}** (`{username}`) on Discord.\n"
        f"1. Open <{address}> and sign in.\n"
        f"2. Compare the code, **`{user_code}`**, and approve it before <t:{expires_at_ms // _MS_PER_SECOND}:t>.\n"
        "Then I get a key of your account, and tell you here. Approve only what you have begun yourself, and show this "
        "to nobody.\n"
        "-# That key can spend your whole balance. If you would rather set a limit, make a key with a cap on "
        f"<{REVOKE_PAGE}> and paste it instead."
    )


def login_news(end: LoginEnd) -> str:
    """Return how a login ended."""
    return _ENDS[end]


def unlinked(origin: KeyOrigin) -> str:
    """Return the answer to a member whose key was deleted."""
    listed = f", where it is called “CLI ({CLIENT_NAME})”" if origin is KeyOrigin.DEVICE else ""
    return (
        "Your NanoGPT account is unlinked, and its key is deleted here, with your drafts and card files. Your own "
        "characters stay on NanoGPT, and are paused where your account paid for them. To make sure that nobody can "
        f"use the key any more, revoke it on <{REVOKE_PAGE}>{listed}."
    )


def reviews_accepted(
    balance: Balance | None, subscription: Subscription | None, nano_price: float | None
) -> bool | None:
    """Tell whether the catalogue will take reviews of an account; None where the figures do not tell.

    It takes an active subscription, or more than one US dollar, Nano counted by its price.
    """
    if subscription is not None and subscription.active:
        return True
    usd = 0.0 if balance is None else balance.usd or 0.0
    nano = None if balance is None else balance.nano
    if usd > MORE_THAN_USD:
        return True
    if nano and nano_price is not None and usd + nano * nano_price > MORE_THAN_USD:
        return True
    complete = (
        subscription is not None
        and balance is not None
        and balance.usd is not None
        and nano is not None
        and (nano <= 0 or nano_price is not None)
    )
    return False if complete else None


def status(
    account: LinkedAccount,
    *,
    balance: Balance | None,
    subscription: Subscription | None,
    nano_price: float | None,
    paid_today: int,
) -> str:
    """Tell a member how their account stands, in words; None where NanoGPT did not say."""
    since = f"<t:{account.linked_at_ms // _MS_PER_SECOND}:D>"
    how = "by a code that you approved" if account.origin is KeyOrigin.DEVICE else "by a key that you pasted"
    lines = [f"You have linked a NanoGPT account, since {since}, {how}."]
    if account.refused_at_ms is not None:
        lines.append(KEY_REFUSED)
        return "\n".join(lines)
    lines.append(f"- {_money(balance, nano_price)}")
    lines.append(f"- {_subscription(subscription)}")
    accepted = reviews_accepted(balance, subscription, nano_price)
    lines.append(f"- {_REVIEWS[accepted]}")
    if paid_today:
        replies = "one reply" if paid_today == 1 else f"{paid_today:,} replies"
        lines.append(f"- It was asked to pay for {replies} of your own characters today, counting those that failed.")
    lines.append("/account unlink deletes the key.")
    return "\n".join(lines)


def _money(balance: Balance | None, nano_price: float | None) -> str:
    if balance is None or (balance.usd is None and not balance.nano):
        return "What it holds I cannot tell just now."
    parts: list[str] = []
    if balance.usd is not None:
        parts.append(f"{balance.usd:,.2f} US dollars")
    if balance.nano:
        worth = "" if nano_price is None else f", about {balance.nano * nano_price:,.2f} US dollars"
        parts.append(f"{balance.nano:,.4f} Nano{worth}")
    return f"It holds {' and '.join(parts)}."


def _subscription(subscription: Subscription | None) -> str:
    if subscription is None:
        return "Whether it has a subscription I cannot tell just now."
    if not subscription.active:
        return "It has no active subscription."
    end_ms = subscription.period_end_ms
    until = "" if end_ms is None else f", paid until <t:{end_ms // _MS_PER_SECOND}:D>"
    used = ", ".join(words for window in subscription.windows if (words := _used(window)))
    return f"It has an active subscription{until}.{used and f' Used up so far: {used}.'}"


def _used(window: UsageWindow) -> str:
    """Say how much of an allowance is used up; "" for what is not known, or concerns no text."""
    allowance, share = _ALLOWANCES.get(window.name), window.share_used
    if allowance is None or share is None:
        return ""
    anew = "" if window.resets_at_ms is None else f" (anew <t:{window.resets_at_ms // _MS_PER_SECOND}:R>)"
    return f"{share:.0%} of {allowance}{anew}"
