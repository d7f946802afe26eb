"""What is forgotten, and when: at once where a person asks, in time where nobody does."""

import sqlite3
from contextlib import closing

from bot.sandbox.discord import Guild
from tests.end_to_end.scene import GREETING, Scene
from tests.end_to_end.world import World

HASTE = 3_000
"""At this haste the first round of forgetting, five minutes after the start, comes in a tenth of a second."""


def texts(scene: Scene, guild: Guild) -> int:
    """Count the texts of members that are kept of a server."""
    return scene.query("SELECT COUNT(*) FROM claim WHERE guild_id = ? AND body IS NOT NULL", guild.id)[0][0]


def begin_a_round(scene: Scene) -> None:
    """Write down something that the next round of forgetting drops last; the bot is not running."""
    with closing(sqlite3.connect(scene.world.folder / "bot.db")) as database, database:
        database.execute("INSERT INTO notice (channel_id, cause, posted_at) VALUES (1, 'long ago', 0)")


async def a_round(scene: Scene) -> None:
    """Wait until a round of forgetting is over."""
    await scene.stored("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM notice WHERE cause = 'long ago')")


async def test_who_asks_to_be_ignored_is_so_at_once_in_mid_conversation(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Begin")
            await held.waiting()
            await bob.say(scene.channel, "I wait, but not for long")
            await scene.owner.say(scene.channel, "I wait as well")
            await scene.stored("SELECT 1 FROM claim WHERE state = 'waiting' AND author_id = ?", bob.id)
            assert "I pass over your messages" in await scene.read(await bob.slash(scene.channel, "privacy ignore-me"))
            world.upstream.script("One of you, then.")
            await held.finish("Begun.")
        await scene.shows("One of you, then.")
    assert scene.context()[-1] == "user: [Owner] I wait as well"
    assert "not for long" not in str(scene.calls[-1].body)


async def test_what_a_member_deletes_is_gone_from_the_next_reply_on(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        await scene.use()
        await scene.ask("I am the owner", "I know.")
        await scene.ask("My locker opens with 1234", "I did not hear that.", who=bob)
        question = await bob.slash(scene.channel, "privacy delete")
        assert question.message is not None
        await (await bob.click(question.message, "Delete it all")).final_message()
        await scene.ask("What did Bob say?", "Nothing that I know of.")
    assert scene.context() == [
        f"assistant: {GREETING}",
        "user: [Owner] I am the owner",
        "assistant: I know.",
        "user: [Owner] What did Bob say?",
    ]


async def test_nobody_deletes_for_another(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        await scene.ask("Keep this", "Kept.")
        bob = scene.guild.add_member("Bob")
        question = await bob.slash(scene.channel, "privacy delete")
        assert question.message is not None
        await (await bob.click(question.message, "Delete it all")).final_message()
        assert texts(scene, scene.guild) == 1


async def test_a_thread_or_channel_that_is_deleted_is_forgotten(world: World) -> None:
    scene = Scene.of(world)
    thread, other = scene.thread(), scene.beside("doomed")
    kept = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM claim WHERE channel_id = ? AND body IS NOT NULL)"
    async with world.bot():
        await scene.use()
        await other.use()
        for place in (scene, thread, other):
            await place.ask("The door code is 1234", "Noted.")
        thread.channel.delete()
        await scene.stored(kept, thread.channel.id)
    other.channel.delete()
    async with world.bot():
        await scene.stored(kept, other.channel.id)
        await scene.stored("SELECT 1 FROM binding WHERE channel_id = ? AND state = 'ended'", other.channel.id)
        await scene.ask("And I?", "You stay.")
    assert "user: [Owner] The door code is 1234" in scene.context()


async def test_texts_are_dropped_after_the_time_that_the_operator_set(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot(privacy__retention_days="7"):
        await scene.use()
        await scene.ask("An old secret", "Noted.")
        world.time.skip(hours=8 * 24)
        await scene.ask("A new secret", "Noted as well.")
    world.time.haste = HASTE
    async with world.bot(privacy__retention_days="7"):
        await scene.stored("SELECT 1 FROM claim WHERE body IS NULL")
        assert texts(scene, scene.guild) == 1
        world.time.haste = 1
        await scene.ask("What do you know?", "Only what is new.")
    assert "An old secret" not in str(scene.context())
    assert "user: [Owner] A new secret" in scene.context()


async def test_a_server_that_was_left_is_forgotten_after_a_day_and_not_before(world: World) -> None:
    stays, goes = Scene.of(world), Scene.of(world)
    async with world.bot():
        await stays.use()
        greeting = await goes.use()
        await stays.ask("Keep this", "Kept.")
        await goes.ask("Forget this", "In time.")
        await goes.until(lambda: not greeting.components, "the buttons moved")
        goes.guild.remove_bot()
        await stays.stored("SELECT 1 FROM guild WHERE id = ? AND left_at IS NOT NULL", goes.guild.id)
    begin_a_round(stays)
    world.time.skip(hours=23)
    world.time.haste = HASTE
    async with world.bot():
        await a_round(stays)
        assert texts(stays, goes.guild) == 1
        world.time.skip(hours=2)
    async with world.bot():
        await stays.stored("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM guild WHERE id = ?)", goes.guild.id)
        for table in ("binding", "conversation", "webhook", "claim"):
            assert stays.query(f"SELECT COUNT(*) FROM {table} WHERE guild_id = ?", goes.guild.id) == [(0,)], table  # noqa: S608 - the names above
        assert texts(stays, stays.guild) == 1


async def test_a_server_in_an_outage_is_never_forgotten(world: World) -> None:
    stays, away = Scene.of(world), Scene.of(world)
    async with world.bot():
        await away.use()
        await away.ask("Keep this", "Kept.")
        away.guild.become_unavailable()
    begin_a_round(stays)
    world.time.skip(hours=48)
    world.time.haste = HASTE
    async with world.bot():
        await a_round(stays)
        assert texts(stays, away.guild) == 1
        world.time.haste = 1
        away.guild.become_available()
        await away.ask("Do you remember?", "I do.")
    assert "user: [Owner] Keep this" in away.context()
