"""The placeholders that authors write into the texts of a character."""

import re
from typing import Final

from bot.domain.unicode_text import one_line, truncate

FALLBACK_CHAR: Final = "Character"
FALLBACK_USER: Final = "User"
MAX_NAME: Final = 80
"""UTF-16 units of a name in a greeting."""

_MACRO: Final = re.compile(
    # A comment that has a line to itself takes the line along.
    r"(?P<comment>^[ \t]*\{\{(?://|comment:|hidden_key:)[^{}]*\}\}[ \t]*\n"
    r"|\{\{(?://|comment:|hidden_key:)[^{}]*\}\}|\{\{[ \t]*original[ \t]*\}\})"
    r"|\{\{[ \t]*(?P<braced>char|bot|user)[ \t]*\}\}"
    r"|<(?P<angled>char|bot|user)>",
    re.IGNORECASE | re.MULTILINE,
)
_BRACED: Final = re.compile(r"\{\{([^{}]+)\}\}")
_NOT_IN_NAMES: Final = "{}<>[]`@\\"
"""Signs with which a name could become a macro, a mention, a link or code."""


def expand_greeting(text: str, *, char: str, user: str) -> str:
    """Put the names into a greeting and take its comments out.

    ``{{char}}``, ``<char>``, ``<bot>``, ``{{user}}`` and ``<user>`` are known, in any case. What a name says is
    never read as a macro itself, and it cannot mention or link.
    """
    return _expanded(text, char=_short(char) or FALLBACK_CHAR, user=_short(user) or FALLBACK_USER).strip()


def expand_for_good(text: str, *, char: str, user: str | None) -> str:
    """Put the name of a character into a text that is going to be stored, and take comments out.

    `user` is what stands for the person spoken to; None leaves its placeholder, which then waits for a name.
    What else stands in double braces is left.
    """
    return _expanded(text, char=_signless(char) or FALLBACK_CHAR, user=user)


def placeholders(text: str) -> int:
    """Count what stands in double braces, that for the person spoken to aside."""
    return sum(match[1].strip().lower() != "user" for match in _BRACED.finditer(text))


def _expanded(text: str, *, char: str, user: str | None) -> str:
    """Replace in one pass, so that nothing that comes in by it is replaced in its turn."""
    names = {"user": user, "char": char, "bot": char}

    def expanded(match: re.Match[str]) -> str:
        word = match["braced"] or match["angled"]
        if word is None:
            return ""
        name = names[word.lower()]
        return match[0] if name is None else name

    return _MACRO.sub(expanded, text)


def _short(name: str) -> str:
    return truncate(_signless(name), MAX_NAME).strip()


def _signless(name: str) -> str:
    return one_line(name, without=_NOT_IN_NAMES)
