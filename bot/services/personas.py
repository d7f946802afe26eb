"""The face a character wears on Discord."""

from bot.domain.characters import KnownCharacter
from bot.domain.persona_names import imitates, marked_name, persona_name
from bot.services.outlet import Persona


def persona_for(known: KnownCharacter, *, guild_name: str, bot_name: str, marked: bool) -> Persona:
    """Return the name and picture that a character speaks under in a server.

    A name that could be taken for the server, the bot, Discord or somebody with authority is marked in any case;
    `marked` says that somebody of the server goes by it.
    """
    raw = known.character.name
    name = persona_name(raw)
    if marked or imitates(raw, guild_name=guild_name, bot_name=bot_name):
        name = marked_name(name)
    return Persona(known.character.id, name, known.character.avatar_url)
