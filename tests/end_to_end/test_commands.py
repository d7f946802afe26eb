"""The commands as a whole: what Discord would refuse, and what every one of them owes to people."""

import re
from collections.abc import Iterator
from typing import Any

import discord
from discord import app_commands

from bot.gateway.client import CharacterBot
from tests.end_to_end.world import World

MAX_COMMAND_CHARACTERS = 8_000
CHAT_INPUT_NAME = re.compile(r"[-_'\w]{1,32}")


def payloads(client: CharacterBot) -> list[dict[str, Any]]:
    kinds = (discord.AppCommandType.chat_input, discord.AppCommandType.user, discord.AppCommandType.message)
    return [command.to_dict(client.tree) for kind in kinds for command in client.tree.get_commands(type=kind)]


def options(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for option in part.get("options", ()):
        yield option
        yield from options(option)


def size(part: dict[str, Any]) -> int:
    own = len(part["name"]) + len(part.get("description", ""))
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices", ()))
    return own + choices + sum(size(option) for option in part.get("options", ()))


async def test_every_command_is_within_discord_s_limits(world: World) -> None:
    async with world.bot() as running:
        commands = payloads(running.client)
    assert {"character", "privacy", "help", "ping"} <= {command["name"] for command in commands}
    for command in commands:
        assert size(command) <= MAX_COMMAND_CHARACTERS
        for part in (command, *options(command)):
            assert len(part.get("options", ())) <= 25
            assert len(part.get("choices", ())) <= 25
            if command["type"] == discord.AppCommandType.chat_input.value:
                assert CHAT_INPUT_NAME.fullmatch(part["name"])
                assert part["name"] == part["name"].lower()
                assert 1 <= len(part["description"]) <= 100
                assert part["description"] != "…"
            for choice in part.get("choices", ()):
                assert 1 <= len(choice["name"]) <= 100


async def test_every_option_that_names_a_character_suggests_some(world: World) -> None:
    async with world.bot() as running:
        named = [
            option
            for command in payloads(running.client)
            for option in options(command)
            if option["name"] == "character"
        ]
    assert len(named) >= 4
    assert all(option.get("autocomplete") for option in named)


async def test_one_place_alone_answers_failures(world: World) -> None:
    """Handlers of commands and groups run beside the tree's own, which would answer twice."""
    async with world.bot() as running:
        for command in running.client.tree.walk_commands():
            own = command.on_error
            assert own is None or hasattr(own, "__discord_app_commands_base_function__")
            if isinstance(command, app_commands.Command):
                assert getattr(command.binding, "__discord_app_commands_error_handler__", None) is None
