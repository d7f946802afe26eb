import asyncio

import pytest

from bot.domain.feedback import Complaint, Review
from bot.domain.ids import ChannelId, GuildId, MessageId, WebhookId
from bot.domain.payers import member_payer
from bot.domain.webhooks import OwnWebhook
from bot.store.database import Database
from bot.store.guilds import Guilds
from bot.store.notices import Notices
from bot.store.outbox import Outbox
from bot.store.paid_turns import PaidTurns
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.servers import Servers
from bot.store.webhooks import Webhooks
from tests.store.seed import ALICE, CHANNEL, GUILD, NOW, PAYER, Seed

OTHER = GuildId(11)
OTHER_CHANNEL = ChannelId(21)


@pytest.fixture
def guilds(database: Database) -> Guilds:
    return Guilds(database)


async def fill(seed: Seed, guild: GuildId, channel: ChannelId) -> None:
    database, vault = seed.database, seed.vault
    binding = await seed.binding(guild=guild, channel=channel)
    room, thread = await seed.room(binding), await seed.thread(binding, channel + 1000)
    for number, conversation in enumerate((room, thread)):
        message = channel * 100 + number
        await seed.message(conversation, message, turn=await seed.turn(conversation, post=message + 50))
    await seed.message(room, channel * 100 + 7, state="waiting")
    for place in (channel, channel + 1000):
        await Notices(database).try_mark(ChannelId(place), "full", NOW, 1)
    await Webhooks(database, vault).put(OwnWebhook(channel, guild, WebhookId(channel), "fake-token"), NOW)
    await Ratings(database, vault).put(ALICE, await seed.character(f"c{guild}"), Review(5), guild, NOW)
    complaint = Complaint(ALICE, binding.character_ref, "Spam", "words", guild, channel, MessageId(channel * 100))
    await Reports(database, vault, Outbox(database)).file(complaint, payer=PAYER, now_ms=NOW)
    await Servers(database, vault).put_key(guild, "sk-nano-fake-server", NOW)
    await PaidTurns(database).take(binding.id, member_payer(ALICE), most=9, day_start_ms=NOW)


async def test_servers_come_go_and_come_back(guilds: Guilds) -> None:
    await guilds.seen([GUILD, OTHER], NOW)
    assert await guilds.present() == {GUILD, OTHER}
    await guilds.left(GUILD, NOW + 1)
    assert await guilds.present() == {OTHER}
    assert await guilds.to_purge(NOW + 1) == []
    assert await guilds.to_purge(NOW + 2) == [GUILD]
    await guilds.seen([GUILD], NOW + 3)
    assert await guilds.to_purge(NOW + 9) == []
    assert await guilds.present() == {GUILD, OTHER}


async def test_the_key_of_a_server_goes_at_once_when_the_bot_is_removed(guilds: Guilds, seed: Seed) -> None:
    servers = Servers(seed.database, seed.vault)
    for guild in (GUILD, OTHER):
        await guilds.seen([guild], NOW)
        await servers.put_key(guild, "sk-nano-fake-server", NOW)
    await guilds.left(GUILD, NOW)
    assert await servers.key(GUILD) is None
    assert [settings.key_set_at_ms for settings in await servers.all()] == [None, NOW]
    assert await servers.key(OTHER) is not None


async def test_leaving_counts_from_the_first_word_of_it(guilds: Guilds) -> None:
    await guilds.left(GUILD, NOW)
    await guilds.left(GUILD, NOW + 10)
    assert await guilds.to_purge(NOW + 5) == [GUILD]


async def test_servers_are_purged_in_the_order_they_were_left(guilds: Guilds) -> None:
    await guilds.left(OTHER, NOW + 1)
    await guilds.left(GUILD, NOW)
    assert await guilds.to_purge(NOW + 2) == [GUILD, OTHER]


async def test_a_purge_leaves_nothing_of_the_server_but_what_is_the_members(guilds: Guilds, seed: Seed) -> None:
    await guilds.seen([GUILD, OTHER], NOW)
    await fill(seed, OTHER, OTHER_CHANNEL)
    before = await seed.counts()
    await fill(seed, GUILD, CHANNEL)
    await guilds.left(GUILD, NOW)
    assert await guilds.purge(GUILD)
    assert await seed.counts() == before | {"guild": 1, "rating": 2, "report": 2, "outbox": 2}
    links = await seed.database.read(
        "SELECT guild_id FROM rating UNION ALL SELECT guild_id FROM report "
        "UNION ALL SELECT channel_id FROM report UNION ALL SELECT message_id FROM report"
    )
    assert {row["guild_id"] for row in links} == {None, OTHER, OTHER_CHANNEL, OTHER_CHANNEL * 100}
    assert await guilds.to_purge(NOW + 9) == []


async def test_a_server_the_bot_is_in_is_not_purged(guilds: Guilds, seed: Seed) -> None:
    await guilds.seen([GUILD], NOW)
    await fill(seed, GUILD, CHANNEL)
    before = await seed.counts()
    assert not await guilds.purge(GUILD)
    assert not await guilds.purge(OTHER)
    assert await seed.counts() == before


async def test_a_purge_works_in_small_steps_and_stops_when_the_bot_is_back(seed: Seed) -> None:
    guilds = Guilds(seed.database, purge_batch_rows=10)
    room = await seed.room(await seed.binding())
    for number in range(35):
        await seed.message(room, 100 + number)
    await guilds.left(GUILD, NOW)
    purge = asyncio.ensure_future(guilds.purge(GUILD))
    await asyncio.sleep(0)
    await guilds.seen([GUILD], NOW + 1)
    assert not await purge
    assert (await seed.counts())["claim"] == 25
    await guilds.left(GUILD, NOW + 2)
    assert await guilds.purge(GUILD)
    assert await seed.counts() == {}
