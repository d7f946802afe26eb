"""Messages, forms and suggestions as lines of text, the way a person would see them."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bot.sandbox.discord import Channel, Choice, Message, Modal
from bot.sandbox.discord.component_rules import SELECTS, Kind
from bot.sandbox.discord.json_types import JsonObject, as_object, as_text, objects_of

WIDTH: Final = 96
"""Columns of a line."""
_MARKUP: Final = re.compile(
    r"<@!?(?P<user>\d+)>|<#(?P<channel>\d+)>|</(?P<command>[^:>]+):\d+>|<t:(?P<time>\d+)(?::\w)?>|<(?P<link>https?://\S+)>"
)
_ESCAPE: Final = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
"""A backslash that keeps a sign from being markup."""
_FENCE: Final = "```"


def place_name(channel: Channel) -> str:
    """Return a channel as it stands in the list."""
    return f"#{channel.name}"


def author_name(message: Message) -> str:
    """Return who a message is from, with Discord's tag for programs, and who else can see it."""
    guild, author = message.channel.guild, message.author
    member = None if guild is None else guild.members.get(author.id)
    name = (member.nick if member is not None else None) or author.global_name or author.name
    tag = " APP" if author.bot else ""
    return f"{name}{tag}{' (only you see this)' if message.ephemeral_for is not None else ''}"


def message_lines(message: Message) -> list[str]:
    """Return what stands in a message: text, cards, files, buttons and menus."""
    lines = _paragraphs(_readable(message, message.content)) if message.content else []
    for embed in message.embeds:
        lines += [f"▌ {line}" for line in _card(message, embed)]
    lines += [f"[file {attachment.filename}]" for attachment in message.attachments]
    return lines + list(_controls(message, message.components))


def modal_lines(modal: Modal) -> list[str]:
    """Return what a form asks."""
    lines = [f"┌ {modal.title}"]
    for part in modal.components:
        if part.get("type") == Kind.TEXT:
            lines += _paragraphs(as_text(part.get("content")))
        inner = as_object(part.get("component")) or {}
        offered = " · ".join(as_text(option.get("label")) for option in objects_of(inner.get("options")))
        if label := as_text(part.get("label")):
            lines += _wrapped(f"{label}: {offered or as_text(inner.get('placeholder')) or '…'}")
    return [lines[0], *(f"│ {line}" for line in lines[1:]), "└ [Submit]"]


def choice_lines(choices: Iterable[Choice]) -> list[str]:
    """Return what an autocomplete offers."""
    return [f"→ {choice.name}" for choice in choices]


def button_labels(message: Message) -> list[str]:
    """Return the labels of a message's buttons."""
    return [as_text(part.get("label")) for part in _parts(message.components) if part.get("type") == Kind.BUTTON]


def select_ids(message: Message) -> list[str]:
    """Return the custom ids of a message's menus."""
    return [as_text(part.get("custom_id")) for part in _parts(message.components) if part.get("type") in SELECTS]


def everything_in(message: Message) -> str:
    """Return all words of a message, to look for some."""
    return "\n".join(message_lines(message))


def _card(message: Message, embed: JsonObject) -> Iterator[str]:
    if title := as_text(embed.get("title")):
        yield title
    yield from _paragraphs(_readable(message, as_text(embed.get("description"))))
    for field in objects_of(embed.get("fields")):
        value = " / ".join(_readable(message, as_text(field.get("value"))).splitlines())
        yield from _wrapped(f"{as_text(field.get('name'))}: {value}")
    if footer := as_text((as_object(embed.get("footer")) or {}).get("text")):
        yield footer


def _controls(message: Message, components: Sequence[JsonObject]) -> Iterator[str]:
    for part in components:
        kind = part.get("type")
        if kind == Kind.ROW:
            yield " ".join(_control(control) for control in objects_of(part.get("components")))
        elif kind == Kind.TEXT:
            yield from _paragraphs(_readable(message, as_text(part.get("content"))))
        else:
            yield from _controls(message, objects_of(part.get("components")))
            if accessory := as_object(part.get("accessory")):
                yield _control(accessory)


def _control(part: JsonObject) -> str:
    if part.get("type") in SELECTS:
        return f"[{as_text(part.get('placeholder')) or 'Choose'} ▾]"
    emoji = as_text((as_object(part.get("emoji")) or {}).get("name"))
    words = " ".join(filter(None, (emoji, as_text(part.get("label")))))
    return f"({words})" if part.get("disabled") else f"[{words}]"


def _parts(components: Sequence[JsonObject]) -> Iterator[JsonObject]:
    for part in components:
        yield part
        yield from _parts(objects_of(part.get("components")))
        if accessory := as_object(part.get("accessory")):
            yield accessory


def _readable(message: Message, text: str) -> str:
    """Replace Discord's markup for people, places, commands and times by what a client shows."""
    world = message.channel.world

    def shown(found: re.Match[str]) -> str:
        if found["user"]:
            user = world.users.get(int(found["user"]))
            return found[0] if user is None else f"@{user.global_name or user.name}"
        if found["channel"]:
            channel = world.channels.get(int(found["channel"]))
            return found[0] if channel is None else place_name(channel)
        if found["command"]:
            return f"/{found['command']}"
        return found["link"] or "soon"

    return _MARKUP.sub(shown, text)


def _paragraphs(text: str) -> list[str]:
    """Wrap a text, but not the code in it."""
    lines: list[str] = []
    in_code = False
    for line in text.splitlines():
        fence = line.lstrip().startswith(_FENCE)
        lines += [line] if in_code or fence else _wrapped(line)
        in_code ^= fence
    return lines


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(_ESCAPE.sub("", line), WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
