"""One REST call: as it came in, as it is recorded, and as it is answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from aiohttp import BodyPartReader, hdrs, web

from bot.sandbox.discord.errors import invalid_form, unknown
from bot.sandbox.discord.json_types import JsonObject, as_object

NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file of a multipart request."""

    field: str
    filename: str
    content_type: str
    content: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """All that its part of the request had, as they were sent."""


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """What was asked, without any token: `route` is the template of Discord's API description.

    `ids` are the path's parameters but tokens, `params` the query, `json` the body (of a multipart request its
    `payload_json`), `status` the answer (0 until there is one, or when the connection was cut), times in Unix seconds.
    """

    at: float
    method: str
    route: str
    ids: dict[str, str]
    params: dict[str, str]
    json: Any
    files: tuple[UploadedFile, ...]
    authorised: bool
    status: int = 0
    code: int | None = None
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` None is 204 No Content."""

    body: Any = None
    status: int = 200


class Auth(Enum):
    """Who may call a route."""

    BOT = "the bot's token"
    PATH = "the token in the path"


@dataclass(slots=True)
class Call:
    """A routed request, ready for its handler."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any
    files: tuple[UploadedFile, ...] = ()
    record: RecordedRequest | None = None

    def snowflake(self, name: str, code: int, what: str) -> int:
        """Read an id of the path; one that is no number is answered like an unknown one."""
        text = self.path[name]
        if not text.isdigit():
            raise unknown(code, what)
        return int(text)

    @property
    def json(self) -> JsonObject:
        """Return the body as an object; anything else is an invalid form."""
        if self.body is None:
            return {}
        found = as_object(self.body)
        if found is None:
            raise invalid_form("_", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return found

    def flag(self, name: str) -> bool:
        """Read a yes-or-no parameter of the query."""
        return self.query.get(name, "").lower() in {"1", "true"}

    def number(self, name: str) -> int | None:
        """Read a numeric parameter of the query."""
        text = self.query.get(name, "")
        return int(text) if text.isdigit() else None


Handler: TypeAlias = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path template with its handler."""

    method: str
    template: str
    handler: Handler
    auth: Auth = Auth.BOT
    segments: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.template.strip("/").split("/")))


async def read_body(request: web.BaseRequest, decode: Callable[[bytes], Any]) -> tuple[Any, tuple[UploadedFile, ...]]:
    """Read a JSON or multipart body; raises ValueError for JSON that does not parse."""
    if not request.can_read_body:
        return None, ()
    if request.headers.get(hdrs.CONTENT_TYPE, "").startswith("multipart/"):
        return await _read_multipart(request, decode)
    raw = await request.read()
    return (decode(raw) if raw else None), ()


async def _read_multipart(
    request: web.BaseRequest, decode: Callable[[bytes], Any]
) -> tuple[Any, tuple[UploadedFile, ...]]:
    body: Any = None
    files: list[UploadedFile] = []
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read(decode=False))
        if part.name == "payload_json":
            body = decode(content)
        else:
            kind = part.headers.get(hdrs.CONTENT_TYPE, "application/octet-stream")
            headers = tuple(part.headers.items())
            files.append(UploadedFile(part.name or "", part.filename or "", kind, content, headers))
    return body, tuple(files)
