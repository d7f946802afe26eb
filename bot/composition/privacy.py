"""What is kept of people: what they may ask about it, whom the bot ignores, and when it is forgotten."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bot.composition.ground import Ground
from bot.domain.ids import GuildId, UserId
from bot.domain.privacy_wording import PrivacyFacts
from bot.services.ignored_members import IgnoredMembers
from bot.services.privacy import PrivacyService
from bot.services.retention import RetentionService


@dataclass(frozen=True, slots=True)
class PrivacyParts:
    """What members decide about what is kept of them."""

    ignored: IgnoredMembers
    privacy: PrivacyService


async def open_privacy(
    ground: Ground, *, deleting: Callable[[UserId], AbstractAsyncContextManager[object]]
) -> PrivacyParts:
    """Load whom the bot ignores. `deleting` is entered while everything of a member is deleted."""
    settings = ground.settings.privacy
    ignored = IgnoredMembers()
    privacy = PrivacyService(
        members=ground.stores.members,
        ignored=ignored,
        personal=ground.stores.personal,
        facts=PrivacyFacts(
            settings.retention_days,
            policy_url=settings.policy_url,
            operator_contact=settings.operator_contact,
        ),
        clock=ground.clock,
        deleting=deleting,
    )
    await privacy.load()
    return PrivacyParts(ignored, privacy)


def open_retention(ground: Ground, *, on_left: Callable[[GuildId], Awaitable[None]]) -> RetentionService:
    """Build what forgets in time. `on_left` hears of each server that was left, once that is written down."""
    return RetentionService(
        retention=ground.stores.retention,
        guilds=ground.stores.guilds,
        retention_days=ground.settings.privacy.retention_days,
        clock=ground.clock,
        on_left=on_left,
    )
