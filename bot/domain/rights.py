"""What the bot must be allowed to do in a channel, and the words that Discord's settings use for it."""

from collections.abc import Iterable
from enum import Enum
from typing import Final


class Right(Enum):
    """A permission of Discord, by the name of its flag in lower case.

    https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
    """

    VIEW_CHANNEL = "view_channel"
    CONNECT = "connect"
    SEND_MESSAGES = "send_messages"
    SEND_MESSAGES_IN_THREADS = "send_messages_in_threads"
    EMBED_LINKS = "embed_links"
    ATTACH_FILES = "attach_files"
    READ_MESSAGE_HISTORY = "read_message_history"
    MANAGE_WEBHOOKS = "manage_webhooks"

    @property
    def words(self) -> str:
        """The name that people see in the settings of a role or channel."""
        return _WORDS[self]


_WORDS: Final = {
    Right.VIEW_CHANNEL: "View Channel",
    Right.CONNECT: "Connect",
    Right.SEND_MESSAGES: "Send Messages",
    Right.SEND_MESSAGES_IN_THREADS: "Send Messages in Threads",
    Right.EMBED_LINKS: "Embed Links",
    Right.ATTACH_FILES: "Attach Files",
    Right.READ_MESSAGE_HISTORY: "Read Message History",
    Right.MANAGE_WEBHOOKS: "Manage Webhooks",
}

WANTED: Final = frozenset({Right.MANAGE_WEBHOOKS})
"""Without these a character still speaks, only less well: under the bot's name instead of its own."""

_ORDER: Final = {right: number for number, right in enumerate(Right)}


def required(missing: Iterable[Right]) -> frozenset[Right]:
    """Return which of the missing rights a character cannot do without."""
    return frozenset(missing) - WANTED


def in_words(rights: Iterable[Right]) -> str:
    """List rights by the names that people see, in a fixed order: "A, B and C"."""
    names = [right.words for right in sorted(rights, key=_ORDER.__getitem__)]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
