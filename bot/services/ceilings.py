"""The strongest character that each place may show: what the operator allows, lowered by what the server wants."""

from collections.abc import Callable

from bot.domain.ids import GuildId
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating


def _not_lowered(_guild_id: GuildId) -> ContentRating | None:
    return None


class Ceilings:
    """Everything that asks the gate takes its ceiling from here."""

    def __init__(
        self, limits: ContentLimits, server_max: Callable[[GuildId], ContentRating | None] = _not_lowered
    ) -> None:
        """`server_max` tells from memory what a server has set, and None where it has set nothing."""
        self._limits = limits
        self._server_max = server_max

    def of(self, place: Place | None) -> ContentRating:
        """Return the strongest rating that a place may show; None stands for direct messages."""
        allowed = self._limits.ceiling(age_restricted=place is not None and place.age_restricted)
        return allowed if place is None else self._lowered(place.guild_id, allowed)

    def highest(self, guild_id: GuildId | None = None) -> ContentRating:
        """Return the strongest rating that any place may show, or any place of one server."""
        allowed = max(self._limits.default_max, self._limits.restricted_max)
        return allowed if guild_id is None else self._lowered(guild_id, allowed)

    def _lowered(self, guild_id: GuildId, allowed: ContentRating) -> ContentRating:
        wanted = self._server_max(guild_id)
        return allowed if wanted is None else min(allowed, wanted)
