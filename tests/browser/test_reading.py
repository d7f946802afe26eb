"""Any width, light and dark, and by keyboard alone."""

from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from bot.sandbox.page.opening import OpenDemo
from tests.browser.conftest import watched_page
from tests.browser.page import DemoPage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE: Final = {"width": 360, "height": 740}
MOST_TABS: Final = 40
"""More than there is to be reached on a phone's screen."""
GREETING: Final = "What are we editing today?"
LEAST_CONTRAST: Final = 4.5
"""Of text on its background (https://www.w3.org/TR/WCAG22/#contrast-minimum)."""
GROUND: Final = "getComputedStyle(document.querySelector('#main')).backgroundColor"
CONTRAST: Final = """(node) => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => numbers(colour).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    let ground = node;
    while (ground && (numbers(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
    const [a, b] = [light(getComputedStyle(node).color), light(getComputedStyle(ground).backgroundColor)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


async def on_a_phone(browser: Browser) -> BrowserContext:
    return await browser.new_context(viewport={"width": PHONE["width"], "height": PHONE["height"]}, has_touch=True)


async def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, demo: OpenDemo) -> None:
    context = await on_a_phone(browser)
    channel = demo.stage.scene.guild.add_channel("narrow")
    async with watched_page(context, demo) as page:
        await page.page.locator("#open-sidebar").click()
        await page.open(channel)
        await page.use("helpful-guide")
        await page.answered(GREETING)
        await page.say("Could you write a small Python function?")
        await page.replied()
        wide = await page.page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= PHONE["width"]
        box = await page.page.locator("#composer-input").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"]
        await page.page.locator("#toggle-panel").click()
        await expect(page.page.locator("#panel")).to_be_in_viewport()
        await page.page.locator("#close-panel").click()
        await expect(page.page.locator("#panel")).not_to_be_visible()
    await context.close()


@pytest.mark.parametrize("way", ["button", "Escape"])
@pytest.mark.parametrize("drawer", ["panel", "sidebar"])
async def test_on_a_phone_what_covers_the_conversation_takes_the_focus_and_gives_it_back(
    browser: Browser, demo: OpenDemo, drawer: str, way: str
) -> None:
    context = await on_a_phone(browser)
    async with watched_page(context, demo) as page:
        beneath, opener = page.page.locator("#main"), page.page.locator(f"#main [aria-controls={drawer}]")
        await opener.click()
        await expect(page.page.locator(f"#{drawer} :focus")).to_be_attached()
        await expect(beneath).to_have_js_property("inert", value=True)
        assert not await reaches(page, "#main")
        if way == "button":
            await page.page.locator(f"#close-{drawer}").click()
        else:
            await page.page.locator(f"#close-{drawer}").press(way)
        await expect(opener).to_be_focused()
        await expect(beneath).to_have_js_property("inert", value=False)
        await expect(page.page.locator(f"#{drawer}")).not_to_be_in_viewport()
        assert await reaches(page, "#main")
    await context.close()


async def test_what_the_panel_covers_can_be_used_again_once_there_is_room_beside_it(
    browser: Browser, demo: OpenDemo
) -> None:
    context = await on_a_phone(browser)
    async with watched_page(context, demo) as page:
        beneath = page.page.locator("#main")
        await page.page.locator("#toggle-panel").click()
        for width, covered in ((1280, False), (PHONE["width"], True)):
            await page.page.set_viewport_size({"width": width, "height": PHONE["height"]})
            await expect(beneath).to_have_js_property("inert", value=covered)
            await expect(page.page.locator("#panel")).to_be_visible()
    await context.close()


async def reaches(page: DemoPage, place: str) -> bool:
    """Tell whether the Tab key leads from where the focus is into a part of the page."""
    for _ in range(MOST_TABS):
        await page.page.keyboard.press("Tab")
        if await page.page.evaluate(f"() => document.querySelector('{place}').contains(document.activeElement)"):
            return True
    return False


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_can_be_read_in_both_schemes(browser: Browser, demo: OpenDemo, scheme: str) -> None:
    context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    async with watched_page(context, demo) as page:
        dark = await page.page.evaluate(f"() => {GROUND}.match(/[0-9]+/g).map(Number)[0] < 128")
        assert dark is (scheme == "dark")
        for place in (".author", ".content", ".at", "#channel-topic", ".channel-name", "#demo-words"):
            ratio = await page.page.locator(place).first.evaluate(CONTRAST)
            assert ratio >= LEAST_CONTRAST, place
    await context.close()


async def test_the_colours_can_be_chosen(page: DemoPage) -> None:
    before = await page.page.evaluate(f"() => {GROUND}")
    await page.page.locator("#theme").click()
    await expect(page.page.locator("#main")).not_to_have_css("background-color", before)


async def test_a_character_is_used_rated_and_a_member_chosen_by_keyboard_alone(page: DemoPage) -> None:
    await page.open(page.demo.stage.scene.guild.add_channel("keys"))
    keys = page.page.keyboard
    await page.page.locator("#composer-input").focus()
    await page.use("helpful-guide")
    await page.answered(GREETING)
    await page.page.locator("#composer-input").focus()
    rate = page.page.get_by_role("button", name="★ Rate")
    for _ in range(40):
        if await rate.evaluate("node => node === document.activeElement"):
            break
        await keys.press("Shift+Tab")
    await expect(rate).to_be_focused()
    await keys.press("Enter")
    await expect(page.form()).to_be_visible()
    await page.form().get_by_role("radio", name="★★★★★").focus()
    await keys.press("Space")
    await page.form().get_by_role("button", name="Submit").focus()
    await keys.press("Enter")
    await page.answered("★★★★★")
    await page.page.locator("#person").focus()
    await keys.press("Enter")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(page.page.locator("#person")).to_contain_text("Cleo")
