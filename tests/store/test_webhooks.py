import pytest

from bot.domain.ids import ChannelId, GuildId, WebhookId
from bot.domain.webhooks import OwnWebhook
from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from bot.store.webhooks import Webhooks
from tests.store.seed import CHANNEL, GUILD, NOW

WEBHOOK = OwnWebhook(CHANNEL, GUILD, WebhookId(70), "fake-webhook-token")


@pytest.fixture
def webhooks(database: Database, vault: Vault) -> Webhooks:
    return Webhooks(database, vault)


async def test_a_channel_keeps_its_latest_webhook(webhooks: Webhooks) -> None:
    await webhooks.put(WEBHOOK, NOW)
    assert await webhooks.get(CHANNEL) == WEBHOOK
    newer = OwnWebhook(CHANNEL, GUILD, WebhookId(71), "another-fake-token")
    await webhooks.put(newer, NOW + 1)
    assert await webhooks.get(CHANNEL) == newer
    assert await webhooks.ids() == {71: CHANNEL}


async def test_a_removed_webhook_is_forgotten(webhooks: Webhooks) -> None:
    await webhooks.put(WEBHOOK, NOW)
    await webhooks.put(OwnWebhook(ChannelId(21), GuildId(11), WebhookId(72), "fake"), NOW)
    await webhooks.remove(CHANNEL)
    assert await webhooks.get(CHANNEL) is None
    assert await webhooks.ids() == {72: 21}


async def test_a_token_that_cannot_be_opened_means_a_new_webhook(webhooks: Webhooks, database: Database) -> None:
    await webhooks.put(WEBHOOK, NOW)
    later = Webhooks(database, Vault([MasterKey(b"new-fake" * 4)]))
    assert await later.get(CHANNEL) is None
    await later.put(WEBHOOK, NOW)
    assert await later.get(CHANNEL) == WEBHOOK


async def test_a_token_opens_for_its_own_channel_only(webhooks: Webhooks, database: Database) -> None:
    await webhooks.put(WEBHOOK, NOW)
    async with database.transaction() as tx:
        await tx.execute("UPDATE webhook SET channel_id = 21")
    assert await webhooks.get(ChannelId(21)) is None


def test_the_token_does_not_show() -> None:
    assert "fake-webhook-token" not in repr(WEBHOOK)
