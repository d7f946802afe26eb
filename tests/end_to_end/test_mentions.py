"""What a model writes pings nobody, hides nothing, and arrives whole."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from bot.sandbox.discord import Message, MessageFlag, Permission
from bot.sandbox.discord.mentions import preview_links
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from tests.end_to_end.scene import GREETING, Scene
from tests.end_to_end.world import World

together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(shared_world: World) -> AsyncGenerator[World]:
    """Run one bot for all of these tests, which keep to a server each."""
    async with shared_world.bot(relay__preview_interval_seconds="0.1"):
        yield shared_world


def pings(scene: Scene) -> set[object]:
    """Return who was notified by anything the bot or its characters ever showed in the channel."""
    own = [*scene.voices(), *scene.notices()]
    return {ping for message in own for ping in message.pings}


async def shown(scene: Scene, text: str) -> Message:
    """Have the character write a text, piece by piece, and return the message once it is whole."""
    before = len(scene.voices())
    async with scene.world.upstream.hold() as held:
        await scene.owner.say(scene.channel, "Write it")
        half = len(text) // 2
        await held.release_text(text[:half])
        await scene.until(lambda: len(scene.voices()) > before, "a preview")
        await held.release_text(text[half:])
        await held.finish()
    await scene.until(lambda: bool(scene.voices()[-1].components), "the whole reply")
    return scene.voices()[-1]


@together
@pytest.mark.parametrize("trusted", [False, True], ids=["ordinary", "may mention everyone"])
async def test_no_mention_in_a_reply_pings_anybody(running: World, trusted: bool) -> None:  # noqa: FBT001 - a case of the table
    scene = Scene.of(running)
    bob = scene.guild.add_member("Bob")
    role = scene.guild.add_role("Editors", mentionable=True)
    if trusted:
        scene.guild.bot_permissions |= Permission.MENTION_EVERYONE
    text = (
        f"A first sentence that stands alone. @everyone and @here, come! "
        f"{bob.mention}, <@!{bob.id}>, {role.mention} and <@{scene.owner.id}>: look at {scene.channel.mention}. "
        f"</character use:{scene.guild.id}> That is all there is to say about it."
    )
    await scene.use()
    reply = await shown(scene, text)
    assert len(reply.revisions) > 1
    await scene.owner.slash(scene.channel, "character leave")
    assert pings(scene) == set()
    for revision in reply.revisions:
        assert "<@" not in revision.content
        assert "@everyone" not in revision.content
        assert "@here" not in revision.content
    # The owner took part, so the name is known; Bob did not, and the bot keeps no list of members.
    assert "@Editors" in reply.content
    assert "@Owner" in reply.content
    assert "#general" in reply.content


@together
async def test_a_reply_of_the_bots_own_pings_nobody_either(running: World) -> None:
    scene = Scene.of(running)
    scene.guild.bot_permissions |= Permission.MENTION_EVERYONE
    scene.channel.deny_bot(Permission.MANAGE_WEBHOOKS)
    await scene.use()
    running.upstream.script(f"@everyone {scene.owner.mention} look!")
    await scene.owner.say(scene.channel, "Shout")
    await scene.until(lambda: any("look!" in text for text in scene.spoken()), "a reply")
    assert pings(scene) == set()


@together
async def test_a_greeting_and_a_name_from_the_catalogue_ping_nobody(running: World) -> None:
    scene = Scene.of(running)
    scene.guild.bot_permissions |= Permission.MENTION_EVERYONE
    mina = scene.guild.add_member("@everyone Mina", permissions=Permission.MANAGE_CHANNELS)
    running.upstream.catalog.add(
        SandboxCharacter(
            slug="crier",
            name=f"@everyone <@{scene.owner.id}>",
            first_message=f"@here, {{{{user}}}} and <@{scene.owner.id}>! [a](https://evil.example) I am {{{{char}}}}.",
        )
    )
    await (await mina.slash(scene.channel, "character use", character="crier")).final_message()
    await scene.until(lambda: len(scene.voices()) == 1, "a greeting")
    for command in ("character current", "character settings"):
        answer = await (await mina.slash(scene.channel, command)).final_message()
        assert answer.pings == set()
    await (await mina.slash(scene.channel, "character leave")).final_message()
    await scene.until(lambda: any("has left" in text for text in scene.told()), "a notice")
    assert pings(scene) == set()
    assert "](https" not in scene.spoken()[0]
    assert "evil.example" in scene.spoken()[0]


@together
async def test_links_show_where_they_lead_and_have_no_previews(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    reply = await shown(
        scene,
        "Read this first, and take your time. [your bank](https://evil.example/login) and https://plain.example/ "
        "or [**bold**](<https://bold.example/>). Join us: https://discord.gg/abcdef and be welcome there.",
    )
    assert preview_links(reply.content)
    assert not reply.unfurled
    assert not reply.embeds
    assert reply.flags & MessageFlag.SUPPRESS_EMBEDS
    for revision in reply.revisions:
        assert "](" not in revision.content
        assert "discord.gg" not in revision.content
    assert "your bank (https://evil.example/login)" in reply.content
    assert "(invite link removed)" in reply.content


@together
@pytest.mark.parametrize("lead", ["Helpful Guide: ", "**Helpful Guide:** ", "[Helpful Guide] ", "helpful guide:\n"])
async def test_a_leading_name_is_dropped(running: World, lead: str) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.script(f"{lead}Let us begin.")
    await scene.owner.say(scene.channel, "Who speaks?")
    await scene.shows("Let us begin.")


@together
async def test_code_blocks_survive_the_cut_between_posts(running: World) -> None:
    scene = Scene.of(running)
    lines = [f"    total += weigh(item, {number})  # line {number}" for number in range(80)]
    text = "Here it is:\n```python\ndef total(items):\n" + "\n".join(lines) + "\n```\nThat is all."
    await scene.use()
    running.upstream.script(text)
    await scene.owner.say(scene.channel, "Show me code")
    await scene.until(lambda: bool(scene.spoken()[-1].endswith("That is all.")), "the end")
    posts = scene.spoken()[1:]
    assert 2 <= len(posts) <= 5
    assert all(len(post) <= 2_000 and post.count("```") % 2 == 0 for post in posts)
    assert all("```python\n" in post for post in posts)
    found = [line for post in posts for line in post.splitlines() if line.startswith("    total")]
    assert found == lines


@together
async def test_a_reply_of_more_than_five_posts_comes_as_a_file(running: World) -> None:
    scene = Scene.of(running)
    text = "\n\n".join(f"Paragraph {number}. " + "The river went on and on. " * 12 for number in range(60)).strip()
    await scene.use()
    running.upstream.script(text)
    await scene.owner.say(scene.channel, "Tell me everything")
    await scene.until(lambda: any(message.attachments for message in scene.voices()), "a file")
    await scene.settled()
    (post,) = scene.voices()[1:]
    (file,) = post.attachments
    assert file.filename == "reply.txt"
    assert file.content.decode() == text
    assert post.content.startswith("Paragraph 0.")
    assert "is in the attached file" in post.content
    assert post.components
    await scene.ask("And?", "And so on.")
    assert scene.context()[-2] == f"assistant: {text}"


@together
async def test_a_file_that_was_seen_growing_leaves_one_post(running: World) -> None:
    scene = Scene.of(running)
    paragraphs = [f"Paragraph {number}. " + "The river went on and on. " * 30 for number in range(16)]
    await scene.use()
    async with running.upstream.hold() as held:
        await scene.owner.say(scene.channel, "Tell me everything")
        for number, paragraph in enumerate(paragraphs):
            await held.release_text(paragraph + "\n\n")
            if number == 4:
                await scene.until(lambda: len(scene.voices()) > 2, "more posts")
        await held.finish()
    await scene.until(lambda: any(message.attachments for message in scene.voices()), "a file")
    await scene.settled()
    assert len(scene.voices()) == 2
    (file,) = scene.voices()[1].attachments
    assert file.content.decode() == "\n\n".join(paragraphs).strip()
    assert scene.spoken()[0] == GREETING


@together
async def test_what_people_quote_to_the_character_pings_nobody(running: World) -> None:
    scene = Scene.of(running)
    bob = scene.guild.add_member("Bob")
    await scene.use()
    running.upstream.script(f"You said {bob.mention}, so {bob.mention} it is.")
    await scene.owner.say(scene.channel, "Ask him", mentions=[bob])
    await scene.shows("You said @someone, so @someone it is.")
    assert pings(scene) == set()
