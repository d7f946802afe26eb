"""What the bot must be allowed to do in a channel, in the words of Discord's settings, and what members may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.ids import RoleId


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


@dataclass(frozen=True, slots=True)
class MemberRights:
    """What a member holds in one channel."""

    manages_channel: bool
    """Manage Channels, overwrites included."""
    role_ids: frozenset[RoleId] = frozenset()


def may_decide(rights: MemberRights, manager_role: RoleId | None) -> bool:
    """Tell whether a member may decide who speaks in the channel; `manager_role` is the one that the server named."""
    return rights.manages_channel or (manager_role is not None and manager_role in rights.role_ids)
