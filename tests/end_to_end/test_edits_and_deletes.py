"""What is edited or deleted on Discord is so in the character's memory."""

import pytest

from bot.sandbox.discord import Permission
from tests.end_to_end.scene import GREETING, Scene
from tests.end_to_end.world import World


async def test_an_answered_message_that_is_edited_reads_so_from_then_on(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.upstream.script("Noted.")
        message = await scene.owner.say(scene.channel, "My cat is called Tom")
        await scene.shows("Noted.")
        await scene.owner.edit(message, "My cat is called Tim")
        await scene.ask("What is it called?", "Tim.")
    assert scene.context() == [
        f"assistant: {GREETING}",
        "user: [Owner] My cat is called Tim",
        "assistant: Noted.",
        "user: [Owner] What is it called?",
    ]
    assert len(scene.calls) == 2


async def test_a_message_that_is_edited_before_its_turn_is_answered_as_edited(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "First things first")
            await held.waiting()
            message = await scene.owner.say(scene.channel, "Then teh rest")
            await scene.owner.edit(message, "Then the rest")
            world.upstream.script("The rest is easy.")
            await held.finish("First thing done.")
        await scene.shows("The rest is easy.")
    assert scene.context()[-1] == "user: [Owner] Then the rest"


async def test_a_link_that_unfurls_is_no_edit_and_no_second_message(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        message = await scene.owner.say(scene.channel, "Look at https://pages.example/boat now")
        assert message.unfurled
        await scene.ask("Did you?", "I cannot open pages.")
        await scene.settled()
    said = [line for line in scene.context() if line.startswith("user")]
    assert said == ["user: [Owner] Look at https://pages.example/boat now", "user: [Owner] Did you?"]


async def test_a_message_edited_into_a_trigger_is_not_answered_late(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use(trigger="mention")
        message = await scene.owner.say(scene.channel, "Talking to a friend")
        await scene.owner.edit(message, f"{world.discord.bot_user.mention} talking to you")
        await scene.ask("Hello?", "Hello.", mentions=[world.discord.bot_user])
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] Hello?"]


async def test_an_answered_message_that_is_deleted_leaves_the_context(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.upstream.script("I will keep it to myself.")
        message = await scene.owner.say(scene.channel, "The door code is 1234")
        await scene.shows("I will keep it to myself.")
        await scene.owner.delete(message)
        await scene.ask("What did I say?", "I do not know.")
    assert scene.context() == [
        f"assistant: {GREETING}",
        "assistant: I will keep it to myself.",
        "user: [Owner] What did I say?",
    ]


async def test_a_message_that_is_deleted_before_its_turn_is_not_answered(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "First things first")
            await held.waiting()
            message = await scene.owner.say(scene.channel, "Forget that I said this")
            await scene.owner.delete(message)
            await held.finish("First thing done.")
        await scene.shows("First thing done.")
        await scene.ask("Next?", "Next.")
    assert len(scene.calls) == 2
    assert "Forget" not in str(scene.context())


async def test_messages_that_a_moderator_deletes_together_leave_the_context(world: World) -> None:
    scene = Scene.of(world)
    mod = scene.guild.add_member("mod", permissions=Permission.MANAGE_MESSAGES)
    async with world.bot():
        await scene.use()
        first = await scene.owner.say(scene.channel, "Spam and spam")
        reply = await scene.shows((await scene.ask("Eggs and spam", "Please stop.")).content)
        second = next(each for each in scene.channel.messages.values() if each.content == "Eggs and spam")
        await scene.settled()
        await mod.delete_many([first, second, reply])
        await scene.ask("Sorry", "Never mind.")
    assert "spam" not in str(scene.context()).lower()
    assert "Please stop." not in str(scene.context())


async def test_a_reply_that_is_deleted_leaves_the_context(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        reply = await scene.ask("Say something silly", "Bananas are legal advice.")
        await scene.settled()
        await scene.owner.delete(reply)
        await scene.ask("Something wiser?", "Sleep on it.")
    assert scene.context() == [
        f"assistant: {GREETING}",
        "user: [Owner] Say something silly",
        "user: [Owner] Something wiser?",
    ]


async def test_a_greeting_that_is_deleted_leaves_the_context(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        greeting = await scene.use()
        await scene.settled()
        await scene.owner.delete(greeting)
        await scene.ask("Who are you?", "The guide.")
    assert scene.context() == ["user: [Owner] Who are you?"]


async def test_a_reply_that_is_deleted_while_it_is_written_is_not_said_again(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot(relay__preview_interval_seconds="0.1"):
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Tell me")
            await held.release_text("This is the first sentence of it. ")
            await scene.until(lambda: len(scene.voices()) == 2, "a preview")
            await scene.owner.delete(scene.voices()[-1])
            with world.discord.expect_refusal(code=10008):
                await held.finish("And this is the last.")
                await scene.settled()
        await scene.ask("Silence?", "Golden.")
    assert scene.spoken() == [GREETING, "Golden."]
    assert "first sentence" not in str(scene.context())


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
