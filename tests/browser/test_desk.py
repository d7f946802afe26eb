"""Accounts of one's own, the author's desk, NanoGPT's desk beside it, and direct messages."""

import json
import re
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from playwright.async_api import Locator, expect

from bot.sandbox.discord import Person, posting
from bot.sandbox.discord.posting import Draft
from tests.browser.page import DemoPage

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESK: Final = "NanoGPT desk"
CARD: Final = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        "name": "Lamp Keeper",
        "description": "Keeps a lighthouse, and writes down every ship.",
        "personality": "Patient.",
        "scenario": "",
        "first_mes": "You are late, and wet. Come in.",
        "mes_example": "",
        "tags": ["sea"],
        "extensions": {"lamp": {"turns": 7}},
    },
}


async def settle_in(page: DemoPage, person: Person, name: str) -> None:
    """Be somebody, in a channel of the test's own."""
    scene = page.demo.stage.scene
    if person is not scene.people[0]:
        await page.become(person)
    await page.open(scene.guild.add_channel(name))


async def link(page: DemoPage, person: Person, account: str) -> None:
    """Let somebody have linked an account, without a look at how; once is enough."""
    stage = page.demo.stage
    result = await person.slash(stage.scene.channel("general"), "account link")
    message = await result.final_message()
    code = re.search(r"\?code=([\w-]+)", message.content)
    if code is None:
        assert "have linked a NanoGPT account already" in message.content
        return
    stage.demo.nanogpt.logins.approve(code[1], account)
    await stage.demo.discord.wait_for(lambda: "is linked" in result.text)


def field(page: DemoPage, name: str) -> Locator:
    """Return a field of the open form, by what the bot calls it."""
    return page.form().locator(f'[data-field="{name}"]')


async def write(page: DemoPage, **texts: str) -> None:
    """Fill texts into the open form."""
    for name, text in texts.items():
        await field(page, name).locator("input, textarea").fill(text)


async def submit(page: DemoPage) -> None:
    """Send the open form."""
    await page.form().get_by_role("button", name="Submit").click()
    await expect(page.form()).to_have_count(0)


async def rate(page: DemoPage, stars: str, text: str) -> Locator:
    """Rate the guide, and return the answer."""
    await page.command("character rate", character="helpful-guide")
    await page.form().get_by_role("radio", name=stars).check()
    await page.form().get_by_role("textbox").fill(text)
    await submit(page)
    return page.saying("your rating is saved").last


async def import_card(page: DemoPage, name: str, content: bytes) -> Locator:
    """Import a card file, and return the panel over its draft."""
    await page.begin_command("character import")
    file: Any = {"name": name, "mimeType": "application/json", "buffer": content}
    await page.option("file").set_input_files(file)
    await expect(page.page.locator("#command-line .pill-file")).to_have_text(f"{name} ({len(content)} bytes)")
    await page.page.keyboard.press("Enter")
    return await page.answered("From a file")


async def choose_rating(page: DemoPage, panel: Locator) -> None:
    """Say that what a draft holds is safe."""
    await panel.get_by_role("button", name="Tags and rating").click()
    await page.form().get_by_role("radio", name="sfw", exact=True).check()
    await submit(page)


def saved(file: Path) -> bytes:
    """Return what was downloaded."""
    return file.read_bytes()


async def test_an_account_is_linked_on_its_page_of_approval_and_reviews_under_its_own_name(page: DemoPage) -> None:
    await settle_in(page, page.demo.stage.scene.people[0], "linking")
    await page.begin_command("account link")
    await page.page.keyboard.press("Enter")
    invitation = await page.answered("This links a NanoGPT account to Ada")
    async with page.page.context.expect_page() as opening:
        await invitation.get_by_role("link", name="/cli-login/verify?code=").click()
    approval = await opening.value
    await expect(approval.get_by_role("banner")).to_contain_text("A stand-in for NanoGPT's website")
    code = await approval.locator(".code").inner_text()
    await expect(invitation).to_contain_text(code)
    await approval.get_by_role("radio", name="ada-inkwell").check()
    await approval.get_by_role("button", name="Approve").click()
    await expect(approval.get_by_role("heading")).to_have_text("Approved")
    await expect(approval.locator("article")).to_contain_text("gets a key to ada-inkwell, once")
    await approval.goto(approval.url)
    await expect(approval.get_by_role("heading")).to_have_text("Used already")
    await approval.close()
    await page.answered("Your NanoGPT account is linked")

    await expect(await rate(page, "★★★★★", "Found my first sentence for me.")).to_contain_text("as your own review")
    desk = await page.look_beneath(DESK)
    review = desk.locator('[data-review="helpful-guide"]', has_text="by ada-inkwell")
    await expect(review).to_contain_text("Found my first sentence for me.")
    await expect(review.get_by_role("img", name="5 of 5 stars")).to_be_visible()


async def test_an_account_below_a_dollar_is_refused_in_words_until_it_holds_more(page: DemoPage) -> None:
    ben = page.demo.stage.scene.people[2]
    await link(page, ben, "ben-inkwell")
    await settle_in(page, ben, "below-a-dollar")
    answer = await rate(page, "★★☆☆☆", "Too concise for me.")
    await expect(answer).to_contain_text("an active subscription or more than 1 USD in balance")
    desk = await page.look_beneath(DESK)
    account = desk.locator('[data-account="ben-inkwell"].desk-card')
    await expect(account).to_contain_text("may not review")
    await expect(desk.locator("[data-review]", has_text="by ben-inkwell")).to_have_count(0)
    await account.get_by_label("Dollars").fill("2.50")
    await account.get_by_role("button", name="Set").click()
    await expect(account).to_contain_text("$2.50, no subscription")
    await answer.get_by_role("button", name="Publish").click()
    await expect(desk.locator("[data-review]", has_text="by ben-inkwell")).to_contain_text("Too concise for me.")


async def test_a_character_is_made_submitted_approved_and_found_by_somebody_else(page: DemoPage) -> None:
    ada, cleo, _ = page.demo.stage.scene.people
    await link(page, cleo, "cleo-inkwell")
    await settle_in(page, cleo, "making")
    await page.begin_command("character create")
    await page.page.keyboard.press("Enter")
    panel = await page.answered("A draft is kept for an hour")
    await panel.get_by_role("button", name="Texts", exact=True).click()
    await write(page, name="Kettle Oracle", summary="Reads the future in steam.", first_message="It is about to boil.")
    await submit(page)
    await panel.get_by_role("button", name="Prompt").click()
    await write(page, system_prompt="You read the future in the steam of a kettle.")
    await submit(page)
    await panel.get_by_role("button", name="Tags and rating").click()
    await page.form().get_by_role("radio", name="sfw", exact=True).check()
    await submit(page)
    await panel.get_by_role("button", name="Who can see it").click()
    await page.form().get_by_role("radio", name="Public").check()
    await field(page, "allow_api").get_by_role("checkbox").check()
    await submit(page)
    await panel.get_by_role("button", name="Save").click()
    await page.answered("is made")

    desk = await page.look_beneath(DESK)
    waiting = desk.locator("[data-character].desk-card", has_text="Kettle Oracle")
    await expect(waiting).to_contain_text("by cleo-inkwell")
    await waiting.get_by_role("button", name="Approve").click()
    await expect(waiting).to_have_count(0)
    await page.become(ada)
    await page.command("character search", query="steam")
    await expect(await page.answered("Kettle Oracle")).to_contain_text("Reads the future in steam.")


async def test_what_is_rejected_has_a_reason_that_its_author_reads(page: DemoPage) -> None:
    cleo = page.demo.stage.scene.people[1]
    await link(page, cleo, "cleo-inkwell")
    nanogpt = page.demo.stage.demo.nanogpt
    made = nanogpt.catalog.get("haiku-clerk")
    nanogpt.catalog.update(made.id, owner="cleo-inkwell")
    await settle_in(page, cleo, "rejecting")
    desk = await page.look_beneath(DESK)
    waiting = desk.locator("[data-character].desk-card", has_text="Haiku Clerk")
    await waiting.get_by_label("Reason").fill("Seventeen forms too many.")
    await waiting.get_by_role("button", name="Reject").click()
    await expect(waiting).to_have_count(0)
    await page.begin_command("character mine")
    await page.page.keyboard.press("Enter")
    listed = await page.answered("Haiku Clerk")
    await listed.locator("button.select").click()
    await page.page.get_by_role("option", name="Haiku Clerk").click()
    await page.answered("Seventeen forms too many.")
    assert nanogpt.catalog.get(made.id).moderation_reason == "Seventeen forms too many."


async def test_a_card_file_is_imported_and_given_back_byte_for_byte(page: DemoPage) -> None:
    cleo = page.demo.stage.scene.people[1]
    await link(page, cleo, "cleo-inkwell")
    await settle_in(page, cleo, "card-files")
    original = json.dumps(CARD, indent=1).encode()
    panel = await import_card(page, "my lamp keeper.json", original)
    await choose_rating(page, panel)
    await panel.get_by_role("button", name="Save").click()
    await page.answered("is made")
    await page.command("character export", character="lamp-keeper")
    given = await page.answered("as it was")
    async with page.page.expect_download() as downloading:
        await given.get_by_role("link", name="my lamp keeper.json", exact=True).click()
    download = await downloading.value
    assert download.suggested_filename == "my lamp keeper.json"
    assert saved(await download.path()) == original


async def test_a_file_that_is_too_large_is_not_sent(page: DemoPage, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = page.demo.stage.scene.people[0]
    monkeypatch.setattr(ada, "upload_limit", 20)
    await settle_in(page, ada, "large-files")
    await page.begin_command("character import")
    file: Any = {"name": "card.json", "mimeType": "application/json", "buffer": b"x" * 21}
    await page.option("file").set_input_files(file)
    await expect(page.page.locator("#suggestions")).to_contain_text("Your file is too powerful!")
    await expect(page.page.locator("#command-line .pill-file")).to_have_text("Choose a file")


async def test_a_long_text_is_handed_over_as_a_file_in_a_form(page: DemoPage) -> None:
    cleo = page.demo.stage.scene.people[1]
    await link(page, cleo, "cleo-inkwell")
    await settle_in(page, cleo, "long-texts")
    panel = await import_card(page, "card.json", json.dumps(CARD).encode())
    await choose_rating(page, panel)
    await panel.get_by_role("button", name="Texts as files").click()
    handed = await page.answered("Change them in an editor")
    await handed.get_by_role("button", name="Upload").click()
    file: Any = {"name": "greeting.txt", "mimeType": "text/plain", "buffer": b"Wipe your feet."}
    greeting = field(page, "first_message")
    await greeting.locator("input").set_input_files(file)
    await expect(greeting).to_contain_text("greeting.txt (15 bytes)")
    await submit(page)
    panel = await page.answered("A draft is kept for an hour")
    await panel.get_by_role("button", name="Texts", exact=True).click()
    await expect(field(page, "first_message").locator("textarea")).to_have_value("Wipe your feet.")


async def test_a_role_and_a_channel_are_chosen_in_the_settings_and_taken_back(page: DemoPage) -> None:
    ada = page.demo.stage.scene.people[0]
    await settle_in(page, ada, "settings")
    await page.begin_command("server settings")
    await page.page.keyboard.press("Enter")
    role = page.messages.get_by_role("button", name="A role that may also bind characters")
    await role.click()
    await page.page.get_by_role("option", name="@Moderator").click()
    await expect(role).to_contain_text("Moderator")
    await role.click()
    await page.page.get_by_role("option", name="@Moderator").click()
    await expect(role).to_have_text("A role that may also bind characters: none")
    place = page.messages.get_by_role("button", name="A channel for copies of reports")
    await place.click()
    await expect(page.page.get_by_role("option", name="#Chapter one")).to_have_count(0)
    await page.page.get_by_role("option", name="#general").click()
    await expect(place).to_contain_text("general")


async def test_direct_messages_are_marked_unread_and_can_be_closed_and_opened_again(page: DemoPage) -> None:
    ada = page.demo.stage.scene.people[0]
    await settle_in(page, ada, "writing-to-people")
    discord = page.demo.stage.demo.discord
    await page.page.locator("#person").click()
    await page.page.get_by_role("menuitem", name="Close direct messages").click()
    await expect(page.page.locator("#notice")).to_contain_text("Direct messages are closed")
    assert not ada.takes_direct_messages
    address = f"{discord.api_url}/channels/{ada.open_dm().id}/messages"
    headers = {"Authorization": f"Bot {discord.token}"}
    async with (
        aiohttp.ClientSession() as bot,
        bot.post(address, json={"content": "psst"}, headers=headers) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (403, 50007)
    await expect(page.page.locator("#channels")).not_to_contain_text("Direct messages")

    await page.page.locator("#person").click()
    await page.page.get_by_role("menuitem", name="Allow direct messages").click()
    await expect(page.page.locator("#notice")).to_contain_text("can send you direct messages")
    posting.post(Draft(ada.open_dm(), discord.bot_user, "**Kettle Oracle** is approved."))
    await expect(page.page.locator("#channels")).to_contain_text("Direct messages")
    talk = page.page.locator(f'#channels [data-channel="{ada.open_dm().id}"]')
    await expect(talk).to_contain_text("(unread)")
    await talk.click()
    await expect(talk).not_to_contain_text("(unread)")
    await expect(page.saying("Kettle Oracle is approved.")).to_be_visible()
    await expect(page.page.locator("#composer-input")).to_have_attribute("placeholder", "Message @character-bot")
