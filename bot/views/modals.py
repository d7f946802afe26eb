"""Forms: opened as discord.py's modals, answered from the raw event.

discord.py finds a submitted form by its custom id in memory, so one that is submitted after a restart would be dropped.
Here the library's object only draws the form; bot.cogs.modals hears every submission and finds its handler by the kind
in the custom id.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import discord
from discord import ui

from bot.domain.custom_ids import custom_id, parse_custom_id
from bot.domain.forms import TICKED
from bot.domain.unicode_text import one_line, truncate

MAX_TITLE: Final = 45
"""Characters of a modal's title (https://discord.com/developers/docs/interactions/receiving-and-responding)."""
_LABEL: Final = 18
_ROW: Final = 1
_FILE_UPLOAD: Final = 19
"""Component types (https://discord.com/developers/docs/components/reference#component-object-component-types)."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as a person sent it."""

    kind: str
    ids: tuple[int, ...]
    """As in the custom id; the last one is the opening's own."""
    values: Mapping[str, str]
    """What was typed or chosen, by the custom id of each field; "" for nothing, and TICKED for a ticked box."""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """The addresses of uploaded files, by the custom id of each field; of several files the first."""


ModalHandler = Callable[[discord.Interaction, Submission], Awaitable[None]]


def drawn_form(
    interaction: discord.Interaction, kind: str, *ids: int, title: str, items: list[ui.Item[Any]]
) -> ui.Modal:
    """Return a form to send as the first answer to an interaction.

    Its custom id is the opening's own, as two people with the same form open would share what they typed otherwise. It
    is stopped before it is sent, so that discord.py neither keeps it nor hears its submission (2.7.1: send_modal stores
    only what is not finished).
    """
    modal = ui.Modal(
        title=truncate(one_line(title), MAX_TITLE) or "Form", custom_id=custom_id(kind, *ids, interaction.id)
    )
    for item in items:
        modal.add_item(item)
    modal.stop()
    return modal


def read_submission(data: object) -> Submission | None:
    """Read the data of a submitted form, or return None for one that is not ours."""
    payload = _object(data)
    parsed = parse_custom_id(_text(payload.get("custom_id")))
    if parsed is None or not parsed.ids:
        return None
    values: dict[str, str] = {}
    uploads: dict[str, str] = {}
    for component in _list(payload.get("components")):
        _collect(_object(component), values, uploads)
    attachments = _object(_object(payload.get("resolved")).get("attachments"))
    addresses = {name: _text(_object(attachments.get(number)).get("url")) for name, number in uploads.items()}
    return Submission(parsed.kind, parsed.ids, values, {name: url for name, url in addresses.items() if url})


def _collect(component: Mapping[str, object], values: dict[str, str], uploads: dict[str, str]) -> None:
    kind = component.get("type")
    if kind == _LABEL:
        _collect(_object(component.get("component")), values, uploads)
    elif kind == _ROW:
        for inner in _list(component.get("components")):
            _collect(_object(inner), values, uploads)
    elif name := _text(component.get("custom_id")):
        chosen = _list(component.get("values"))
        value = component.get("value") if not chosen else chosen[0]
        if kind == _FILE_UPLOAD:
            uploads[name] = _text(value)
        else:
            values[name] = TICKED if value is True else _text(value)


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
