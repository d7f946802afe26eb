import asyncio
import itertools

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.discord import (
    BucketPolicy,
    ChannelKind,
    DiscordSandbox,
    Fault,
    Permission,
    Person,
    SandboxError,
)
from bot.sandbox.discord.buckets import Buckets
from bot.sandbox.discord.clock import Snowflakes
from bot.sandbox.discord.mentions import preview_links

EXECUTE = "/webhooks/{webhook_id}/{webhook_token}"


@given(st.lists(st.floats(min_value=1.5e9, max_value=2e9), min_size=1))
def test_ids_rise_whatever_the_clock_does(times: list[float]) -> None:
    ticks = itertools.chain(times, itertools.repeat(times[-1]))
    ids = Snowflakes(lambda: next(ticks))
    made = [ids.next() for _ in range(len(times) + 3)]
    assert made == sorted(set(made))


@settings(max_examples=40)
@given(st.integers(0, 30), st.integers(1, 10), st.data())
def test_pages_of_history_follow_discords_order(count: int, limit: int, data: st.DataObject) -> None:
    channel = DiscordSandbox().add_guild("Guild").add_channel("general")
    owner = channel.guild.owner if channel.guild else None
    assert owner is not None

    async def fill() -> list[int]:
        return [(await owner.say(channel, str(number))).id for number in range(count)]

    ids = asyncio.run(fill())
    anchor = data.draw(st.sampled_from(ids)) if ids else 0
    newest = [message.id for message in channel.page(before=None, after=None, around=None, limit=limit)]
    assert newest == ids[::-1][:limit]
    after = [message.id for message in channel.page(before=None, after=anchor, around=None, limit=limit)]
    assert after == [each for each in ids if each > anchor][:limit][::-1]
    before = [message.id for message in channel.page(before=anchor, after=None, around=None, limit=limit)]
    assert before == [each for each in ids[::-1] if each < anchor][:limit]


def test_overwrites_apply_after_roles_and_the_members_own_last() -> None:
    guild = DiscordSandbox().add_guild("Guild")
    channel = guild.add_channel("general")
    role = guild.add_role("readers")
    alice = guild.add_member("Alice", roles=[role])
    channel.overwrite(guild.everyone, deny=Permission.SEND_MESSAGES)
    assert not alice.may(channel, Permission.SEND_MESSAGES)
    channel.overwrite(role, allow=Permission.SEND_MESSAGES)
    assert alice.may(channel, Permission.SEND_MESSAGES)
    channel.overwrite(alice.user, deny=Permission.SEND_MESSAGES)
    assert not alice.may(channel, Permission.SEND_MESSAGES)
    assert guild.owner.may(channel, Permission.MANAGE_CHANNELS)


def test_a_thread_asks_its_parent_and_its_own_permission_to_send() -> None:
    guild = DiscordSandbox().add_guild("Guild")
    channel = guild.add_channel("general")
    thread = channel.add_thread("talk")
    alice = guild.add_member("Alice")
    channel.overwrite(guild.everyone, deny=Permission.SEND_MESSAGES)
    assert alice.may(thread, Permission.SEND_MESSAGES)
    channel.overwrite(guild.everyone, deny=Permission.SEND_MESSAGES_IN_THREADS)
    assert not alice.may(thread, Permission.SEND_MESSAGES)
    channel.overwrite(guild.everyone, deny=Permission.VIEW_CHANNEL)
    assert not alice.may(thread, Permission.READ_MESSAGE_HISTORY)


def test_taking_a_permission_from_the_bot_leaves_it_with_people() -> None:
    sandbox = DiscordSandbox()
    guild = sandbox.add_guild("Guild")
    channel = guild.add_channel("general")
    alice = guild.add_member("Alice")
    guild.bot_permissions &= ~Permission.SEND_MESSAGES
    late = guild.add_member("Late")
    assert not sandbox.world.bot_may(channel, Permission.SEND_MESSAGES)
    assert sandbox.world.bot_may(channel, Permission.MANAGE_WEBHOOKS)
    assert alice.may(channel, Permission.SEND_MESSAGES)
    assert late.may(channel, Permission.SEND_MESSAGES)


async def test_people_cannot_do_what_their_client_would_not_offer() -> None:
    guild = DiscordSandbox().add_guild("Guild")
    channel = guild.add_channel("general")
    alice, bob = guild.add_member("Alice"), guild.add_member("Bob")
    message = await alice.say(channel, "mine")
    with pytest.raises(SandboxError):
        await bob.edit(message, "yours")
    with pytest.raises(SandboxError):
        await bob.delete(message)
    with pytest.raises(SandboxError):
        await bob.say(channel, " ")
    with pytest.raises(SandboxError):
        await bob.say(guild.add_channel("forum", kind=ChannelKind.FORUM), "no")
    await guild.owner.delete(message)
    with pytest.raises(SandboxError):
        await alice.edit(message, "too late")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.invalid/x and http://b.invalid", ["https://a.invalid/x", "http://b.invalid"]),
        ("[masked](https://a.invalid/x)", ["https://a.invalid/x"]),
        ("<https://a.invalid/x>", []),
        ("```\nhttps://a.invalid/x\n```", []),
    ],
)
def test_links_that_show_a_preview_are_found(text: str, links: list[str]) -> None:
    assert preview_links(text) == links


def test_a_bucket_is_full_until_its_window_ends_and_each_webhook_has_its_own() -> None:
    now = [0.0]
    buckets = Buckets(BucketPolicy(webhook_limit=2, webhook_window=1.0), lambda: now[0], lambda: now[0])

    def call(webhook_id: str) -> bool:
        path = {"webhook_id": webhook_id, "webhook_token": "fake"}
        verdict = buckets.take("POST", EXECUTE, path, authorised=False, webhook_channel=1)
        return verdict.retry_after is None

    assert [call("1"), call("1"), call("1"), call("2")] == [True, True, False, True]
    now[0] = 1.0
    assert call("1")


def test_only_a_process_that_was_told_of_a_full_bucket_is_to_blame_for_calling() -> None:
    now = [0.0]
    buckets = Buckets(BucketPolicy(webhook_limit=1, webhook_window=1.0), lambda: now[0], lambda: now[0])

    def blamed() -> bool:
        path = {"webhook_id": "1", "webhook_token": "fake"}
        verdict = buckets.take("POST", EXECUTE, path, authorised=False, webhook_channel=1)
        return verdict.retry_after is not None and verdict.announced

    assert [blamed(), blamed()] == [False, True]
    buckets.forget_client()
    assert [blamed(), blamed()] == [False, True]
    now[0] = 1.0
    assert [blamed(), blamed()] == [False, True]


def test_the_global_limit_counts_only_calls_with_the_bots_token() -> None:
    buckets = Buckets(BucketPolicy(global_limit=2), lambda: 0.0, lambda: 0.0)

    def scope(*, authorised: bool) -> str | None:
        path = {"channel_id": "1"}
        verdict = buckets.take("GET", "/channels/{channel_id}", path, authorised=authorised, webhook_channel=None)
        return None if verdict.retry_after is None else verdict.scope

    assert [scope(authorised=False) for _ in range(3)] == [None, None, None]
    assert [scope(authorised=True) for _ in range(3)] == [None, None, "global"]


async def test_a_scripted_rate_limit_can_look_like_a_proxys() -> None:
    async with DiscordSandbox() as sandbox, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bot {sandbox.token}"}
        sandbox.faults.add(Fault("GET", "/users/@me", status=429, retry_after=3.5, scope="global"))
        sandbox.faults.add(Fault("GET", "/users/@me", status=429, via=False))
        sandbox.faults.add(Fault("GET", "/users/@me", status=502, html=True))
        first = await http.get(f"{sandbox.api_url}/users/@me", headers=headers)
        assert (first.headers["Via"], (await first.json())["global"]) == ("1.1 google", True)
        second = await http.get(f"{sandbox.api_url}/users/@me", headers=headers)
        assert "Via" not in second.headers
        third = await http.get(f"{sandbox.api_url}/users/@me", headers=headers)
        assert (third.status, third.content_type) == (502, "text/html")
        assert (await http.get(f"{sandbox.api_url}/users/@me", headers=headers)).status == 200
        sandbox.assert_clean()


async def test_tokens_are_in_no_record() -> None:
    async with DiscordSandbox() as sandbox, aiohttp.ClientSession() as http:
        await http.get(f"{sandbox.api_url}/webhooks/1/fake-secret")
        await http.get(f"{sandbox.api_url}/users/@me", headers={"Authorization": f"Bot {sandbox.token}"})
        assert "fake-secret" not in repr(sandbox.requests) + "".join(map(str, sandbox.refusals))
        assert sandbox.token not in repr(sandbox.requests)


async def test_waiting_shows_the_transcript_when_nothing_comes() -> None:
    sandbox = DiscordSandbox()
    guild = sandbox.add_guild("Guild")
    channel = guild.add_channel("general")
    waiting = asyncio.create_task(sandbox.wait_for(lambda: channel.last_message))
    said = await guild.owner.say(channel, "hello")
    assert await waiting is said
    with pytest.raises(TimeoutError, match="Owner post: hello"):
        await sandbox.wait_for(lambda: None, timeout=0.001)


async def test_an_expected_refusal_that_does_not_come_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no refusal came"), DiscordSandbox().expect_refusal(code=10008):
        pass


async def test_the_same_user_can_be_in_two_servers() -> None:
    sandbox = DiscordSandbox()
    alice = sandbox.add_guild("One").add_member("Alice")
    other: Person = sandbox.add_guild("Two").add_member("Alice", user=alice.user)
    assert other.id == alice.id
    assert other.open_dm() is alice.open_dm()


@pytest.mark.parametrize("foreign", ["name", "port", "origin", "own origin"])
async def test_no_web_page_is_answered_even_with_the_token(foreign: str) -> None:
    async with DiscordSandbox() as sandbox, aiohttp.ClientSession() as session:
        port = sandbox.base_url.split(":")[2]
        headers = {
            "name": {"Host": f"evil.example:{port}"},
            "port": {"Host": "127.0.0.1"},
            "origin": {"Origin": "http://evil.example"},
            "own origin": {"Origin": sandbox.base_url},
        }[foreign]
        token = {"Authorization": f"Bot {sandbox.token}"}
        me = f"{sandbox.api_url}/users/@me"
        for url in (me, f"{sandbox.cdn_url}/avatars/1/a.png", sandbox.gateway_url.replace("ws:", "http:")):
            async with session.get(url, headers=token | headers) as response:
                assert response.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(sandbox.gateway_url, headers=headers)
        async with session.get(me, headers=token | {"Host": f"localhost:{port}"}) as response:
            assert response.status == 200
