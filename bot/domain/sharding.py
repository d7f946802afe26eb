"""Which shard a server belongs to."""

from typing import Final

from bot.domain.ids import GuildId

_SHARD_SHIFT: Final = 22


def shard_of(guild_id: GuildId, shard_count: int) -> int:
    """Return the shard of a server (https://discord.com/developers/docs/events/gateway#sharding)."""
    return (guild_id >> _SHARD_SHIFT) % shard_count
