"""Ratings and reports: commands, buttons and forms, with a restart in between."""

import asyncio
import json
from typing import Any, cast

import pytest

from bot.app import Application
from bot.domain.ids import UserId
from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.interaction_model import InteractionResult
from bot.sandbox.discord.model import Message
from bot.sandbox.discord.people import Person
from bot.sandbox.nanogpt.faults import Fault, Route
from tests.end_to_end.world import World

GREETING = "What are we editing today?"
SHORT = "too short"


@pytest.fixture
def room(world: World) -> Channel:
    return world.discord.add_guild("Writers").add_channel("general")


@pytest.fixture
def owner(room: Channel) -> Person:
    assert room.guild is not None
    return room.guild.owner


async def knows(world: World, owner: Person, room: Channel) -> Message:
    """Let the character into the channel, and return its greeting."""
    await (await owner.slash(room, "character use", character="helpful-guide")).final_message()
    (greeting,) = await world.discord.wait_for(
        lambda: [message for message in room.messages.values() if message.content == GREETING]
    )
    return greeting


def fields(result: InteractionResult) -> dict[str, dict[str, Any]]:
    """Return the fields of an opened form by their custom ids."""
    assert result.modal is not None
    inner = [part["component"] for part in result.modal.components if "component" in part]
    return {part["custom_id"]: part for part in inner}


def drawn_forms(application: Application) -> dict[str, object]:
    """Return what discord.py remembers of forms."""
    store = application.client._connection._view_store  # pyright: ignore[reportPrivateUsage] - there is no public way to ask
    return cast("dict[str, object]", store._modals)  # pyright: ignore[reportPrivateUsage] - as above


@pytest.mark.parametrize("command", ["character rate", "character report"])
async def test_forms_open_for_a_name_and_for_the_bots_own_suggestion(
    world: World, room: Channel, owner: Person, command: str
) -> None:
    async with world.bot():
        await knows(world, owner, room)
        for address in ("Helpful Guide", 'Look for "Helpful Guide"'):
            form = await owner.slash(room, command, character=address)
            assert form.modal is not None


async def test_a_member_rates_a_character_and_finds_the_rating_again(
    world: World, room: Channel, owner: Person
) -> None:
    async with world.bot():
        await knows(world, owner, room)
        form = await owner.slash(room, "character rate", character="helpful-guide")
        assert form.modal is not None
        assert form.modal.title == "Rate Helpful Guide"
        answer = await owner.submit(form, {"stars": "4", "text": "Patient and precise."})
        assert answer.ephemeral
        assert "★★★★☆" in answer.text
        assert "kept here and not published: you have not linked a NanoGPT account" in answer.text
        again = fields(await owner.slash(room, "character rate", character="helpful-guide"))
    assert [option["value"] for option in again["stars"]["options"] if option.get("default")] == ["4"]
    assert again["text"]["value"] == "Patient and precise."
    assert world.upstream.reports == []


async def test_the_buttons_under_a_reply_open_the_forms(world: World, room: Channel, owner: Person) -> None:
    async with world.bot() as running:
        greeting = await knows(world, owner, room)
        rating = await owner.click(greeting, "★ Rate")
        report = await owner.click(greeting, "⚑ Report")
        assert drawn_forms(running) == {}
        assert rating.modal is not None
        assert report.modal is not None
        await owner.submit(rating, {"stars": "5"})
        answer = await owner.submit(report, {"reason": "hate", "details": "Rude to Bob."})
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
    assert "goes to the NanoGPT catalogue" in answer.text
    (sent,) = world.upstream.reports
    assert (sent.character, sent.reason, sent.details) == ("helpful-guide", "Hate or harassment", "Rude to Bob.")
    call = next(call for call in world.upstream.calls if call.path.endswith("/report"))
    assert str(owner.id) not in json.dumps(call.body)


async def test_forms_that_were_open_through_a_restart_still_count(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        greeting = await knows(world, owner, room)
        rating = await owner.click(greeting, "★ Rate")
        report = await owner.click(greeting, "⚑ Report")
    async with world.bot():
        assert "★★☆☆☆" in (await owner.submit(rating, {"stars": "2"})).text
        assert "is stored" in (await owner.submit(report, {"reason": "other"})).text
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)


async def test_buttons_of_a_reply_work_after_a_restart(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        greeting = await knows(world, owner, room)
    async with world.bot():
        assert (await owner.click(greeting, "★ Rate")).kind == "modal"


async def test_two_people_with_the_same_form_open_do_not_meet(world: World, room: Channel, owner: Person) -> None:
    assert room.guild is not None
    other = room.guild.add_member("bob")
    async with world.bot():
        greeting = await knows(world, owner, room)
        first, second = await owner.click(greeting, "★ Rate"), await other.click(greeting, "★ Rate")
        assert first.modal is not None
        assert second.modal is not None
        assert first.modal.custom_id != second.modal.custom_id
        assert "★★★★★" in (await owner.submit(first, {"stars": "5"})).text
        assert "★☆☆☆☆" in (await other.submit(second, {"stars": "1"})).text


async def test_what_was_typed_in_vain_is_handed_back(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        greeting = await knows(world, owner, room)
        answer = await owner.submit(await owner.click(greeting, "★ Rate"), {"stars": "3", "text": SHORT})
    assert answer.ephemeral
    assert "at least 10 characters" in answer.text
    assert f"```\n{SHORT}\n```" in answer.text


async def test_a_character_nobody_knows_is_a_sentence(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        for command in ("character rate", "character report"):
            answer = await owner.slash(room, command, character="no-such-character")
            assert answer.ephemeral
            assert "/character search" in answer.text


async def test_characters_are_offered_while_a_person_types(world: World, room: Channel, owner: Person) -> None:
    async with world.bot():
        await knows(world, owner, room)
        for command in ("character rate", "character report"):
            choices = await owner.autocomplete(room, command, "character", "help")
            assert choices[0].value == "helpful-guide"


async def test_an_adult_character_is_neither_rated_nor_named_in_an_ordinary_channel(
    world: World, room: Channel, owner: Person
) -> None:
    assert room.guild is not None
    adults = room.guild.add_channel("after-dark", nsfw=True)
    async with world.bot():
        await (await owner.slash(adults, "character use", character="night-bard")).final_message()
        refused = await owner.slash(room, "character rate", character="night-bard")
        assert "content rating" in refused.text
        assert "Bard" not in refused.text
        report = await owner.slash(room, "character report", character="night-bard")
        assert report.modal is not None
        assert report.modal.title == "Report this character"
        allowed = await owner.slash(adults, "character rate", character="night-bard")
        assert allowed.modal is not None
        # Opened where it may be shown, and sent once the channel has lost its flag.
        adults.set_nsfw(nsfw=False)
        refused = await owner.submit(allowed, {"stars": "5", "text": "Loved every verse."})
        assert "content rating" in refused.text
        assert "Loved every verse." in refused.text


async def test_a_refused_report_is_told_after_the_next_command(world: World, room: Channel, owner: Person) -> None:
    world.upstream.variants.refuse_second_report = True
    async with world.bot() as running:
        greeting = await knows(world, owner, room)
        for _ in range(2):
            await owner.submit(await owner.click(greeting, "⚑ Report"), {"reason": "copyright"})
        await world.upstream.wait_for(lambda: sum(call.path.endswith("/report") for call in world.upstream.calls) == 2)
        # The refusal is stored a moment after its answer went out.
        async with asyncio.timeout(10):
            while await running.client.services.feedback.pending_news(UserId(owner.id)) is None:
                pass
        first = await owner.slash(room, "privacy show")
        await world.discord.wait_for(lambda: first.followups)
        told = [message.content for message in first.followups]
        second = await owner.slash(room, "privacy show")
    assert "was not taken by the NanoGPT catalogue: `already reported`" in told[0]
    assert second.followups == []


async def test_a_report_is_taken_while_the_catalogue_is_down(world: World, room: Channel, owner: Person) -> None:
    world.upstream.faults.next(Fault.UNAVAILABLE, on=Route.REPORT)
    async with world.bot():
        greeting = await knows(world, owner, room)
        answer = await owner.submit(await owner.click(greeting, "⚑ Report"), {"reason": "copyright"})
        assert "is stored" in answer.text
        await world.upstream.wait_for(lambda: world.upstream.faults.pending == ())
    assert world.upstream.reports == []
