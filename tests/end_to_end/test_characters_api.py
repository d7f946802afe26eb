"""What NanoGPT's Characters page says of requests, as the bot sends them."""

from bot.domain.search import Sort
from bot.sandbox.nanogpt.faults import Route
from bot.sandbox.nanogpt.recording import RecordedCall
from tests.end_to_end.linking import link
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World

CARRIED = {"character_id", "input", "store", "stream"}
"""All that a reply is asked with: whatever else a character is set to is its author's."""


def calls_of(world: World, route: Route) -> list[RecordedCall]:
    return [call for call in world.upstream.calls if call.route == route.value]


async def said_and_answered(scene: Scene) -> None:
    await scene.owner.say(scene.channel, "Hello there")
    await scene.world.upstream.wait_for(lambda: bool(scene.world.upstream.response_calls))
    await scene.settled()


async def test_a_search_sends_all_that_was_asked_and_several_tags_repeated(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        result = await scene.owner.slash(
            scene.channel,
            "character search",
            query="letters",
            tag="Writing, productivity",
            sort=Sort.TOP_RATED.value,
            rating="sfw",
        )
        await result.final_message()
    search = next(call for call in calls_of(world, Route.LIST) if "q" in call.query)
    assert search.query["q"] == ("letters",)
    assert search.query["tags"] == ("writing", "productivity")
    assert search.query["sort"] == ("top_rated",)
    assert search.query["content_rating_max"] == ("sfw",)
    assert search.query["limit"]


async def test_public_reads_carry_no_key_and_everything_else_one_as_bearer(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner)
    async with world.bot():
        await scene.use()
        await said_and_answered(scene)
        await (await scene.owner.slash(scene.channel, "character mine")).final_message()
    for call in world.upstream.calls:
        public = call.route in {Route.LIST.value, Route.CHARACTER.value, Route.LANGUAGE_MODELS.value}
        assert call.key == ("none" if public else "good")
        assert call.key_header == (None if public else "Authorization")
    assert {call.account for call in calls_of(world, Route.MINE)} == {account.id}
    assert {call.account for call in calls_of(world, Route.RESPONSES)} == {world.upstream.operator.id}


async def test_a_reply_overrides_nothing_that_its_author_has_set(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        await said_and_answered(scene)
    (call,) = world.upstream.response_calls
    assert set(call.fields) == CARRIED
    assert call.fields["store"] is False
