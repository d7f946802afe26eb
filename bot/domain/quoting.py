"""Words of the catalogue inside the bot's own sentences, shown as they stand."""

import re
from typing import Final

from bot.domain.unicode_text import one_line, truncate

LONGEST_NAME: Final = 80
"""UTF-16 units of a character's name that a sentence carries; as many as a webhook's name may have."""
NAMELESS: Final = "the character"

_MARKUP: Final = re.compile(r"[\\*_~|`<>\[\]@/]|:(?=//)|^(?:[#+-]|\d+\.)")
"""What Discord reads as emphasis, code, a mention, a link, a heading or a list."""


def quoted(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text on one line, with every sign escaped that Discord would read as markup, a mention or a link.

    `longest` counts UTF-16 units before escaping, which can double them.
    """
    line = one_line(text)
    cut = truncate(line, longest)
    if cut != line:
        cut = truncate(line, longest - 1).rstrip() + "…"
    return _MARKUP.sub(lambda match: match[0][:-1] + "\\" + match[0][-1], cut)


def bold_name(name: str) -> str:
    """Return a character's name in bold, or a stand-in where nothing of it can be shown."""
    shown = quoted(name)
    return f"**{shown}**" if shown else NAMELESS
