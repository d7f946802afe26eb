"""Against the real client: what a channel's history tells, and when it is known to be all there is."""

import discord
import pytest

from bot.domain.ids import ChannelId, GuildId, MessageId
from bot.gateway.history import HISTORY_LIMIT, HistoryReader
from bot.gateway.places import may_read_history
from bot.sandbox.discord import Channel, ChannelKind, Guild, Permission
from bot.services.outlet import Destination
from bot.services.recovery import History
from tests.sandbox.discord_clients import RecordingClient


def place(guild: Guild, channel: Channel, thread: Channel | None = None) -> Destination:
    return Destination(GuildId(guild.id), ChannelId(channel.id), None if thread is None else ChannelId(thread.id))


async def read(client: RecordingClient, destination: Destination) -> History:
    return await HistoryReader(client).read(destination)


async def test_what_was_said_and_what_of_it_was_edited_is_told(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    first = await guild.owner.say(general, "Teh first")
    second = await guild.owner.say(general, "The second")
    await guild.owner.edit(first, "The first")
    history = await read(client, place(guild, general))
    assert {message.id: message.text for message in history.messages} == {
        first.id: "The first",
        second.id: "The second",
    }
    assert history.ids == {first.id, second.id}
    assert history.edited == {MessageId(first.id)}
    assert history.complete


async def test_a_history_is_whole_until_it_fills_a_page(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    for number in range(HISTORY_LIMIT):
        await guild.owner.say(general, f"{number}")
    assert not (await read(client, place(guild, general))).complete


@pytest.mark.parametrize("kind", [ChannelKind.TEXT, ChannelKind.VOICE])
async def test_an_empty_history_is_whole_where_it_may_be_read(
    client: RecordingClient, guild: Guild, kind: ChannelKind
) -> None:
    channel = guild.add_channel("quiet", kind=kind)
    await client.until(lambda: client.get_channel(channel.id))
    assert (await read(client, place(guild, channel))).complete


async def test_a_threads_empty_history_is_whole_as_its_channels_is(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    thread = general.add_thread("aside")
    assert (await read(client, place(guild, general, thread))).complete


async def test_an_empty_history_is_not_whole_for_who_may_not_read_it(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    await guild.owner.say(general, "A memory")
    general.deny_bot(Permission.READ_MESSAGE_HISTORY)
    await client.until(lambda: not is_readable(client, general))
    assert await read(client, place(guild, general)) == History((), frozenset())


async def test_an_empty_history_is_not_whole_in_a_place_that_is_not_in_the_cache(
    client: RecordingClient, general: Channel
) -> None:
    unknown = Destination(GuildId(1), ChannelId(general.id))
    assert not (await read(client, unknown)).complete


async def test_the_places_of_a_server_come_with_their_newest_messages(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    reader = HistoryReader(client)
    thread = general.add_thread("aside")
    guild.add_channel("posts", kind=ChannelKind.FORUM)
    said = await guild.owner.say(general, "Hello")
    await client.until(lambda: any(message.id == said.id for message in client.heard))
    states = reader.places_of(GuildId(guild.id))
    assert states is not None
    newest = {state.destination: state.last_message_id for state in states}
    assert newest[place(guild, general)] == said.id
    assert newest.keys() == {place(guild, general), place(guild, general, thread)}


def test_a_server_that_is_not_there_has_no_places(client: RecordingClient) -> None:
    assert HistoryReader(client).places_of(GuildId(1)) is None


def is_readable(client: RecordingClient, channel: Channel) -> bool:
    cached = client.get_channel(channel.id)
    assert isinstance(cached, discord.TextChannel)
    return may_read_history(cached, cached.guild.me)
