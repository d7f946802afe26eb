"""The way of a message from its arrival to the reply."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.composition.bindings import Mouth, open_bindings
from bot.composition.discord_side import DiscordSide
from bot.composition.ground import Ground
from bot.composition.privacy import PrivacyParts
from bot.composition.rules import Rules
from bot.composition.speech import Speech
from bot.config import Settings
from bot.domain.bindings import Binding, Conversation
from bot.domain.characters import KnownCharacter
from bot.domain.context import ContextBudget
from bot.domain.messages import BotPolicy
from bot.domain.turns import AdmissionLimits
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import BindingService
from bot.services.breakers import Breakers
from bot.services.recovery import RecoveryService
from bot.services.relay import RelayService, RelaySettings
from bot.services.turn import Readers, TurnRunner, TurnSettings
from bot.store.retention import claims_kept_ms

_CODE_BYTES: Final = 3
_MS_PER_MINUTE: Final = 60_000
_MS_PER_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Talk:
    """The bindings, and what answers in them."""

    bindings: BindingService
    upkeep: BindingUpkeep
    relay: RelayService
    recovery: RecoveryService
    breakers: Breakers
    bots: BotPolicy


async def open_talk(
    ground: Ground, discord_side: DiscordSide, rules: Rules, privacy: PrivacyParts, speech: Speech
) -> Talk:
    """Build the talk, and load who speaks where and what was under way when the bot stopped."""
    settings, stores, clock, ignored = ground.settings, ground.stores, ground.clock, privacy.ignored
    readers = Readers()
    breakers = Breakers(clock)

    async def greet(binding: Binding, conversation: Conversation, known: KnownCharacter, text: str) -> None:
        del binding, known
        relay.greet(conversation, text)

    def hold(binding: Binding) -> Callable[[], None]:
        return relay.hold(binding)

    async def stop_reading(conversation: Conversation) -> None:
        await readers.stop(conversation.id)

    bound = await open_bindings(ground, discord_side, rules, speech, Mouth(greet, hold, stop_reading))
    bots = BotPolicy(settings.relay.answered_bots, settings.relay.bot_turns_in_a_row)
    runner = TurnRunner(
        turns=stores.turns,
        posts=stores.posts,
        speaker=speech.speaker,
        stages=speech.stages,
        gate=rules.gate,
        upkeep=bound.upkeep,
        nanogpt=ground.nanogpt,
        outlet=discord_side.outlet,
        readers=readers,
        breakers=breakers,
        key_of=ground.keys.key,
        paid_turns=stores.paid_turns,
        is_ignored=ignored.is_ignored,
        clock=clock,
        max_concurrent=settings.nanogpt.max_concurrent,
        settings=_turn_settings(settings),
        new_code=lambda: secrets.token_hex(_CODE_BYTES),
    )
    relay = RelayService(
        index=speech.index,
        book=bound.book,
        upkeep=bound.upkeep,
        conversations=stores.conversations,
        turns=stores.turns,
        posts=stores.posts,
        runner=runner,
        readers=readers,
        announcer=speech.announcer,
        ignored=ignored,
        parent_of=discord_side.history.parent_of,
        note_deletions=speech.poster.note_deletions,
        clock=clock,
        settings=RelaySettings(_admission_limits(settings), bots),
    )
    recovery = RecoveryService(
        index=speech.index,
        conversations=stores.conversations,
        turns=stores.turns,
        posts=stores.posts,
        poster=speech.poster,
        speaker=speech.speaker,
        stages=speech.stages,
        runner=runner,
        relay=relay,
        announcer=speech.announcer,
        read_history=discord_side.history.read,
        places_of=discord_side.history.places_of,
        ignored=ignored,
        clock=clock,
        bots=bots,
        catch_up_ms=round(settings.relay.catch_up_minutes * _MS_PER_MINUTE),
        known_for_ms=claims_kept_ms(settings.privacy.retention_days * _MS_PER_DAY),
    )
    await recovery.load()
    return Talk(bound.bindings, bound.upkeep, relay, recovery, breakers, bots)


def _turn_settings(settings: Settings) -> TurnSettings:
    return TurnSettings(
        ContextBudget(settings.relay.history_messages, settings.relay.history_characters),
        settings.nanogpt.greeting_sent_by_server,
        settings.nanogpt.max_output_tokens,
    )


def _admission_limits(settings: Settings) -> AdmissionLimits:
    return AdmissionLimits(
        settings.relay.queue_limit,
        settings.limits.member_messages_per_day,
        settings.limits.guild_messages_per_day,
    )
