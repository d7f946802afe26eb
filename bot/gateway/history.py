"""Reading what stands in a channel."""

from typing import Final

import discord

from bot.domain.ids import ChannelId, GuildId, MessageId
from bot.domain.messages import names_of_people
from bot.gateway.conversion import incoming_message
from bot.gateway.failures import asking
from bot.gateway.places import may_read_history
from bot.services.outlet import Destination
from bot.services.recovery import History, PlaceState

HISTORY_LIMIT: Final = 100
"""The most that one request returns (https://discord.com/developers/docs/resources/message#get-channel-messages)."""


class HistoryReader:
    """Reads the newest messages of a place, one request each."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def read(self, destination: Destination) -> History:
        """Return the newest 100 messages. Raises an OutletError."""
        return await asking(lambda: self._read(destination))

    async def speakers(self, destination: Destination) -> frozenset[str]:
        """Return the names of who wrote the newest 100 messages. Raises an OutletError."""
        return names_of_people((await self.read(destination)).messages)

    def places_of(self, guild_id: GuildId) -> list[PlaceState] | None:
        """Return a server's places with their newest messages; None for one that the gateway does not describe now."""
        guild = self._client.get_guild(guild_id)
        return None if guild is None or guild.unavailable else place_states(guild)

    async def parent_of(self, place: ChannelId) -> ChannelId | None:
        """Return the channel of a thread that is not in the cache; None for a place that is no thread."""
        channel = await asking(lambda: self._client.fetch_channel(place))
        return ChannelId(channel.parent_id) if isinstance(channel, discord.Thread) else None

    async def _read(self, destination: Destination) -> History:
        me, application_id = self._client.user, self._client.application_id
        bot_id = me.id if me is not None else 0
        place = self._client.get_partial_messageable(destination.place, guild_id=destination.guild_id)
        found = [message async for message in place.history(limit=HISTORY_LIMIT)]
        return History(
            messages=tuple(
                incoming_message(message, destination.guild_id, bot_id=bot_id, application_id=application_id or 0)
                for message in found
            ),
            ids=frozenset(MessageId(message.id) for message in found),
            edited=frozenset(MessageId(message.id) for message in found if message.edited_at is not None),
            # Nothing at all is also what Discord answers to who may not read the history.
            complete=len(found) < HISTORY_LIMIT and (bool(found) or self._may_read(destination)),
        )

    def _may_read(self, destination: Destination) -> bool:
        guild = self._client.get_guild(destination.guild_id)
        channel = None if guild is None else guild.get_channel(destination.channel_id)
        return guild is not None and channel is not None and may_read_history(channel, guild.me)


def place_states(guild: discord.Guild) -> list[PlaceState]:
    """Return a server's channels and active threads with their newest messages."""
    guild_id = GuildId(guild.id)
    channels = [
        _state(Destination(guild_id, ChannelId(channel.id)), channel.last_message_id)
        for channel in guild.channels
        if isinstance(channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel))
    ]
    threads = [
        _state(Destination(guild_id, ChannelId(thread.parent_id), ChannelId(thread.id)), thread.last_message_id)
        for thread in guild.threads
    ]
    return channels + threads


def _state(destination: Destination, last_message_id: int | None) -> PlaceState:
    return PlaceState(destination, None if last_message_id is None else MessageId(last_message_id))
