"""Who a message really notifies, and which links it would unfurl.

Rules of allowed mentions: https://discord.com/developers/docs/resources/message#allowed-mentions-object.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord.errors import invalid_form
from bot.sandbox.discord.json_types import JsonObject, as_int, as_list
from bot.sandbox.discord.model import Message, Ping, User
from bot.sandbox.discord.permissions import Permission, permissions_in

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel

MAX_ALLOWED_IDS: Final = 100
EVERY_KIND: Final = frozenset({"users", "roles", "everyone"})
"""What a bot's message may ping when it says nothing about it."""
USERS_ONLY: Final = frozenset({"users"})
"""What a webhook's or an interaction's message may ping when it says nothing about it."""

_CODE: Final = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)
_USER: Final = re.compile(r"<@!?(\d+)>")
_ROLE: Final = re.compile(r"<@&(\d+)>")
_EVERYONE: Final = re.compile(r"@(everyone|here)\b")
_LINK: Final = re.compile(r"(?<!<)https?://[^\s<>)]+")


@dataclass(slots=True)
class Mentions:
    """The outcome: users and roles shown as mentioned, and everyone who was notified."""

    users: list[User] = field(default_factory=list[User])
    roles: list[int] = field(default_factory=list[int])
    everyone: bool = False
    pings: set[Ping] = field(default_factory=set[Ping])


@dataclass(frozen=True, slots=True)
class Allowed:
    """A parsed `allowed_mentions`: kinds taken from the text, explicit ids, and whether a reply pings."""

    kinds: frozenset[str]
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    replied_user: bool = False

    def user(self, user_id: int) -> bool:
        """Tell whether a mention of this user may ping."""
        return "users" in self.kinds or user_id in self.users

    def role(self, role_id: int) -> bool:
        """Tell whether a mention of this role may ping."""
        return "roles" in self.kinds or role_id in self.roles


def read_allowed(value: JsonObject | None, default: frozenset[str]) -> Allowed:
    """Read `allowed_mentions`; absent, the default kinds hold and a reply pings.

    Raises RefusalError for unknown kinds, too many ids, or a kind given both ways.
    """
    if value is None:
        return Allowed(default, replied_user=True)
    kinds = frozenset(str(kind) for kind in as_list(value.get("parse")))
    if kinds - EVERY_KIND:
        raise invalid_form("allowed_mentions.parse", "BASE_TYPE_CHOICES", "Unknown kind of mention")
    ids: dict[str, frozenset[int]] = {}
    for kind in ("users", "roles"):
        listed = as_list(value.get(kind))
        if len(listed) > MAX_ALLOWED_IDS:
            raise invalid_form(f"allowed_mentions.{kind}", "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        if listed and kind in kinds:
            raise invalid_form(
                f"allowed_mentions.{kind}", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "Mutually exclusive with parse"
            )
        ids[kind] = frozenset(as_int(each) for each in listed)
    return Allowed(kinds, ids["users"], ids["roles"], bool(value.get("replied_user")))


def resolve(
    channel: "Channel", author: User, content: str, allowed: Allowed, replied_to: Message | None, *, webhook: bool
) -> Mentions:
    """Work out what one text pings; text inside code does not count.

    A bot or person needs Mention Everyone for @everyone, @here and roles that are not mentionable.
    """
    found = Mentions()
    world, guild = channel.world, channel.guild
    text = _CODE.sub("", content)
    for user_id in dict.fromkeys(map(int, _USER.findall(text))):
        mentioned = world.users.get(user_id)
        if mentioned is not None and allowed.user(user_id):
            found.users.append(mentioned)
            found.pings.add(user_id)
    if replied_to is not None and allowed.replied_user and replied_to.webhook is None:
        if replied_to.author not in found.users:
            found.users.append(replied_to.author)
        if replied_to.author is not author:
            found.pings.add(replied_to.author.id)
    if guild is None:
        return found
    mass = webhook or bool(permissions_in(channel, author.id) & Permission.MENTION_EVERYONE)
    for role_id in dict.fromkeys(map(int, _ROLE.findall(text))):
        role = guild.roles.get(role_id)
        if role is not None and allowed.role(role_id) and (mass or role.mentionable):
            found.roles.append(role_id)
            found.pings.add(role_id)
    if mass and "everyone" in allowed.kinds:
        for word in _EVERYONE.findall(text):
            found.everyone = True
            found.pings.add("here" if word == "here" else "everyone")
    return found


def preview_links(content: str) -> list[str]:
    """Return the links that Discord would show a preview of: outside code and not wrapped in angle brackets."""
    return _LINK.findall(_CODE.sub("", content))
