"""Routes that only tell: the bot itself, the gateway's address, servers, channels, users."""

from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import payloads
from bot.sandbox.discord.errors import missing_access, unknown
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.guilds import Guild
from bot.sandbox.discord.messages import find_channel
from bot.sandbox.discord.requests import Call, Reply, Route
from bot.sandbox.discord.world import World

if TYPE_CHECKING:
    from bot.sandbox.discord.json_types import JsonObject

_DAY_MS: Final = 86_400_000


class LookupRoutes:
    """Answer the read-only routes."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Return the routes served here."""
        return [
            Route("GET", "/users/@me", lambda _: Reply(payloads.own_user(self._world.bot))),
            Route("GET", "/users/{user_id}", self._user),
            Route("GET", "/oauth2/applications/@me", lambda _: Reply(payloads.application(self._world))),
            Route("GET", "/gateway", lambda _: Reply({"url": self._gateway.url})),
            Route("GET", "/gateway/bot", self._gateway_bot),
            Route("GET", "/guilds/{guild_id}", self._guild),
            Route("GET", "/guilds/{guild_id}/channels", self._guild_channels),
            Route("GET", "/guilds/{guild_id}/members/{user_id}", self._member),
            Route("GET", "/channels/{channel_id}", self._channel),
        ]

    def _gateway_bot(self, _: Call) -> Reply:
        gateway = self._gateway
        limit: JsonObject = {
            "total": gateway.session_starts_total,
            "remaining": gateway.session_starts_remaining,
            "reset_after": _DAY_MS,
            "max_concurrency": 1,
        }
        return Reply({"url": gateway.url, "shards": gateway.recommended_shards, "session_start_limit": limit})

    def _user(self, call: Call) -> Reply:
        found = self._world.users.get(call.snowflake("user_id", 10013, "User"))
        if found is None:
            raise unknown(10013, "User")
        return Reply(payloads.user(found))

    def _find_guild(self, call: Call) -> Guild:
        guild = self._world.guilds.get(call.snowflake("guild_id", 10004, "Guild"))
        if guild is None:
            raise unknown(10004, "Guild")
        if guild.unavailable:
            raise missing_access()
        return guild

    def _guild(self, call: Call) -> Reply:
        return Reply(payloads.guild(self._find_guild(call)))

    def _guild_channels(self, call: Call) -> Reply:
        return Reply(
            [payloads.channel(place) for place in self._find_guild(call).channels.values() if not place.deleted]
        )

    def _member(self, call: Call) -> Reply:
        guild = self._find_guild(call)
        found = guild.members.get(call.snowflake("user_id", 10007, "Member"))
        if found is None:
            raise unknown(10007, "Member")
        return Reply(payloads.member(found, with_user=True))

    def _channel(self, call: Call) -> Reply:
        return Reply(payloads.channel(find_channel(self._world, call)))
