"""Threads of a bound channel, and the chat of voice channels."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from bot.sandbox.discord import ChannelKind, RecordedRequest
from tests.end_to_end.scene import BARD, GREETING, Scene
from tests.end_to_end.world import World

together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(shared_world: World) -> AsyncGenerator[World]:
    """Run one bot for all of these tests, which keep to a server each."""
    async with shared_world.bot(relay__preview_interval_seconds="0.1"):
        yield shared_world


def webhook_calls(scene: Scene) -> list[RecordedRequest]:
    """Return the calls on messages of webhooks, interactions' answers left out."""
    application = str(scene.world.discord.application_id)
    return [
        each
        for each in scene.world.discord.requests
        if "{webhook_token}" in each.route and each.ids.get("webhook_id") != application
    ]


@together
async def test_a_thread_is_a_conversation_of_its_own(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    await scene.ask("My name is Ida", "Pleased to meet you, Ida.")
    first, second = scene.thread("first"), scene.thread("second")
    await first.ask("My cat is Tom", "Good cat.")
    await second.ask("What do you know of me?", "Nothing yet.")
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] What do you know of me?"]
    await first.ask("And the cat?", "Tom, a good cat.")
    assert scene.context() == [
        f"assistant: {GREETING}",
        "user: [Owner] My cat is Tom",
        "assistant: Good cat.",
        "user: [Owner] And the cat?",
    ]
    await scene.ask("And my name?", "Ida.")
    assert "Tom" not in str(scene.context())
    # The greeting stands in the context of threads and is not said again in them.
    assert first.spoken() == ["Good cat.", "Tom, a good cat."]
    assert second.spoken() == ["Nothing yet."]
    assert scene.spoken().count(GREETING) == 1


@together
async def test_every_call_for_a_thread_names_the_thread(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    thread = scene.thread()
    before = len(webhook_calls(scene))
    async with running.upstream.hold() as held:
        await scene.owner.say(thread.channel, "Tell me slowly")
        await held.release_text("This is the first sentence of it. ")
        await thread.until(lambda: len(thread.voices()) == 1, "a preview")
        await held.finish("And this is the last.")
    first = await thread.shows("This is the first sentence of it. And this is the last.")
    await thread.ask("More?", "No more.")
    await thread.until(lambda: not first.components, "the buttons moved")
    calls = webhook_calls(scene)[before:]
    assert {call.method for call in calls} == {"POST", "PATCH"}
    assert all(call.params.get("thread_id") == str(thread.channel.id) for call in calls)
    # One webhook serves the channel and its threads.
    assert len(scene.channel.webhooks) == 1


@together
async def test_threads_share_the_channel_but_do_not_wait_for_one_another(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    first, second = scene.thread("first"), scene.thread("second")
    async with running.upstream.hold() as held:
        await scene.owner.say(first.channel, "Take your time")
        await held.waiting()
        await second.ask("Quick one?", "Quick one.")
        await held.finish("I took it.")
    await first.shows("I took it.")


@together
async def test_a_thread_in_an_unbound_channel_is_left_alone(running: World) -> None:
    scene = Scene.of(running)
    thread = scene.beside().thread()
    await scene.use()
    asked = await scene.owner.say(thread.channel, "Anybody?")
    await scene.ask("Here?", "Here.")
    assert "No character speaks in this channel" in await thread.why(asked)
    assert len(scene.calls) == 1


@together
async def test_a_thread_of_an_age_restricted_channel_asks_its_parent(running: World) -> None:
    scene = Scene.of(running, nsfw=True)
    await scene.use(BARD)
    thread = scene.thread()
    await thread.ask("Sing", "La la.")
    scene.channel.set_nsfw(nsfw=False)
    await scene.marked("rated above")
    await scene.owner.say(thread.channel, "Sing on")
    await scene.settled()
    assert len(scene.calls) == 1


@together
async def test_a_thread_that_is_deleted_in_mid_reply_ends_its_turn(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    thread = scene.thread()
    async with running.upstream.hold() as held:
        await scene.owner.say(thread.channel, "Quick, before it is gone")
        await held.waiting()
        thread.channel.delete()
        with running.discord.expect_refusal(code=10003):
            await held.finish("Too late.")
            await scene.settled()
    await scene.ask("And here?", "Here I am.")


@together
async def test_a_forum_is_refused_in_words_of_its_own(running: World) -> None:
    scene = Scene.of(running, kind=ChannelKind.FORUM)
    post = scene.thread("A question")
    assert "forum" in await post.refused("character use", character="helpful-guide")
