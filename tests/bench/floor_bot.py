"""The least that a bot of this kind can do, to measure the real one against.

For each message one streamed call upstream and one post through a webhook of the channel. No database, no history, no
previews, no retries, no care: `python -m tests.bench.floor_bot`, with the bot's own variables in the environment.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any, Final, cast

import discord
import httpx
from discord.ext import commands

from bot.gateway.endpoints import point_at

CHARACTER: Final = "helpful-guide"
CALL_SIGN: Final = "Question"
"""What the bench's questions begin with; the rest of its messages is talk among people."""
CONNECTIONS: Final = 40
"""As many as the real bot opens by its defaults."""


class FloorBot(commands.AutoShardedBot):
    """Answers every message of a person."""

    def __init__(self, http: httpx.AsyncClient, responses_url: str) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True, guild_messages=True, webhooks=True, message_content=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.1,
        )
        self._upstream = http
        self._url = f"{responses_url}/responses"
        self._webhooks: dict[int, discord.Webhook] = {}

    async def on_message(self, message: discord.Message, /) -> None:
        if message.webhook_id is not None or message.author.bot or not message.content.startswith(CALL_SIGN):
            return
        text = await self._ask(message.content)
        webhook = await self._webhook(message.channel)
        await webhook.send(text, username="Floor", wait=True, suppress_embeds=True)

    async def _ask(self, said: str) -> str:
        body = {
            "character_id": CHARACTER,
            "input": [{"type": "message", "role": "user", "content": said}],
            "store": False,
            "stream": True,
        }
        pieces: list[str] = []
        async with self._upstream.stream("POST", self._url, json=body) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                event = cast("dict[str, Any]", json.loads(line.removeprefix("data: ")))
                if event["type"] == "response.output_text.delta":
                    pieces.append(event["delta"])
        return "".join(pieces)

    async def _webhook(self, channel: object) -> discord.Webhook:
        assert isinstance(channel, discord.TextChannel)
        webhook = self._webhooks.get(channel.id)
        if webhook is None:
            webhook = self._webhooks[channel.id] = await channel.create_webhook(name="Floor")
        return webhook


async def run(environment: Mapping[str, str]) -> None:
    """Stay connected until the process is ended."""
    point_at(
        api_url=environment["BOT_DISCORD__API_URL"],
        gateway_url=environment["BOT_DISCORD__GATEWAY_URL"],
        cdn_url=environment["BOT_DISCORD__CDN_URL"],
    )
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    headers = {"Authorization": f"Bearer {environment['BOT_NANOGPT__API_KEY']}"}
    async with (
        httpx.AsyncClient(limits=limits, headers=headers, timeout=60, trust_env=False) as http,
        FloorBot(http, environment["BOT_NANOGPT__RESPONSES_URL"]) as bot,
    ):
        await bot.start(environment["BOT_DISCORD__TOKEN"])


if __name__ == "__main__":
    asyncio.run(run(os.environ))
