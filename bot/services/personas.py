"""The face a character wears on Discord."""

from collections.abc import Iterable

from bot.domain.characters import KnownCharacter
from bot.domain.persona_names import imitates, marked_name, persona_name
from bot.services.outlet import Persona


def persona_for(
    known: KnownCharacter,
    *,
    guild_name: str,
    bot_name: str,
    member_names: Iterable[str] = (),
    staff_names: Iterable[str] = (),
) -> Persona:
    """Return the name and picture that a character speaks under in a server.

    A name that could be taken for the server, the bot, a known member, its staff or Discord is marked.
    `member_names` are those that the caller happens to know: the bot does not keep lists of members.
    """
    raw = known.character.name
    name = persona_name(raw)
    if imitates(
        raw,
        guild_name=guild_name,
        bot_name=bot_name,
        member_names=tuple(member_names),
        staff_names=tuple(staff_names),
    ):
        name = marked_name(name)
    return Persona(known.character.id, name, known.character.avatar_url)
