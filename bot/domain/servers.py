"""What the staff of a server have set for it."""

from dataclasses import dataclass

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.ratings import ContentRating


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings of one server. Times are Unix milliseconds."""

    guild_id: GuildId
    manager_role_id: RoleId | None = None
    """Whoever has this role may bind characters as if they held Manage Channels."""
    rating_max: ContentRating | None = None
    """The strongest characters anywhere in the server; None leaves it to the operator, who is never exceeded."""
    log_channel_id: ChannelId | None = None
    own_characters: bool = True
    """Whether members who may bind may also bind private characters of their own."""
    key_set_at_ms: int | None = None
    """Since when the server pays with a key of its own; None while the operator pays."""
