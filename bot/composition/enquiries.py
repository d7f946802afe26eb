"""What tells people how things stand: with NanoGPT, and with a message that nobody answered."""

from dataclasses import dataclass

from bot.composition.ground import Ground
from bot.composition.privacy import PrivacyParts
from bot.composition.rules import Rules
from bot.composition.speech import Speech
from bot.composition.talk import Talk
from bot.services.health import HealthService
from bot.services.silence import SilenceService


@dataclass(frozen=True, slots=True)
class Enquiries:
    """What is only asked, and changes nothing."""

    health: HealthService
    silence: SilenceService


def open_enquiries(ground: Ground, rules: Rules, privacy: PrivacyParts, speech: Speech, talk: Talk) -> Enquiries:
    """Build what answers questions about the bot itself."""
    stores, clock = ground.stores, ground.clock
    health = HealthService(state=stores.state, nanogpt=ground.nanogpt, clock=clock)
    silence = SilenceService(
        index=speech.index,
        catalog=rules.catalog,
        gate=rules.gate,
        conversations=stores.conversations,
        turns=stores.turns,
        posts=stores.posts,
        ignored=privacy.ignored,
        bots=talk.bots,
        clock=clock,
    )
    return Enquiries(health, silence)
