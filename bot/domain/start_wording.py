"""What the operator reads when the bot starts, cannot start, or could not."""

from typing import Final

LOGIN_REFUSED: Final = (
    "Discord refused the token: set discord.token to the one on the Bot page of the Discord developer portal."
)
INTENT_OFF: Final = (
    "Discord does not let this bot read messages: switch on the Message Content Intent on the Bot page of the Discord "
    "developer portal, or set discord.message_content to false."
)
MENTIONS_ONLY: Final = "discord.message_content is false, so the bot hears only messages that mention it."
DISCORD_NOT_REACHED: Final = (
    "Discord could not be reached; check this machine's connection, and discord.api_url if it was changed."
)


def discord_trouble(status: int) -> str:
    """Return what is said of an answer of Discord that is no answer to the question; `status` is HTTP's."""
    return f"Discord answered with an error (HTTP {status}); try again later."


def closed_for_good(code: int) -> str:
    """Return what is said of a gateway that closed with a code after which no connection may be tried.

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
    """
    return f"Discord ended the connection and does not want another one like it (close code {code})."
