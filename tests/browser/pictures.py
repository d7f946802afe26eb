"""Take the README's pictures of the demo: `python -m tests.browser.pictures docs`.

The fonts of the machine show in them: Debian's fonts-noto-core, fonts-noto-mono and fonts-noto-color-emoji look good.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from bot.sandbox.page.opening import OpenDemo, opened
from tests.browser.conftest import SWITCHES, browser_path
from tests.browser.page import DemoPage


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at the page."""

    name: str
    scheme: Literal["light", "dark"]
    size: ViewportSize


DESKTOP = ViewportSize(width=1360, height=850)
LOOKS = (
    Look("demo-dark", "dark", DESKTOP),
    Look("demo-phone", "light", ViewportSize(width=390, height=844)),
)


async def talk(page: DemoPage) -> None:
    """Let two people talk with the guide."""
    scene = page.demo.stage.scene
    ada, _, ben = scene.people
    room = scene.channel("writing-room")
    await page.open(room)
    await page.use("helpful-guide")
    await page.answered("What are we editing today?")
    await page.say("My deadline is Friday at noon. How do I begin a letter about the broken heating?")
    await page.replied()
    await ben.say(room, "Hi, I came in late. Who is here with us?")
    await page.answered("Ada and Ben")
    await page.replied()
    await ada.say(room, "Could you write a small Python function for the reminder?")
    await page.answered("def ")
    await page.replied()


async def take(browser: Browser, demo: OpenDemo, look: Look, folder: Path) -> None:
    """Take the picture of a look."""
    context = await browser.new_context(
        viewport=look.size, color_scheme=look.scheme, device_scale_factor=1.5, reduced_motion="reduce"
    )
    page = DemoPage(await context.new_page(), demo)
    await page.page.goto(demo.address)
    await page.messages.first.wait_for()
    room = demo.stage.scene.channel("writing-room")
    if look.size["width"] < DESKTOP["width"]:
        await page.page.locator("#open-sidebar").click()
    await page.open(room)
    await expect(page.saying("def ").last).to_be_visible()
    if look.size == DESKTOP:
        await page.look_beneath("NanoGPT calls")
        await page.page.locator("#panel .upstream summary").last.click()
    await page.page.mouse.move(0, 0)
    await page.page.screenshot(path=folder / f"{look.name}.png")
    await context.close()


async def take_all(folder: Path) -> None:
    """Open the demo, let people talk, and look at it in every way."""
    async with opened() as demo, async_playwright() as playwright:
        await demo.stage.switch.start()
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=SWITCHES)
        context = await browser.new_context(viewport=DESKTOP)
        page = DemoPage(await context.new_page(), demo)
        await page.page.goto(demo.address)
        await page.messages.first.wait_for()
        await talk(page)
        await context.close()
        for look in LOOKS:
            await take(browser, demo, look, folder)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take the README's pictures of the demo.")
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args().folder
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(chosen))
