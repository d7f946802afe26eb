"""Everything behind the page, and the open pages in front of it."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from bot.sandbox.demo import Demo
from bot.sandbox.discord import Person, SandboxError
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Attachment
from bot.sandbox.discord.sights import Sight
from bot.sandbox.page import drawing
from bot.sandbox.page.asked import Asked
from bot.sandbox.page.desk import Desk
from bot.sandbox.page.levers import Levers
from bot.sandbox.page.plans import DemoPlan
from bot.sandbox.page.scene import Scene, open_accounts, set_scene
from bot.sandbox.page.switch import BotSwitch
from bot.sandbox.page.watching import Panel
from bot.sandbox.tasks import owned

if TYPE_CHECKING:
    from bot.sandbox.page.viewer import Viewer


class Stage:
    """The scene, the levers and the panel, shared by all open pages."""

    def __init__(self, demo: Demo, plan: DemoPlan) -> None:
        self.demo = demo
        self.scene: Scene = set_scene(demo.discord)
        self.switch = BotSwitch(demo.bot, demo.discord, self._tell_condition)
        self.levers = Levers(demo.discord, demo.nanogpt, self.switch, self._tell_levers)
        open_accounts(demo.nanogpt)
        self.desk = Desk(demo.nanogpt, self._tell_desk)
        self.panel = Panel(demo, self._send)
        self._plan = plan
        self._viewers: set[Viewer] = set()
        demo.nanogpt.pace.first_token_seconds = plan.first_token_seconds
        demo.nanogpt.pace.tokens_per_second = plan.tokens_per_second
        demo.discord.world.look_on(self._see)

    @asynccontextmanager
    async def playing(self) -> AsyncGenerator[None]:
        """Keep panel and pages up to date for the length of the block; kill the bot at its end."""
        async with self.switch.watched(), owned(self.panel.run()):
            yield

    @contextmanager
    def showing(self, viewer: "Viewer") -> Generator[None]:
        """Let an open page see what happens for the length of the block."""
        self.panel.flush()
        self._viewers.add(viewer)
        try:
            yield
        finally:
            self._viewers.discard(viewer)

    def state(self, me: Person) -> JsonObject:
        """Draw everything that the page needs to begin with, as one person sees it."""
        return {
            "t": "state",
            "me": drawing.person(me),
            "people": [drawing.person(person) for person in self.scene.people],
            "guild": {"name": self.scene.guild.name},
            "application": drawing.application(me),
            "channels": [drawing.channel(place, me) for place in me.places],
            "names": drawing.names(me),
            "commands": drawing.commands(me),
            "upload_bytes": me.upload_limit,
            "bot": self.switch.condition.state,
            "live": self._plan.live,
            "notes": list(self._plan.notes),
            "levers": self.levers.draw(),
            "desk": self.desk.draw(),
        }

    def upload(self, asked: Asked, content: bytes, content_type: str) -> Attachment:
        """Upload a file as the person who is named; raises SandboxError, with a sentence for people."""
        person = self.scene.person(asked.text("person"))
        channel = self.demo.discord.world.channels.get(asked.id("channel"))
        name = asked.text("name")
        if person is None or channel is None or not name:
            raise SandboxError("the page said neither who uploads something nor where")
        return person.upload(channel, name, content, content_type)

    def condition(self) -> JsonObject:
        """Draw how the bot is."""
        condition = self.switch.condition
        return {"t": "bot", "state": condition.state, "sentence": condition.sentence}

    def _see(self, sight: Sight) -> None:
        for viewer in self._viewers:
            viewer.see(sight)

    def _send(self, frame: JsonObject) -> None:
        for viewer in self._viewers:
            viewer.send(frame)

    def _tell_condition(self) -> None:
        self._send(self.condition())
        self._tell_levers()

    def _tell_desk(self) -> None:
        self._send({"t": "desk", **self.desk.draw()})

    def _tell_levers(self) -> None:
        self._send({"t": "levers", **self.levers.draw()})
