"""The demo's page as a person uses it, in a real browser."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from playwright.async_api import Locator, Page, expect

from bot.sandbox.discord import Channel, Person
from bot.sandbox.page.opening import OpenDemo

PATIENCE_MS: Final = 45_000
"""How long anything may take to be seen: a reply is streamed, and machines are busy."""

expect.set_options(timeout=PATIENCE_MS)


class DemoPage:
    """One open page."""

    def __init__(self, page: Page, demo: OpenDemo) -> None:
        self.page = page
        self.demo = demo
        self._complaints: list[str] = []
        self._excused: tuple[str, ...] = ()
        page.on("console", lambda said: self._complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self._complaints.append(f"uncaught: {error}"))

    @property
    def complaints(self) -> list[str]:
        """Return what stood in the console, less what a test provoked."""
        return [line for line in self._complaints if not any(words in line for words in self._excused)]

    def excuse(self, words: str) -> None:
        """Declare that the test provoked what has these words in it."""
        self._excused += (words,)

    @property
    def messages(self) -> Locator:
        """Return every message on show."""
        return self.page.locator("#messages [data-message]")

    def saying(self, text: str | re.Pattern[str]) -> Locator:
        """Return the messages in which something stands."""
        return self.messages.filter(has_text=text)

    def spoken_by(self, name: str) -> Locator:
        """Return the messages that begin a group of one author's."""
        return self.messages.filter(has=self.page.locator(".author", has_text=re.compile(f"^{re.escape(name)}$")))

    async def open(self, channel: Channel) -> None:
        """Go to a channel, and wait until its history is there."""
        await self.page.locator(f'#channels [data-channel="{channel.id}"]').click()
        await expect(self.page.locator("#channel-name")).to_contain_text(channel.name)
        if channel.last_message is not None:
            await expect(self.page.locator(f'[data-message="{channel.last_message.id}"]')).to_be_attached()

    async def become(self, person: Person) -> None:
        """Be somebody else."""
        await self.page.locator("#person").click()
        await self.page.get_by_role("menuitem", name=person.shown_name).click()
        await expect(self.page.locator("#person")).to_contain_text(person.shown_name)

    async def say(self, text: str) -> None:
        """Write a message and send it."""
        box = self.page.locator("#composer-input")
        await box.fill(text)
        await box.press("Enter")
        await expect(self.saying(text).last).to_be_visible()

    async def replied(self) -> Locator:
        """Wait until what was said last is answered whole, and return the answer: buttons come with its last words."""
        await expect(self.messages.last.get_by_role("button", name="★ Rate")).to_be_visible()
        return self.messages.last

    async def begin_command(self, words: str) -> None:
        """Type a command and choose it from the list."""
        box = self.page.locator("#composer-input")
        await box.click()
        await box.press_sequentially(f"/{words}")
        await expect(self.page.locator("#suggestions").get_by_role("option").first).to_contain_text(words)
        await box.press("Enter")
        await expect(self.page.locator("#command-line")).to_be_visible()

    def option(self, name: str) -> Locator:
        """Return the field of a command's option."""
        return self.page.locator(f'#command-line [data-option="{name}"]')

    async def command(self, words: str, **options: str) -> None:
        """Type a command, fill in its options as they are, and send it."""
        await self.begin_command(words)
        for name, value in options.items():
            field = self.option(name)
            if not await field.count():
                await self.page.locator("#command-more").press_sequentially(name)
                await self.page.keyboard.press("Enter")
            await field.fill(value)
            await self._choose_or_leave(field)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("#command-line")).to_be_hidden()

    async def _choose_or_leave(self, field: Locator) -> None:
        """Take what is offered first; where nothing is to be chosen from, what was typed stands."""
        offered = self.page.locator("#suggestions").get_by_role("option")
        if await field.get_attribute("data-offers") is not None:
            await expect(offered.first).to_be_visible()
        if await offered.count():
            await field.press("Tab")

    async def use(self, character: str) -> None:
        """Let a character into the open channel."""
        await self.command("character use", character=character)

    async def press(self, label: str) -> None:
        """Press the newest button of a name."""
        await self.page.locator("#messages").get_by_role("button", name=label).last.click()

    def form(self) -> Locator:
        """Return the open form."""
        return self.page.get_by_role("dialog")

    async def choose(self, field: str, label: str) -> None:
        """Choose an option of a menu in the open form."""
        await self.form().get_by_role("button", name=re.compile(f"^{re.escape(field)}")).click()
        await self.page.get_by_role("listbox").get_by_role("option", name=label).click()

    async def lever(self, name: str, fault: str | None = None) -> None:
        """Pull a lever of the side panel."""
        await self.look_beneath("Levers")
        chosen = f'[data-lever="{name}"]' + ("" if fault is None else f'[data-fault="{fault}"]')
        await self.page.locator(f"#panel {chosen}").click()

    async def look_beneath(self, tab: str) -> Locator:
        """Open a tab of the side panel, and return the panel."""
        panel = self.page.locator("#panel")
        if not await panel.is_visible():
            await self.page.locator("#toggle-panel").click()
        await self.page.get_by_role("tab", name=tab).click()
        return panel

    async def settled_levers(self, condition: Callable[[], bool]) -> None:
        """Wait until the stand-ins are as a lever was set."""
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while not condition():
                await frames(self.page, 1)

    async def scroll_top(self) -> float:
        """Return how far the messages are scrolled, in pixels."""
        return await self.page.locator("#scroller").evaluate("node => node.scrollTop")

    async def answered(self, text: str | re.Pattern[str]) -> Locator:
        """Wait until something is said, and return its message."""
        message = self.saying(text).last
        await expect(message).to_be_visible()
        return message


async def frames(page: Page, count: int = 2) -> None:
    """Let the page draw."""
    for _ in range(count):
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done(null)))")
