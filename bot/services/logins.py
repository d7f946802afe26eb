"""Device logins: a code that a member approves on NanoGPT's website, after which the key comes by itself.

The flow is that of NanoGPT's docs, CLI login. One poller asks for all of them, a question a second, so that the sixty
a minute that NanoGPT allows one address are never passed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bot.domain.accounts import (
    LoginApproved,
    LoginConsumed,
    LoginExpired,
    LoginInvalid,
    LoginOutcome,
    LoginPending,
)
from bot.domain.ids import UserId
from bot.domain.linking import LoginEnd, LoginSecret, LoginState, PendingLogin
from bot.domain.linking_wording import ALMOST_LINKED, CLIENT_NAME, NANOGPT_BUSY, NANOGPT_DOWN, TOO_MANY_LOGINS
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import NanoGptError, RateLimitedError
from bot.services.accounts import AccountService
from bot.services.clock import Clock
from bot.services.outlet import OutletError
from bot.store.accounts import Accounts
from bot.store.errors import StoreError

_log = logging.getLogger(__name__)

MOST_LOGINS: Final = 30
START_SECONDS: Final = 10.0
"""How long NanoGPT may take to begin one: others wait behind it."""
POLL_GAP_SECONDS: Final = 1.0
"""Between two questions, whosever logins they are about."""
LEAST_INTERVAL_SECONDS: Final = 5.0
"""Between two questions about one login; NanoGPT may ask for more."""
HOLD_SECONDS: Final = 60.0
"""How long nothing is asked once NanoGPT has said 429 without saying for how long."""
LONGEST_HOLD_SECONDS: Final = 600.0
STOP_GRACE_SECONDS: Final = 5.0
EXPIRY_GRACE_MS: Final = 60_000
"""How long after its time a login is still asked about, as NanoGPT should say itself that it has expired."""
ANSWER_MS: Final = 15 * 60_000 - 10_000
"""How long the answer to a command can be changed, less a little for the way
(https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages)."""
_MS_PER_SECOND: Final = 1_000

_ENDS: Final[dict[type[LoginOutcome], LoginEnd]] = {
    LoginExpired: LoginEnd.EXPIRED,
    LoginConsumed: LoginEnd.CONSUMED,
    LoginInvalid: LoginEnd.INVALID,
}

Teller: TypeAlias = Callable[[str, UserId, LoginEnd], Awaitable[None]]
"""Changes the answer that shows a code into how it ended, by the answer's token. Raises OutletError."""


@dataclass(slots=True)
class _Polled:
    """A login under way, as the poller sees it."""

    login: PendingLogin
    interval: float
    polled_at: float
    key: str | None = None
    """The key, should the store not have taken it yet: it comes once."""


class LoginService:
    """Begins logins and sees them to their ends, across restarts. `load` comes first, and `run` does the asking."""

    def __init__(
        self, *, accounts: Accounts, linking: AccountService, nanogpt: NanoGptClient, tell: Teller, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._linking = linking
        self._nanogpt = nanogpt
        self._tell = tell
        self._clock = clock
        self._open: dict[UserId, _Polled] = {}
        self._beginning = asyncio.Lock()
        self._stirred = asyncio.Event()
        self._held_until = 0.0

    async def load(self) -> None:
        """Take up the logins that an earlier process left under way."""
        for login in await self._accounts.open_logins():
            asked_at = self._clock.monotonic() - LEAST_INTERVAL_SECONDS
            self._open[login.user_id] = _Polled(login, LEAST_INTERVAL_SECONDS, asked_at)

    async def begin(self, user_id: UserId, answer_token: str, asked_at_ms: int) -> PendingLogin:
        """Begin a member's login, or return the one under way; `answer_token` is that of the answer that shows it.

        Raises UserError for a member who has an account, when too many are under way, and when NanoGPT does not begin
        one.
        """
        async with self._beginning:
            await self._linking.check_unlinked(user_id)
            answer_until_ms = asked_at_ms + ANSWER_MS
            there = self._open.get(user_id)
            if there is not None and (there.login.state is LoginState.APPROVED or there.key is not None):
                raise UserError(ALMOST_LINKED)
            if there is not None and there.login.secret is not None and self._is_good(there.login):
                moved = replace(there.login.secret, answer_token=answer_token)
                if await self._accounts.change_login(there.login, moved, answer_until_ms=answer_until_ms):
                    there.login = replace(there.login, secret=moved, answer_until_ms=answer_until_ms)
                    return there.login
            if len(self._open.keys() - {user_id}) >= MOST_LOGINS:
                raise UserError(TOO_MANY_LOGINS)
            try:
                async with asyncio.timeout(START_SECONDS):
                    start = await self._nanogpt.accounts.start_login(CLIENT_NAME)
            except RateLimitedError as error:
                raise UserError(NANOGPT_BUSY) from error
            except (NanoGptError, TimeoutError) as error:
                _log.warning("A login could not be begun: %r", error)
                raise UserError(NANOGPT_DOWN) from error
            now_ms = self._clock.now_ms()
            login = await self._accounts.begin_login(
                user_id,
                LoginSecret(start.device_code, answer_token, start.user_code, start.address),
                now_ms=now_ms,
                expires_at_ms=now_ms + round(start.expires_in * _MS_PER_SECOND),
                answer_until_ms=answer_until_ms,
            )
            interval = max(start.interval, LEAST_INTERVAL_SECONDS)
            self._open[user_id] = _Polled(login, interval, self._clock.monotonic())
        self._stirred.set()
        return login

    def _is_good(self, login: PendingLogin) -> bool:
        return login.state is LoginState.WAITING and self._clock.now_ms() < login.expires_at_ms

    async def pending_news(self, user_id: UserId) -> PendingLogin | None:
        """Return a member's login that has ended without their knowing how. Call `told` once it is shown."""
        login = await self._accounts.login(user_id)
        return login if login is not None and login.state is LoginState.ENDED else None

    async def told(self, login: PendingLogin) -> None:
        """Write down that a member knows how their login ended."""
        await self._accounts.told(login)

    async def superseded(self, user_id: UserId, end: LoginEnd) -> None:
        """End a member's login because their account is linked by a pasted key, and say so where its code stands."""
        there = self._open.pop(user_id, None)
        if there is not None:
            await self._show(there.login, end)

    async def forget(self, user_id: UserId) -> None:
        """Drop a member's login, whose row is deleted."""
        self._open.pop(user_id, None)

    # Asking

    async def run(self) -> None:
        """Ask for as long as there is something to ask about, and wait otherwise; runs until cancelled."""
        while True:
            self._stirred.clear()
            due = self._next_due()
            if due is None:
                await self._stirred.wait()
                continue
            seconds = max(due.polled_at + due.interval, self._held_until) - self._clock.monotonic()
            if due.login.state is LoginState.WAITING and due.key is None and seconds > 0:
                await self._rest(seconds)
                continue
            await self._to_its_end(due)
            await self._clock.sleep(POLL_GAP_SECONDS)

    async def _to_its_end(self, each: _Polled) -> None:
        """Look after one login; a stop waits a little for it, as an answer that is lost may have carried the key."""
        looking = asyncio.create_task(self._look_after(each), name="login")
        try:
            await asyncio.shield(looking)
        except asyncio.CancelledError:
            await asyncio.wait({looking}, timeout=STOP_GRACE_SECONDS)
            raise
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await looking

    def _next_due(self) -> _Polled | None:
        """Return the login whose key is here already, else the one that was asked about the longest ago."""
        return min(
            self._open.values(),
            key=lambda each: (
                each.login.state is LoginState.WAITING and each.key is None,
                each.polled_at + each.interval,
            ),
            default=None,
        )

    async def _rest(self, seconds: float) -> None:
        stirred = asyncio.ensure_future(self._stirred.wait())
        asleep = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((stirred, asleep), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in (stirred, asleep):
                wait.cancel()
            await asyncio.gather(stirred, asleep, return_exceptions=True)

    async def _look_after(self, each: _Polled) -> None:
        """Do the next thing for one login. What the store does not take now is tried again."""
        each.polled_at = self._clock.monotonic()
        try:
            if each.login.secret is None:
                await self._end(each, LoginEnd.INVALID)
            elif each.login.state is LoginState.APPROVED:
                await self._finish(each)
            elif each.key is not None:
                await self._keep(each, each.key)
            else:
                await self._poll(each, each.login.secret)
        except StoreError:
            _log.exception("A login could not be written down; it is tried again")

    async def _poll(self, each: _Polled, secret: LoginSecret) -> None:
        try:
            outcome = await self._nanogpt.accounts.poll_login(secret.device_code)
        except RateLimitedError as error:
            seconds = min(error.retry_after or HOLD_SECONDS, LONGEST_HOLD_SECONDS)
            self._held_until = self._clock.monotonic() + seconds
            _log.warning("NanoGPT is asked about logins too often; nothing is asked for %.0f s", seconds)
            return
        except NanoGptError as error:
            _log.info("A login could not be asked about: %r", error)
            outcome = LoginPending()
        if isinstance(outcome, LoginApproved):
            # Before anything else: it comes once.
            each.key = outcome.key
            await self._keep(each, outcome.key)
        elif not isinstance(outcome, LoginPending):
            await self._end(each, _ENDS[type(outcome)])
        elif self._clock.now_ms() > each.login.expires_at_ms + EXPIRY_GRACE_MS:
            await self._end(each, LoginEnd.EXPIRED)

    async def _keep(self, each: _Polled, key: str) -> None:
        """Store a key that has come, and go on to make it the member's."""
        assert each.login.secret is not None
        secret = replace(each.login.secret, key=key)
        if not await self._accounts.approve_login(each.login, secret):
            # Unlinked, erased or begun anew meanwhile: this key was not wanted any more.
            self._drop(each)
            return
        each.login = replace(each.login, state=LoginState.APPROVED, secret=secret)
        each.key = None
        await self._finish(each)

    async def _finish(self, each: _Polled) -> None:
        """Make a key that is stored the member's, unless its account is another's, or the key not wanted any more."""
        assert each.login.secret is not None
        key = each.login.secret.key
        if key is None:
            await self._end(each, LoginEnd.CONSUMED)
            return
        end = await self._linking.approve(each.login, key)
        if end is LoginEnd.TAKEN:
            await self._end(each, end)
            return
        self._drop(each)
        if end is not None:
            await self._show(each.login, end)

    async def _end(self, each: _Polled, end: LoginEnd) -> None:
        ended = await self._accounts.end_login(each.login, end)
        self._drop(each)
        _log.info("A login has ended: %s", end.value)
        if ended:
            await self._show(each.login, end)

    async def _show(self, login: PendingLogin, end: LoginEnd) -> None:
        """Say how a login ended where its code stands, while that can be; else the member's next command does."""
        if login.secret is None or self._clock.now_ms() >= login.answer_until_ms:
            return
        try:
            await self._tell(login.secret.answer_token, login.user_id, end)
        except OutletError as error:
            _log.info("How a login ended has to wait for the member's next command: %r", error)
        else:
            await self._accounts.told(login)

    def _drop(self, each: _Polled) -> None:
        if self._open.get(each.login.user_id) is each:
            del self._open[each.login.user_id]
