"""Reports as the staff of a server reads them, and rating and reporting from the menu of a message."""

from bot.sandbox.discord import Channel, InteractionResult, Message, Person
from bot.sandbox.discord.faults import Fault
from bot.sandbox.nanogpt.cast import AUTHOR, PRIVATE
from bot.views.servers import LogChannelSelect
from tests.end_to_end.linking import link, want_reports
from tests.end_to_end.scene import BARD, GUIDE, Scene
from tests.end_to_end.world import World

HASTE = 200
DETAILS = "It copies my novel."
BOX = "Show the staff my name and my details"


def log_of(scene: Scene, *, nsfw: bool = False) -> Channel:
    """Open the channel in which the staff wants to read reports."""
    return scene.guild.add_channel("mod-log", nsfw=nsfw)


async def introduced(scene: Scene, character: str = GUIDE) -> Message:
    """Let a character introduce itself, and return its greeting once the bot has written down which message it is."""
    greeting = await scene.use(character)
    await scene.stored("SELECT 1 FROM post WHERE message_id = ?", greeting.id)
    return greeting


async def report(form: InteractionResult, who: Person, **fields: object) -> InteractionResult:
    """Send a filled-in report."""
    answer = await who.submit(form, {"reason": "copyright", "details": DETAILS, **fields})
    assert "is stored" in answer.text, answer.text
    return answer


async def copy_in(scene: Scene, log: Channel) -> Message:
    """Wait for the copy of a report, and return it."""
    await scene.until(lambda: bool(log.messages), "a copy")
    (message,) = log.messages.values()
    return message


def address(scene: Scene, message: Message) -> str:
    """Return where a message of the scene can be seen."""
    return f"https://discord.com/channels/{scene.guild.id}/{scene.channel.id}/{message.id}"


async def test_the_staff_reads_what_is_wrong_and_where_and_not_who_said_so(world: World) -> None:
    scene = Scene.of(world)
    member, log = scene.guild.add_member("Bea"), log_of(scene)
    await want_reports(world, log)
    async with world.bot():
        greeting = await introduced(scene)
        form = await member.click(greeting, "⚑ Report")
        answer = await report(form, member)
        assert "The staff of this server gets a copy, without your name and your details" in answer.text
        copy = await copy_in(scene, log)
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert "**Helpful Guide** was reported: Copyright" in copy.content
    assert address(scene, greeting) in copy.content
    assert str(member.id) not in copy.content
    assert DETAILS not in copy.content
    assert world.upstream.reports[0].details == DETAILS


async def test_the_staff_reads_name_and_details_where_the_reporter_ticks_the_box(world: World) -> None:
    scene = Scene.of(world)
    member, log = scene.guild.add_member("Bea"), log_of(scene)
    await want_reports(world, log)
    async with world.bot():
        form = await member.click(await scene.use(), "⚑ Report")
        answer = await report(form, member, **{BOX: True})
        assert "a copy, with your name and your details" in answer.text
        copy = await copy_in(scene, log)
    assert member.mention in copy.content
    assert f"```\n{DETAILS}\n```" in copy.content
    assert copy.pings == set()


async def test_staff_that_chooses_a_channel_reads_the_next_report_there(world: World) -> None:
    scene = Scene.of(world)
    log = log_of(scene)
    async with world.bot():
        greeting = await introduced(scene)
        settings = await (await scene.owner.slash(scene.channel, "server settings")).final_message()
        await (await scene.owner.select(settings, LogChannelSelect.id_for(), [log])).final_message()
        await scene.stored("SELECT 1 FROM server_settings WHERE log_channel_id = ?", log.id)
        form = await scene.owner.click(greeting, "⚑ Report")
        assert BOX in str(form.modal)
        await report(form, scene.owner)
        assert address(scene, greeting) in (await copy_in(scene, log)).content


async def test_a_server_without_a_channel_for_reports_shows_no_box(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        form = await scene.owner.click(await scene.use(), "⚑ Report")
        assert BOX not in str(form.modal)
        assert "staff" not in (await report(form, scene.owner)).text
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert all(len(channel.messages) == 0 for channel in scene.guild.channels.values() if channel is not scene.channel)


async def test_a_copy_in_an_ordinary_channel_names_no_adult_character(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    log = log_of(scene)
    await want_reports(world, log)
    async with world.bot():
        greeting = await introduced(scene, BARD)
        form = await scene.owner.click(greeting, "⚑ Report")
        await report(form, scene.owner, **{BOX: True})
        copy = await copy_in(scene, log)
    assert "Bard" not in copy.content
    assert DETAILS not in copy.content
    assert address(scene, greeting) in copy.content


async def test_a_copy_that_was_not_posted_is_posted_after_a_restart(world: World) -> None:
    scene = Scene.of(world)
    log = log_of(scene)
    await want_reports(world, log)
    async with world.bot():
        form = await scene.owner.click(await scene.use(), "⚑ Report")
        world.discord.faults.add(Fault(method="POST", path_pattern=r"^/channels/\{channel_id\}/messages$", status=503))
        await report(form, scene.owner)
        await scene.stored("SELECT 1 FROM outbox WHERE kind = 'report_copy' AND attempts > 0")
    assert log.messages == {}
    world.time.skip(minutes=30)
    world.time.haste = HASTE
    async with world.bot():
        # Mostly the gateway has not described the channel yet when the bot looks for the first time.
        await scene.stored(
            "SELECT 1 FROM outbox WHERE attempts > 1 UNION SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox)"
        )
        world.time.skip(minutes=10)
        assert "Helpful Guide" in (await copy_in(scene, log)).content
        await scene.stored("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox)")


async def test_a_report_of_a_linked_member_is_their_own(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner)
    async with world.bot():
        form = await scene.owner.click(await scene.use(), "⚑ Report")
        assert "as a report of your NanoGPT account" in str(form.modal)
        await report(form, scene.owner)
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert world.upstream.reports[0].account == account.id


async def test_a_report_under_a_refused_key_goes_with_the_operators(world: World) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.revoke_key((await link(world, scene.owner)).id)
    async with world.bot():
        await report(await scene.owner.click(await scene.use(), "⚑ Report"), scene.owner)
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert world.upstream.reports[0].account == world.upstream.operator.id


# Private characters


async def bring_diary(scene: Scene) -> Message:
    """Let the owner of the private diary agree to pay for it here, and return its greeting."""
    question = await scene.owner.slash(scene.channel, "character use", character=PRIVATE)
    form = await scene.owner.click(await question.final_message(), "Pay for it here…")
    await (await scene.owner.submit(form, {"turns": "5"})).final_message()
    await scene.until(lambda: bool(scene.voices()), "a greeting")
    greeting = scene.voices()[0]
    await scene.stored("SELECT 1 FROM post WHERE message_id = ?", greeting.id)
    return greeting


async def test_a_private_character_is_reported_to_the_staff_and_to_nobody_else(world: World) -> None:
    scene = Scene.of(world)
    member, log = scene.guild.add_member("Bea"), log_of(scene)
    await want_reports(world, log)
    await link(world, scene.owner, account_id=AUTHOR)
    await link(world, member)
    async with world.bot():
        greeting = await bring_diary(scene)
        form = await member.context_menu(greeting, "Report")
        assert form.modal is not None
        assert form.modal.title == "Report Diary Keeper"
        assert "to the staff of this server and to nobody else" in str(form.modal)
        answer = await report(form, member)
        assert "and to nobody else" in answer.text
        copy = await copy_in(scene, log)
        await scene.stored("SELECT 1 FROM report WHERE state = 'accepted'")
        assert "**Diary Keeper** was reported" in copy.content
        assert address(scene, greeting) in copy.content
        rating = await member.submit(await member.context_menu(greeting, "Rate character"), {"stars": "2"})
        assert "it takes no reviews" in rating.text
    assert [call for call in world.upstream.calls if call.path.endswith(("/report", "/review"))] == []


async def test_a_private_character_cannot_be_reported_where_no_staff_would_read_it(world: World) -> None:
    scene = Scene.of(world)
    member = scene.guild.add_member("Bea")
    await link(world, scene.owner, account_id=AUTHOR)
    async with world.bot():
        greeting = await bring_diary(scene)
        sentence = await scene.read(await member.context_menu(greeting, "Report"))
    assert "has set no channel for reports" in sentence


# From the menu of a message


async def test_a_character_is_rated_and_reported_from_any_message_of_its_own(world: World) -> None:
    scene = Scene.of(world)
    log = log_of(scene)
    await want_reports(world, log)
    async with world.bot():
        greeting = await introduced(scene)
        await scene.ask("And then?", "Then it gets dark.")
        rating = await scene.owner.context_menu(greeting, "Rate character")
        assert rating.modal is not None
        assert rating.modal.title == "Rate Helpful Guide"
        assert "★★★★★" in (await scene.owner.submit(rating, {"stars": "5"})).text
        await report(await scene.owner.context_menu(greeting, "Report"), scene.owner)
        assert address(scene, greeting) in (await copy_in(scene, log)).content
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert world.upstream.reports[0].character == GUIDE


async def test_a_reply_in_a_thread_is_reported_where_it_stands(world: World) -> None:
    scene = Scene.of(world)
    log = log_of(scene)
    await want_reports(world, log)
    async with world.bot():
        await scene.use()
        aside = scene.thread()
        reply = await aside.ask("Between us?", "Between us.")
        await aside.stored("SELECT 1 FROM post WHERE message_id = ?", reply.id)
        await report(await scene.owner.context_menu(reply, "Report"), scene.owner)
        assert address(aside, reply) in (await copy_in(scene, log)).content


async def test_a_message_that_no_character_said_gets_a_sentence(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        said = await scene.owner.say(scene.channel, "My own words.")
        await scene.settled()
        for menu in ("Rate character", "Report"):
            sentence = await scene.read(await scene.owner.context_menu(said, menu))
            assert "not a message of a character's" in sentence


async def test_a_character_that_may_not_be_shown_here_any_more_is_not_named(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        greeting = await introduced(scene, BARD)
        scene.channel.set_nsfw(nsfw=False)
        await scene.marked("is paused")
        assert "content rating" in await scene.read(await scene.owner.context_menu(greeting, "Rate character"))
        form = await scene.owner.context_menu(greeting, "Report")
        assert form.modal is not None
        assert form.modal.title == "Report this character"
