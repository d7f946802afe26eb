import pytest

from bot.domain.ids import ChannelId, GuildId
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.services.ceilings import Ceilings

GUILD, OTHER = GuildId(200), GuildId(201)
SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating
LIMITS = ContentLimits(SUGGESTIVE, NSFW)


def place(guild_id: GuildId, *, age_restricted: bool) -> Place:
    return Place(guild_id, ChannelId(300), None, age_restricted)


@pytest.mark.parametrize(
    ("server_max", "ordinary", "restricted"),
    [
        (None, SUGGESTIVE, NSFW),
        (SFW, SFW, SFW),
        (SUGGESTIVE, SUGGESTIVE, SUGGESTIVE),
        (NSFW, SUGGESTIVE, NSFW),
        (EXPLICIT, SUGGESTIVE, NSFW),
    ],
)
def test_a_server_lowers_what_its_places_may_show_and_never_raises_it(
    server_max: ContentRating | None, ordinary: ContentRating, restricted: ContentRating
) -> None:
    ceilings = Ceilings(LIMITS, {GUILD: server_max}.get)
    assert ceilings.of(place(GUILD, age_restricted=False)) is ordinary
    assert ceilings.of(place(GUILD, age_restricted=True)) is restricted
    assert ceilings.highest(GUILD) is restricted
    assert ceilings.of(place(OTHER, age_restricted=True)) is NSFW


def test_no_server_decides_about_direct_messages_or_about_everything() -> None:
    ceilings = Ceilings(LIMITS, lambda _: SFW)
    assert ceilings.of(None) is SUGGESTIVE
    assert ceilings.highest() is NSFW
