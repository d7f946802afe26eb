import pytest

from bot.domain.ids import GuildId
from bot.domain.sharding import shard_of


@pytest.mark.parametrize(
    ("guild_id", "shard_count", "shard"), [(0, 1, 0), (1 << 22, 2, 1), (3 << 22, 2, 1), (4 << 22, 3, 1), (5, 16, 0)]
)
def test_the_upper_bits_of_a_server_decide_its_shard(guild_id: int, shard_count: int, shard: int) -> None:
    assert shard_of(GuildId(guild_id), shard_count) == shard
