"""Who speaks where."""

from dataclasses import dataclass

from bot.composition.discord_side import DiscordSide
from bot.composition.ground import Ground
from bot.composition.rules import Rules
from bot.composition.speech import Speech
from bot.services.binding_book import BindingBook, Stopper
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import BindingService, Greeter, Holder
from bot.services.standing_notices import StandingNotices


@dataclass(frozen=True, slots=True)
class Mouth:
    """What lets a character speak, keeps it from that, and stops it in mid-reply; the talk has it."""

    greet: Greeter
    hold: Holder
    stop: Stopper


@dataclass(frozen=True, slots=True)
class BindingParts:
    """What people ask for, what events bring, and what both share."""

    book: BindingBook
    upkeep: BindingUpkeep
    bindings: BindingService


async def open_bindings(
    ground: Ground, discord_side: DiscordSide, rules: Rules, speech: Speech, mouth: Mouth
) -> BindingParts:
    """Build what binds characters to channels, and load what is bound."""
    settings, stores, clock = ground.settings, ground.stores, ground.clock
    book = BindingBook(
        bindings=stores.bindings,
        conversations=stores.conversations,
        index=speech.index,
        gate=rules.gate,
        stop=mouth.stop,
        clock=clock,
    )
    standings = StandingNotices(
        announcer=speech.announcer, gate=rules.gate, catalog=rules.catalog, surroundings_of=discord_side.around
    )
    upkeep = BindingUpkeep(
        book=book,
        standings=standings,
        bindings=stores.bindings,
        index=speech.index,
        catalog=rules.catalog,
        gate=rules.gate,
        own=rules.own,
        rules=rules.servers,
        surroundings_of=discord_side.around,
        clock=clock,
    )
    await upkeep.load()
    bindings = BindingService(
        book=book,
        standings=standings,
        bindings=stores.bindings,
        conversations=stores.conversations,
        index=speech.index,
        catalog=rules.catalog,
        gate=rules.gate,
        own=rules.own,
        rules=rules.servers,
        greet=mouth.greet,
        hold=mouth.hold,
        stop=mouth.stop,
        speakers=discord_side.history.speakers,
        clock=clock,
        message_content=settings.discord.message_content,
        policy_url=settings.privacy.policy_url,
    )
    return BindingParts(book, upkeep, bindings)
