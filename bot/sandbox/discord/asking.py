"""What Discord's client sends when a person runs a command, clicks, chooses or fills a form in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import payloads
from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.command_rules import OptionKind
from bot.sandbox.discord.commands import descend
from bot.sandbox.discord.component_rules import LINK_STYLE, SELECTS, Kind, walk
from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.json_types import JsonObject, as_int, as_list, as_object, as_text, objects_of
from bot.sandbox.discord.model import Attachment, Member, Message, Role, User
from bot.sandbox.discord.permissions import Permission

if TYPE_CHECKING:
    from bot.sandbox.discord.interaction_model import Modal
    from bot.sandbox.discord.people import Person

_MAX_STRING: Final = 6000
_OBJECT_OPTIONS: Final = frozenset(
    {OptionKind.USER, OptionKind.CHANNEL, OptionKind.ROLE, OptionKind.MENTIONABLE, OptionKind.ATTACHMENT}
)


@dataclass(slots=True)
class Resolved:
    """The objects that options, selects and context menus point to, as Discord sends them along."""

    data: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])

    def add(self, value: object) -> str:
        """Take an object in and return its id; raises SandboxError for what cannot be pointed to."""
        match value:
            case Member():
                self._put("users", value.user.id, payloads.user(value.user))
                return self._put("members", value.user.id, payloads.member(value, with_user=False))
            case User():
                return self._put("users", value.id, payloads.user(value))
            case Role():
                return self._put("roles", value.id, payloads.role(value))
            case Message():
                return self._put("messages", value.id, payloads.message(value))
            case Attachment():
                return self._put("attachments", value.id, payloads.attachment(value))
            case Channel():
                own = payloads.permissions_text(value, value.world.bot.id)
                return self._put("channels", value.id, payloads.channel(value) | {"permissions": own})
            case _:
                raise SandboxError(f"{value!r} is nothing that can be chosen")

    def _put(self, kind: str, object_id: int, data: JsonObject) -> str:
        self.data.setdefault(kind, {})[str(object_id)] = data
        return str(object_id)


def check_offered(command: JsonObject, person: "Person", channel: "Channel") -> None:
    """Raise SandboxError where Discord's client would not offer the command to this person here."""
    name = command["name"]
    contexts = as_list(command.get("contexts")) or ([0, 1] if command.get("dm_permission", True) else [0])
    if (1 if channel.guild is None else 0) not in contexts:
        raise SandboxError(f"{name} is not offered in this kind of place")
    if channel.guild is None:
        return
    if not person.may(channel, Permission.USE_APPLICATION_COMMANDS):
        raise SandboxError(f"{person.shown_name} may not use commands in {channel.name}")
    needed = command.get("default_member_permissions")
    if needed is not None:
        bits = Permission(as_int(needed)) or Permission.ADMINISTRATOR
        if not person.may(channel, bits):
            lacking = (bits.name or "more").replace("_", " ").replace("|", " and ").title()
            raise SandboxError(f"{name} is not offered to {person.shown_name}, who lacks {lacking}")
    if command.get("nsfw") and not (channel.parent if channel.is_thread and channel.parent else channel).nsfw:
        raise SandboxError(f"{name} is offered in age-restricted channels only")


def is_offered(command: JsonObject, person: "Person", channel: Channel) -> bool:
    """Tell whether Discord's client would offer the command to this person here."""
    try:
        check_offered(command, person, channel)
    except SandboxError:
        return False
    return True


def command_data(
    command: JsonObject, words: Sequence[str], values: Mapping[str, object], focused: str | None = None
) -> JsonObject:
    """Build the data of a chat command; `focused` names the option that is being typed (autocomplete).

    Raises SandboxError for unknown options, missing required ones and values the client would not accept.
    """
    path = descend(command, words)
    known = objects_of((path[-1] if path else command).get("options"))
    names = [option["name"] for option in known]
    stray = set(values) - set(names)
    if stray:
        raise SandboxError(f"{command['name']} {' '.join(words)} has no option {sorted(stray)}; there are {names}")
    resolved = Resolved()
    options: list[JsonObject] = []
    for option in known:
        name = option["name"]
        if name not in values:
            if option.get("required") and focused is None:
                raise SandboxError(f"{command['name']} {' '.join(words)} needs the option {name}")
            continue
        entry: JsonObject = {"name": name, "type": option["type"]}
        if name == focused:
            if not option.get("autocomplete"):
                raise SandboxError(f"the option {name} has no autocomplete")
            entry |= {"value": values[name], "focused": True}
        else:
            entry["value"] = _option_value(option, values[name], resolved)
        options.append(entry)
    for step in reversed(path):
        options = [{"name": step["name"], "type": step["type"], "options": options}]
    data: JsonObject = {"id": command["id"], "name": command["name"], "type": 1, "options": options}
    if resolved.data:
        data["resolved"] = resolved.data
    return data if "guild_id" not in command else data | {"guild_id": command["guild_id"]}


def _option_value(option: JsonObject, value: object, resolved: Resolved) -> object:
    name, kind = option["name"], OptionKind(option["type"])
    if kind in _OBJECT_OPTIONS:
        _check_channel_kinds(option, name, [value])
        return resolved.add(value)
    expected: dict[OptionKind, type | tuple[type, ...]] = {
        OptionKind.STRING: str,
        OptionKind.INTEGER: int,
        OptionKind.BOOLEAN: bool,
        OptionKind.NUMBER: (int, float),
    }
    if not isinstance(value, expected[kind]) or (isinstance(value, bool) and kind is not OptionKind.BOOLEAN):
        raise SandboxError(f"the option {name} takes a {kind.name.lower()}, not {value!r}")
    choices = objects_of(option.get("choices"))
    if choices and value not in [choice["value"] for choice in choices]:
        raise SandboxError(f"the option {name} offers {[choice['value'] for choice in choices]}, not {value!r}")
    if isinstance(value, str):
        if not as_int(option.get("min_length")) <= len(value) <= as_int(option.get("max_length"), _MAX_STRING):
            raise SandboxError(f"the option {name} does not take a text of {len(value)} characters")
    elif kind is not OptionKind.BOOLEAN:
        least, most = option.get("min_value", -math.inf), option.get("max_value", math.inf)
        if isinstance(value, (int, float)) and not least <= value <= most:
            raise SandboxError(f"the option {name} does not take {value}")
    return value


def _check_channel_kinds(taker: JsonObject, name: str, values: Sequence[object]) -> None:
    taken = as_list(taker.get("channel_types"))
    if taken and any(isinstance(value, Channel) and value.kind not in taken for value in values):
        raise SandboxError(f"{name!r} does not take channels of that kind")


def find_button(message: Message, wanted: str) -> JsonObject:
    """Return a button by custom id or label; raises SandboxError when there is none, or none that can be clicked."""
    buttons = [part for part in walk(message.components) if part.get("type") == Kind.BUTTON]
    for button in buttons:
        if wanted in {button.get("custom_id"), button.get("label")}:
            if button.get("disabled"):
                raise SandboxError(f"the button {wanted!r} is disabled")
            if button.get("style") == LINK_STYLE:
                raise SandboxError(f"the button {wanted!r} is a link")
            return button
    labels = [button.get("label") or button.get("custom_id") for button in buttons]
    raise SandboxError(f"no button {wanted!r}; there are {labels}")


def select_data(message: Message, custom_id: str, values: Sequence[object]) -> JsonObject:
    """Build the data of a choice in a select menu; raises SandboxError for what the menu does not offer."""
    selects = [part for part in walk(message.components) if part.get("type") in SELECTS]
    found = next((part for part in selects if part.get("custom_id") == custom_id), None)
    if found is None:
        raise SandboxError(f"no select {custom_id!r}; there are {[part.get('custom_id') for part in selects]}")
    if found.get("disabled"):
        raise SandboxError(f"the select {custom_id!r} is disabled")
    data: JsonObject = {"component_type": found["type"], "custom_id": custom_id, "id": found["id"]}
    resolved = Resolved()
    data["values"] = _chosen(found, values, resolved)
    return data | {"resolved": resolved.data} if resolved.data else data


def _chosen(part: JsonObject, values: Sequence[object], resolved: Resolved) -> list[str]:
    least, most = as_int(part.get("min_values"), 1), as_int(part.get("max_values"), 1)
    if not least <= len(values) <= most:
        raise SandboxError(f"{part['custom_id']!r} takes {least} to {most} values, not {len(values)}")
    if part.get("type") in SELECTS and part.get("type") != Kind.STRING_SELECT:
        _check_channel_kinds(part, as_text(part["custom_id"]), values)
        return [resolved.add(value) for value in values]
    offered = [option["value"] for option in objects_of(part.get("options"))]
    if not set(map(str, values)) <= set(offered):
        raise SandboxError(f"{part['custom_id']!r} offers {offered}, not {list(values)}")
    return [str(value) for value in values]


def modal_data(modal: "Modal", values: Mapping[str, object]) -> JsonObject:
    """Build the data of a filled-in form; `values` go by custom id or by label.

    Raises SandboxError for fields that do not exist, are required or would not accept the value.
    """
    left = dict(values)
    resolved = Resolved()
    parts: list[JsonObject] = []
    for part in modal.components:
        if part["type"] == Kind.LABEL:
            inner = as_object(part["component"]) or {}
            filled = _filled(inner, as_text(part.get("label")), left, resolved)
            parts.append({"type": part["type"], "id": part["id"], "component": filled})
        elif part["type"] == Kind.ROW:
            inner = objects_of(part["components"])[0]
            filled = _filled(inner, as_text(inner.get("label")), left, resolved)
            parts.append({"type": part["type"], "id": part["id"], "components": [filled]})
        else:
            parts.append({"type": part["type"], "id": part["id"]})
    if left:
        raise SandboxError(f"{modal.title!r} has no field {sorted(left)}")
    return {"custom_id": modal.custom_id, "components": parts, "resolved": resolved.data}


def _filled(part: JsonObject, label: str, left: dict[str, object], resolved: Resolved) -> JsonObject:
    custom_id = as_text(part["custom_id"])
    key = custom_id if custom_id in left else label
    given = left.pop(key, None)
    base: JsonObject = {"type": part["type"], "id": part["id"], "custom_id": custom_id}
    kind = Kind(part["type"])
    required = part.get("required", True)
    if kind is Kind.TEXT_INPUT:
        text = as_text(part.get("value")) if given is None else str(given)
        least = max(as_int(part.get("min_length")), 1) if required or text else 0
        most = as_int(part.get("max_length"), 4000)
        if required and not text:
            raise SandboxError(f"the field {label or custom_id!r} has to be filled in")
        if not least <= len(text) <= most:
            raise SandboxError(f"the field {label or custom_id!r} takes {least} to {most} characters, not {len(text)}")
        return base | {"value": text}
    if kind is Kind.CHECKBOX:
        return base | {"value": bool(part.get("default") if given is None else given)}
    defaults = [option["value"] for option in objects_of(part.get("options")) if option.get("default")]
    if kind is Kind.RADIO_GROUP:
        offered = [option["value"] for option in objects_of(part.get("options"))]
        value = given if given is not None else next(iter(defaults), None)
        if value is None and required:
            raise SandboxError(f"the field {label or custom_id!r} has to be filled in")
        if value is not None and value not in offered:
            raise SandboxError(f"the field {label or custom_id!r} offers {offered}, not {value!r}")
        return base | {"value": value}
    chosen = defaults if given is None else [given] if isinstance(given, str) else as_list(given)
    if not chosen and not required:
        return base | {"values": []}
    if kind is Kind.FILE_UPLOAD:
        return base | {"values": [resolved.add(each) for each in chosen]}
    bounds: JsonObject = {"max_values": len(objects_of(part.get("options")))} if kind is Kind.CHECKBOX_GROUP else {}
    return base | {"values": _chosen(bounds | part, chosen, resolved)}
