"""Two thousand messages in a channel: nothing jumps, nothing flickers, and no task of the page takes long."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.sandbox.discord import Channel
from bot.sandbox.page.opening import OpenDemo
from bot.sandbox.page.scene import fill
from tests.browser.conftest import watched_page
from tests.browser.page import DemoPage, frames

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
    context = await browser.new_context()
    async with watched_page(context, demo) as page:
        await page.open(channel)
        await page.use("helpful-guide")
        await page.answered(GREETING)
    await context.close()
    fill(demo.stage.scene, channel, MANY)
    return channel


async def load_all(page: DemoPage, channel: Channel) -> None:
    """Open the channel and scroll up until its beginning is there."""
    await page.open(channel)
    scroller = page.page.locator("#scroller")
    while await page.messages.count() < MANY:
        before = await page.messages.count()
        await scroller.evaluate("node => { node.scrollTop = 0; }")
        await expect(page.messages).not_to_have_count(before)


async def test_a_reply_that_streams_moves_nothing_under_the_reader_and_takes_no_long_task(
    page: DemoPage, archive: Channel
) -> None:
    await load_all(page, archive)
    await page.page.locator("#scroller").evaluate("node => { node.scrollTop = node.scrollHeight / 2; }")
    await frames(page.page, 5)
    before = await page.scroll_top()
    looked_at = await page.page.evaluate(
        "() => document.elementFromPoint(500, 400).closest('[data-message]').dataset.message"
    )
    place = f'() => document.querySelector(`[data-message="{looked_at}"]`).getBoundingClientRect().top'
    top = await page.page.evaluate(place)

    async def a_reply_streams() -> None:
        told = await page.saying(END).count()
        await page.demo.stage.scene.people[0].say(archive, "Tell me a long story with code")
        await expect(page.saying(END)).to_have_count(told + 1)

    await no_long_task(page.page, a_reply_streams)
    assert await page.scroll_top() == before
    assert await page.page.evaluate(place) == top


async def test_a_reader_at_the_bottom_stays_there(page: DemoPage, archive: Channel) -> None:
    await load_all(page, archive)
    await page.page.locator("#jump-to-present").click()

    async def a_reply_streams() -> None:
        await page.say("Tell me another long story")
        await page.replied()

    await no_long_task(page.page, a_reply_streams)
    left = await page.page.locator("#scroller").evaluate(
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
