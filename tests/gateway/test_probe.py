"""Looking at Discord with nothing but a token."""

import asyncio

import pytest

from bot.domain.start_wording import DISCORD_NOT_REACHED, LOGIN_REFUSED
from bot.errors import StartError
from bot.gateway.endpoints import point_at
from bot.gateway.probe import invite_url, look_at_discord
from bot.sandbox.discord import DiscordSandbox, Fault


async def test_the_application_is_looked_at_without_a_session() -> None:
    async with DiscordSandbox() as discord:
        _point_at(discord)
        discord.add_guild("Writers")
        found = await look_at_discord(discord.token)
        assert (found.message_content, found.guild_count, found.starts_left) == (True, 1, 1_000)
        assert (found.interactions_elsewhere, found.needs_code_grant) == (False, False)
        assert discord.gateway.identifies == []


async def test_a_refused_token_is_a_wrong_setting() -> None:
    async with DiscordSandbox() as discord:
        _point_at(discord)
        with pytest.raises(StartError) as caught:
            await look_at_discord("fake-wrong-token")
    assert (caught.value.sentence, caught.value.wrong_settings) == (LOGIN_REFUSED, True)


async def test_a_discord_that_says_nothing_is_waited_for_no_longer_than_told() -> None:
    async with DiscordSandbox() as discord:
        _point_at(discord)
        silence = discord.faults.add(Fault("GET", "/users/@me", hold=asyncio.Event()))
        with pytest.raises(StartError) as caught:
            await look_at_discord(discord.token, timeout=0.05)
        assert silence.hold is not None
        silence.hold.set()
    assert (caught.value.sentence, caught.value.wrong_settings) == (DISCORD_NOT_REACHED, False)


def test_the_link_asks_for_what_text_channels_need() -> None:
    assert invite_url(42) == (
        "https://discord.com/oauth2/authorize?client_id=42&scope=bot+applications.commands&permissions=275414895616"
    )


def _point_at(discord: DiscordSandbox) -> None:
    point_at(api_url=discord.api_url, gateway_url=discord.gateway_url, cdn_url=discord.cdn_url)
