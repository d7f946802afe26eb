"""Who asked to be ignored, in memory, so that no message costs a query."""

from collections.abc import Iterable, Mapping

from bot.domain.ids import MessageId, UserId


class IgnoredMembers:
    """A copy of what the store holds: whoever changes it there changes it here."""

    def __init__(self) -> None:
        self._now: set[UserId] = set()
        self._heard_after: dict[UserId, MessageId] = {}

    def load(self, ignored: Iterable[UserId], heard_after: Mapping[UserId, MessageId]) -> None:
        """Replace everything, as at the start of the process."""
        self._now = set(ignored)
        self._heard_after = dict(heard_after)

    def ignore(self, user_id: UserId) -> None:
        """Pass over a member's messages from now on."""
        self._now.add(user_id)

    def hear(self, user_id: UserId, after: MessageId | None = None) -> None:
        """Hear a member again, but nothing that they wrote up to a message, if one is given."""
        self._now.discard(user_id)
        if after is not None:
            self._heard_after[user_id] = after

    def is_ignored(self, user_id: UserId) -> bool:
        """Tell whether a member is ignored now."""
        return user_id in self._now

    def was_ignored(self, user_id: UserId, message_id: MessageId) -> bool:
        """Tell whether a message that was not heard yet comes from a time before its author was heard again.

        Of several times only the last is known, and that is enough: all that was said before it and not while its
        author was ignored has been heard, or was passed over when it was said.
        """
        return message_id <= self._heard_after.get(user_id, 0)
