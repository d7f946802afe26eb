"""The placeholders that authors of characters write into a greeting."""

import re
from typing import Final

from bot.domain.unicode_text import one_line, truncate

FALLBACK_CHAR: Final = "Character"
FALLBACK_USER: Final = "User"
MAX_NAME: Final = 80
"""UTF-16 units of a name in a greeting."""

_MACRO: Final = re.compile(
    # A comment that has a line to itself takes the line along.
    r"(?P<comment>^[ \t]*\{\{(?://|comment:)[^{}]*\}\}[ \t]*\n|\{\{(?://|comment:)[^{}]*\}\})"
    r"|\{\{[ \t]*(?P<braced>char|bot|user)[ \t]*\}\}"
    r"|<(?P<angled>char|bot|user)>",
    re.IGNORECASE | re.MULTILINE,
)
_NOT_IN_NAMES: Final = "{}<>[]`@\\"
"""Signs with which a name could become a macro, a mention, a link or code."""


def expand_greeting(text: str, *, char: str, user: str) -> str:
    """Put the names into a greeting and take its comments out.

    ``{{char}}``, ``<char>``, ``<bot>``, ``{{user}}`` and ``<user>`` are known, in any case. What a name says is
    never read as a macro itself, and it cannot mention or link.
    """
    names = {"user": _plain(user) or FALLBACK_USER, "char": _plain(char) or FALLBACK_CHAR}
    names["bot"] = names["char"]

    def expanded(match: re.Match[str]) -> str:
        word = match["braced"] or match["angled"]
        return names[word.lower()] if word else ""

    return _MACRO.sub(expanded, text).strip()


def _plain(name: str) -> str:
    return truncate(one_line(name, without=_NOT_IN_NAMES), MAX_NAME).strip()
