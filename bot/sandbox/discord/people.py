"""What people do: talk, edit, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.discord import posting
from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.model import Attachment, Member, Message, MessageType, User
from bot.sandbox.discord.permissions import Permission, permissions_in
from bot.sandbox.discord.posting import Change, Draft
from bot.sandbox.discord.rules import MAX_CONTENT

if TYPE_CHECKING:
    from bot.sandbox.discord.places import Channel, Guild
    from bot.sandbox.discord.world import World


@dataclass(slots=True, eq=False)
class Person:
    """Somebody in a server (or another bot), acting as Discord's own client would let them.

    Methods raise SandboxError where the client would not offer the action at all.
    """

    world: "World"
    user: User
    guild: "Guild"
    member: Member

    @property
    def id(self) -> int:
        """Return the user's id."""
        return self.user.id

    @property
    def mention(self) -> str:
        """Return the text that mentions this person."""
        return self.user.mention

    def may(self, channel: "Channel", needed: Permission) -> bool:
        """Tell whether this person holds every one of these permissions in a channel."""
        return permissions_in(channel, self.user.id) & needed == needed

    def sees(self, message: Message) -> bool:
        """Tell whether this person can see a message."""
        if message.ephemeral_for is not None:
            return message.ephemeral_for == self.user.id
        return self.may(message.channel, Permission.VIEW_CHANNEL)

    async def say(
        self,
        channel: "Channel",
        text: str,
        *,
        reply_to: Message | None = None,
        ping_reply: bool = True,
        mentions: "Sequence[User | Person]" = (),
        files: "Sequence[tuple[str, bytes, str]]" = (),
        kind: MessageType = MessageType.DEFAULT,
    ) -> Message:
        """Write a message. `mentions` are put in front; `files` are (name, content, content type)."""
        if not self.may(channel, Permission.SEND_MESSAGES):
            raise SandboxError(f"{self.user.name} may not write in {channel.name}")
        if len(text) > MAX_CONTENT:
            raise SandboxError("people's messages end at 2,000 characters")
        prefix = "".join(f"{who.mention} " for who in mentions if who.mention not in text)
        content = prefix + text
        if not content.strip() and not files:
            raise SandboxError("an empty message cannot be sent")
        return posting.post(
            Draft(
                channel,
                self.user,
                content,
                MessageType.REPLY if reply_to is not None else kind,
                attachments=[self._attach(channel, *file) for file in files],
                allowed=None if ping_reply else {"parse": ["users", "roles", "everyone"], "replied_user": False},
                reply_id=None if reply_to is None else reply_to.id,
            )
        )

    def _attach(self, channel: "Channel", name: str, content: bytes, content_type: str) -> Attachment:
        attachment_id = self.world.snowflakes.next()
        url = f"{self.world.cdn_url}/attachments/{channel.id}/{attachment_id}/{name}"
        attachment = Attachment(attachment_id, name, content, content_type, url)
        self.world.attachments[attachment_id] = attachment
        return attachment

    async def edit(self, message: Message, text: str) -> None:
        """Edit one's own message."""
        if message.author is not self.user:
            raise SandboxError("people edit only their own messages")
        if message.deleted:
            raise SandboxError("the message is gone")
        posting.edit(message, Change(content=text))

    async def delete(self, message: Message) -> None:
        """Delete one's own message, or as staff anybody's."""
        if message.deleted:
            raise SandboxError("the message is gone")
        if message.author is not self.user and not self.may(message.channel, Permission.MANAGE_MESSAGES):
            raise SandboxError(f"{self.user.name} may not delete others' messages in {message.channel.name}")
        posting.delete(message)

    async def delete_many(self, messages: Sequence[Message]) -> None:
        """Delete several messages of one channel in one event, as moderation bots do."""
        if not self.may(messages[0].channel, Permission.MANAGE_MESSAGES):
            raise SandboxError(f"{self.user.name} may not delete others' messages")
        posting.delete_bulk(messages)
