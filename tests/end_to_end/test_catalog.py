"""Finding a character: search and its pages, profiles, suggestions, and what a channel may not show."""

import asyncio
import sqlite3
from contextlib import closing

from bot.sandbox.discord import Channel, Message, Person
from bot.sandbox.discord.faults import Fault as DiscordFault
from bot.sandbox.discord.interaction_model import InteractionResult
from bot.sandbox.discord.json_types import as_text, objects_of
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.faults import Fault, Route
from tests.end_to_end.world import World


def set_up(world: World, *, nsfw: bool = False) -> tuple[Channel, Person]:
    guild = world.discord.add_guild("Writers")
    return guild.add_channel("general", nsfw=nsfw), guild.owner


def titles(message: Message) -> list[object]:
    return [embed.get("title") for embed in message.embeds]


async def seen(result: InteractionResult) -> Message:
    assert not result.failed
    return await result.final_message()


async def suggested(who: Person, channel: Channel, typed: str, command: str = "character show") -> list[str]:
    choices = await who.autocomplete(channel, command, "character", typed)
    assert choices
    return [str(choice.value) for choice in choices]


async def warmed_up(world: World) -> None:
    """Wait until the bot has listed the catalogue in both orders, and has written it down."""
    await world.upstream.wait_for(lambda: sum(call.path.endswith("/characters") for call in world.upstream.calls) >= 2)
    await asyncio.sleep(0)


async def test_results_are_five_a_page_and_turn_after_a_restart(world: World) -> None:
    for number in range(7):
        world.upstream.catalog.add(SandboxCharacter(slug=f"scribe-{number}", name=f"Scribe {number}", trend=-number))
    channel, owner = set_up(world)
    async with world.bot():
        result = await owner.slash(channel, "character search", query="scribe")
        assert result.ephemeral
        page = await seen(result)
        assert titles(page) == [f"Scribe {number}" for number in range(5)]
        assert "page 1" in page.content
        await seen(await owner.click(page, "Page 2 ▶"))
        assert titles(page) == ["Scribe 5", "Scribe 6"]
    async with world.bot():
        await seen(await owner.click(page, "◀ Page 1"))
        assert titles(page) == [f"Scribe {number}" for number in range(5)]
        assert "page 1" in page.content


async def test_a_search_shows_nothing_above_the_channel_and_nothing_closed_to_the_api(world: World) -> None:
    channel, owner = set_up(world)
    async with world.bot():
        found: list[object] = []
        page = await seen(await owner.slash(channel, "character search"))
        found += titles(page)
        await seen(await owner.click(page, "Page 2 ▶"))
        found += titles(page)
        assert "Helpful Guide" in found
        assert len(found) == len(set(found))
        assert not {"Night Bard", "Velvet Oracle", "Ember Court Envoy", "Inspector Vale Thorne", "Plot Doctor"} & set(
            found
        )
        nothing = await seen(await owner.slash(channel, "character search", query="no such words"))
        assert nothing.content.startswith("Nothing found")
        assert not nothing.components


async def test_a_profile_is_opened_from_a_page_and_the_character_brought_in(world: World) -> None:
    channel, owner = set_up(world)
    async with world.bot():
        page = await seen(await owner.slash(channel, "character search", query="technical", tag="Writing"))
        (select,) = objects_of(page.components[0].get("components"))
        (option,) = objects_of(select.get("options"))
        opened = await owner.select(page, as_text(select.get("custom_id")), [option.get("value")])
        profile = await seen(opened)
        assert profile is not page
        assert opened.ephemeral
        assert titles(profile) == ["Helpful Guide"]
        fields = {field.get("name"): field.get("value") for field in objects_of(profile.embeds[0].get("fields"))}
        assert fields["Content rating"] == "sfw"
        assert fields["First words"] == "What are we editing today?"
    async with world.bot():
        used = await owner.click(profile, "Use here")
        await seen(used)
        await world.discord.wait_for(lambda: any(message.webhook is not None for message in channel.messages.values()))
        rated = await owner.click(profile, "★ Rate")
        assert rated.modal is not None


async def test_who_may_not_manage_the_channel_cannot_use_the_button_either(world: World) -> None:
    channel, _ = set_up(world)
    assert channel.guild is not None
    member = channel.guild.add_member("mia")
    async with world.bot():
        profile = await seen(await member.slash(channel, "character show", character="helpful-guide"))
        refused = await seen(await member.click(profile, "Use here"))
        assert "Manage Channels" in refused.content
        assert not channel.messages


async def test_a_channel_without_the_flag_shows_neither_profile_nor_name(world: World) -> None:
    channel, owner = set_up(world)
    assert channel.guild is not None
    after_dark = channel.guild.add_channel("after-dark", nsfw=True)
    async with world.bot():
        await warmed_up(world)
        for named in ("night-bard", "Night Bard"):
            refused = await seen(await owner.slash(channel, "character show", character=named))
            assert "Bard" not in refused.content
            assert not refused.embeds
        assert await suggested(owner, channel, "night") == ['Look for "night"']
        assert "night-bard" in await suggested(owner, after_dark, "night")
        assert titles(await seen(await owner.slash(after_dark, "character show", character="night-bard"))) == [
            "Night Bard"
        ]
        refused = await seen(await owner.slash(channel, "character show", character="night-bard"))
        assert "age-restricted channel" in refused.content


async def test_suggestions_forgive_misspelling_and_always_offer_something(world: World) -> None:
    channel, owner = set_up(world)
    async with world.bot():
        assert await suggested(owner, channel, "")
        await warmed_up(world)
        assert (await suggested(owner, channel, "helpfull giude"))[0] == "helpful-guide"
        assert len(await suggested(owner, channel, "", "character use")) > 3
        (choice,) = await suggested(owner, channel, "technical writing", "character rate")
        assert choice == 'Look for "technical writing"'
        shown = await seen(await owner.slash(channel, "character show", character=choice))
        assert titles(shown) == ["Helpful Guide"]


async def test_a_profile_says_when_the_catalogue_does_not_answer(world: World) -> None:
    channel, owner = set_up(world)
    async with world.bot():
        await seen(await owner.slash(channel, "character show", character="helpful-guide"))
    with closing(sqlite3.connect(world.folder / "bot.db")) as database, database:
        database.execute("UPDATE character SET checked_at = checked_at - 3600000")
    for route in (Route.CHARACTER, Route.LIST):
        world.upstream.faults.next(Fault.DAILY_CAP, 20, on=route)
    async with world.bot():
        shown = await seen(await owner.slash(channel, "character show", character="helpful-guide"))
        assert titles(shown) == ["Helpful Guide"]
        assert "The catalogue does not answer just now" in shown.content
        unknown, searched = await asyncio.gather(
            owner.slash(channel, "character show", character="margin-witch-2"),
            owner.slash(channel, "character search"),
        )
        for result in (unknown, searched):
            assert (await seen(result)).content == "The catalogue does not answer just now. Try again in a minute."


async def test_a_picture_that_discord_does_not_take_is_left_out(world: World) -> None:
    channel, owner = set_up(world)
    world.upstream.catalog.add(
        SandboxCharacter(slug="portrait", name="Portrait", avatar_url="https://pictures.example/portrait.png")
    )
    async with world.bot():
        world.discord.faults.add(
            DiscordFault(
                method="PATCH",
                status=400,
                code=50035,
                when=lambda request: "thumbnail" in str(request.json),
            )
        )
        with world.discord.expect_refusal(code=50035):
            shown = await seen(await owner.slash(channel, "character show", character="portrait"))
        assert titles(shown) == ["Portrait"]
        assert "thumbnail" not in shown.embeds[0]
