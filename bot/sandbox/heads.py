"""The heads of requests: what stands on the wire before any body, as it was sent."""

from dataclasses import dataclass, field
from typing import Self

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Head:
    """The request line and the headers of one HTTP request: both may hold tokens and keys, and are not for showing."""

    method: str
    address: str = field(repr=False)
    """Path and query, still percent-encoded."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def of(cls, request: web.BaseRequest) -> Self:
        """Take the head of a request down."""
        return cls(request.method, request.raw_path, tuple(request.headers.items()))
