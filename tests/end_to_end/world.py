"""A whole world on loopback: a stand-in for Discord, one for NanoGPT, and the real bot between them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot import app
from bot.app import Application
from bot.config import Settings, load_settings
from bot.sandbox.discord.buckets import BucketPolicy
from bot.sandbox.discord.server import DiscordSandbox
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.services.card_reader import CardReader
from tests.end_to_end.world_time import WorldTime

READY_SECONDS = 15.0
UNHURRIED_SECONDS = 30.0
"""How long a card file may be read: a busy machine takes longer than the two seconds that members wait."""


@dataclass
class World:
    """The two stand-ins, a folder, and the settings that lead the bot to them."""

    discord: DiscordSandbox
    upstream: NanoGptSandbox
    folder: Path
    time: WorldTime = field(default_factory=WorldTime)
    checks: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    """Looked at whenever a bot of this process is about to stop."""

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the bot's settings as variables; `section__key="value"` changes one."""
        env = {
            "BOT_DISCORD__TOKEN": self.discord.token,
            "BOT_DISCORD__API_URL": self.discord.api_url,
            "BOT_DISCORD__GATEWAY_URL": self.discord.gateway_url,
            "BOT_DISCORD__CDN_URL": self.discord.cdn_url,
            "BOT_DISCORD__READY_TIMEOUT_SECONDS": "0.02",
            "BOT_NANOGPT__API_KEY": self.upstream.operator_key,
            "BOT_NANOGPT__BASE_URL": self.upstream.base_url,
            "BOT_NANOGPT__RESPONSES_URL": self.upstream.responses_url,
            "BOT_RELAY__DRAIN_SECONDS": "5",
            "BOT_DATABASE__URL": f"sqlite:///{self.folder / 'bot.db'}",
        }
        return env | {f"BOT_{name.upper()}": value for name, value in changes.items()}

    def settings(self, **changes: str) -> Settings:
        """Return the bot's settings; `section__key="value"` changes one."""
        return load_settings(None, self.environment(**changes))

    @asynccontextmanager
    async def bot(self, **changes: str) -> AsyncGenerator[Application]:
        """Run the bot in this process until the block ends, then stop it as SIGTERM does."""
        async with self._connecting(changes) as (running, connection):
            await self._ready(running, connection)
            yield running

    @asynccontextmanager
    async def starting_bot(self, **changes: str) -> AsyncGenerator[Application]:
        """As `bot`, but begin the block before the bot has heard of its servers."""
        async with self._connecting(changes) as (running, _):
            yield running

    @asynccontextmanager
    async def _connecting(self, changes: dict[str, str]) -> AsyncGenerator[tuple[Application, asyncio.Task[None]]]:
        settings = self.settings(**changes)
        card_reader = CardReader(wall_seconds=UNHURRIED_SECONDS)
        async with (
            app.application(settings, clock=self.time.clock(), card_reader=card_reader) as running,
            running.background.running(),
        ):
            connection = asyncio.create_task(running.connect())
            try:
                yield running, connection
                await running.drain(settings.relay.drain_seconds)
                for check in self.checks:
                    check()
            finally:
                await running.client.close()
                with contextlib.suppress(asyncio.CancelledError):
                    await connection

    async def _ready(self, running: Application, connection: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(running.client.wait_until_ready())
        done, _ = await asyncio.wait((ready, connection), timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if ready not in done:
            ready.cancel()
            if connection in done:
                connection.result()
            raise TimeoutError("the bot did not become ready")


@asynccontextmanager
async def open_world(folder: Path, buckets: BucketPolicy | None = None) -> AsyncGenerator[World]:
    """Start both stand-ins, NanoGPT's with its cast; rate limits are off unless given."""
    passing = WorldTime()
    async with (
        DiscordSandbox(buckets=buckets, clock=passing.now) as discord,
        NanoGptSandbox(now=passing.now) as upstream,
    ):
        yield World(discord, upstream, folder, passing)
