"""Requests checked against Discord's published API description, where that file is at hand.

The file is not copied into this project. It is looked for at $DISCORD_OPENAPI, else beside the checkout at
../shared/reference/discord-openapi.json. With CI=true it must be there; without, the check is off and the summary
says so. In a conftest: `from tests.support.openapi import discord_request_check, pytest_terminal_summary`.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, cast

import pytest
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from bot.sandbox.discord import RecordedRequest

RequestCheck: TypeAlias = Callable[[RecordedRequest], str | None]
"""Says what is wrong with a request, None when nothing is: what `DiscordSandbox.request_validators` takes."""

_BASE: Final = "urn:discord-http-api"
_BESIDE_CHECKOUT: Final = Path("shared", "reference", "discord-openapi.json")
_JSON: Final = "application/json"
_SNOWFLAKES: Final = (
    "_id",
    "attachments.id",
    "default_values.id",
    "allowed_mentions.users",
    "allowed_mentions.roles",
    ".applied_tags",
    ".messages",
    ".sticker_ids",
)
_SHOWN: Final = 60
_SAID: Final = 300


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterator[ValidationError]: ...


class TerminalReporter(Protocol):
    """The one method that is used of pytest's own reporter."""

    def write_line(self, line: str) -> None:
        """Write a line of the summary."""


class RequestValidator:
    """Check request bodies and query names by method and path template.

    One validator is compiled for each operation, at its first request.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._paths: Mapping[str, Any] = description["paths"]
        resource = Resource[Any](contents=dict(description), specification=DRAFT202012)
        self._registry: Registry[Any] = Registry[Any]().with_resource(_BASE, resource)
        self._compiled: dict[tuple[str, str], _Validator] = {}
        self._found: dict[tuple[str, str, str], str | None] = {}

    @classmethod
    def load(cls, path: Path) -> "RequestValidator":
        """Read the description from its file."""
        return cls(json.loads(path.read_text("utf-8")))

    def __call__(self, request: RecordedRequest) -> str | None:
        """Return the first thing that is wrong, None when nothing is."""
        path: Mapping[str, Any] | None = self._paths.get(request.route)
        operation: Mapping[str, Any] | None = None if path is None else path.get(request.method.lower())
        if path is None or operation is None:
            return "the description has no such operation"
        known = {each["name"] for each in (*path.get("parameters", ()), *operation.get("parameters", ()))}
        stray = set(request.params) - known
        if stray:
            return f"unknown query parameters {sorted(stray)}"
        if "requestBody" not in operation:
            return None if request.json is None else "a body where none belongs"
        if request.json is None:
            return "a body is missing" if operation["requestBody"].get("required") else None
        return self._problem(request)

    def _problem(self, request: RecordedRequest) -> str | None:
        # Some bodies come again and again, such as that with all commands, which takes longest.
        key = (request.method, request.route, json.dumps(request.json))
        if key not in self._found:
            errors = list(self._validator(request).iter_errors(_as_published(request.json)))
            self._found[key] = None if not errors else _say(_telling(errors))
        return self._found[key]

    def _validator(self, request: RecordedRequest) -> _Validator:
        key = (request.method, request.route)
        if key not in self._compiled:
            path = request.route.replace("~", "~0").replace("/", "~1")
            kind = _JSON.replace("/", "~1")
            pointer = f"{_BASE}#/paths/{path}/{request.method.lower()}/requestBody/content/{kind}/schema"
            compiled = OAS31Validator({"$ref": pointer}, registry=self._registry)
            self._compiled[key] = cast("_Validator", compiled)
        return self._compiled[key]


def _telling(errors: Sequence[ValidationError]) -> ValidationError:
    """Return the deepest error: in a union of shapes, that of the shape which came closest."""
    found = max(errors, key=_depth)
    while found.context:
        found = max(found.context, key=_depth)
    return found


def _depth(error: ValidationError) -> tuple[int, bool]:
    path = list(error.absolute_path)
    return len(path), bool(path) and path[-1] != "type"


def _say(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path) or "body"
    instance = repr(error.instance)
    shown = instance if len(instance) <= _SHOWN else f"{instance[:_SHOWN]}…"
    return f"{where}: {error.message.replace(instance, shown)[:_SAID]}"


def _as_published(value: object, key: str = "") -> object:
    """Write snowflakes as strings, as the description wants them; Discord takes integers too, discord.py sends them.

    A component's `id` is a small integer and stays one.
    """
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {name: _as_published(each, f"{key}.{name}") for name, each in items}
    if isinstance(value, list):
        return [_as_published(each, key) for each in cast("list[object]", value)]
    if isinstance(value, int) and not isinstance(value, bool) and key.endswith(_SNOWFLAKES):
        return str(value)
    return value


def description_path() -> Path | None:
    """Return where the description lies, None when it is nowhere."""
    named = os.environ.get("DISCORD_OPENAPI")
    path = Path(named) if named else Path(__file__).resolve().parents[3] / _BESIDE_CHECKOUT
    return path if path.is_file() else None


def description_is_required() -> bool:
    """Tell whether a missing description must fail the tests."""
    return os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def discord_request_check() -> RequestCheck:
    """Return the check to put into `DiscordSandbox.request_validators`; without the file it finds nothing wrong."""
    path = description_path()
    if path is not None:
        return RequestValidator.load(path)
    if description_is_required():
        pytest.fail("Discord's API description is missing; set DISCORD_OPENAPI to its path")
    return lambda _: None


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say once that requests were not checked, when the description is missing."""
    if description_path() is None:
        terminalreporter.write_line(
            "Requests to Discord were not checked: its API description is not at hand (set DISCORD_OPENAPI)."
        )


def shape_problem(description: Mapping[str, Any], name: str, value: object) -> str | None:
    """Return what keeps a value from being one of the description's named schemas, None when it fits."""
    resource = Resource[Any](contents=dict(description), specification=DRAFT202012)
    registry = Registry[Any]().with_resource(_BASE, resource)
    compiled = cast("_Validator", OAS31Validator({"$ref": f"{_BASE}#/components/schemas/{name}"}, registry=registry))
    errors = list(compiled.iter_errors(value))
    return None if not errors else _say(_telling(errors))
