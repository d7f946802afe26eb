"""Which route a request is for."""

from typing import Final
from urllib.parse import unquote

from bot.sandbox.nanogpt.catalog import RESERVED_SLUG
from bot.sandbox.nanogpt.faults import Route

API: Final = "/api/v1"
_FIXED: Final = {route.value: route for route in Route if "{" not in route.value and route is not Route.RESPONSES}
_OF_CHARACTER: Final[dict[tuple[str, tuple[str, ...]], Route]] = {
    ("GET", ()): Route.CHARACTER,
    ("PATCH", ()): Route.CHANGE,
    ("DELETE", ()): Route.ARCHIVE,
    ("POST", ("report",)): Route.REPORT,
    ("PUT", ("review",)): Route.REVIEW,
}
"""By what follows the id or slug."""


def path_of(raw_path: str) -> str:
    """Return a path as it is recorded: percent-decoded, and below the API without the API's own."""
    return unquote(raw_path.removeprefix(API) if raw_path.startswith(f"{API}/") else raw_path)


def route_of(method: str, raw_path: str, *, direct: bool) -> tuple[Route | None, str]:
    """Return the route, or None for none that is known, with the id or slug in it."""
    below = raw_path.startswith(f"{API}/")
    path = raw_path.removeprefix(API) if below else raw_path
    if below and (method, path) == ("POST", "/responses"):
        return Route.RESPONSES, ""
    if direct:
        return None, ""
    # A path of one kind must not pass for one of the other.
    fixed = _FIXED.get(f"{method} {path}")
    if fixed is not None and below != fixed.beside_api:
        return fixed, ""
    match [unquote(segment) for segment in path.split("/")]:
        case ["", "characters", name, *rest] if below and name and name != RESERVED_SLUG:
            return _OF_CHARACTER.get((method, tuple(rest))), name
        case _:
            return None, ""
