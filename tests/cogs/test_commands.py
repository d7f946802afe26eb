"""All commands together, built as the program builds them: what Discord takes, and what people are told of them."""

import inspect
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from discord import AppCommandOptionType, AppCommandType, Permissions, app_commands
from discord.ext import commands

from bot import app
from bot.app import Application
from bot.sandbox.discord.json_types import objects_of
from tests.end_to_end.world import World, open_world
from tests.support.openapi import RequestCheck

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""Stricter than Discord, so that a command looks the same in every font (application-commands#…-naming)."""
OF_NANOGPT: Final = {"base_model"}
"""Options that are called as the Characters API calls what they are."""
MOST_CHARACTERS: Final = 100
"""Of descriptions, names of choices and their values."""
MOST_ENTRIES: Final = 25
"""Of options and choices."""
MOST_IN_ALL: Final = 8_000
"""Characters of names, descriptions and values of one command, with all that is in it."""
NESTED: Final = {AppCommandOptionType.subcommand.value, AppCommandOptionType.subcommand_group.value}

SLASH: Final = {
    "character": {
        *("search", "show", "use", "current", "leave", "reset", "settings", "rate", "report"),
        *("mine", "create", "import", "edit", "publish", "archive", "export"),
    },
    "account": {"link", "status", "unlink"},
    "server": {"settings"},
    "privacy": {"show", "delete", "ignore-me"},
    "help": set[str](),
    "ping": set[str](),
}
MENUS: Final = {"Why silent?", "Rate character", "Report", "Who said this?"}

Payload = dict[str, Any]


@pytest.fixture
async def world(tmp_path: Path, discord_request_check: RequestCheck) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as opened:
        opened.discord.request_validators.append(discord_request_check)
        yield opened
        opened.discord.assert_clean()


@pytest.fixture
async def built(world: World) -> AsyncGenerator[Application]:
    """Build the program and log in, without connecting; the commands have been sent then."""
    async with app.application(world.settings()) as application:
        yield application


@pytest.fixture
def payloads(built: Application) -> list[Payload]:
    tree = built.client.tree
    return [command.to_dict(tree) for kind in AppCommandType for command in tree.get_commands(type=kind)]


@pytest.fixture
def slash(payloads: list[Payload]) -> list[Payload]:
    return [payload for payload in payloads if payload["type"] == AppCommandType.chat_input.value]


def everything(payload: Payload) -> Iterator[Payload]:
    """Yield a command and, however deep, everything that has a name and a description."""
    yield payload
    for option in payload.get("options", ()):
        yield from everything(option)


def size(payload: Payload) -> int:
    own = len(payload["name"]) + len(payload.get("description", ""))
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in payload.get("choices", ()))
    return own + choices + sum(size(option) for option in payload.get("options", ()))


def test_these_are_the_commands(slash: list[Payload], payloads: list[Payload]) -> None:
    found = {
        payload["name"]: {option["name"] for option in payload["options"] if option["type"] in NESTED}
        for payload in slash
    }
    assert found == SLASH
    assert {payload["name"] for payload in payloads if payload not in slash} == MENUS


def test_no_command_hides_another(payloads: list[Payload]) -> None:
    names = Counter((payload["type"], payload["name"]) for payload in payloads)
    assert max(names.values()) == 1


def test_names_and_descriptions_are_within_the_limits(slash: list[Payload]) -> None:
    for command in slash:
        for part in everything(command):
            assert NAME.fullmatch(part["name"]) or part["name"] in OF_NANOGPT, part["name"]
            assert 1 < len(part["description"]) <= MOST_CHARACTERS, part
            assert not part["description"].endswith((".", "…")), part["description"]
            assert len(part.get("options", ())) <= MOST_ENTRIES
        assert size(command) <= MOST_IN_ALL


def test_choices_are_within_the_limits(slash: list[Payload]) -> None:
    lists = [part["choices"] for command in slash for part in everything(command) if part.get("choices")]
    assert lists
    for choices in lists:
        assert len(choices) <= MOST_ENTRIES
        assert all(1 <= len(choice["name"]) <= MOST_CHARACTERS for choice in choices)
        assert all(1 <= len(str(choice["value"])) <= MOST_CHARACTERS for choice in choices)
        assert len({choice["value"] for choice in choices}) == len(choices)


def test_what_must_be_given_comes_first(slash: list[Payload]) -> None:
    for command in slash:
        for part in everything(command):
            required = [option.get("required", False) for option in part.get("options", ())]
            assert required == sorted(required, reverse=True), part["name"]


def test_a_character_is_named_the_same_way_everywhere_and_suggested_while_typing(slash: list[Payload]) -> None:
    (group,) = (command for command in slash if command["name"] == "character")
    options = {
        command["name"]: option
        for command in group["options"]
        for option in command["options"]
        if option["name"] == "character"
    }
    assert set(options) == {"show", "use", "rate", "report", "edit", "publish", "archive", "export"}
    for option in options.values():
        assert (option["type"], option["required"]) == (AppCommandOptionType.string.value, True)
        assert option["autocomplete"]


def test_what_needs_a_server_is_offered_in_servers_only(payloads: list[Payload]) -> None:
    contexts: dict[str, list[int] | None] = {payload["name"]: payload["contexts"] for payload in payloads}
    assert contexts["character"] == [0]
    assert all(contexts[menu] == [0] for menu in MENUS)
    for name in ("help", "ping", "privacy"):
        offered = contexts[name]
        assert offered is None or 1 in offered


def test_nothing_is_hidden_from_anybody_by_default_but_what_is_for_staff_as_a_whole(payloads: list[Payload]) -> None:
    """Discord's own permissions are for a whole group; who may use a subcommand is checked when it runs."""
    hidden = {payload["name"]: payload["default_member_permissions"] for payload in payloads}
    assert hidden.pop("server") == Permissions(manage_guild=True).value
    assert set(hidden.values()) == {None}
    assert not any(payload["nsfw"] for payload in payloads)


async def test_help_tells_of_every_command(world: World) -> None:
    guild = world.discord.add_guild("Writers")
    channel = guild.add_channel("general")
    async with world.bot() as running:
        result = await guild.owner.slash(channel, "help")
        tree = running.client.tree
        slash = [command for command in tree.walk_commands() if isinstance(command, app_commands.Command)]
        menus = [
            menu.name for kind in (AppCommandType.user, AppCommandType.message) for menu in tree.get_commands(type=kind)
        ]
    assert result.message is not None
    text = result.message.embeds[0]["description"]
    assert len(slash) > 10
    for command in slash:
        assert re.search(rf"</{command.qualified_name}:\d+> {re.escape(command.description)}", text), command.name
    for name in menus:
        assert name in text


def test_discord_has_taken_exactly_these(built: Application, world: World, payloads: list[Payload]) -> None:
    """Discord's published description was held against the request; the end of the test looks at what came of it."""
    (request,) = (request for request in world.discord.requests if request.method == "PUT")
    assert request.route == "/applications/{application_id}/commands"
    sent = objects_of(request.json)
    assert sorted(command["name"] for command in sent) == sorted(payload["name"] for payload in payloads)
    assert set(built.sync.ids) == {payload["name"] for payload in payloads}


def test_no_cog_covers_a_method_of_the_library(built: Application) -> None:
    inherited = {name for name, _ in inspect.getmembers(commands.GroupCog) if not name.startswith("__")}
    covered = {
        f"{type(cog).__name__}.{name}"
        for cog in built.client.cogs.values()
        for name in vars(type(cog))
        if name in inherited and name not in {"cog_load", "cog_unload"}
    }
    assert covered == set()


def test_one_place_alone_answers_failures(built: Application) -> None:
    """Handlers of commands and groups run beside the tree's own, which would answer twice."""
    for command in built.client.tree.walk_commands():
        own = command.on_error
        assert own is None or hasattr(own, "__discord_app_commands_base_function__")
        if isinstance(command, app_commands.Command):
            assert getattr(command.binding, "__discord_app_commands_error_handler__", None) is None
