"""Gateway events for the relay: messages, edits, deletions, and what happens to servers and channels."""

import logging

import discord
from discord.ext import commands

from bot.domain.ids import ChannelId, GuildId, MessageId
from bot.gateway.client import CharacterBot
from bot.gateway.conversion import destination_of_channel, incoming_message, place_of, seen_post
from bot.gateway.history import place_states
from bot.gateway.personas import DiscordOutlet
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import BindingService
from bot.services.posting import Poster
from bot.services.recovery import RecoveryService
from bot.services.relay import RelayService

_log = logging.getLogger(__name__)


class RelayCog(commands.Cog):
    """Turns gateway events into calls of the relay."""

    def __init__(
        self,
        bot: CharacterBot,
        *,
        relay: RelayService,
        bindings: BindingService,
        upkeep: BindingUpkeep,
        recovery: RecoveryService,
        poster: Poster,
        outlet: DiscordOutlet,
    ) -> None:
        self._bot = bot
        self._relay = relay
        self._bindings = bindings
        self._upkeep = upkeep
        self._recovery = recovery
        self._poster = poster
        self._outlet = outlet
        self._ready_shards: set[int] = set()
        # Not a listener: those are called beside the client's own method, each in a task of its own.
        bot.event(self.on_message)

    async def on_message(self, message: discord.Message) -> None:
        """Hand a message on before anything is awaited, so that order holds."""
        if message.guild is None:
            return
        seen = seen_post(message, bot_id=self._bot_id, application_id=self._application_id)
        if seen is not None:
            destination = destination_of_channel(message.guild.id, message.channel)
            if destination is not None:
                self._poster.seen(destination, seen)
            return
        if self._concerns(message):
            self._relay.accept(
                incoming_message(message, message.guild.id, bot_id=self._bot_id, application_id=self._application_id)
            )

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Take the new text of a person's message; a link that unfurls is an update without an edit."""
        message = event.message
        if event.guild_id is None or message.edited_at is None:
            return
        if message.webhook_id is not None and message.application_id == self._application_id:
            return
        if self._concerns(message):
            self._relay.edited(
                incoming_message(message, event.guild_id, bot_id=self._bot_id, application_id=self._application_id)
            )

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Forget a message that was deleted."""
        if event.guild_id is not None:
            self._deleted(event.guild_id, event.channel_id, [event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget messages that were deleted together."""
        if event.guild_id is not None:
            self._deleted(event.guild_id, event.channel_id, sorted(event.message_ids))

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Forget a thread that was deleted; Discord does not name the messages in it."""
        self._relay.thread_deleted(GuildId(event.guild_id), ChannelId(event.thread_id), ChannelId(event.parent_id))

    def _deleted(self, guild_id: int, channel_id: int, ids: list[int]) -> None:
        guild = self._bot.get_guild(guild_id)
        thread = guild.get_thread(channel_id) if guild is not None else None
        is_channel = guild is not None and guild.get_channel(channel_id) is not None
        self._relay.deleted(
            GuildId(guild_id),
            ChannelId(channel_id),
            ChannelId(thread.parent_id) if thread is not None else None,
            [MessageId(message_id) for message_id in ids],
            in_thread=False if is_channel else None,
        )

    @commands.Cog.listener()
    async def on_webhooks_update(self, channel: discord.abc.GuildChannel) -> None:
        """Look the server's webhooks up anew when any of them changed."""
        self._outlet.forget_webhooks(GuildId(channel.guild.id))

    # Connections

    @commands.Cog.listener()
    async def on_shard_connect(self, shard_id: int) -> None:
        """Let events wait until it is known what was missed: this fires for new sessions, not for resumed ones."""
        self._ready_shards.discard(shard_id)
        guild_ids = [GuildId(guild.id) for guild in self._bot.guilds if guild.shard_id == shard_id]
        self._recovery.new_session(guild_ids)
        for guild_id in guild_ids:
            self._outlet.forget_webhooks(guild_id)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Bring the shard's servers up to date: this session is new, and has missed what came before it."""
        self._ready_shards.add(shard_id)
        guilds = [guild for guild in self._bot.guilds if guild.shard_id == shard_id and not guild.unavailable]
        await self._bring_up_to_date(guilds)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Bring a server up to date that came after the others of its shard."""
        if guild.shard_id in self._ready_shards:
            await self._bring_up_to_date([guild])

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Begin to listen in a new server."""
        await self._bring_up_to_date([guild])

    async def _bring_up_to_date(self, guilds: list[discord.Guild]) -> None:
        places = {GuildId(guild.id): place_states(guild) for guild in guilds}
        await self._bindings.tell_untold(places)
        await self._recovery.ready(places)
        # As they are now: meanwhile a channel may have been made, and a character been brought to it.
        guilds = [found for guild in guilds if (found := self._bot.get_guild(guild.id)) and not found.unavailable]
        await self._upkeep.channels_seen(
            {GuildId(guild.id): frozenset(ChannelId(channel.id) for channel in guild.channels) for guild in guilds}
        )
        await self._recovery.mirror_changes([state for states in places.values() for state in states])

    def _concerns(self, message: discord.Message) -> bool:
        channel_id, parent_id, in_thread = place_of(message)
        return self._relay.concerns(channel_id, parent_id, in_thread=in_thread)

    @property
    def _bot_id(self) -> int:
        return self._bot.user.id if self._bot.user is not None else 0

    @property
    def _application_id(self) -> int:
        return self._bot.application_id or 0
