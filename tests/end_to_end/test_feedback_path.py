"""The way of feedback: kept at once, sent when it can be, and never lost on the way."""

from bot.sandbox.discord import InteractionResult, Message, Person
from bot.sandbox.nanogpt.faults import Fault, Route
from tests.end_to_end.scene import GUIDE, Scene
from tests.end_to_end.world import World

HASTE = 200


async def report(scene: Scene, reply: Message, who: Person | None = None, **fields: str) -> InteractionResult:
    """Press Report under a reply and send the form."""
    person = who or scene.owner
    return await person.submit(await person.click(reply, "⚑ Report"), {"reason": "copyright", **fields})


async def rate(scene: Scene, who: Person, stars: int) -> None:
    """Rate the character by command."""
    form = await who.slash(scene.channel, "character rate", character=GUIDE)
    assert "Thank you" in (await who.submit(form, {"stars": str(stars)})).text


async def test_a_report_that_could_not_be_sent_goes_out_after_a_restart(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        greeting = await scene.use()
        world.upstream.faults.catalog_down = True
        assert "is stored" in (await report(scene, greeting, details="It copies my novel.")).text
        await scene.stored("SELECT 1 FROM outbox WHERE attempts > 0")
    world.upstream.faults.clear()
    world.time.skip(minutes=30)
    async with world.bot():
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
        await scene.stored("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox)")
    (sent,) = world.upstream.reports
    assert (sent.character, sent.reason, sent.details) == (GUIDE, "Copyright", "It copies my novel.")
    assert sent.account == world.upstream.operator.id


async def test_a_report_that_nobody_takes_for_a_week_is_given_up_and_its_author_told(world: World) -> None:
    scene = Scene.of(world)
    world.time.haste = HASTE
    async with world.bot():
        greeting = await scene.use()
        world.upstream.faults.next(Fault.UNAVAILABLE, 1_000, on=Route.REPORT)
        await report(scene, greeting)
        await scene.stored("SELECT 1 FROM outbox WHERE attempts > 0")
        world.time.skip(hours=8 * 24)
        await scene.stored("SELECT 1 FROM report WHERE state = 'expired'")
        answered = await scene.owner.slash(scene.channel, "privacy show")
        await scene.until(lambda: bool(answered.followups), "the news")
        assert "did not reach the NanoGPT catalogue within a week" in answered.followups[0].content
    assert world.upstream.reports == []


async def test_a_report_of_a_character_above_the_ceiling_names_nothing_and_still_goes_out(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        greeting = await scene.use("night-bard")
        scene.channel.set_nsfw(nsfw=False)
        await scene.marked("is paused")
        form = await scene.owner.click(greeting, "⚑ Report")
        assert form.modal is not None
        assert "Bard" not in form.modal.title
        await scene.owner.submit(form, {"reason": "misrated"})
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert world.upstream.reports[0].character == "night-bard"


async def test_a_servers_stars_show_from_three_members_on_and_count_each_once(world: World) -> None:
    scene = Scene.of(world)
    people = [scene.owner, scene.guild.add_member("Bea"), scene.guild.add_member("Cyril")]
    async with world.bot():
        await scene.use()
        for number, person in enumerate(people):
            shown = await (await scene.owner.slash(scene.channel, "character show", character=GUIDE)).final_message()
            assert "on this server" not in str(shown.embeds)
            await rate(scene, person, 3 + number)
        await rate(scene, people[0], 5)
        shown = await (await scene.owner.slash(scene.channel, "character show", character=GUIDE)).final_message()
        assert "★ 4.7 on this server" in str(shown.embeds)
    assert scene.query("SELECT COUNT(*) FROM rating") == [(3,)]


async def test_no_rating_ever_leaves_with_the_operators_key(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        await rate(scene, scene.owner, 5)
        await scene.ask("Still there?", "Still here.")
    posts = [call for call in world.upstream.calls if call.method != "GET"]
    assert [call.route for call in posts] == [Route.RESPONSES.value]
