"""Many messages, many channels, and a bot that is killed and cut off at random: is each message answered once?

What upstream says follows from what was said last, so that each reply on show can be compared with what it should be.

The suite plays a short run; a long one by hand: `python -m tests.end_to_end.kill_run --messages 10000 --kills 100`.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import takewhile
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
GREETING: Final = "What are we editing today?"
MARK_SIGN: Final = "⚠"
CUT_SIGN: Final = f"-# {MARK_SIGN}"
"""What a mark of its own begins with, and the one under the part of a reply."""
SENTENCES: Final = (
    "Considerations accumulate unhurriedly.",
    "Circumstances notwithstanding, certainly.",
    "Straightforward explanations disappoint.",
    "Interpretations nevertheless multiply.",
)
"""Of long words: a word costs as much to stream as a short one."""
FEW: Final = (1, 24)
MANY: Final = (36, 64)
"""Sentences of a reply that is one post, and of one that takes two."""
SHARE_OF_LONG: Final = 0.3
TOKENS_PER_SECOND: Final = 120.0
SHARE_WHILE_BACK: Final = 0.7
LONGEST_PAUSE_SECONDS: Final = 0.8
SECONDS_A_DROP: Final = 0.05
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

    @property
    def longest_message_pause(self) -> float:
        """The seconds between two messages at the most: where kills are rare, the bot has time to answer."""
        return min(0.1, self.messages / max(1, self.kills) / 800)


@dataclass
class Findings:
    """What was found at the end."""

    turns: int = 0
    answered: int = 0
    """Turns whose whole reply can be seen, greetings included."""
    cut: int = 0
    """Turns of which a part can be seen, marked as such."""
    marks: int = 0
    """Turns of which nothing but a mark can be seen."""
    long: int = 0
    """Whole replies that took more than one post."""
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Turn:
    """A turn as the store tells of it, and what can be seen of it."""

    id: int
    kind: str
    state: str
    cause: str | None
    expected: str
    """The whole reply, one space wherever there is white space."""
    replies: tuple[str, ...]
    """From the first to the last, as people read them."""
    marks: tuple[str, ...]

    def __str__(self) -> str:
        return f"turn {self.id} ({self.kind}, {self.state}, {self.cause})"

    def problem(self, *, was_cut: bool) -> str | None:
        """Tell what is wrong with what can be seen; `was_cut` where a kill met the turn under way."""
        if bool(self.replies) == bool(self.marks) or len(self.marks) > 1:
            return f"{len(self.replies)} replies, {len(self.marks)} marks"
        if self.state == "answered":
            shown = _one_spaced("\n".join(self.replies))
            return None if shown == self.expected else _difference(shown, self.expected)
        if self.state != "failed" or self.cause != "restarted" or not was_cut:
            return "failed, though no kill met it"
        *before, last = [*self.replies, *self.marks]
        text, _, mark = last.rpartition("\n")
        sign = CUT_SIGN if self.replies else MARK_SIGN
        if not mark.startswith(sign) or any(sign in post for post in (*before, text)):
            return f"was cut, and no mark says so at its end: {last[-100:]!r}"
        shown = _one_spaced("\n".join((*before, text)))
        return None if self.expected.startswith(shown) else _difference(shown, self.expected)


class KillRun:
    """One run of a plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._dice = random.Random(plan.seed)  # noqa: S311 - dice of a test
        self._said: dict[int, str] = {}
        """Each message with its text."""
        self._cut: set[int] = set()
        """The turns that a kill met under way."""
        self._drops: list[bool] = []
        """The drops that are due: whether the session can be resumed."""
        self._channels: list[Channel] = []

    async def play(self) -> Findings:
        """Play it, wait until the bot is done, and look."""
        guild = self._world.discord.add_guild("Kill test")
        self._channels = [guild.add_channel(f"room-{number}") for number in range(self._plan.channels)]
        people = [guild.owner, guild.add_member("Bea"), guild.add_member("Cyril")]
        self._world.upstream.responder = self._respond
        self._world.upstream.pace.tokens_per_second = TOKENS_PER_SECOND
        async with BotProcess(
            self._world,
            limits__member_messages_per_day="0",
            limits__guild_messages_per_day="0",
            relay__queue_limit="1000",
        ) as bot:
            await self._connected()
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
                    self._said[message.id] = message.content
                    await asyncio.sleep(self._dice.uniform(0, self._plan.longest_message_pause))
                elif deed == "kill":
                    await self._kill(bot)
                else:
                    self._drops.append(self._dice.random() < 0.5)
                self._drop_if_due()
            while self._drops:
                await self._connected()
                self._drop_if_due()
                await asyncio.sleep(SECONDS_A_DROP)
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

    async def _kill(self, bot: BotProcess) -> None:
        """Kill the bot at a random moment, and start it; mostly its work goes on once it is back."""
        await asyncio.sleep(self._dice.uniform(0, LONGEST_PAUSE_SECONDS))
        await bot.kill()
        await self._world.discord.wait_for(lambda: not self._world.discord.gateway_connected.is_set(), 30)
        self._note_cut()
        await bot.start()
        if self._dice.random() < SHARE_WHILE_BACK:
            await self._connected()

    def _drop_if_due(self) -> None:
        """Drop the gateway once, if that is due and there is one: after a lost session it is away for seconds."""
        if self._drops and self._world.discord.gateway_connected.is_set():
            self._world.discord.gateway.drop(resumable=self._drops.pop(0))

    async def _connected(self) -> None:
        await asyncio.wait_for(self._world.discord.gateway_connected.wait(), 30)

    def _respond(self, request: ResponseRequest) -> str:
        return self._reply_to(request.items[-1].text.rpartition("] ")[2])

    def _reply_to(self, said: str) -> str:
        """Return the one reply to a message: one sentence, many, or more than a post holds.

        Dice of its own for each message: in which order the requests come is not the plan's. Each sentence says
        where it belongs, so that none can stand in for another.
        """
        dice = random.Random(f"{self._plan.seed} {said}")  # noqa: S311 - dice of a test
        count = dice.randint(*(MANY if dice.random() < SHARE_OF_LONG else FEW))
        return " ".join(
            f"{said}/{number}: {sentence}" for number, sentence in enumerate(dice.choices(SENTENCES, k=count), start=1)
        )

    def _note_cut(self) -> None:
        with self._database() as database:
            self._cut.update(turn_id for (turn_id,) in database.execute("SELECT id FROM turn WHERE state = 'running'"))
        database.close()

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
            claims: dict[int, int | None] = dict(database.execute("SELECT message_id, turn_id FROM claim").fetchall())
            turns = database.execute("SELECT id, kind, state, cause FROM turn").fetchall()
            posts = database.execute("SELECT turn_id, kind, number, message_id FROM post").fetchall()
        database.close()
        findings.problems += [
            f"message {message_id} belongs to no turn" for message_id in self._said if claims.get(message_id) is None
        ]
        visible = {message.id: message for channel in self._channels for message in channel.messages.values()}
        accounted = {message_id for *_, message_id in posts}
        findings.problems += [
            f"visible message {message.id} belongs to no turn"
            for message in visible.values()
            if message.id not in accounted and self._is_of_a_turn(message)
        ]
        last_said = {turn_id: message_id for message_id, turn_id in sorted(claims.items())}
        for turn_id, kind, state, cause in turns:
            own = [entry[1:] for entry in posts if entry[0] == turn_id]
            if hidden := [entry for entry in own if entry[-1] not in visible]:
                findings.problems.append(f"turn {turn_id} ({kind}, {state}) has posts that nobody can see: {hidden}")
            numbers = [number for post_kind, number, _ in sorted(own) if post_kind == "reply"]
            if numbers != list(range(len(numbers))):
                findings.problems.append(f"turn {turn_id} ({kind}, {state}) has gaps: {numbers}")
            expected = GREETING if kind == "greeting" else self._reply_to(self._said.get(last_said.get(turn_id, 0), ""))
            self._count(
                findings,
                _Turn(
                    turn_id,
                    kind,
                    state,
                    cause,
                    _one_spaced(expected),
                    _texts(own, "reply", visible),
                    _texts(own, "mark", visible),
                ),
            )
        return findings

    def _count(self, findings: Findings, turn: _Turn) -> None:
        findings.turns += 1
        problem = turn.problem(was_cut=turn.id in self._cut)
        if problem is not None:
            findings.problems.append(f"{turn}: {problem}")
        elif turn.state == "answered":
            findings.answered += 1
            findings.long += len(turn.replies) > 1
        elif turn.replies:
            findings.cut += 1
        else:
            findings.marks += 1

    def _is_of_a_turn(self, message: Message) -> bool:
        """Tell a reply or mark, should the store not know it, from notices and answers: those have no name of ours.

        discord.py gives a number to what is sent without a name.
        """
        if message.webhook is not None:
            return True
        named = message.nonce is not None and not str(message.nonce).isdecimal()
        return named and message.author.id == self._world.discord.bot_user.id


def _texts(posts: list[tuple[str, int, int]], kind: str, visible: dict[int, Message]) -> tuple[str, ...]:
    """Return what can be read of a turn's posts of one kind, in the order in which people see them."""
    shown = sorted(message_id for post_kind, _, message_id in posts if post_kind == kind and message_id in visible)
    return tuple(visible[message_id].content for message_id in shown)


def _difference(shown: str, expected: str) -> str:
    at = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(shown, expected, strict=False)))
    return f"shows {shown[at : at + 60]!r} in place of {expected[at : at + 60]!r}, {at} characters into it"


def _one_spaced(text: str) -> str:
    """Return a text that reads the same wherever it was cut into posts."""
    return " ".join(text.split())


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
    sys.stdout.write(
        f"{plan}\n{findings.turns} turns: {findings.answered} answered ({findings.long} in several posts), "
        f"{findings.cut} cut, {findings.marks} marks\n"
    )
    for problem in findings.problems:
        sys.stdout.write(f"  {problem}\n")
    sys.stdout.write(f"log: {folder / 'bot.log'}\n")
    sys.exit(bool(findings.problems))


if __name__ == "__main__":
    main()
