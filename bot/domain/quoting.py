"""Words of the catalogue inside the bot's own sentences, shown as they stand."""

import re
from typing import Final

from bot.domain.unicode_text import one_line, truncate

LONGEST_NAME: Final = 80
"""UTF-16 units of a character's name that a sentence carries; as many as a webhook's name may have."""
LONGEST_ANSWER: Final = 300
"""UTF-16 units of an answer of the catalogue that a sentence carries."""
NAMELESS: Final = "the character"
_FENCE: Final = "```"
_FENCE_INSIDE: Final = re.compile("``(?=`)")

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


def code_span(text: str, longest: int = LONGEST_ANSWER) -> str:
    """Put a text on one line into a code span, in which Discord draws no link, mention or style; "" for none.

    `longest` counts UTF-16 units, the two backticks left out.
    """
    text = truncate(one_line(text).replace("`", "'"), longest).strip()
    return f"`{text}`" if text else ""


def code_block(text: str) -> str:
    """Put a text into a code block as it stands.

    A fence inside it gets invisible spaces, as nothing else would keep the block whole.
    """
    inside = _FENCE_INSIDE.sub("``\u200b", text)
    return f"{_FENCE}\n{inside}\n{_FENCE}"


def bold_name(name: str) -> str:
    """Return a character's name in bold, or a stand-in where nothing of it can be shown."""
    shown = quoted(name)
    return f"**{shown}**" if shown else NAMELESS
