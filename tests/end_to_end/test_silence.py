"""`Why silent?` on any message, and the caps that make a character silent."""

from bot.sandbox.discord import MessageType, Permission
from bot.sandbox.nanogpt.faults import Fault
from tests.end_to_end.scene import GREETING, Scene
from tests.end_to_end.world import World


async def test_every_rule_that_keeps_a_message_unanswered_is_named(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    robot = scene.guild.add_member("Helper", bot=True)
    proxy = scene.channel.add_foreign_webhook("bridge")
    early = await scene.owner.say(scene.channel, "Said before anybody came")
    async with world.bot():
        assert "No character speaks in this channel" in await scene.why(early)
        greeting = await scene.use()
        await scene.settled()
        assert "before the character came here" in await scene.why(early)
        assert "how the character introduced itself" in await scene.why(greeting)
        assert "a message of my own" in await scene.why(scene.notices()[0])

        said = await robot.say(scene.channel, "I am a robot")
        assert "comes from another bot" in await scene.why(said)
        said = await scene.guild.proxy_says(proxy, "I am a bridge")
        assert "comes from another app's webhook" in await scene.why(said)
        said = await scene.owner.say(scene.channel, "pinned something", kind=MessageType.PIN)
        assert "a notice of Discord's" in await scene.why(said)

        await bob.slash(scene.channel, "privacy ignore-me")
        said = await bob.say(scene.channel, "I am not here")
        assert "You asked me to ignore your messages" in await scene.why(said, bob)
        assert "Its author does not want their messages to be passed on" in await scene.why(said)
        await bob.slash(scene.channel, "privacy ignore-me")

        await scene.owner.slash(scene.channel, "character settings", trigger="mention")
        said = await scene.owner.say(scene.channel, "Just talking")
        assert "only messages that mention me or reply to it" in await scene.why(said)
        await scene.owner.slash(scene.channel, "character settings", trigger="every")
        assert "before its last reset, pause or change of settings" in await scene.why(said)
    assert scene.calls == []


async def test_what_became_of_a_message_that_was_heard_is_told(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            running = await scene.owner.say(scene.channel, "Begin")
            await held.waiting()
            waiting = await scene.owner.say(scene.channel, "And then?")
            await scene.stored("SELECT 1 FROM claim WHERE state = 'waiting'")
            assert "being answered right now" in await scene.why(running)
            assert "waits for its turn" in await scene.why(waiting)
            world.upstream.script("Second answer.")
            await held.finish("First answer.")
        reply = await scene.shows("Second answer.")
        await scene.settled()
        link = f"https://discord.com/channels/{scene.guild.id}/{scene.channel.id}/{reply.id}"
        assert await scene.why(waiting) == f"It was answered: {link}"
        assert "reply of the character itself" in await scene.why(reply)
        await scene.owner.delete(reply)
        await scene.stored("SELECT 1 FROM post WHERE state = 'deleted'")
        assert "the reply has been deleted since" in await scene.why(waiting)

        world.upstream.faults.next(Fault.CONTENT_POLICY)
        failed = await scene.owner.say(scene.channel, "Say something you must not")
        mark = await scene.marked("will not answer this")
        await scene.settled()
        assert "It could not be answered. The AI service will not answer this." in await scene.why(failed)
        assert "a message of my own" in await scene.why(mark)

        await (await scene.owner.slash(scene.channel, "character reset")).final_message()
        assert "It was answered" in await scene.why(running)
        await (await scene.owner.slash(scene.channel, "character leave")).final_message()
        after = await scene.owner.say(scene.channel, "Hello?")
        assert "No character speaks in this channel" in await scene.why(after)


async def test_what_was_said_while_the_bot_was_away_for_long_is_told(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
    missed = await scene.owner.say(scene.channel, "Is anybody there?")
    world.time.skip(hours=1)
    async with world.bot():
        await scene.marked("I was away for a while")
        assert "I was not there when this was said" in await scene.why(missed)


async def test_a_member_who_may_not_do_anything_may_ask_too_and_nobody_else_reads_it(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        said = await scene.owner.say(scene.channel, "Hello?")
        before = len(scene.channel.messages)
        assert "No character speaks" in await scene.why(said, bob)
        assert len(scene.channel.messages) == before


async def test_a_member_has_so_many_messages_a_day_and_others_are_not_held_back(world: World) -> None:
    scene = Scene.of(world)
    other_room = scene.beside()
    bob = scene.guild.add_member("Bob")
    world.time.skip_to_morning()
    async with world.bot(limits__member_messages_per_day="2"):
        await scene.use()
        await other_room.use()
        await scene.ask("One?", "One.")
        await other_room.ask("Two?", "Two.")
        for number in range(2):
            await scene.owner.say(scene.channel, f"Three, asked {number} times?")
        capped = await scene.owner.say(scene.channel, "Three, once more?")
        await scene.marked("everybody else can go on. It starts afresh <t:")
        await scene.ask("And I?", "You may.", who=bob)
        assert len(scene.marks()) == 1
        assert "used up the messages to characters that a member has a day" in await scene.why(capped)
        world.time.skip(hours=24)
        await scene.ask("A new day?", "A new day.")
    assert len(scene.calls) == 4


async def test_a_server_has_so_many_messages_a_day_and_other_servers_are_not_held_back(world: World) -> None:
    scene, elsewhere = Scene.of(world), Scene.of(world)
    bob = scene.guild.add_member("Bob")
    world.time.skip_to_morning()
    async with world.bot(limits__guild_messages_per_day="2"):
        await scene.use()
        await elsewhere.use()
        await scene.ask("One?", "One.")
        await scene.ask("Two?", "Two.", who=bob)
        capped = await bob.say(scene.channel, "Three?")
        await scene.marked("This server has used up today's messages to characters")
        await elsewhere.ask("And here?", "Here you may.")
        assert "This server had used up the messages" in await scene.why(capped)
    assert scene.spoken() == [GREETING, "One.", "Two."]


async def test_a_retry_and_a_failure_cost_no_second_message_of_the_cap(world: World) -> None:
    scene = Scene.of(world)
    world.time.skip_to_morning()
    async with world.bot(limits__member_messages_per_day="2"):
        await scene.use()
        world.upstream.faults.next(Fault.CONTENT_POLICY)
        await scene.owner.say(scene.channel, "One?")
        mark = await scene.marked("will not answer this")
        await scene.settled()
        world.upstream.script("One.")
        await scene.owner.click(mark, "Retry")
        await scene.shows("One.")
        await scene.ask("Two?", "Two.")


async def test_help_says_what_there_is_and_ping_says_how_it_is(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        shown = await (await bob.slash(scene.channel, "help")).final_message()
        assert shown.ephemeral_for == bob.id
        text = str(shown.embeds[0].get("description"))
        registered = world.discord.world.interactions.commands.of(None)
        for command in registered:
            if command.get("type", 1) == 1:
                assert f"</{command['name']}" in text
        ping = await scene.read(await bob.slash(scene.channel, "ping"))
        assert "Discord: " in ping
        assert "NanoGPT: " in ping
        assert "Database: " in ping
        world.upstream.faults.catalog_down = True
        # Half a minute long, everybody is told the same.
        world.time.skip(minutes=1)
        world.time.haste = 50
        ping = await scene.read(await bob.slash(scene.channel, "ping"))
        assert "NanoGPT: does not answer just now" in ping


async def test_staff_who_lose_their_permission_lose_it_at_once(world: World) -> None:
    scene = Scene.of(world)
    mod = scene.guild.add_member("Mod", permissions=Permission.MANAGE_CHANNELS)
    async with world.bot():
        await (await mod.slash(scene.channel, "character use", character="helpful-guide")).final_message()
        await scene.until(lambda: bool(scene.voices()), "a greeting")
        scene.channel.overwrite(mod, deny=Permission.MANAGE_CHANNELS)
        assert "Manage Channels" in await scene.refused("character leave", mod)
