"""Measure the bot beside a floor that does one call and one post: python -m tests.bench [--quick].

Both run as processes of their own against stand-ins in this one, taking turns, since machines are noisy. Figures of
one run may be compared with each other, those of two runs hardly.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord.buckets import BucketPolicy
from tests.bench.contestants import BOT, BOT_WITHOUT_PACE, FLOOR, Contestant, Exchange, contestant
from tests.bench.figures import MICROSECONDS, MILLISECONDS, Aim, Table, median_of, percentile

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel

SHORT: Final = " ".join(["It is a fine day to say something that is neither long nor short."] * 3)
"""About 200 characters."""
LONG: Final = " ".join(["There is a road behind the mill that nobody walks in winter, and it leads to the sea."] * 9)
"""About 180 of the stand-in's tokens, so three seconds at 60 a second."""
TOKENS_PER_SECOND: Final = 60.0
MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 6
    singles: int = 60
    single_channels: int = 5
    channels: int = 100
    messages: int = 5
    stream_rounds: int = 5
    streams: int = 8
    guilds: int = 2_000
    chat: int = 5_000


QUICK: Final = Plan(rounds=2, singles=30, channels=30, messages=3, stream_rounds=2, streams=4, guilds=200, chat=1_000)


@dataclass(slots=True)
class Tally:
    """What was measured of one contestant in one kind of work."""

    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    cpu_ms: list[float] = field(default_factory=list[float])
    """Per reply, one figure a round."""
    own_cpu_share: list[float] = field(default_factory=list[float])
    """How busy the stand-ins were: of one processor, one figure a round."""
    per_second: list[float] = field(default_factory=list[float])
    calls: Counter[str] = field(default_factory=Counter[str])

    def calls_per_reply(self, kind: str) -> float:
        """Return the REST calls of a kind for each reply."""
        return self.calls[kind] / len(self.exchanges)


async def one_round(who: Contestant, tally: Tally, work: Callable[[Contestant], Awaitable[Sequence[Exchange]]]) -> None:
    """Let a contestant work, and write down what it took."""
    before, own_before, began = who.spent(), time.process_time(), time.monotonic()
    exchanges = await work(who)
    ended, own_after = time.monotonic(), time.process_time()
    await who.settle()
    after = who.spent()
    tally.exchanges += exchanges
    tally.cpu_ms.append((after.cpu_seconds - before.cpu_seconds) * MILLISECONDS / len(exchanges))
    tally.own_cpu_share.append((own_after - own_before) / (ended - began))
    tally.per_second.append(len(exchanges) / (ended - began))
    tally.calls += after.calls - before.calls


async def in_turns(
    contestants: Sequence[Contestant], rounds: int, work: Callable[[Contestant], Awaitable[Sequence[Exchange]]]
) -> dict[str, Tally]:
    """Let the contestants work one after another, again and again."""
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for _ in range(rounds):
        for who in contestants:
            await one_round(who, tallies[who.name], work)
    return dict(tallies)


async def cost_of_chat(who: Contestant, count: int) -> float:
    """Return the microseconds that a message costs which nobody is to answer."""
    before = who.spent().cpu_seconds
    await who.chat(count)
    return (who.spent().cpu_seconds - before) * MICROSECONDS / count


def singly(plan: Plan) -> Callable[[Contestant], Awaitable[Sequence[Exchange]]]:
    """One message after another."""

    async def work(who: Contestant) -> Sequence[Exchange]:
        channels = who.channels[: plan.single_channels]
        return [await who.ask(channels[number % len(channels)], SHORT) for number in range(plan.singles)]

    return work


def in_all_channels(plan: Plan) -> Callable[[Contestant], Awaitable[Sequence[Exchange]]]:
    """In every channel a message as soon as the one before it is answered."""

    async def talk(who: Contestant, channel: "Channel") -> list[Exchange]:
        return [await who.ask(channel, SHORT) for _ in range(plan.messages)]

    async def work(who: Contestant) -> Sequence[Exchange]:
        talks = await asyncio.gather(*(talk(who, channel) for channel in who.channels))
        return [exchange for exchanges in talks for exchange in exchanges]

    return work


async def streaming(who: Contestant) -> Sequence[Exchange]:
    """One long reply in every channel, begun one after another."""

    async def talk(number: int, channel: "Channel") -> Exchange:
        await asyncio.sleep(number / len(who.channels))
        return await who.ask(channel, LONG)

    return await asyncio.gather(*(talk(number, channel) for number, channel in enumerate(who.channels)))


async def measure_short(plan: Plan, folder: Path, table: Table, changes: dict[str, str]) -> None:
    """Replies that upstream answers at once: overhead, CPU, throughput."""
    async with (
        contestant(FLOOR, folder / "floor", {}) as floor,
        contestant(BOT_WITHOUT_PACE, folder / "bot", changes) as bot,
    ):
        both = (floor, bot)
        for who in both:
            await who.open_channels(plan.channels)
        single = await in_turns(both, plan.rounds, singly(plan))
        _delays(table, single, "message → upstream call", lambda e: e.asked - e.said, Aim(10))
        _delays(table, single, "last token → final text, at once", lambda e: e.final_text - e.last_token, Aim(50))
        _costs(table, single, "short reply, one at a time", Aim(1.5, of_ratio=True))
        _calls(table, single, "short reply")
        many = await in_turns(both, plan.rounds, in_all_channels(plan))
        _costs(table, many, f"short reply, {plan.channels} channels at once", Aim(1.5, of_ratio=True))
        rates = {name: max(tally.per_second) for name, tally in many.items()}
        table.add(
            f"replies in {plan.channels} channels (pace out of the way)",
            "1/s",
            rates["floor"],
            rates["bot"],
            Aim(0.6, of_ratio=True, at_least=True),
        )
        busy = {name: 100 * median_of(tally.own_cpu_share) for name, tally in many.items()}
        table.add("… with the stand-ins busy for", "% of one CPU", busy["floor"], busy["bot"])
        ignored = {who.name: await cost_of_chat(who, plan.chat) for who in both}
        table.add("CPU for a message in a channel without a character", "µs", ignored["floor"], ignored["bot"])


async def measure_streams(plan: Plan, folder: Path, table: Table, changes: dict[str, str]) -> None:
    """Replies that come at a model's pace, under Discord's rate limits: the two visible delays, CPU, calls."""
    async with (
        contestant(FLOOR, folder / "floor", {}, buckets=BucketPolicy()) as floor,
        contestant(BOT, folder / "bot", changes, buckets=BucketPolicy()) as bot,
    ):
        both = (floor, bot)
        for who in both:
            await who.open_channels(plan.streams)
            who.world.upstream.pace.tokens_per_second = TOKENS_PER_SECOND
        tallies = await in_turns(both, plan.stream_rounds, streaming)
        for share in (0.5, 0.95):
            shown = [(e.first_text - e.first_token) * MILLISECONDS for e in tallies["bot"].exchanges]
            table.add(f"first token → first text, p{share * 100:.0f}", "ms", None, percentile(shown, share), Aim(150))
        _delays(table, tallies, "last token → final text, streamed", lambda e: e.final_text - e.last_token, Aim(50))
        _costs(table, tallies, "streamed reply of 3 s", Aim(1.5, of_ratio=True))
        _calls(table, tallies, "streamed reply")


async def measure_memory(plan: Plan, folder: Path, table: Table, changes: dict[str, str]) -> None:
    """Memory once every server is known."""
    found: dict[tuple[str, int], float] = {}
    for guilds in (0, plan.guilds):
        for module in (FLOOR, BOT):
            async with contestant(module, folder / f"{guilds} {module}", changes, guilds=guilds) as who:
                found[who.name, guilds] = who.resident_bytes() / MEBIBYTE
    table.add("memory with no server", "MiB", found["floor", 0], found["bot", 0])
    servers = f"{plan.guilds:,} servers of 20 channels"
    table.add(f"memory with {servers}", "MiB", found["floor", plan.guilds], found["bot", plan.guilds])
    floor, bot = (1024 * (found[name, plan.guilds] - found[name, 0]) / plan.guilds for name in ("floor", "bot"))
    table.add("memory for each server", "KiB", floor, bot)


def _delays(
    table: Table, tallies: dict[str, Tally], what: str, delay: Callable[[Exchange], float], aim: Aim | None
) -> None:
    for share in (0.5, 0.95):
        floor, bot = (
            percentile([delay(exchange) * MILLISECONDS for exchange in tallies[name].exchanges], share)
            for name in ("floor", "bot")
        )
        table.add(f"{what}, p{share * 100:.0f}", "ms", floor, bot, aim)


def _costs(table: Table, tallies: dict[str, Tally], what: str, aim: Aim) -> None:
    floor, bot = (median_of(tallies[name].cpu_ms) for name in ("floor", "bot"))
    table.add(f"CPU for a {what}", "ms", floor, bot, aim)


def _calls(table: Table, tallies: dict[str, Tally], what: str) -> None:
    for kind in ("text", "housekeeping", "typing", "other"):
        floor, bot = (tallies[name].calls_per_reply(kind) for name in ("floor", "bot"))
        if floor or bot:
            table.add(f"REST calls for a {what}: {kind}", "", floor, bot)


async def measure(plan: Plan, folder: Path, parts: Sequence[str], changes: dict[str, str]) -> Table:
    """Measure what is asked for."""
    table = Table()
    for name, part in (("short", measure_short), ("streams", measure_streams), ("memory", measure_memory)):
        if name in parts:
            await part(plan, folder / name, table, changes)
    return table


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Measure the bot beside a floor.")
    parser.add_argument("--quick", action="store_true", help="a minute in place of several; rougher figures")
    parser.add_argument("--no-buttons", action="store_true", help="without buttons, which have to be moved")
    parser.add_argument("parts", nargs="*", default=["short", "streams", "memory"])
    options = parser.parse_args()
    changes = {"relay__feedback_buttons": "false"} if options.no_buttons else {}
    with tempfile.TemporaryDirectory() as folder:
        table = asyncio.run(measure(QUICK if options.quick else Plan(), Path(folder), options.parts, changes))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {load}\n\n{table.markdown()}\n")


if __name__ == "__main__":
    main()
