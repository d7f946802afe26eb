"""What somebody who has just cloned the repository does first."""

import re

import pytest
from playwright.async_api import expect

from bot.sandbox.discord import Channel
from bot.sandbox.page.opening import OpenDemo
from tests.browser.page import DemoPage

pytestmark = pytest.mark.asyncio(loop_scope="module")

GREETING = "What are we editing today?"
GUIDE = "Helpful Guide"


def new_channel(demo: OpenDemo, name: str, *, nsfw: bool = False) -> Channel:
    return demo.stage.scene.guild.add_channel(name, nsfw=nsfw)


async def used(page: DemoPage, name: str) -> Channel:
    """Go to a channel of one's own in which the guide has greeted."""
    channel = new_channel(page.demo, name)
    await page.open(channel)
    await page.use("helpful-guide")
    await page.answered(GREETING)
    return channel


async def test_a_character_is_found_looked_at_and_let_in(page: DemoPage) -> None:
    await page.open(new_channel(page.demo, "finding"))
    await page.begin_command("character search")
    await page.page.locator("#command-more").press_sequentially("query")
    await page.page.keyboard.press("Enter")
    await page.option("query").fill("writing")
    await page.page.keyboard.press("Enter")
    result = await page.answered("Margin Witch")
    await expect(result).to_contain_text("Only you can see this")
    await expect(result).not_to_contain_text("Night Bard")

    await page.begin_command("character show")
    await page.option("character").press_sequentially("helpf", delay=30)
    offered = page.page.locator("#suggestions").get_by_role("option")
    await expect(offered.first).to_contain_text(GUIDE)
    await page.page.keyboard.press("Enter")
    await page.page.keyboard.press("Enter")
    profile = page.messages.filter(has=page.page.get_by_role("button", name="Use here"))
    await expect(profile).to_contain_text(GREETING)
    await profile.get_by_role("button", name="Use here").click()
    await expect(page.spoken_by(GUIDE)).to_contain_text(GREETING)
    await expect(page.spoken_by(GUIDE).locator(".app-tag")).to_have_text("APP")


async def test_a_long_answer_comes_whole_and_its_code_is_shown_as_code(page: DemoPage) -> None:
    await used(page, "streaming")
    await page.say("Could you write a small Python function?")
    answer = await page.replied()
    await expect(answer.locator("pre code")).to_contain_text("def ")
    await page.say("Please tell me a long story with code")
    await expect(await page.replied()).to_contain_text("And so it ends, Ada")
    assert await page.messages.get_by_role("heading").count() > 2
    assert await page.messages.locator("pre code").count() > 1


async def test_an_answer_grows_where_it_stands_while_it_is_streamed(page: DemoPage) -> None:
    channel = await used(page, "growing")
    async with page.demo.stage.demo.nanogpt.hold() as held:
        await page.say("How do I begin?")
        await held.waiting()
        await held.release_text("Begin in the middle. ")
        reply = (await page.answered("Begin in the middle")).locator(".content")
        before = await reply.text_content()
        await held.release_text("Then be quick about it. ")
        await expect(reply).to_contain_text("Then be quick about it.")
        assert before is not None
        assert "quick" not in before
        await held.finish("That is all.")
    await expect(await page.replied()).to_contain_text("That is all.")
    assert len([message for message in channel.messages.values() if "Begin in the middle" in message.content]) == 1


async def test_a_character_is_rated_and_reported(page: DemoPage) -> None:
    await used(page, "feedback")
    await page.say("Hello there")
    await page.replied()
    await page.press("★ Rate")
    form = page.form()
    await expect(form).to_contain_text(GUIDE)
    await expect(form).to_contain_text(f"submitted to {page.demo.stage.demo.discord.bot_user.name}.")
    await form.get_by_role("radio", name="★★★★★").check()
    await form.get_by_role("textbox").fill("Found my first sentence for me.")
    await form.get_by_role("button", name="Submit").click()
    await expect(page.saying("★★★★★").last).to_contain_text("Only you can see this")
    await page.press("⚑ Report")
    await page.form().get_by_role("radio", name="Something else").check()
    await page.form().get_by_role("textbox").fill("Only trying it out.")
    await page.form().get_by_role("button", name="Submit").click()
    answer = page.saying("stored").last
    await expect(answer).to_contain_text("Only you can see this")
    nanogpt = page.demo.stage.demo.nanogpt
    await nanogpt.wait_for(lambda: bool(nanogpt.reports))
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(page.saying("stored")).to_have_count(0)


async def test_the_talk_goes_on_after_a_restart_by_the_lever(page: DemoPage) -> None:
    await used(page, "restarting")
    await page.say("My deadline is Friday at noon.")
    await page.replied()
    await page.lever("kill_bot")
    await expect(page.page.locator("#bot-state")).to_contain_text(re.compile("offline", re.IGNORECASE))
    await page.say("Are you still there?")
    await page.lever("start_bot")
    await expect(page.page.locator("#bot-state")).to_contain_text(re.compile("online", re.IGNORECASE))
    await page.replied()
    await page.say("What is my deadline?")
    await page.answered("You told me, Ada: Friday at noon")
    await page.press("★ Rate")
    await expect(page.form()).to_contain_text(GUIDE)
    await page.page.keyboard.press("Escape")
    await expect(page.form()).to_have_count(0)


async def test_a_command_for_staff_is_refused_to_a_member(page: DemoPage) -> None:
    await page.become(page.demo.stage.scene.people[2])
    await page.open(new_channel(page.demo, "staff-only"))
    await page.use("helpful-guide")
    refusal = page.saying("Manage Channels").last
    await expect(refusal).to_contain_text("Only you can see this")
    await expect(page.spoken_by(GUIDE)).to_have_count(0)


async def test_a_strong_character_is_let_in_only_where_the_channel_is_age_restricted(page: DemoPage) -> None:
    await page.open(new_channel(page.demo, "by-day"))
    await page.command("character use", character="night-bard")
    refusal = await page.answered("content rating is above what this channel may show")
    await expect(refusal).to_contain_text("Only you can see this")
    await expect(page.spoken_by("Night Bard")).to_have_count(0)
    await page.open(new_channel(page.demo, "by-night", nsfw=True))
    await page.use("night-bard")
    await expect(page.spoken_by("Night Bard")).to_contain_text("Shall I sing the other verses?")


async def test_one_speaks_edits_replies_and_deletes_as_on_discord(page: DemoPage) -> None:
    await page.open(new_channel(page.demo, "talking"))
    await page.say("Frist words")
    await page.page.locator("#composer-input").press("ArrowUp")
    edited = page.page.get_by_label("Edit message")
    await edited.fill("First words")
    await edited.press("Enter")
    message = page.saying("First words")
    await expect(message).to_contain_text("(edited)")
    await message.hover()
    await page.page.get_by_role("button", name="Reply").click()
    await page.say("A reply to them")
    await expect(page.saying("A reply to them").locator(".reply-line")).to_contain_text("First words")
    await page.saying("First words").first.click(button="right")
    await page.page.get_by_role("menuitem", name="Delete Message").click()
    await page.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.saying("A reply to them")).to_contain_text("Original message was deleted")


async def test_why_silent_is_answered_from_a_messages_menu(page: DemoPage) -> None:
    await page.open(new_channel(page.demo, "silence"))
    await page.say("Is anybody here?")
    await page.saying("Is anybody here?").first.click(button="right")
    await page.page.get_by_role("menuitem", name="Apps").click()
    await page.page.get_by_role("menuitem", name="Why silent?").click()
    answer = await page.answered("No character speaks in this channel")
    await expect(answer).to_contain_text("Only you can see this")
