"""`python -m bot demo`: opens the page, starts the bot, and stops all of it at Ctrl-C."""

import asyncio
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Final

from bot.sandbox.demo import demo
from bot.sandbox.discord import SandboxError
from bot.sandbox.nanogpt.live import LiveUpstream
from bot.sandbox.page.plans import LIVE, OFFLINE, DemoPlan
from bot.sandbox.page.server import PageServer
from bot.sandbox.page.stage import Stage
from bot.sandbox.tasks import owned

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class OpenDemo:
    """The demo while it is open."""

    stage: Stage
    address: str


@asynccontextmanager
async def opened(
    *, port: int = 0, live: LiveUpstream | None = None, plan: DemoPlan | None = None
) -> AsyncGenerator[OpenDemo]:
    """Serve the demo for the length of the block; the bot is not started yet. Raises PortTaken.

    `plan` is the one that fits, unless it is given.
    """
    plan = plan or (OFFLINE if live is None else LIVE)
    async with demo(plan.settings, keep_records=False, live=live) as behind:
        stage = Stage(behind, plan)
        async with PageServer(stage, port) as server, stage.playing():
            yield OpenDemo(stage, server.address)


async def open_demo(say: Callable[[str], None], *, port: int, live_key: str | None, browser: bool) -> None:
    """Serve the demo until the process is told to stop.

    With `live_key` the real NanoGPT is asked, in the name of whoever the key belongs to. Raises PortTaken.
    """
    live = None if live_key is None else LiveUpstream(live_key)
    with _interrupted() as stop:
        async with opened(port=port, live=live) as shown:
            say(f"The demo is at {shown.address}")
            say("Ctrl-C stops it and deletes all of it.")
            async with owned(_start(shown.stage, say)):
                if browser and has_display(os.environ, sys.platform):
                    # A browser's command may stay open as long as its window does, and must not hold up the end.
                    Thread(target=webbrowser.open, args=(shown.address,), daemon=True).start()
                await stop.wait()


async def _start(stage: Stage, say: Callable[[str], None]) -> None:
    try:
        await stage.switch.start()
    except SandboxError as error:
        say(f"{error} The page shows its log, and can start it again.")


@contextmanager
def _interrupted() -> Generator[asyncio.Event]:
    """Hand out an event that is set when the process is told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Tell whether a browser's window could open: elsewhere a text browser would take the terminal over."""
    if platform == "darwin":
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
