"""The connection to Discord, and what is read from there."""

from dataclasses import dataclass

from bot.composition.ground import Ground
from bot.composition.set_up import SetUp
from bot.config import Settings
from bot.domain.ids import GuildId
from bot.gateway.client import CharacterBot
from bot.gateway.conversion import surroundings
from bot.gateway.endpoints import point_at
from bot.gateway.history import HistoryReader
from bot.gateway.personas import DiscordOutlet
from bot.gateway.rate_limits import WebhookRateLimits
from bot.services.outlet import Destination
from bot.services.surroundings import Surroundings
from bot.views.replies import reply_buttons


@dataclass(frozen=True, slots=True)
class DiscordSide:
    """The client, what is to be done once it is logged in, and the ways to write and to read through it."""

    client: CharacterBot
    outlet: DiscordOutlet
    history: HistoryReader
    set_up: SetUp

    def around(self, destination: Destination) -> Surroundings | None:
        """Tell of a place from the client's cache, as SurroundingsOf says."""
        guild = self.client.get_guild(destination.guild_id)
        bot_name = self.client.user.display_name if self.client.user is not None else ""
        return None if guild is None else surroundings(guild, destination, bot_name)

    def is_loading(self, guild_id: GuildId) -> bool:
        """Tell whether Discord has named a server that it does not tell of yet."""
        guild = self.client.get_guild(guild_id)
        return guild is not None and guild.unavailable


def point_discord(settings: Settings) -> None:
    """Let discord.py find Discord where the settings say; goes before everything that speaks to it."""
    point_at(
        api_url=settings.discord.api_url, gateway_url=settings.discord.gateway_url, cdn_url=settings.discord.cdn_url
    )


def open_discord(ground: Ground) -> DiscordSide:
    """Build the client; it neither logs in nor connects yet."""
    settings = ground.settings.discord
    rate_limits = WebhookRateLimits()
    set_up = SetUp()
    client = CharacterBot(
        message_content=settings.message_content,
        shard_ids=settings.shard_ids,
        shard_count=settings.shard_count,
        ready_timeout_seconds=settings.ready_timeout_seconds,
        http_trace=rate_limits.trace(),
        set_up=set_up,
    )
    outlet = DiscordOutlet(
        client,
        ground.stores.webhooks,
        rate_limits,
        cdn_url=settings.cdn_url,
        now_ms=ground.clock.now_ms,
        buttons=reply_buttons,
    )
    return DiscordSide(client, outlet, HistoryReader(client), set_up)
