"""Members' own NanoGPT accounts: linked by a key, looked at, and unlinked."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from bot.domain.accounts import Balance
from bot.domain.ids import UserId
from bot.domain.linking import AccountSecret, KeyOrigin, LoginEnd, PendingLogin
from bot.domain.linking_wording import (
    ALREADY_LINKED,
    BAD_KEY,
    CODE_VOID,
    KEY_LOST,
    KEY_VOID,
    LOST,
    NO_KEY_TYPED,
    NOT_LINKED,
    TAKEN,
    UNCHECKED_KEY,
    UNLINKED_MEANWHILE,
    status,
    unlinked,
)
from bot.domain.payers import member_payer
from bot.domain.publishing import UNLINKED_REVIEWS
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import BadKeyError, NanoGptError
from bot.nanogpt.requests import ApiKey, UnusableKeyError
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.breakers import Breakers
from bot.services.clock import Clock
from bot.services.outbox import OutboxService
from bot.services.own_shelf import OwnShelf
from bot.store.accounts import Accounts
from bot.store.paid_turns import PaidTurns

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0
"""How long NanoGPT may take to tell of an account."""
IDENTIFY_SECONDS: Final = 300.0
"""How often NanoGPT is asked whose accounts those are of which that is not known."""
_MS_PER_DAY: Final = 86_400_000

T = TypeVar("T")
Forgetter: TypeAlias = Callable[[UserId], Awaitable[None]]
"""Hears that a member has taken their account away, once its key is deleted."""


@dataclass(eq=False, slots=True)
class _Paste:
    """A pasted key on its way to being linked."""

    user_id: UserId
    wanted: bool = True
    """Whether its member has taken nothing away since."""


class AccountService:
    """Links, tells and unlinks. Keys go to the vault and are shown to nobody.

    Two keys open one account when they are the same key, or when NanoGPT names the same deposit address for both. An
    account belongs to one member here: the reviews that two wrote with it would be one.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        nanogpt: NanoGptClient,
        upkeep: BindingUpkeep,
        own_shelf: OwnShelf,
        breakers: Breakers,
        outbox: OutboxService,
        paid_turns: PaidTurns,
        clock: Clock,
        on_unlinked: Iterable[Forgetter] = (),
    ) -> None:
        self._accounts = accounts
        self._nanogpt = nanogpt
        self._upkeep = upkeep
        self._own_shelf = own_shelf
        self._breakers = breakers
        self._outbox = outbox
        self._paid_turns = paid_turns
        self._clock = clock
        self._on_unlinked = tuple(on_unlinked)
        self._linking = asyncio.Lock()
        """One at a time, so that two members cannot link one account at once."""
        self._pastes: set[_Paste] = set()
        self._nameless: set[UserId] = set()
        """Members of whose accounts NanoGPT has told nothing by which they could be told apart."""

    async def paste(self, user_id: UserId, typed: str) -> LoginEnd:
        """Link the account of a key that a member typed. Nothing is kept unless NanoGPT takes the key.

        Returns what came of it, as one that is linked over a refused key may be another account than before.

        Nor is it when the member unlinks, or has everything deleted, while the key is checked. Raises UserError.
        """
        paste = _Paste(user_id)
        self._pastes.add(paste)
        try:
            return await self._paste(paste, typed)
        finally:
            self._pastes.discard(paste)

    async def _paste(self, paste: _Paste, typed: str) -> LoginEnd:
        user_id = paste.user_id
        await self.check_unlinked(user_id)
        try:
            key = ApiKey(typed, member_payer(user_id))
        except UnusableKeyError:
            # Not even the exception's context may carry what was typed.
            raise UserError(NO_KEY_TYPED) from None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                balance = await self._nanogpt.accounts.balance(key=key)
        except BadKeyError as error:
            raise UserError(BAD_KEY) from error
        except (NanoGptError, TimeoutError) as error:
            _log.info("A pasted key could not be checked: %r", error)
            raise UserError(UNCHECKED_KEY) from error
        secret = AccountSecret(key.reveal(), balance.account)
        async with self._linking:
            if await self._is_taken(user_id, secret):
                raise UserError(TAKEN)
            now_ms = self._clock.now_ms()
            end = await self._accounts.link(user_id, secret, KeyOrigin.PASTED, now_ms) if paste.wanted else None
        # Whoever took it away while it was being stored waits for that, and deletes it then.
        if end is None or not paste.wanted:
            raise UserError(UNLINKED_MEANWHILE)
        await self._linked(user_id, KeyOrigin.PASTED, end)
        return end

    async def approve(self, login: PendingLogin, key: str) -> LoginEnd | None:
        """Link the account of the key that a login has brought, unless it is taken; return how the login ends.

        None when the member does not want that key any more. NanoGPT vouches for the key itself, so that what cannot
        be looked up now is looked up later.
        """
        balance = await self._told(
            self._nanogpt.accounts.balance(key=ApiKey(key, member_payer(login.user_id))), "a new account"
        )
        secret = AccountSecret(key, None if balance is None else balance.account)
        async with self._linking:
            if await self._is_taken(login.user_id, secret):
                return LoginEnd.TAKEN
            end = await self._accounts.link_approved(login, secret, self._clock.now_ms())
        if end is not None:
            await self._linked(login.user_id, KeyOrigin.DEVICE, end)
        return end

    async def _is_taken(self, user_id: UserId, secret: AccountSecret) -> bool:
        return await self._accounts.holder_of(secret) not in (None, user_id)

    async def _linked(self, user_id: UserId, origin: KeyOrigin, end: LoginEnd) -> None:
        """Take note of a key that is stored. Files of cards whose rows are gone with it are swept in their time."""
        self._forget_failures(user_id)
        if end is LoginEnd.REPLACED:
            self._own_shelf.forget(user_id)
        if end is not LoginEnd.LINKED:
            await self._upkeep.payer_gone(member_payer(user_id))
        _log.info("A member has linked an account (%s, %s)", origin.value, end.value)

    def _forget_failures(self, user_id: UserId) -> None:
        """Let nothing wait any more for the key before to be put right."""
        self._nameless.discard(user_id)
        payer = member_payer(user_id)
        self._breakers.forget(payer)
        self._outbox.forget(payer)

    async def check_unlinked(self, user_id: UserId) -> None:
        """Raise UserError when a member has linked an account whose key is there, and is not refused."""
        account = await self._accounts.get(user_id)
        if account is not None and account.refused_at_ms is None and await self._accounts.secret(user_id) is not None:
            raise UserError(ALREADY_LINKED)

    async def status(self, user_id: UserId) -> str:
        """Tell a member how their account stands, as far as NanoGPT says. Raises UserError when there is none.

        An account of which it turns out only now that another member had linked it before is unlinked, and said so.
        """
        account = await self._accounts.get(user_id)
        if account is None:
            raise UserError(NOT_LINKED)
        secret = await self._accounts.secret(user_id)
        if secret is None:
            raise UserError(KEY_LOST)
        key = ApiKey(secret.key, member_payer(user_id))
        balance, subscription = await asyncio.gather(
            self._balance(user_id, key), self._told(self._nanogpt.accounts.subscription(key=key), "a subscription")
        )
        price = None
        if balance is not None and balance.nano:
            price = await self._told(self._nanogpt.accounts.nano_price(), "the price of Nano")
        if balance is not None and await self._identify(user_id, secret, balance) == user_id:
            login = await self._accounts.login(user_id)
            if login is not None:
                await self._accounts.told(login)
            raise UserError(LOST)
        now_ms = self._clock.now_ms()
        return status(
            await self._accounts.get(user_id) or account,
            balance=balance,
            subscription=subscription,
            nano_price=price,
            paid_today=await self._paid_turns.taken(member_payer(user_id), now_ms - now_ms % _MS_PER_DAY),
        )

    async def _balance(self, user_id: UserId, key: ApiKey) -> Balance | None:
        """Return what an account holds, and take note of whether NanoGPT takes its key: it may have erred before."""
        try:
            balance = await self._told(self._nanogpt.accounts.balance(key=key), "a balance", raising=BadKeyError)
        except BadKeyError:
            await self._accounts.refused(user_id, key.reveal(), self._clock.now_ms())
            return None
        if balance is not None and await self._accounts.accepted(user_id, key.reveal()):
            _log.info("NanoGPT takes a member's key again")
            self._forget_failures(user_id)
            await self._upkeep.key_accepted(key.id)
        return balance

    async def _told(self, asking: Awaitable[T], what: str, *, raising: type[NanoGptError] | tuple[()] = ()) -> T | None:
        """Return what NanoGPT says, or None when it does not say; `raising` names what is not passed over."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await asking
        except raising:
            raise
        except (NanoGptError, TimeoutError) as error:
            _log.info("NanoGPT does not tell of %s: %r", what, error)
            return None

    async def keep_identified(self) -> None:
        """Find out whose accounts those are of which that could not be told at first; runs until cancelled."""
        while True:
            await self.identify_all()
            await self._clock.sleep(IDENTIFY_SECONDS)

    async def identify_all(self) -> None:
        """Ask once for each account of which it is not known whose it is, unless NanoGPT has nothing to tell of it."""
        for user_id, secret in await self._accounts.unidentified():
            if user_id in self._nameless:
                continue
            balance = await self._balance(user_id, ApiKey(secret.key, member_payer(user_id)))
            if balance is None:
                continue
            if balance.account is None:
                self._nameless.add(user_id)
            await self._identify(user_id, secret, balance)

    async def _identify(self, user_id: UserId, secret: AccountSecret, balance: Balance) -> UserId | None:
        """Keep by what an account is known, where that could not be told when it was linked.

        Of two members with one account the first keeps it, whichever of them was found out; returns who loses it.
        """
        if secret.fingerprint is not None or balance.account is None:
            return None
        async with self._linking:
            if await self._accounts.secret(user_id) != secret:
                return None
            holder = await self._accounts.holder_of(AccountSecret("", balance.account))
            loser = None if holder is None else await self._later(user_id, holder)
            if loser is not None:
                await self._accounts.lose(loser, self._clock.now_ms())
            if loser != user_id:
                await self._accounts.identify(user_id, AccountSecret(secret.key, balance.account))
        if loser is not None:
            _log.warning("Two members had linked one account; it is unlinked from member %s, who came later", loser)
            await self.forgotten(loser)
        return loser

    async def _later(self, user_id: UserId, holder: UserId) -> UserId:
        """Return which of two members has linked later; among equals, not the one whose account is known."""
        mine, theirs = await self._accounts.get(user_id), await self._accounts.get(holder)
        if mine is not None and theirs is not None and theirs.linked_at_ms > mine.linked_at_ms:
            return holder
        return user_id

    async def unlink(self, user_id: UserId) -> str:
        """Delete a member's key with all that hangs on it, and tell what that means. Raises UserError for none."""
        async with self.deleting(user_id) as was_checked:
            account = await self._accounts.get(user_id)
            login = await self._accounts.login(user_id)
            linked = await self._accounts.unlink(user_id)
        if account is None or not linked:
            if was_checked:
                raise UserError(KEY_VOID)
            raise UserError(NOT_LINKED if login is None else CODE_VOID)
        return f"{unlinked(account.origin)}\n{UNLINKED_REVIEWS}"

    @asynccontextmanager
    async def deleting(self, user_id: UserId) -> AsyncGenerator[bool]:
        """Let nobody link while a member's account is deleted, and take note of it afterwards.

        Tells whether a key of theirs was being checked: that one is not kept.
        """
        checked = [paste for paste in self._pastes if paste.user_id == user_id]
        for paste in checked:
            paste.wanted = False
        async with self._linking:
            yield bool(checked)
        await self.forgotten(user_id)

    async def forgotten(self, user_id: UserId) -> None:
        """Take note that a member's key is deleted: what it paid for stops, and what it saw is forgotten."""
        await self._upkeep.payer_gone(member_payer(user_id))
        self._own_shelf.forget(user_id)
        self._forget_failures(user_id)
        for forget in self._on_unlinked:
            await forget(user_id)
