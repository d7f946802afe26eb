"""That nothing secret or private stands in the log or in the clear in the database, and nothing secret is sent."""

import io
import logging
import re
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final

from bot import logs
from bot.sandbox.discord.events import Event
from bot.sandbox.discord.interaction_model import InteractionType
from bot.sandbox.discord.json_types import JsonObject, as_object, as_text, objects_of
from bot.sandbox.nanogpt.faults import Route
from tests.end_to_end.world import World

LEAST_CHARACTERS: Final = 8
"""Shorter lines, and single words, are met by chance."""
DEVICE_CODES: Final = "fake-device-code-"
"""What the stand-in's device codes begin with: whoever has one gets the key."""
_SPOKEN_AS_BOT: Final = re.compile(r"\*\*[^\n]*\*\*\n(.*)", re.DOTALL)
_MACRO: Final = re.compile(r"\\{\\{[a-z]+\\}\\}")
_TEXT_INPUT: Final = 4
_KEY_FIELD: Final = "key"
"""The custom id of the field that keys are pasted into, in every form."""


class Secrecy:
    """Listens to a world, and looks for what it heard where it must not be."""

    def __init__(self, world: World, log: io.StringIO) -> None:
        self._world = world
        self._log = log
        self.secrets = {world.discord.token, world.upstream.operator_key}
        self.texts: set[str] = set()
        self._published: set[str] = set()
        world.discord.world.subscribe(self._hear)

    def check(self) -> None:
        """Raise AssertionError where a secret or a person's or a character's words can be read."""
        written = {"the log": self._log.getvalue()}
        for file in (*self._world.folder.iterdir(), *self._world.folder.glob("bot.files/*")):
            if file.name.startswith("bot.db") or file.name == "bot.log" or file.parent.name == "bot.files":
                written[file.name] = file.read_bytes().decode("utf-8", "replace")
        secret = self._look(written)
        for where, content in self._sent():
            told = [each for each in secret if each in content]
            assert not told, f"{where} tells {told}"
        headers = {call.key_header for call in self._world.upstream.calls if call.key_header is not None}
        assert headers <= {"Authorization"}, f"keys stand in {headers}"

    def check_backup(self) -> None:
        """Raise AssertionError where a secret or somebody's words can be read in a copy of the database."""
        database = self._world.folder / "bot.db"
        if not database.exists():
            return
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(":memory:")) as copy:
            source.backup(copy)
            self._look({"a backup": copy.serialize().decode("utf-8", "replace")})

    def _look(self, written: Mapping[str, str]) -> tuple[str, ...]:
        """Look for secrets and people's words in what was written, and return the secrets."""
        self._note_published()
        greetings = [re.compile(_MACRO.sub(".*", re.escape(line))) for line in self._public()]
        private = {
            line
            for text in self.texts
            for line in text.splitlines()
            if len(line) >= LEAST_CHARACTERS and " " in line and not any(each.fullmatch(line) for each in greetings)
        }
        secret = (*self.secrets, *self._keys(), DEVICE_CODES)
        for where, content in written.items():
            told = [each for each in (*secret, *private) if each in content]
            assert not told, f"{where} tells {told}"
        return secret

    def _sent(self) -> Iterator[tuple[str, str]]:
        """Return what was sent to either side, apart from where a secret has its place.

        Of addresses of Discord's, the parts that are tokens are not recorded; of headers, only the one of a key is.
        """
        for request in self._world.discord.requests:
            yield "a request to Discord", repr((request.ids, request.params, request.json))
            for file in request.files:
                yield "a file for Discord", f"{file.filename}\n{file.content.decode('utf-8', 'replace')}"
        for call in self._world.upstream.calls:
            yield "an address of NanoGPT's", repr((call.path, call.query))
            # The device code is what a question about a login is made of.
            if call.route != Route.LOGIN_POLL.value:
                yield "a request to NanoGPT", repr(call.body)

    def _keys(self) -> Iterator[str]:
        accounts = self._world.upstream.catalog.accounts
        for account in accounts:
            yield account.key
            yield from (listed.key for listed in accounts.keys_of(account.id))

    def _public(self) -> Iterator[str]:
        # What the catalogue says in public is no secret, and is kept as it is; greetings are heard from whoever says
        # them, so theirs count however their characters stand.
        for character in self._world.upstream.catalog:
            yield from (character.first_message or "").splitlines()
        yield from self._published

    def _note_published(self) -> None:
        # A page that was freed may hold for a while what was public before its author changed or withdrew it.
        for character in self._world.upstream.catalog:
            if character.listed:
                for text in (character.name, character.summary, character.description):
                    self._published.update((text or "").splitlines())

    def _hear(self, event: Event) -> None:
        self._note_published()
        self.secrets.update(hook.token for hook in self._world.discord.world.webhooks.values())
        if event.name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            self._hear_message(event.data)
        elif event.name == "INTERACTION_CREATE":
            self.secrets.add(as_text(event.data.get("token")))
            if event.data.get("type") == InteractionType.MODAL_SUBMIT:
                self._hear_form(as_object(event.data.get("data")) or {})

    def _hear_message(self, data: JsonObject) -> None:
        author, content = as_object(data.get("author")) or {}, as_text(data.get("content"))
        if author.get("id") == str(self._world.discord.bot_user.id):
            lent = _SPOKEN_AS_BOT.fullmatch(content)
            content = "" if lent is None else lent[1]
        self.texts.add(content)

    def _hear_form(self, data: JsonObject) -> None:
        for part in objects_of(data.get("components")):
            inner = as_object(part.get("component")) or {}
            if inner.get("type") == _TEXT_INPUT:
                typed = as_text(inner.get("value"))
                self.texts.add(typed)
                if inner.get("custom_id") == _KEY_FIELD and len(typed) >= LEAST_CHARACTERS:
                    self.secrets.add(typed)


@contextmanager
def listening(world: World) -> Generator[Secrecy]:
    """Write the bot's log, as it would be with everything in it, and check it and the database at every stop."""
    log = io.StringIO()
    root = logging.getLogger()
    level, others = root.level, {handler: handler.level for handler in root.handlers}
    held = {name: logging.getLogger(name).level for name in logs.HELD_AT_WARNING}
    for handler in others:
        # Pytest shows with a failure what it caught; whole gateway events would bury the rest.
        handler.setLevel(logging.INFO)
    logs.configure("DEBUG", world.settings().secrets, stream=log)
    secrecy = Secrecy(world, log)
    world.checks.append(secrecy.check)
    try:
        yield secrecy
    finally:
        for handler in [handler for handler in root.handlers if handler not in others]:
            root.removeHandler(handler)
        root.setLevel(level)
        for handler, before in others.items():
            handler.setLevel(before)
        for name, before in held.items():
            logging.getLogger(name).setLevel(before)
    secrecy.check()
    secrecy.check_backup()
