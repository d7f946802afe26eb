"""What members think of characters, on its way to the catalogue and to staff."""

import random
from dataclasses import dataclass

from bot.composition.discord_side import DiscordSide
from bot.composition.ground import Ground
from bot.composition.rules import Rules
from bot.composition.speech import Speech
from bot.domain.feedback import OutboxKind
from bot.services.faces import Faces
from bot.services.feedback import FeedbackService
from bot.services.outbox import OutboxService
from bot.services.publishing import PublishingService, ReviewCourier
from bot.services.reporting import ReportCourier, StaffCourier


@dataclass(frozen=True, slots=True)
class FeedbackParts:
    """Ratings and reports, and what carries them."""

    outbox: OutboxService
    publishing: PublishingService
    feedback: FeedbackService


def open_feedback(ground: Ground, discord_side: DiscordSide, rules: Rules, speech: Speech) -> FeedbackParts:
    """Build what takes ratings and reports, and the outbox with its couriers."""
    stores, nanogpt, keys, clock = ground.stores, ground.nanogpt, ground.keys, ground.clock
    faces = Faces(
        characters=stores.characters,
        index=speech.index,
        known_of=rules.gate.known,
    )
    outbox = OutboxService(
        outbox=stores.outbox,
        couriers={
            OutboxKind.REPORT: ReportCourier(
                reports=stores.reports, characters=stores.characters, nanogpt=nanogpt, keys=keys, clock=clock
            ),
            OutboxKind.REPORT_COPY: StaffCourier(
                reports=stores.reports,
                faces=faces,
                announcer=speech.announcer,
                log_channel_of=rules.servers.log_channel,
                surroundings_of=discord_side.around,
                ceilings=rules.ceilings,
                clock=clock,
            ),
            OutboxKind.RATING: ReviewCourier(
                ratings=stores.ratings,
                characters=stores.characters,
                nanogpt=nanogpt,
                keys=keys,
                clock=clock,
            ),
        },
        clock=clock,
        jitter=random.random,
    )
    publishing = PublishingService(
        faces=faces,
        ratings=stores.ratings,
        reviews=stores.reviews,
        outbox=outbox,
        keys=keys,
        clock=clock,
    )
    feedback = FeedbackService(
        characters=stores.characters,
        named=rules.catalog.named,
        ratings=stores.ratings,
        reviews=stores.reviews,
        reports=stores.reports,
        turns=stores.turns,
        posts=stores.posts,
        conversations=stores.conversations,
        bindings=stores.bindings,
        faces=faces,
        outbox=outbox,
        publishing=publishing,
        keys=keys,
        log_channel_of=rules.servers.log_channel,
        ceilings=rules.ceilings,
        clock=clock,
    )
    return FeedbackParts(outbox, publishing, feedback)
