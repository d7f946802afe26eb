"""The client: what it asks of the gateway, and how its commands reach Discord."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.starts import start_delay_seconds
from bot.gateway.presenting import CharacterCommandTree
from bot.services.registry import Services
from bot.store.state import State

_log = logging.getLogger(__name__)

RATE_LIMIT_TIMEOUT_SECONDS: Final = 60.0
"""Longer than this a bot-token request is not held back, but fails and is asked again by its owner."""
_SYNC_STATE: Final = "commands"
_IDS_STATE: Final = "command_ids"


def intents(*, message_content: bool) -> discord.Intents:
    """Return the smallest set of intents: servers, their messages, their webhooks, and what messages say."""
    return discord.Intents(guilds=True, guild_messages=True, webhooks=True, message_content=message_content)


class CharacterBot(commands.AutoShardedBot):
    """A client with next to no cache, made for one shard or many.

    Sharded even when there is one shard: discord.py's other client dies when its first connection fails.
    """

    services: Services

    def __init__(
        self,
        *,
        message_content: bool,
        shard_ids: Sequence[int] | None,
        shard_count: int | None,
        ready_timeout_seconds: float,
        http_trace: object,
        set_up: Callable[["CharacterBot"], Awaitable[None]],
    ) -> None:
        options: dict[str, Any] = {"http_trace": http_trace}
        if shard_count is not None:
            options["shard_count"] = shard_count
        if shard_ids is not None:
            options["shard_ids"] = list(shard_ids)
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=CharacterCommandTree,
            intents=intents(message_content=message_content),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=RATE_LIMIT_TIMEOUT_SECONDS,
            guild_ready_timeout=ready_timeout_seconds,
            **options,
        )
        self._set_up = set_up

    async def setup_hook(self) -> None:
        """Add cogs and components, once logged in and before there is a gateway."""
        await self._set_up(self)

    async def on_message(self, message: discord.Message, /) -> None:
        """Leave messages to the relay: this bot has no text commands, and looking for them logs failures."""


async def wait_for_start(client: discord.Client, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Hold the start back while few session starts are left today, so that a crash loop does not cost the token."""
    limits = await client.fetch_session_start_limits() if isinstance(client, discord.AutoShardedClient) else None
    if limits is None:
        return
    delay = start_delay_seconds(limits.remaining, limits.reset_after / 1_000)
    if delay > 0:
        _log.warning("Only %d session starts are left today; starting in %.0f s", limits.remaining, delay)
        await sleep(delay)


class CommandSync:
    """Keeps Discord's copy of the commands in step, and knows their ids."""

    def __init__(self, tree: app_commands.CommandTree[Any], state: State) -> None:
        self._tree = tree
        self._state = state
        self.ids: dict[str, int] = {}
        """Ids of the top-level commands by name, for mentions; empty until they were sent once."""
        self._sent: int | None = None

    async def load(self) -> None:
        """Read the ids of the last time the commands were sent."""
        stored = await self._state.get(_IDS_STATE)
        if stored is not None:
            self.ids.update(json.loads(stored))

    async def if_changed(self, application_id: int) -> bool:
        """Send the commands when they differ from what was sent last; tell whether they were."""
        fingerprint = self._fingerprint(application_id)
        if await self._state.get(_SYNC_STATE) == fingerprint:
            return False
        await self._send(application_id)
        return True

    async def once(self, application_id: int) -> int:
        """Send the commands, unless this process did so at its start, and return how many there are."""
        return await self._send(application_id) if self._sent is None else self._sent

    async def _send(self, application_id: int) -> int:
        synced = await self._tree.sync()
        self.ids.update({command.name: command.id for command in synced})
        await self._state.put(_IDS_STATE, json.dumps(self.ids))
        await self._state.put(_SYNC_STATE, self._fingerprint(application_id))
        _log.info("Sent %d commands to Discord", len(synced))
        self._sent = len(synced)
        return self._sent

    def _fingerprint(self, application_id: int) -> str:
        kinds = (discord.AppCommandType.chat_input, discord.AppCommandType.user, discord.AppCommandType.message)
        payload = [command.to_dict(self._tree) for kind in kinds for command in self._tree.get_commands(type=kind)]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        return f"{application_id}:{digest}"
