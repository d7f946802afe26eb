from dataclasses import replace

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.ratings import ContentRating
from bot.domain.server_wording import panel
from bot.domain.servers import ServerSettings

PLAIN = ServerSettings(GuildId(200))
NSFW = ContentRating.NSFW


def test_a_server_that_set_nothing_reads_what_that_means() -> None:
    text = panel(PLAIN, highest=NSFW)
    for words in (
        "nobody else",
        "`nsfw` at most",
        "reports: none",
        "the bot's operator",
        "reviewed by nobody: allowed",
    ):
        assert words in text


def test_everything_set_is_told() -> None:
    full = ServerSettings(
        GuildId(200), RoleId(5), ContentRating.SFW, ChannelId(6), own_characters=False, key_set_at_ms=1_800_000_000_000
    )
    text = panel(full, highest=NSFW)
    for words in ("<@&5>", "`sfw` at most, also in age-restricted", "<#6>", "<t:1800000000:D>", "not allowed"):
        assert words in text


def test_a_ceiling_that_lowers_nothing_is_told_as_the_operators() -> None:
    text = panel(replace(PLAIN, rating_max=ContentRating.EXPLICIT), highest=NSFW)
    assert "as the bot's operator allows, `nsfw` at most" in text
