"""Accounts: their keys, what they hold, and whether they may review. All keys are as fake as they look."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

OPERATOR: Final = "operator"
"""The account whose key a bot under test is given."""
DEFAULT_NANO_PRICE: Final = 1.25
"""US dollars for one Nano, until a test says otherwise."""
REVIEW_THRESHOLD_USD: Final = 1.0
"""A reviewer without a subscription must hold more than this (Characters page, Reviews And Reports)."""
_SECRET_BYTES: Final = 16


@dataclass(slots=True, eq=False)
class Account:
    """A NanoGPT account."""

    id: str
    key: str
    """The one its owner made on the website; device logins make others."""
    usd: float = 0.0
    nano: float = 0.0
    subscribed: bool = False


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as its owner sees it on the website's API page."""

    account: str
    name: str
    key: str


class Accounts:
    """All accounts and their keys, kept in memory."""

    def __init__(self) -> None:
        self.nano_price = DEFAULT_NANO_PRICE
        """US dollars for one Nano."""
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ListedKey] = {}
        self._revoked: set[str] = set()

    def add(
        self, account_id: str, *, usd: float | None = None, nano: float | None = None, subscribed: bool | None = None
    ) -> Account:
        """Open an account, with a key that nobody can guess, or return the one there is; what is given is set."""
        account = self._accounts.get(account_id)
        if account is None:
            account = Account(account_id, f"sk-nano-fake-{account_id}-{secrets.token_hex(_SECRET_BYTES)}")
            self._accounts[account_id] = account
            self._keys[account.key] = ListedKey(account_id, "default", account.key)
        account.usd = account.usd if usd is None else usd
        account.nano = account.nano if nano is None else nano
        account.subscribed = account.subscribed if subscribed is None else subscribed
        return account

    def get(self, account_id: str) -> Account:
        """Return an account; raises KeyError for an unknown one."""
        return self._accounts[account_id]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def of_key(self, key: str) -> Account | None:
        """Return whose key this is, or None for a wrong or revoked one."""
        listed = self._keys.get(key)
        return None if listed is None or key in self._revoked else self._accounts[listed.account]

    def key_for_client(self, account_id: str, client_name: str) -> str:
        """Return the key of a device login: the one made under that name before, if it is still good.

        It is listed as `CLI (<client_name>)` (docs, CLI login).
        """
        name = f"CLI ({client_name})"
        for listed in self.keys_of(account_id):
            if listed.name == name:
                return listed.key
        key = f"sk-nano-fake-{account_id}-cli{len(self._keys):04}-{secrets.token_hex(_SECRET_BYTES)}"
        made = ListedKey(account_id, name, key)
        self._keys[made.key] = made
        return made.key

    def keys_of(self, account_id: str) -> tuple[ListedKey, ...]:
        """Return the good keys of an account, oldest first, as the website's API page lists them."""
        return tuple(
            listed for key, listed in self._keys.items() if listed.account == account_id and key not in self._revoked
        )

    def revoke(self, account_id: str) -> None:
        """Make all keys of an account invalid, as if its owner had deleted them on the website."""
        self._revoked.update(listed.key for listed in self.keys_of(account_id))

    def revoke_key(self, key: str) -> None:
        """Make one key invalid; raises KeyError for an unknown one."""
        self._revoked.add(self._keys[key].key)

    def may_review(self, account: Account) -> bool:
        """Tell whether an account may review: a subscription, or more than a dollar with its Nano counted in."""
        return account.subscribed or account.usd + account.nano * self.nano_price > REVIEW_THRESHOLD_USD
