"""The application's commands: registering them, and finding one by the words that a person types."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.sandbox.discord.command_rules import CommandKind, check_commands, kind_of
from bot.sandbox.discord.errors import RefusalError, SandboxError, unknown
from bot.sandbox.discord.json_types import JsonObject, as_text, objects_of
from bot.sandbox.discord.requests import Call, Reply, Route
from bot.sandbox.discord.sights import Rearranged

if TYPE_CHECKING:
    from bot.sandbox.discord.world import World


class CommandRegistry:
    """Keep the commands of the application, global ones and each server's own."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._sets: dict[int | None, list[JsonObject]] = {}

    def routes(self) -> list[Route]:
        """Return the routes served here."""
        everywhere = "/applications/{application_id}/commands"
        guild = "/applications/{application_id}/guilds/{guild_id}/commands"
        return [
            Route("GET", everywhere, self._read),
            Route("PUT", everywhere, self._overwrite),
            Route("GET", guild, self._read),
            Route("PUT", guild, self._overwrite),
        ]

    def of(self, guild_id: int | None) -> list[JsonObject]:
        """Return the commands of one server (None: the global ones)."""
        return self._sets.get(guild_id, [])

    def offered(self, guild_id: int | None) -> list[JsonObject]:
        """Return every command that a server has, its own ones first."""
        return [*self.of(guild_id), *(self.of(None) if guild_id is not None else ())]

    def find(self, guild_id: int | None, kind: CommandKind, name: str) -> JsonObject:
        """Return a command that is offered in a server; raises SandboxError when there is none of that name."""
        offered = self.offered(guild_id)
        for command in offered:
            if command["name"] == name and kind_of(command) is kind:
                return command
        known = sorted(as_text(command["name"]) for command in offered if kind_of(command) is kind)
        raise SandboxError(f"no command is called {name!r}; there are {known}")

    def _scope(self, call: Call) -> int | None:
        if call.path["application_id"] != str(self._world.application_id):
            raise unknown(10002, "Application")
        if "guild_id" not in call.path:
            return None
        guild_id = call.snowflake("guild_id", 10004, "Guild")
        if guild_id not in self._world.guilds:
            raise RefusalError(403, 50001, "Missing Access")
        return guild_id

    def _read(self, call: Call) -> Reply:
        return Reply(self.of(self._scope(call)))

    def _overwrite(self, call: Call) -> Reply:
        scope = self._scope(call)
        return Reply(self.register(objects_of(call.body), scope))

    def register(self, commands: Sequence[JsonObject], scope: int | None = None) -> list[JsonObject]:
        """Replace the commands of a server (None: the global ones); raises RefusalError when a limit is broken."""
        check_commands(commands)
        before = {(kind_of(command), command["name"]): command["id"] for command in self.of(scope)}
        self._sets[scope] = [self._stored(command, scope, before) for command in commands]
        self._world.show(Rearranged())
        return self._sets[scope]

    def _stored(self, command: JsonObject, scope: int | None, before: dict[tuple[CommandKind, Any], Any]) -> JsonObject:
        kept: Any = before.get((kind_of(command), command.get("name")))
        stored: JsonObject = {
            "description": "",
            "default_member_permissions": None,
            "dm_permission": True,
            "contexts": None,
            "integration_types": [0],
            "nsfw": False,
            "options": [],
        }
        stored |= command
        stored |= {
            "id": kept or str(self._world.snowflakes.next()),
            "application_id": str(self._world.application_id),
            "version": str(self._world.snowflakes.next()),
            "type": int(kind_of(command)),
        }
        return stored if scope is None else stored | {"guild_id": str(scope)}


def leaves(command: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return what can be typed: the command itself, or each of its subcommands, with the words that lead to it."""

    def below(words: str, node: JsonObject) -> list[tuple[str, JsonObject]]:
        steps = [option for option in objects_of(node.get("options")) if option["type"] in {1, 2}]
        if not steps:
            return [(words, node)]
        return [leaf for step in steps for leaf in below(f"{words} {step['name']}", step)]

    return below(as_text(command["name"]), command)


def descend(command: JsonObject, words: Sequence[str]) -> list[JsonObject]:
    """Return the subcommand options that the words after a command's name lead through, outermost first.

    Raises SandboxError for a word that leads nowhere, and for a group without its subcommand.
    """
    path: list[JsonObject] = []
    options = objects_of(command.get("options"))
    for word in words:
        step = next((option for option in options if option["name"] == word and option["type"] in {1, 2}), None)
        if step is None:
            raise SandboxError(f"{command['name']} has no subcommand {word!r}")
        path.append(step)
        options = objects_of(step.get("options"))
    if any(option["type"] in {1, 2} for option in options):
        raise SandboxError(f"{command['name']} {' '.join(words)} needs a subcommand")
    return path
