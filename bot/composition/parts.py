"""All the parts in one value."""

from dataclasses import dataclass

from bot.composition.accounts import AccountParts
from bot.composition.desk import DeskParts
from bot.composition.discord_side import DiscordSide
from bot.composition.enquiries import Enquiries
from bot.composition.feedback import FeedbackParts
from bot.composition.ground import Ground
from bot.composition.privacy import PrivacyParts
from bot.composition.rules import Rules
from bot.composition.speech import Speech
from bot.composition.talk import Talk
from bot.services.retention import RetentionService


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that was built, for what puts it before people and what keeps it going."""

    ground: Ground
    discord_side: DiscordSide
    rules: Rules
    privacy: PrivacyParts
    retention: RetentionService
    speech: Speech
    talk: Talk
    feedback: FeedbackParts
    desk: DeskParts
    accounts: AccountParts
    enquiries: Enquiries
