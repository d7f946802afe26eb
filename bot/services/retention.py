"""Forgetting in time: texts by age, and everything of servers that were left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from bot.domain.ids import GuildId
from bot.domain.sharding import shard_of
from bot.services.clock import Clock
from bot.store.guilds import Guilds
from bot.store.retention import Retention

_log = logging.getLogger(__name__)

_DAY_MS: Final = 86_400_000
ROUND_EVERY_SECONDS: Final = 6 * 3_600.0
"""So that a text outlives its retention by hours and not by a day."""
FIRST_ROUND_AFTER_SECONDS: Final = 300.0
"""The start belongs to the messages that came meanwhile, and to hearing which servers there are."""
SEEN_BATCH: Final = 200
"""Servers written in one transaction: a shard may have 2,500."""
LEFT_GRACE_MS: Final = _DAY_MS
"""How long the data of a server that was left is kept: removals by mistake are put right within a day."""


class RetentionService:
    """Sweeps and purges in small transactions, and keeps count of the servers the bot is in."""

    def __init__(
        self,
        *,
        retention: Retention,
        guilds: Guilds,
        retention_days: int,
        clock: Clock,
        on_left: Callable[[GuildId], Awaitable[None]] | None = None,
    ) -> None:
        """Take the tables; `on_left` hears of each server that was left, once that is written down."""
        self._on_left = on_left
        self._retention = retention
        self._guilds = guilds
        self._retention_ms = retention_days * _DAY_MS
        self._clock = clock
        self._here: set[GuildId] = set()
        self._counting = asyncio.Lock()
        """One word about the servers at a time: a removal must not be undone by a list from before it."""

    async def run(self) -> None:
        """Work a round now and then until cancelled."""
        await self._clock.sleep(FIRST_ROUND_AFTER_SECONDS)
        while True:
            try:
                await self.work_round()
            except Exception:  # noqa: BLE001 - a full disk today must not end the forgetting for good.
                _log.exception("the round of forgetting broke off; it is taken up in the next one")
            await self._clock.sleep(ROUND_EVERY_SECONDS)

    async def work_round(self) -> None:
        """Drop what is too old, and everything of servers that were left a day ago or longer."""
        now_ms = self._clock.now_ms()
        for guild_id in await self._guilds.to_purge(now_ms - LEFT_GRACE_MS):
            if guild_id in self._here:
                # Left by what the store says, and there by what Discord says: Discord is right.
                await self._guilds.seen([guild_id], now_ms)
            elif await self._guilds.purge(guild_id):
                _log.info("forgot the server %s, which was left", guild_id)
        swept = await self._retention.sweep(now_ms, self._retention_ms)
        _log.info("dropped %s texts and pruned %s rows", swept.texts, swept.rows)

    async def guild_joined(self, guild_id: GuildId) -> None:
        """Write down that the bot is in a server, so that nothing of it is purged."""
        async with self._counting:
            self._here.add(guild_id)
            await self._guilds.seen([guild_id], self._clock.now_ms())

    async def guild_left(self, guild_id: GuildId) -> None:
        """Write down that the bot was removed from a server: not for an outage."""
        async with self._counting:
            self._here.discard(guild_id)
            await self._guilds.left(guild_id, self._clock.now_ms())
        await self._tell_left(guild_id)

    async def shard_ready(self, shard_id: int, shard_count: int, guild_ids: Iterable[GuildId]) -> frozenset[GuildId]:
        """Compare a shard's servers, unavailable ones included, with those known, and return the ones left meanwhile.

        Discord sends no event for servers that were left while the bot was down.
        """
        here = {guild_id for guild_id in guild_ids if shard_of(guild_id, shard_count) == shard_id}
        async with self._counting:
            now_ms = self._clock.now_ms()
            present = await self._guilds.present()
            known = {guild_id for guild_id in present if shard_of(guild_id, shard_count) == shard_id}
            others = {guild_id for guild_id in self._here if shard_of(guild_id, shard_count) != shard_id}
            self._here = others | here
            ordered = sorted(here)
            for start in range(0, len(ordered), SEEN_BATCH):
                await self._guilds.seen(ordered[start : start + SEEN_BATCH], now_ms)
            left = sorted(known - here)
            for guild_id in left:
                await self._guilds.left(guild_id, now_ms)
        for guild_id in left:
            _log.info("the server %s was left while the bot was away", guild_id)
            await self._tell_left(guild_id)
        return frozenset(left)

    async def _tell_left(self, guild_id: GuildId) -> None:
        if self._on_left is not None:
            await self._on_left(guild_id)
