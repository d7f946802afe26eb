"""Two thousand messages in a channel: nothing jumps, nothing flickers, and no task of the page takes long."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.sandbox.discord import Channel
from bot.sandbox.page.opening import OpenDemo
from bot.sandbox.page.scene import fill
from tests.browser.conftest import opened_page
from tests.browser.page import PATIENCE_MS, DemoPage, frames

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY: Final = 2_000
LONGEST_TASK_MS: Final = 100
GREETING: Final = "What are we editing today?"
END: Final = "And so it ends, Ada"
"""Stands in the last words of a long story."""
TRACED: Final = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
LEAST_TASKS: Final = 50
"""So that a trace with nothing in it does not pass."""
ROUNDING_PX: Final = 2
WATCH: Final = """() => {
    window.rebuilt = 0;
    const known = new WeakSet(document.querySelectorAll("#messages [data-message]"));
    new MutationObserver((records) => {
        for (const record of records) for (const node of record.removedNodes) if (known.has(node)) window.rebuilt += 1;
    }).observe(document.querySelector("#messages"), {childList: true, subtree: true});
}"""
"""Counts the old messages that are taken out of the page."""


def page_tasks(traced: list[dict[str, Any]]) -> list[float]:
    """Return the milliseconds of processor time of each task of the page's thread, but for the test's own looks."""
    threads = {
        (each["pid"], each["tid"])
        for each in traced
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    looks = [
        (each["pid"], each["tid"], each["ts"])
        for each in traced
        if "DevTools" in str(each.get("args", {}).get("chrome_mojo_event_info", ""))
    ]
    return [
        task["tdur"] / 1_000
        for task in traced
        if "RunTask" in task["name"] and "tdur" in task and (task["pid"], task["tid"]) in threads
        if not any(
            (pid, tid) == (task["pid"], task["tid"]) and task["ts"] <= at <= task["ts"] + task["dur"]
            for pid, tid, at in looks
        )
    ]


async def no_long_task(page: Page, deed: Callable[[], Awaitable[None]]) -> None:
    """Do something, and see that no task of the page takes long and that no message is drawn anew for it.

    What counts is the processor time of the page's own thread, as Chromium traces it (`tdur`, in microseconds): how
    long a task took by the clock says as much about what else the machine does.
    """
    browser = page.context.browser
    assert browser is not None
    await page.evaluate(WATCH)
    await browser.start_tracing(
        page=page, categories=["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
    )
    try:
        await deed()
        await frames(page, 5)
    finally:
        traced = json.loads(await browser.stop_tracing())["traceEvents"]
    tasks = page_tasks(traced)
    assert len(tasks) > LEAST_TASKS
    assert max(tasks) <= LONGEST_TASK_MS
    assert await page.evaluate("() => window.rebuilt") == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def archive(browser: Browser, demo: OpenDemo) -> Channel:
    """Make a channel in which the guide speaks and people have said much."""
    channel = demo.stage.scene.guild.add_channel("archive")
    async with opened_page(browser, demo) as page:
        await page.open(channel)
        await page.use("helpful-guide")
        await page.answered(GREETING)
    fill(demo.stage.scene, channel, MANY)
    return channel


LOAD: Final = """(many) => {
    document.querySelector("#scroller").scrollTop = 0;
    return document.querySelectorAll("#messages [data-message]").length >= many;
}"""
"""Scrolls up, and tells whether the beginning is there."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loaded(browser: Browser, demo: OpenDemo, archive: Channel) -> AsyncGenerator[DemoPage]:
    """Open the channel and scroll up until its beginning is there."""
    async with opened_page(browser, demo) as page:
        await page.open(archive)
        await page.page.wait_for_function(LOAD, arg=MANY, timeout=PATIENCE_MS)
        yield page


async def test_a_reply_that_streams_moves_nothing_under_the_reader_and_takes_no_long_task(
    loaded: DemoPage, archive: Channel
) -> None:
    await loaded.page.locator("#scroller").evaluate("node => { node.scrollTop = node.scrollHeight / 2; }")
    await frames(loaded.page, 5)
    before = await loaded.scroll_top()
    looked_at = await loaded.page.evaluate(
        "() => document.elementFromPoint(500, 400).closest('[data-message]').dataset.message"
    )
    place = f'() => document.querySelector(`[data-message="{looked_at}"]`).getBoundingClientRect().top'
    top = await loaded.page.evaluate(place)

    async def a_reply_streams() -> None:
        told = await loaded.saying(END).count()
        await loaded.demo.stage.scene.people[0].say(archive, "Tell me a long story with code")
        await expect(loaded.saying(END)).to_have_count(told + 1)

    await no_long_task(loaded.page, a_reply_streams)
    assert await loaded.scroll_top() == before
    assert await loaded.page.evaluate(place) == top


async def test_a_reader_at_the_bottom_stays_there(loaded: DemoPage) -> None:
    await loaded.page.locator("#scroller").evaluate("node => { node.scrollTop = 0; }")
    await loaded.page.locator("#jump-to-present").click()

    async def a_reply_streams() -> None:
        await loaded.say("Tell me another long story")
        await loaded.replied()

    await no_long_task(loaded.page, a_reply_streams)
    left = await loaded.page.locator("#scroller").evaluate(
        "node => node.scrollHeight - node.scrollTop - node.clientHeight"
    )
    assert left <= ROUNDING_PX


async def test_what_was_said_before_is_loaded_without_a_long_task(page: DemoPage, archive: Channel) -> None:
    await page.open(archive)

    async def more_is_loaded() -> None:
        count = await page.messages.count()
        await page.page.locator("#scroller").evaluate("node => { node.scrollTop = 1; }")
        await expect(page.messages).not_to_have_count(count)

    await no_long_task(page.page, more_is_loaded)
