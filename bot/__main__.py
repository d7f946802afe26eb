"""The command line: run (the default), check, sync, demo."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import discord

from bot import __version__, app, logs
from bot.config import ConfigError, Settings, load_settings
from bot.store.errors import StoreError
from bot.store.vault import KeyFileError

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = os.EX_CONFIG
"""78, the status of a wrong configuration (sysexits.h); a supervisor should not start the bot again at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, and return the exit status."""
    options = _parser().parse_args(arguments)
    if options.command == "demo":
        return _demo(options)
    try:
        settings = load_settings(options.config, os.environ)
    except ConfigError as error:
        return _say(error.sentence, EXIT_CONFIG)
    logs.configure(settings.logging.level, settings.secrets)
    try:
        return asyncio.run(_command(options.command, settings))
    except (StoreError, KeyFileError) as error:
        return _say(str(error), EXIT_FAILED)
    except discord.LoginFailure:
        return _say("Discord refused the token: set discord.token to the one on the Bot page of the portal.", EXIT_CONFIG)
    except discord.PrivilegedIntentsRequired:
        return _say(
            "Discord does not let this bot read messages: switch on the Message Content intent on the Bot page of "
            "the portal, or set discord.message_content to false.",
            EXIT_CONFIG,
        )


async def _command(command: str, settings: Settings) -> int:
    if command == "check":
        from bot.check import check

        return await check(settings, print)
    if command == "sync":
        async with app.application(settings) as built:
            count = await built.sync.now(built.client.application_id or 0)
        print(f"Sent {count} commands to Discord.")
        return EXIT_OK
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    await app.run(settings, stop)
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="NanoGPT's AI characters, in Discord.")
    parser.add_argument("--version", action="version", version=f"character-bot {__version__}")
    parser.add_argument("--config", type=Path, help="the settings file (else $BOT_CONFIG, else ./config.toml)")
    commands = parser.add_subparsers(dest="command", metavar="command")
    parser.set_defaults(command="run")
    commands.add_parser("run", help="run the bot (the default)")
    commands.add_parser("check", help="say what is wrong or missing, without starting the bot")
    commands.add_parser("sync", help="send the commands to Discord now")
    demo = commands.add_parser("demo", help="try the bot offline: no account, no token, no key")
    demo.add_argument("--tour", action="store_true", required=True, help="play a member's first five minutes, and print them")
    return parser


def _demo(options: argparse.Namespace) -> int:
    from bot.sandbox.tour import tour

    del options
    return asyncio.run(tour(print))


def _say(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
