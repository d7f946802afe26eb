"""`python -m bot demo` as a whole: it prints its address, and at Ctrl-C nothing of it is left; and the live way."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox.nanogpt.live import DIRECT, WEBSITE, LiveUpstream
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.page.opening import has_display, opened
from tests.sandbox.page.page_client import PageClient, page_at

if TYPE_CHECKING:
    from asyncio.subprocess import Process

ROOT = Path(__file__).parents[3]
REAL_KEY = "sk-nano-fake-payer-0000-4000-8000-00000000"


@asynccontextmanager
async def demo_process(folder: Path, *options: str, **environment: str) -> AsyncGenerator["Process"]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", *options),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def children_of(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]


@asynccontextmanager
async def only_child_of(process: "Process") -> AsyncGenerator[asyncio.Event]:
    """Hand out an event that is set when a process's only child has ended, which it has at the end of the block."""
    (child,) = children_of(process.pid)
    handle = os.pidfd_open(child)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, ended.set)
    try:
        yield ended
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def address_of(process: "Process") -> str:
    assert process.stdout is not None
    async with asyncio.timeout(15):
        line = (await process.stdout.readline()).decode()
    found = re.fullmatch(r"The demo is at (http://127\.0\.0\.1:\d+/[\w-]{32}/)\n", line)
    assert found is not None, line
    return found[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_demo_runs_until_it_is_told_to_stop_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "config.toml").write_text('[discord]\ntoken = "a-real-token"\n', "utf-8")
    poison = {"BOT_DATABASE__URL": "sqlite:////nowhere/real.db", "DISCORD_TOKEN": "real", "NANOGPT_API_KEY": REAL_KEY}
    async with demo_process(tmp_path, "--no-browser", **poison) as process:
        address = await address_of(process)
        async with page_at(address) as page:
            await page.until(lambda: page.of("bot")[-1]["state"] == "up")
            assert page.state["live"] is False
            process.send_signal(number)
            await page.until(lambda: page.closed is not None)
        async with asyncio.timeout(15):
            out, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
        assert out == b"Ctrl-C stops it and deletes all of it.\n"
    assert names_in(tmp_path) == ["config.toml"]
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(address)


@pytest.mark.skipif(sys.platform != "linux", reason="a process that is no child can be waited for on Linux alone")
async def test_the_bot_ends_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    async with demo_process(tmp_path, "--no-browser") as process, page_at(await address_of(process)) as page:
        await page.until(lambda: page.of("bot")[-1]["state"] == "up")
        async with only_child_of(process) as ended:
            process.kill()
            await page.until(lambda: page.closed is not None)
            async with asyncio.timeout(60):
                await ended.wait()
    (folder,) = names_in(tmp_path)
    assert "Stopping: letting replies under way come to their end" in (tmp_path / folder / "bot.log").read_text("utf-8")


async def test_a_browser_is_opened_on_the_address_that_is_printed(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/seen\nkill -TERM $PPID\n', "utf-8")
    browser.chmod(0o700)
    async with demo_process(tmp_path, BROWSER=f"{browser} %s", DISPLAY=":99") as process:
        address = await address_of(process)
        async with asyncio.timeout(15):
            await process.wait()
        assert process.returncode == 0
    assert (tmp_path / "seen").read_text("utf-8") == f"{address}\n"


async def test_a_browser_that_stays_open_does_not_hold_the_end_up(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\necho $$\nexec tail -f /dev/null > /dev/null 2>&1\n", "utf-8")
    browser.chmod(0o700)
    async with demo_process(tmp_path, BROWSER=f"{browser} %s", DISPLAY=":99") as process:
        await address_of(process)
        assert process.stdout is not None
        async with asyncio.timeout(15):
            assert await process.stdout.readline() == b"Ctrl-C stops it and deletes all of it.\n"
            window = int(await process.stdout.readline())
        try:
            process.terminate()
            async with asyncio.timeout(15):
                assert await process.wait() == 0
            # Signal 0 only asks whether there is such a process.
            os.kill(window, 0)
        finally:
            os.kill(window, signal.SIGKILL)


async def use(page: PageClient, character: str) -> None:
    place = page.channel("writing-room")
    await page.ask("command", channel=place, name="character use", options={"character": character})


async def test_a_live_demo_talks_with_real_characters_and_keeps_its_reports_to_itself() -> None:
    async with NanoGptSandbox() as real:
        key = real.catalog.add_account("payer").key
        real.catalog.update("helpful-guide", first_message="The real one.")
        real.script("This is what a model would say.", times=2)
        async with (
            opened(live=LiveUpstream(key, website=real.base_url, direct=real.responses_url)) as shown,
            page_at(shown.address) as page,
        ):
            assert any(note.startswith("The accounts to link are made up") for note in page.state["notes"])
            accounts = [account["id"] for account in page.state["desk"]["accounts"]]
            assert accounts == ["ada-inkwell", "cleo-inkwell", "ben-inkwell"]
            await page.ask("lever", name="start_bot")
            await page.until(lambda: page.state["commands"])
            await use(page, "helpful-guide")
            assert await page.message(lambda each: each["content"] == "The real one.")
            place = page.channel("writing-room")
            await page.ask("say", channel=place, text="Hello!")
            reply = await page.message(lambda each: each["content"] == "This is what a model would say.")
            await page.ask("lever", name="fault", fault="503")
            await page.ask("say", channel=place, text="And again?")
            assert await page.panel("upstream", lambda entry: entry["status"] == 503)
            await page.message(lambda each: int(each["id"]) > int(reply["id"]) and each["content"] == reply["content"])
            assert {call.account for call in real.response_calls} == {"payer"}

            done = await page.until(lambda: page.messages[reply["id"]])
            assert done["author"]["name"] == "Helpful Guide"
            newest = await page.message(lambda each: int(each["id"]) > int(reply["id"]) and each["components"])
            report = next(
                part["custom_id"]
                for row in newest["components"]
                for part in row["components"]
                if "Report" in part["label"]
            )
            form = (await page.ask("click", message=newest["id"], custom_id=report))["result"]["modal"]
            await page.ask("submit", form=form["form"], values={"reason": "other", "details": "Only trying it out."})
            near = shown.stage.demo.nanogpt
            await near.wait_for(lambda: len(near.reports) == 1)
            assert real.reports == []
            await page.panel("upstream", lambda entry: entry["path"].endswith("/report") and entry["status"] == 201)
            folder = shown.stage.demo.bot.log_file.parent
            kept = "".join(file.read_text("utf-8", errors="replace") for file in folder.iterdir())
            assert key not in kept + "".join(page.raw)
        assert real.complaints == []


def test_the_real_nanogpt_is_asked_where_its_pages_say() -> None:
    assert (WEBSITE, DIRECT) == ("https://nano-gpt.com/api/v1", "https://api.nano-gpt.com/api/v1")


@pytest.mark.parametrize(
    ("environment", "platform", "there"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
    ],
)
def test_a_browser_is_opened_where_there_is_a_display(
    environment: dict[str, str], platform: str, *, there: bool
) -> None:
    assert has_display(environment, platform) is there
