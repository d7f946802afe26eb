"""A channel with people in it, and what they do there: the vocabulary of the end-to-end tests."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from bot.domain.failures import MARK_SIGN
from bot.sandbox.discord import Channel, ChannelKind, Guild, InteractionResult, Message, Person, RecordedRequest, User
from bot.sandbox.discord.json_types import objects_of
from bot.sandbox.nanogpt.recording import RecordedCall
from tests.end_to_end.world import World

GUIDE: Final = "helpful-guide"
GREETING: Final = "What are we editing today?"
BARD: Final = "night-bard"
ORACLE: Final = "velvet-oracle"
"""The catalogue calls it sfw, its author nsfw."""
EXECUTE: Final = r"^/webhooks/\{webhook_id\}/\{webhook_token\}$"
"""The route by which a webhook speaks, and by which a command is answered further."""
LENT: Final = re.compile(r"\*\*[^\n]*\*\*\n")
"""What a message of the bot begins with when it lends a character its voice."""


@dataclass(frozen=True)
class Scene:
    """One channel or thread, seen by the owner of its server."""

    world: World
    guild: Guild
    channel: Channel
    first_call: int = 0
    """How many calls for a reply there had been before, in a world that several tests share."""

    @classmethod
    def of(cls, world: World, *, nsfw: bool = False, kind: ChannelKind = ChannelKind.TEXT) -> Self:
        """Open a server with one channel."""
        guild = world.discord.add_guild("Writers")
        channel = guild.add_channel("general", nsfw=nsfw, kind=kind)
        return cls(world, guild, channel, len(world.upstream.response_calls))

    @property
    def owner(self) -> Person:
        """Who owns the server, and may do everything in it."""
        return self.guild.owner

    def beside(self, name: str = "elsewhere", *, nsfw: bool = False) -> "Scene":
        """Open another channel of the server."""
        return replace(self, channel=self.guild.add_channel(name, nsfw=nsfw))

    def thread(self, name: str = "aside") -> "Scene":
        """Open a thread below the channel."""
        return replace(self, channel=self.channel.add_thread(name))

    # What people do

    async def use(self, character: str = GUIDE, **options: object) -> Message:
        """Bring a character to the channel, and return its greeting."""
        before = len(self.voices())
        result = await self.owner.slash(self.channel, "character use", character=character, **options)
        answer = await result.final_message()
        await self.until(lambda: len(self.voices()) > before, f"a greeting ({answer.content})")
        return self.voices()[-1]

    async def ask(
        self,
        text: str,
        reply: str,
        *,
        who: Person | None = None,
        reply_to: Message | None = None,
        mentions: Sequence[User | Person] = (),
    ) -> Message:
        """Say something, have the character answer with `reply`, and return that message once it is whole."""
        self.world.upstream.script(reply)
        message = await (who or self.owner).say(self.channel, text, reply_to=reply_to, mentions=mentions)
        return await self.shows(reply, after=message)

    async def why(self, message: Message, who: Person | None = None) -> str:
        """Ask why a message was not answered, and return the explanation."""
        answer = await (await (who or self.owner).context_menu(message, "Why silent?")).final_message()
        assert answer.ephemeral_for == (who or self.owner).id
        return answer.content

    async def read(self, result: InteractionResult) -> str:
        """Return what the answer to a command says, which nobody else may see."""
        answer = await result.final_message()
        assert answer.ephemeral_for == result.interaction.user.id
        return answer.content

    async def refused(self, command: str, who: Person | None = None, /, **options: object) -> str:
        """Run a command that comes to nothing, and return the sentence that says why."""
        before = [message.content for message in self.channel.messages.values()]
        sentence = await self.read(await (who or self.owner).slash(self.channel, command, **options))
        assert [message.content for message in self.channel.messages.values()] == before
        return sentence

    # What can be seen

    def voices(self) -> list[Message]:
        """Return the messages of characters, oldest first: through the webhook, or lent by the bot."""
        return [message for message in self.channel.messages.values() if self._is_own(message)]

    def spoken(self) -> list[str]:
        """Return what characters said, oldest first."""
        return [message.content for message in self.voices()]

    def notices(self) -> list[Message]:
        """Return the bot's own messages to the whole channel, oldest first."""
        return [
            message
            for message in self.channel.messages.values()
            if message.author.id == self.world.discord.bot_user.id
            and not message.is_loading
            and LENT.match(message.content) is None
        ]

    def told(self) -> list[str]:
        """Return what the bot itself told the whole channel, oldest first."""
        return [message.content for message in self.notices()]

    def marks(self) -> list[Message]:
        """Return the bot's warnings, oldest first."""
        return [message for message in self.notices() if message.content.startswith(MARK_SIGN)]

    async def shows(self, text: str, *, after: Message | None = None) -> Message:
        """Wait for a message with exactly this text, and return it."""

        def found() -> Message | None:
            newer = 0 if after is None else after.id
            return next(
                (each for each in self.channel.messages.values() if each.id > newer and each.content == text), None
            )

        await self.until(lambda: found() is not None, text)
        message = found()
        assert message is not None
        return message

    async def marked(self, containing: str = "", *, count: int = 1) -> Message:
        """Wait until there are so many warnings, of which the last contains these words, and return that."""
        await self.until(lambda: len(self.marks()) >= count, "a warning")
        last = self.marks()[-1]
        assert containing in last.content
        return last

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Wait for something to be seen."""
        try:
            await self.world.discord.wait_for(condition)
        except TimeoutError as error:
            raise AssertionError(f"never came: {what}\n{error}") from error

    # What the AI service was asked

    async def asked(self, count: int) -> None:
        """Wait until there were so many calls for a reply."""
        await self.world.upstream.wait_for(lambda: len(self.calls) >= count)

    @property
    def calls(self) -> list[RecordedCall]:
        """Every call for a reply since the scene was set, oldest first."""
        return self.world.upstream.response_calls[self.first_call :]

    def context(self, number: int = -1) -> list[str]:
        """Return what a call for a reply said of the conversation: "role: text", without the house note."""
        return [f"{role}: {text}" for role, text in self.calls[number].inputs if role != "developer"]

    def requests(self, method: str, route: str) -> list[RecordedRequest]:
        """Return the requests to Discord of one kind; `route` is the end of the template."""
        return [each for each in self.world.discord.requests if each.method == method and each.route.endswith(route)]

    # What is stored

    def query(self, sql: str, *values: object) -> Sequence[tuple[Any, ...]]:
        """Read the bot's database."""
        with closing(sqlite3.connect(f"file:{self.world.folder / 'bot.db'}?mode=ro", uri=True)) as database:
            return database.execute(sql, values).fetchall()

    async def stored(self, sql: str, *values: object) -> None:
        """Wait until the bot's database has a row for a question."""
        async with asyncio.timeout(10):
            while not self.query(sql, *values):  # noqa: ASYNC110 - the database has no event to wait for
                await asyncio.sleep(0)

    async def settled(self) -> None:
        """Wait until every message that was taken in has come to its end, which nothing on Discord shows."""
        async with asyncio.timeout(10):
            while self._busy():  # noqa: ASYNC110 - the database has no event to wait for
                await asyncio.sleep(0)

    def _busy(self) -> bool:
        return bool(
            self.query(
                "SELECT 1 FROM (SELECT state FROM claim UNION ALL SELECT state FROM turn) "
                "WHERE state IN ('waiting', 'running')"
            )
        )

    def _is_own(self, message: Message) -> bool:
        if message.author.id == self.world.discord.bot_user.id:
            return LENT.match(message.content) is not None
        return message.webhook is not None and message.application_id == self.world.discord.application_id


def labels(message: Message) -> list[object]:
    """Return the labels of a message's buttons, in their order."""
    return [part.get("label") for row in message.components for part in objects_of(row.get("components"))]
