"""What NanoGPT says of an account, and of an account that is being linked."""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of an account's money; None where the answer did not say."""

    usd: float | None = None
    """US dollars."""
    nano: float | None = None
    """Of the currency Nano."""
    account: str | None = field(default=None, repr=False)
    """A digest of the deposit address that came along, by which two keys can be told to open one account.

    The address itself goes no further. That an account keeps its address is documented nowhere: the same digest means
    the same account, and another one means nothing.
    """


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """How much of a subscription's allowance is used up within a span of time."""

    name: str
    """Upstream's, such as `daily` or `weeklyInputTokens`; what is counted follows from it."""
    used: float | None = None
    remaining: float | None = None
    resets_at_ms: int | None = None
    """Unix time in milliseconds."""

    @property
    def share_used(self) -> float | None:
        """The share used up, from 0 to 1, out of the other two: upstream's own is a fraction or a percentage."""
        if self.used is None or self.remaining is None:
            return None
        whole = self.used + self.remaining
        return min(1.0, self.used / whole) if whole > 0 else None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whether an account has a subscription, and how much of it is left."""

    active: bool
    period_end_ms: int | None = None
    """Unix time in milliseconds."""
    windows: tuple[UsageWindow, ...] = ()
    """Only those that apply to the account."""


@dataclass(frozen=True, slots=True)
class LoginStart:
    """A device login that waits for its approval (docs, CLI login)."""

    device_code: str = field(repr=False)
    """Whoever has it gets the key: for the vault and for polling, and nothing else."""
    user_code: str
    """What the person compares on the page of approval."""
    address: str
    """The page of approval, with the code filled in where that can be had."""
    expires_in: float
    """Seconds."""
    interval: float
    """Seconds between polls, at least."""


@dataclass(frozen=True, slots=True)
class LoginPending:
    """Nobody has approved the login yet."""


@dataclass(frozen=True, slots=True)
class LoginApproved:
    """The login was approved. The key comes this one time: it must be stored before anything else is done."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginExpired:
    """The login was not approved in time, or was turned down."""


@dataclass(frozen=True, slots=True)
class LoginConsumed:
    """The key has been delivered before."""


@dataclass(frozen=True, slots=True)
class LoginInvalid:
    """Upstream does not know the device code."""


LoginOutcome: TypeAlias = LoginPending | LoginApproved | LoginExpired | LoginConsumed | LoginInvalid
