"""Discord's limits on application commands; https://discord.com/developers/docs/interactions/application-commands."""

from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from bot.sandbox.discord.component_rules import require_length
from bot.sandbox.discord.errors import RefusalError, invalid_form
from bot.sandbox.discord.json_types import JsonObject, as_int, as_object, as_text, objects_of


class CommandKind(IntEnum):
    """Types of application commands."""

    CHAT_INPUT = 1
    USER = 2
    MESSAGE = 3


class OptionKind(IntEnum):
    """Types of command options."""

    SUBCOMMAND = 1
    GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


_MAX_NAME: Final = 32
_MAX_DESCRIPTION: Final = 100
_MAX_OPTIONS: Final = 25
_MAX_CHOICES: Final = 25
_MAX_CHOICE_TEXT: Final = 100
_MAX_TOTAL: Final = 8000
_MAX_COMMANDS: Final = {CommandKind.CHAT_INPUT: 100, CommandKind.USER: 15, CommandKind.MESSAGE: 15}
_NESTED: Final = frozenset({OptionKind.SUBCOMMAND, OptionKind.GROUP})


def check_commands(commands: Sequence[JsonObject]) -> None:
    """Check a whole set, as a bulk overwrite sends it."""
    counts = Counter(kind_of(command) for command in commands)
    for kind, most in _MAX_COMMANDS.items():
        if counts[kind] > most:
            raise RefusalError(400, 30032, "Maximum number of application commands reached")
    names = Counter((kind_of(command), as_text(command.get("name"))) for command in commands)
    for (_, name), count in names.items():
        if count > 1:
            raise invalid_form("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", f"Two commands are called {name}")
    for index, command in enumerate(commands):
        _check_command(command, str(index))


def kind_of(command: JsonObject) -> CommandKind:
    """Return a command's type; one without is a chat command."""
    return CommandKind(as_int(command.get("type"), 1))


def _check_command(command: JsonObject, field: str) -> None:
    if kind_of(command) is CommandKind.CHAT_INPUT:
        _check_name(command.get("name"), f"{field}.name")
        require_length(command.get("description"), f"{field}.description", _MAX_DESCRIPTION)
    else:
        require_length(command.get("name"), f"{field}.name", _MAX_NAME)
        if command.get("description"):
            raise invalid_form(f"{field}.description", "APPLICATION_COMMAND_INVALID_DESCRIPTION", "Must be empty")
    _check_options(objects_of(command.get("options")), f"{field}.options", depth=0)
    if size_of(command) > _MAX_TOTAL:
        raise invalid_form(field, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def size_of(command: JsonObject) -> int:
    """Count the characters that Discord counts: names, descriptions and choices' values, longest localisation each."""
    total = 0
    for key in ("name", "description"):
        localised = as_object(command.get(f"{key}_localizations")) or {}
        total += max([len(as_text(command.get(key))), *(len(as_text(text)) for text in localised.values())])
    for choice in objects_of(command.get("choices")):
        total += len(as_text(choice.get("name"))) + len(str(choice.get("value", "")))
    return total + sum(size_of(option) for option in objects_of(command.get("options")))


def _check_name(name: object, field: str) -> None:
    text = require_length(name, field, _MAX_NAME)
    if text != text.lower() or not all(letter.isalnum() or letter in "-_'" for letter in text):
        raise invalid_form(field, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_options(options: Sequence[JsonObject], field: str, depth: int) -> None:
    if len(options) > _MAX_OPTIONS:
        raise invalid_form(field, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    if len({as_text(option.get("name")) for option in options}) < len(options):
        raise invalid_form(field, "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", "Two options have one name")
    optional_seen = False
    for index, option in enumerate(options):
        here = f"{field}.{index}"
        _check_name(option.get("name"), f"{here}.name")
        require_length(option.get("description"), f"{here}.description", _MAX_DESCRIPTION)
        kind = OptionKind(as_int(option.get("type")))
        if kind in _NESTED:
            if depth > (1 if kind is OptionKind.SUBCOMMAND else 0):
                raise invalid_form(f"{here}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Nested too deep")
            _check_options(objects_of(option.get("options")), f"{here}.options", depth + 1)
            continue
        if option.get("required") and optional_seen:
            raise invalid_form(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options come first")
        optional_seen = optional_seen or not option.get("required")
        check_choices(objects_of(option.get("choices")), f"{here}.choices")
        if option.get("autocomplete") and option.get("choices"):
            raise invalid_form(here, "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_WITH_CHOICES", "Either, not both")


def check_choices(choices: Sequence[JsonObject], field: str) -> None:
    """Check choices, those registered and those an autocomplete answers with."""
    if len(choices) > _MAX_CHOICES:
        raise invalid_form(field, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        require_length(choice.get("name"), f"{field}.{index}.name", _MAX_CHOICE_TEXT)
        value = choice.get("value")
        if isinstance(value, str):
            require_length(value, f"{field}.{index}.value", _MAX_CHOICE_TEXT)
        elif not isinstance(value, (int, float)):
            raise invalid_form(f"{field}.{index}.value", "BASE_TYPE_REQUIRED", "This field is required")
