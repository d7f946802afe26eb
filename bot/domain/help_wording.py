"""What `/help` and `/ping` say."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

HELP_LEAD: Final = (
    "I bring AI characters from NanoGPT's public catalogue into this server. Find one, let it into a channel, and from "
    "then on it answers there under its own name and picture. **Every reply of a character is written by an AI.**"
)
HELP_PRIVACY: Final = (
    "Where a character speaks, messages to it are sent to an AI service. If you do not want that, {ignore} makes me "
    "pass over everything you write, and {show} tells what is kept about you."
)
HELP_MENUS: Final = "On any message, below **Apps** in its menu: {names}"
MAX_EMBED_DESCRIPTION: Final = 4_096
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as people see it in a list."""

    name: str
    """All its words, without the slash."""
    description: str


def command_mention(name: str, ids: Mapping[str, int]) -> str:
    """Return a command so that it can be clicked, where Discord's id of its first word is known, else as code.

    https://discord.com/developers/docs/reference#message-formatting
    """
    command_id = ids.get(name.partition(" ")[0])
    return f"`/{name}`" if command_id is None else f"</{name}:{command_id}>"


def help_text(commands: Iterable[CommandLine], ids: Mapping[str, int], *, menus: Iterable[str] = ()) -> str:
    """Return what a person reads who asks for help; it fits into an embed's description.

    `menus` are the names of the entries in the menus of messages, which have no description.
    """
    lines = [HELP_LEAD, ""]
    lines += [f"{command_mention(command.name, ids)} {command.description}" for command in commands]
    privacy = HELP_PRIVACY.format(
        ignore=command_mention("privacy ignore-me", ids), show=command_mention("privacy show", ids)
    )
    end = ["", *([HELP_MENUS.format(names=" · ".join(names)), ""] if (names := tuple(menus)) else []), privacy]
    while len("\n".join([*lines, *end])) > MAX_EMBED_DESCRIPTION:
        lines.pop()
    return "\n".join([*lines, *end])


def ping_text(*, gateway_seconds: float, upstream_ms: float | None, database_ms: float) -> str:
    """Return how well the bot is connected, in one line each."""
    upstream = "does not answer just now" if upstream_ms is None else f"{upstream_ms:,.0f} ms"
    gateway = f"{gateway_seconds * 1_000:,.0f} ms" if math.isfinite(gateway_seconds) else "not measured yet"
    return f"Discord: {gateway}\nNanoGPT: {upstream}\nDatabase: {database_ms:,.1f} ms"
