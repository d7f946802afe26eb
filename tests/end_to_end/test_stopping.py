"""What is left of the bot once it has ended otherwise than by a signal."""

import asyncio
import logging

import pytest

from bot import app
from bot.domain.start_wording import LOGIN_REFUSED
from bot.errors import StartError
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World

AUTHENTICATION_FAILED = 4004
"""The gateway's word to a bot whose token was reset."""


async def test_a_connection_that_ends_for_good_leaves_nothing_running(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene.of(world)
    running = asyncio.create_task(app.run(world.settings(), asyncio.Event()))
    await world.discord.gateway_connected.wait()
    await scene.use()
    async with world.upstream.hold() as held:
        await scene.owner.say(scene.channel, "Tell me")
        await held.release_text("It began on a Tuesday, and it went on. ")
        await scene.until(lambda: len(scene.voices()) == 2, "a preview")
        await world.discord.close_gateway(AUTHENTICATION_FAILED)
        with pytest.raises(StartError, match=LOGIN_REFUSED):
            await running
        await asyncio.sleep(0)
        left = [name for task in asyncio.all_tasks() if (name := task.get_name()).startswith(("worker of", "lane"))]
        assert left == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    async with world.bot():
        await scene.until(lambda: "I was restarted in mid-sentence" in scene.spoken()[-1], "a mark by the next start")
