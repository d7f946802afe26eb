"""Routes on webhooks: made and listed with the bot's token, executed with their own."""

from typing import Final

from bot.sandbox.discord import mentions, payloads, posting, rules
from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.editing import apply_edit
from bot.sandbox.discord.errors import RefusalError, invalid_form, missing_permissions, unknown
from bot.sandbox.discord.json_types import JsonObject, as_text
from bot.sandbox.discord.messages import find_channel
from bot.sandbox.discord.model import ChannelKind, Message, MessageFlag, User, Webhook
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.posting import Draft
from bot.sandbox.discord.requests import Auth, Call, Reply, Route
from bot.sandbox.discord.world import World

_PER_CHANNEL: Final = 15
_MAX_AVATAR_URL: Final = 2048
_HOMES: Final = frozenset({ChannelKind.TEXT, ChannelKind.VOICE, ChannelKind.STAGE, ChannelKind.FORUM})
_EXECUTE_FLAGS: Final = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.IS_COMPONENTS_V2
_EDIT_FLAGS: Final = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2


class WebhookRoutes:
    """Answer everything about webhooks but the answers to interactions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes that carry the bot's token, and the bare webhook with its own."""
        tokened = "/webhooks/{webhook_id}/{webhook_token}"
        return [
            Route("GET", "/channels/{channel_id}/webhooks", self._list),
            Route("POST", "/channels/{channel_id}/webhooks", self._create),
            Route("GET", "/guilds/{guild_id}/webhooks", self._list_guild),
            Route("GET", "/webhooks/{webhook_id}", self._read),
            Route("DELETE", "/webhooks/{webhook_id}", self._delete),
            Route("GET", tokened, self._read_tokened, Auth.PATH),
            Route("DELETE", tokened, self._delete_tokened, Auth.PATH),
        ]

    def _managed_channel(self, call: Call) -> Channel:
        channel = find_channel(self._world, call)
        if not self._world.bot_may(channel, Permission.MANAGE_WEBHOOKS):
            raise missing_permissions()
        if channel.kind not in _HOMES:
            raise RefusalError(400, 50024, "Cannot execute action on this channel type")
        return channel

    def _show(self, webhook: Webhook) -> JsonObject:
        return payloads.webhook(webhook, viewer_application=self._world.application_id)

    def _list(self, call: Call) -> Reply:
        return Reply([self._show(webhook) for webhook in self._managed_channel(call).webhooks])

    def _list_guild(self, call: Call) -> Reply:
        guild = self._world.guilds.get(call.snowflake("guild_id", 10004, "Guild"))
        if guild is None:
            raise unknown(10004, "Guild")
        if not guild.bot_permissions & Permission.MANAGE_WEBHOOKS:
            raise missing_permissions()
        return Reply([self._show(hook) for hook in self._world.webhooks.values() if hook.channel.guild is guild])

    def _create(self, call: Call) -> Reply:
        channel = self._managed_channel(call)
        name = rules.check_webhook_name(call.json.get("name"))
        if len(channel.webhooks) >= _PER_CHANNEL:
            raise RefusalError(400, 30007, "Maximum number of webhooks reached (15)")
        return Reply(self._show(channel.add_own_webhook(name)))

    def _owned(self, call: Call) -> Webhook:
        webhook = self._world.webhooks.get(call.snowflake("webhook_id", 10015, "Webhook"))
        if webhook is None:
            raise unknown(10015, "Webhook")
        if not self._world.bot_may(webhook.channel, Permission.MANAGE_WEBHOOKS):
            raise missing_permissions()
        return webhook

    def _read(self, call: Call) -> Reply:
        return Reply(self._show(self._owned(call)))

    def _delete(self, call: Call) -> Reply:
        webhook = self._owned(call)
        webhook.channel.remove_webhook(webhook)
        return Reply()

    def _read_tokened(self, call: Call) -> Reply:
        return Reply(self._show(self.find(call)))

    def _delete_tokened(self, call: Call) -> Reply:
        webhook = self.find(call)
        webhook.channel.remove_webhook(webhook)
        return Reply()

    def find(self, call: Call) -> Webhook:
        """Return the webhook of a path with token; raises RefusalError 10015, or 401/50027 for a wrong token."""
        webhook = self._world.webhooks.get(call.snowflake("webhook_id", 10015, "Webhook"))
        if webhook is None:
            raise unknown(10015, "Webhook")
        if webhook.token != call.path["webhook_token"]:
            raise RefusalError(401, 50027, "Invalid Webhook Token")
        return webhook

    def execute(self, call: Call) -> Reply:
        """Post as a webhook; without `wait` nothing is returned."""
        webhook = self.find(call)
        body = call.json
        channel = self._target(webhook, call, body)
        name = rules.check_webhook_name(body["username"], "username") if body.get("username") else webhook.name
        avatar_url = as_text(body.get("avatar_url")) or None
        if avatar_url is not None and len(avatar_url) > _MAX_AVATAR_URL:
            raise invalid_form("avatar_url", "BASE_TYPE_MAX_LENGTH", "Must be 2048 or fewer in length.")
        flags = rules.read_flags(body, _EXECUTE_FLAGS)
        rules.check_body(body, flags)
        attachments = posting.store_files(channel, body, call.files)
        components = rules.components_of(body)
        if components and webhook.application_id is None:
            components = [] if not call.flag("with_components") else components
        content = str(body.get("content") or "")
        rules.check_not_empty(content, rules.embeds_of(body), components, attachments)
        face = User(webhook.id, name, None, bot=True, avatar=payloads.avatar_hash(avatar_url), discriminator="0000")
        message = posting.post(
            Draft(
                channel,
                face,
                content,
                embeds=rules.embeds_of(body),
                components=components,
                attachments=attachments,
                flags=flags,
                allowed=rules.allowed_mentions_of(body),
                default_mentions=mentions.USERS_ONLY,
                webhook=webhook,
                application_id=webhook.application_id,
                avatar_url=avatar_url,
            )
        )
        return Reply(payloads.message(message)) if call.flag("wait") else Reply()

    def _target(self, webhook: Webhook, call: Call, body: JsonObject) -> Channel:
        thread_id = call.number("thread_id")
        thread_name = as_text(body.get("thread_name"))
        home = webhook.channel
        if thread_id is not None:
            if thread_name:
                raise RefusalError(400, 220002, "Webhooks can only have one of thread_id and thread_name")
            thread = self._world.channels.get(thread_id)
            if thread is None or thread.parent is not home:
                raise unknown(10003, "Channel")
            if thread.locked:
                raise RefusalError(400, 160005, "Thread is locked")
            return thread
        if home.kind is not ChannelKind.FORUM:
            if thread_name:
                raise RefusalError(400, 220003, "Webhooks can only create threads in forum channels")
            return home
        if not thread_name:
            raise RefusalError(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
        return home.add_thread(thread_name)

    def message(self, call: Call) -> Message:
        """Return the webhook's own message of a path; in a thread only with its thread_id, as Discord wants it."""
        webhook = self.find(call)
        place = webhook.channel
        thread_id = call.number("thread_id")
        if thread_id is not None:
            thread = self._world.channels.get(thread_id)
            if thread is None or thread.parent is not place:
                raise unknown(10003, "Channel")
            place = thread
        message = place.messages.get(call.snowflake("message_id", 10008, "Message"))
        if message is None or message.webhook is not webhook:
            raise unknown(10008, "Message")
        return message

    def read_message(self, call: Call) -> Reply:
        """Show a message of the webhook's own."""
        return Reply(payloads.message(self.message(call)))

    def edit_message(self, call: Call) -> Reply:
        """Edit a message of the webhook's own."""
        message = self.message(call)
        apply_edit(message, call.json, call.files, _EDIT_FLAGS, mentions.USERS_ONLY)
        return Reply(payloads.message(message))

    def delete_message(self, call: Call) -> Reply:
        """Delete a message of the webhook's own."""
        posting.delete(self.message(call))
        return Reply()
