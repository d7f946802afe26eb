"""Members who link their accounts: the services, a scripted NanoGPT, and what members were told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.domain.feedback import OutboxKind
from bot.domain.ids import UserId
from bot.domain.linking import LoginEnd, LoginSecret, LoginState, PendingLogin
from bot.services.accounts import AccountService
from bot.services.breakers import Breakers
from bot.services.logins import LoginService
from bot.services.outbox import OutboxService
from bot.services.outlet import OutletError
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.paid_turns import PaidTurns
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.recording_courier import RecordingCourier
from tests.support.relay_world import RelayWorld
from tests.support.scripted_accounts import ScriptedAccounts


@dataclass
class Answers:
    """What became of the answers that show codes, by their tokens."""

    told: list[tuple[str, UserId, LoginEnd]] = field(default_factory=list[tuple[str, UserId, LoginEnd]])
    error: OutletError | None = None

    async def tell(self, token: str, user_id: UserId, end: LoginEnd) -> None:
        """Change an answer, or fail to."""
        if self.error is not None:
            raise self.error
        self.told.append((token, user_id, end))


class AccountWorld:
    """One run of the bot, as far as accounts go; `relay` is what there is besides."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: ManualClock,
        *,
        upstream: ScriptedAccounts | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.database = database
        self.vault = vault
        self.clock = clock
        self.upstream = upstream or ScriptedAccounts()
        self.answers = answers or Answers()
        self.forgotten: list[UserId] = []
        self.relay = RelayWorld(database, vault, clock)
        self.store = Accounts(database, vault)
        self.breakers = Breakers(clock.clock)
        self.courier = RecordingCourier()
        self.outbox = OutboxService(
            outbox=Outbox(database),
            couriers={OutboxKind.RATING: self.courier},
            clock=clock.clock,
            jitter=lambda: 0.0,
        )
        self.paid_turns = PaidTurns(database)
        nanogpt = self.upstream.client(clock)
        self.accounts = AccountService(
            accounts=self.store,
            nanogpt=nanogpt,
            upkeep=self.relay.upkeep,
            own_shelf=self.relay.parts.shelf,
            breakers=self.breakers,
            outbox=self.outbox,
            paid_turns=self.paid_turns,
            clock=clock.clock,
            on_unlinked=(self._forget,),
        )
        self.logins = LoginService(
            accounts=self.store, linking=self.accounts, nanogpt=nanogpt, tell=self.answers.tell, clock=clock.clock
        )
        self._running: asyncio.Task[None] | None = None

    async def _forget(self, user_id: UserId) -> None:
        self.forgotten.append(user_id)
        await self.logins.forget(user_id)

    async def approved(self, user_id: UserId, key: str) -> PendingLogin:
        """Return a login of a member whose key has come, and is not theirs yet."""
        now_ms = self.clock.now_ms()
        secret = LoginSecret("fake-device-code", "fake-answer-token", "CODE", "https://nano-gpt.example/cli")
        login = await self.store.begin_login(
            user_id, secret, now_ms=now_ms, expires_at_ms=now_ms, answer_until_ms=now_ms
        )
        with_key = replace(secret, key=key)
        assert await self.store.approve_login(login, with_key)
        return replace(login, state=LoginState.APPROVED, secret=with_key)

    async def start(self) -> None:
        """Load what a start loads, and begin to ask."""
        await self.logins.load()
        self._running = asyncio.create_task(self.logins.run(), name="logins")

    async def stop(self) -> None:
        """End the process, wherever it is."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def restarted(self) -> "AccountWorld":
        """Stop this run, and return the next one, which asks already."""
        await self.stop()
        world = AccountWorld(self.database, self.vault, self.clock, upstream=self.upstream, answers=self.answers)
        await world.start()
        return world

    async def until_polled(self, count: int) -> None:
        """Let time pass until NanoGPT was asked so many times about logins."""
        await self._until(lambda: len(self.upstream.polled) >= count)

    async def until_told(self, count: int = 1) -> None:
        """Let time pass until so many answers were changed."""
        await self._until(lambda: len(self.answers.told) >= count)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Let time pass, to the next moment at which something happens, until a condition holds."""
        async with asyncio.timeout(10):
            while True:
                seconds = await self._asleep()
                if condition():
                    return
                self.clock.advance(seconds)

    async def _asleep(self) -> float:
        """Wait until the asker sleeps, and return for how long it will; raise what ended it."""
        assert self._running is not None
        sleeping = asyncio.create_task(self.clock.sleeping())
        done, _ = await asyncio.wait((sleeping, self._running), return_when=asyncio.FIRST_COMPLETED)
        if sleeping in done:
            return sleeping.result()
        sleeping.cancel()
        self._running.result()
        raise AssertionError("the asker has ended")

    async def until_ended(self, user_id: UserId) -> None:
        """Let time pass until a member's login has ended."""
        async with asyncio.timeout(10):
            while True:
                seconds = await self._asleep()
                login = await self.store.login(user_id)
                if login is None or login.end is not None:
                    return
                self.clock.advance(seconds)
