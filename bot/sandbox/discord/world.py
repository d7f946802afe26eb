"""Everything the stand-in knows, and the two wires that leave it: gateway events and state changes."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord.clock import Snowflakes
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Attachment, Message, User, Webhook
from bot.sandbox.discord.permissions import Permission, permissions_in
from bot.sandbox.discord.transcript import Transcript

if TYPE_CHECKING:
    from bot.sandbox.discord.places import Channel, Guild

_TOKEN_BYTES: Final = 24


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


class World:
    """Hold the whole state of the stand-in; the parts that act on it share this one object."""

    def __init__(self, clock: Callable[[], float], *, keep_transcript: bool = True) -> None:
        self.clock = clock
        self.snowflakes = Snowflakes(clock)
        self.application_id = self.snowflakes.next()
        self.bot = User(id=self.application_id, name="character-bot", global_name=None, bot=True, discriminator="0001")
        self.token = f"fake-bot-token.{secrets.token_hex(_TOKEN_BYTES)}"
        self.cdn_url = ""
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.private_messages: dict[int, Message] = {}
        self.attachments: dict[int, Attachment] = {}
        self.message_content_enabled = True
        self.members_intent_enabled = False
        self.transcript = Transcript(keep=keep_transcript)
        self._subscribers: list[Callable[[Event], None]] = []
        self._waiters: set[asyncio.Future[None]] = set()

    def subscribe(self, receive: Callable[[Event], None]) -> None:
        """Send every later event to a receiver (the gateway; a demo page)."""
        self._subscribers.append(receive)

    def publish(self, event: Event) -> None:
        """Send an event to every receiver and let waiters look again."""
        for receive in self._subscribers:
            receive(event)
        self.changed()

    def publish_in(self, channel: "Channel", name: str, data: JsonObject, message: Message | None = None) -> None:
        """Send an event about messages in a channel, if the bot can see that channel."""
        if not self.bot_may(channel, Permission.VIEW_CHANNEL):
            self.changed()
            return
        guild = channel.guild
        intent = Intent.DIRECT_MESSAGES if guild is None else Intent.GUILD_MESSAGES
        self.publish(Event(name, data, None if guild is None else guild.id, intent, message))

    def bot_may(self, channel: "Channel", needed: Permission) -> bool:
        """Tell whether the bot holds every one of these permissions in a channel."""
        return permissions_in(channel, self.bot.id) & needed == needed

    def now(self) -> float:
        """Return the world's time in Unix seconds."""
        return self.clock()

    def changed(self) -> None:
        """Wake everything that waits for a state change."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def next_change(self) -> None:
        """Return after the next state change."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def find_message(self, message_id: int) -> Message | None:
        """Look a message up anywhere, ephemeral ones included."""
        found = self.private_messages.get(message_id)
        if found is not None:
            return found
        return next(
            (channel.messages[message_id] for channel in self.channels.values() if message_id in channel.messages),
            None,
        )

    def new_token(self) -> str:
        """Return a fresh secret for a webhook or an interaction."""
        return f"fake-{secrets.token_urlsafe(_TOKEN_BYTES)}"
