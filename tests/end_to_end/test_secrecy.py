"""That the watch over logs and database, under which every test here runs, would notice."""

import json
import logging
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import aiohttp
import pytest

from bot.sandbox.discord.connections import Op
from bot.sandbox.discord.events import Event, Intent
from tests.end_to_end.scene import Scene
from tests.end_to_end.secrecy import Secrecy, listening
from tests.end_to_end.world import World, open_world

PRIVATE = "My locker opens with a song."
INTERACTION: Final = "1234567890"
TOKEN: Final = "fake-interaction-token"
KEYS: Final = frozenset({"the operator's key", "a member's key"})


class Place(Protocol):
    """Where a secret could be told."""

    @property
    def called(self) -> str:
        """What the watch calls it."""
        ...

    @property
    def own(self) -> frozenset[str]:
        """Which secrets belong there."""
        ...

    async def tell(self, session: aiohttp.ClientSession, world: World, webhook: str, secret: str) -> None:
        """Tell a secret there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request with a secret where § stands, and the webhook's id where ¶ does."""

    called: str
    to: str = "discord"
    path: str = "/api/v10/users/@me"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    """JSON."""
    file: tuple[str, str] | None = None
    """Its name and what is in it."""
    own: frozenset[str] = frozenset()

    async def tell(self, session: aiohttp.ClientSession, world: World, webhook: str, secret: str) -> None:
        """Send it."""
        base = world.discord.base_url if self.to == "discord" else world.upstream.site_url
        path = self.path.replace("§", secret).replace("¶", webhook).replace("@app", str(world.discord.application_id))
        headers = {name: value.replace("§", secret) for name, value in self.headers.items()}
        data: str | aiohttp.MultipartWriter | None = None
        if self.body is not None:
            data, headers["Content-Type"] = self.body.replace("§", secret), "application/json"
        if self.file is not None:
            name, content = (text.replace("§", secret) for text in self.file)
            data = aiohttp.MultipartWriter("form-data")
            data.append(content).set_content_disposition("form-data", name="files[0]", filename=name)
        method = "GET" if data is None else "POST"
        async with session.request(method, base + path, data=data, headers=headers) as response:
            await response.read()


@dataclass(frozen=True, kw_only=True)
class GatewayFrame:
    """A frame with a secret where § stands, to which the gateway has an answer or closes."""

    op: Op
    data: Mapping[str, object]
    own: frozenset[str] = frozenset()
    called: str = "a frame for the gateway"

    async def tell(self, session: aiohttp.ClientSession, world: World, webhook: str, secret: str) -> None:
        """Connect and send it."""
        del webhook
        async with session.ws_connect(world.discord.gateway_url) as socket:
            await socket.receive()
            await socket.send_str(json.dumps({"op": self.op, "d": self.data}).replace("\\u00a7", secret))
            await socket.receive()


REASON: Final = "X-Audit-Log-Reason"
WEBHOOK: Final = "/api/v10/webhooks/¶"
PLACES: Final[Mapping[str, Place]] = {
    # What NanoGPT is sent.
    "as a bearer": Request(
        to="nanogpt", path="/api/v1/models", headers={"Authorization": "Bearer §"}, own=KEYS, called="the header Auth"
    ),
    "as something else than a bearer": Request(
        to="nanogpt", path="/api/v1/models", headers={"Authorization": "§"}, called="the header Authorization for Nano"
    ),
    "as another key": Request(
        to="nanogpt", path="/api/v1/models", headers={"x-api-key": "§"}, called="the header x-api-key for Nano"
    ),
    "to NanoGPT as a user agent": Request(
        to="nanogpt", path="/api/v1/models", headers={"User-Agent": "§"}, called="the header User-Agent for Nano"
    ),
    "in NanoGPT's query": Request(to="nanogpt", path="/api/v1/models?q=§", called="an address of NanoGPT's"),
    "in NanoGPT's path": Request(to="nanogpt", path="/no/such/route/§", called="an address of NanoGPT's"),
    "in NanoGPT's body": Request(
        to="nanogpt", path="/api/v1/responses", body='{"input": "§"}', called="a request to NanoGPT"
    ),
    "in the question about a login": Request(
        to="nanogpt",
        path="/api/cli-login/poll",
        body='{"device_code": "§"}',
        own=frozenset({"a device code"}),
        called="a request to NanoGPT",
    ),
    # What Discord is sent.
    "as the authorisation": Request(
        headers={"Authorization": "Bot §"}, own=frozenset({"the bot's token"}), called="the header Auth"
    ),
    "as the authorisation for a picture": Request(
        path="/cdn/x.png", headers={"Authorization": "Bot §"}, called="the header Authorization for Discord"
    ),
    "as the authorisation for the gateway": Request(
        path="/gateway", headers={"Authorization": "Bot §"}, called="the header Authorization for Discord"
    ),
    "as a reason": Request(headers={REASON: "because%20of%20§"}, called=f"the header {REASON} for Discord"),
    "to Discord as a user agent": Request(headers={"User-Agent": "§"}, called="the header User-Agent for Discord"),
    "in Discord's query": Request(path="/api/v10/users/@me?q=§", called="an address of Discord's"),
    "in Discord's path": Request(path="/api/v10/no/such/route/§", called="an address of Discord's"),
    "in a picture's address": Request(path="/cdn/§.png", called="an address of Discord's"),
    "in the webhook's address": Request(
        path=f"{WEBHOOK}/§", own=frozenset({"the webhook's token"}), called="an address of Discord's"
    ),
    "behind the webhook's address": Request(path=f"{WEBHOOK}/fake/§", called="an address of Discord's"),
    "in the interaction's address": Request(
        path=f"/api/v10/interactions/{INTERACTION}/§/callback",
        body="{}",
        own=frozenset({"the interaction's token"}),
        called="an address of Discord's",
    ),
    "in the address of an answer": Request(
        path="/api/v10/webhooks/@app/§",
        body="{}",
        own=frozenset({"the interaction's token"}),
        called="an address of Discord's",
    ),
    "in Discord's body": Request(path=f"{WEBHOOK}/fake", body='{"name": "§"}', called="a request to Discord"),
    "in a file": Request(path=f"{WEBHOOK}/fake", file=("log.txt", "first\n§\n"), called="a file for Discord"),
    "as a file's name": Request(path=f"{WEBHOOK}/fake", file=("§.txt", "first"), called="a file for Discord"),
    "in the identify": GatewayFrame(op=Op.IDENTIFY, data={"token": "§"}, own=frozenset({"the bot's token"})),
    "beside the token of the identify": GatewayFrame(op=Op.IDENTIFY, data={"properties": {"browser": "§"}}),
    "in the resume": GatewayFrame(
        op=Op.RESUME, data={"token": "§", "session_id": "x", "seq": 1}, own=frozenset({"the bot's token"})
    ),
    "in the presence": GatewayFrame(op=Op.PRESENCE, data={"token": "§"}),
}


def told(secrecy: Secrecy) -> str:
    """Return what the watch says; empty where it has noticed nothing."""
    try:
        secrecy.check()
    except AssertionError as error:
        return str(error).splitlines()[0]
    return ""


async def test_what_people_and_characters_say_is_missed_neither_in_the_log_nor_in_the_database(world: World) -> None:
    scene = Scene.of(world)
    with listening(world) as secrecy:
        async with world.bot():
            await scene.use()
            await scene.ask(PRIVATE, "Then sing it quietly.")
            secrecy.check()
        assert {PRIVATE, "Then sing it quietly."} <= secrecy.texts
        for told in (PRIVATE, "Then sing it quietly."):
            with closing(sqlite3.connect(world.folder / "other.db")) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS leak (body TEXT)")
                database.execute("INSERT INTO leak VALUES (?)", (told,))
            leak = (world.folder / "other.db").rename(world.folder / "bot.db-leak")
            with pytest.raises(AssertionError, match=r"bot\.db-leak tells"):
                secrecy.check()
            leak.unlink()


async def test_no_token_goes_unnoticed_in_the_log(world: World) -> None:
    scene = Scene.of(world)
    with pytest.raises(AssertionError, match="the log tells"), listening(world) as secrecy:  # noqa: PT012 - the block is the test
        async with world.bot():
            await scene.use()
        assert len(secrecy.secrets) > 3
        (webhook,) = scene.channel.webhooks
        logging.getLogger("bot").debug("a webhook with the token of %s", webhook.token)


@pytest.mark.parametrize("name", PLACES)
async def test_no_secret_goes_unnoticed_where_it_has_no_place(tmp_path: Path, name: str) -> None:
    place = PLACES[name]
    async with open_world(tmp_path) as world, aiohttp.ClientSession() as session:
        scene = Scene.of(world)
        mine, other = (scene.channel.add_own_webhook(each) for each in ("Mine", "Another"))
        secrets = {
            "the operator's key": world.upstream.operator_key,
            "a member's key": world.upstream.catalog.add_account("somebody").key,
            "a device code": "fake-device-code-0001-0123456789",
            "the bot's token": world.discord.token,
            "the webhook's token": mine.token,
            "another webhook's token": other.token,
            "the interaction's token": TOKEN,
        }
        with listening(world) as secrecy:
            begun = {"id": INTERACTION, "token": TOKEN}
            world.discord.world.publish(Event("INTERACTION_CREATE", begun, None, Intent(0)))
            seen: dict[str, str] = {}
            for kind, secret in secrets.items():
                await place.tell(session, world, str(mine.id), secret)
                seen[kind] = told(secrecy)
                for heads in (world.discord.heads, world.upstream.heads):
                    heads.clear()
                world.discord.requests.clear()
                world.upstream.calls.clear()
                secrecy.frames.clear()
        noticed = {kind for kind, sentence in seen.items() if sentence.startswith(place.called)}
        assert noticed == secrets.keys() - place.own
        assert {seen[kind] for kind in place.own} <= {""}


async def test_not_even_a_key_that_nobody_has_may_stand_in_the_other_header(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, aiohttp.ClientSession() as session:
        with listening(world) as secrecy:
            await PLACES["as another key"].tell(session, world, "", "nobody's")
            assert told(secrecy) == "a key stands in x-api-key"
            world.upstream.heads.clear()


async def test_the_key_of_the_vault_is_a_secret_too(world: World) -> None:
    with pytest.raises(AssertionError, match="the log tells"), listening(world):
        async with world.bot():
            logging.getLogger("bot").debug("sealed with %s", world.settings().vault_key_file.read_text("ascii"))


async def test_what_is_pasted_as_a_key_is_a_secret_whosever_it_is(world: World) -> None:
    scene = Scene.of(world)
    pasted = "sk-nano-fake-of-nobody"
    with listening(world) as secrecy:
        async with world.bot():
            invited = await scene.owner.slash(scene.channel, "account link")
            form = await scene.owner.click(await invited.final_message(), "Paste a key instead")
            await (await scene.owner.submit(form, {"key": pasted})).final_message()
        assert pasted in secrecy.secrets


async def test_a_copy_of_the_database_is_looked_at_too(world: World) -> None:
    scene = Scene.of(world)
    with listening(world) as secrecy:
        async with world.bot():
            await scene.use()
        secrecy.check_backup()
        for statement in (
            "CREATE TABLE leak (body TEXT)",
            "INSERT INTO leak VALUES ('fake-device-code-0001')",
        ):
            with closing(sqlite3.connect(world.folder / "bot.db")) as database, database:
                database.execute(statement)
        with pytest.raises(AssertionError, match="a backup tells"):
            secrecy.check_backup()
        (world.folder / "bot.db").unlink()
