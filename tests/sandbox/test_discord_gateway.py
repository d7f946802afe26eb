import json

import aiohttp
import discord
import pytest

from bot.sandbox.discord import ChannelKind, DiscordSandbox, Permission
from tests.sandbox.discord_clients import INTENTS, RecordingClient, running


async def test_the_client_sees_guilds_channels_threads_and_its_permissions(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    adult = guild.add_channel("after-dark", nsfw=True)
    guild.add_channel("Voice", kind=ChannelKind.VOICE)
    guild.add_channel("forum", kind=ChannelKind.FORUM)
    thread = adult.add_thread("a thread")
    message = await guild.owner.say(general, "before the bot came")

    async with running(sandbox, RecordingClient()) as client:
        [seen] = client.guilds
        assert {channel.name for channel in seen.channels} == {"general", "after-dark", "Voice", "forum"}
        seen_thread = seen.get_thread(thread.id)
        assert seen_thread is not None
        assert seen_thread.is_nsfw()
        seen_general = seen.get_channel(general.id)
        assert isinstance(seen_general, discord.TextChannel)
        assert seen_general.last_message_id == message.id
        held = seen_general.permissions_for(seen.me)
        assert held.manage_webhooks
        assert not held.administrator
        guild.bot_permissions = Permission.VIEW_CHANNEL
        await client.until_event("guild_role_update")
        assert seen_general.permissions_for(seen.me).value == Permission.VIEW_CHANNEL
    sandbox.assert_clean()


async def test_a_message_reaches_the_client_and_its_own_post_comes_back_with_the_nonce(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    alice = guild.add_member("Alice")
    async with running(sandbox, RecordingClient()) as client:
        said = await alice.say(general, "hello")
        await client.until_heard(1)
        assert client.heard[0].id == said.id
        assert client.heard[0].content == "hello"
        assert client.heard[0].author.display_name == "Alice"
        sent = await client.heard[0].channel.send("hi", nonce="n-1", reference=client.heard[0])
        await client.until_heard(2)
        assert client.heard[1].id == sent.id
        assert client.heard[1].nonce == "n-1"
        assert client.heard[1].author == client.user
        assert client.heard[1].reference is not None
        assert alice.id in general.messages[sent.id].pings
    sandbox.assert_clean()


async def test_edits_and_deletes_reach_the_client(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    alice = guild.add_member("Alice")
    first = await alice.say(general, "one")
    second = await alice.say(general, "two")
    third = await alice.say(general, "three")
    async with running(sandbox, RecordingClient()) as client:
        await alice.edit(first, "one!")
        await client.until_event("raw_message_edit")
        await alice.delete(first)
        await client.until_event("raw_message_delete")
        await guild.owner.delete_many([second, third])
        await client.until_event("raw_bulk_message_delete")
    assert not general.messages
    sandbox.assert_clean()


async def test_a_dropped_socket_resumes_and_replays_what_was_missed(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    alice = guild.add_member("Alice")
    async with running(sandbox, RecordingClient()) as client:
        await sandbox.drop_gateway(resumable=True)
        await alice.say(general, "while away")
        await client.until_event("resumed")
        await client.until_heard(1)
        assert client.texts() == ["while away"]
        assert client.events.count("ready") == 1
        assert sandbox.gateway.resumes == 1
    sandbox.assert_clean()


async def test_a_request_to_reconnect_resumes(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    async with running(sandbox, RecordingClient()) as client:
        await sandbox.reconnect_request()
        await guild.owner.say(general, "in between")
        await client.until_event("resumed")
        await client.until_heard(1)
    assert sandbox.gateway.identifies[0]["shard"] == [0, 1]
    sandbox.assert_clean()


async def test_a_lost_session_identifies_anew_and_nothing_is_replayed(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    async with running(sandbox, RecordingClient()) as client:
        await sandbox.drop_gateway(resumable=False)
        await guild.owner.say(general, "lost")
        await client.until_event("ready", 2)
        assert client.heard == []
        assert len(sandbox.gateway.identifies) == 2
    sandbox.assert_clean()


async def test_an_outage_of_one_guild_is_not_leaving_it(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    async with running(sandbox, RecordingClient()) as client:
        guild.become_unavailable()
        await client.until_event("guild_unavailable")
        guild.become_available()
        await client.until_event("guild_available", 2)
        assert "guild_remove" not in client.events
        guild.remove_bot()
        await client.until_event("guild_remove")


async def test_changes_of_places_reach_the_client(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    async with running(sandbox, RecordingClient()) as client:
        channel = guild.add_channel("new")
        await client.until_event("guild_channel_create")
        channel.set_nsfw(nsfw=True)
        await client.until_event("guild_channel_update")
        seen = client.get_channel(channel.id)
        assert isinstance(seen, discord.TextChannel)
        assert seen.is_nsfw()
        thread = channel.add_thread("thread")
        await client.until_event("thread_create")
        thread.set_archived(archived=True)
        await client.until_event("thread_update")
        thread.delete()
        await client.until_event("raw_thread_delete")
        channel.delete()
        await client.until_event("guild_channel_delete")
        late = sandbox.add_guild("Late")
        await client.until_event("guild_join")
        assert {each.id for each in client.guilds} == {guild.id, late.id}


async def test_without_the_content_intent_only_mentions_can_be_read(sandbox: DiscordSandbox) -> None:
    sandbox.message_content_enabled = False
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    alice = guild.add_member("Alice")
    async with running(sandbox, RecordingClient(discord.Intents(guilds=True, guild_messages=True))) as client:
        await alice.say(general, "secret")
        await alice.say(general, "hey", mentions=[sandbox.bot_user])
        await client.until_heard(2)
        assert client.texts() == ["", f"{sandbox.bot_user.mention} hey"]
        channel = client.get_channel(general.id)
        assert isinstance(channel, discord.TextChannel)
        assert [message.content async for message in channel.history(oldest_first=True)] == client.texts()


async def test_asking_for_an_intent_that_is_not_enabled_is_refused(sandbox: DiscordSandbox) -> None:
    sandbox.message_content_enabled = False
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(sandbox, RecordingClient()):
            pass


async def test_the_wrong_token_is_refused(sandbox: DiscordSandbox) -> None:
    with sandbox.expect_refusal(status=401):
        async with aiohttp.ClientSession() as http:
            response = await http.get(f"{sandbox.api_url}/users/@me", headers={"Authorization": "Bot fake-wrong"})
            assert response.status == 401
    sandbox.assert_clean()


async def test_the_client_comes_back_after_an_outage(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    async with running(sandbox, RecordingClient()) as client:
        async with sandbox.outage():
            await guild.owner.say(general, "missed")
        await client.until_heard(1)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"op": 99, "d": None}, 4001),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 2, "d": {"token": "fake-wrong", "intents": 1}}, 4004),
    ],
)
async def test_a_wrong_command_closes_the_connection(
    sandbox: DiscordSandbox, command: dict[str, object], code: int
) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(sandbox.gateway_url) as socket:
        hello = await socket.receive_json()
        assert hello["op"] == 10
        await socket.send_str(json.dumps(command))
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == code


async def test_each_shard_gets_its_own_guilds(sandbox: DiscordSandbox) -> None:
    guilds = [sandbox.add_guild(f"Guild {number}") for number in range(8)]
    for shard in range(2):
        async with aiohttp.ClientSession() as http, http.ws_connect(sandbox.gateway_url) as socket:
            await socket.receive_json()
            identify: dict[str, object] = {
                "token": sandbox.token,
                "intents": INTENTS.value,
                "shard": [shard, 2],
                "properties": {},
            }
            await socket.send_json({"op": 2, "d": identify})
            ready = await socket.receive_json()
            listed = {int(each["id"]) for each in ready["d"]["guilds"]}
            assert listed == {guild.id for guild in guilds if (guild.id >> 22) % 2 == shard}


async def test_direct_messages_reach_a_client_that_asked_for_them(sandbox: DiscordSandbox) -> None:
    alice = sandbox.add_guild("Guild").add_member("Alice")
    intents = discord.Intents(guilds=True, dm_messages=True)
    async with running(sandbox, RecordingClient(intents)) as client:
        await alice.say(alice.open_dm(), "psst")
        await client.until_heard(1)
        assert isinstance(client.heard[0].channel, discord.DMChannel)
        assert client.heard[0].content == "psst"
        await client.heard[0].channel.send("yes?")
        assert alice.open_dm().last_message is not None
    sandbox.assert_clean()


async def test_a_message_in_an_archived_thread_brings_it_back(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    thread = guild.add_channel("general").add_thread("old", archived=True)
    async with running(sandbox, RecordingClient()) as client:
        assert client.guilds[0].get_thread(thread.id) is None
        await guild.owner.say(thread, "again")
        await client.until_heard(1)
        assert isinstance(client.heard[0].channel, discord.Thread)
        assert not thread.archived


async def test_events_can_arrive_after_the_answers(sandbox: DiscordSandbox) -> None:
    general = sandbox.add_guild("Guild").add_channel("general")
    async with running(sandbox, RecordingClient()) as client:
        channel = client.get_channel(general.id)
        assert isinstance(channel, discord.TextChannel)
        with sandbox.late_events():
            await channel.send("mine")
            assert client.heard == []
        await client.until_heard(1)


async def test_other_bots_and_proxies_are_heard_as_what_they_are(sandbox: DiscordSandbox) -> None:
    guild = sandbox.add_guild("Guild")
    general = guild.add_channel("general")
    other = guild.add_member("Other bot", bot=True)
    proxy = general.add_foreign_webhook("proxy")
    async with running(sandbox, RecordingClient()) as client:
        await other.say(general, "beep")
        await guild.proxy_says(proxy, "hello", name="Alice (she)")
        await client.until_heard(2)
        assert [message.author.bot for message in client.heard] == [True, True]
        assert [message.webhook_id for message in client.heard] == [None, proxy.id]
        assert client.heard[1].application_id is None
        channel = client.get_channel(general.id)
        assert isinstance(channel, discord.TextChannel)
        [listed] = await channel.webhooks()
        assert listed.token is None
