"""A program under measurement: its own world on loopback, and its process, watched from outside."""

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from bot.sandbox.discord.buckets import BucketPolicy
from bot.sandbox.discord.server import DiscordSandbox
from bot.sandbox.nanogpt.requests import ResponseRequest
from bot.sandbox.nanogpt.server import NanoGptSandbox
from tests.end_to_end.world import World

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.events import Event
    from bot.sandbox.discord.model import Message
    from bot.sandbox.discord.requests import RecordedRequest
    from bot.sandbox.nanogpt.recording import RecordedCall

FLOOR: Final = "tests.bench.floor_bot"
BOT: Final = "bot"
BOT_WITHOUT_PACE: Final = "tests.bench.launcher"

START_SECONDS: Final = 60.0
REPLY_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 0.3
"""How long the tidying behind a reply may take until it is counted."""
IDLE_CPU_SECONDS: Final = 0.02
"""What a process at rest may spend in a second."""
_BYTES_PER_KIB: Final = 1024
_QUESTION: Final = re.compile(r"Question (\d+)")
_END: Final = re.compile(r"The end of (\d+)\.")

_EPOCH: Final = time.time() - time.monotonic()


def _world_time() -> float:
    """Return Unix seconds that run with the steady clock, so that times of both stand-ins can be subtracted."""
    return _EPOCH + time.monotonic()


@dataclass(frozen=True, slots=True)
class Exchange:
    """When the steps of one reply happened; steady seconds, as the two stand-ins saw them."""

    said: float
    """The event was handed to the gateway's socket."""
    asked: float
    """The call upstream had been read."""
    first_token: float
    last_token: float
    first_text: float
    """The first post had been taken by Discord."""
    final_text: float
    """The whole text had."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a stretch of work cost a process."""

    cpu_seconds: float
    calls: "Counter[str]"
    """REST calls: text, housekeeping, typing, other."""


class Contestant:
    """One program in one world."""

    def __init__(self, module: str, world: World, process: "Process") -> None:
        self.name = "floor" if module == FLOOR else "bot"
        self.world = world
        self._process = process
        self._calls: Counter[str] = Counter()
        self._calls_read = 0
        self._asked: dict[str, RecordedCall] = {}
        self._numbers = 0
        self._ends: dict[int, asyncio.Future[Message]] = {}
        self._filler = ""
        world.upstream.responder = self._reply
        world.discord.request_validators.append(self._count)
        world.discord.world.subscribe(self._look)
        guild = world.discord.add_guild("Bench")
        self._guild = guild
        self._idle_channel = guild.add_channel("nobody-here")
        self.channels: list[Channel] = []

    async def open_channels(self, count: int) -> None:
        """Make channels in which the program answers, and have it answer once in each."""
        first = len(self.channels)
        self.channels += [self._guild.add_channel(f"room-{first + number}") for number in range(count)]
        for channel in self.channels[first:]:
            if self.name == "bot":
                result = await self._guild.owner.slash(channel, "character use", character="helpful-guide")
                await result.final_message()
        for channel in self.channels[first:]:
            await self.ask(channel, "Well?")
        await self.settle()

    async def ask(self, channel: "Channel", filler: str) -> Exchange:
        """Say something in a channel, and return when what happened until the reply stood there whole."""
        self._numbers += 1
        number = self._numbers
        self._filler = filler
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._ends[number] = future
        said = time.monotonic()
        await self._guild.owner.say(channel, f"Question {number}")
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                message = await future
        finally:
            del self._ends[number]
        call = self._call(number)
        assert call.first_text is not None
        assert call.last_text is not None
        return Exchange(
            said,
            call.started,
            call.first_text,
            call.last_text,
            message.created_at - _EPOCH,
            message.revisions[-1].at - _EPOCH,
        )

    async def chat(self, count: int) -> None:
        """Let people talk among themselves, in a channel in which the program does not answer."""
        for number in range(count):
            await self._guild.owner.say(self._idle_channel, f"Nothing for you, number {number}")
            await asyncio.sleep(0)
        await _quiet(self)

    async def settle(self) -> None:
        """Wait until nothing has been asked of Discord for a moment."""
        while True:
            before = self._calls.total()
            await asyncio.sleep(SETTLE_SECONDS)
            if self._calls.total() == before:
                return

    def spent(self) -> Spent:
        """Return what the process has spent since it started."""
        return Spent(time.clock_gettime(_cpu_clock_of(self._process.pid)), self._calls.copy())

    def resident_bytes(self) -> int:
        """Return how much memory the process holds."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        (kib,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
        return int(kib) * _BYTES_PER_KIB

    def _reply(self, request: ResponseRequest) -> str:
        number = _QUESTION.findall(request.items[-1].text)[-1]
        return f"{self._filler} The end of {number}."

    def _call(self, number: int) -> "RecordedCall":
        for call in self.world.upstream.calls[self._calls_read :]:
            if call.inputs:
                self._asked[_QUESTION.findall(call.inputs[-1][1])[-1]] = call
        self._calls_read = len(self.world.upstream.calls)
        return self._asked.pop(str(number))

    def _look(self, event: "Event") -> None:
        if event.message is None or event.message.webhook is None:
            return
        found = _END.search(event.message.content)
        future = self._ends.get(int(found[1])) if found else None
        if future is not None and not future.done():
            future.set_result(event.message)

    def _count(self, request: "RecordedRequest") -> None:
        self._calls[_kind_of(request)] += 1


def _cpu_clock_of(pid: int) -> int:
    """Return the clock of a process's CPU time, all threads, as clock_getcpuclockid(3) makes it on Linux.

    /proc counts in steps of 10 ms, which are a tenth of what the floor spends on a round.
    """
    return (~pid << 3) | 2


def _kind_of(request: "RecordedRequest") -> str:
    if request.route.endswith("/typing"):
        return "typing"
    if request.route.startswith("/webhooks/{webhook_id}/{webhook_token}") and request.method in {"POST", "PATCH"}:
        return "text" if "content" in (request.json or {}) else "housekeeping"
    return "other"


@asynccontextmanager
async def contestant(
    module: str, folder: Path, changes: Mapping[str, str], *, buckets: BucketPolicy | None = None, guilds: int = 0
) -> AsyncGenerator[Contestant]:
    """Run a program in a world with some more servers of 20 channels each, until the block ends.

    `changes` are settings, as `World.environment` takes them; the floor knows none.
    """
    log = _open_log(folder)
    discord = DiscordSandbox(clock=_world_time, buckets=buckets, keep_records=False)
    async with discord, NanoGptSandbox() as upstream:
        for number in range(guilds):
            guild = discord.add_guild(f"Server {number}")
            for place in range(20):
                guild.add_channel(f"channel-{place}")
        world = World(discord, upstream, folder)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BOT_", "DISCORD_"))},
            **world.environment(
                limits__member_messages_per_day="100000", limits__guild_messages_per_day="100000", **changes
            ),
            "PYTHONWARNINGS": "ignore",
        }
        with log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, cwd=Path(__file__).parents[2], env=environment, stdout=log, stderr=log
            )
        try:
            await asyncio.wait_for(discord.gateway_connected.wait(), START_SECONDS)
            running = Contestant(module, world, process)
            await _quiet(running)
            yield running
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()


def _open_log(folder: Path) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / "log").open("ab")


async def _quiet(running: Contestant) -> None:
    """Wait until the start is over: a second in which the process has next to nothing to do."""
    before = running.spent().cpu_seconds
    while True:
        await asyncio.sleep(1)
        now = running.spent().cpu_seconds
        if now - before <= IDLE_CPU_SECONDS:
            return
        before = now
