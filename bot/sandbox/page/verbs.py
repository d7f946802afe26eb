"""What the page can ask for: each verb is something that one of the people does, or a lever, or NanoGPT's desk."""

from collections import OrderedDict
from typing import Final

from bot.sandbox.discord import Channel, InteractionResult, Message, Person, SandboxError, pointing
from bot.sandbox.discord.history import read_back
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.page import drawing
from bot.sandbox.page.asked import Asked
from bot.sandbox.page.desk import Desk
from bot.sandbox.page.levers import Levers
from bot.sandbox.page.scene import Scene

_PAGE: Final = 50
"""Messages at a time, as Discord's own client loads them."""
_OPEN_FORMS: Final = 20


class Verbs:
    """Carries out what one page asks, as the person that it shows."""

    def __init__(self, scene: Scene, levers: Levers, desk: Desk) -> None:
        self._scene = scene
        self._levers = levers
        self._desk = desk
        self._forms: OrderedDict[str, tuple[Person, InteractionResult]] = OrderedDict()
        self.me = scene.people[0]

    async def carry_out(self, asked: Asked) -> JsonObject:
        """Do what is asked and return the answer's fields; raises SandboxError with the sentence for people."""
        match asked.verb:
            case "become":
                return self._become(asked)
            case "open":
                return self._open(asked)
            case "say" | "edit" | "delete":
                await self._write(asked)
                return {}
            case "suggest":
                return await self._suggest(asked)
            case "command" | "menu" | "click" | "select" | "submit":
                person = self.me
                return {"result": self._result(await self._interact(asked), person)}
            case "lever":
                await self._levers.pull(asked.text("name"), asked.fields)
                return {}
            case "privacy":
                self._set_privacy(asked)
                return {}
            case "desk":
                self._desk.act(asked)
                return {}
            case _:
                raise SandboxError(f"there is no {asked.verb!r} here")

    def _become(self, asked: Asked) -> JsonObject:
        person = self._scene.person(asked.text("person"))
        if person is None:
            raise SandboxError("there is nobody of that name")
        self.me = person
        return {}

    def _set_privacy(self, asked: Asked) -> None:
        if asked.flag("takes_dms", default=True):
            self.me.reopen_direct_messages()
        else:
            self.me.close_direct_messages()

    def _open(self, asked: Asked) -> JsonObject:
        found, more = read_back(self.me, self._channel(asked), before=asked.optional_id("before"), limit=_PAGE)
        return {"messages": [drawing.message(message, self.me) for message in found], "more": more}

    async def _write(self, asked: Asked) -> None:
        if asked.verb == "say":
            channel = self._channel(asked)
            replied = asked.optional_id("reply_to")
            await self.me.say(
                channel,
                asked.text("text"),
                reply_to=None if replied is None else self._message(replied),
                ping_reply=asked.flag("ping", default=True),
            )
            return
        message = self._message(asked.id("message"))
        if asked.verb == "edit":
            await self.me.edit(message, asked.text("text"))
        elif self.me.may_dismiss(message):
            await self.me.dismiss(message)
        else:
            await self.me.delete(message)

    async def _suggest(self, asked: Asked) -> JsonObject:
        option = asked.text("option")
        channel, words = self._channel(asked), asked.text("name")
        others = {name: value for name, value in asked.object("options").items() if name != option}
        others = pointing.in_options(self.me, channel, words, others)
        result = await self.me.type_into(channel, words, option, asked.text("typed"), **others)
        return {"choices": drawing.choices(result.choices), "failed": result.failed}

    async def _interact(self, asked: Asked) -> InteractionResult:
        match asked.verb:
            case "command":
                channel, words = self._channel(asked), asked.text("name")
                options = pointing.in_options(self.me, channel, words, asked.object("options"))
                return await self.me.slash(channel, words, **options)
            case "menu":
                return await self.me.context_menu(self._message(asked.id("message")), asked.text("name"))
            case "click":
                return await self.me.click(self._message(asked.id("message")), asked.text("custom_id"))
            case "select":
                message, custom_id = self._message(asked.id("message")), asked.text("custom_id")
                chosen = pointing.in_select(self.me, message, custom_id, asked.texts("values"))
                return await self.me.select(message, custom_id, chosen)
            case _:
                return await self._submit(asked)

    async def _submit(self, asked: Asked) -> InteractionResult:
        opened = self._forms.get(asked.text("form"))
        if opened is None:
            raise SandboxError("that form is not open any more")
        person, result = opened
        values = asked.object("values")
        if result.modal is not None:
            values = pointing.in_form(person, result.modal, values)
        answer = await person.submit(result, values)
        if not answer.failed:
            self._forms.pop(asked.text("form"), None)
        return answer

    def _result(self, result: InteractionResult, person: Person) -> JsonObject:
        drawn = drawing.result(result)
        if result.modal is not None:
            self._forms[drawn["modal"]["form"]] = (person, result)
            while len(self._forms) > _OPEN_FORMS:
                self._forms.popitem(last=False)
        return drawn

    def _channel(self, asked: Asked) -> Channel:
        found = self._scene.guild.world.channels.get(asked.id("channel"))
        if found is None:
            raise SandboxError("that channel is gone")
        return found

    def _message(self, message_id: int) -> Message:
        found = self._scene.guild.world.find_message(message_id)
        if found is None or not self.me.sees(found):
            raise SandboxError("that message is gone")
        return found
