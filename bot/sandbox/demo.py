"""The bot between the two stand-ins: a process of its own, which can reach nothing but them.

The process is started as an operator starts it, by command line, and this package knows nothing else of it. Its
environment is made here and not inherited, so that no token, key, setting or proxy of the machine gets through; it
works in a folder of its own, with its settings written there, so that it meets no other settings and no other database.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import BucketPolicy, DiscordSandbox
from bot.sandbox.nanogpt.live import LiveUpstream
from bot.sandbox.nanogpt.server import NanoGptSandbox

if TYPE_CHECKING:
    from asyncio.subprocess import Process

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
_INHERITED: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")
"""What a Python process may need of its surroundings. Everything else stays outside."""
_IMPORTABLE_FROM: Final = Path(__file__).resolve().parents[2]
"""The folder that `import bot` is found in: a checkout, or where the package is installed."""
_LOG_TAIL_LINES: Final = 30


class BotEnded(Exception):
    """The bot ended when it should not have, or did not come up; the text is for people."""


class ChildBot:
    """The bot as a child process, with its folder."""

    def __init__(self, folder: Path, discord: DiscordSandbox) -> None:
        """Take a folder that holds a config.toml."""
        self._folder = folder
        self._discord = discord
        self._process: Process | None = None
        self._end: asyncio.Task[None] | None = None

    @property
    def log_file(self) -> Path:
        """Return where the bot's log goes; restarts go on in the same file."""
        return self._folder / "bot.log"

    @property
    def running(self) -> bool:
        """Tell whether there is a process that has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def exit_status(self) -> int | None:
        """Return how the last process ended, negative for a signal; None while it runs, or before the first start."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start the bot and wait until it is connected. Raises BotEnded when that does not come to pass."""
        self._discord.expect_new_process()
        # The socket of an earlier process may outlive it by a moment.
        await self._discord.wait_for(lambda: not self._discord.gateway_connected.is_set(), START_SECONDS)
        with self.log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "--config", str(self._folder / "config.toml")),
                *("run", "--until-stdin-closes"),
                cwd=self._folder,
                env=child_environment(os.environ, self._folder),
                # Nothing is written: the system closes it with this process, however that ends, and so ends the bot.
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._process = process
        self._end = asyncio.create_task(self._announce_end(process))
        ended = asyncio.create_task(process.wait())
        connected = asyncio.create_task(self._discord.gateway_connected.wait())
        try:
            await asyncio.wait((ended, connected), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise BotEnded(f"The bot ended at once, with status {ended.result()}.")
            if not connected.done():
                raise BotEnded(f"The bot did not connect within {START_SECONDS:.0f} s.")
        finally:
            ended.cancel()
            connected.cancel()

    async def stop(self) -> int:
        """End the bot as a supervisor does, with SIGTERM, and return its exit status.

        Raises BotEnded when it was not running, or has to be killed because it does not end.
        """
        process = self._process
        if process is None or process.returncode is not None:
            raise BotEnded("The bot had ended by itself.")
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await process.wait()
        except TimeoutError:
            await self.kill()
            raise BotEnded(f"The bot did not end within {STOP_SECONDS:.0f} s of SIGTERM.") from None

    async def kill(self) -> None:
        """End the bot at once, if it runs."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _announce_end(self, process: "Process") -> None:
        await process.wait()
        self._discord.world.changed()

    async def close(self) -> None:
        """End the bot at once, if it runs, and have done with it."""
        await self.kill()
        if self._end is not None:
            await self._end

    def log_tail(self) -> list[str]:
        """Return the last lines of the bot's log."""
        if not self.log_file.exists():
            return []
        return self.log_file.read_text("utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:]


@dataclass(frozen=True, slots=True)
class Demo:
    """The three of them."""

    discord: DiscordSandbox
    nanogpt: NanoGptSandbox
    bot: ChildBot


Settings = Mapping[str, Mapping[str, str | float]]
"""By section and key, as in the bot's settings file."""


@asynccontextmanager
async def demo(
    settings: Settings = MappingProxyType({}), *, keep_records: bool = True, live: LiveUpstream | None = None
) -> AsyncGenerator[Demo]:
    """Start both stand-ins, with rate limits as Discord has them, and get the bot ready to be started.

    Everything is on 127.0.0.1 and in a temporary folder, which is deleted at the end. `settings` go above those that
    lead the bot to the stand-ins. Without `keep_records` no request and no call is kept, for a demo that goes on. With
    `live`, the stand-in for NanoGPT passes on what the real one has to answer.
    """
    with tempfile.TemporaryDirectory(prefix="character-bot-demo-") as name:
        folder = Path(name)
        async with (
            DiscordSandbox(buckets=BucketPolicy(), keep_records=keep_records) as discord,
            live or nullcontext(),
            NanoGptSandbox(with_cast=live is None, keep_calls=keep_records, live=live) as nanogpt,
        ):
            (folder / "config.toml").write_text(settings_file(discord, nanogpt, settings), "utf-8")
            bot = ChildBot(folder, discord)
            try:
                yield Demo(discord, nanogpt, bot)
            finally:
                await bot.close()


def child_environment(surroundings: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of the bot: what Python needs, and nothing that the bot reads."""
    kept = {name: surroundings[name] for name in _INHERITED if name in surroundings}
    paths = (str(_IMPORTABLE_FROM), *filter(None, [kept.get("PYTHONPATH")]))
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "HOME": str(folder), "TMPDIR": str(folder)}


def settings_file(discord: DiscordSandbox, nanogpt: NanoGptSandbox, changes: Settings = MappingProxyType({})) -> str:
    """Write the settings that lead the bot to the stand-ins; its database lies in its working directory."""
    settings: dict[str, dict[str, str | float]] = {
        "discord": {
            "token": discord.token,
            "api_url": discord.api_url,
            "gateway_url": discord.gateway_url,
            "cdn_url": discord.cdn_url,
            "ready_timeout_seconds": 0.2,
        },
        "nanogpt": {
            "api_key": nanogpt.operator_key,
            "base_url": nanogpt.base_url,
            "responses_url": nanogpt.responses_url,
        },
        "database": {"url": "sqlite:///bot.db"},
    }
    for section, values in changes.items():
        settings[section] = {**settings.get(section, {}), **values}
    # A JSON string of plain characters is a TOML string too.
    return "\n".join(
        f"[{section}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) + "\n"
        for section, values in settings.items()
    )
