"""The real discord.py client, pointed at the stand-in."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.sandbox.discord import DiscordSandbox

C = TypeVar("C", bound=discord.Client)

INTENTS = discord.Intents(guilds=True, guild_messages=True, message_content=True, webhooks=True)


@contextmanager
def pointed_at(sandbox: DiscordSandbox) -> Generator[None]:
    """Send this process's discord.py to a stand-in, and back afterwards: its addresses belong to the process."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    Route.BASE = sandbox.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sandbox.gateway_url)
    discord.Asset.BASE = sandbox.cdn_url  # pyright: ignore[reportAttributeAccessIssue] - inferred as a literal
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before


class RecordingClient(discord.AutoShardedClient):
    """A client that keeps what it hears and does nothing else."""

    def __init__(self, intents: discord.Intents = INTENTS) -> None:
        super().__init__(intents=intents, guild_ready_timeout=0.05, max_messages=None)
        self.heard: list[discord.Message] = []
        self.events: list[str] = []
        self._dispatched = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Skip the five seconds between two sessions."""

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self._dispatched.set()

    def dispatch(self, event: str, /, *args: object, **kwargs: object) -> None:
        super().dispatch(event, *args, **kwargs)
        self.events.append(event)
        self._dispatched.set()

    async def until(self, predicate: Callable[[], object], timeout: float = 10.0) -> None:
        """Return once the predicate holds; it is looked at after every event."""
        async with asyncio.timeout(timeout):
            while not predicate():
                self._dispatched.clear()
                await self._dispatched.wait()

    async def until_event(self, name: str, count: int = 1) -> None:
        await self.until(lambda: self.events.count(name) >= count)

    async def until_heard(self, count: int) -> None:
        await self.until(lambda: len(self.heard) >= count)

    def texts(self) -> list[str]:
        return [message.content for message in self.heard]


@asynccontextmanager
async def running(sandbox: DiscordSandbox, client: C) -> AsyncGenerator[C]:
    """Run a client against a stand-in until the block ends; inside, it is ready."""
    with pointed_at(sandbox):
        async with client:
            task = asyncio.create_task(client.start(sandbox.token))
            try:
                ready = asyncio.create_task(client.wait_until_ready())
                done, _ = await asyncio.wait({task, ready}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
                ready.cancel()
                if task in done:
                    task.result()
                assert client.is_ready()
                yield client
            finally:
                await client.close()
                await asyncio.gather(task, return_exceptions=True)
