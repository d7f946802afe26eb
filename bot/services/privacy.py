"""What members may ask about themselves: what is kept, to have it deleted, to be ignored."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from bot.domain.ids import MessageId, UserId
from bot.domain.privacy import KeptAboutMember
from bot.domain.privacy_wording import PrivacyFacts, privacy_overview
from bot.services.clock import Clock
from bot.services.ignored_members import IgnoredMembers
from bot.store.members import Members
from bot.store.personal import Personal


class PrivacyService:
    """Keeps in memory who asked to be ignored, for those who meet their messages; `load` comes first."""

    def __init__(
        self,
        *,
        members: Members,
        ignored: IgnoredMembers,
        personal: Personal,
        facts: PrivacyFacts,
        clock: Clock,
        deleting: Callable[[UserId], AbstractAsyncContextManager[object]] = nullcontext,
    ) -> None:
        """Take the tables, and `deleting`: entered while everything of a member is deleted, their account included.

        That keeps away what would be linked meanwhile, and lets go of what hangs on the key once that is done.
        """
        self._deleting = deleting
        self._facts = facts
        self._members = members
        self._personal = personal
        self._clock = clock
        self._ignored = ignored

    async def load(self) -> None:
        """Read from the store who is ignored."""
        self._ignored.load(await self._members.ignored(), await self._members.heard_again())

    async def toggle_ignored(self, user_id: UserId, asked_at: MessageId) -> bool:
        """Ignore a member from now on, or hear them again; return whether they are ignored now.

        `asked_at` is the snowflake of the interaction: what they wrote up to then stays unheard.
        """
        if self._ignored.is_ignored(user_id):
            await self._members.heed(user_id, asked_at)
            self._ignored.hear(user_id, asked_at)
            return False
        # First in memory: what they say while this is being written is passed over already.
        self._ignored.ignore(user_id)
        try:
            await self._members.ignore(user_id, self._clock.now_ms())
        except BaseException:
            self._ignored.hear(user_id)
            raise
        return True

    async def overview(self, user_id: UserId) -> str:
        """Tell a member what is kept about them, for how long, and where their messages go."""
        return privacy_overview(await self._personal.kept(user_id), self._facts)

    async def delete(self, user_id: UserId) -> KeptAboutMember:
        """Delete what a member said and gave, and return what that was; whether they are ignored stays."""
        async with self._deleting(user_id):
            return await self._personal.delete(user_id)
