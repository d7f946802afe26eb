"""What a person's client shows of a channel when it is opened or scrolled back."""

from typing import TYPE_CHECKING

from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.permissions import Permission

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.model import Message
    from bot.sandbox.discord.people import Person


def read_back(person: "Person", channel: "Channel", *, before: int | None, limit: int) -> tuple[list["Message"], bool]:
    """Return up to `limit` messages of everybody's, oldest first, and whether there are older ones.

    What only this person sees stands among them in its place, beyond the limit. Raises SandboxError for a channel
    that they do not see.
    """
    if not person.may(channel, Permission.VIEW_CHANNEL):
        raise SandboxError(f"{person.shown_name} does not see {channel.name}")
    if not person.may(channel, Permission.READ_MESSAGE_HISTORY):
        return [], False
    page = channel.page(before=before, after=None, around=None, limit=limit + 1)
    more = len(page) > limit
    shown = page[:limit]
    since = shown[-1].id if more else 0
    private = [
        message
        for message in person.private_messages
        if message.channel is channel and message.id > since and (before is None or message.id < before)
    ]
    return sorted([*shown, *private], key=lambda message: message.id), more
