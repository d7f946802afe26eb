"""The bot as an operator runs it: a process of its own, which can be killed."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tests.end_to_end.world import World

if TYPE_CHECKING:
    from asyncio.subprocess import Process


class BotProcess:
    """`python -m bot` against a world; the block's end stops it if it still runs."""

    def __init__(self, world: World, **changes: str) -> None:
        self._world = world
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("BOT_", "DISCORD_", "NANOGPT_"))
            },
            **world.environment(**changes),
            "PYTHONWARNINGS": "ignore",
        }
        self._process: Process | None = None
        self.log = world.folder / "bot.log"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start the process; it connects in its own time."""
        self._world.discord.expect_new_process()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                cwd=Path(__file__).parents[2],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def terminate(self) -> int:
        """End it as a supervisor does, and return its exit status."""
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.returncode is None
