"""Who may decide who speaks, and every refusal in words of its own."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from bot.sandbox.discord import Permission
from bot.sandbox.nanogpt.cast import PENDING, PRIVATE, UNLISTED, WITHOUT_API
from bot.sandbox.nanogpt.variants import ArchivedRead
from tests.end_to_end.scene import GREETING, GUIDE, Scene
from tests.end_to_end.world import World

ARCHIVED = "hearthside-baker"
NEEDED = {
    Permission.SEND_MESSAGES: "Send Messages",
    Permission.SEND_MESSAGES_IN_THREADS: "Send Messages in Threads",
    Permission.EMBED_LINKS: "Embed Links",
    Permission.ATTACH_FILES: "Attach Files",
    Permission.READ_MESSAGE_HISTORY: "Read Message History",
}


together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(shared_world: World) -> AsyncGenerator[World]:
    """Run one bot for all of these tests, which keep to a server each."""
    async with shared_world.bot():
        yield shared_world


@together
@pytest.mark.parametrize("permission", NEEDED, ids=lambda permission: permission.name)
async def test_each_permission_that_the_bot_lacks_is_named_and_no_other(running: World, permission: Permission) -> None:
    scene = Scene.of(running)
    scene.channel.deny_bot(permission)
    sentence = await scene.refused("character use", character=GUIDE)
    assert f"<#{scene.channel.id}>: {NEEDED[permission]}. Allow me" in sentence
    scene.channel.deny_bot(Permission.NONE)
    await scene.use()


@together
async def test_a_channel_that_the_bot_cannot_see_is_refused_with_all_that_is_lacking(running: World) -> None:
    scene = Scene.of(running)
    scene.channel.deny_bot(Permission.VIEW_CHANNEL)
    sentence = await scene.refused("character use", character=GUIDE)
    assert "View Channel" in sentence


@together
@pytest.mark.parametrize(
    ("character", "sentence"),
    [
        ("no-such-character", "There is no public character by that name."),
        (PRIVATE, "There is no public character by that name."),
        # Upstream says nothing of what nobody has approved yet; the sentence for it waits for the day it does.
        (PENDING, "There is no public character by that name."),
        (WITHOUT_API, "That character's author has not opened it to apps like this one."),
        (UNLISTED, "There is no public character by that name."),
        (ARCHIVED, "That character was archived by its author"),
        ("night-bard", "That character's content rating is above what this channel may show."),
        ("ember-court-envoy", "That character's content rating is above what this channel may show."),
    ],
)
async def test_each_reason_why_a_character_cannot_be_used_is_its_own_sentence(
    running: World, character: str, sentence: str
) -> None:
    scene = Scene.of(running)
    running.upstream.catalog.withdraw(ARCHIVED)
    running.upstream.variants.archived_read = ArchivedRead.MARKED
    said = await scene.refused("character use", character=character)
    assert said.startswith(sentence)
    assert "/character search" in said
    assert scene.query("SELECT COUNT(*) FROM binding WHERE guild_id = ?", scene.guild.id) == [(0,)]


@together
async def test_members_are_refused_everything_that_changes_the_channel_and_may_look(running: World) -> None:
    scene = Scene.of(running)
    member = scene.guild.add_member("Mia")
    assert "Manage Channels" in await scene.refused("character use", member, character=GUIDE)
    for command in ("leave", "reset", "current", "settings"):
        sentence = await scene.refused(f"character {command}", member)
        assert "Manage Channels" in sentence or "No character speaks in this channel" in sentence
    await scene.use()
    await scene.settled()
    for command, options in (
        ("use", {"character": "margin-witch"}),
        ("leave", {}),
        ("reset", {}),
        ("settings", {"trigger": "mention"}),
    ):
        assert "Manage Channels" in await scene.refused(f"character {command}", member, **options), command
    assert "**Helpful Guide** speaks in this channel and answers every message." in await scene.refused(
        "character current", member
    )
    assert "**Helpful Guide** answers every message." in await scene.refused("character settings", member)
    await scene.ask("Still there?", "Still here.", who=member)


@together
async def test_a_permission_in_the_channel_alone_is_enough_and_one_elsewhere_is_not(running: World) -> None:
    scene = Scene.of(running)
    other = scene.beside()
    mod = scene.guild.add_member("Mod")
    scene.channel.overwrite(mod, allow=Permission.MANAGE_CHANNELS)
    assert "Manage Channels" in await other.refused("character use", mod, character=GUIDE)
    await (await mod.slash(scene.channel, "character use", character=GUIDE)).final_message()
    await scene.shows(GREETING)


@together
async def test_administrators_may_decide_everywhere(running: World) -> None:
    scene = Scene.of(running)
    admin = scene.guild.add_member("Admin", permissions=Permission.ADMINISTRATOR)
    await (await admin.slash(scene.channel, "character use", character=GUIDE)).final_message()
    await scene.shows(GREETING)


@together
async def test_in_a_thread_the_channel_is_pointed_to(running: World) -> None:
    scene = Scene.of(running)
    thread = scene.thread()
    for command, options in (("use", {"character": GUIDE}), ("leave", {}), ("settings", {"trigger": "mention"})):
        sentence = await thread.refused(f"character {command}", **options)
        assert f"<#{scene.channel.id}>" in sentence, command
    assert "No character speaks" in await thread.refused("character current")
    await scene.use()
    assert "This thread is a conversation of its own." in await thread.refused("character current")


@together
async def test_without_a_character_every_command_about_it_says_so(running: World) -> None:
    scene = Scene.of(running)
    for command in ("current", "leave", "reset", "settings"):
        assert "No character speaks in this channel" in await scene.refused(f"character {command}")


@together
async def test_leave_forgets_and_a_new_beginning_remembers_nothing(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    await scene.ask("My name is Ida", "Pleased to meet you, Ida.")
    assert "has left" in await scene.read(await scene.owner.slash(scene.channel, "character leave"))
    left = "SELECT COUNT(*) FROM claim WHERE body IS NOT NULL AND guild_id = ?"
    assert scene.query(left, scene.guild.id) == [(0,)]
    await scene.use()
    await scene.ask("What is my name?", "You never told me.")
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] What is my name?"]


@together
async def test_reset_begins_afresh_and_greets_again(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    await scene.ask("My name is Ida", "Pleased to meet you, Ida.")
    assert "It is forgotten" in await scene.read(await scene.owner.slash(scene.channel, "character reset"))
    await scene.until(lambda: scene.spoken().count(GREETING) == 2, "another greeting")
    await scene.ask("What is my name?", "You never told me.")
    assert "Ida" not in str(scene.context())


@together
async def test_a_reset_in_mid_reply_stops_it(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    async with running.upstream.hold() as held:
        await scene.owner.say(scene.channel, "Begin")
        await held.waiting()
        await scene.owner.say(scene.channel, "Waiting in vain")
        await scene.stored("SELECT 1 FROM claim WHERE state = 'waiting'")
        await scene.read(await scene.owner.slash(scene.channel, "character reset"))
        await held.disconnected()
    await scene.until(lambda: scene.spoken().count(GREETING) == 2, "another greeting")
    await scene.ask("Hello?", "Hello.")
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] Hello?"]
    assert len(scene.calls) == 2


@together
async def test_one_character_takes_the_place_of_another(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    await scene.ask("Who are you?", "The guide.")
    await scene.use("margin-witch")
    assert any("It takes the place of **Helpful Guide**." in text for text in scene.told())
    reply = await scene.ask("And you?", "The witch.")
    assert reply.author.name == "Margin Witch"
    assert "guide" not in str(scene.context())
    assert scene.calls[-1].character == running.upstream.catalog.get("margin-witch").id


@together
async def test_the_greeting_names_the_person_who_brought_the_character(running: World) -> None:
    scene = Scene.of(running)
    mod = scene.guild.add_member("mod", nick="Dr. Mod", permissions=Permission.MANAGE_CHANNELS)
    await (await mod.slash(scene.channel, "character use", character="margin-witch")).final_message()
    await scene.shows("*lifts a candle over the page* So, Dr. Mod. Margin Witch has read it. Shall we begin?")
