"""Gateway events, before they are numbered and sent."""

from dataclasses import dataclass
from enum import IntFlag

from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Message


class Intent(IntFlag):
    """Gateway intents, as far as the stand-in sends their events."""

    NONE = 0
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_WEBHOOKS = 1 << 5
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


@dataclass(frozen=True, slots=True)
class Event:
    """One gateway dispatch. `message` is what it shows, for sessions that get it blanked."""

    name: str
    data: JsonObject
    guild_id: int | None
    intent: Intent = Intent.NONE
    message: Message | None = None
