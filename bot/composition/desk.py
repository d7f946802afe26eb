"""What authors do with their own characters."""

from dataclasses import dataclass

from bot.composition.discord_side import DiscordSide
from bot.composition.ground import Ground
from bot.composition.rules import Rules
from bot.composition.talk import Talk
from bot.domain.ids import CharacterRef, UserId
from bot.gateway.attachments import AttachmentReader
from bot.gateway.direct_messages import DirectMessenger
from bot.services.card_desk import CardDesk
from bot.services.card_reader import CardReader
from bot.services.desk import DeskService
from bot.services.drafting import DraftingService
from bot.services.language_models import LanguageModels
from bot.services.moderation import ModerationService
from bot.store.sealed_files import SealedFiles


@dataclass(frozen=True, slots=True)
class DeskParts:
    """The desk: characters, drafts, card files, and what becomes of submissions."""

    desk: DeskService
    models: LanguageModels
    drafting: DraftingService
    cards: CardDesk
    moderation: ModerationService


def open_desk(
    ground: Ground, discord_side: DiscordSide, rules: Rules, talk: Talk, card_reader: CardReader | None
) -> DeskParts:
    """Build the desk; `card_reader` takes the place of one with the usual limits."""
    settings, stores, nanogpt, clock = ground.settings, ground.stores, ground.nanogpt, ground.clock
    read_file = AttachmentReader(cdn_url=settings.discord.cdn_url)

    async def dropped(user_id: UserId, ref: CharacterRef) -> None:
        await cards.dropped(user_id, ref)
        await moderation.dropped(user_id, ref)

    desk = DeskService(
        shelf=rules.own_shelf,
        keys=ground.keys,
        client=nanogpt.desk,
        changed=talk.upkeep.character_changed,
        dropped=dropped,
        channels_of=talk.upkeep.channels_of,
        clock=clock,
    )
    models = LanguageModels(read=nanogpt.models, most_used=rules.catalog.most_used_model, clock=clock)
    cards = CardDesk(
        desk=desk,
        drafts=stores.drafts,
        models=models,
        reader=card_reader or CardReader(),
        originals=stores.card_originals,
        files=SealedFiles(settings.card_files),
        read_file=read_file,
        ceiling_of=rules.catalog.ceiling,
        clock=clock,
    )
    moderation = ModerationService(
        desk=desk,
        shelf=rules.own_shelf,
        watches=stores.watches,
        write=DirectMessenger(discord_side.client),
        changed=talk.upkeep.character_changed,
        clock=clock,
    )
    drafting = DraftingService(
        desk=desk,
        client=nanogpt.desk,
        drafts=stores.drafts,
        models=models,
        read_file=read_file,
        ceiling_of=rules.catalog.ceiling,
        submitted=moderation.submitted,
        made=cards.made,
        edited=cards.edited,
        clock=clock,
    )
    return DeskParts(desk, models, drafting, cards, moderation)
