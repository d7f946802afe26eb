"""The typing sign: shown where it belongs, and never the reason why anything waits."""

import pytest

from bot.sandbox.discord import Fault
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World


async def test_typing_is_shown_while_no_text_comes(world: World) -> None:
    scene = Scene.of(world)
    world.time.haste = 50
    async with world.bot():
        await scene.use()
        async with world.upstream.hold(silent=True) as held:
            await scene.owner.say(scene.channel, "Slow?")
            await held.waiting()
            await scene.until(lambda: bool(scene.requests("POST", "/typing")), "typing")
            await held.finish("Slow.")
        await scene.shows("Slow.")


async def test_typing_in_a_thread_is_shown_in_the_thread(world: World) -> None:
    scene = Scene.of(world)
    world.time.haste = 50
    async with world.bot():
        await scene.use()
        thread = scene.thread()
        async with world.upstream.hold() as held:
            await scene.owner.say(thread.channel, "Slow?")
            await scene.until(lambda: bool(scene.requests("POST", "/typing")), "typing")
            await held.finish("Slow.")
        await thread.shows("Slow.")
    # How often depends on how long the reply was held; where does not.
    assert {typed.ids["channel_id"] for typed in scene.requests("POST", "/typing")} == {str(thread.channel.id)}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="POST", path_pattern="/typing$", status=403, code=50013),
        Fault(method="POST", path_pattern="/typing$", status=429, retry_after=30),
        Fault(method="POST", path_pattern="/typing$", status=500, times=None),
        Fault(method="POST", path_pattern="/typing$", reset=True, times=None),
    ],
    ids=["forbidden", "rate limited", "discord is down", "connection lost"],
)
async def test_typing_that_fails_or_hangs_delays_nothing(world: World, fault: Fault) -> None:
    scene = Scene.of(world)
    world.time.haste = 50
    world.discord.faults.add(fault)
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Slow?")
            await fault.seen.wait()
            await held.finish("Slow.")
        await scene.shows("Slow.")
        await scene.ask("And on?", "And on.")
    assert not scene.marks()
