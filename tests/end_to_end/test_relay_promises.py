"""Which messages are answered, once each and in order, and which are not."""

import asyncio
from typing import Any

import pytest

from bot.sandbox.discord import Fault as DiscordFault
from bot.sandbox.discord import Message, MessageType, payloads
from bot.sandbox.nanogpt.faults import Fault
from tests.end_to_end.scene import EXECUTE, GREETING, GUIDE, Scene
from tests.end_to_end.world import World


def replay(message: Message) -> None:
    """Let the gateway show a message once more."""
    world = message.channel.world
    world.publish_in(message.channel, "MESSAGE_CREATE", payloads.message(message, for_event=True), message)


def held_post(*, by_character: bool) -> DiscordFault:
    """Return a fault that holds the next post of a character, or the next further answer to a command."""
    return DiscordFault(
        method="POST",
        path_pattern=EXECUTE,
        hold=asyncio.Event(),
        when=lambda request: ("username" in request.json) is by_character,
    )


def release(fault: DiscordFault) -> None:
    """Let a held post go on."""
    assert fault.hold is not None
    fault.hold.set()


async def test_messages_that_come_while_a_reply_is_written_become_one_next_turn(world: World) -> None:
    scene = Scene.of(world)
    alice = scene.guild.add_member("alice", nick="Alice [the tall]")
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            await alice.say(scene.channel, "Who goes first?")
            await held.waiting()
            await bob.say(scene.channel, "Me!")
            await alice.say(scene.channel, "No, me.")
            await bob.say(scene.channel, "[Alice the tall] I give in.")
            world.upstream.script("Then Bob it is.")
            await held.finish("Let me think.")
        await scene.shows("Then Bob it is.")
    assert scene.spoken() == [GREETING, "Let me think.", "Then Bob it is."]
    assert len(scene.calls) == 2
    assert scene.context() == [
        f"assistant: {GREETING}",
        "user: [Alice the tall] Who goes first?",
        "assistant: Let me think.",
        "user: [Bob] Me!",
        "user: [Alice the tall] No, me.",
        # Nobody puts words into another's mouth by writing a label himself.
        "user: [Bob] \\[Alice the tall] I give in.",
    ]


async def test_who_speaks_while_a_character_moves_in_is_answered_after_notice_and_greeting(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        telling = world.discord.faults.add(held_post(by_character=False))
        await scene.owner.slash(scene.channel, "character use", character=GUIDE)
        await telling.seen.wait()
        first = await bob.say(scene.channel, "Is anybody there?")
        await scene.stored("SELECT 1 FROM claim WHERE message_id = ?", first.id)
        greeting = world.discord.faults.add(held_post(by_character=True))
        release(telling)
        await greeting.seen.wait()
        second = await bob.say(scene.channel, "Hello, who are you?")
        await scene.stored("SELECT 1 FROM claim WHERE message_id = ?", second.id)
        reply = world.discord.faults.add(held_post(by_character=True))
        world.upstream.script("Hello Bob, nice to meet you.")
        release(greeting)
        await reply.seen.wait()
        release(reply)
        await scene.shows("Hello Bob, nice to meet you.")
        await scene.settled()
        assert scene.query("SELECT kind, state, cause FROM turn ORDER BY id") == [
            ("greeting", "answered", None),
            ("reply", "answered", None),
        ]
    (notice,) = scene.notices()
    assert "AI service" in notice.content
    assert notice.id < scene.voices()[0].id
    assert scene.spoken() == [GREETING, "Hello Bob, nice to meet you."]
    assert scene.context(0) == [
        f"assistant: {GREETING}",
        "user: [Bob] Is anybody there?",
        "user: [Bob] Hello, who are you?",
    ]


async def test_messages_in_a_row_are_answered_in_order(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        for number in range(5):
            await scene.owner.say(scene.channel, f"Line {number}.")
        await scene.until(lambda: len(scene.calls) > 0)
        await scene.settled()
    said = [line for line in scene.context() if line.startswith("user")]
    assert said == [f"user: [Owner] Line {number}." for number in range(5)]
    assert len(scene.spoken()) - 1 == len(scene.calls)


async def test_channels_do_not_wait_for_one_another(world: World) -> None:
    scene = Scene.of(world)
    other = scene.beside()
    async with world.bot():
        await scene.use()
        await other.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Take your time")
            await held.waiting()
            await other.ask("Quick one?", "Quick one.")
            await held.finish("I took it.")
        await scene.shows("I took it.")


async def test_an_event_that_the_gateway_shows_again_is_answered_once(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        message = await scene.owner.say(scene.channel, "Say it once")
        replay(message)
        await scene.until(lambda: len(scene.spoken()) == 2)
        replay(message)
        await scene.ask("And another", "Another.")
        await world.discord.drop_gateway(resumable=True)
        await world.discord.gateway_connected.wait()
        replay(message)
        await scene.ask("And a third", "A third.")
    async with world.bot():
        replay(message)
        await scene.ask("After a restart", "Still once.")
    assert len(scene.calls) == 4
    assert len(scene.spoken()) == 5


async def test_unbound_channels_are_not_listened_to(world: World) -> None:
    scene = Scene.of(world)
    unbound = scene.beside()
    async with world.bot():
        await scene.use()
        await scene.owner.say(unbound.channel, "Nobody is here")
        await scene.owner.say(unbound.thread().channel, "Nor here")
        await scene.owner.say(scene.owner.open_dm(), "Nor in private")
        await scene.ask("Anybody?", "Only me.")
        assert not unbound.spoken()
        assert not unbound.told()
        assert scene.query("SELECT COUNT(*) FROM claim") == [(1,)]
    assert len(scene.calls) == 1


async def test_other_bots_and_webhooks_are_not_answered(world: World) -> None:
    scene = Scene.of(world)
    bot = scene.guild.add_member("Helper", bot=True)
    proxy = scene.channel.add_foreign_webhook("proxy")
    own = scene.channel.add_foreign_webhook("Helpful Guide")
    async with world.bot():
        await scene.use()
        await bot.say(scene.channel, "I am a robot", mentions=[world.discord.bot_user])
        await scene.guild.proxy_says(proxy, "I am a bridge")
        await scene.guild.proxy_says(own, "I am the guide, honestly")
        await scene.ask("I am a person", "So you are.")
    assert len(scene.calls) == 1
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] I am a person"]


async def test_an_allowed_webhook_is_answered_until_it_has_talked_for_long_enough_alone(world: World) -> None:
    scene = Scene.of(world)
    proxy = scene.channel.add_foreign_webhook("proxy")
    async with world.bot(relay__answer_bot_ids=str(proxy.id), relay__bot_turns_in_a_row="2"):
        await scene.use()
        for number in range(2):
            world.upstream.script(f"Answer {number}.")
            await scene.guild.proxy_says(proxy, f"Bridged {number}")
            await scene.shows(f"Answer {number}.")
        looping = await scene.guild.proxy_says(proxy, "Bridged for ever")
        await scene.ask("May a person speak?", "Please do.")
        assert "Bots have talked among themselves" not in await scene.why(looping)
        world.upstream.script("Welcome back.")
        await scene.guild.proxy_says(proxy, "Bridged again")
        await scene.shows("Welcome back.")
    assert len(scene.calls) == 4
    said = [line for line in scene.context() if line.startswith("user")]
    assert said == [
        "user: [proxy] Bridged 0",
        "user: [proxy] Bridged 1",
        "user: [Owner] May a person speak?",
        "user: [proxy] Bridged again",
    ]


@pytest.mark.parametrize("kind", [MessageType.PIN, MessageType.JOIN])
async def test_what_discord_itself_says_is_not_answered(world: World, kind: MessageType) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        await scene.owner.say(scene.channel, "somebody did something", kind=kind)
        await scene.ask("Did you see?", "I did not.")
    assert len(scene.calls) == 1


async def test_in_mention_mode_only_what_is_addressed_to_the_character_is_kept_and_sent(world: World) -> None:
    scene = Scene.of(world)
    bot_user = world.discord.bot_user
    async with world.bot():
        greeting = await scene.use(trigger="mention")
        await scene.owner.say(scene.channel, "Talking among ourselves")
        first = await scene.ask("Hello there", "At your service.", mentions=[bot_user])
        await scene.owner.say(
            scene.channel, "Still among ourselves", reply_to=await scene.owner.say(scene.channel, "x")
        )
        await scene.ask("And you?", "Fine, thanks.", reply_to=first)
        await scene.ask("Really?", "Really.", reply_to=greeting, mentions=[])
        await scene.ask(f"{scene.guild.bot_role.mention} And by that name?", "By that, too.")
        assert scene.query("SELECT COUNT(*) FROM claim") == [(4,)]
    assert len(scene.calls) == 4
    assert scene.context() == [
        f"assistant: {GREETING}",
        "user: [Owner] Hello there",
        "assistant: At your service.",
        "user: [Owner] And you?",
        "assistant: Fine, thanks.",
        "user: [Owner] Really?",
        "assistant: Really.",
        "user: [Owner] And by that name?",
    ]


async def test_what_a_message_mentions_and_attaches_is_told_in_words(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    role = scene.guild.add_role("Editors", mentionable=True)
    async with world.bot():
        await scene.use()
        world.upstream.script("I see.")
        text = f"Ask {bob.mention}, {role.mention} in {scene.channel.mention} <:boat:123456789012345678>"
        await scene.owner.say(scene.channel, text, files=[("draft.txt", b"Once", "text/plain")])
        await scene.shows("I see.")
    (_, said) = scene.context()
    assert said == "user: [Owner] Ask @Bob, @Editors in #general :boat:\n(sends a file: draft.txt)"


async def test_too_many_messages_at_once_are_refused_with_one_notice(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot(relay__queue_limit="2"):
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Begin")
            await held.waiting()
            said = [await scene.owner.say(scene.channel, f"Faster, number {number}") for number in range(5)]
            await scene.marked("I left some out")
            world.upstream.script("That was enough.")
            await held.finish("Slowly.")
        await scene.shows("That was enough.")
        # The bot sees its own notice come by, and leaves it alone.
        await scene.ask("Still full?", "Not any more.")
        assert len(scene.marks()) == 1
        assert "Too many messages were waiting" in await scene.why(said[-1])
    assert [line for line in scene.context(1) if "Faster" in line] == [
        "user: [Owner] Faster, number 0",
        "user: [Owner] Faster, number 1",
    ]


async def test_a_conversation_that_is_too_long_is_shortened_before_people_are_bothered(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot(relay__history_messages="8"):
        await scene.use()
        for number in range(5):
            await scene.ask(f"Question {number}?", f"Answer {number}.")
        world.upstream.faults.next(Fault.CONTEXT_TOO_LONG)
        await scene.ask("Question 5?", "Answer 5.")
    assert len(scene.context(-2)) == 1 + 8 + 1
    assert len(scene.context()) == 1 + 4 + 1
    assert not scene.marks()


async def test_a_short_reply_is_one_post_and_nothing_else(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        await scene.settled()
        begun = len(world.discord.requests)
        await scene.ask("Short?", "Short.")
        await scene.settled()
        made: list[Any] = [(each.method, each.route) for each in world.discord.requests[begun:]]
    posts = [each for each in made if each[0] == "POST"]
    assert posts == [("POST", "/webhooks/{webhook_id}/{webhook_token}")]
    # Taking the buttons off the greeting is housekeeping.
    assert [each for each in made if each[0] != "POST"] in (
        [],
        [("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")],
    )


async def test_a_long_reply_is_seen_growing_and_ends_as_it_was_written(world: World) -> None:
    scene = Scene.of(world)
    sentences = [f"This is sentence number {number} of a reply that takes its time." for number in range(6)]
    whole = " ".join(sentences)
    async with world.bot(relay__preview_interval_seconds="0.1"):
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Tell me")
            for number, sentence in enumerate(sentences[:3]):
                await held.release_text(sentence + " ")
                shown = " ".join(sentences[: number + 1])
                await scene.until(lambda shown=shown: scene.spoken()[-1].startswith(shown), shown)
            await held.finish(" ".join(sentences[3:]))
        reply = await scene.shows(whole)
    texts = [revision.content for revision in reply.revisions]
    assert len(texts) > 2
    assert all(whole.startswith(text) for text in texts)
    assert texts == sorted(texts, key=len)


async def test_the_buttons_stand_under_the_latest_reply(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        greeting = await scene.use()
        first = await scene.ask("One?", "One.")
        await scene.until(lambda: not greeting.components and bool(first.components), "buttons moved")
        second = await scene.ask("Two?", "Two.")
        await scene.until(lambda: not first.components and bool(second.components), "buttons moved")
    async with world.bot():
        third = await scene.ask("Three?", "Three.")
        await scene.until(lambda: not second.components and bool(third.components), "buttons moved after a restart")


async def test_without_feedback_buttons_replies_are_bare(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot(relay__feedback_buttons="false"):
        greeting = await scene.use()
        reply = await scene.ask("Buttons?", "None.")
        await scene.settled()
        assert not greeting.components
        assert not reply.components
        form = await scene.owner.slash(scene.channel, "character rate", character="helpful-guide")
        assert form.modal is not None
