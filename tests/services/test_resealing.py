import logging

import pytest

from bot.domain.ids import ChannelId, GuildId, WebhookId
from bot.domain.webhooks import OwnWebhook
from bot.services.resealing import ResealingService
from bot.store.database import Database
from bot.store.resealing import Resealing
from bot.store.vault import MasterKey, Vault
from bot.store.webhooks import Webhooks

OLD, NEW, LOST = (MasterKey(letter * 32) for letter in (b"o", b"n", b"l"))


async def run(database: Database, *keys: MasterKey) -> None:
    vault = Vault(keys)
    await ResealingService(resealing=Resealing(database, vault), vault=vault).run()


async def seal(database: Database, number: int, key: MasterKey) -> None:
    webhook = OwnWebhook(ChannelId(number), GuildId(200), WebhookId(number), "fake-token")
    await Webhooks(database, Vault([key])).put(webhook, 1)


async def test_the_operator_hears_that_an_old_key_may_go(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await seal(database, 1, OLD)
    await run(database, NEW, OLD)
    assert "Sealed 1 stored values anew" in caplog.text
    assert "take it out of vault.keys" in caplog.text
    assert await Webhooks(database, Vault([NEW])).get(ChannelId(1)) is not None


async def test_with_one_key_there_is_nothing_to_say(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await seal(database, 1, OLD)
    await run(database, NEW)
    assert caplog.text == ""


async def test_what_cannot_be_opened_is_said_with_the_id_of_its_key(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await seal(database, 1, LOST)
    await run(database, NEW, OLD)
    assert f"key {LOST.id.hex()}" in caplog.text
    assert "take it out of vault.keys" in caplog.text


async def test_a_key_that_still_holds_something_is_to_be_kept(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await seal(database, 1, OLD)
    async with database.transaction() as tx:
        await tx.execute("UPDATE webhook SET token = $1", b"\x01" + OLD.id + b"x" * 30)
    await run(database, NEW, OLD)
    assert "may go" not in caplog.text
    assert "take it out" not in caplog.text
    assert f"key {OLD.id.hex()}" in caplog.text
