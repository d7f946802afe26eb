"""One open page: what it asks is carried out, and what its person sees is sent to it."""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web

from bot.sandbox.discord import Message, SandboxError
from bot.sandbox.discord.errors import RefusalError
from bot.sandbox.discord.json_types import JsonObject, encode
from bot.sandbox.discord.sights import Gone, Rearranged, Shown, Sight, Typing
from bot.sandbox.page import drawing
from bot.sandbox.page.asked import Asked, read_frame
from bot.sandbox.page.verbs import Verbs

if TYPE_CHECKING:
    from bot.sandbox.page.stage import Stage

_MAX_WAITING: Final = 10_000
"""Frames; a page that reads so slowly is let go, and begins afresh when it comes back."""
_MAX_ASKED_AT_ONCE: Final = 100
_STUMBLED: Final = "The demo itself stumbled over that; the terminal says more."
_log = logging.getLogger(__name__)


class Viewer:
    """Serves one socket until it closes."""

    def __init__(self, stage: "Stage", request: web.Request, socket: web.WebSocketResponse) -> None:
        self._stage = stage
        self._request = request
        self._socket = socket
        self._verbs = Verbs(stage.scene, stage.levers, stage.desk)
        self._outbox: asyncio.Queue[JsonObject] = asyncio.Queue(_MAX_WAITING)
        self._state_is_due = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send the state, then answer and show until the page goes away."""
        self.send(self._stage.state(self._verbs.me))
        self.send(self._stage.condition())
        self.send(self._stage.panel.history())
        writer = asyncio.create_task(self._write())
        try:
            async for frame in self._socket:
                asked = read_frame(frame.data) if frame.type is WSMsgType.TEXT else None
                if asked is None or len(self._tasks) >= _MAX_ASKED_AT_ONCE:
                    break
                task = asyncio.create_task(self._answer(asked))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            tasks = (writer, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._socket.close()

    def send(self, frame: JsonObject) -> None:
        """Queue a frame; a page that takes none any more is cut off."""
        try:
            self._outbox.put_nowait(frame)
        except asyncio.QueueFull:
            if self._request.transport is not None:
                self._request.transport.abort()

    def see(self, sight: Sight) -> None:
        """Show a sight, if this page's person can see it."""
        me = self._verbs.me
        match sight:
            case Shown(message):
                if not message.deleted and me.sees(message):
                    self._show(message)
                    self._show_replies(message)
            case Gone(message):
                if me.sees(message) or me.may_dismiss(message):
                    self.send({"t": "gone", "channel": str(message.channel.id), "id": str(message.id)})
                    self._show_replies(message)
            case Typing(channel, user, until):
                if channel in me.places:
                    name = drawing.name_of(user, channel)
                    at = drawing.milliseconds(until)
                    self.send({"t": "typing", "channel": str(channel.id), "name": name, "until": at})
            case Rearranged():
                self._renew_state()

    def _show(self, message: Message) -> None:
        self.send({"t": "message", "message": drawing.message(message, self._verbs.me)})

    def _show_replies(self, target: Message) -> None:
        """Draw the replies to a message anew, which quote it."""
        if target.edited_at is None and not target.deleted:
            return
        for message in target.channel.messages.values():
            if message.replied_to is target:
                self._show(message)

    def _renew_state(self) -> None:
        """Send the state once for all that changes at the same moment."""
        if not self._state_is_due:
            self._state_is_due = True
            asyncio.get_running_loop().call_soon(self._send_state)

    def _send_state(self) -> None:
        self._state_is_due = False
        self.send(self._stage.state(self._verbs.me))

    async def _write(self) -> None:
        while True:
            await self._socket.send_str(encode(await self._outbox.get()))

    async def _answer(self, asked: Asked) -> None:
        answer: JsonObject = {"t": "answer", "n": asked.number}
        try:
            done = await self._verbs.carry_out(asked)
            self.send(answer | {"ok": True} | done)
        except (SandboxError, RefusalError) as error:
            self.send(answer | {"ok": False, "sentence": sentence(str(error))})
        except Exception:  # noqa: BLE001 - one thing that went wrong is no reason to lose the page
            _log.exception("The page asked for %s", asked.verb)
            self.send(answer | {"ok": False, "sentence": _STUMBLED})
        if asked.verb == "become":
            self._send_state()


def sentence(text: str) -> str:
    """Make a sentence of an error's text."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
