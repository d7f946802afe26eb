"""Discord's limits on message bodies; each broken rule becomes the answer Discord gives.

Figures: https://discord.com/developers/docs/resources/message#create-message and .../resources/webhook.
"""

import re
from typing import Final

from bot.sandbox.discord.component_rules import check_components, check_embeds
from bot.sandbox.discord.errors import RefusalError, invalid_form
from bot.sandbox.discord.json_types import JsonObject, as_int, as_object, as_text, objects_of
from bot.sandbox.discord.model import Message, MessageFlag

MAX_CONTENT: Final = 2000
MAX_USERNAME: Final = 80
MAX_ATTACHMENTS: Final = 10
MAX_NONCE: Final = 25
_LEGACY: Final = ("content", "embeds", "poll", "sticker_ids")
"""What a Components V2 message cannot have."""
_FORBIDDEN_IN_NAMES: Final = ("clyde", "discord")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")


def check_content(body: JsonObject) -> None:
    """Refuse a text over 2,000 characters, counted in Unicode code points."""
    content = body.get("content")
    if content is None:
        return
    if not isinstance(content, str):
        raise invalid_form("content", "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    if len(content) > MAX_CONTENT:
        raise invalid_form("content", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_CONTENT} or fewer in length.")


def check_not_empty(content: str, *parts: object) -> None:
    """Refuse a message of nothing (50006); white space counts as nothing."""
    if not content.strip() and not any(parts):
        raise RefusalError(400, 50006, "Cannot send an empty message")


def check_webhook_name(name: object, field: str = "name") -> str:
    """Refuse a webhook's name that breaks the length rule or holds a forbidden word; return it trimmed.

    https://discord.com/developers/docs/resources/webhook#create-webhook
    """
    text = as_text(name).strip()
    if not 1 <= len(text) <= MAX_USERNAME:
        raise invalid_form(field, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    for word in _FORBIDDEN_IN_NAMES:
        if word in text.lower():
            raise invalid_form(field, "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')
    if not _INVISIBLE.sub("", text).strip():
        raise invalid_form(field, "BASE_TYPE_REQUIRED", "This field is required")
    return text


def read_flags(body: JsonObject, permitted: MessageFlag, current: MessageFlag = MessageFlag.NONE) -> MessageFlag:
    """Read the flags of a body, refusing those that this endpoint does not take; absent keeps the current ones."""
    if body.get("flags") is None:
        return current
    given = as_int(body.get("flags"))
    if given & ~int(permitted | current):
        raise invalid_form("flags", "MESSAGE_FLAGS_INVALID", "Invalid flags")
    return MessageFlag(given) | current & (MessageFlag.IS_COMPONENTS_V2 | MessageFlag.EPHEMERAL)


def check_body(body: JsonObject, flags: MessageFlag) -> None:
    """Check every part of a message body that is there; emptiness is checked apart."""
    check_content(body)
    check_embeds(embeds_of(body))
    check_components(components_of(body), v2=bool(flags & MessageFlag.IS_COMPONENTS_V2))
    if flags & MessageFlag.IS_COMPONENTS_V2 and any(map(body.get, _LEGACY)):
        raise invalid_form(
            "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with IS_COMPONENTS_V2"
        )


def embeds_of(body: JsonObject) -> list[JsonObject]:
    """Return the embeds of a body."""
    return objects_of(body.get("embeds"))


def components_of(body: JsonObject) -> list[JsonObject]:
    """Return the top-level components of a body."""
    return objects_of(body.get("components"))


def allowed_mentions_of(body: JsonObject) -> JsonObject | None:
    """Return the `allowed_mentions` of a body, None when absent."""
    return as_object(body.get("allowed_mentions"))


def check_attachment_count(count: int) -> None:
    """Refuse more than ten files on one message."""
    if count > MAX_ATTACHMENTS:
        raise RefusalError(400, 30015, "Maximum number of attachments reached (10)")


def check_nonce(nonce: object) -> None:
    """Refuse a nonce that is no integer and no string of at most 25 characters."""
    if nonce is None or isinstance(nonce, int):
        return
    if not isinstance(nonce, str) or len(nonce) > MAX_NONCE:
        raise invalid_form("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.")


def check_v2_stays_legal(message: Message, body: JsonObject, flags: MessageFlag) -> None:
    """Refuse turning a message to Components V2 while it keeps its text or embeds."""
    if not flags & MessageFlag.IS_COMPONENTS_V2 or message.is_v2:
        return
    keeps_text = bool(message.content) and "content" not in body
    keeps_embeds = bool(message.embeds) and "embeds" not in body
    if keeps_text or keeps_embeds:
        raise invalid_form(
            "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with IS_COMPONENTS_V2"
        )
