"""Whose words a message is: a character's, the bot's, a person's, or another app's."""

from dataclasses import dataclass
from typing import Final

from bot.domain.characters import Character
from bot.domain.ids import PayerId, UserId
from bot.domain.messages import Author
from bot.domain.notices import paid_for
from bot.domain.payers import paying_member
from bot.domain.quoting import NAMELESS, bold_name, quoted
from bot.domain.turns import TurnKind

OWN_NOTICE: Final = "I said this myself: it is a notice of mine, and no character's words."
FORGOTTEN: Final = "A character said this, so an AI wrote it. Which one it was I do not remember any more."
ANOTHER_BOT: Final = "Another bot said this, not I and no character of mine."
ANOTHER_WEBHOOK: Final = "Another app's webhook said this, not I and no character of mine."


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is known of a character's message."""

    character: Character | None
    """None where nothing of it may be shown there, or nothing is known any more."""
    kind: TurnKind
    payer: PayerId
    daily_turns: int | None
    """What a member who pays has agreed to."""
    brought_by: UserId | None
    """Who brought the character to the channel; None when it has left since."""


def by_character(spoken: Spoken) -> str:
    """Say which character a message is from, that an AI wrote it, who brought it, and who pays here."""
    return "\n".join((_which(spoken), *_brought(spoken), paid_for(spoken.payer, spoken.daily_turns)))


def by_another(author: Author, author_id: UserId) -> str:
    """Say whose words a message is that no turn of a character accounts for."""
    match author:
        case Author.MEMBER:
            return f"<@{author_id}> said this, a person and no character."
        case Author.BOT:
            return ANOTHER_BOT
        case Author.WEBHOOK:
            return ANOTHER_WEBHOOK
        case _:
            return OWN_NOTICE


def _which(spoken: Spoken) -> str:
    character = spoken.character
    greeting = " It is how the character introduces itself." if spoken.kind is TurnKind.GREETING else ""
    if character is None:
        return f"{NAMELESS.capitalize()} that was brought here said this: an AI wrote it.{greeting}"
    own = paying_member(spoken.payer) is not None
    where = "a private character on NanoGPT" if own else f"in NanoGPT's catalogue as `{_code(character.address)}`"
    model = "" if character.base_model is None else f" with the model `{_code(character.base_model)}`"
    return f"{bold_name(character.name)} said this, {where}: an AI wrote it{model}.{greeting}"


def _brought(spoken: Spoken) -> tuple[str, ...]:
    if spoken.brought_by is None:
        return ("It has left this channel since.",)
    return (f"<@{spoken.brought_by}> brought it to this channel.",)


def _code(text: str) -> str:
    """Return a text fit for a code span, in which Discord draws nothing but a backtick ends it."""
    return quoted(text).replace("\\", "").replace("`", "'")
