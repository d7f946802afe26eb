"""The bot as a supervisor sees it: how it starts, how it ends, and with which status."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.__main__ import EXIT_CONFIG, EXIT_FAILED, EXIT_OK
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World

if TYPE_CHECKING:
    from asyncio.subprocess import Process

PATIENCE_SECONDS: Final = 20.0
HELD_STARTS: Final = 10
"""So few left that a start waits for the day's reset."""


@asynccontextmanager
async def bot(world: World, *arguments: str, **changes: str) -> AsyncGenerator["Process"]:
    """Run `python -m bot` for as long as the block lasts; its log is for the tests to read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "bot", *arguments),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **world.environment(**changes)},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: "Process") -> tuple[int | None, str, str]:
    """Wait for the end; return the exit status, and the last lines of what was printed and of the log."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    return process.returncode, _last_line(out), _last_line(err)


async def run(world: World, *arguments: str, **changes: str) -> tuple[int | None, str, str]:
    """Run a command that ends by itself."""
    async with bot(world, *arguments, **changes) as process:
        return await ended(process)


def _last_line(text: bytes) -> str:
    return (text.decode().splitlines() or [""])[-1]


async def connected(world: World) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await world.discord.gateway_connected.wait()


async def test_a_reply_under_way_comes_to_its_end_before_the_bot_does(world: World) -> None:
    scene = Scene.of(world)
    async with bot(world) as process:
        await connected(world)
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Tell me all of it")
            await held.release_text("It began on a Tuesday")
            process.terminate()
            await world.discord.wait_for(
                lambda: any("It began" in message.content for message in scene.channel.messages.values())
            )
            assert process.returncode is None
            await held.finish(", and ended the same day.")
        status, _, _ = await ended(process)
    assert status == EXIT_OK
    assert scene.voices()[-1].content == "It began on a Tuesday, and ended the same day."
    assert not world.discord.gateway_connected.is_set()


async def test_an_idle_bot_ends_in_order(world: World) -> None:
    async with bot(world) as process:
        await connected(world)
        process.terminate()
        assert (await ended(process))[0] == EXIT_OK


async def test_a_bot_whose_standard_input_is_closed_runs_on(world: World) -> None:
    async with bot(world) as process:
        assert process.stdin is not None
        process.stdin.close()
        await connected(world)
        await Scene.of(world).use()
        assert process.returncode is None
        process.terminate()
        assert (await ended(process))[0] == EXIT_OK


async def test_a_bot_that_depends_on_its_standard_input_ends_in_order_when_that_closes(world: World) -> None:
    async with bot(world, "run", "--until-stdin-closes") as process:
        assert process.stdin is not None
        await connected(world)
        process.stdin.write(b"What is written is nothing to it.\n")
        await Scene.of(world).use()
        process.stdin.close()
        assert (await ended(process))[0] == EXIT_OK
    assert not world.discord.gateway_connected.is_set()


async def test_a_second_bot_on_the_same_database_is_refused_with_a_sentence(world: World) -> None:
    async with bot(world) as process:
        await connected(world)
        status, _, line = await run(world)
        assert process.returncode is None
    assert status == EXIT_FAILED
    assert line == f"Another process is using the database {world.folder / 'bot.db'}; stop it first."


async def test_a_start_that_is_held_back_can_be_ended(world: World) -> None:
    world.discord.gateway.session_starts_remaining = HELD_STARTS
    async with bot(world) as process:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"session starts are left" not in await process.stderr.readline():
                pass
        process.terminate()
        assert (await ended(process))[0] == EXIT_OK
    assert world.discord.gateway.identifies == []


async def test_a_token_that_discord_refuses_is_a_wrong_setting(world: World) -> None:
    with world.discord.expect_refusal(status=401):
        status, _, line = await run(world, discord__token="fake-wrong-token")
    assert status == EXIT_CONFIG
    assert line.startswith("Discord refused the token: set discord.token")


async def test_an_intent_that_is_off_is_a_wrong_setting(world: World) -> None:
    world.discord.message_content_enabled = False
    status, _, line = await run(world)
    assert status == EXIT_CONFIG
    assert "switch on the Message Content Intent" in line


async def test_commands_can_be_sent_without_running(world: World) -> None:
    status, line, _ = await run(world, "sync")
    registered = world.discord.world.interactions.commands.of(None)
    assert status == EXIT_OK
    assert registered
    assert line == f"Sent {len(registered)} commands to Discord."
    assert world.discord.gateway.identifies == []
    assert world.upstream.calls == []
    assert not (world.folder / "bot.alive").exists()


async def test_commands_are_sent_once_each_time_that_somebody_asks_for_it(world: World) -> None:
    for times in (1, 2):
        status, line, _ = await run(world, "sync")
        sent = [request for request in world.discord.requests if request.method == "PUT"]
        assert (status, len(sent)) == (EXIT_OK, times)
        assert line == f"Sent {len(sent[-1].json)} commands to Discord."


async def test_a_check_prints_its_findings_and_nothing_else(world: World) -> None:
    world.discord.message_content_enabled = False
    async with bot(world, "check") as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, _ = await process.communicate()
        assert process.returncode == EXIT_FAILED
    lines = out.decode().splitlines()
    assert all(line[:2] in {"✓ ", "✗ ", "? "} for line in lines)
    assert [line for line in lines if line.startswith("✗")] == [
        line for line in lines if "switch on the Message Content Intent" in line
    ]
