"""The real bot, with the pace that NanoGPT asks for out of the way: `python -m tests.bench.launcher`.

NanoGPT takes 25 requests a second, and the bot keeps below; at that pace everything here would look equally fast.
"""

import asyncio
import os
from typing import Final

from bot import logs
from bot.app import application
from bot.config import load_settings
from bot.nanogpt.pace import Pace

REQUESTS_PER_SECOND: Final = 100_000


async def run() -> None:
    """Stay connected until the process is ended."""
    settings = load_settings(None, os.environ)
    logs.configure(settings.logging.level, settings.secrets)
    async with application(settings, pace=Pace(REQUESTS_PER_SECOND)) as app, app.background.running():
        await app.connect()


if __name__ == "__main__":
    asyncio.run(run())
