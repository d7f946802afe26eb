import asyncio
from contextlib import suppress

import pytest

from bot.domain.ids import GuildId, MessageId
from bot.services.retention import FIRST_ROUND_AFTER_SECONDS, LEFT_GRACE_MS, ROUND_EVERY_SECONDS, RetentionService
from bot.store.database import Database
from bot.store.guilds import Guilds
from bot.store.retention import Retention, Swept
from bot.store.vault import Vault
from tests.support.feedback_world import GUILD, OPEN_PLACE, FeedbackWorld
from tests.support.manual_clock import ManualClock

DAY = 86_400
OTHER = GuildId(201)
NEXT_SHARD = GuildId(1 << 22)


@pytest.fixture
def guilds(database: Database) -> Guilds:
    return Guilds(database)


@pytest.fixture
def service(database: Database, guilds: Guilds, clock: ManualClock) -> RetentionService:
    return RetentionService(retention=Retention(database), guilds=guilds, retention_days=30, clock=clock.clock)


def restarted(database: Database, clock: ManualClock) -> RetentionService:
    return RetentionService(
        retention=Retention(database), guilds=Guilds(database), retention_days=30, clock=clock.clock
    )


async def bound_guilds(database: Database) -> set[int]:
    return {row["guild_id"] for row in await database.read("SELECT guild_id FROM binding")}


@pytest.fixture
async def bound(database: Database, vault: Vault, clock: ManualClock) -> None:
    world = FeedbackWorld(database, vault, clock)
    await world.bind(await world.character())
    await world.http.aclose()


@pytest.mark.usefixtures("bound")
async def test_a_server_that_was_left_is_forgotten_after_a_day(
    service: RetentionService, database: Database, clock: ManualClock
) -> None:
    await service.guild_joined(GUILD)
    await service.guild_left(GUILD)
    clock.advance(LEFT_GRACE_MS / 1_000)
    await service.work_round()
    assert await bound_guilds(database) == {GUILD}
    clock.advance(1)
    await service.work_round()
    assert await bound_guilds(database) == set()


@pytest.mark.usefixtures("bound")
async def test_a_server_that_is_joined_again_within_the_day_keeps_everything(
    service: RetentionService, database: Database, clock: ManualClock
) -> None:
    await service.guild_left(GUILD)
    clock.advance(DAY / 2)
    await service.guild_joined(GUILD)
    clock.advance(2 * DAY)
    await service.work_round()
    assert await bound_guilds(database) == {GUILD}


@pytest.mark.usefixtures("bound")
async def test_a_server_left_while_the_bot_was_down_is_found_out_at_ready(
    service: RetentionService, database: Database, clock: ManualClock
) -> None:
    await service.shard_ready(0, 1, [GUILD, OTHER])
    later = restarted(database, clock)
    assert await later.shard_ready(0, 1, [OTHER]) == {GUILD}
    clock.advance(DAY + 1)
    await later.work_round()
    assert await bound_guilds(database) == set()


async def test_who_keeps_things_of_servers_in_memory_hears_which_were_left(
    service: RetentionService, database: Database, clock: ManualClock
) -> None:
    heard: list[GuildId] = []

    async def hear(guild_id: GuildId) -> None:
        heard.append(guild_id)

    await service.shard_ready(0, 1, [GUILD, OTHER])
    later = RetentionService(
        retention=Retention(database),
        guilds=Guilds(database),
        retention_days=30,
        clock=clock.clock,
        on_left=hear,
    )
    await later.shard_ready(0, 1, [OTHER])
    await later.shard_ready(0, 1, [OTHER])
    assert heard == [GUILD]
    await later.guild_left(OTHER)
    assert heard == [GUILD, OTHER]


async def test_a_server_that_is_still_there_is_not_taken_for_left(service: RetentionService, guilds: Guilds) -> None:
    assert await service.shard_ready(0, 1, [GUILD, OTHER]) == frozenset()
    assert await service.shard_ready(0, 1, [GUILD, OTHER]) == frozenset()
    assert await guilds.present() == {GUILD, OTHER}


async def test_a_removal_is_not_undone_by_a_list_from_before_it(service: RetentionService, guilds: Guilds) -> None:
    many = [GuildId(number) for number in range(300, 600)]
    await asyncio.gather(service.shard_ready(0, 1, many), service.guild_left(many[-1]))
    assert await guilds.present() == set(many[:-1])


async def test_a_shard_speaks_for_its_own_servers_only(service: RetentionService, guilds: Guilds) -> None:
    await service.shard_ready(0, 2, [GUILD, NEXT_SHARD])
    await service.shard_ready(1, 2, [GUILD, NEXT_SHARD])
    assert await service.shard_ready(0, 2, [GUILD]) == frozenset()
    assert await service.shard_ready(1, 2, [GUILD]) == {NEXT_SHARD}
    assert await guilds.present() == {GUILD}


@pytest.mark.usefixtures("bound")
async def test_a_server_the_bot_is_in_is_never_forgotten_whatever_the_store_says(
    service: RetentionService, guilds: Guilds, database: Database, clock: ManualClock
) -> None:
    await service.shard_ready(0, 1, [GUILD])
    await guilds.left(GUILD, clock.now_ms())
    clock.advance(DAY + 1)
    await service.work_round()
    assert await bound_guilds(database) == {GUILD}
    assert await guilds.present() == {GUILD}


async def test_old_texts_go_in_a_round(
    service: RetentionService, database: Database, vault: Vault, clock: ManualClock
) -> None:
    world = FeedbackWorld(database, vault, clock)
    turn = await world.reply(await world.bind(await world.character()), OPEN_PLACE, [MessageId(500)])
    clock.advance(30 * DAY)
    await service.work_round()
    kept = await world.turns.latest_version(turn)
    clock.advance(1)
    await service.work_round()
    dropped = await world.turns.latest_version(turn)
    await world.http.aclose()
    assert kept is not None
    assert dropped is not None
    assert (kept.text, dropped.text) == ("Hello there", None)


async def test_rounds_come_by_themselves_and_outlive_a_failure(
    database: Database, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Retention):
        rounds = 0

        async def sweep(self, now_ms: int, retention_ms: int) -> Swept:
            self.rounds += 1
            if self.rounds == 1:
                raise OSError("disk full")
            return await super().sweep(now_ms, retention_ms)

    failing = Failing(database)
    service = RetentionService(retention=failing, guilds=Guilds(database), retention_days=30, clock=clock.clock)
    task = asyncio.create_task(service.run())
    assert await clock.sleeping() == FIRST_ROUND_AFTER_SECONDS
    clock.advance(FIRST_ROUND_AFTER_SECONDS)
    assert await clock.sleeping() == ROUND_EVERY_SECONDS
    clock.advance(ROUND_EVERY_SECONDS)
    assert await clock.sleeping() == ROUND_EVERY_SECONDS
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert failing.rounds == 2
    assert "broke off" in caplog.text
