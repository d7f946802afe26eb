"""A browser, the demo, and a page of it in which nothing may be complained of."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright

from bot.sandbox.page.opening import OpenDemo, opened
from bot.sandbox.page.plans import OFFLINE
from tests.browser.page import DemoPage

BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SWITCHES: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Nothing of the machine's is to be reached, and the tests may run as root, whom Chromium's sandbox refuses."""
IDLE_SECONDS: Final = 4
"""How long the bot waits for a word of a NanoGPT that stalls: not long, but longer than a busy machine stumbles."""
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
TOKENS_PER_SECOND: Final = 150.0
"""Fast, but still in pieces."""
NO_BROWSER: Final = "no browser is installed; Debian's package chromium-headless-shell is enough"


def browser_path() -> str | None:
    """Return where the system's browser is."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and skip it plainly where there is none; never where a gate runs."""
    for item in items:
        if item.path.parent.name != "browser":
            continue
        item.add_marker(pytest.mark.browser)
        if browser_path() is None and os.environ.get("CI") != "true":
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Browser]:
    """Start the system's browser."""
    path = browser_path()
    assert path is not None, NO_BROWSER
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncGenerator[OpenDemo]:
    """Open the demo and start its bot; each test keeps to a channel of its own."""
    nanogpt = {**OFFLINE.settings["nanogpt"], "idle_timeout_seconds": IDLE_SECONDS}
    settings = {**OFFLINE.settings, "nanogpt": nanogpt}
    async with opened(plan=replace(OFFLINE, settings=settings, tokens_per_second=TOKENS_PER_SECOND)) as shown:
        await shown.stage.switch.start()
        yield shown


@asynccontextmanager
async def watched_page(context: BrowserContext, demo: OpenDemo) -> AsyncGenerator[DemoPage]:
    """Open the page; at the end there must be nothing in its console that a test has not excused."""
    tab = await context.new_page()
    shown = DemoPage(tab, demo)
    await tab.goto(demo.address)
    await shown.messages.first.wait_for()
    yield shown
    assert shown.complaints == []


@asynccontextmanager
async def opened_page(browser: Browser, demo: OpenDemo) -> AsyncGenerator[DemoPage]:
    """Open the page as somebody whom the browser does not know."""
    context = await browser.new_context(viewport=DESKTOP)
    async with watched_page(context, demo) as shown:
        yield shown
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, demo: OpenDemo) -> AsyncGenerator[DemoPage]:
    """Open a page of a person of one's own."""
    async with opened_page(browser, demo) as shown:
        yield shown
