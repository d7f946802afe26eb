"""The webhook through which characters speak: found, repaired, done without, and never spoken through twice."""

import asyncio
from contextlib import AbstractContextManager

import pytest

from bot.sandbox.discord import Fault, Permission
from tests.end_to_end.scene import EXECUTE, GREETING, GUIDE, Scene
from tests.end_to_end.world import World


def beyond_reach(world: World) -> AbstractContextManager[object]:
    """Expect that the buttons under what a webhook said, which is no more, cannot be taken off."""
    return world.discord.expect_refusal(code=10008, path="/messages/{message_id}")


def through_channel_webhook(scene: Scene) -> int:
    """Count the posts through webhooks; answers to interactions have the application's id."""
    application = str(scene.world.discord.application_id)
    posts = scene.requests("POST", "/webhooks/{webhook_id}/{webhook_token}")
    return sum(each.ids["webhook_id"] != application for each in posts)


async def test_a_deleted_webhook_is_made_anew(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        (first,) = scene.channel.webhooks
        scene.channel.remove_webhook(first)
        with world.discord.expect_refusal(code=10015), beyond_reach(world):
            await scene.ask("Still there?", "Still here.")
            await scene.until(lambda: bool(world.discord.refusals[-1].code == 10008), "the end of tidying")
        (second,) = scene.channel.webhooks
        assert second is not first
    async with world.bot():
        await scene.ask("And now?", "Now too.")
        assert scene.channel.webhooks == [second]


async def test_a_webhook_that_was_deleted_while_the_bot_was_away_is_made_anew(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
    scene.channel.remove_webhook(scene.channel.webhooks[0])
    async with world.bot():
        with world.discord.expect_refusal(code=10015), beyond_reach(world):
            await scene.ask("Still there?", "Still here.")
            await scene.until(lambda: bool(world.discord.refusals[-1].code == 10008), "the end of tidying")
    assert len(scene.channel.webhooks) == 1
    assert scene.spoken() == [GREETING, "Still here."]


async def test_a_webhook_that_is_deleted_in_mid_reply_costs_no_text(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot(relay__preview_interval_seconds="0.1"):
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Tell me")
            await held.release_text("This is the first sentence of it. ")
            await scene.until(lambda: len(scene.voices()) == 2, "a preview")
            scene.channel.remove_webhook(scene.channel.webhooks[0])
            with world.discord.expect_refusal(code=10015), beyond_reach(world):
                await held.finish("And this is the last.")
                await scene.shows("This is the first sentence of it. And this is the last.")
                await scene.until(lambda: bool(world.discord.refusals[-1].code == 10008), "the end of tidying")
        await scene.ask("More?", "No more.")


async def test_without_the_permission_the_bot_lends_the_character_its_voice_and_hints_once(world: World) -> None:
    scene = Scene.of(world)
    scene.channel.deny_bot(Permission.MANAGE_WEBHOOKS)
    async with world.bot():
        greeting = await scene.use()
        assert greeting.content == f"**Helpful Guide**\n{GREETING}"
        assert greeting.components
        for number in range(3):
            world.upstream.script(f"I do, number {number}.")
            await scene.owner.say(scene.channel, f"Who speaks, number {number}?")
            await scene.shows(f"**Helpful Guide**\nI do, number {number}.")
        assert sum("Manage Webhooks" in text for text in scene.told()) == 1
        assert scene.context()[-2:] == ["assistant: I do, number 1.", "user: [Owner] Who speaks, number 2?"]
        # Replies to what the bot says for the character are addressed to it, too.
        await scene.owner.slash(scene.channel, "character settings", trigger="mention")
        world.upstream.script("Of course.")
        await scene.owner.say(scene.channel, "Really you?", reply_to=scene.voices()[-1])
        await scene.shows("**Helpful Guide**\nOf course.")
        # With the permission the character gets its own face.
        scene.channel.deny_bot(Permission.NONE)
        world.upstream.script("Much better.")
        await scene.owner.say(scene.channel, "And now?", reply_to=scene.voices()[-1])
        better = await scene.shows("Much better.")
        assert better.webhook is not None
        assert better.author.name == "Helpful Guide"


async def test_the_permission_is_not_needed_to_speak_through_a_webhook_that_is_there(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        scene.channel.deny_bot(Permission.MANAGE_WEBHOOKS)
        reply = await scene.ask("Still yourself?", "Still.")
        assert reply.webhook is not None


async def test_in_a_channel_full_of_webhooks_the_bot_lends_its_voice(world: World) -> None:
    scene = Scene.of(world)
    hooks = [scene.channel.add_foreign_webhook(f"bridge {number}") for number in range(15)]
    async with world.bot():
        with world.discord.expect_refusal(code=30007):
            greeting = await scene.use()
        assert greeting.content == f"**Helpful Guide**\n{GREETING}"
        await scene.until(lambda: any("15 webhooks" in text for text in scene.told()), "a hint")
        scene.channel.remove_webhook(hooks[0])
        await scene.ask("And now?", "Now I have a face.")
        assert scene.voices()[-1].webhook is not None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Discord Clyde", "Dis-cord Cly-de (AI)"),
        ("everyone", "Character (AI)"),
        ("Writers", "Writers (AI)"),
        ("Owner", "Owner (AI)"),
        ("A" * 200, "A" * 80),
        ("\u202eeliF\u200b\u200b", "eliF"),
    ],
)
async def test_a_name_that_discord_forbids_or_that_misleads_is_repaired(world: World, name: str, shown: str) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.update(GUIDE, name=name)
    async with world.bot():
        await scene.use()
        reply = await scene.ask("Who are you?", "Guess.")
    assert reply.author.name == shown


async def test_a_name_of_somebody_who_spoke_stays_marked(world: World) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.update(GUIDE, name="Bob")
    bob = scene.guild.add_member("Bob")
    async with world.bot():
        greeting = await scene.use()
        first = await scene.ask("Who are you?", "Guess.", who=bob)
        second = await scene.ask("Who are you?", "Guess again.")
        assert [message.author.name for message in (greeting, first, second)] == ["Bob", "Bob (AI)", "Bob (AI)"]
        other = scene.beside()
        await bob.say(other.channel, "I was here")
        assert (await other.use()).author.name == "Bob (AI)"
    async with world.bot():
        assert (await scene.ask("Still?", "Still.")).author.name == "Bob (AI)"


async def test_a_name_that_discord_refuses_against_all_rules_costs_no_reply(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        refused = Fault(
            method="POST",
            path_pattern=EXECUTE,
            status=400,
            code=50035,
            message="username: contains something",
            when=lambda request: request.json["username"] == "Helpful Guide",
        )
        world.discord.faults.add(refused)
        with world.discord.expect_refusal(code=50035):
            reply = await scene.ask("Who are you?", "It does not matter.")
    assert reply.author.name == "Character"


async def test_the_catalogues_picture_is_worn(world: World) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.update(GUIDE, avatar_url="https://pictures.example/guide.png")
    async with world.bot():
        greeting = await scene.use()
    assert greeting.avatar_url == "https://pictures.example/guide.png"


async def test_a_picture_that_discord_refuses_costs_no_reply(world: World) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.update(GUIDE, avatar_url="https://pictures.example/guide.png")
    refused = Fault(
        method="POST",
        path_pattern=EXECUTE,
        status=400,
        code=50035,
        message="avatar_url: Not a well formed URL.",
        times=None,
        when=lambda request: "pictures.example" in str(request.json.get("avatar_url")),
    )
    world.discord.faults.add(refused)
    async with world.bot():
        with world.discord.expect_refusal(code=50035):
            greeting = await scene.use()
            reply = await scene.ask("Who are you?", "It does not matter.")
    assert reply.author.name == greeting.author.name == "Helpful Guide"
    assert "/embed/avatars/" in str(reply.avatar_url)
    assert not scene.marks()


async def test_a_text_that_discord_refuses_ends_in_a_mark(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.discord.faults.add(Fault(method="POST", path_pattern=EXECUTE, status=400, code=50035, message="content"))
        with world.discord.expect_refusal(code=50035):
            world.upstream.script("Something unheard of.")
            await scene.owner.say(scene.channel, "Say it")
            mark = await scene.marked("Discord did not take the reply")
        world.upstream.script("Something ordinary.")
        await scene.owner.click(mark, "Retry")
        await scene.shows("Something ordinary.")
        await scene.settled()
        assert not scene.marks()


@pytest.mark.parametrize("how", ["502", "reset"])
async def test_a_post_whose_answer_is_lost_is_one_message(world: World, how: str) -> None:
    scene = Scene.of(world)
    lost = (
        Fault(method="POST", path_pattern=EXECUTE, status=502, html=True, stored=True)
        if how == "502"
        else Fault(method="POST", path_pattern=EXECUTE, reset=True, stored=True)
    )
    async with world.bot():
        await scene.use()
        world.discord.faults.add(lost)
        await scene.ask("Say it once", "Once.")
        await scene.settled()
        await scene.ask("And again?", "As you wish.")
    assert lost.hits == 1
    assert scene.spoken() == [GREETING, "Once.", "As you wish."]


async def test_a_post_that_was_stored_and_whose_event_comes_late_is_one_message(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.discord.faults.add(Fault(method="POST", path_pattern=EXECUTE, status=502, html=True, stored=True))
        before = through_channel_webhook(scene)
        world.upstream.script("Once.")
        await scene.owner.say(scene.channel, "Say it once")
        with world.discord.late_events():
            await scene.until(lambda: through_channel_webhook(scene) == before + 2, "discord.py's own second try")
        await scene.until(lambda: scene.spoken() == [GREETING, "Once."], "one message")
        await scene.settled()
        await scene.ask("And again?", "As you wish.")
    assert scene.spoken() == [GREETING, "Once.", "As you wish."]


async def test_while_discord_is_down_a_reply_waits_and_comes_once(world: World) -> None:
    scene = Scene.of(world)
    world.time.haste = 20
    async with world.bot():
        await scene.use()
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Wait for it")
            await held.waiting()
            async with world.discord.outage(gateway=False):
                await held.finish("Here it is.")
                async with asyncio.timeout(10):
                    while through_channel_webhook(scene) < 2:  # noqa: ASYNC110 - an outage shows nothing
                        await asyncio.sleep(0)
        await scene.shows("Here it is.")
        await scene.settled()
    assert scene.spoken() == [GREETING, "Here it is."]


async def test_a_character_that_may_not_write_any_more_costs_nothing_and_says_why_when_asked(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        scene.channel.deny_bot(Permission.SEND_MESSAGES)
        asked = await scene.owner.say(scene.channel, "Speak!")
        await scene.stored("SELECT 1 FROM claim WHERE message_id = ? AND state = 'failed'", asked.id)
        assert scene.calls == []
        assert "I was not allowed to answer here" in await scene.why(asked)
        current = await scene.owner.slash(scene.channel, "character current")
        assert "it cannot answer, or not as it should: Send Messages." in await scene.read(current)
        scene.channel.deny_bot(Permission.NONE)
        await scene.ask("And now?", "Now I may.")
        assert "Send Messages" not in await scene.read(await scene.owner.slash(scene.channel, "character current"))
    assert scene.spoken() == [GREETING, "Now I may."]
