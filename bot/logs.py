"""The log: one line per event on standard error, in UTC, with every secret left out.

Redaction is the last step of formatting, so that it covers tracebacks and the lines of libraries too. At
DEBUG discord.py logs whole gateway events and request bodies, message texts included; of those only the
kind and the size are kept. Libraries that log what people search for, or SQL with its values, are kept at
WARNING whatever the level.
"""

import copy
import logging
import re
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Final, TextIO, cast
from urllib.parse import quote

LINE_FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"
REDACTED: Final = "[redacted]"
HELD_AT_WARNING: Final = ("aiosqlite", "httpcore", "httpx")
_LEAST_SECRET_CHARACTERS: Final = 4
"""Shorter ones would be found in ordinary words."""

_PATTERNS: Final = (
    # A bot token: the bot's id in base64, a time, a signature.
    (re.compile(r"\b[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,}"), REDACTED),
    # The token that follows the id of a webhook, an interaction or an application in an address.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?#\"'<>)]+"), rf"\1{REDACTED}"),
    # The same, as a rate-limit bucket's key joins them.
    (re.compile(r"(\b\d{15,20}[+:/])[\w-]{60,}"), rf"\1{REDACTED}"),
    # An interaction's token on its own: "interaction:" in base64, and on.
    (re.compile(r"\baW50ZXJhY3Rpb246[\w+/=-]*"), REDACTED),
    (re.compile(r"\bsk-nano-[\w-]+"), REDACTED),
    (re.compile(r"\b((?:Bearer|Bot)\s+)[\w.~+/=-]{16,}"), rf"\1{REDACTED}"),
    # A member or header named after a secret, in JSON, in a repr or in a header dump.
    (
        re.compile(
            r"(?P<name>\b(?:token|access_token|api[_-]key|x-api-key|authorization|device_code)\b\\?[\"']?\s*[:=,]\s*)"
            r"b?(?P<quote>\\?[\"'])(?:(?!(?P=quote)).)*",
            re.IGNORECASE,
        ),
        rf"\g<name>\g<quote>{REDACTED}",
    ),
    (re.compile(r"(\bx-api-key\s*[:=]\s*)[^\s\"',)]+", re.IGNORECASE), rf"\1{REDACTED}"),
)


class Redactor:
    """Replaces secrets in text: the known ones, and whatever has the shape of one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        known = sorted((form for form in spellings if len(form) >= _LEAST_SECRET_CHARACTERS), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


class SafeFormatter(logging.Formatter):
    """Formats one event as one line, in UTC, and redacts the result, traceback included."""

    converter = time.gmtime

    def __init__(self, redact: Redactor) -> None:
        super().__init__(LINE_FORMAT, TIME_FORMAT)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Format a copy of the record, so that other handlers get it as it was."""
        shown = copy.copy(record)
        if shown.name.partition(".")[0] == "discord" and shown.levelno <= logging.DEBUG:
            shown.args = _without_payloads(shown.args)
        shown.msg, shown.args = _one_line(shown.getMessage()), None
        shown.exc_text = None
        return self._redact(super().format(shown))


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error; an event that cannot be formatted costs a line and never its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the standard library's
        """Say that an event was lost: the standard library would print its arguments, unredacted."""
        self.stream.write(f"A log event of {record.name} at {record.pathname}:{record.lineno} could not be written.\n")


def configure(level: str, secrets: Iterable[str], *, stream: TextIO | None = None) -> None:
    """Send all logging to standard error, or to `stream`, from a level such as "INFO" up.

    May be called again, with more secrets or another level; it replaces its own handler and no other.
    """
    handler = StderrHandler(stream or sys.stderr)
    handler.setFormatter(SafeFormatter(Redactor(secrets)))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, StderrHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in HELD_AT_WARNING:
        logging.getLogger(name).setLevel(logging.WARNING)


_Arguments = tuple[object, ...] | Mapping[str, object] | None


def _without_payloads(arguments: _Arguments) -> tuple[object, ...] | None:
    """Describe arguments that are whole events or bodies, in place of showing them."""
    if not arguments:
        return None
    if isinstance(arguments, Mapping):  # logging unpacks a lone dictionary
        return (_described(arguments),)
    return tuple(_described(argument) for argument in arguments)


def _described(argument: object) -> object:
    if isinstance(argument, Mapping):
        kind = cast("Mapping[str, object]", argument).get("t")
        name = kind if isinstance(kind, str) else "a payload"
        return f"<{name}, {len(str(cast('object', argument)))} characters>"
    if isinstance(argument, bytes | list | tuple) or (
        isinstance(argument, str) and argument.lstrip()[:1] in {"{", "["}
    ):
        return f"<a payload, {len(str(cast('object', argument)))} characters>"
    return argument


def _one_line(message: str) -> str:
    """Escape what would let a message break out of its line, or steer a terminal."""
    if message.isprintable():
        return message
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in message)
