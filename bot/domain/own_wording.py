"""What is said about letting a character of one's own speak, which everyone there then spends one's balance on."""

from typing import Final

from bot.domain.characters import Character
from bot.domain.ids import UserId
from bot.domain.quoting import NAMELESS, bold_name

LEAST_TURNS: Final = 1
MOST_TURNS: Final = 1_000
SUGGESTED_TURNS: Final = 50
"""Replies a day that a member is asked to pay for, unless they type another number."""

NOT_YOURS: Final = "I do not know that character as one of yours. Name it again with /character use."
GONE: Final = "That character is no longer available. /character search finds others."
FORBIDDEN: Final = (
    "This server does not let members bring characters of their own. Someone who manages the server can change that "
    "with /server settings."
)
ABOVE_CEILING: Final = (
    "That character of yours is rated above what this channel may show. Use it in an age-restricted channel, "
    "or give it another content rating."
)
NO_NUMBER: Final = f"Type a whole number of replies a day, from {LEAST_TURNS} to {MOST_TURNS:,}."
ONLY_OWNER_WIDENS: Final = (
    "This character is a member's own, and they pay for every reply. Only they can let it answer every message."
)


def question(character: Character) -> str:
    """Return what its owner is asked before a character that only they may use speaks in a channel."""
    return (
        f"{_at_start(character.name)} is your own character, and only your NanoGPT account can use it. If it speaks "
        "here, **everyone here spends your balance**: your account pays for each reply to anybody, up to a number a "
        f"day that you choose. You call it `{character.rating.word}`; nobody has reviewed that.\n"
        "It stops when you unlink your account, leave the server or may no longer decide who speaks in this channel. "
        "Should it become public, you go on paying until somebody names it here with /character use again. "
        "/character leave ends it at any time."
    )


def own_notice(owner_id: UserId, daily_turns: int) -> str:
    """Return the lines that a channel reads beside what it reads about any character that begins to speak."""
    return (
        f"It is <@{owner_id}>'s own character: nobody has reviewed its content rating. "
        f"Their account pays for its replies, at most {daily_turns:,} a day."
    )


def read_turns(typed: str) -> int | None:
    """Read a number of replies a day, or return None for anything that is none within the limits."""
    word = typed.strip()
    if not (word.isascii() and word.isdecimal()):
        return None
    number = int(word) if len(word) <= len(str(MOST_TURNS)) else MOST_TURNS + 1
    return number if LEAST_TURNS <= number <= MOST_TURNS else None


def _at_start(name: str) -> str:
    shown = bold_name(name)
    return NAMELESS.capitalize() if shown == NAMELESS else shown
