"""Everything the stand-in knows, and the two wires that leave it: gateway events and state changes."""

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.clock import Snowflakes
from bot.sandbox.discord.events import Event, Intent
from bot.sandbox.discord.interactions import Interactions
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Attachment, ChannelKind, Message, User, Webhook
from bot.sandbox.discord.permissions import Permission, permissions_in
from bot.sandbox.discord.transcript import Transcript

if TYPE_CHECKING:
    from bot.sandbox.discord.guilds import Guild
    from bot.sandbox.discord.ledger import Ledger

_TOKEN_BYTES: Final = 24


class World:
    """Hold the whole state of the stand-in; the parts that act on it share this one object."""

    def __init__(
        self, clock: Callable[[], float], ledger: "Ledger", *, keep_transcript: bool, interaction_deadline: float
    ) -> None:
        """Take the clock in Unix seconds and the deadline of an interaction's first answer in seconds."""
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
        self.closed_to_bot: set[int] = set()
        self.message_content_enabled = True
        self.members_intent_enabled = False
        self.transcript = Transcript(keep=keep_transcript)
        self.interactions = Interactions(self, ledger, interaction_deadline)
        self.bot_is_connected: Callable[[], bool] = lambda: False
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

    def publish_in(self, channel: Channel, name: str, data: JsonObject, message: Message | None = None) -> None:
        """Send an event about messages in a channel, if the bot can see that channel."""
        if not self.bot_may(channel, Permission.VIEW_CHANNEL):
            self.changed()
            return
        guild = channel.guild
        intent = Intent.DIRECT_MESSAGES if guild is None else Intent.GUILD_MESSAGES
        self.publish(Event(name, data, None if guild is None else guild.id, intent, message))

    def publish_interaction(self, guild_id: int | None, data: JsonObject) -> None:
        """Send INTERACTION_CREATE, which needs no intent and no sight of the channel."""
        self.publish(Event("INTERACTION_CREATE", data, guild_id))

    def bot_may(self, channel: Channel, needed: Permission) -> bool:
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

    def direct_messages(self, user: User) -> Channel:
        """Return the channel between the bot and a user, opening it at first use."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DM and user.id in channel.recipients:
                return channel
        channel = Channel(
            self, self.snowflakes.next(), ChannelKind.DM, f"@{user.name}", recipients=(user.id, self.bot.id)
        )
        self.channels[channel.id] = channel
        return channel

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
