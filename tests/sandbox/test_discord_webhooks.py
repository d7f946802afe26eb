import asyncio
from typing import Any

import aiohttp
import discord
import pytest

from bot.sandbox.discord import BucketPolicy, Channel, ChannelKind, DiscordSandbox, Fault, Guild, Permission
from tests.sandbox.discord_clients import RecordingClient


def text_channel(client: discord.Client, channel: Channel) -> discord.TextChannel:
    found = client.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_webhook_posts_edits_and_deletes_and_is_echoed(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    sent = await webhook.send("Hi", username="Ada", avatar_url="https://pictures.invalid/ada.png", wait=True)
    stored = general.messages[sent.id]
    assert (stored.author.name, stored.avatar_url) == ("Ada", "https://pictures.invalid/ada.png")
    await client.until_heard(1)
    echo = client.heard[0]
    assert (echo.webhook_id, echo.application_id) == (webhook.id, sandbox.application_id)
    await webhook.edit_message(sent.id, content="Hi there")
    assert [revision.content for revision in stored.revisions] == ["Hi", "Hi there"]
    assert [found.id for found in await text_channel(client, general).webhooks()] == [webhook.id]
    await webhook.delete_message(sent.id)
    assert stored.deleted
    sandbox.assert_clean()


async def test_a_message_in_a_thread_needs_its_thread_id(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    thread = general.add_thread("talk", archived=True)
    webhook = await text_channel(client, general).create_webhook(name="characters")
    sent = await webhook.send("Hi", thread=discord.Object(thread.id), wait=True)
    assert sent.id in thread.messages
    assert not thread.archived
    await webhook.edit_message(sent.id, content="Hello", thread=discord.Object(thread.id))
    with sandbox.expect_refusal(status=404, code=10008), pytest.raises(discord.NotFound):
        await webhook.edit_message(sent.id, content="lost")
    sandbox.assert_clean()


async def test_a_forum_wants_a_thread(sandbox: DiscordSandbox, client: RecordingClient, guild: Guild) -> None:
    forum = guild.add_channel("forum", kind=ChannelKind.FORUM)
    post = forum.add_thread("post")
    await client.until_event("guild_channel_create")
    found = client.get_channel(forum.id)
    assert isinstance(found, discord.ForumChannel)
    webhook = await found.create_webhook(name="characters")
    with sandbox.expect_refusal(code=220001), pytest.raises(discord.HTTPException):
        await webhook.send("Hi", wait=True)
    await webhook.send("Hi", thread=discord.Object(post.id), wait=True)
    await webhook.send("Hi", thread_name="fresh", wait=True)
    assert [thread.name for thread in forum.threads] == ["post", "fresh"]
    sandbox.assert_clean()


async def test_a_deleted_webhook_is_unknown_and_staff_deleting_it_is_announced(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    general.remove_webhook(general.webhooks[0])
    await client.until_event("webhooks_update", 2)
    with sandbox.expect_refusal(status=404, code=10015), pytest.raises(discord.NotFound):
        await webhook.send("Hi", wait=True)


async def test_a_wrong_webhook_token_is_refused(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    forged = discord.Webhook.partial(webhook.id, "fake-wrong", client=client)
    with sandbox.expect_refusal(status=401, code=50027), pytest.raises(discord.HTTPException):
        await forged.send("Hi", wait=True)


async def test_webhooks_need_the_permission_and_end_at_fifteen(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    channel = text_channel(client, general)
    for number in range(15):
        await channel.create_webhook(name=f"hook {number}")
    with sandbox.expect_refusal(code=30007), pytest.raises(discord.HTTPException):
        await channel.create_webhook(name="one too many")
    general.deny_bot(Permission.MANAGE_WEBHOOKS)
    with sandbox.expect_refusal(status=403, code=50013), pytest.raises(discord.Forbidden):
        await channel.webhooks()
    sandbox.assert_clean()


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "Clyde", "my discord bot"])
async def test_a_forbidden_name_is_refused(sandbox: DiscordSandbox, general: Channel, name: str) -> None:
    url = f"{sandbox.api_url}/channels/{general.id}/webhooks"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {sandbox.token}"}) as http:
        with sandbox.expect_refusal(status=400, code=50035):
            assert (await http.post(url, json={"name": name})).status == 400


async def test_the_bot_cannot_edit_a_webhook_message_with_its_own_token(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    channel = text_channel(client, general)
    webhook = await channel.create_webhook(name="characters")
    sent = await webhook.send("Hi", wait=True)
    with sandbox.expect_refusal(status=403, code=50005), pytest.raises(discord.Forbidden):
        await channel.get_partial_message(sent.id).edit(content="no")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": "x" * 2001}, 50035),
        ({"content": "  "}, 50006),
        ({}, 50006),
        ({"content": "x", "username": "clyde"}, 50035),
        ({"content": "x", "username": "x" * 81}, 50035),
        ({"content": "x", "flags": 64}, 50035),
        ({"content": "x", "flags": 1 << 15}, 50035),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
        ({"content": "x", "thread_name": "no forum"}, 220003),
    ],
)
async def test_a_broken_rule_is_refused(
    sandbox: DiscordSandbox, general: Channel, body: dict[str, Any], code: int
) -> None:
    hook = general.add_own_webhook("characters")
    async with aiohttp.ClientSession() as http:
        with sandbox.expect_refusal(status=400, code=code):
            response = await http.post(f"{sandbox.api_url}/webhooks/{hook.id}/{hook.token}", json=body)
        assert response.status == 400
        assert response.headers["Content-Type"] == "application/json"
        assert (await response.json())["code"] == code
    assert not general.messages
    sandbox.assert_clean()


async def test_pings_follow_allowed_mentions_and_an_edit_reads_them_anew(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    alice = guild.add_member("Alice")
    role = guild.add_role("staff")
    everything = f"{alice.mention} {role.mention} @everyone `{guild.owner.mention}`"
    webhook = await text_channel(client, general).create_webhook(name="characters")
    by_default = await webhook.send(everything, wait=True)
    assert general.messages[by_default.id].pings == {alice.id}
    silent = await webhook.send(everything, allowed_mentions=discord.AllowedMentions.none(), wait=True)
    assert general.messages[silent.id].pings == set()
    await webhook.edit_message(silent.id, content=everything)
    assert general.messages[silent.id].pings == {alice.id}
    loud = await webhook.send(everything, allowed_mentions=discord.AllowedMentions.all(), wait=True)
    assert general.messages[loud.id].pings == {alice.id, role.id, "everyone"}
    by_bot = await text_channel(client, general).send(everything)
    assert general.messages[by_bot.id].pings == {alice.id}


@pytest.mark.parametrize(
    ("text", "suppressed", "unfurled"),
    [
        ("see https://pictures.invalid/a", False, True),
        ("see https://pictures.invalid/a", True, False),
        ("see <https://pictures.invalid/a>", False, False),
        ("see `https://pictures.invalid/a`", False, False),
    ],
)
async def test_links_unfurl_unless_suppressed(
    client: RecordingClient, general: Channel, text: str, *, suppressed: bool, unfurled: bool
) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    sent = await webhook.send(text, suppress_embeds=suppressed, wait=True)
    stored = general.messages[sent.id]
    assert stored.unfurled is unfurled
    assert stored.edited_at is None


async def test_files_are_kept_and_served(sandbox: DiscordSandbox, client: RecordingClient, general: Channel) -> None:
    sent = await text_channel(client, general).send("file", files=[discord.File(__file__, filename="a.txt")])
    assert await sent.attachments[0].read() == general.messages[sent.id].attachments[0].content
    [request] = [each for each in sandbox.requests if each.files]
    assert request.json["content"] == "file"
    assert request.files[0].filename == "a.txt"


async def test_buckets_announce_themselves_and_refuse_what_goes_beyond() -> None:
    policy = BucketPolicy(webhook_limit=2, webhook_window=30.0, hidden_webhook_limit=3)
    async with DiscordSandbox(buckets=policy) as sandbox, aiohttp.ClientSession() as http:
        general = sandbox.add_guild("Guild").add_channel("general")
        created = await http.post(
            f"{sandbox.api_url}/channels/{general.id}/webhooks",
            json={"name": "characters"},
            headers={"Authorization": f"Bot {sandbox.token}"},
        )
        assert created.status == 200
        [hook] = general.webhooks
        url = f"{sandbox.api_url}/webhooks/{hook.id}/{hook.token}"
        remaining: list[str] = []
        for _ in range(2):
            response = await http.post(url, json={"content": "x"})
            remaining.append(response.headers["X-RateLimit-Remaining"])
        assert remaining == ["1", "0"]
        refused = await http.post(url, json={"content": "x"})
        assert refused.status == 429
        assert "Via" in refused.headers
        assert 0 < (await refused.json())["retry_after"] <= 30
        assert len(general.messages) == 2
        assert [refusal.status for refusal in sandbox.refusals] == [429]
        hidden = await http.post(url, json={"content": "x"})
        assert hidden.headers["X-RateLimit-Scope"] == "shared"
        assert len(sandbox.refusals) == 1


async def test_an_error_after_storing_makes_a_retry_post_twice(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    fault = sandbox.faults.add(Fault("POST", r"^/webhooks/", status=400, code=1, stored=True))
    with pytest.raises(discord.HTTPException):
        await webhook.send("Hi", wait=True)
    assert fault.hits == 1
    await webhook.send("Hi", wait=True)
    assert len(general.messages) == 2
    sandbox.assert_clean()


async def test_a_connection_can_be_reset_after_storing(
    sandbox: DiscordSandbox, client: RecordingClient, general: Channel
) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    sandbox.faults.add(Fault("POST", r"^/webhooks/", reset=True, stored=True))
    with pytest.raises(aiohttp.ClientOSError):
        await webhook.send("Hi", wait=True)
    assert len(general.messages) == 1


async def test_an_answer_can_be_held_back(sandbox: DiscordSandbox, client: RecordingClient, general: Channel) -> None:
    webhook = await text_channel(client, general).create_webhook(name="characters")
    release = asyncio.Event()
    fault = sandbox.faults.add(Fault("POST", r"^/webhooks/", hold=release))
    sending = asyncio.create_task(webhook.send("Hi", wait=True))
    await fault.seen.wait()
    await sandbox.wait_for(lambda: general.messages)
    assert not sending.done()
    release.set()
    await sending


async def test_history_is_empty_without_the_permission_to_read_it(
    sandbox: DiscordSandbox, client: RecordingClient, guild: Guild, general: Channel
) -> None:
    said = [await guild.owner.say(general, str(number)) for number in range(5)]
    channel = text_channel(client, general)
    after = [m.content async for m in channel.history(after=discord.Object(said[1].id), limit=2, oldest_first=True)]
    assert after == ["2", "3"]
    assert [m.content async for m in channel.history(limit=2)] == ["4", "3"]
    general.deny_bot(Permission.READ_MESSAGE_HISTORY)
    assert [m async for m in channel.history()] == []
    sandbox.assert_clean()


async def test_a_nonce_that_is_enforced_posts_once(client: RecordingClient, general: Channel) -> None:
    channel = text_channel(client, general)
    first = await channel.send("once", nonce="n")
    second = await channel.send("once", nonce="n")
    assert first.id == second.id
    assert len(general.messages) == 1


async def test_an_unknown_route_is_noticed(sandbox: DiscordSandbox) -> None:
    async with aiohttp.ClientSession() as http:
        response = await http.get(f"{sandbox.api_url}/not/123/a/{'x' * 40}/route")
    assert response.status == 404
    assert sandbox.unknown_routes == ["GET /not/{id}/a/{token}/route"]
    with pytest.raises(AssertionError, match="unknown route"):
        sandbox.assert_clean()
