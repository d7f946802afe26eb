"""Where something happens, and who may do what there."""

from dataclasses import dataclass

from bot.domain.ids import ChannelId, GuildId, MessageId


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, or a thread of it, as it stands right now."""

    guild_id: GuildId
    channel_id: ChannelId
    """The channel; for a thread its parent, to which characters are bound."""
    thread_id: ChannelId | None
    age_restricted: bool
    """A thread goes by its parent; an unknown parent counts as not restricted."""

    @property
    def here(self) -> ChannelId:
        """The channel or thread itself."""
        return self.thread_id or self.channel_id

    def link_to(self, message_id: MessageId) -> str:
        """Return the address on Discord of a message that stands here."""
        return f"https://discord.com/channels/{self.guild_id}/{self.here}/{message_id}"
