"""Direct messages from the bot, and files that people hand over without posting them."""

import aiohttp
import discord
import pytest

from bot.sandbox.discord import Channel, DiscordSandbox
from bot.sandbox.discord.sights import Rearranged
from tests.sandbox.discord_clients import RecordingClient, running


async def test_the_bot_can_write_to_a_person_whom_it_knows_by_id_alone() -> None:
    async with DiscordSandbox() as sandbox, running(sandbox, RecordingClient()) as client:
        alice = sandbox.add_guild("Guild").add_member("Alice")
        channel = await client.create_dm(discord.Object(alice.id))
        await channel.send("psst")
        last = alice.open_dm().last_message
        assert last is not None
        assert (last.content, last.author) == ("psst", sandbox.bot_user)
        sandbox.assert_clean()


async def test_a_person_can_close_their_direct_messages() -> None:
    async with DiscordSandbox() as sandbox, running(sandbox, RecordingClient()) as client:
        alice = sandbox.add_guild("Guild").add_member("Alice")
        alice.close_direct_messages()
        channel = await client.create_dm(discord.Object(alice.id))
        with sandbox.expect_refusal(status=403, code=50007), pytest.raises(discord.Forbidden):
            await channel.send("psst")
        assert alice.open_dm().last_message is None


async def test_direct_messages_that_were_closed_can_be_opened_again() -> None:
    async with DiscordSandbox() as sandbox, running(sandbox, RecordingClient()) as client:
        alice = sandbox.add_guild("Guild").add_member("Alice")
        alice.close_direct_messages()
        assert not alice.takes_direct_messages
        alice.reopen_direct_messages()
        assert alice.takes_direct_messages
        await (await client.create_dm(discord.Object(alice.id))).send("psst")
        last = alice.open_dm().last_message
        assert last is not None
        assert last.content == "psst"


async def test_a_talk_stands_among_ones_places_once_something_was_said() -> None:
    async with DiscordSandbox() as sandbox, running(sandbox, RecordingClient()) as client:
        guild = sandbox.add_guild("Guild")
        alice, ben = guild.add_member("Alice"), guild.add_member("Ben")
        seen: list[list[Channel]] = []
        sandbox.world.look_on(lambda sight: seen.append(alice.places) if isinstance(sight, Rearranged) else None)
        channel = await client.create_dm(discord.Object(alice.id))
        assert alice.places == []
        for text in ("psst", "are you there?"):
            await channel.send(text)
        assert seen == [[alice.open_dm()]]
        assert ben.places == []


async def test_nobody_can_be_written_to_who_is_not_there() -> None:
    async with DiscordSandbox() as sandbox, running(sandbox, RecordingClient()) as client:
        with sandbox.expect_refusal(status=400, code=50033), pytest.raises(discord.HTTPException):
            await client.create_dm(discord.Object(12345))


async def test_an_uploaded_file_lies_on_the_cdn_and_in_no_channel() -> None:
    async with DiscordSandbox() as sandbox:
        guild = sandbox.add_guild("Guild")
        general = guild.add_channel("general")
        file = guild.owner.upload(general, "card.json", b"{}", "application/json")
        assert file.url.startswith(f"{sandbox.cdn_url}/attachments/{general.id}/{file.id}/")
        assert general.last_message is None


@pytest.mark.parametrize("number", ["9" * 5_000, "%C2%B2", "x"], ids=["long", "no decimal", "a letter"])
async def test_what_is_no_id_is_no_file_of_the_cdn(number: str) -> None:
    async with (
        DiscordSandbox() as sandbox,
        aiohttp.ClientSession() as session,
        session.get(f"{sandbox.cdn_url}/attachments/1/{number}/card.json") as response,
    ):
        assert response.status == 404
