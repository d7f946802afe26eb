"""The import rules of the design, checked over the source: who may know whom, and who may know which library."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]

DOMAIN, NANOGPT, STORE = "domain", "nanogpt", "store"
SERVICES, GATEWAY, VIEWS, COGS = "services", "gateway", "views", "cogs"
SANDBOX, COMPOSITION, APP, MAIN = "sandbox", "composition", "app", "__main__"

MAY_IMPORT: Final[dict[str, set[str]]] = {
    "__init__": set(),
    "errors": set(),
    "logs": set(),
    DOMAIN: set(),
    NANOGPT: {DOMAIN},
    STORE: {DOMAIN},
    SERVICES: {DOMAIN, NANOGPT, STORE, "errors"},
    GATEWAY: {SERVICES, DOMAIN, NANOGPT, STORE, "errors"},
    VIEWS: {GATEWAY, SERVICES, DOMAIN, "errors"},
    COGS: {VIEWS, GATEWAY, SERVICES, DOMAIN, "errors"},
    "config": {DOMAIN, "errors"},
    COMPOSITION: {COGS, VIEWS, GATEWAY, SERVICES, DOMAIN, NANOGPT, STORE, "config"},
    APP: {COMPOSITION, GATEWAY, SERVICES, DOMAIN, NANOGPT, "config"},
    MAIN: {APP, STORE, SANDBOX, "errors", "config", "logs", "__init__"},
    SANDBOX: set(),
}
"""By the first name under `bot`; a package may always import itself."""

LIBRARIES: Final[dict[str, tuple[str, ...]]] = {
    "discord": ("gateway/", "views/", "cogs/", "composition/set_up.py"),
    "yarl": ("gateway/endpoints.py", "gateway/attachments.py"),
    "httpx": ("nanogpt/transport.py",),
    "aiosqlite": ("store/database.py", "store/migrations/"),
    "aiohttp": ("sandbox/", "gateway/attachments.py", "gateway/failures.py", "gateway/rate_limits.py"),
    "pydantic": ("config.py", "nanogpt/", "store/"),
    "pydantic_core": ("config.py",),
    "pydantic_settings": ("config.py",),
    "cryptography": ("store/vault.py",),
    "rapidfuzz": ("services/name_index.py",),
    "orjson": ("nanogpt/jsonvalue.py",),
}
"""Who may import a library: files and folders under `bot`. gateway/rate_limits.py needs aiohttp's TraceConfig,
the only way in which discord.py shows the headers of an answer; gateway/failures.py its errors, which discord.py lets
through as they are."""
COMES_WITH_DISCORD_PY: Final = frozenset({"aiohttp", "yarl"})
COMES_WITH_PYDANTIC: Final = frozenset({"pydantic_core"})

IMPURE: Final = frozenset(
    {
        *("asyncio", "concurrent", "ctypes", "getpass", "io", "logging", "multiprocessing", "os", "pathlib", "queue"),
        *("random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys"),
        *("tempfile", "threading", "time", "urllib.request", "uuid", "warnings"),
    }
)
"""Modules with a clock, a die, a log or the outside in them: not for the domain."""
CLOCKS: Final = frozenset({"now", "utcnow", "today"})
VAGUE_NAMES: Final = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "tools"})
MUTATORS: Final = frozenset(
    {
        *("add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse"),
        *("setdefault", "sort", "update"),
    }
)


@dataclass(frozen=True)
class Module:
    """One file of the bot: its path under `bot`, and what it says."""

    path: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """Return the first name under `bot`, which is what the rules go by."""
        return self.path.removesuffix(".py").split("/", 1)[0]

    @property
    def imports(self) -> Iterator[tuple[int, str]]:
        """Return the line and the full name of everything imported, wherever in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


@cache
def modules() -> tuple[Module, ...]:
    return tuple(
        Module(path.relative_to(ROOT / "bot").as_posix(), ast.parse(path.read_text("utf-8")))
        for path in sorted((ROOT / "bot").rglob("*.py"))
    )


def one(path: str, source: str) -> list[Module]:
    return [Module(path, ast.parse(source))]


def part_of(imported: str) -> str:
    """Return the part of the bot that an imported name belongs to; `from bot import __version__` is the package."""
    part = [*imported.split("."), ""][1]
    return part if part in MAY_IMPORT and part != "" else "__init__"


def forbidden_edges(found: Iterable[Module]) -> list[str]:
    """List imports between parts of the bot that the layering does not allow, and relative ones."""
    return [
        f"{module.path}:{line} imports {name}"
        for module in found
        for line, name in module.imports
        if name.startswith(".")
        or (
            name.split(".")[0] == "bot"
            and part_of(name) != module.part
            and part_of(name) not in MAY_IMPORT.get(module.part, set())
        )
    ]


def misplaced_libraries(found: Iterable[Module]) -> list[str]:
    """List imports of libraries outside their places; a library that is in no table has no place yet."""
    return [
        f"{module.path}:{line} imports {name}"
        for module in found
        for line, name in module.imports
        if (library := name.split(".")[0]) not in sys.stdlib_module_names
        and library not in {"bot", ""}
        and not module.path.startswith(LIBRARIES.get(library, ("nowhere",)))
    ]


def impurities(found: Iterable[Module]) -> list[str]:
    """List what the domain does that is more than deciding: clocks, dice, logs, files, waiting."""
    problems: list[str] = []
    for module in found:
        if module.part != DOMAIN:
            continue
        problems += [
            f"{module.path}:{line} imports {name}"
            for line, name in module.imports
            if any(name == impure or name.startswith(f"{impure}.") for impure in IMPURE)
        ]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                problems.append(f"{module.path}:{node.lineno} waits")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
                problems.append(f"{module.path}:{node.lineno} asks what time it is")
    return problems


def globals_that_change(found: Iterable[Module]) -> list[str]:
    """List `global` statements, containers at the top of a module that something there changes, and ones that
    are not Final."""
    problems: list[str] = []
    for module in found:
        containers: set[str] = set()
        for node in module.tree.body:
            name = _top_level_container(node)
            if name is None:
                continue
            containers.add(name)
            if not (isinstance(node, ast.AnnAssign) and "Final" in ast.unparse(node.annotation)) and name != "__all__":
                problems.append(f"{module.path}:{node.lineno} {name} is not Final")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Global):
                problems.append(f"{module.path}:{node.lineno} global {', '.join(node.names)}")
            elif isinstance(node, ast.expr | ast.stmt) and _changed_name(node) in containers:
                problems.append(f"{module.path}:{node.lineno} changes {_changed_name(node)}")
    return problems


def _top_level_container(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    elif isinstance(node, ast.AnnAssign):
        target, value = node.target, node.value
    else:
        return None
    is_container = isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp) or (
        isinstance(value, ast.Call)
        and ast.unparse(value.func).split("[")[0].split(".")[-1]
        in {"list", "dict", "set", "deque", "defaultdict", "Counter"}
    )
    return target.id if is_container and isinstance(target, ast.Name) else None


def _changed_name(node: ast.AST) -> str | None:
    """Return the name that a piece of code changes in place."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in MUTATORS:
            return name
        case ast.AugAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def patched_libraries(found: Iterable[Module]) -> list[str]:
    """List assignments to attributes of what a library gave: monkey-patching."""
    problems: list[str] = []
    for module in found:
        foreign = {
            (alias.asname or alias.name).split(".")[0]
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
            if (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0] in LIBRARIES
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Assign):
                problems += [
                    f"{module.path}:{node.lineno} assigns {ast.unparse(target)}"
                    for target in node.targets
                    if isinstance(target, ast.Attribute) and ast.unparse(target).split(".")[0] in foreign
                ]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
                problems.append(f"{module.path}:{node.lineno} calls setattr")
    return problems


def vague_names(found: Iterable[Module]) -> list[str]:
    """List files and folders that say nothing of what is in them."""
    return [module.path for module in found if VAGUE_NAMES & set(module.path.removesuffix(".py").split("/"))]


def test_imports_run_downwards_only() -> None:
    assert forbidden_edges(modules()) == []


def test_libraries_are_imported_in_their_places_only() -> None:
    assert misplaced_libraries(modules()) == []


def test_the_domain_only_decides() -> None:
    assert impurities(modules()) == []


def test_no_state_lives_in_a_module() -> None:
    assert globals_that_change(modules()) == []


def test_libraries_are_patched_in_one_place_only() -> None:
    elsewhere = [problem for problem in patched_libraries(modules()) if not problem.startswith("gateway/endpoints.py:")]
    assert elsewhere == []


def test_no_file_is_called_utils() -> None:
    assert vague_names(modules()) == []


def test_every_part_of_the_bot_has_a_rule() -> None:
    assert {module.part for module in modules()} <= set(MAY_IMPORT)


def test_every_library_that_is_imported_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = [re.split(r"[\[<>=~! ]", dependency)[0] for dependency in project["dependencies"]]
    declared = {name.replace("-", "_").removesuffix(".py") for name in names}
    assert set(LIBRARIES) - COMES_WITH_DISCORD_PY - COMES_WITH_PYDANTIC == declared


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("domain/x.py", "from bot.services.clock import Clock"),
        ("store/x.py", "import bot.nanogpt.client"),
        ("nanogpt/x.py", "from bot.store.state import State"),
        ("nanogpt/x.py", "from bot.errors import UserError"),
        ("services/x.py", "from bot.gateway import places"),
        ("cogs/x.py", "from bot.store.state import State"),
        ("gateway/x.py", "from bot.views.base import AnsweringItem"),
        ("services/x.py", "from bot import app"),
        ("services/x.py", "def late():\n    import bot.app"),
        ("services/x.py", "from bot.composition.stores import Stores"),
        ("cogs/x.py", "from bot import composition"),
        ("__main__.py", "from bot.composition.checking import open_checking"),
        ("composition/x.py", "from bot.app import Application"),
        ("app.py", "from bot.store.database import Database"),
        ("sandbox/discord/x.py", "from bot.domain.ids import UserId"),
        ("services/x.py", "from bot.sandbox import tour"),
        ("app.py", "from bot.sandbox.demo import Demo"),
        ("services/x.py", "from . import clock"),
        ("services/x.py", "from bot.config import Settings"),
    ],
)
def test_an_import_against_the_layers_is_found(path: str, source: str) -> None:
    assert len(forbidden_edges(one(path, source))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("services/x.py", "import discord"),
        ("__main__.py", "import discord"),
        ("app.py", "import discord"),
        ("composition/talk.py", "from discord import app_commands"),
        ("composition/nanogpt.py", "import httpx"),
        ("nanogpt/sse.py", "import httpx"),
        ("store/state.py", "import aiosqlite"),
        ("gateway/client.py", "from aiohttp import ClientError"),
        ("services/x.py", "import requests"),
    ],
)
def test_a_library_out_of_its_place_is_found(path: str, source: str) -> None:
    assert len(misplaced_libraries(one(path, source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from time import monotonic",
        "import logging",
        "import os.path",
        "from datetime import datetime\nstart = datetime.now()",
        "async def decide(): ...",
    ],
)
def test_an_impure_domain_is_found(source: str) -> None:
    assert len(impurities(one("domain/x.py", source))) == 1
    assert impurities(one("services/x.py", source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    global n\n    n = 1",
        "CACHE = {}",
        "CACHE: Final = {}\ndef f(k):\n    CACHE[k] = 1",
        "SEEN: Final[set[int]] = set()\ndef f(k):\n    SEEN.add(k)",
        "SEEN: Final = list[int]()\ndef f(k):\n    SEEN.append(k)",
    ],
)
def test_a_global_that_changes_is_found(source: str) -> None:
    assert len(globals_that_change(one("services/x.py", source))) == 1


@pytest.mark.parametrize(
    "source",
    ["import discord\ndiscord.Asset.BASE = ''", "from httpx import Client\nClient.get = None", "setattr(a, 'b', 1)"],
)
def test_a_patched_library_is_found(source: str) -> None:
    assert len(patched_libraries(one("services/x.py", source))) == 1
