"""What is edited, deleted, archived or changed while the bot is away, and what simply goes on at its return."""

import pytest

from bot.sandbox.discord import ChannelKind
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World


@pytest.mark.parametrize("thread", [False, True], ids=["in the channel", "in a thread"])
async def test_what_was_deleted_while_the_bot_was_away_is_forgotten_at_its_return(
    world: World,
    thread: bool,  # noqa: FBT001 - a case of the table
) -> None:
    room = Scene.of(world)
    scene = room.thread() if thread else room
    async with world.bot():
        await room.use()
        world.upstream.script("I will keep it to myself.")
        message = await scene.owner.say(scene.channel, "The door code is 1234")
        await scene.shows("I will keep it to myself.")
        reply = await scene.ask("Repeat it", "1234, you said.")
        await scene.settled()
    await scene.owner.delete(message)
    await scene.owner.delete(reply)
    async with world.bot():
        await scene.stored("SELECT 1 FROM post WHERE state = 'deleted'")
        await scene.ask("What was it?", "I do not know.")
    assert "1234" not in str(scene.context())
    assert "user: [Owner] Repeat it" in scene.context()


@pytest.mark.parametrize("kind", [ChannelKind.TEXT, ChannelKind.VOICE])
async def test_a_channel_that_was_emptied_while_the_bot_was_away_is_forgotten_at_its_return(
    world: World, kind: ChannelKind
) -> None:
    scene = Scene.of(world, kind=kind)
    async with world.bot():
        await scene.use()
        await scene.ask("The door code is 1234", "I will keep 1234 to myself.")
        await scene.settled()
    await scene.owner.delete_many(list(scene.channel.messages.values()))
    async with world.bot():
        await scene.stored("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM post WHERE state <> 'deleted')")
        await scene.ask("What was it?", "I do not know.")
    assert "1234" not in str(scene.context())


async def test_what_was_edited_while_the_bot_was_away_and_is_caught_up_with_reads_as_edited(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
    message = await scene.owner.say(scene.channel, "Are yuo there?")
    await scene.owner.edit(message, "Are you there?")
    world.upstream.script("I am back.")
    async with world.bot():
        await scene.shows("I am back.")
    assert scene.context()[-1] == "user: [Owner] Are you there?"


async def test_what_was_edited_after_its_answer_while_the_bot_was_away_reads_so_from_then_on(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.upstream.script("I will keep it to myself.")
        message = await scene.owner.say(scene.channel, "The door code is 1234")
        await scene.shows("I will keep it to myself.")
        await scene.settled()
    (before,) = scene.query("SELECT body FROM claim")
    await scene.owner.edit(message, "The door has a code")
    async with world.bot():
        await scene.stored("SELECT 1 FROM claim WHERE body <> ?", *before)
        await scene.ask("What has it?", "A code.")
    assert scene.context()[1] == "user: [Owner] The door has a code"


async def test_a_binding_and_its_trigger_outlive_a_restart(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use(trigger="mention")
    async with world.bot():
        await scene.owner.say(scene.channel, "Not to you")
        await scene.ask("To you", "To me.", mentions=[world.discord.bot_user])
        assert "answers messages that mention me" in await scene.read(
            await scene.owner.slash(scene.channel, "character current")
        )
    assert len(scene.calls) == 1


async def test_a_thread_goes_on_after_a_restart_and_after_it_was_archived(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        thread = scene.thread()
        await thread.ask("One", "Two.")
        thread.channel.set_archived(archived=True)
    async with world.bot():
        # An archived thread is in no cache; writing in it wakes it.
        await thread.ask("Three", "Four.")
    assert scene.context()[1:] == ["user: [Owner] One", "assistant: Two.", "user: [Owner] Three"]


@pytest.mark.parametrize("kind", [ChannelKind.VOICE, ChannelKind.STAGE])
async def test_the_chat_of_a_voice_channel_is_a_channel_like_any_other(world: World, kind: ChannelKind) -> None:
    scene = Scene.of(world, kind=kind)
    async with world.bot():
        await scene.use()
        reply = await scene.ask("Can you read me?", "Loud and clear.")
        assert reply.webhook is not None
    async with world.bot():
        await scene.ask("Still?", "Still.")
