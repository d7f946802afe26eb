"""Channels, threads and direct messages, with what staff can do to them."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sandbox.discord import payloads
from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.events import Event, Intent
from bot.sandbox.discord.model import THREAD_KINDS, ChannelKind, Message, Overwrite, Role, User, Webhook
from bot.sandbox.discord.permissions import Permission

if TYPE_CHECKING:
    from bot.sandbox.discord.guilds import Guild
    from bot.sandbox.discord.json_types import JsonObject
    from bot.sandbox.discord.people import Person
    from bot.sandbox.discord.world import World


@dataclass(slots=True, eq=False)
class Channel:
    """A text place: a server's channel, a thread, or a direct message (whose `guild` is None)."""

    world: "World"
    id: int
    kind: ChannelKind
    name: str
    guild: "Guild | None" = None
    parent: "Channel | None" = None
    nsfw: bool = False
    topic: str = ""
    position: int = 0
    owner_id: int | None = None
    recipients: tuple[int, ...] = ()
    overwrites: dict[int, Overwrite] = field(default_factory=dict[int, Overwrite])
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    last_message_id: int | None = None
    archived: bool = False
    locked: bool = False
    deleted: bool = False
    message_count: int = 0
    created_at: float = 0.0
    _order: list[int] = field(default_factory=list[int])

    @property
    def is_thread(self) -> bool:
        """Tell a thread from a channel."""
        return self.kind in THREAD_KINDS

    @property
    def is_voice(self) -> bool:
        """Tell a voice or stage channel, whose chat asks for Connect as well."""
        return self.kind in {ChannelKind.VOICE, ChannelKind.STAGE}

    @property
    def mention(self) -> str:
        """Return the text that links to this place."""
        return f"<#{self.id}>"

    @property
    def webhook_home(self) -> "Channel":
        """Return the channel that owns the webhooks used here: a thread's parent, else itself."""
        return self.parent if self.is_thread and self.parent is not None else self

    @property
    def webhooks(self) -> list[Webhook]:
        """Return the webhooks that belong to this channel."""
        return [hook for hook in self.world.webhooks.values() if hook.channel is self]

    @property
    def threads(self) -> list["Channel"]:
        """Return the threads of this channel."""
        return [place for place in self.world.channels.values() if place.parent is self and place.is_thread]

    @property
    def last_message(self) -> Message | None:
        """Return the newest message that still exists."""
        return self.messages[self._order[-1]] if self._order else None

    def keep(self, message: Message) -> None:
        """Store a message that everyone here can see."""
        self.messages[message.id] = message
        insort(self._order, message.id)
        self.last_message_id = max(message.id, self.last_message_id or 0)
        self.message_count += 1

    def forget(self, message: Message) -> None:
        """Drop a message; `last_message_id` keeps pointing at it, as Discord's does."""
        if self.messages.pop(message.id, None) is not None:
            del self._order[bisect_left(self._order, message.id)]

    def page(self, *, before: int | None, after: int | None, around: int | None, limit: int) -> list[Message]:
        """Return one page of history, newest first, by the rules of Get Channel Messages."""
        order = self._order
        if around is not None:
            middle = bisect_left(order, around)
            start = max(0, middle - limit // 2)
            ids = order[start : start + limit]
        elif after is not None:
            start = bisect_right(order, after)
            ids = order[start : start + limit]
        else:
            end = len(order) if before is None else bisect_left(order, before)
            ids = order[max(0, end - limit) : end]
        return [self.messages[message_id] for message_id in reversed(ids)]

    def add_thread(
        self, name: str, *, owner: "Person | None" = None, private: bool = False, archived: bool = False
    ) -> "Channel":
        """Open a thread (in a forum: a post) below this channel and announce it."""
        guild = self.guild
        if guild is None or self.is_thread:
            raise SandboxError(f"{self.name} cannot hold threads")
        thread = Channel(
            self.world,
            self.world.snowflakes.next(),
            ChannelKind.PRIVATE_THREAD if private else ChannelKind.PUBLIC_THREAD,
            name,
            guild,
            self,
            owner_id=owner.user.id if owner is not None else guild.owner_id,
            archived=archived,
            created_at=self.world.now(),
        )
        self.world.channels[thread.id] = thread
        data = payloads.channel(thread) | {"newly_created": True}
        self.world.publish(Event("THREAD_CREATE", data, guild.id, Intent.GUILDS))
        return thread

    def set_nsfw(self, *, nsfw: bool) -> None:
        """Mark the channel as age-restricted or not."""
        self.nsfw = nsfw
        self.announce_update()

    def set_archived(self, *, archived: bool) -> None:
        """Archive a thread or bring it back."""
        self.archived = archived
        self.announce_update()

    def rename(self, name: str) -> None:
        """Give the place another name."""
        self.name = name
        self.announce_update()

    def overwrite(
        self,
        target: "Role | Person | User",
        *,
        allow: Permission = Permission.NONE,
        deny: Permission = Permission.NONE,
    ) -> None:
        """Set what this channel grants and denies to a role or a member; both empty removes the overwrite."""
        for_member = not isinstance(target, Role)
        target_id = target.id
        if allow or deny:
            self.overwrites[target_id] = Overwrite(target_id, for_member, allow, deny)
        else:
            self.overwrites.pop(target_id, None)
        self.announce_update()

    def deny_bot(self, denied: Permission) -> None:
        """Take permissions from the bot in this channel only; `Permission.NONE` gives them back."""
        self.overwrite(self.world.bot, deny=denied)

    def delete(self) -> None:
        """Delete the channel with its threads and webhooks, or just the thread."""
        world, guild = self.world, self.guild
        if guild is None:
            raise SandboxError("a direct message cannot be deleted")
        for thread in [] if self.is_thread else self.threads:
            thread.delete()
        for hook in self.webhooks:
            hook.deleted = True
            del world.webhooks[hook.id]
        self.deleted = True
        world.channels.pop(self.id, None)
        name = "THREAD_DELETE" if self.is_thread else "CHANNEL_DELETE"
        data: JsonObject = payloads.thread_stub(self) if self.is_thread else payloads.channel(self)
        world.publish(Event(name, data, guild.id, Intent.GUILDS))

    def announce_update(self) -> None:
        """Send the present state of the place to the bot."""
        if self.guild is None:
            return
        name = "THREAD_UPDATE" if self.is_thread else "CHANNEL_UPDATE"
        self.world.publish(Event(name, payloads.channel(self), self.guild.id, Intent.GUILDS))

    def announce_webhooks(self) -> None:
        """Tell the bot that some webhook of this channel changed; Discord does not say which."""
        if self.guild is None:
            return
        data: JsonObject = {"guild_id": str(self.guild.id), "channel_id": str(self.id)}
        self.world.publish(Event("WEBHOOKS_UPDATE", data, self.guild.id, Intent.GUILD_WEBHOOKS))

    def add_own_webhook(self, name: str) -> Webhook:
        """Create a webhook as the bot would."""
        world = self.world
        webhook = Webhook(world.snowflakes.next(), world.new_token(), name, self, world.bot, world.application_id)
        world.webhooks[webhook.id] = webhook
        self.announce_webhooks()
        return webhook

    def add_foreign_webhook(self, name: str) -> Webhook:
        """Create a webhook of another application, through which a proxy or bridge speaks."""
        world = self.world
        webhook = Webhook(world.snowflakes.next(), world.new_token(), name, self, None, None)
        world.webhooks[webhook.id] = webhook
        self.announce_webhooks()
        return webhook

    def take_webhook(self, webhook: Webhook) -> None:
        """Move a webhook here from another channel, as staff do in the server's settings; it keeps its token.

        Nothing documented says that the channel which it leaves is named to the bot, so it is not.
        """
        webhook.channel = self
        self.announce_webhooks()

    def remove_webhook(self, webhook: Webhook) -> None:
        """Delete a webhook, as staff do in the channel's settings."""
        webhook.deleted = True
        self.world.webhooks.pop(webhook.id, None)
        self.announce_webhooks()
