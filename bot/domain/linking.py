"""A member's own NanoGPT account, as far as the bot keeps it, and a login that is under way."""

from dataclasses import dataclass, field
from enum import Enum

from bot.domain.ids import UserId


class KeyOrigin(Enum):
    """How a key came here."""

    DEVICE = "device"
    """Given out by NanoGPT once the member had approved a code on its website."""
    PASTED = "pasted"


@dataclass(frozen=True, slots=True)
class AccountSecret:
    """A key, and what tells whose account it opens."""

    key: str = field(repr=False)
    fingerprint: str | None = None
    """A digest that all keys of one account share; None while NanoGPT has not told enough for one."""

    def opens_what(self, other: "AccountSecret") -> bool | None:
        """Tell whether both open the same account; None while that cannot be told."""
        if self.key == other.key:
            return True
        if self.fingerprint is None or other.fingerprint is None:
            return None
        return self.fingerprint == other.fingerprint


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """That a member has linked an account. Times are Unix milliseconds."""

    user_id: UserId
    origin: KeyOrigin
    linked_at_ms: int
    refused_at_ms: int | None = None
    """Since when NanoGPT refuses the key; None while it takes it."""


class LoginState(Enum):
    WAITING = "waiting"
    """The member has a code, and NanoGPT has not said yet what became of it."""
    APPROVED = "approved"
    """The key is here, and not yet the member's: it comes once, so it is kept before anything else is asked."""
    ENDED = "ended"
    """The member has yet to hear how it ended."""


class LoginEnd(Enum):
    """How a login came to its end, or what came of a key that was pasted."""

    LINKED = "linked"
    REPLACED = "replaced"
    """Linked in place of another account, of which nothing is kept."""
    UNPROVEN = "unproven"
    """Linked, and it cannot be told whether it is the account from before: what that one paid for has stopped."""
    EXPIRED = "expired"
    CONSUMED = "consumed"
    """NanoGPT has handed the key out before, and it did not arrive here."""
    INVALID = "invalid"
    """NanoGPT does not know the login any more."""
    TAKEN = "taken"
    """The account is linked to another member."""
    LOST = "lost"
    """It turned out after the linking that another member had linked the account before, so it was unlinked again."""

    @property
    def is_linked(self) -> bool:
        """Whether the member has the account now."""
        return self in (LoginEnd.LINKED, LoginEnd.REPLACED, LoginEnd.UNPROVEN)


@dataclass(frozen=True, slots=True)
class LoginSecret:
    """What must not be read of a login that is under way."""

    device_code: str = field(repr=False)
    answer_token: str = field(repr=False)
    """Discord's token of the interaction whose answer shows the code."""
    user_code: str = field(repr=False)
    address: str = field(repr=False)
    """The page on which the member approves it."""
    key: str | None = field(default=None, repr=False)
    """The key, once it has come."""


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A member's login by code. Times are Unix milliseconds."""

    user_id: UserId
    state: LoginState
    secret: LoginSecret | None
    """None once it has ended, and when the vault's key was lost meanwhile."""
    end: LoginEnd | None
    started_at_ms: int
    expires_at_ms: int
    answer_until_ms: int
    """Until when the answer that shows the code can still be changed."""
