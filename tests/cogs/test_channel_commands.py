"""What is registered with Discord for the commands about a channel's character."""

from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot.cogs.bindings import BindingsCog
from bot.cogs.character_group import character_group
from bot.cogs.silence import SilenceCog
from bot.domain.bindings import Trigger

MOST_CHARACTERS = 100
"""Of names, descriptions and choices (https://discord.com/developers/docs/interactions/application-commands)."""


@pytest.fixture
def tree() -> app_commands.CommandTree[discord.Client]:
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    group = character_group()
    # Nothing is run here, so no service is asked.
    BindingsCog(cast("Any", None), cast("Any", None), group)
    SilenceCog(cast("Any", None), tree)
    tree.add_command(group)
    return tree


@pytest.fixture
def subcommands(tree: app_commands.CommandTree[discord.Client]) -> dict[str, dict[str, Any]]:
    group = tree.get_command("character")
    assert isinstance(group, app_commands.Group)
    payload = group.to_dict(tree)
    return {option["name"]: option for option in payload["options"]}


def test_the_commands_are_there_with_their_options(subcommands: dict[str, dict[str, Any]]) -> None:
    options = {
        name: [(option["name"], option["required"]) for option in command["options"]]
        for name, command in subcommands.items()
    }
    assert options == {
        "use": [("character", True), ("trigger", False)],
        "current": [],
        "leave": [],
        "reset": [],
        "settings": [("trigger", False)],
    }


def test_the_words_fit_what_discord_takes(subcommands: dict[str, dict[str, Any]]) -> None:
    for command in subcommands.values():
        assert 1 <= len(command["description"]) <= MOST_CHARACTERS
        for option in command["options"]:
            assert 1 <= len(option["description"]) <= MOST_CHARACTERS
            assert option["description"] != "…"
            for choice in option.get("choices", ()):
                assert 1 <= len(choice["name"]) <= MOST_CHARACTERS


def test_every_trigger_can_be_chosen(subcommands: dict[str, dict[str, Any]]) -> None:
    for name in ("use", "settings"):
        trigger = subcommands[name]["options"][-1]
        assert {Trigger(choice["value"]) for choice in trigger["choices"]} == set(Trigger)


def test_the_option_that_names_a_character_completes_itself(subcommands: dict[str, dict[str, Any]]) -> None:
    assert subcommands["use"]["options"][0]["autocomplete"] is True


def test_why_silent_is_offered_on_messages_of_servers_only(tree: app_commands.CommandTree[discord.Client]) -> None:
    menu = tree.get_command("Why silent?", type=discord.AppCommandType.message)
    assert menu is not None
    payload = menu.to_dict(tree)
    assert payload["contexts"] == [0]
    assert payload["integration_types"] == [0]
