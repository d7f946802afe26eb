"""Routes on messages with the bot's own token, and on the history of a channel."""

from typing import Final

from bot.sandbox.discord import mentions, payloads, posting, rules
from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.editing import apply_edit
from bot.sandbox.discord.errors import RefusalError, missing_access, missing_permissions, unknown
from bot.sandbox.discord.json_types import JsonObject, as_int, as_list, as_object
from bot.sandbox.discord.model import Attachment, ChannelKind, Message, MessageFlag, MessageType
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.posting import Draft
from bot.sandbox.discord.requests import Call, Reply, Route
from bot.sandbox.discord.transcript import Entry
from bot.sandbox.discord.world import World

_PAGE: Final = 50
_MAX_PAGE: Final = 100
_NONCE_SECONDS: Final = 180.0
""""The past few minutes" in which enforce_nonce finds an earlier message; Discord gives no figure."""
_CREATE_FLAGS: Final = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.IS_COMPONENTS_V2
_EDIT_FLAGS: Final = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2
_BULK: Final = range(2, 101)


class MessageRoutes:
    """Answer /channels/{id}/messages and what hangs below it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes served here."""
        messages = "/channels/{channel_id}/messages"
        one = messages + "/{message_id}"
        return [
            Route("GET", messages, self._history),
            Route("POST", messages, self._create),
            Route("GET", one, self._read),
            Route("PATCH", one, self._edit),
            Route("DELETE", one, self._delete),
            Route("POST", messages + "/bulk-delete", self._delete_bulk),
            Route("POST", "/channels/{channel_id}/typing", self._typing),
            Route("POST", "/users/@me/channels", self._open_direct_messages),
        ]

    def _channel(self, call: Call, needed: Permission = Permission.NONE) -> Channel:
        channel = find_channel(self._world, call)
        if not self._world.bot_may(channel, needed):
            raise missing_permissions()
        return channel

    def _message(self, call: Call, channel: Channel) -> Message:
        message = channel.messages.get(call.snowflake("message_id", 10008, "Message"))
        if message is None:
            raise unknown(10008, "Message")
        return message

    def _shown(self, message: Message) -> JsonObject:
        data = payloads.message(message)
        return data if self._world.message_content_enabled else payloads.redact(data, message, self._world.bot)

    def _history(self, call: Call) -> Reply:
        channel = self._channel(
            call, Permission.CONNECT if find_channel(self._world, call).is_voice else Permission.NONE
        )
        if not self._world.bot_may(channel, Permission.READ_MESSAGE_HISTORY):
            return Reply([])
        limit = call.number("limit") or _PAGE
        if limit > _MAX_PAGE:
            raise RefusalError(400, 50035, "Invalid Form Body", {"limit": {"_errors": []}})
        page = channel.page(
            before=call.number("before"), after=call.number("after"), around=call.number("around"), limit=limit
        )
        return Reply([self._shown(message) for message in page])

    def _read(self, call: Call) -> Reply:
        channel = self._channel(call, Permission.READ_MESSAGE_HISTORY)
        return Reply(self._shown(self._message(call, channel)))

    def _create(self, call: Call) -> Reply:
        channel = self._channel(call, Permission.SEND_MESSAGES)
        if channel.kind is ChannelKind.FORUM:
            raise RefusalError(400, 50008, "Cannot send messages in a non-text channel")
        if channel.locked:
            raise missing_permissions()
        if channel.kind is ChannelKind.DM and self._world.closed_to_bot.intersection(channel.recipients):
            raise RefusalError(403, 50007, "Cannot send messages to this user")
        body = call.json
        flags = rules.read_flags(body, _CREATE_FLAGS)
        rules.check_body(body, flags)
        if rules.embeds_of(body) and not self._world.bot_may(channel, Permission.EMBED_LINKS):
            raise missing_permissions()
        nonce = body.get("nonce")
        rules.check_nonce(nonce)
        if body.get("enforce_nonce") and nonce is not None:
            earlier = self._sent_before(channel, nonce)
            if earlier is not None:
                return Reply(payloads.message(earlier))
        reference = as_object(body.get("message_reference"))
        reply_id = None if reference is None else as_int(reference.get("message_id"))
        if reference is not None and not self._world.bot_may(channel, Permission.READ_MESSAGE_HISTORY):
            raise RefusalError(400, 160002, "Cannot reply without permission to read message history")
        if reference is not None and reply_id not in channel.messages:
            if reference.get("fail_if_not_exists", True):
                raise RefusalError(
                    400,
                    50035,
                    "Invalid Form Body",
                    {"message_reference": {"_errors": [{"code": "REPLIES_UNKNOWN_MESSAGE"}]}},
                )
            reply_id = None
        attachments = self._files(channel, call)
        content = str(body.get("content") or "")
        rules.check_not_empty(
            content, rules.embeds_of(body), rules.components_of(body), attachments, body.get("sticker_ids")
        )
        message = posting.post(
            Draft(
                channel,
                self._world.bot,
                content,
                MessageType.DEFAULT if reply_id is None else MessageType.REPLY,
                embeds=rules.embeds_of(body),
                components=rules.components_of(body),
                attachments=attachments,
                flags=flags,
                allowed=rules.allowed_mentions_of(body),
                default_mentions=mentions.EVERY_KIND,
                reply_id=reply_id,
                nonce=nonce,
            )
        )
        return Reply(payloads.message(message))

    def _files(self, channel: Channel, call: Call) -> list[Attachment]:
        if call.files and not self._world.bot_may(channel, Permission.ATTACH_FILES):
            raise missing_permissions()
        return posting.store_files(channel, call.json, call.files)

    def _sent_before(self, channel: Channel, nonce: object) -> Message | None:
        since = self._world.now() - _NONCE_SECONDS
        for message in reversed(channel.messages.values()):
            if message.created_at < since:
                return None
            if message.nonce == nonce and message.author is self._world.bot:
                return message
        return None

    def _edit(self, call: Call) -> Reply:
        channel = self._channel(call)
        message = self._message(call, channel)
        if message.author is not self._world.bot:
            raise RefusalError(403, 50005, "Cannot edit a message authored by another user")
        apply_edit(message, call.json, call.files, _EDIT_FLAGS, mentions.EVERY_KIND)
        return Reply(payloads.message(message))

    def _delete(self, call: Call) -> Reply:
        channel = self._channel(call)
        message = self._message(call, channel)
        own = message.author is self._world.bot
        if not own and not self._world.bot_may(channel, Permission.MANAGE_MESSAGES):
            raise missing_permissions()
        posting.delete(message)
        return Reply()

    def _delete_bulk(self, call: Call) -> Reply:
        channel = self._channel(call, Permission.MANAGE_MESSAGES)
        ids = [as_int(each) for each in as_list(call.json.get("messages"))]
        if len(ids) not in _BULK:
            raise RefusalError(400, 50016, "Provided too few or too many messages to delete")
        found = [channel.messages[each] for each in ids if each in channel.messages]
        if found:
            posting.delete_bulk(found)
        return Reply()

    def _open_direct_messages(self, call: Call) -> Reply:
        user = self._world.users.get(as_int(call.json.get("recipient_id")))
        if user is None or user.bot:
            raise RefusalError(400, 50033, "Invalid Recipient(s)")
        return Reply(payloads.channel(self._world.direct_messages(user)))

    def _typing(self, call: Call) -> Reply:
        channel = self._channel(call, Permission.SEND_MESSAGES)
        world = self._world
        world.transcript.add(Entry(world.now(), "typing", world.bot.name, channel.name, ""))
        world.begin_typing(channel, world.bot)
        return Reply()


def find_channel(world: World, call: Call) -> Channel:
    """Return the channel of a path that the bot may see; raises RefusalError 10003 or 50001."""
    channel = world.channels.get(call.snowflake("channel_id", 10003, "Channel"))
    if channel is None:
        raise unknown(10003, "Channel")
    if channel.guild is not None and not world.bot_may(channel, Permission.VIEW_CHANNEL):
        raise missing_access()
    return channel
