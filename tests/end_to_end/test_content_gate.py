"""The content gate: what is rated above a place is neither shown nor named nor heard there."""

import asyncio
import contextlib
from typing import Final

import pytest

from bot.sandbox.discord import Message
from bot.sandbox.discord.json_types import as_text, objects_of
from bot.sandbox.nanogpt.catalog import CharacterChanges
from bot.sandbox.nanogpt.faults import Fault, Route
from tests.end_to_end.scene import BARD, GREETING, GUIDE, ORACLE, Scene
from tests.end_to_end.world import World

ABOVE_SFW = ("Night Bard", "Velvet Oracle", "Ember Court Envoy", "Inspector Vale Thorne", "Contessa Valtesse")
"""Five by name; the catalogue calls the oracle sfw and the contessa suggestive, their authors do not."""
ABOVE_NSFW = "Ember Court Envoy"
ONCE_SECONDS: Final = 3.0
AGAIN_SECONDS: Final = 40.0


def words(message: Message) -> str:
    """Return everything that can be read in a message."""
    return f"{message.content} {message.embeds} {message.components}"


async def warmed_up(world: World) -> None:
    """Wait until the bot has listed the catalogue in both orders."""
    await world.upstream.wait_for(lambda: sum(call.route == Route.LIST.value for call in world.upstream.calls) >= 2)


@pytest.mark.parametrize("character", [BARD, ORACLE, "ember-court-envoy"])
async def test_an_adult_character_is_refused_in_an_ordinary_channel_without_its_name(
    world: World, character: str
) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await warmed_up(world)
        for command in ("character use", "character show"):
            sentence = await scene.refused(command, character=character)
            assert "content rating is above what this channel may show" in sentence
            assert not any(word in sentence for name in ABOVE_SFW for word in name.split())
        for command in ("character rate", "character report"):
            assert not scene.channel.messages
            result = await scene.owner.slash(scene.channel, command, character=character)
            shown = result.text if result.modal is None else result.modal.title
            assert not any(word in shown for name in ABOVE_SFW for word in name.split())


@pytest.mark.parametrize("character", [BARD, ORACLE])
async def test_an_adult_character_speaks_in_an_age_restricted_channel_and_in_its_threads(
    world: World, character: str
) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        await scene.use(character)
        await scene.ask("Sing", "La la.")
        await scene.thread().ask("And here?", "Here too.")
    assert len(scene.calls) == 2


async def test_the_strongest_rating_needs_the_operators_word_as_well(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        sentence = await scene.refused("character use", character="ember-court-envoy")
        assert "above what this channel may show" in sentence
        # No channel of this bot may, so none is suggested.
        assert "age-restricted" not in sentence
    async with world.bot(content__restricted_max="explicit"):
        await scene.use("ember-court-envoy")


async def pages(scene: Scene, **query: object) -> str:
    """Search, turn to the last page, and return everything that could be read on the way."""
    page = await (await scene.owner.slash(scene.channel, "character search", **query)).final_message()
    seen = words(page)
    while (forward := next_page(page)) is not None:
        await (await scene.owner.click(page, forward)).final_message()
        seen += words(page)
    return seen


def next_page(page: Message) -> str | None:
    """Return the label of the button to the next page, None on the last."""
    parts = [part for row in page.components for part in objects_of(row.get("components"))]
    labels = [as_text(part.get("label")) for part in parts if not part.get("disabled")]
    return next((label for label in labels if label.endswith("▶")), None)


async def test_no_search_names_what_may_not_be_shown(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await warmed_up(world)
        for place in (scene, scene.thread()):
            for query in ({}, {"query": "velvet"}, {"query": "romance"}, {"rating": "explicit"}, {"tag": "romance"}):
                seen = await pages(place, **query)
                assert not [name for name in ABOVE_SFW if name in seen], query
        after_dark = scene.beside("after-dark", nsfw=True)
        for place in (after_dark, after_dark.thread()):
            seen = await pages(place)
            assert [name for name in ABOVE_SFW if name not in seen] == [ABOVE_NSFW]
            assert "Velvet Oracle" not in await pages(place, rating="sfw")


async def test_no_suggestion_names_what_may_not_be_shown(world: World) -> None:
    scene = Scene.of(world)
    after_dark = scene.beside("after-dark", nsfw=True)
    async with world.bot():
        await warmed_up(world)
        for place in (scene, scene.thread()):
            for typed in ("", "velvet", "Velvet Oracle", "night-bard", "ember", "contessa"):
                for command in ("show", "rate", "report", "use"):
                    offered = await scene.owner.autocomplete(place.channel, f"character {command}", "character", typed)
                    shown = [f"{choice.name} {choice.value}" for choice in offered if "Look for" not in choice.name]
                    assert not [name for name in (*ABOVE_SFW, BARD, ORACLE) if name in str(shown)], (command, typed)
        for typed, wanted in (("velvet", ORACLE), ("night", BARD)):
            offered = await scene.owner.autocomplete(after_dark.channel, "character show", "character", typed)
            assert wanted in [choice.value for choice in offered]


async def test_a_channel_that_loses_its_flag_in_mid_use_pauses_its_character(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    thread = scene.thread()
    async with world.bot():
        await scene.use(BARD)
        await scene.ask("Sing", "La la.")
        await thread.ask("Sing here", "Here as well.")
        scene.channel.set_nsfw(nsfw=False)
        notice = await scene.marked("rated above what may be shown here")
        assert "Night Bard" not in notice.content
        asked = await scene.owner.say(scene.channel, "Go on")
        also = await scene.owner.say(thread.channel, "Go on in here")
        assert "rated above" in await scene.why(asked)
        assert "rated above" in await thread.why(also)
        current = await scene.read(await scene.owner.slash(scene.channel, "character current"))
        assert "rated above" in current
        assert "Night Bard" not in current
        assert len(scene.calls) == 2
        assert len(scene.marks()) == 1
    async with world.bot():
        again = await scene.owner.say(scene.channel, "Still there?")
        assert "rated above" in await scene.why(again)
        scene.channel.set_nsfw(nsfw=True)
        await scene.until(lambda: any("is back" in text for text in scene.told()), "the return")
        await scene.ask("Sing again", "La, as before.")
    assert len(scene.calls) == 3


async def test_a_flag_that_was_lost_while_the_bot_was_away_stops_the_next_reply(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        await scene.use(BARD)
    scene.channel.set_nsfw(nsfw=False)
    async with world.bot():
        asked = await scene.owner.say(scene.channel, "Sing")
        await scene.marked("rated above what may be shown here")
        assert "paused" in await scene.why(asked)
    assert scene.calls == []
    assert len(scene.spoken()) == 1


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        (CharacterChanges(content_rating="nsfw"), "rated above what may be shown here"),
        (CharacterChanges(creator_content_rating="suggestive"), "rated above what may be shown here"),
        (CharacterChanges(content_rating="unheard-of"), "rated above what may be shown here"),
        (CharacterChanges(allow_api=False), "no longer available"),
        (CharacterChanges(moderation_status="rejected"), "no longer available"),
        (CharacterChanges(archived=True), "no longer available"),
    ],
)
async def test_a_character_that_changes_in_the_catalogue_pauses_and_comes_back(
    world: World, changes: CharacterChanges, notice: str
) -> None:
    scene = Scene.of(world)
    before = world.upstream.catalog.get(GUIDE)
    async with world.bot():
        await scene.use()
        await scene.ask("Hello?", "Hello.")
        world.upstream.catalog.update(GUIDE, **changes)
        # What is known holds for ten minutes.
        world.time.skip(minutes=11)
        asked = await scene.owner.say(scene.channel, "Are you still there?")
        told = await scene.marked(notice)
        assert ("Helpful Guide" in told.content) == ("rated above" not in notice)
        assert "paused" in await scene.why(asked)
        world.upstream.catalog.update(
            GUIDE,
            content_rating=before.content_rating,
            creator_content_rating=before.creator_content_rating,
            allow_api=True,
            moderation_status="approved",
            archived=False,
        )
        world.time.skip(minutes=11)
        await scene.ask("And now?", "Here I am.")
    assert len(scene.calls) == 2
    assert len(scene.marks()) == 1
    assert any("is back" in text for text in scene.told())


async def test_with_the_catalogue_down_the_last_knowledge_holds_for_a_day_and_no_longer(world: World) -> None:
    scene = Scene.of(world)
    world.time.haste = 100
    async with world.bot():
        await scene.use()
        world.upstream.faults.catalog_down = True
        world.time.skip(hours=23)
        await scene.ask("Hello?", "Hello.")
        world.time.skip(hours=2)
        asked = await scene.owner.say(scene.channel, "And tomorrow?")
        notice = await scene.marked("has not told me for a day")
        assert "Helpful Guide" in notice.content
        assert "paused" in await scene.why(asked)
        assert len(scene.calls) == 1
        world.upstream.faults.clear()
        await answered_again(scene, "Back.")


async def answered_again(scene: Scene, reply: str) -> None:
    """Speak until the character does: what is said while a read from before still fails is not answered later."""
    scene.world.upstream.script(reply)

    def answered() -> bool:
        return any(reply in message.content for message in scene.channel.messages.values())

    async with asyncio.timeout(AGAIN_SECONDS):
        while not answered():
            scene.world.time.skip(minutes=11)
            await scene.owner.say(scene.channel, "Back?")
            with contextlib.suppress(TimeoutError):
                await scene.world.discord.wait_for(answered, ONCE_SECONDS)


async def test_a_slow_catalogue_does_not_hold_a_reply_up(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.use()
        world.time.skip(minutes=11)
        world.upstream.faults.next(Fault.CUT_BEFORE_ANSWER, 3, on=Route.CHARACTER)
        world.time.haste = 100
        await scene.ask("Hello?", "Hello.")
    assert scene.spoken() == [GREETING, "Hello."]


async def test_a_reply_under_way_is_stopped_with_its_character_and_what_waits_is_not_answered(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        await scene.use(BARD)
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Begin")
            await held.waiting()
            waiting = await scene.owner.say(scene.channel, "And then?")
            scene.channel.set_nsfw(nsfw=False)
            await scene.until(lambda: len(scene.marks()) > 0, "a notice")
            await held.disconnected()
        await scene.settled()
        assert "paused" in await scene.why(waiting)
    assert len(scene.calls) == 1
    assert len(scene.spoken()) == 1


@pytest.mark.parametrize("away", [True, False])
async def test_a_webhook_that_staff_move_takes_no_adult_character_into_an_ordinary_channel(
    world: World, *, away: bool
) -> None:
    scene = Scene.of(world, nsfw=True)
    ordinary = scene.beside()
    # The buttons under what a webhook said before are out of reach.
    async with world.bot(relay__feedback_buttons="false"):
        await scene.use(BARD)
        (hook,) = scene.channel.webhooks
        if not away:
            ordinary.channel.take_webhook(hook)
            await scene.ask("Sing", "La la.")
    if away:
        ordinary.channel.take_webhook(hook)
        async with world.bot(relay__feedback_buttons="false"):
            await scene.ask("Sing", "La la.")
    assert scene.voices()[-1].webhook not in (None, hook)
    assert not ordinary.channel.messages


async def test_a_webhook_that_staff_move_in_mid_reply_takes_nothing_of_it_along(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    ordinary = scene.beside()
    async with world.bot(relay__preview_interval_seconds="0.1", relay__feedback_buttons="false"):
        await scene.use(BARD)
        async with world.upstream.hold() as held:
            await scene.owner.say(scene.channel, "Sing")
            await held.release_text("This is the first verse of it. ")
            await scene.until(lambda: len(scene.voices()) == 2, "a preview")
            ordinary.channel.take_webhook(scene.channel.webhooks[0])
            await held.finish("And this is the last.")
            await scene.shows("This is the first verse of it. And this is the last.")
        await scene.settled()
    assert not ordinary.channel.messages
