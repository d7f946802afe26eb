"""Names and faces that a character may wear on Discord."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from bot.domain.quoting import bold_name
from bot.domain.unicode_text import one_line, truncate

MAX_NAME: Final = 80
"""UTF-16 units of the username of a webhook message (https://discord.com/developers/docs/resources/webhook)."""
FALLBACK_NAME: Final = "Character"
HEADING_UNITS: Final = 40
"""UTF-16 units of a name that stands above a reply without a webhook; escaping may double them."""
AI_MARK: Final = " (AI)"
DEFAULT_AVATARS: Final = 6
"""Discord serves pictures 0 to 5 at /embed/avatars (https://discord.com/developers/docs/reference#image-formatting)."""

_FORBIDDEN: Final = ("discord", "clyde")
"""Discord refuses webhook names that contain these (https://discord.com/developers/docs/resources/webhook)."""
_REFUSED_WHOLE: Final = frozenset({"everyone", "here"})
_BREAK_AFTER: Final = 3
"""Letters of a forbidden word that stand before the hyphen."""
_MAX_MARKS: Final = 3
"""Accents on one letter. Vietnamese and Thai need two; towers of them cover the lines around."""

_AUTHORITY: Final = ("admin", "moderator", "discord", "clyde", "system", "official", "everyone")
"""Never part of a name that is not marked."""
_AUTHORITY_WORDS: Final = ("mod", "mods", "staff", "owner", "support")
"""Not a word of a name that is not marked, but common inside others (modern, supporter)."""

_LOOKALIKES: Final = {
    "a": "\u0251\u03b1\u0430\u1d004@",
    "b": "\u0299\u03b2\u04328",
    "c": "\u0441\u1d04\u03c2",
    "d": "\u0111\u0501\u1d05",
    "e": "\u03b5\u0435\u1d073",
    "g": "\u0261\u0262\u0581",
    "h": "\u0127\u029c\u043d\u04bb\u0570",
    "i": "\u0131\u026a\u03b9\u0456\u04cf\u0142\u029fl1!|",
    "j": "\u0458\u1d0a",
    "k": "\u03ba\u043a\u1d0b",
    "m": "\u043c\u1d0d",
    "n": "\u0274\u03b7\u0578",
    "o": "\u00f8\u03bf\u043e\u0585\u1d0f0",
    "p": "\u03c1\u0440\u1d18",
    "q": "\u051b",
    "r": "\u0280\u0433",
    "s": "\u0455\ua7315$",
    "t": "\u03c4\u0442\u1d1b7",
    "u": "\u03c5\u057d\u1d1c",
    "v": "\u03bd\u1d20",
    "w": "\u03c9\u051d\u1d21",
    "x": "\u03c7\u0445",
    "y": "\u028f\u03b3\u0443\u04af",
    "z": "\u1d22",
}
"""Cyrillic, Greek, Armenian, small capitals, digits and signs that pass for a letter; i and l for one another."""
_SIGN_LETTERS: Final = "@$!|"
"""Those of the above that are punctuation as often as a letter."""
_LETTER_BLOCKS: Final = (0x1F150, 0x1F170, 0x1F1E6)
"""Circled, squared and regional letters, A to Z, which Unicode does not relate to letters."""
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"
_FOLDED: Final = str.maketrans(
    {sign: letter for letter, signs in _LOOKALIKES.items() for sign in signs}
    | {
        chr(first + index): letter
        for first in _LETTER_BLOCKS
        for index, letter in enumerate(_ALPHABET.replace("l", "i"))
    }
)

_BLANK: Final = re.compile("[\u2800\\s]+")
_WORD_SPLIT: Final = re.compile(r"[\W_]+")


def persona_name(raw: str) -> str:
    """Return the name as Discord accepts it from a webhook: at most MAX_NAME UTF-16 units and never blank.

    Compatible forms are folded (NFKC), invisible characters and towers of accents go, and words that Discord
    forbids are broken by a hyphen, also where look-alike letters spell them.
    """
    name = _BLANK.sub(" ", _without_towers(one_line(raw))).replace("```", "'''").strip()
    for word in _FORBIDDEN:
        name = _broken(name, word)
    name = truncate(name, MAX_NAME).strip()
    if name.casefold() in _REFUSED_WHOLE or not any(_shows(char) for char in name):
        return FALLBACK_NAME
    return name


def imitates(name: str, *, guild_name: str, bot_name: str) -> bool:
    """Tell whether people could take the name for the server, the bot, Discord or somebody with authority."""
    readings = _readings(name)
    if any(_fold(word) in reading for reading in readings for word in _AUTHORITY):
        return True
    words = {word for signs in ("", _SIGN_LETTERS) for word in _WORD_SPLIT.split(_fold(_less(name, signs)))}
    if any(_fold(word) in words for word in _AUTHORITY_WORDS):
        return True
    return is_taken(name, (guild_name, bot_name))


def is_taken(name: str, others: Iterable[str]) -> bool:
    """Tell whether people could take the name for one of others.

    Letters that look alike count as the same, and spaces and punctuation do not count.
    """
    readings = _readings(name)
    return any(readings & _readings(other) for other in others)


def marked_name(name: str) -> str:
    """Add a mark that says the speaker is an AI, within MAX_NAME."""
    if name.endswith(AI_MARK):
        return name
    return truncate(name, MAX_NAME - len(AI_MARK)).rstrip() + AI_MARK


def default_avatar_index(character_id: str) -> int:
    """Choose one of Discord's default pictures, the same one for a character for ever."""
    return int.from_bytes(hashlib.sha256(character_id.encode()).digest()) % DEFAULT_AVATARS


@lru_cache(maxsize=4_096)
def _fold(text: str) -> str:
    """Return the text with each character as the plain letters it looks like."""
    return "".join(_fold_char(char) for char in unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=4_096)
def _fold_char(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(part for part in decomposed if not _is_mark(part)).translate(_FOLDED)


@lru_cache(maxsize=4_096)
def _readings(name: str) -> frozenset[str]:
    """Return what a name may be read as without spaces and punctuation: with ``@dmin`` for admin, and without."""
    return frozenset(_squeezed(_less(name, signs)) for signs in ("", _SIGN_LETTERS)) - {""}


def _squeezed(text: str) -> str:
    """Return the letters and digits of a folded text, or all of it where it has none."""
    folded = _fold(text)
    return "".join(char for char in folded if char.isalnum()) or "".join(folded.split())


def _less(text: str, signs: str) -> str:
    return text.translate(dict.fromkeys(map(ord, signs)))


def _broken(name: str, word: str) -> str:
    """Put a hyphen into every place where the name seems to contain the word."""
    while (place := _spelt_at(name, _fold(word))) is not None:
        name = f"{name[:place]}-{name[place:]}"
    return name


def _spelt_at(name: str, word: str) -> int | None:
    letters: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(name):
        folded = _fold_char(char)
        letters += folded
        origin += [index] * len(folded)
    found = "".join(letters).find(word)
    return None if found == -1 else origin[found + _BREAK_AFTER]


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


def _without_towers(name: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in name:
        marks = marks + 1 if _is_mark(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _shows(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS"


def headed(text: str, name: str) -> str:
    """Put a character's name above what it says, for where the bot has to lend it its voice."""
    return f"{_heading(name)}{text}"


def without_heading(text: str, name: str) -> str:
    """Return what stands under a character's name."""
    return text.removeprefix(_heading(name))


def _heading(name: str) -> str:
    return f"{bold_name(truncate(name, HEADING_UNITS))}\n"
