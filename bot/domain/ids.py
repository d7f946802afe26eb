"""Identifiers, so that the type checker tells one kind of number from another.

Discord's are snowflakes: 64-bit integers whose upper 42 bits are milliseconds since 2015
(https://discord.com/developers/docs/reference#snowflakes). Ours are row ids.
"""

from typing import Final, NewType

GuildId = NewType("GuildId", int)
ChannelId = NewType("ChannelId", int)
"""A channel or a thread: Discord numbers both from one space."""
UserId = NewType("UserId", int)
RoleId = NewType("RoleId", int)
MessageId = NewType("MessageId", int)
WebhookId = NewType("WebhookId", int)

CharacterId = NewType("CharacterId", str)
"""The catalogue's own id, usually a UUID."""
CharacterRef = NewType("CharacterRef", int)
"""Our row id for a character, short enough for a component's custom id."""
BindingId = NewType("BindingId", int)
ConversationId = NewType("ConversationId", int)
TurnId = NewType("TurnId", int)
VersionId = NewType("VersionId", int)
PostId = NewType("PostId", int)
ReportId = NewType("ReportId", int)
OutboxId = NewType("OutboxId", int)
SearchPageId = NewType("SearchPageId", int)
DraftId = NewType("DraftId", int)
CardFileId = NewType("CardFileId", int)
PayerId = NewType("PayerId", str)
"""Names the key that pays for a call, never the key itself."""

DISCORD_EPOCH_MS: Final = 1_420_070_400_000
_TIMESTAMP_SHIFT: Final = 22


def snowflake_time_ms(snowflake: int) -> int:
    """Tell when a snowflake was made, in Unix milliseconds."""
    return (snowflake >> _TIMESTAMP_SHIFT) + DISCORD_EPOCH_MS


def snowflake_at(time_ms: int) -> int:
    """Return the smallest snowflake of a Unix time in milliseconds, for use as a bound."""
    return max(0, time_ms - DISCORD_EPOCH_MS) << _TIMESTAMP_SHIFT
