"""`python -m bot demo`: opens the page, starts the bot, and stops all of it at Ctrl-C."""

import asyncio
import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Mapping
from typing import Final

from bot.sandbox.demo import Settings, demo
from bot.sandbox.discord import SandboxError
from bot.sandbox.page.server import PageServer, PortTaken
from bot.sandbox.page.stage import Stage

IDLE_SECONDS: Final = 6
OVERALL_SECONDS: Final = 120
SETTINGS: Final[Settings] = {
    "nanogpt": {
        "connect_timeout_seconds": 2,
        "idle_timeout_seconds": IDLE_SECONDS,
        "overall_timeout_seconds": OVERALL_SECONDS,
    },
    "logging": {"level": "DEBUG"},
}
"""Beside the addresses: shorter waits, so that a stall is over while one watches, and a log with every step."""
NOTES: Final = (
    "Everything runs on this machine, and nothing is kept: a stand-in for Discord, one for NanoGPT, and the real bot.",
    "The characters' answers are scripted: no model writes them.",
    f"The bot's settings are shortened here: it gives NanoGPT up after {IDLE_SECONDS} s of silence, not 90 s.",
)
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def open_demo(say: Callable[[str], None], *, port: int, browser: bool) -> int:
    """Serve the demo until it is interrupted, and return the exit status."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    try:
        async with demo(SETTINGS, keep_records=False) as opened:
            stage = Stage(opened, NOTES, live=False)
            async with PageServer(stage, port) as server, stage.playing():
                say(f"The demo is at {server.address}")
                say("Ctrl-C stops it, and deletes all of it.")
                if browser and has_display(os.environ, sys.platform):
                    await asyncio.to_thread(webbrowser.open, server.address)
                await _run(stage, say, stop)
    except PortTaken as error:
        say(str(error))
        return 1
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
    return 0


async def _run(stage: Stage, say: Callable[[str], None], stop: asyncio.Event) -> None:
    starting = asyncio.create_task(stage.switch.start())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and isinstance(error := starting.exception(), SandboxError):
            say(str(error))
        await stopped
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Tell whether a browser's window could open: elsewhere a text browser would take the terminal over."""
    if platform in {"darwin", "win32"}:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
