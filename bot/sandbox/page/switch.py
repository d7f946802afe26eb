"""Whether the bot is up, and the switch that kills it and starts it again."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

from bot.sandbox.demo import BotEnded, ChildBot
from bot.sandbox.discord import DiscordSandbox, SandboxError

BotState = Literal["up", "starting", "down"]

_KILLED: Final = "The bot was killed. What people write meanwhile is answered when it is started again."
_NOT_YET: Final = "The bot has not been started yet."
_STARTING: Final = "The bot is starting."
_AWAY: Final = "The bot has lost its connection to Discord and is coming back."


@dataclass(frozen=True, slots=True)
class BotCondition:
    """How the bot is, and a sentence about it for people unless it is well."""

    state: BotState
    sentence: str | None


class BotSwitch:
    """Starts and kills the bot, one after the other, and tells whoever listens how it is."""

    def __init__(self, bot: ChildBot, discord: DiscordSandbox, tell: Callable[[], None]) -> None:
        self._bot = bot
        self._discord = discord
        self._tell = tell
        self._lock = asyncio.Lock()
        self._starting = False
        self._killed = False
        self._failure: str | None = None
        self._told: BotCondition | None = None

    @property
    def condition(self) -> BotCondition:
        """Return how the bot is."""
        if self._killed:
            return BotCondition("down", _KILLED)
        if self._bot.running and self._discord.gateway_connected.is_set():
            return BotCondition("up", None)
        if self._starting:
            return BotCondition("starting", _STARTING)
        if self._bot.running:
            return BotCondition("starting", _AWAY)
        if self._failure is None and self._bot.exit_status is None:
            return BotCondition("down", _NOT_YET)
        return BotCondition("down", self._failure or f"The bot ended by itself, with status {self._bot.exit_status}.")

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Tell of every change for the length of the block, and kill the bot at its end."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await self._bot.kill()

    async def _watch(self) -> None:
        while True:
            await self._discord.world.next_change()
            self._look()

    def _look(self) -> None:
        condition = self.condition
        if condition != self._told:
            self._told = condition
            self._tell()

    async def start(self) -> None:
        """Start the bot; raises SandboxError when it runs already or does not come up."""
        async with self._lock:
            if self._bot.running:
                raise SandboxError("the bot is running already")
            self._starting, self._killed, self._failure = True, False, None
            self._look()
            try:
                await self._bot.start()
            except (BotEnded, TimeoutError) as error:
                await self._bot.kill()
                self._failure = str(error)
                raise SandboxError(self._failure) from error
            finally:
                self._starting = False
                self._look()

    async def kill(self) -> None:
        """Kill the bot as kill -9 does; raises SandboxError when it does not run."""
        async with self._lock:
            if not self._bot.running:
                raise SandboxError("the bot is not running")
            self._killed = True
            await self._bot.kill()
            self._look()

    async def restart(self) -> None:
        """Kill the bot if it runs, and start it."""
        if self._bot.running:
            await self.kill()
        await self.start()
