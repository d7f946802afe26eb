"""What is edited or deleted on Discord is so in the character's memory."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from bot.sandbox.discord import Permission
from tests.end_to_end.scene import GREETING, Scene
from tests.end_to_end.world import World

together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(shared_world: World) -> AsyncGenerator[World]:
    """Run one bot for all of these tests, which keep to a server each."""
    async with shared_world.bot(relay__preview_interval_seconds="0.1"):
        yield shared_world


@together
async def test_an_answered_message_that_is_edited_reads_so_from_then_on(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.script("Noted.")
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


@together
async def test_a_message_that_is_edited_before_its_turn_is_answered_as_edited(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    async with running.upstream.hold() as held:
        await scene.owner.say(scene.channel, "First things first")
        await held.waiting()
        message = await scene.owner.say(scene.channel, "Then teh rest")
        await scene.owner.edit(message, "Then the rest")
        running.upstream.script("The rest is easy.")
        await held.finish("First thing done.")
    await scene.shows("The rest is easy.")
    assert scene.context()[-1] == "user: [Owner] Then the rest"


@together
async def test_a_link_that_unfurls_is_no_edit_and_no_second_message(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    message = await scene.owner.say(scene.channel, "Look at https://pages.example/boat now")
    assert message.unfurled
    await scene.ask("Did you?", "I cannot open pages.")
    await scene.settled()
    said = [line for line in scene.context() if line.startswith("user")]
    assert said == ["user: [Owner] Look at https://pages.example/boat now", "user: [Owner] Did you?"]


@together
async def test_a_message_edited_into_a_trigger_is_not_answered_late(running: World) -> None:
    scene = Scene.of(running)
    await scene.use(trigger="mention")
    message = await scene.owner.say(scene.channel, "Talking to a friend")
    await scene.owner.edit(message, f"{running.discord.bot_user.mention} talking to you")
    await scene.ask("Hello?", "Hello.", mentions=[running.discord.bot_user])
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] Hello?"]


@together
async def test_an_answered_message_that_is_deleted_leaves_the_context(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.script("I will keep it to myself.")
    message = await scene.owner.say(scene.channel, "The door code is 1234")
    await scene.shows("I will keep it to myself.")
    await scene.owner.delete(message)
    await scene.ask("What did I say?", "I do not know.")
    assert scene.context() == [
        f"assistant: {GREETING}",
        "assistant: I will keep it to myself.",
        "user: [Owner] What did I say?",
    ]


@together
async def test_a_message_that_is_deleted_before_its_turn_is_not_answered(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    async with running.upstream.hold() as held:
        await scene.owner.say(scene.channel, "First things first")
        await held.waiting()
        message = await scene.owner.say(scene.channel, "Forget that I said this")
        await scene.owner.delete(message)
        await held.finish("First thing done.")
    await scene.shows("First thing done.")
    await scene.ask("Next?", "Next.")
    assert len(scene.calls) == 2
    assert "Forget" not in str(scene.context())


@together
async def test_messages_that_a_moderator_deletes_together_leave_the_context(running: World) -> None:
    scene = Scene.of(running)
    mod = scene.guild.add_member("mod", permissions=Permission.MANAGE_MESSAGES)
    await scene.use()
    first = await scene.owner.say(scene.channel, "Spam and spam")
    reply = await scene.shows((await scene.ask("Eggs and spam", "Please stop.")).content)
    second = next(each for each in scene.channel.messages.values() if each.content == "Eggs and spam")
    await scene.settled()
    await mod.delete_many([first, second, reply])
    await scene.ask("Sorry", "Never mind.")
    assert "spam" not in str(scene.context()).lower()
    assert "Please stop." not in str(scene.context())


@together
async def test_a_reply_that_is_deleted_leaves_the_context(running: World) -> None:
    scene = Scene.of(running)
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


@together
async def test_a_greeting_that_is_deleted_leaves_the_context(running: World) -> None:
    scene = Scene.of(running)
    greeting = await scene.use()
    await scene.settled()
    await scene.owner.delete(greeting)
    await scene.ask("Who are you?", "The guide.")
    assert scene.context() == ["user: [Owner] Who are you?"]


@together
async def test_a_reply_that_is_deleted_while_it_is_written_is_not_said_again(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    async with running.upstream.hold() as held:
        await scene.owner.say(scene.channel, "Tell me")
        await held.release_text("This is the first sentence of it. ")
        await scene.until(lambda: len(scene.voices()) == 2, "a preview")
        preview = scene.voices()[-1]
        await scene.stored("SELECT 1 FROM post WHERE message_id = ?", preview.id)
        await scene.owner.delete(preview)
        await scene.stored("SELECT 1 FROM post WHERE message_id = ? AND state = 'deleted'", preview.id)
        await held.finish("And this is the last.")
        await scene.settled()
    await scene.ask("Silence?", "Golden.")
    assert scene.spoken() == [GREETING, "Golden."]
    assert "first sentence" not in str(scene.context())
