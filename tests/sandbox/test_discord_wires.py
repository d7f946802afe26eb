"""What an onlooker is told of requests and of the gateway's frames."""

import json
from typing import Any

import aiohttp
import discord

from bot.sandbox.discord import DiscordSandbox, RecordedRequest
from bot.sandbox.discord.connections import CUT_OFF, Frame, GatewaySign, Link
from tests.sandbox.discord_clients import RecordingClient, running


def frames(signs: list[GatewaySign], *, to_bot: bool) -> list[dict[str, Any]]:
    return [json.loads(sign.text) for sign in signs if isinstance(sign, Frame) and sign.to_bot is to_bot]


async def test_frames_are_told_both_ways_and_so_are_connections() -> None:
    signs: list[GatewaySign] = []
    async with DiscordSandbox() as sandbox:
        general = sandbox.add_guild("Guild").add_channel("general")
        assert general.guild is not None
        sandbox.gateway.listen(signs.append)
        async with running(sandbox, RecordingClient()) as client:
            await general.guild.owner.say(general, "hello")
            await client.until_heard(1)
            assert signs[0] == Link(opened=True)
            assert {frame["op"] for frame in frames(signs, to_bot=False)} == {1, 2}
            assert [frame["t"] for frame in frames(signs, to_bot=True) if frame["op"] == 0] == [
                "READY",
                "GUILD_CREATE",
                "MESSAGE_CREATE",
            ]
            await sandbox.drop_gateway()
            await client.until_event("resumed")
            assert 6 in {frame["op"] for frame in frames(signs, to_bot=False)}
            links = [sign for sign in signs if isinstance(sign, Link)]
            assert links == [Link(opened=True), Link(opened=False, code=CUT_OFF), Link(opened=True)]


async def test_what_waits_for_a_connection_is_told_when_it_is_sent() -> None:
    signs: list[GatewaySign] = []
    async with DiscordSandbox() as sandbox:
        general = sandbox.add_guild("Guild").add_channel("general")
        assert general.guild is not None
        sandbox.gateway.listen(signs.append)
        await general.guild.owner.say(general, "nobody is there")
        assert signs == []


async def test_a_request_is_told_when_it_comes_and_when_it_is_answered() -> None:
    told: list[tuple[str, int, bool]] = []

    def tell(request: RecordedRequest) -> None:
        told.append((request.route, request.status, request.answered_at is not None))

    async with DiscordSandbox(keep_records=False) as sandbox:
        general = sandbox.add_guild("Guild").add_channel("general")
        async with running(sandbox, RecordingClient()) as client:
            sandbox.ledger.listen(tell)
            channel = client.get_channel(general.id)
            assert isinstance(channel, discord.TextChannel)
            await channel.send("hello")
    route = "/channels/{channel_id}/messages"
    assert told == [(route, 0, False), (route, 200, True)]
    assert sandbox.requests == []
    assert sandbox.heads == []


async def test_the_head_of_whatever_is_asked_is_kept_and_shown_to_nobody() -> None:
    async with DiscordSandbox() as sandbox:
        async with aiohttp.ClientSession(headers={"X-Planted": "a secret"}) as session:
            for address in (f"{sandbox.api_url}/no/such?route=1", f"{sandbox.cdn_url}/x.png", sandbox.base_url):
                await (await session.get(address)).read()
            await (await session.get(sandbox.base_url, headers={"Origin": "https://example.com"})).read()
        assert [head.address for head in sandbox.heads] == ["/api/v10/no/such?route=1", "/cdn/x.png", "/", "/"]
        assert all(("X-Planted", "a secret") in head.headers for head in sandbox.heads)
        assert "secret" not in repr(sandbox.heads)
