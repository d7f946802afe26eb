"""What people do: talk, edit, delete, run commands, click, choose and fill forms in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from bot.sandbox.discord import posting
from bot.sandbox.discord.asking import (
    Resolved,
    check_offered,
    command_data,
    find_button,
    is_offered,
    modal_data,
    select_data,
)
from bot.sandbox.discord.command_rules import CommandKind
from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.interaction_model import Choice, InteractionResult, InteractionType
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Attachment, ChannelKind, Member, Message, MessageType, User
from bot.sandbox.discord.permissions import Permission, permissions_in
from bot.sandbox.discord.posting import Change, Draft
from bot.sandbox.discord.rules import MAX_CONTENT
from bot.sandbox.discord.sights import Gone, Rearranged

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.guilds import Guild
    from bot.sandbox.discord.world import World

UPLOAD_BYTES: Final = 10 * 1024 * 1024
"""The largest file of somebody without Nitro (https://support.discord.com/hc/en-us/articles/25444343291031)."""
NITRO_UPLOAD_BYTES: Final = 500 * 1024 * 1024
_BYTES_PER_MIB: Final = 1024 * 1024


@dataclass(slots=True, eq=False)
class Person:
    """Somebody in a server (or another bot), acting as Discord's own client would let them.

    Methods raise SandboxError where the client would not offer the action at all.
    """

    world: "World"
    user: User
    guild: "Guild"
    member: Member
    locale: str = "en-US"
    upload_limit: int = NITRO_UPLOAD_BYTES
    """Bytes of the largest file that this person may upload."""

    @property
    def id(self) -> int:
        """Return the user's id."""
        return self.user.id

    @property
    def shown_name(self) -> str:
        """Return the name that others read."""
        return self.member.nick or self.user.global_name or self.user.name

    @property
    def mention(self) -> str:
        """Return the text that mentions this person."""
        return self.user.mention

    def may(self, channel: "Channel", needed: Permission) -> bool:
        """Tell whether this person holds every one of these permissions in a channel."""
        return permissions_in(channel, self.user.id) & needed == needed

    def sees(self, message: Message) -> bool:
        """Tell whether this person can see a message, if it still exists."""
        if message.ephemeral_for is not None:
            return message.ephemeral_for == self.user.id and not message.dismissed
        return self.may(message.channel, Permission.VIEW_CHANNEL)

    @property
    def private_messages(self) -> list[Message]:
        """Return the ephemeral messages that this person can still see, oldest first."""
        return [each for each in self.world.private_messages.values() if self.sees(each)]

    @property
    def places(self) -> list["Channel"]:
        """Return what this person sees: channels, each with its threads behind it, and a talk with the bot, if any."""
        places = [each for channel in self.guild.channels.values() for each in (channel, *channel.threads)]
        talk = self.world.find_direct_messages(self.user)
        if talk is not None and talk.last_message_id is not None:
            places.append(talk)
        return [place for place in places if not place.deleted and self.may(place, Permission.VIEW_CHANNEL)]

    @property
    def offered_commands(self) -> list[JsonObject]:
        """Return the commands that are offered to this person, if only in some of the places."""
        everything = self.world.interactions.commands.offered(self.guild.id)
        return [each for each in everything if any(is_offered(each, self, place) for place in self.places)]

    def may_write(self, channel: "Channel") -> bool:
        """Tell whether this person may write messages in a channel."""
        barred = channel.locked and not self.may(channel, Permission.MANAGE_THREADS)
        return not barred and channel.kind is not ChannelKind.FORUM and self.may(channel, Permission.SEND_MESSAGES)

    def may_edit(self, message: Message) -> bool:
        """Tell whether a message is this person's own."""
        return message.author is self.user

    def may_delete(self, message: Message) -> bool:
        """Tell whether this person may delete a message: their own, as staff anybody's, but none that only they see."""
        if message.ephemeral_for is not None:
            return False
        return message.author is self.user or self.may(message.channel, Permission.MANAGE_MESSAGES)

    def may_dismiss(self, message: Message) -> bool:
        """Tell whether this person may put a message away: one that nobody else sees."""
        return message.ephemeral_for == self.user.id

    def may_reply(self, message: Message) -> bool:
        """Tell whether this person may reply to a message; nobody can to one that others do not see."""
        return message.ephemeral_for is None and self.may_write(message.channel)

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
        if not self.may_write(channel):
            raise SandboxError(f"{self.shown_name} may not write in {channel.name}")
        if len(text) > MAX_CONTENT:
            raise SandboxError("people's messages end at 2,000 characters")
        if reply_to is not None and (reply_to.deleted or not self.may_reply(reply_to)):
            raise SandboxError("that message cannot be replied to")
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

    def upload(
        self, channel: "Channel", name: str, content: bytes, content_type: str = "application/octet-stream"
    ) -> Attachment:
        """Upload a file for an option or a form's field, where nobody else sees it.

        Raises SandboxError for a file that is larger than this person may upload.
        """
        if not self.may(channel, Permission.VIEW_CHANNEL):
            raise SandboxError(f"{self.shown_name} does not see {channel.name}")
        if len(content) > self.upload_limit:
            raise SandboxError(f"files end at {self.upload_limit // _BYTES_PER_MIB} MiB")
        return self._attach(channel, name, content, content_type)

    def _attach(self, channel: "Channel", name: str, content: bytes, content_type: str) -> Attachment:
        attachment_id = self.world.snowflakes.next()
        url = f"{self.world.cdn_url}/attachments/{channel.id}/{attachment_id}/{quote(name, safe='')}"
        attachment = Attachment(attachment_id, name, content, content_type, url)
        self.world.attachments[attachment_id] = attachment
        return attachment

    async def edit(self, message: Message, text: str) -> None:
        """Edit one's own message."""
        if not self.may_edit(message):
            raise SandboxError("people edit only their own messages")
        if message.deleted:
            raise SandboxError("the message is gone")
        if len(text) > MAX_CONTENT:
            raise SandboxError("people's messages end at 2,000 characters")
        if not text.strip() and not message.attachments:
            raise SandboxError("an empty message cannot be sent")
        posting.edit(message, Change(content=text))

    async def delete(self, message: Message) -> None:
        """Delete one's own message, or as staff anybody's."""
        if message.deleted:
            raise SandboxError("the message is gone")
        if not self.may_delete(message):
            raise SandboxError(f"{self.shown_name} may not delete others' messages in {message.channel.name}")
        posting.delete(message)

    async def dismiss(self, message: Message) -> None:
        """Put away a message that only this person sees; the bot is not told, and may go on editing it."""
        if not self.may_dismiss(message):
            raise SandboxError("only a message that nobody else sees can be dismissed")
        message.dismissed = True
        self.world.show(Gone(message))

    async def delete_many(self, messages: Sequence[Message]) -> None:
        """Delete several messages of one channel in one event, as moderation bots do."""
        if not self.may(messages[0].channel, Permission.MANAGE_MESSAGES):
            raise SandboxError(f"{self.shown_name} may not delete others' messages")
        posting.delete_bulk(messages)

    def open_dm(self) -> "Channel":
        """Return the direct messages between this person and the bot."""
        return self.world.direct_messages(self.user)

    def close_direct_messages(self) -> None:
        """Take no direct messages of the bot any more, as a person can set for a server or by blocking."""
        self.world.closed_to_bot.add(self.user.id)
        self.world.show(Rearranged())

    def reopen_direct_messages(self) -> None:
        """Take direct messages of the bot again."""
        self.world.closed_to_bot.discard(self.user.id)
        self.world.show(Rearranged())

    @property
    def takes_direct_messages(self) -> bool:
        """Tell whether the bot can write to this person."""
        return self.user.id not in self.world.closed_to_bot

    async def slash(self, channel: "Channel", command: str, /, **options: object) -> InteractionResult:
        """Run a chat command such as "character search" and return the first answer.

        Raises SandboxError for commands and options that are not registered, not offered to this person in this
        place, or given in a way the client would not send.
        """
        head, *words = command.split()
        found = self._command(channel, CommandKind.CHAT_INPUT, head)
        data = command_data(found, words, _pointed(options))
        shown = "".join(f" {name}:{value}" for name, value in options.items())
        name = f"/{command}{shown}"
        return await self._interact(channel, InteractionType.COMMAND, name, data, command=f"/{command}")

    async def autocomplete(
        self, channel: "Channel", command: str, option: str, typed: str, /, **others: object
    ) -> list[Choice]:
        """Type into an option and return what is suggested, nothing when no answer came in time."""
        return (await self.type_into(channel, command, option, typed, **others)).choices

    async def type_into(
        self, channel: "Channel", command: str, option: str, typed: str, /, **others: object
    ) -> InteractionResult:
        """Type into an option, and return what came of it; `others` are the options that are filled in already."""
        head, *words = command.split()
        found = self._command(channel, CommandKind.CHAT_INPUT, head)
        data = command_data(found, words, _pointed({**others, option: typed}), focused=option)
        return await self._interact(channel, InteractionType.AUTOCOMPLETE, f"/{command} {option}:{typed}", data)

    async def context_menu(self, target: "Message | Person", name: str) -> InteractionResult:
        """Run an entry of the menu on a message, or on a person (then in the server's first channel)."""
        resolved = Resolved()
        if isinstance(target, Message):
            self._must_see(target)
            channel, kind = target.channel, CommandKind.MESSAGE
        else:
            channel, kind = next(iter(self.guild.channels.values())), CommandKind.USER
        found = self._command(channel, kind, name)
        data: JsonObject = {
            "id": found["id"],
            "name": name,
            "type": int(kind),
            "target_id": resolved.add(target.member if isinstance(target, Person) else target),
        }
        data["resolved"] = resolved.data
        return await self._interact(channel, InteractionType.COMMAND, name, data, command=name)

    async def click(self, message: Message, button: str) -> InteractionResult:
        """Click a button, named by its custom id or its label."""
        self._must_see(message)
        found = find_button(message, button)
        data: JsonObject = {"component_type": found["type"], "custom_id": found["custom_id"], "id": found["id"]}
        shown = found.get("label") or found["custom_id"]
        return await self._interact(message.channel, InteractionType.COMPONENT, f"[{shown}]", data, message)

    async def select(self, message: Message, custom_id: str, values: Sequence[object]) -> InteractionResult:
        """Choose in a select menu: option values, or people, roles and channels where the menu offers those."""
        self._must_see(message)
        data = select_data(message, custom_id, [_member(value) for value in values])
        return await self._interact(
            message.channel, InteractionType.COMPONENT, f"[{custom_id}: {values}]", data, message
        )

    async def submit(self, opened: InteractionResult, values: Mapping[str, object]) -> InteractionResult:
        """Fill in the form that an answer opened and send it; fields go by custom id or by label."""
        modal = opened.modal
        if modal is None:
            raise SandboxError(f"{opened.interaction.name} opened no form")
        data = modal_data(modal, _pointed(values))
        source = opened.interaction
        return await self._interact(
            source.channel, InteractionType.MODAL_SUBMIT, f"[{modal.title}]", data, source.message
        )

    def _command(self, channel: "Channel", kind: CommandKind, name: str) -> JsonObject:
        guild_id = None if channel.guild is None else channel.guild.id
        found = self.world.interactions.commands.find(guild_id, kind, name)
        check_offered(found, self, channel)
        return found

    def _must_see(self, message: Message) -> None:
        if message.deleted or not self.sees(message):
            raise SandboxError(f"{self.shown_name} does not see that message")

    async def _interact(
        self,
        channel: "Channel",
        kind: InteractionType,
        name: str,
        data: JsonObject,
        message: Message | None = None,
        command: str = "",
    ) -> InteractionResult:
        if not self.may(channel, Permission.VIEW_CHANNEL):
            raise SandboxError(f"{self.shown_name} does not see {channel.name}")
        return await self.world.interactions.run(self, channel, kind, name, data, message, command)


def _member(value: object) -> object:
    return value.member if isinstance(value, Person) else value


def _pointed(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _member(value) for name, value in values.items()}
