"""Texts as models write them and as nobody would, for the properties of the text functions."""

import re

from hypothesis import strategies as st

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAGS = "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7"

_PIECES = (
    "word ", "word", "Two words. ", "A sentence! ", "x" * 70, " ", "  ", "\n", "\n\n", "\n  \n", ".", "\\", "\\`",
    "`", "``", "```", "````", "```py\n", "\n```\n", "`code`", "`some code`", "``a ` b``", "``` ", "x = 1\n", "    y\n",
    "*", "**", "*bold*", "_", "||", "||secret||", "~~", "> ", "# ", "- ", "(", ")", "[", "]", "](", "![", "!",
    "<", ">", "<@", "<@1>", "<@!2>", "<@&3>", "<#4>", "</play now:5>", "</", "<id:browse>", "<t:1700000000:R>",
    "<:smile:123>", "<a:dance:456>", "@everyone", "@here", "@", "every", "one", "1>", "2", ":", "/",
    "https://example.com/a_b", "<https://example.com>", "[text](https://example.com)", "[a b](http://x.y)",
    "discord.gg/abc", "https://discord.com/invite/abc", "discord.", "gg", "DISCORD.GG/X",
    "\U0001f600", FAMILY, FLAGS, "e\u0301", "\u4f60\u597d\u3002", "\u0645\u06cc\u200c\u062e", "\u200b", "\u202e",
    "\u200d", "Ada: ", "Ada", "[Ada]", "**Ada**: ", "\r\n", "\r", "\u2028", "\xa0",
)  # fmt: skip

texts = st.lists(st.sampled_from(_PIECES), max_size=60).map("".join)
"""Made of the pieces that have a meaning somewhere, in any order."""

long_texts = st.lists(
    st.tuples(st.sampled_from(_PIECES), st.sampled_from((1, 1, 1, 2, 5, 30))).map(lambda pair: pair[0] * pair[1]),
    min_size=5,
    max_size=80,
).map("".join)

_DISCORD_CODE = re.compile(
    r"(?P<escape>\\[^0-9A-Za-z\s])"
    r"|(?P<block>```(?:[a-zA-Z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```)"
    r"|(?P<inline>(?P<ticks>`+)[\s\S]*?[^`](?P=ticks)(?!`))"
)


def shown_as_prose(message: str) -> str:
    """Return what Discord's clients render outside code, with escaped signs and code blanked out.

    Written from the rules of the open-source renderer that the clients grew from, independently of the code
    under test.
    """
    return _DISCORD_CODE.sub(lambda match: "\x01" if match["escape"] is None else "\x02", message)
