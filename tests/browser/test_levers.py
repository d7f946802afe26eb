"""What members see when something goes wrong: every lever of the side panel."""

import re

import pytest
from playwright.async_api import expect

from bot.sandbox.page.levers import OFFERED
from tests.browser.page import DemoPage

pytestmark = pytest.mark.asyncio(loop_scope="module")

GREETING = "What are we editing today?"
SEEN = {
    "402": "run out of credit",
    "429-daily": "Today's limit of the AI service is used up",
    "503-down": "The AI service is having trouble",
    "stall-in-text": "cut off: the AI service stopped in mid-sentence",
    "cut": "cut off: the connection to the AI service broke",
}
"""What the people of the channel read, by the fault."""
BELIEVED = {"402", "429-daily"}
"""After these the bot leaves the key alone for a while, unless it is started anew."""
PASSING = {"429": "429", "503": "503", "stall": "stalled"}
"""What mends itself, and what the panel says of it: the bot asks again, and people read an answer."""


SLOWEST, FASTEST = 2, 200
"""Where the slider of the pace ends, in tokens a second."""


async def talking(page: DemoPage, name: str) -> None:
    """Go to a channel of one's own in which the guide has greeted."""
    await page.open(page.demo.stage.scene.guild.add_channel(name))
    await page.use("helpful-guide")
    await page.answered(GREETING)


async def test_every_fault_on_offer_is_tried() -> None:
    assert {fault.name for fault in OFFERED} == {*SEEN, *PASSING}


@pytest.mark.parametrize("fault", SEEN)
async def test_members_read_what_went_wrong_and_can_ask_again(page: DemoPage, fault: str) -> None:
    await talking(page, f"fault-{fault}")
    await page.lever("fault", fault)
    await expect(page.page.locator("#panel .armed[role=status]")).to_contain_text("Armed")
    await page.say("How do I begin a letter?")
    await page.answered(SEEN[fault])
    if fault in BELIEVED:
        await page.lever("kill_bot")
        await page.lever("start_bot")
        await expect(page.page.locator("#bot-state")).to_contain_text(re.compile("online", re.IGNORECASE))
    await page.press("Retry")
    await page.replied()
    await expect(page.saying(SEEN[fault])).to_have_count(0)


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_by_itself_costs_members_only_time(page: DemoPage, fault: str) -> None:
    await talking(page, f"fault-{fault}")
    await page.lever("fault", fault)
    await page.say("How do I begin a letter?")
    await page.replied()
    await expect(page.saying("⚠")).to_have_count(0)
    panel = await page.look_beneath("NanoGPT calls")
    await expect(panel.locator("#page-upstream .upstream").filter(has_text=PASSING[fault]).last).to_be_visible()


async def test_a_dropped_gateway_loses_nothing(page: DemoPage) -> None:
    await talking(page, "dropped")
    await page.lever("drop_gateway")
    await page.say("Did you hear this?")
    await page.replied()
    await expect(await page.look_beneath("Discord traffic")).to_contain_text("RESUME")


async def test_the_panel_tells_what_is_sent_upstream_and_how_the_turn_ends(page: DemoPage) -> None:
    await talking(page, "beneath")
    await page.say("My deadline is Friday at noon.")
    await page.replied()
    panel = await page.look_beneath("NanoGPT calls")
    call = panel.locator(".upstream").filter(has_text="items sent").last
    await call.locator("summary").click()
    await expect(call).to_contain_text("11111111-1111-4111-8111-111111111111")
    await expect(call).to_contain_text(GREETING)
    await expect(call).to_contain_text("[Ada] My deadline is Friday at noon.")
    await expect(await page.look_beneath("Bot log")).to_contain_text(re.compile(r"[Tt]urn \d+"))


async def test_the_replies_come_at_the_pace_that_is_set(page: DemoPage) -> None:
    slider = (await page.look_beneath("Levers")).get_by_role("slider")
    await slider.press("Home")
    await page.settled_levers(lambda: page.demo.stage.demo.nanogpt.pace.tokens_per_second == SLOWEST)
    await slider.press("End")
    await page.settled_levers(lambda: page.demo.stage.demo.nanogpt.pace.tokens_per_second == FASTEST)
