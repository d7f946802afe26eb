"""How something is said in a channel, and who is bound there."""

from dataclasses import dataclass

from bot.composition.discord_side import DiscordSide
from bot.composition.ground import Ground
from bot.composition.rules import Rules
from bot.services.announcing import Announcer
from bot.services.binding_index import BindingIndex
from bot.services.posting import Poster
from bot.services.speaking import Speaker
from bot.services.staging import Stages


@dataclass(frozen=True, slots=True)
class Speech:
    """What puts words into channels: the bot's own notices, and what characters say."""

    index: BindingIndex
    announcer: Announcer
    poster: Poster
    stages: Stages
    speaker: Speaker


def open_speech(ground: Ground, discord_side: DiscordSide, rules: Rules) -> Speech:
    """Build what says things; the index of who is bound where is still empty."""
    stores, clock, settings = ground.stores, ground.clock, ground.settings.relay
    announcer = Announcer(outlet=discord_side.outlet, notices=stores.notices, clock=clock)
    poster = Poster(
        discord_side.outlet, stores.posts, clock, preview_interval_seconds=settings.preview_interval_seconds
    )
    index = BindingIndex()
    stages = Stages(
        catalog=rules.catalog,
        gate=rules.gate,
        surroundings=discord_side.around,
        is_loading=discord_side.is_loading,
        clock=clock,
    )
    speaker = Speaker(
        poster=poster,
        turns=stores.turns,
        index=index,
        obstacle=stages.obstacle,
        announcer=announcer,
        first_text_delay_seconds=settings.first_text_delay_seconds,
        feedback_buttons=settings.feedback_buttons,
    )
    return Speech(index, announcer, poster, stages, speaker)
