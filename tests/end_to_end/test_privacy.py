"""What members may ask about themselves, `/help` and `/ping`."""

import pytest

from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.people import Person
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World


@pytest.fixture
def room(world: World) -> Channel:
    return world.discord.add_guild("Writers").add_channel("general")


@pytest.fixture
def owner(room: Channel) -> Person:
    assert room.guild is not None
    return room.guild.owner


async def let_in(world: World, owner: Person, room: Channel) -> None:
    await (await owner.slash(room, "character use", character="helpful-guide")).final_message()
    await world.discord.wait_for(
        lambda: any(message.content == "What are we editing today?" for message in room.messages.values())
    )


async def says_and_is_answered(world: World, owner: Person, room: Channel, answer: str) -> None:
    world.upstream.script(answer)
    await owner.say(room, "Say something")
    await world.discord.wait_for(lambda: any(message.content == answer for message in room.messages.values()))


async def test_an_ignored_member_is_passed_over_until_they_want_to_be_heard(
    world: World, room: Channel, owner: Person
) -> None:
    assert room.guild is not None
    other = room.guild.add_member("bob")
    async with world.bot():
        await let_in(world, owner, room)
        ignored = await other.slash(room, "privacy ignore-me")
        assert ignored.ephemeral
        assert "I pass over your messages" in ignored.text
        await other.say(room, "Nobody hears this")
        await says_and_is_answered(world, owner, room, "First answer.")
    async with world.bot():
        await other.say(room, "Nor this, after a restart")
        await says_and_is_answered(world, owner, room, "Second answer.")
        assert "I listen to you again" in (await other.slash(room, "privacy ignore-me")).text
        await says_and_is_answered(world, other, room, "Third answer.")
    sent = str([call.body for call in world.upstream.response_calls])
    assert "Nobody hears" not in sent
    assert "Nor this" not in sent
    assert len(world.upstream.response_calls) == 3


async def test_what_was_said_while_ignored_stays_unheard_after_a_reconnect(world: World) -> None:
    scene = Scene.of(world)
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        await scene.use()
        await bob.slash(scene.channel, "privacy ignore-me")
        await bob.say(scene.channel, "My locker opens with 1234")
        assert "stays unread" in await scene.read(await bob.slash(scene.channel, "privacy ignore-me"))
    async with world.bot():
        await scene.ask("Hello?", "Hello.", who=bob)
        await scene.settled()
    assert [scene.context(number)[1:] for number in range(len(scene.calls))] == [["user: [Bob] Hello?"]]
    assert not scene.marks()


async def test_a_member_sees_and_deletes_what_is_kept(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        await let_in(world, owner, room)
        await says_and_is_answered(world, owner, room, "Noted.")
        await owner.submit(await owner.slash(room, "character rate", character="helpful-guide"), {"stars": "5"})
        shown = await owner.slash(room, "privacy show")
        assert shown.ephemeral
        assert "1 message with its text" in shown.text
        assert "1 rating of" in shown.text
        question = await owner.slash(room, "privacy delete")
        assert "cannot be undone" in question.text
        assert question.message is not None
        done = await (await owner.click(question.message, "Delete it all")).final_message()
        assert "I deleted 1 message text, 1 rating" in done.content
        assert done.id == question.message.id
        assert done.components == []
        assert "0 messages with their text" in (await owner.slash(room, "privacy show")).text
        world.upstream.script("Who are you?")
        await owner.say(room, "Do you remember me?")
        await world.discord.wait_for(
            lambda: any(message.content == "Who are you?" for message in room.messages.values())
        )
    assert "Say something" not in str(world.upstream.response_calls[-1].body)


async def test_the_question_can_be_answered_after_a_restart(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        question = await owner.slash(room, "privacy delete")
    async with world.bot():
        assert question.message is not None
        done = await (await owner.click(question.message, "Delete it all")).final_message()
        assert done.content.startswith("Done.")


async def test_privacy_works_in_direct_messages(world: World, owner: Person) -> None:
    async with world.bot():
        answer = await owner.slash(owner.open_dm(), "privacy show")
    assert "This is what I keep about you" in answer.text


async def test_help_lists_the_commands_so_that_they_can_be_clicked(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        answer = await owner.slash(room, "help")
    assert answer.ephemeral
    assert answer.message is not None
    (embed,) = answer.message.embeds
    text = embed["description"]
    for command in ("character use", "character rate", "privacy ignore-me", "ping"):
        assert f"</{command}:" in text
    assert "`/" not in text


async def test_a_ping_tells_how_all_is_connected(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        answer = await (await owner.slash(room, "ping")).final_message()
    assert "NanoGPT: " in answer.content
    assert " ms\nDatabase: " in answer.content
