"""A look at Discord with the bot's token, without connecting to the gateway."""

import asyncio
from typing import Final

import discord

from bot.domain.checking import DiscordFindings
from bot.domain.rights import Right
from bot.domain.start_wording import DISCORD_NOT_REACHED
from bot.errors import StartError
from bot.gateway.starting import told_in_words

LOOK_SECONDS: Final = 20.0
"""discord.py tries again on its own when Discord has trouble; this is for all of it."""
_RATELIMIT_SECONDS: Final = 30.0
"""The smallest that discord.py takes; a longer wait that Discord asks for fails at once."""


async def look_at_discord(token: str, *, timeout: float = LOOK_SECONDS) -> DiscordFindings:
    """Log in, ask about the application, and log out; a bot that runs with the same token does not notice.

    `timeout` is in seconds. Raises StartError when Discord does not answer or does not know the token.
    """
    client = discord.AutoShardedClient(intents=discord.Intents(guilds=True), max_ratelimit_timeout=_RATELIMIT_SECONDS)
    try:
        async with asyncio.timeout(timeout):
            with told_in_words():
                await client.login(token)
                return await _look(client)
    except TimeoutError as error:
        raise StartError(DISCORD_NOT_REACHED, wrong_settings=False) from error
    finally:
        await client.close()


async def _look(client: discord.AutoShardedClient) -> DiscordFindings:
    application = await client.application_info()
    starts = await client.fetch_session_start_limits()
    flags = application.flags
    return DiscordFindings(
        bot_name=str(client.user),
        message_content=flags.gateway_message_content or flags.gateway_message_content_limited,
        interactions_elsewhere=bool(application.interactions_endpoint_url),
        needs_code_grant=application.bot_require_code_grant,
        guild_count=application.approximate_guild_count,
        invite_url=invite_url(application.id),
        starts_left=starts.remaining,
        starts_total=starts.total,
        starts_reset_seconds=starts.reset_after / 1_000,
    )


def invite_url(application_id: int) -> str:
    """Return the link that invites the bot with what it needs in text channels."""
    rights = {right.value: True for right in Right if right is not Right.CONNECT}
    return discord.utils.oauth_url(
        application_id, permissions=discord.Permissions(**rights), scopes=("bot", "applications.commands")
    )
