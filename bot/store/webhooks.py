"""The webhooks through which characters speak."""

from bot.domain.ids import ChannelId, GuildId, WebhookId
from bot.domain.webhooks import OwnWebhook
from bot.store.database import Database
from bot.store.sealed import open_or_none
from bot.store.vault import Vault


class Webhooks:
    """The table webhook: one per channel, its token sealed for that channel."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def put(self, webhook: OwnWebhook, now_ms: int) -> None:
        """Keep a channel's webhook in place of the one before."""
        async with self._database.transaction() as tx:
            await tx.execute(
                """
                INSERT INTO webhook (channel_id, guild_id, id, token, created_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (channel_id) DO UPDATE
                SET guild_id = excluded.guild_id, id = excluded.id, token = excluded.token,
                    created_at = excluded.created_at
                """,
                webhook.channel_id,
                webhook.guild_id,
                webhook.id,
                self._vault.seal(webhook.token, context=_context(webhook.channel_id)),
                now_ms,
            )

    async def get(self, channel_id: ChannelId) -> OwnWebhook | None:
        """Return a channel's webhook; None when there is none, or its token cannot be opened any more."""
        for row in await self._database.read("SELECT * FROM webhook WHERE channel_id = $1", channel_id):
            token = open_or_none(self._vault, row["token"], context=_context(channel_id))
            if token is not None:
                return OwnWebhook(channel_id, GuildId(row["guild_id"]), WebhookId(row["id"]), token)
        return None

    async def remove(self, channel_id: ChannelId) -> None:
        """Forget a channel's webhook."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM webhook WHERE channel_id = $1", channel_id)

    async def ids(self) -> dict[WebhookId, ChannelId]:
        """Return the ids of all webhooks with their channels, without opening any token."""
        rows = await self._database.read("SELECT id, channel_id FROM webhook")
        return {WebhookId(row["id"]): ChannelId(row["channel_id"]) for row in rows}


def _context(channel_id: ChannelId) -> str:
    return f"webhook:{channel_id}"
