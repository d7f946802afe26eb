"""A character that its author withdraws while it is in use."""

import pytest

from bot.sandbox.nanogpt.faults import Fault
from tests.end_to_end.scene import GUIDE, Scene, labels
from tests.end_to_end.world import World


@pytest.mark.parametrize("fault", [Fault.CHARACTER_FORBIDDEN, Fault.CHARACTER_MISSING])
async def test_a_character_that_was_withdrawn_says_so_and_then_rests(world: World, fault: Fault) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.upstream.catalog.withdraw(GUIDE)
        world.upstream.faults.next(fault)
        await scene.owner.say(scene.channel, "Still there?")
        mark = await scene.marked("This character is no longer available")
        assert labels(mark) == []
        asked = await scene.owner.say(scene.channel, "Hello?")
        await scene.marked("no longer available", count=2)
        assert "paused" in await scene.why(asked)
    assert len(scene.calls) == 1


async def test_a_withdrawn_character_is_noticed_at_the_call_even_without_a_fault(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.upstream.catalog.withdraw(GUIDE)
        await scene.owner.say(scene.channel, "Still there?")
        await scene.marked("This character is no longer available")
