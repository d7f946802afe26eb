"""That nothing secret or private stands in the log or in the clear in the database, or is sent where it has no place.

A NanoGPT key belongs in the Authorization of calls to NanoGPT, the bot's token in that of calls to Discord and in
what a gateway session begins with, the token of a webhook or an interaction in its own address, a device code in the
question about its login. Everything else that either side is sent is searched for all of them, headers included.
"""

import io
import json
import logging
import re
import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import unquote

from bot import logs
from bot.sandbox.discord.connections import Frame, GatewaySign, Op
from bot.sandbox.discord.events import Event
from bot.sandbox.discord.interaction_model import InteractionType
from bot.sandbox.discord.json_types import JsonObject, as_object, as_text, objects_of
from bot.sandbox.discord.rest import API_PREFIX
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
_DEVICE_CODE_FIELD: Final = "device_code"
_TOKENED: Final = re.compile(rf"{API_PREFIX}/(?P<owner>(?:webhooks|interactions)/\d+)/(?P<token>[^/?]+)")
"""The addresses of Discord's that hold a token."""
_AUTHORIZATION: Final = "authorization"
_OTHER_KEY_HEADER: Final = "x-api-key"
"""NanoGPT would take it too."""


class Secrecy:
    """Listens to a world, and looks for what it heard where it must not be."""

    def __init__(self, world: World, log: io.StringIO) -> None:
        self._world = world
        self._log = log
        self.secrets = {world.discord.token, world.upstream.operator_key}
        self.texts: set[str] = set()
        self._pasted: set[str] = set()
        self._tokens: defaultdict[str, set[str]] = defaultdict(set)
        """By the webhook or interaction in whose address they belong."""
        self.frames: set[str] = set()
        """What the gateway was sent."""
        self._published: set[str] = set()
        world.discord.world.subscribe(self._hear)
        world.discord.gateway.listen(self._hear_gateway)

    def check(self) -> None:
        """Raise AssertionError where a secret or a person's or a character's words can be read."""
        self._note_webhooks()
        written = {"the log": self._log.getvalue()}
        for file in (*self._world.folder.iterdir(), *self._world.folder.glob("bot.files/*")):
            if file.name.startswith("bot.db") or file.name == "bot.log" or file.parent.name == "bot.files":
                written[file.name] = file.read_bytes().decode("utf-8", "replace")
        secret = self._look(written)
        # Most headers are the same in every request.
        for where, content in {*self._sent_to_discord(), *self._sent_to_nanogpt()}:
            told = [each for each in secret if each in content]
            assert not told, f"{where} tells {told}"
        headers = {name.lower() for head in self._world.upstream.heads for name, _ in head.headers}
        assert _OTHER_KEY_HEADER not in headers, f"a key stands in {_OTHER_KEY_HEADER}"

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
        secret = (*self.secrets, *self._keys(), *self._vault_keys(), DEVICE_CODES)
        for where, content in written.items():
            told = [each for each in (*secret, *private) if each in content]
            assert not told, f"{where} tells {told}"
        return secret

    def _sent_to_discord(self) -> Iterator[tuple[str, str]]:
        """Return what Discord was sent, by what it is, apart from where a secret has its place."""
        discord = self._world.discord
        for head in discord.heads:
            yield "an address of Discord's", unquote(self._without_own_token(head.address))
            for name, value in head.headers:
                own = name.lower() == _AUTHORIZATION and head.address.startswith(f"{API_PREFIX}/")
                if not (own and value == f"Bot {discord.token}"):
                    yield f"the header {name} for Discord", unquote(value)
        for request in discord.requests:
            yield "a request to Discord", repr(request.json)
            for file in request.files:
                yield "a file for Discord", f"{file.filename} {file.headers}"
                yield "a file for Discord", file.content.decode("utf-8", "replace")
        for text in self.frames:
            yield "a frame for the gateway", self._without_session_token(text)

    def _sent_to_nanogpt(self) -> Iterator[tuple[str, str]]:
        """Return what NanoGPT was sent, by what it is, apart from where a secret has its place."""
        upstream = self._world.upstream
        bearers = {f"Bearer {key}" for key in (upstream.operator_key, *self._keys(), *self._pasted)}
        for head in upstream.heads:
            yield "an address of NanoGPT's", unquote(head.address)
            for name, value in head.headers:
                if not (name.lower() == _AUTHORIZATION and value in bearers):
                    yield f"the header {name} for NanoGPT", unquote(value)
        for call in upstream.calls:
            body = call.body
            code = as_text(call.fields.get(_DEVICE_CODE_FIELD))
            if call.route == Route.LOGIN_POLL.value and code.startswith(DEVICE_CODES):
                body = {name: value for name, value in call.fields.items() if name != _DEVICE_CODE_FIELD}
            yield "a request to NanoGPT", repr(body)

    def _without_own_token(self, address: str) -> str:
        found = _TOKENED.match(address)
        if found is None or unquote(found["token"]) not in self._tokens[found["owner"]]:
            return address
        return address[: found.start("token")] + address[found.end("token") :]

    def _without_session_token(self, text: str) -> str:
        frame = as_object(json.loads(text)) or {}
        data = as_object(frame.get("d")) or {}
        if frame.get("op") in {Op.IDENTIFY, Op.RESUME} and data.get("token") == self._world.discord.token:
            frame["d"] = {name: value for name, value in data.items() if name != "token"}
        return repr(frame)

    def _vault_keys(self) -> Iterator[str]:
        for file in self._world.folder.glob("*.key"):
            yield file.read_text("ascii").strip()

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
        self._note_webhooks()
        if event.name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            self._hear_message(event.data)
        elif event.name == "INTERACTION_CREATE":
            token = as_text(event.data.get("token"))
            self._note_token(f"interactions/{as_text(event.data.get('id'))}", token)
            self._note_token(f"webhooks/{self._world.discord.application_id}", token)
            if event.data.get("type") == InteractionType.MODAL_SUBMIT:
                self._hear_form(as_object(event.data.get("data")) or {})

    def _hear_gateway(self, sign: GatewaySign) -> None:
        if isinstance(sign, Frame) and not sign.to_bot:
            self.frames.add(sign.text)

    def _note_webhooks(self) -> None:
        for hook in self._world.discord.world.webhooks.values():
            self._note_token(f"webhooks/{hook.id}", hook.token)

    def _note_token(self, owner: str, token: str) -> None:
        self.secrets.add(token)
        self._tokens[owner].add(token)

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
                    self._pasted.add(typed)


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
