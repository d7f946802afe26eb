"""What the staff of a server read about its settings."""

from typing import Final

from bot.domain.ratings import ContentRating
from bot.domain.servers import ServerSettings

STAFF_ONLY: Final = "Only people with the Manage Server permission can change this server's settings. Ask one of them."
NO_EVERYONE: Final = "Everyone has that role. Choose one that you give to the people who are to decide."
KEY_KEPT: Final = (
    "NanoGPT takes the key. From now on it pays for the characters of this server, apart from those that members bring "
    "at their own cost. If it fails, nothing else pays in its place."
)
KEY_REMOVED: Final = "The key is deleted here. From now on the bot's operator pays again."
LEFT_MEANWHILE: Final = "I was removed from this server while I was checking that key, so I did not keep it."
NO_KEY: Final = "This server has no key of its own, so there is none to delete."
_MS_PER_SECOND: Final = 1_000


def panel(settings: ServerSettings, *, highest: ContentRating) -> str:
    """Return the settings of a server as they stand; `highest` is the strongest rating that the operator allows."""
    role = "nobody else" if settings.manager_role_id is None else f"also whoever has <@&{settings.manager_role_id}>"
    if settings.rating_max is None or settings.rating_max >= highest:
        ceiling = f"as the bot's operator allows, `{highest.word}` at most"
    else:
        ceiling = f"`{settings.rating_max.word}` at most, also in age-restricted channels"
    log = "none" if settings.log_channel_id is None else f"<#{settings.log_channel_id}>"
    if settings.key_set_at_ms is None:
        payer = "the bot's operator"
    else:
        payer = f"this server's own NanoGPT key, since <t:{settings.key_set_at_ms // _MS_PER_SECOND}:D>"
    own = "allowed" if settings.own_characters else "not allowed"
    return "\n".join(
        (
            "**Settings of this server**",
            f"- Who decides which character speaks: whoever may manage the channel, {role}.",
            f"- Characters' content rating: {ceiling}.",
            f"- Log channel, for copies of members' reports: {log}.",
            f"- Who pays for replies: {payer}.",
            f"- Members' own private characters, at their cost and reviewed by nobody: {own}.",
        )
    )
