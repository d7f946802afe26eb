"""Edits as request bodies describe them, for every kind of message."""

from typing import TYPE_CHECKING

from bot.sandbox.discord import posting, rules
from bot.sandbox.discord.json_types import as_int, objects_of
from bot.sandbox.discord.model import MessageFlag
from bot.sandbox.discord.posting import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sandbox.discord.json_types import JsonObject
    from bot.sandbox.discord.model import Attachment, Message
    from bot.sandbox.discord.requests import UploadedFile


def apply_edit(
    message: "Message",
    body: "JsonObject",
    files: "Sequence[UploadedFile]",
    permitted: MessageFlag,
    default_mentions: frozenset[str],
) -> None:
    """Carry out an edit as a body describes it: absent keys stay, null clears.

    Raises RefusalError when the outcome would break a rule or be empty.
    """
    flags = rules.read_flags(body, permitted, message.flags) & ~MessageFlag.LOADING
    rules.check_body(body, flags)
    rules.check_v2_stays_legal(message, body, flags)
    attachments: list[Attachment] | None = None
    if "attachments" in body or files:
        kept = {as_int(entry.get("id"), -1) for entry in objects_of(body.get("attachments"))}
        stays = [each for each in message.attachments if "attachments" not in body or each.id in kept]
        rules.check_attachment_count(len(stays) + len(files))
        attachments = stays + posting.store_files(message.channel, body, files)
    content = str(body.get("content") or "") if "content" in body else None
    embeds = rules.embeds_of(body) if "embeds" in body else None
    components = rules.components_of(body) if "components" in body else None
    rules.check_not_empty(
        message.content if content is None else content,
        message.embeds if embeds is None else embeds,
        message.components if components is None else components,
        message.attachments if attachments is None else attachments,
    )
    posting.edit(
        message,
        Change(
            content,
            embeds,
            components,
            attachments,
            flags,
            rules.allowed_mentions_of(body),
            default_mentions,
        ),
    )
