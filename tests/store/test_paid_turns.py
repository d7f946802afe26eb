import asyncio

import pytest

from bot.domain.ids import BindingId, ChannelId
from bot.domain.payers import member_payer
from bot.store.database import Database
from bot.store.paid_turns import PaidTurns
from tests.store.seed import ALICE, BOB, DAY, NOW, Seed

PAYER = member_payer(ALICE)


@pytest.fixture
def paid(database: Database) -> PaidTurns:
    return PaidTurns(database)


@pytest.fixture
async def binding_id(seed: Seed) -> BindingId:
    return (await seed.binding()).id


async def test_a_day_has_so_many_and_no_more(paid: PaidTurns, binding_id: BindingId) -> None:
    async def take(day: int = NOW) -> bool:
        return await paid.take(binding_id, PAYER, most=2, day_start_ms=day)

    assert [await take() for _ in range(3)] == [True, True, False]
    assert await paid.taken(PAYER, NOW) == 2
    assert await take(NOW + DAY)


async def test_each_channel_and_each_payer_counts_alone(paid: PaidTurns, binding_id: BindingId, seed: Seed) -> None:
    other = (await seed.binding(channel=ChannelId(21), character="other")).id
    for where, payer in ((binding_id, PAYER), (other, PAYER), (binding_id, member_payer(BOB))):
        assert await paid.take(where, payer, most=1, day_start_ms=NOW)
    assert await paid.taken(PAYER, NOW) == 2
    assert await paid.taken(PAYER, NOW + DAY) == 0


async def test_none_is_none(paid: PaidTurns, binding_id: BindingId) -> None:
    assert not await paid.take(binding_id, PAYER, most=0, day_start_ms=NOW)
    assert await paid.taken(PAYER, NOW) == 0


async def test_of_two_at_once_one_gets_the_last(paid: PaidTurns, binding_id: BindingId) -> None:
    both = await asyncio.gather(*(paid.take(binding_id, PAYER, most=1, day_start_ms=NOW) for _ in range(2)))
    assert sorted(both) == [False, True]
