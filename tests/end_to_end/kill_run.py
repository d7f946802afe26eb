"""Many messages, many channels, and a bot that is killed and cut off at random: is each message answered once?

The suite plays a short run; a long one by hand: `python -m tests.end_to_end.kill_run --messages 10000 --kills 100`.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord.buckets import BucketPolicy
from bot.sandbox.discord.ledger import UncleanError
from bot.sandbox.discord.model import Message
from bot.sandbox.nanogpt.responses import ResponseRequest
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.world import World, open_world

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel

QUIET_SECONDS: Final = 45.0
SENTENCES: Final = (
    "That is a thought.",
    "Let me turn it over.",
    "There is more to it than that.",
    "Here is how I see it.",
)
TOKENS_PER_SECOND: Final = 60.0
SECONDS_A_COMMAND: Final = 0.2
"""Bringing a character in takes half a dozen requests; more commands a second than people give meet Discord's limit of
50 requests a second, which is not what is looked at here."""


@dataclass(frozen=True)
class Plan:
    """How much happens, and by which dice."""

    seed: int = 1
    channels: int = 20
    messages: int = 200
    kills: int = 10
    drops: int = 10


@dataclass
class Findings:
    """What was found at the end."""

    turns: int = 0
    replies: int = 0
    marks: int = 0
    problems: list[str] = field(default_factory=list[str])


class KillRun:
    """One run of a plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._dice = random.Random(plan.seed)  # noqa: S311 - dice of a test
        self._said: list[int] = []
        self._channels: list[Channel] = []

    async def play(self) -> Findings:
        """Play it, wait until the bot is done, and look."""
        guild = self._world.discord.add_guild("Kill test")
        self._channels = [guild.add_channel(f"room-{number}") for number in range(self._plan.channels)]
        people = [guild.owner, guild.add_member("Bea"), guild.add_member("Cyril")]
        self._world.upstream.responder = self._long_reply
        self._world.upstream.pace.tokens_per_second = TOKENS_PER_SECOND
        async with BotProcess(
            self._world,
            limits__member_messages_per_day="0",
            limits__guild_messages_per_day="0",
            relay__queue_limit="1000",
        ) as bot:
            await asyncio.wait_for(self._world.discord.gateway_connected.wait(), 30)
            await self._world.discord.wait_for(lambda: self._world.discord.world.interactions.commands.of(None), 30)
            for channel in self._channels:
                await (await guild.owner.slash(channel, "character use", character="helpful-guide")).final_message()
                await asyncio.sleep(SECONDS_A_COMMAND)
            deeds = ["say"] * self._plan.messages + ["kill"] * self._plan.kills + ["drop"] * self._plan.drops
            self._dice.shuffle(deeds)
            for deed in deeds:
                if deed == "say":
                    person = self._dice.choice(people)
                    message = await person.say(self._dice.choice(self._channels), f"Message {len(self._said)}")
                    self._said.append(message.id)
                    await asyncio.sleep(self._dice.uniform(0, 0.1))
                elif deed == "kill":
                    await asyncio.sleep(self._dice.uniform(0, 2.5))
                    await bot.kill()
                    await bot.start()
                else:
                    await self._world.discord.drop_gateway(resumable=self._dice.random() < 0.5)
            try:
                at_rest = await self._settle(bot)
            except TimeoutError:
                return self._look("the bot did not come to rest")
            if not at_rest:
                return self._look("the bot ended by itself")
            status = await bot.terminate()
        findings = self._look()
        if status != 0:
            findings.problems.append(f"the bot ended with status {status}")
        return findings

    def _long_reply(self, request: ResponseRequest) -> str:
        """Answer with a few sentences, more for some than for others, so that some are cut in mid-stream.

        Dice of its own for each request: in which order they come is not the plan's.
        """
        dice = random.Random(f"{self._plan.seed} {request.items[-1].text}")  # noqa: S311 - dice of a test
        return " ".join(dice.choices(SENTENCES, k=dice.randint(1, 12)))

    async def _settle(self, bot: BotProcess) -> bool:
        """Wait until every message is in the database and no turn is open; False where the bot ends before."""
        async with asyncio.timeout(QUIET_SECONDS + self._plan.messages / 10):
            while bot.running:
                with self._database() as database:
                    (claimed,) = database.execute("SELECT COUNT(*) FROM claim").fetchone()
                    (open_claims,) = database.execute(
                        "SELECT COUNT(*) FROM claim WHERE state IN ('waiting', 'running')"
                    ).fetchone()
                    (open_turns,) = database.execute(
                        "SELECT COUNT(*) FROM turn WHERE state IN ('waiting', 'running')"
                    ).fetchone()
                database.close()
                if claimed >= len(self._said) and not open_claims and not open_turns:
                    return True
                await asyncio.sleep(0.2)
        return False

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._world.folder / 'bot.db'}?mode=ro", uri=True)

    def _look(self, *problems: str) -> Findings:
        findings = Findings(problems=list(problems))
        with self._database() as database:
            claims = dict(database.execute("SELECT message_id, turn_id FROM claim").fetchall())
            turns = database.execute("SELECT id, kind, state FROM turn").fetchall()
            posts = database.execute("SELECT turn_id, kind, number, message_id FROM post").fetchall()
        database.close()
        for message_id in self._said:
            if claims.get(message_id) is None:
                findings.problems.append(f"message {message_id} belongs to no turn")
        visible = {message.id: message for channel in self._channels for message in channel.messages.values()}
        accounted = {message_id for *_, message_id in posts}
        findings.problems += [
            f"visible message {message.id} belongs to no turn"
            for message in visible.values()
            if message.id not in accounted and self._is_of_a_turn(message)
        ]
        for turn_id, kind, state in turns:
            own = [(post_kind, number, m) for t, post_kind, number, m in posts if t == turn_id]
            shown = [entry for entry in own if entry[2] in visible]
            if len(shown) != len(own):
                findings.problems.append(f"turn {turn_id} ({kind}, {state}) has posts that nobody can see: {own}")
            replies = sorted(number for post_kind, number, _ in shown if post_kind == "reply")
            marks = [entry for entry in shown if entry[0] == "mark"]
            if replies and replies != list(range(len(replies))):
                findings.problems.append(f"turn {turn_id} has gaps: {replies}")
            if bool(replies) == bool(marks):
                findings.problems.append(
                    f"turn {turn_id} ({kind}, {state}): {len(replies)} replies, {len(marks)} marks"
                )
            findings.turns += 1
            findings.replies += bool(replies)
            findings.marks += bool(marks)
        return findings

    def _is_of_a_turn(self, message: Message) -> bool:
        """Tell a reply or mark, should the store not know it, from notices and answers: those have no name of ours.

        discord.py gives a number to what is sent without a name.
        """
        if message.webhook is not None:
            return True
        named = message.nonce is not None and not str(message.nonce).isdecimal()
        return named and message.author.id == self._world.discord.bot_user.id


async def run(plan: Plan, folder: Path) -> Findings:
    """Open a world, play the plan in it, and check that Discord refused nothing."""
    async with open_world(folder, BucketPolicy()) as world:
        findings = await KillRun(world, plan).play()
        try:
            world.discord.assert_clean()
        except UncleanError as error:
            findings.problems.append(str(error))
        return findings


def main() -> None:
    """Play a plan from the command line."""
    parser = argparse.ArgumentParser()
    defaults = Plan()
    for name in ("seed", "channels", "messages", "kills", "drops"):
        parser.add_argument(f"--{name}", type=int, default=getattr(defaults, name))
    plan = Plan(**vars(parser.parse_args()))
    folder = Path(tempfile.mkdtemp())
    findings = asyncio.run(run(plan, folder))
    sys.stdout.write(f"{plan}\n{findings.turns} turns: {findings.replies} replies, {findings.marks} marks\n")
    for problem in findings.problems:
        sys.stdout.write(f"  {problem}\n")
    sys.stdout.write(f"log: {folder / 'bot.log'}\n")
    sys.exit(bool(findings.problems))


if __name__ == "__main__":
    main()
