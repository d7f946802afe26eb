"""What is said and written while the bot stops, dies, comes back, or loses its connection."""

import asyncio

from bot.sandbox.discord import Fault as DiscordFault
from bot.sandbox.nanogpt.responses import ResponseRequest
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.scene import BARD, GREETING, Scene
from tests.end_to_end.world import World

FIRST = "This is the first sentence of it."
LAST = "And this is the last."
PATIENT = {"relay__drain_seconds": "60"}
"""A stop that is cut short by the test, and is patient with what the machine takes its time for."""


def answer_by_room(request: ResponseRequest) -> str:
    """Answer as the conversation asks for: which of two is run first is open."""
    return "Your turn." if "waiting for my turn" in request.items[-1].text else "After all."


async def test_after_a_kill_what_is_visible_stays_and_what_is_not_runs_again(world: World) -> None:
    visible, unseen, done = Scene.of(world), Scene.of(world), Scene.of(world)
    async with BotProcess(world, logging__level="DEBUG") as bot:
        await asyncio.wait_for(world.discord.gateway_connected.wait(), 20)
        for scene in (visible, unseen, done):
            await scene.use()
        await done.ask("You first", "I am done.")
        async with world.upstream.hold() as begun, world.upstream.hold() as silent:
            await visible.owner.say(visible.channel, "Tell me slowly")
            await begun.waiting()
            await unseen.owner.say(unseen.channel, "Tell me never")
            await silent.waiting()
            await begun.release_text(f"{FIRST} {LAST[:5]}")
            await visible.until(lambda: len(visible.voices()) == 2, "a preview")
            await visible.owner.say(visible.channel, "I was waiting for my turn")
            await visible.stored("SELECT 1 FROM claim WHERE state = 'waiting'")
            await bot.kill()
            await begun.disconnected()
            await silent.disconnected()

        world.upstream.responder = answer_by_room
        await bot.start()
        await unseen.shows("After all.")
        await visible.shows("Your turn.")
        interrupted = visible.voices()[1]
        assert interrupted.content == f"{FIRST}\n-# ⚠ interrupted: I was restarted in mid-sentence"
        await visible.settled()
        assert visible.spoken() == [GREETING, interrupted.content, "Your turn."]
        assert unseen.spoken() == [GREETING, "After all."]
        assert done.spoken() == [GREETING, "I am done."]
        assert not any(scene.marks() for scene in (visible, unseen, done))

        world.upstream.script(f"{FIRST} {LAST}")
        await visible.owner.click(interrupted, "Retry")
        await visible.until(lambda: interrupted.content == f"{FIRST} {LAST}", "the whole reply")
        await visible.settled()
        assert await bot.terminate() == 0


async def test_a_stop_waits_for_a_reply_under_way_and_takes_nothing_more_in(world: World) -> None:
    scene = Scene.of(world)
    async with world.upstream.hold() as held:
        async with world.bot() as running:
            await scene.use()
            await scene.owner.say(scene.channel, "Before you go")
            await held.waiting()
            stopping = asyncio.create_task(running.drain(5))
            await asyncio.sleep(0)
            await scene.owner.say(scene.channel, "And one more thing")
            await held.finish("Goodbye.")
            await stopping
        await scene.shows("Goodbye.")
        assert len(scene.calls) == 1
    world.upstream.script("As for the other thing:")
    async with world.bot():
        await scene.shows("As for the other thing:")
    assert scene.context()[-1] == "user: [Owner] And one more thing"


async def test_a_reply_that_takes_longer_than_a_stop_may_is_cut_and_marked(world: World) -> None:
    scene = Scene.of(world)
    async with world.upstream.hold() as held:
        async with world.bot(**PATIENT):
            await scene.use()
            await scene.owner.say(scene.channel, "Tell me slowly")
            await held.release_text(f"{FIRST} ")
            await scene.until(lambda: len(scene.voices()) == 2, "a preview")
            losing_patience = asyncio.create_task(world.time.cut_short(60))
        await losing_patience
        await held.disconnected()
    reply = await scene.shows(f"{FIRST}\n-# ⚠ interrupted: I was restarted in mid-sentence")
    async with world.bot():
        world.upstream.script(f"{FIRST} {LAST}")
        await scene.owner.click(reply, "Retry")
        await scene.until(lambda: reply.content == f"{FIRST} {LAST}", "the whole reply")


async def test_messages_of_the_last_quarter_of_an_hour_are_answered_after_a_restart(world: World) -> None:
    scene = Scene.of(world)
    thread = scene.thread()
    async with world.bot():
        await scene.use()
        await thread.ask("Hello in here", "Hello.")
    for number in range(3):
        await scene.owner.say(scene.channel, f"Missed {number}")
    await scene.owner.say(thread.channel, "Missed in here")
    world.time.skip(minutes=14)
    async with world.bot():
        await scene.asked(3)
        await scene.settled()
    missed = next(number for number, call in enumerate(scene.calls) if "Missed 0" in str(call.body))
    assert scene.context(missed)[1:] == [f"user: [Owner] Missed {number}" for number in range(3)]
    assert len(scene.spoken()) == 2
    assert len(thread.spoken()) == 2
    assert not scene.marks()


async def test_older_messages_are_passed_over_with_one_notice(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
    old = [await scene.owner.say(scene.channel, f"Long ago {number}") for number in range(3)]
    world.time.skip(minutes=16)
    await scene.owner.say(scene.channel, "Just now")
    world.upstream.script("I heard the last one.")
    async with world.bot():
        await scene.shows("I heard the last one.")
        await scene.marked("do not answer what was said long ago")
        assert scene.context()[1:] == ["user: [Owner] Just now"]
        await scene.settled()
        assert "too long ago" in await scene.why(old[0])
    async with world.bot():
        await scene.ask("Once is enough", "Indeed.")
    assert len(scene.marks()) == 1


async def test_nothing_is_answered_at_a_return_that_would_not_have_been_answered_before(world: World) -> None:
    scene = Scene.of(world)
    mentioned, unbound = scene.beside(), scene.beside()
    bob = scene.guild.add_member("Bob")
    other_bot = scene.guild.add_member("Helper", bot=True)
    before = await scene.owner.say(scene.channel, "Before the character came")
    async with world.bot():
        await scene.use()
        await mentioned.use(trigger="mention")
        await bob.slash(scene.channel, "privacy ignore-me")
    await bob.say(scene.channel, "I am not here")
    await other_bot.say(scene.channel, "Nor am I")
    await bob.say(unbound.channel, "Nobody is")
    await scene.owner.say(mentioned.channel, "Not to you")
    world.time.skip(minutes=16)
    async with world.bot():
        await scene.ask("Anything new?", "Nothing.")
        await mentioned.ask("And here?", "Nothing.", mentions=[world.discord.bot_user])
        assert not scene.marks()
        assert not mentioned.marks()
    assert len(scene.calls) == 2
    assert before.content not in str(scene.context(0))


async def test_a_character_that_was_paused_meanwhile_does_not_answer_what_was_missed(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        await scene.use(BARD)
    await scene.owner.say(scene.channel, "Sing")
    scene.channel.set_nsfw(nsfw=False)
    async with world.bot():
        await scene.marked("rated above what may be shown here")
    assert scene.calls == []


async def test_a_resumed_connection_loses_and_doubles_nothing(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        looks = len(scene.requests("GET", "/channels/{channel_id}/messages"))
        await world.discord.drop_gateway(resumable=True)
        await scene.ask("Said while you were gone", "Heard.")
        await world.discord.reconnect_request()
        await scene.ask("And again", "And again.")
        assert world.discord.gateway.resumes == 2
        assert len(scene.requests("GET", "/channels/{channel_id}/messages")) == looks
    assert len(scene.calls) == 2


async def test_a_new_connection_hears_what_the_old_one_missed_before_anything_new(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        # discord.py waits five seconds before it identifies anew, as Discord asks.
        await world.discord.drop_gateway(resumable=False)
        await scene.owner.say(scene.channel, "Said while you were gone")
        await world.discord.gateway_connected.wait()
        world.upstream.script("Heard.", 2)
        await scene.owner.say(scene.channel, "Said when you were back")
        await scene.until(lambda: len(scene.spoken()) >= 2, "a reply")
        await scene.settled()
    said = [line for line in scene.context() if line.startswith("user")]
    assert said == [
        "user: [Owner] Said while you were gone",
        "user: [Owner] Said when you were back",
    ]
    assert not scene.marks()


async def test_a_server_that_comes_back_from_an_outage_is_caught_up_with(world: World) -> None:
    scene = Scene.of(world)
    other = Scene.of(world)
    async with world.bot():
        await scene.use()
        await other.use()
        scene.guild.become_unavailable()
        await other.ask("Still there?", "Still here.")
        scene.guild.become_available()
        await scene.ask("And you?", "Me too.")
    assert len(scene.spoken()) == 2


async def test_a_server_that_was_in_an_outage_at_the_start_is_caught_up_with_later(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
    await scene.owner.say(scene.channel, "Is anybody there?")
    scene.guild.become_unavailable()
    world.upstream.script("I am, at last.")
    async with world.bot():
        scene.guild.become_available()
        await scene.shows("I am, at last.")
    assert len(scene.calls) == 1


async def test_a_message_that_was_left_waiting_is_answered_though_it_is_old(world: World) -> None:
    scene = Scene.of(world)
    async with world.upstream.hold() as held:
        async with world.bot(**PATIENT):
            await scene.use()
            await scene.owner.say(scene.channel, "Slow one")
            await held.waiting()
            await scene.owner.say(scene.channel, "I wait")
            await scene.stored("SELECT 1 FROM claim WHERE state = 'waiting'")
            losing_patience = asyncio.create_task(world.time.cut_short(60))
        await losing_patience
        await held.disconnected()
    world.time.skip(minutes=20)
    world.upstream.script("Thank you for waiting.")
    async with world.bot():
        await scene.shows("Thank you for waiting.")
    assert scene.context()[-1] == "user: [Owner] I wait"


async def test_what_is_begun_before_all_servers_have_come_is_not_taken_for_a_leftover(world: World) -> None:
    scene = Scene.of(world)
    late = world.discord.add_guild("Late")
    late.become_unavailable()
    slow = DiscordFault(method="POST", hold=asyncio.Event(), when=lambda request: "username" in (request.json or {}))
    world.discord.faults.add(slow)
    async with world.starting_bot(discord__ready_timeout_seconds="60") as running:
        await world.discord.gateway_connected.wait()
        using = asyncio.create_task(scene.use())
        await slow.seen.wait()
        looks = "/channels/{channel_id}/messages"
        before = len(scene.requests("GET", looks))
        # The bot takes its servers for complete once none has come for so long; the next one to come ends that wait.
        running.client._connection.guild_ready_timeout = 0.01  # pyright: ignore[reportPrivateUsage]
        late.become_available()
        await scene.until(lambda: len(scene.requests("GET", looks)) > before, "a look at what was missed")
        assert slow.hold is not None
        slow.hold.set()
        greeting = await using
        await scene.ask("Hello?", "Hello.")
        await scene.settled()
    assert scene.spoken() == [GREETING, "Hello."]
    assert [revision.content for revision in greeting.revisions] == [GREETING]
    # No look for the posts of an earlier process.
    assert not [look for look in scene.requests("GET", looks) if "after" in look.params]
