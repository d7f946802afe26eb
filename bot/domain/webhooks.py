"""A webhook through which characters speak."""

from dataclasses import dataclass, field

from bot.domain.ids import ChannelId, GuildId, WebhookId


@dataclass(frozen=True, slots=True)
class OwnWebhook:
    """The bot's webhook of a channel; its threads use it too."""

    channel_id: ChannelId
    guild_id: GuildId
    id: WebhookId
    token: str = field(repr=False)
    """A secret: whoever has it can write in the channel."""
