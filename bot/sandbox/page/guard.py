"""Who may talk to the page's server: only a page that this server itself has served, on this machine. Pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.sandbox.callers import NAMES

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer, whatever it is."""


class Verdict(Enum):
    """What becomes of a request."""

    WELCOME = "welcome"
    WRONG_HOST = "wrong host"
    """A name that somebody else let point to this machine, as in DNS rebinding."""
    WRONG_ORIGIN = "wrong origin"
    """A page of another origin asks."""
    WRONG_ADDRESS = "wrong address"
    """One that was guessed: its token is another."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Checks requests for one port and one token."""

    port: int
    token: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return what a Host header may say."""
        return tuple(f"{name}:{self.port}" for name in NAMES)

    def judge(
        self, path: str, *, host: str | None, origin: str | None, is_socket: bool, sends: bool = False
    ) -> Verdict:
        """Decide on a request; `sends` says that it brings something.

        A browser tells the origin of every socket and of all that it sends, so one without comes from none.
        """
        if host not in self.hosts:
            return Verdict.WRONG_HOST
        if (origin is None and (is_socket or sends)) or (origin is not None and origin != f"http://{host}"):
            return Verdict.WRONG_ORIGIN
        given = path.removeprefix("/").split("/", 1)[0]
        # Bytes, because compare_digest takes no text beyond ASCII.
        same = hmac.compare_digest(given.encode(errors="replace"), self.token.encode())
        return Verdict.WELCOME if same else Verdict.WRONG_ADDRESS
