"""The command line: run (the default), check, sync, demo."""

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final, cast

from bot import __version__, app, logs
from bot.config import ConfigError, Settings, load_settings
from bot.errors import StartError
from bot.store.errors import StoreError
from bot.store.vault import KeyFileError

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = os.EX_CONFIG
"""78, the status of a wrong configuration (sysexits.h); a supervisor should not start the bot again at once."""
EXIT_INTERRUPTED: Final = 128 + signal.SIGINT
_LIVE_KEY: Final = "NANOGPT_API_KEY"
_DEMO_PORT: Final = 8642
_STDIN_BYTES: Final = 4096
_PORTS: Final = range(1_024, 65_536)
"""Those that need no privilege."""

_log = logging.getLogger("bot")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, and return the exit status."""
    options = _parser().parse_args(arguments)
    _let_stdout_show_anything()
    try:
        if options.command == "demo":
            return _demo(options)
        settings = load_settings(options.config, os.environ)
        # The findings of a check are read by a person, who needs no account of how they came about.
        level = "WARNING" if options.command == "check" else settings.logging.level
        logs.configure(level, settings.secrets)
        return asyncio.run(_command(options, settings))
    except ConfigError as error:
        return _say(error.sentence, EXIT_CONFIG)
    except StartError as error:
        return _say(error.sentence, EXIT_CONFIG if error.wrong_settings else EXIT_FAILED)
    except (StoreError, KeyFileError) as error:
        return _say(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception:  # noqa: BLE001 - through the log and not as a bare traceback, for the log leaves secrets out
        _log.critical("Ended by an unexpected failure", exc_info=True)
        return EXIT_FAILED


async def _command(options: argparse.Namespace, settings: Settings) -> int:
    if options.command == "check":
        return EXIT_OK if await app.check(settings, print) else EXIT_FAILED
    if options.command == "sync":
        async with app.application(settings) as built:
            count = await built.sync.once(built.client.application_id or 0)
        print(f"Sent {count} commands to Discord.")
        return EXIT_OK
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    if options.until_stdin_closes:
        _stop_when_stdin_closes(partial(loop.call_soon_threadsafe, stop.set))
    await app.run(settings, stop)
    return EXIT_OK


def _stop_when_stdin_closes(stop: Callable[[], object]) -> None:
    """Call `stop` once nobody can write to standard input any more."""

    def wait() -> None:
        if sys.stdin is not None:
            with suppress(OSError):
                while os.read(sys.stdin.fileno(), _STDIN_BYTES):
                    pass
        # The loop may have come to its end meanwhile.
        with suppress(RuntimeError):
            stop()

    # Standard input may be anything, and an event loop cannot wait for every kind of file.
    Thread(target=wait, name="standard input", daemon=True).start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="NanoGPT's AI characters, in Discord.")
    parser.add_argument("--version", action="version", version=f"character-bot {__version__}")
    parser.add_argument("--config", type=Path, help="the settings file (else $BOT_CONFIG, else ./config.toml)")
    commands = parser.add_subparsers(dest="command", metavar="command")
    parser.set_defaults(command="run", until_stdin_closes=False)
    run = commands.add_parser("run", help="run the bot (the default)")
    run.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end as well when standard input closes, as it does when the program that started the bot is gone",
    )
    commands.add_parser("check", help="say what is wrong or missing, without starting the bot; costs one short reply")
    commands.add_parser("sync", help="send the commands to Discord now")
    demo = commands.add_parser("demo", help="try the bot offline: no account, no token, no key")
    demo.add_argument("--port", type=_port, default=_DEMO_PORT, help=f"where the page is served (else {_DEMO_PORT})")
    demo.add_argument("--no-browser", action="store_true", help="print the page's address, and open no browser")
    kind = demo.add_mutually_exclusive_group()
    kind.add_argument("--live", action="store_true", help="let the real NanoGPT answer, with $NANOGPT_API_KEY")
    kind.add_argument("--tour", action="store_true", help="open no page: play a member's first five minutes in text")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or (int(text) != 0 and int(text) not in _PORTS):
        raise argparse.ArgumentTypeError(f"a port is a number from {_PORTS.start} to {_PORTS.stop - 1}, or 0 for any")
    return int(text)


def _demo(options: argparse.Namespace) -> int:
    live_key = os.environ.get(_LIVE_KEY, "").strip() if options.live else None
    if live_key == "":
        return _say(f"{_LIVE_KEY} is not set: demo --live needs a NanoGPT API key in the environment.", EXIT_CONFIG)
    if options.tour:
        from bot.sandbox.tour import tour  # noqa: PLC0415 - only the demo loads the stand-ins

        return asyncio.run(tour(print))
    from bot.sandbox.page.opening import open_demo  # noqa: PLC0415 - only the demo loads the stand-ins
    from bot.sandbox.page.server import PortTaken  # noqa: PLC0415 - only the demo loads the stand-ins

    say = partial(print, flush=True)
    try:
        asyncio.run(open_demo(say, port=options.port, live_key=live_key, browser=not options.no_browser))
    except PortTaken as error:
        return _say(str(error), EXIT_FAILED)
    return EXIT_OK


def _let_stdout_show_anything() -> None:
    """Show a question mark for what the terminal's encoding does not have, such as a star, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="replace")


def _say(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
