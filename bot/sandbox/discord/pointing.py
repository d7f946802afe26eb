"""From the ids that a client holds to what they stand for: the objects that options, selects and forms point to."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord.command_rules import CommandKind, OptionKind
from bot.sandbox.discord.commands import descend
from bot.sandbox.discord.component_rules import Kind, walk
from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.json_types import JsonObject, as_list, as_text, objects_of

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.interaction_model import Modal
    from bot.sandbox.discord.model import Message
    from bot.sandbox.discord.people import Person

_OPTION_SHELVES: Final[Mapping[int, tuple[str, ...]]] = {
    OptionKind.USER: ("user",),
    OptionKind.CHANNEL: ("channel",),
    OptionKind.ROLE: ("role",),
    OptionKind.MENTIONABLE: ("user", "role"),
    OptionKind.ATTACHMENT: ("file",),
}
"""Where what an option takes by its id is looked for."""
_COMPONENT_SHELVES: Final[Mapping[int, tuple[str, ...]]] = {
    Kind.USER_SELECT: ("user",),
    Kind.CHANNEL_SELECT: ("channel",),
    Kind.ROLE_SELECT: ("role",),
    Kind.MENTIONABLE_SELECT: ("user", "role"),
    Kind.FILE_UPLOAD: ("file",),
}
"""Where what a component takes by its id is looked for."""


def in_options(person: "Person", channel: "Channel", words: str, values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the values of a command's options with objects in place of their ids.

    Raises SandboxError for a command that is not there and for an id of nothing.
    """
    head, *steps = words.split()
    guild_id = None if channel.guild is None else channel.guild.id
    command = person.world.interactions.commands.find(guild_id, CommandKind.CHAT_INPUT, head)
    path = descend(command, steps)
    options = objects_of((path[-1] if path else command).get("options"))
    shelves = {as_text(option["name"]): _OPTION_SHELVES.get(option["type"], ()) for option in options}
    return {name: _found(person, shelves.get(name, ()), value) for name, value in values.items()}


def in_select(person: "Person", message: "Message", custom_id: str, values: Sequence[str]) -> Sequence[object]:
    """Return what was chosen in a select of a message; raises SandboxError for an id of nothing."""
    shelves = _shelves_in(message.components).get(custom_id, ())
    return [_found(person, shelves, value) for value in values]


def in_form(person: "Person", modal: "Modal", values: Mapping[str, object]) -> Mapping[str, object]:
    """Return what was filled in in a form, by custom ids; raises SandboxError for an id of nothing."""
    shelves = _shelves_in(modal.components)
    return {
        custom_id: [_found(person, shelves[custom_id], each) for each in as_list(value)]
        if shelves.get(custom_id)
        else value
        for custom_id, value in values.items()
    }


def _shelves_in(components: Sequence[JsonObject]) -> dict[str, tuple[str, ...]]:
    parts = [part for part in walk(components) if "custom_id" in part]
    return {as_text(part["custom_id"]): _COMPONENT_SHELVES.get(part["type"], ()) for part in parts}


def _found(person: "Person", shelves: Sequence[str], value: object) -> object:
    if not shelves:
        return value
    number = int(value) if isinstance(value, str) and value.isdecimal() else 0
    for shelf in shelves:
        found = _taken_from(person, shelf, number)
        if found is not None:
            return found
    raise SandboxError(f"there is no such {' or '.join(shelves)}")


def _taken_from(person: "Person", shelf: str, number: int) -> object:
    match shelf:
        case "user":
            return person.guild.members.get(number)
        case "role":
            return person.guild.roles.get(number)
        case "channel":
            return next((place for place in person.places if place.id == number), None)
        case _:
            return person.world.attachments.get(number)
