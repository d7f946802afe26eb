"""A key can be put out of use: everything is sealed anew, in batches, and what cannot be is told."""

import pytest

from bot.domain.feedback import Review
from bot.domain.ids import ChannelId, UserId, WebhookId
from bot.domain.webhooks import OwnWebhook
from bot.store.database import Database
from bot.store.inspection import inspect
from bot.store.ratings import Ratings
from bot.store.resealing import Resealed, Resealing
from bot.store.vault import MasterKey, Vault
from bot.store.webhooks import Webhooks
from tests.store.seed import ALICE, GUILD, NOW, Seed
from tests.store.test_plaintext import write_everything

OLD = MasterKey(b"o" * 32)
NEW = MasterKey(b"n" * 32)
LOST = MasterKey(b"l" * 32)


@pytest.fixture
def both() -> Vault:
    return Vault([NEW, OLD])


async def key_ids(database: Database) -> frozenset[bytes]:
    await database.close()
    return inspect(database.path).key_ids


async def test_everything_is_sealed_anew_and_the_old_key_may_go(database: Database, both: Vault) -> None:
    await write_everything(database, Vault([OLD]))
    done = await Resealing(database, both).run()
    assert done.values >= 9
    assert done.left == frozenset()
    assert await key_ids(database) == {NEW.id}


async def test_what_was_sealed_anew_opens_in_its_place(database: Database, both: Vault, seed: Seed) -> None:
    ref = await seed.character()
    await Ratings(database, Vault([OLD])).put(ALICE, ref, Review(4, "a text of a member"), GUILD, NOW)
    await Resealing(database, both).run()
    found = await Ratings(database, Vault([NEW])).get(ALICE, ref)
    assert found is not None
    assert found.review == Review(4, "a text of a member")


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 7, 100])
async def test_batches_of_any_size_leave_none_out(database: Database, both: Vault, seed: Seed, batch_rows: int) -> None:
    refs = [await seed.character(name) for name in ("one", "two")]
    old = Ratings(database, Vault([OLD]))
    for number in range(5):
        for ref in refs:
            await old.put(UserId(number), ref, Review(1, f"text {number} of {ref}"), GUILD, NOW)
    new = Ratings(database, Vault([NEW]))
    await new.put(UserId(9), refs[0], Review(1, "a newer text"), GUILD, NOW)
    assert await Resealing(database, both, batch_rows=batch_rows).run() == Resealed(10, frozenset())
    for number in range(5):
        for ref in refs:
            found = await new.get(UserId(number), ref)
            assert found is not None
            assert found.review.text == f"text {number} of {ref}"


async def test_a_second_pass_finds_nothing_to_do(database: Database, both: Vault) -> None:
    await write_everything(database, Vault([OLD]))
    await Resealing(database, both).run()
    assert await Resealing(database, both).run() == Resealed(0, frozenset())


async def test_what_cannot_be_opened_stays_and_its_key_is_named(database: Database, both: Vault) -> None:
    for number, key in enumerate((OLD, LOST)):
        webhook = OwnWebhook(ChannelId(number), GUILD, WebhookId(number), "fake-token")
        await Webhooks(database, Vault([key])).put(webhook, NOW)
    assert await Resealing(database, both).run() == Resealed(1, frozenset({LOST.id}))
    assert await Webhooks(database, Vault([LOST])).get(ChannelId(1)) is not None


async def test_a_damaged_value_does_not_hold_the_others_up(database: Database, both: Vault) -> None:
    webhooks = Webhooks(database, Vault([OLD]))
    for number in range(2):
        await webhooks.put(OwnWebhook(ChannelId(number), GUILD, WebhookId(number), "fake-token"), NOW)
    async with database.transaction() as tx:
        await tx.execute("UPDATE webhook SET token = $1 WHERE channel_id = 0", b"\x01" + OLD.id + b"x" * 30)
    assert await Resealing(database, both, batch_rows=1).run() == Resealed(1, frozenset({OLD.id}))
