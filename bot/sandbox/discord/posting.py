"""Making, changing and deleting messages: one path for the bot, its webhooks and people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import mentions, payloads, rules
from bot.sandbox.discord.json_types import JsonObject, as_object, as_text, objects_of
from bot.sandbox.discord.model import (
    Attachment,
    Message,
    MessageFlag,
    MessageType,
    Origin,
    Revision,
    User,
    Webhook,
)
from bot.sandbox.discord.permissions import Permission, permissions_in
from bot.sandbox.discord.sights import Gone, Rearranged, Shown
from bot.sandbox.discord.transcript import Entry

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.requests import UploadedFile

_PLACEHOLDER_TITLE: Final = "A page somewhere"


@dataclass(slots=True)
class Draft:
    """What a message shall be, before it exists."""

    channel: "Channel"
    author: User
    content: str = ""
    type: MessageType = MessageType.DEFAULT
    embeds: list[JsonObject] = field(default_factory=list[JsonObject])
    components: list[JsonObject] = field(default_factory=list[JsonObject])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    flags: MessageFlag = MessageFlag.NONE
    allowed: JsonObject | None = None
    default_mentions: frozenset[str] = mentions.EVERY_KIND
    reply_id: int | None = None
    webhook: Webhook | None = None
    application_id: int | None = None
    avatar_url: str | None = None
    nonce: str | int | None = None
    origin: Origin | None = None
    ephemeral_for: int | None = None


def post(draft: Draft) -> Message:
    """Create a message, tell the gateway, and show a link preview where Discord would.

    Raises RefusalError for an `allowed_mentions` that Discord would not take.
    """
    channel, world = draft.channel, draft.channel.world
    replied_to = channel.messages.get(draft.reply_id) if draft.reply_id is not None else None
    allowed = mentions.read_allowed(draft.allowed, draft.default_mentions)
    now = world.now()
    message = Message(
        world.snowflakes.next(),
        channel,
        draft.author,
        draft.content,
        now,
        draft.type,
        webhook=draft.webhook,
        application_id=draft.application_id,
        avatar_url=draft.avatar_url,
        embeds=draft.embeds,
        components=numbered(draft.components),
        attachments=draft.attachments,
        flags=draft.flags,
        replied_to=replied_to,
        reply_id=draft.reply_id,
        nonce=draft.nonce,
        origin=draft.origin,
        ephemeral_for=draft.ephemeral_for,
        revisions=[Revision(now, draft.content)],
    )
    _mention(message, allowed, webhook=draft.webhook is not None or draft.origin is not None)
    if message.ephemeral_for is not None:
        world.private_messages[message.id] = message
        note(message, "post")
        world.show(Shown(message))
        return message
    if channel.archived:
        channel.set_archived(archived=False)
    begins_talk = channel.guild is None and channel.last_message_id is None
    channel.keep(message)
    if begins_talk:
        # From now on it stands in the list of channels.
        world.show(Rearranged())
    note(message, "post")
    world.publish_in(channel, "MESSAGE_CREATE", payloads.message(message, for_event=True), message)
    world.show(Shown(message))
    world.end_typing(channel, message.author)
    _unfurl(message)
    return message


@dataclass(slots=True)
class Change:
    """A new state for parts of a message; None leaves a part as it is."""

    content: str | None = None
    embeds: list[JsonObject] | None = None
    components: list[JsonObject] | None = None
    attachments: list[Attachment] | None = None
    flags: MessageFlag | None = None
    allowed: JsonObject | None = None
    default_mentions: frozenset[str] = mentions.EVERY_KIND


def edit(message: Message, change: Change) -> None:
    """Change a message and tell the gateway.

    A changed text is read for pings anew, by the defaults where `allowed` says nothing, whatever the creation said.

    Raises RefusalError for an `allowed_mentions` that Discord would not take.
    """
    allowed = mentions.read_allowed(change.allowed, change.default_mentions)
    world = message.channel.world
    now = world.now()
    if change.content is not None:
        message.content = change.content
        message.revisions.append(Revision(now, change.content))
        _mention(message, allowed, webhook=message.webhook is not None or message.origin is not None)
    if change.embeds is not None:
        message.embeds = change.embeds
    if change.components is not None:
        message.components = numbered(change.components)
    if change.attachments is not None:
        message.attachments = change.attachments
    if not message.is_loading:
        # What takes the place of "is thinking…" is no edit to people.
        message.edited_at = now
    if change.flags is not None:
        message.flags = change.flags
    note(message, "edit")
    announce_update(message)
    if change.content is not None:
        _unfurl(message)


def announce_update(message: Message) -> None:
    """Show a changed message, and send MESSAGE_UPDATE except for those that only one person sees."""
    message.channel.world.show(Shown(message))
    if message.ephemeral_for is not None:
        return
    data = payloads.message(message, for_event=True)
    message.channel.world.publish_in(message.channel, "MESSAGE_UPDATE", data, message)


def delete(message: Message) -> None:
    """Delete one message and tell the gateway."""
    _remove(message)
    if message.ephemeral_for is not None:
        return
    data = _place_of(message) | {"id": str(message.id)}
    message.channel.world.publish_in(message.channel, "MESSAGE_DELETE", data)


def delete_bulk(messages: Sequence[Message]) -> None:
    """Delete several messages of one channel at once, as a moderation bot does."""
    for message in messages:
        _remove(message)
    data = _place_of(messages[0]) | {"ids": [str(message.id) for message in messages]}
    messages[0].channel.world.publish_in(messages[0].channel, "MESSAGE_DELETE_BULK", data)


def _remove(message: Message) -> None:
    message.deleted = True
    if message.ephemeral_for is None:
        message.channel.forget(message)
    else:
        message.channel.world.private_messages.pop(message.id, None)
    note(message, "delete")
    message.channel.world.show(Gone(message))


def _place_of(message: Message) -> JsonObject:
    guild = message.channel.guild
    data: JsonObject = {"channel_id": str(message.channel.id)}
    return data if guild is None else data | {"guild_id": str(guild.id)}


def _mention(message: Message, allowed: mentions.Allowed, *, webhook: bool) -> None:
    found = mentions.resolve(
        message.channel, message.author, message.content, allowed, message.replied_to, webhook=webhook
    )
    message.mentions = found.users
    message.mention_roles = found.roles
    message.mention_everyone = found.everyone
    message.pings |= found.pings


def _unfurl(message: Message) -> None:
    """Add a link's preview: a MESSAGE_UPDATE that is no edit."""
    if message.flags & (MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2):
        return
    links = mentions.preview_links(message.content)
    may_embed = message.webhook is not None or bool(
        permissions_in(message.channel, message.author.id) & Permission.EMBED_LINKS
    )
    if not links or not may_embed:
        return
    message.unfurled = True
    kept = [embed for embed in message.embeds if embed.get("type") != "link"]
    message.embeds = kept + [{"type": "link", "url": link, "title": _PLACEHOLDER_TITLE} for link in links]
    announce_update(message)


def note(message: Message, kind: str) -> None:
    """Write a message's present state into the transcript."""
    channel = message.channel
    transcript = channel.world.transcript
    if not transcript.keep:
        return
    only_for = message.ephemeral_for
    viewer = None if only_for is None else channel.world.users[only_for].name
    who = message.author.global_name or message.author.name
    shown = message.content or "".join(f"[{as_text(embed.get('title')) or 'embed'}]" for embed in message.embeds)
    shown += "".join(f"[file {each.filename}]" for each in message.attachments)
    transcript.add(Entry(channel.world.now(), kind, who, channel.name, shown, message.id, viewer))


def numbered(components: list[JsonObject]) -> list[JsonObject]:
    """Return components as Discord keeps them: each has an id, and what stands in a select goes by ids in texts."""
    used = 0

    def walk(items: list[JsonObject]) -> list[JsonObject]:
        nonlocal used
        out: list[JsonObject] = []
        for item in items:
            used += 1
            shown = {"id": used} | item
            for key in ("components", "items"):
                if key in item:
                    shown[key] = walk(objects_of(item[key])) if key == "components" else item[key]
            if "default_values" in item:
                chosen = objects_of(item["default_values"])
                shown["default_values"] = [each | {"id": str(each.get("id"))} for each in chosen]
            for key in ("accessory", "component"):
                inner = as_object(item.get(key))
                if inner is not None:
                    shown[key] = walk([inner])[0]
            out.append(shown)
        return out

    return walk(components)


def store_files(channel: "Channel", body: JsonObject, files: "Sequence[UploadedFile]") -> list[Attachment]:
    """Keep the uploaded files of a request; `attachments` of its body names and describes them."""
    rules.check_attachment_count(len(files))
    described = {as_text(str(entry.get("id"))): entry for entry in objects_of(body.get("attachments"))}
    world = channel.world
    kept: list[Attachment] = []
    for index, file in enumerate(files):
        entry = described.get(str(index), {})
        name = as_text(entry.get("filename")) or file.filename
        attachment_id = world.snowflakes.next()
        url = f"{world.cdn_url}/attachments/{channel.id}/{attachment_id}/{name}"
        description = as_text(entry.get("description")) or None
        attachment = Attachment(attachment_id, name, file.content, file.content_type, url, description)
        world.attachments[attachment_id] = attachment
        kept.append(attachment)
    return kept
