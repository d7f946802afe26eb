"""Speaking on Discord: personas through one webhook per channel, or as the bot where that cannot be.

The implementation of `bot.services.outlet.Outlet`. Webhook calls must not be cancelled; the lanes, which make
them, see to that (`bot.services.lanes`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from io import BytesIO
from typing import Any, Final, TypeVar

import discord

from bot.domain.ids import ChannelId, GuildId, MessageId, WebhookId
from bot.domain.persona_names import default_avatar_index, headed
from bot.domain.turns import Transport
from bot.domain.webhooks import OwnWebhook
from bot.gateway.conversion import seen_post
from bot.gateway.failures import asking
from bot.gateway.rate_limits import WebhookRateLimits
from bot.services.outlet import (
    Allowance,
    Busy,
    Controls,
    Destination,
    Draft,
    Forbidden,
    Gone,
    Lost,
    Persona,
    SeenPost,
    TextFile,
    Uncertain,
)
from bot.store.webhooks import Webhooks

_log = logging.getLogger(__name__)

WEBHOOK_NAME: Final = "Characters"
"""Discord forbids "clyde" and "discord" in it (https://discord.com/developers/docs/resources/webhook)."""
NAME_NOBODY_REFUSES: Final = "Character"
HISTORY_LIMIT: Final = 100
LOADING_SECONDS: Final = 1.0
"""How soon to look again at a server that the gateway has not described yet."""
NO_MENTIONS: Final = discord.AllowedMentions.none()

_TOO_MANY_WEBHOOKS: Final = frozenset({30007, 30058})
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes"""

_NAME_FIELD: Final = "username"
_PICTURE_FIELD: Final = "avatar_url"
"""What Discord calls what it refuses (https://discord.com/developers/docs/resources/webhook#execute-webhook)."""

T = TypeVar("T")


class DiscordOutlet:
    """Posts, edits and deletes for the services."""

    def __init__(
        self,
        client: discord.Client,
        webhooks: Webhooks,
        limits: WebhookRateLimits,
        *,
        cdn_url: str,
        now_ms: Callable[[], int],
        buttons: Callable[[Controls], discord.ui.View],
    ) -> None:
        self._client = client
        self._store = webhooks
        self._limits = limits
        self._cdn_url = cdn_url.rstrip("/")
        self._now_ms = now_ms
        self._buttons = buttons
        self._webhooks: dict[tuple[GuildId, ChannelId], discord.Webhook] = {}
        """Those that are known to stand in their channels."""
        self._changes = 0
        """How often webhooks were forgotten: what was asked before then may hold no more."""
        self._finding: dict[ChannelId, asyncio.Task[discord.Webhook | None]] = {}

    async def aclose(self) -> None:
        """End the search for webhooks that is under way: only where the process ends."""
        searches = tuple(self._finding.values())
        for search in searches:
            search.cancel()
        await asyncio.gather(*searches, return_exceptions=True)

    # Which way to speak

    def may_speak(self, destination: Destination) -> bool:
        """Tell from the cache whether the bot may write there; where it knows nothing, Discord has to say."""
        try:
            self._check_may_speak(destination)
        except Forbidden:
            return False
        except (Busy, Gone):
            pass
        return True

    async def transport(self, destination: Destination) -> Transport:
        """Tell how a persona can speak there, finding or making the channel's webhook if need be."""
        self._check_may_speak(destination)
        webhook = self._known(destination) or await self._find_once(destination)
        return Transport.BOT if webhook is None else Transport.WEBHOOK

    def forget_webhooks(self, guild_id: GuildId) -> None:
        """Look the webhooks of a server up anew, each when it is next spoken through.

        Staff can move a webhook to another channel, where it keeps its id and its token. Discord tells of a channel
        whose webhooks changed, and neither which of them did nor where it was before.
        """
        self._changes += 1
        self._webhooks = {key: webhook for key, webhook in self._webhooks.items() if key[0] != guild_id}

    def _check_is_not_muted(self, destination: Destination) -> None:
        """Raise Forbidden where Discord would: each such answer counts towards a ban of the bot's address.

        https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
        """
        if not self.may_speak(destination):
            raise Forbidden

    def _check_may_speak(self, destination: Destination) -> None:
        """Raise Forbidden where the bot may not write, though executing a webhook would need no permission."""
        channel = self._channel(destination)
        permissions = channel.permissions_for(channel.guild.me)
        may_send = permissions.send_messages_in_threads if destination.thread_id else permissions.send_messages
        if not permissions.view_channel or not may_send:
            raise Forbidden

    def _channel(self, destination: Destination) -> discord.abc.GuildChannel:
        guild = self._client.get_guild(destination.guild_id)
        if guild is not None and guild.unavailable:
            # A new session names its servers first and describes them after; an outage takes them away for a while.
            raise Busy(LOADING_SECONDS)
        channel = guild.get_channel(destination.channel_id) if guild is not None else None
        if channel is None:
            raise Gone(Lost.PLACE)
        return channel

    async def _find_once(self, destination: Destination) -> discord.Webhook | None:
        """Find or make a channel's webhook; whoever asks meanwhile gets the same answer."""
        channel_id = destination.channel_id
        task = self._finding.get(channel_id)
        if task is None:
            task = asyncio.create_task(self._find(destination), name=f"webhook of {channel_id}")
            self._finding[channel_id] = task
            task.add_done_callback(lambda _: self._finding.pop(channel_id, None))
        return await asyncio.shield(task)

    def _known(self, destination: Destination) -> discord.Webhook | None:
        return self._webhooks.get((destination.guild_id, destination.channel_id))

    async def _find(self, destination: Destination) -> discord.Webhook | None:
        channel = self._channel(destination)
        changes = self._changes
        if not isinstance(
            channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel)
        ):
            return None
        stored = await self._store.get(destination.channel_id)
        if stored is not None:
            webhook = discord.Webhook.partial(stored.id, stored.token, client=self._client)
            await self._check_where_it_stands(destination, webhook)
        elif not channel.permissions_for(channel.guild.me).manage_webhooks:
            return None
        else:
            found = await asking(lambda: self._find_or_make(channel))
            if found is None:
                return None
            webhook = found
            if webhook.token is None:
                return None
            await self._store.put(
                OwnWebhook(destination.channel_id, destination.guild_id, WebhookId(webhook.id), webhook.token),
                self._now_ms(),
            )
        if self._changes == changes:
            self._webhooks[destination.guild_id, destination.channel_id] = webhook
        return webhook

    async def _check_where_it_stands(self, destination: Destination, webhook: discord.Webhook) -> None:
        """Raise Gone where a webhook that was kept for a channel is no more, or stands in another one by now."""
        there = await self._through(destination, lambda: webhook.fetch(prefer_auth=False))
        if there.channel_id != destination.channel_id:
            await self._lose_webhook(destination)
            raise Gone(Lost.WEBHOOK)

    async def _find_or_make(
        self, channel: discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel
    ) -> discord.Webhook | None:
        me = channel.guild.me.id
        try:
            for webhook in await channel.webhooks():
                if webhook.token is not None and webhook.user is not None and webhook.user.id == me:
                    return webhook
            return await channel.create_webhook(name=WEBHOOK_NAME, reason="Characters speak through it")
        except discord.HTTPException as error:
            if error.code not in _TOO_MANY_WEBHOOKS and not isinstance(error, discord.Forbidden):
                raise
            _log.info("No webhook can be had in %s: code %s", channel.id, error.code)
            return None

    async def _webhook(self, destination: Destination) -> discord.Webhook:
        webhook = self._known(destination) or await self._find_once(destination)
        if webhook is None:
            raise Gone(Lost.WEBHOOK)
        return webhook

    # Speaking

    async def post(self, destination: Destination, transport: Transport, draft: Draft) -> MessageId:
        """Send a message and return its id."""
        if transport is Transport.BOT:
            return await asking(lambda: self._post_as_bot(destination, draft))
        webhook = await self._webhook(destination)
        return await self._through(destination, lambda: self._post_through(webhook, destination, draft))

    async def edit(self, destination: Destination, transport: Transport, message_id: MessageId, draft: Draft) -> None:
        """Make a message what the draft says."""
        view = self._buttons(draft.controls) if draft.controls is not None else None
        files = [_file(draft.file)] if draft.file is not None else []
        if transport is Transport.BOT:
            message = self._message(destination, message_id)
            await asking(
                lambda: message.edit(content=_as_bot(draft), view=view, attachments=files, allowed_mentions=NO_MENTIONS)
            )
            return
        webhook = await self._webhook(destination)
        await self._through(
            destination,
            lambda: webhook.edit_message(
                message_id,
                content=draft.text,
                view=view,
                attachments=files,
                allowed_mentions=NO_MENTIONS,
                thread=_thread(destination),
            ),
        )

    async def bare(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Take the buttons off a message and leave the rest."""
        if transport is Transport.BOT:
            message = self._message(destination, message_id)
            await asking(lambda: message.edit(view=None, allowed_mentions=NO_MENTIONS))
            return
        webhook = await self._webhook(destination)
        await self._through(
            destination,
            lambda: webhook.edit_message(
                message_id, view=None, allowed_mentions=NO_MENTIONS, thread=_thread(destination)
            ),
        )

    async def delete(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        """Delete a message of the bot or of its webhook."""
        if transport is Transport.BOT:
            await asking(self._message(destination, message_id).delete)
            return
        webhook = await self._webhook(destination)
        await self._through(destination, lambda: webhook.delete_message(message_id, thread=_thread(destination)))

    async def typing(self, destination: Destination) -> None:
        """Show the bot typing."""
        self._check_is_not_muted(destination)
        channel = self._place(destination)
        await asking(lambda: _typing(channel))

    async def recent(self, destination: Destination, after: MessageId) -> list[SeenPost]:
        """Return the own messages of a place newer than `after`, oldest first; at most 100 messages are looked at."""
        return await asking(lambda: self._recent(destination, after))

    def allowance(self, destination: Destination) -> Allowance:
        """Tell what the last answer said of the rate limit of the channel's webhook."""
        webhook = self._known(destination)
        return self._limits.of(webhook.id if webhook is not None else 0)

    async def _post_as_bot(self, destination: Destination, draft: Draft) -> MessageId:
        self._check_is_not_muted(destination)
        options: dict[str, Any] = {}
        if draft.controls is not None:
            options["view"] = self._buttons(draft.controls)
        if draft.file is not None:
            options["file"] = _file(draft.file)
        if draft.nonce is not None:
            options["nonce"] = draft.nonce
        message = await self._place(destination).send(
            _as_bot(draft), allowed_mentions=NO_MENTIONS, suppress_embeds=True, **options
        )
        return MessageId(message.id)

    async def _post_through(self, webhook: discord.Webhook, destination: Destination, draft: Draft) -> MessageId:
        persona = draft.persona
        name = persona.name if persona is not None else NAME_NOBODY_REFUSES
        picture = self._picture(persona) if persona is not None else None
        try:
            return await self._execute(webhook, destination, draft, name, picture)
        except discord.HTTPException as error:
            if _NAME_FIELD not in error.text and _PICTURE_FIELD not in error.text:
                raise
            # Discord's rules for names and pictures are not wholly published; the reply matters more than its face.
            _log.warning("Discord refused the face of a character: %s", error.text)
            if _NAME_FIELD in error.text:
                name = NAME_NOBODY_REFUSES
            if _PICTURE_FIELD in error.text:
                picture = self._picture(replace(persona, avatar_url=None)) if persona is not None else None
            return await self._execute(webhook, destination, draft, name, picture)

    async def _execute(
        self, webhook: discord.Webhook, destination: Destination, draft: Draft, name: str, picture: str | None
    ) -> MessageId:
        options: dict[str, Any] = {}
        if draft.controls is not None:
            options["view"] = self._buttons(draft.controls)
        if draft.file is not None:
            options["file"] = _file(draft.file)
        if destination.thread_id is not None:
            options["thread"] = discord.Object(destination.thread_id)
        message = await webhook.send(
            draft.text,
            username=name,
            avatar_url=picture,
            allowed_mentions=NO_MENTIONS,
            suppress_embeds=True,
            wait=True,
            **options,
        )
        if destination.thread_id is None and message.channel.id != destination.channel_id:
            # It was moved a moment ago. (A thread of one channel is refused to the webhook of another.)
            await self._lose_webhook(destination)
            try:
                await webhook.delete_message(message.id)
            except discord.HTTPException as error:
                _log.warning("What went astray into %s could not be deleted: %r", message.channel.id, error)
            raise Gone(Lost.WEBHOOK)
        return MessageId(message.id)

    async def _recent(self, destination: Destination, after: MessageId) -> list[SeenPost]:
        me, application_id = self._client.user, self._client.application_id
        if me is None or application_id is None:
            raise Uncertain
        found: list[SeenPost] = []
        history = self._place(destination).history(limit=HISTORY_LIMIT, after=discord.Object(after), oldest_first=True)
        async for message in history:
            seen = seen_post(message, bot_id=me.id, application_id=application_id)
            if seen is not None:
                found.append(seen)
        return found

    def _picture(self, persona: Persona) -> str:
        if persona.avatar_url is not None:
            return persona.avatar_url
        return f"{self._cdn_url}/embed/avatars/{default_avatar_index(persona.character_id)}.png"

    def _place(self, destination: Destination) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(destination.place, guild_id=destination.guild_id)

    def _message(self, destination: Destination, message_id: MessageId) -> discord.PartialMessage:
        return self._place(destination).get_partial_message(message_id)

    # What went wrong

    async def _through(self, destination: Destination, call: Callable[[], Awaitable[T]]) -> T:
        """Carry out a call of the channel's webhook, and forget the webhook when it turns out to be gone."""
        try:
            return await asking(call)
        except Gone as gone:
            if gone.what is Lost.WEBHOOK:
                await self._lose_webhook(destination)
            raise

    async def _lose_webhook(self, destination: Destination) -> None:
        self._webhooks.pop((destination.guild_id, destination.channel_id), None)
        await self._store.remove(destination.channel_id)


def _as_bot(draft: Draft) -> str:
    """Return the text as the bot says it: where it lends a character its voice, the name stands above."""
    return draft.text if draft.persona is None else headed(draft.text, draft.persona.name)


def _file(file: TextFile) -> discord.File:
    return discord.File(BytesIO(file.text.encode()), filename=file.name)


def _thread(destination: Destination) -> discord.abc.Snowflake:
    return discord.utils.MISSING if destination.thread_id is None else discord.Object(destination.thread_id)


async def _typing(channel: discord.PartialMessageable) -> None:
    await channel.typing()
