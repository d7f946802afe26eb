"""Whose key pays: from a payer's name to the key itself, read from the vault each time it is used."""

from bot.domain.ids import PayerId, UserId
from bot.domain.payers import OPERATOR, member_payer, paying_member, paying_server
from bot.nanogpt.requests import ApiKey
from bot.services.clock import Clock
from bot.store.accounts import Accounts
from bot.store.servers import Servers


class NoKeyError(Exception):
    """Whoever is to pay has no key here, or none that can be used. No other key may take its place."""

    def __init__(self, payer: PayerId) -> None:
        super().__init__(f"no key of {payer}")
        self.payer = payer


class KeyRing:
    """Knows the operator's key, and finds those of servers and members."""

    def __init__(self, *, operator: ApiKey, accounts: Accounts, servers: Servers, clock: Clock) -> None:
        self._operator = operator
        self._accounts = accounts
        self._servers = servers
        self._clock = clock

    async def key(self, payer: PayerId) -> ApiKey:
        """Return the key of whoever pays. Raises NoKeyError; there is no falling through to another."""
        if payer == OPERATOR:
            return self._operator
        key = None
        if (user_id := paying_member(payer)) is not None:
            key = await self.of_member(user_id)
        elif (guild_id := paying_server(payer)) is not None and (secret := await self._servers.key(guild_id)):
            key = ApiKey(secret, payer)
        if key is None:
            raise NoKeyError(payer)
        return key

    async def of_member(self, user_id: UserId) -> ApiKey | None:
        """Return a member's key; None for one who has linked no account, or whose key NanoGPT refuses."""
        account = await self._accounts.get(user_id)
        if account is None or account.refused_at_ms is not None:
            return None
        secret = await self._accounts.secret(user_id)
        return None if secret is None else ApiKey(secret.key, member_payer(user_id))

    async def is_linked(self, user_id: UserId) -> bool:
        """Tell whether a member has linked an account, whatever has become of its key."""
        return await self._accounts.get(user_id) is not None

    async def refused(self, key: ApiKey) -> None:
        """Take note that NanoGPT refused a key: a member's is not tried until they link anew, or look at its status.

        What was said of a key that a member has replaced meanwhile says nothing of the one they have now.
        """
        user_id = paying_member(key.id)
        if user_id is not None:
            await self._accounts.refused(user_id, key.reveal(), self._clock.now_ms())
