"""`python -m bot demo --tour`: a member's first five minutes, played and printed, each step checked.

What people do goes through the stand-in for Discord, as their clients would send it; what comes back is what the real
bot, a process of its own, really sent.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from bot.sandbox.demo import BotEnded, Demo, demo
from bot.sandbox.discord import InteractionResult, Message, Modal, Person, SandboxError
from bot.sandbox.nanogpt.recording import Report
from bot.sandbox.rendering import (
    author_name,
    button_labels,
    choice_lines,
    everything_in,
    message_lines,
    modal_lines,
    place_name,
    select_ids,
)

Say = Callable[[str], None]

PATIENCE_SECONDS: Final = 10.0
"""How long a step waits for what it should show."""
GUIDE: Final = "helpful-guide"
GUIDE_NAME: Final = "Helpful Guide"
GREETING: Final = "What are we editing today?"
DEADLINE: Final = "Friday at noon"
RATE: Final = "★ Rate"
REPORT: Final = "⚑ Report"
NOT_FOR_HERE: Final = ("Plot Doctor", "Haiku Clerk", "Rehearsal Partner", "Diary Keeper")
"""They would match, but are closed to the API, not approved, unlisted and private."""
_TOKENS_PER_SECOND: Final = 80.0
_FIRST_TOKEN_SECONDS: Final = 0.1
_FENCE: Final = "```"
_RULE: Final = "─"
_RULE_COLUMNS: Final = 78


async def tour(say: Say) -> int:
    """Open a demo, play the tour in it, and return the exit status."""
    async with demo() as opened:
        return await guide(opened, say)


async def guide(opened: Demo, say: Say) -> int:
    """Play the tour, print it line by line, and return the exit status: 0 when every step did what it should.

    When one did not, the end of the bot's log is printed too.
    """
    began = time.monotonic()
    say("A tour of the bot, offline: a stand-in for Discord, a stand-in for NanoGPT, and the real bot between them.")
    say("Nothing leaves this machine; all of it is deleted at the end. APP marks what a program wrote.")
    passed = await Tour(opened, say).play()
    if not passed:
        say("")
        say("The end of the bot's log:")
        for line in opened.bot.log_tail():
            say(f"  {line}")
    say("")
    seconds = time.monotonic() - began
    say(f"{'✓ Every step did what it should' if passed else '✗ Something went wrong'} ({seconds:.1f} s).")
    return 0 if passed else 1


class Tour:
    """The people, the channel, and what happened so far."""

    def __init__(self, opened: Demo, say: Say) -> None:
        self._demo = opened
        self._say = say
        self._failures = 0
        guild = opened.discord.add_guild("The Inkwell")
        self._ada = guild.owner
        self._ada.member.nick = "Ada"
        self._ben = guild.add_member("Ben")
        self._room = guild.add_channel("writing-room")
        self._replies: list[Message] = []
        self._asked = 0
        opened.nanogpt.pace.tokens_per_second = _TOKENS_PER_SECOND
        opened.nanogpt.pace.first_token_seconds = _FIRST_TOKEN_SECONDS

    async def play(self) -> bool:
        """Play every step; tell whether all of them did what they should. The first that breaks down is the last."""
        steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("The bot starts", self._start),
            ("Ada looks for a character", self._search),
            ("Ada looks closer at one", self._show),
            ("Ada lets it into the channel", self._use),
            ("Ada talks with it", self._talk),
            ("Ada asks for code", self._code),
            ("Ben joins in", self._join),
            ("Ada rates the character", self._rate),
            ("Ben reports it", self._report),
            ("The bot is restarted", self._restart),
            ("They chat on", self._chat_on),
            ("The bot stops", self._stop),
        )
        for number, (title, step) in enumerate(steps, 1):
            heading = f"{_RULE * 2} {number}. {title} "
            self._say("")
            self._say(heading + _RULE * (_RULE_COLUMNS - len(heading)))
            try:
                await step()
            except (SandboxError, BotEnded, TimeoutError, LookupError) as error:
                self._check(f"the step came to its end ({type(error).__name__}: {error})", passed=False)
                return False
        return self._failures == 0

    async def _start(self) -> None:
        await self._demo.bot.start()
        commands = [command["name"] for command in self._demo.discord.world.interactions.commands.of(None)]
        self._note(f"connected, with the commands {', '.join(commands)}")
        self._check("it is connected, and Discord has its commands", "character" in commands)

    async def _search(self) -> None:
        found = await self._command(self._ada, "character search", query="writing")
        text = everything_in(found)
        self._check("the search found two who help with writing", GUIDE_NAME in text and "Margin Witch" in text)
        self._check("and nobody who cannot be used here", not any(name in text for name in NOT_FOR_HERE))
        self._check("only Ada sees the answer", found.ephemeral_for == self._ada.id)
        hidden = await self._command(self._ada, "character search", query="ballads")
        self._check(
            "a character for adults is not shown, for this channel is not age-restricted",
            "Night Bard" not in everything_in(hidden) and not hidden.embeds,
        )

        opened = await self._select(self._ada, found, "Margin Witch")
        self._check("the menu under the results opens a profile", "Margin Witch" in everything_in(opened))

    async def _show(self) -> None:
        choices = await self._ada.autocomplete(self._room, "character show", "character", "help")
        self._act(self._ada, "types /character show character:help▏", choice_lines(choices))
        self._check("while she types, Helpful Guide is suggested", any(choice.value == GUIDE for choice in choices))
        profile = await self._command(self._ada, "character show", character=GUIDE)
        text = everything_in(profile)
        self._check(
            "the profile has tags, stars, model and first words",
            all(part in text for part in ("productivity", "4.8", "DeepSeek", GREETING)),
        )
        self._check(
            "and the buttons Use here, Rate and Report", {"Use here", RATE, REPORT} <= set(button_labels(profile))
        )
        self._profile = profile

    async def _use(self) -> None:
        refused = await self._command(self._ben, "character use", character=GUIDE)
        self._check("Ben may not decide that, and reads why", "Manage Channels" in refused.content)
        before = self._seen()
        answer = await self._click(self._ada, self._profile, "Use here")
        self._print(await answer.final_message(PATIENCE_SECONDS))
        greeting = await self._reply_after(before)
        notices = [message for message in self._since(before) if message.webhook is None]
        for notice in notices:
            self._print(notice)
        self._print(greeting)
        self._check(
            "the channel reads that an AI service is behind it, and how to be left alone",
            any("NanoGPT" in notice.content and "ignore-me" in notice.content for notice in notices),
        )
        self._check(f"it greets as {GUIDE_NAME}", greeting.author.name == GUIDE_NAME and greeting.content == GREETING)

    async def _talk(self) -> None:
        reply = await self._chat(
            self._ada, f"Hello! My deadline is {DEADLINE}. How do I begin a letter about the broken heating?"
        )
        self._check("it answers in its own name", reply.author.name == GUIDE_NAME)
        self._check("to Ada, about the heating", "Ada" in reply.content and "heating" in reply.content)
        self._check("the buttons are under the newest reply", {RATE, REPORT} <= set(button_labels(reply)))
        self._check("nobody was pinged", not reply.pings)

    async def _code(self) -> None:
        reply = await self._chat(self._ada, "Could you also write a small Python function for the reminder?")
        self._check(
            "the reply has a whole code block",
            f"{_FENCE}python\n" in reply.content and reply.content.count(_FENCE) % 2 == 0,
        )

    async def _join(self) -> None:
        reply = await self._chat(self._ben, "Hi, I came in late. Who is here with us?")
        self._check("it tells the two apart", "Ada" in reply.content and "Ben" in reply.content)

    async def _rate(self) -> None:
        form = await self._form(self._ada, self._replies[-1], RATE)
        answer = await self._submit(self._ada, form, {"stars": "5", "text": "Found my first sentence for me."})
        self._check("the rating is saved", "★★★★★" in answer.content)
        self._check("and only Ada sees that", answer.ephemeral_for == self._ada.id)

    async def _report(self) -> None:
        form = await self._form(self._ben, self._replies[-1], REPORT)
        answer = await self._submit(self._ben, form, {"reason": "other", "details": "Only trying out the button."})
        self._check("the report is stored", "stored" in answer.content)
        reports = await self._reports()
        self._check(
            "and has reached the catalogue, without Ben's name",
            [report.character for report in reports] == [GUIDE] and "Ben" not in repr(reports),
        )

    async def _restart(self) -> None:
        last = self._replies[-1]
        form = await self._form(self._ada, last, RATE)
        self._check("the bot ends in order", await self._demo.bot.stop() == 0)
        self._note("The bot is gone. Ben writes, and Ada's form is still open.")
        before = self._seen()
        self._asked += 1
        self._print(await self._ben.say(self._room, "Are you still there?"))
        await self._demo.bot.start()
        self._note("The bot is back.")
        reply = await self._reply_after(before)
        self._print(reply)
        self._check("what was written meanwhile is answered", reply.author.name == GUIDE_NAME)
        answer = await self._submit(self._ada, form, {"stars": "4"})
        self._check("a form that was open through the restart still counts", "★★★★☆" in answer.content)
        self._check("the buttons have moved to the new reply", RATE in button_labels(reply))
        for where, message in (("it", reply), ("the profile of before", self._profile)):
            opened = await self._click(self._ada, message, RATE)
            self._check(f"the button under {where} works", opened.modal is not None)

    async def _chat_on(self) -> None:
        reply = await self._chat(self._ada, "What is my deadline?")
        self._check("it still knows what Ada said before the restart", DEADLINE in reply.content)

    async def _stop(self) -> None:
        self._check("the bot ends in order", await self._demo.bot.stop() == 0)
        spoken = [message for message in self._room.messages.values() if message.webhook is not None]
        self._check(f"{self._asked} messages, {self._asked} replies and one greeting", len(spoken) == self._asked + 1)
        self._check("Discord had nothing to refuse", self._is_clean(self._demo.discord.assert_clean))
        self._check("NanoGPT had nothing to complain of", self._is_clean(self._demo.nanogpt.assert_clean))

    async def _reports(self) -> list[Report]:
        nanogpt = self._demo.nanogpt
        await nanogpt.wait_for(lambda: bool(nanogpt.reports), PATIENCE_SECONDS)
        return nanogpt.reports

    async def _chat(self, who: Person, text: str) -> Message:
        """Let somebody say something, and return the whole reply."""
        before = self._seen()
        self._asked += 1
        self._print(await who.say(self._room, text))
        reply = await self._reply_after(before)
        self._print(reply)
        return reply

    async def _command(self, who: Person, command: str, **options: object) -> Message:
        words = " ".join(f"{name}:{value}" for name, value in options.items())
        self._act(who, f"uses /{command} {words}")
        result = await who.slash(self._room, command, **options)
        answer = await result.final_message(PATIENCE_SECONDS)
        self._print(answer)
        return answer

    async def _select(self, who: Person, message: Message, label: str) -> Message:
        """Choose the option that has a label in the first menu of a message, and return what comes."""
        self._act(who, f"chooses {label} in the menu")
        result = await who.select(message, select_ids(message)[0], [_option(message, label)])
        answer = await result.final_message(PATIENCE_SECONDS)
        self._print(answer)
        return answer

    async def _click(self, who: Person, message: Message, button: str) -> InteractionResult:
        self._act(who, f"clicks [{button}]")
        return await who.click(message, button)

    async def _form(self, who: Person, message: Message, button: str) -> InteractionResult:
        """Click a button that opens a form."""
        result = await self._click(who, message, button)
        if result.modal is None:
            raise LookupError(f"[{button}] opened no form; it was answered with {result.kind}")
        self._lines(modal_lines(result.modal))
        return result

    async def _submit(self, who: Person, form: InteractionResult, values: Mapping[str, str]) -> Message:
        filled = [f"{_field(form.modal, name)} {value}" for name, value in values.items()]
        self._act(who, "fills in the form", filled)
        answer = await (await who.submit(form, values)).final_message(PATIENCE_SECONDS)
        self._print(answer)
        return answer

    def _seen(self) -> int:
        """Return the id of the newest message in the channel."""
        return max(self._room.messages, default=0)

    def _since(self, before: int) -> list[Message]:
        return [message for number, message in sorted(self._room.messages.items()) if number > before]

    async def _reply_after(self, before: int) -> Message:
        """Wait for the next whole reply: its buttons come with its last words."""

        def whole() -> Message | None:
            spoken = (message for message in self._since(before) if message.webhook is not None)
            return next((message for message in spoken if RATE in button_labels(message)), None)

        reply = await self._demo.discord.wait_for(whole, PATIENCE_SECONDS)
        assert reply is not None
        self._replies.append(reply)
        return reply

    def _print(self, message: Message) -> None:
        self._say(f"  {place_name(message.channel)}  {author_name(message)}")
        self._lines(message_lines(message))

    def _act(self, who: Person, what: str, lines: Iterable[str] = ()) -> None:
        """Print something that a person does other than writing a message."""
        self._say(f"  {place_name(self._room)}  {who.shown_name} {what}")
        self._lines(lines)

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(f"      {line}".rstrip())

    def _note(self, text: str) -> None:
        self._say(f"  ({text})")

    def _check(self, what: str, passed: bool) -> None:  # noqa: FBT001 - each call reads as what holds, and whether
        self._failures += not passed
        self._say(f"  {'✓' if passed else '✗'} {what}")

    def _is_clean(self, look: Callable[[], None]) -> bool:
        try:
            look()
        except AssertionError as error:
            self._note(str(error))
            return False
        return True


def _option(message: Message, label: str) -> str:
    """Return the value of the option of a menu that has a label; raises LookupError when there is none."""
    for row in message.components:
        for control in row.get("components", []):
            for option in control.get("options", []):
                if option["label"] == label:
                    return option["value"]
    raise LookupError(f"the menu does not offer {label!r}")


def _field(modal: Modal | None, name: str) -> str:
    """Return the label of a form's field."""
    for part in () if modal is None else modal.components:
        if part.get("component", {}).get("custom_id") == name:
            return str(part.get("label"))
    return name
