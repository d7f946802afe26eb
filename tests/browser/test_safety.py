"""What a page from elsewhere can do to the demo, and what a message can do to the page: nothing."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, expect

from tests.browser.page import DemoPage, frames

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKUP = [
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "<b>bold?</b> &amp; <a href='javascript:alert(1)'>click</a>",
    "[a link](javascript:alert(1))",
    "```html\n<script>document.title = 'taken'</script>\n```",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def elsewhere() -> AsyncGenerator[str]:
    """Serve an empty page from another origin."""

    async def empty(_: web.Request) -> web.Response:
        return web.Response(text="<title>elsewhere</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", empty)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.mark.parametrize("markup", MARKUP)
async def test_markup_and_script_in_a_message_show_as_text(page: DemoPage, markup: str) -> None:
    await page.open(page.demo.stage.scene.guild.add_channel("markup"))
    title = await page.page.title()
    posted = page.messages.last
    box = page.page.locator("#composer-input")
    await box.fill(markup)
    await box.press("Enter")
    await expect(posted).to_be_visible()
    shown = markup.removeprefix("```html\n").removesuffix("\n```")
    visible = posted.locator(".content")
    if shown.startswith("["):
        await expect(visible).to_contain_text("javascript:alert(1)")
    else:
        await expect(visible).to_contain_text(shown)
    await frames(page.page)
    assert await page.page.title() == title
    assert await posted.locator("script, img, b, a[href^='javascript']").count() == 0


async def test_a_page_from_another_origin_can_neither_read_nor_drive_the_demo(
    browser: Browser, page: DemoPage, elsewhere: str
) -> None:
    context = await browser.new_context()
    stranger = await context.new_page()
    await stranger.goto(elsewhere)
    address = page.demo.address
    socket = address.replace("http://", "ws://") + "socket"
    read = await stranger.evaluate("(address) => fetch(address).then((r) => r.text(), () => 'refused')", address)
    assert read == "refused"
    opened = await stranger.evaluate(
        """(address) => new Promise((done) => {
            const socket = new WebSocket(address);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })""",
        socket,
    )
    assert opened == "refused"
    await stranger.evaluate(
        """(address) => {
            const frame = document.createElement("iframe");
            frame.src = address;
            document.body.append(frame);
        }""",
        address,
    )
    await stranger.wait_for_load_state("networkidle")
    framed = next(frame for frame in stranger.frames if frame is not stranger.main_frame)
    assert await framed.locator("#messages").count() == 0
    await context.close()


async def test_the_page_asks_nobody_else_for_anything(browser: Browser, page: DemoPage) -> None:
    context = await browser.new_context()
    asked: list[str] = []
    fresh = await context.new_page()
    fresh.on("request", lambda request: asked.append(request.url))
    await fresh.goto(page.demo.address)
    await fresh.locator("#messages [data-message]").first.wait_for()
    assert asked
    assert all(url.startswith(page.demo.address) for url in asked)
    await context.close()


async def test_the_page_runs_nothing_but_its_own_files(page: DemoPage) -> None:
    refused = await page.page.evaluate(
        """() => new Promise((done) => {
            const told = (event) => done(event.effectiveDirective);
            document.addEventListener("securitypolicyviolation", told, {once: true});
            const script = document.createElement("script");
            script.textContent = "document.title = 'taken'";
            document.body.append(script);
        })"""
    )
    assert refused.startswith("script-src")
    assert await page.page.title() != "taken"
    page.excuse("Content Security Policy")
