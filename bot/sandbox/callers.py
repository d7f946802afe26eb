"""Who may call a stand-in: programs, and no web page, wherever it is from. Pure."""

from typing import Final

HOST: Final = "127.0.0.1"
"""The only address that a stand-in listens on."""
NAMES: Final = (HOST, "localhost")


def is_for(host: str | None, port: int | None) -> bool:
    """Tell whether a Host header names this machine; DNS rebinding lets a page's own name point here."""
    return host in {f"{name}:{port}" for name in NAMES}


def is_program(host: str | None, origin: str | None, port: int | None) -> bool:
    """Tell whether a program asks: a browser tells the Origin of whatever a page sends or may read."""
    return origin is None and is_for(host, port)


def is_own_form(host: str | None, origin: str | None, port: int | None) -> bool:
    """Tell whether a form is sent by the page of the same host, or by a program."""
    return is_for(host, port) and origin in {None, f"http://{host}"}
