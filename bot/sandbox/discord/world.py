"""Everything the stand-in knows, and the wires that leave it: gateway events, what people see, state changes."""

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
from bot.sandbox.discord.sights import Rearranged, Sight, Typing
from bot.sandbox.discord.transcript import Transcript

if TYPE_CHECKING:
    from bot.sandbox.discord.guilds import Guild
    from bot.sandbox.discord.ledger import Ledger

_TOKEN_BYTES: Final = 24
_TYPING_SECONDS: Final = 10.0
"""https://discord.com/developers/docs/resources/channel#trigger-typing-indicator"""
_ABOUT_TALK: Final = ("MESSAGE_", "INTERACTION_")
"""How the names of events begin that leave the servers as they are."""


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
        self._onlookers: list[Callable[[Sight], None]] = []
        self._typing: dict[tuple[int, int], float] = {}
        self._waiters: set[asyncio.Future[None]] = set()

    def subscribe(self, receive: Callable[[Event], None]) -> None:
        """Send every later event to a receiver: the gateway, or a test."""
        self._subscribers.append(receive)

    def look_on(self, receive: Callable[[Sight], None]) -> None:
        """Tell a receiver of everything that people see happen from now on; who sees what is for it to ask."""
        self._onlookers.append(receive)

    def show(self, sight: Sight) -> None:
        """Let people see something, and waiters look again."""
        for receive in self._onlookers:
            receive(sight)
        self.changed()

    def publish(self, event: Event) -> None:
        """Send an event to every receiver and let waiters look again."""
        for receive in self._subscribers:
            receive(event)
        if event.name.startswith(_ABOUT_TALK):
            self.changed()
        else:
            self.show(Rearranged())

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

    def begin_typing(self, channel: Channel, user: User) -> None:
        """Show that somebody is typing, for as long as Discord does or until they have written."""
        until = self._typing[channel.id, user.id] = self.now() + _TYPING_SECONDS
        self.show(Typing(channel, user, until))

    def end_typing(self, channel: Channel, user: User) -> None:
        """Let somebody have stopped typing, as a message of theirs does."""
        if self._typing.pop((channel.id, user.id), None) is not None:
            self.show(Typing(channel, user, self.now()))

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

    def find_direct_messages(self, user: User) -> Channel | None:
        """Return the channel between the bot and a user, or None where it was never opened."""
        places = self.channels.values()
        return next((each for each in places if each.kind is ChannelKind.DM and user.id in each.recipients), None)

    def direct_messages(self, user: User) -> Channel:
        """Return the channel between the bot and a user, opening it at first use."""
        found = self.find_direct_messages(user)
        if found is not None:
            return found
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
