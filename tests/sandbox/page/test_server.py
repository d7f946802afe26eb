"""The page's server, without a bot behind it: who is let in, what is served, and what a socket says."""

import json
import socket as sockets
import tomllib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.demo import demo
from bot.sandbox.discord import posting
from bot.sandbox.discord.model import Attachment
from bot.sandbox.discord.people import UPLOAD_BYTES
from bot.sandbox.discord.posting import Draft
from bot.sandbox.page.guard import HEADERS
from bot.sandbox.page.plans import OFFLINE
from bot.sandbox.page.scene import fill
from bot.sandbox.page.server import STATIC, PageServer, PortTaken
from bot.sandbox.page.stage import Stage
from tests.sandbox.page.page_client import PageClient, origin_of, page_at


@dataclass
class Served:
    """A server, and somebody who visits it."""

    stage: Stage
    server: PageServer
    session: aiohttp.ClientSession

    @property
    def address(self) -> str:
        return self.server.address

    async def get(self, address: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(address, headers=headers) as response:
            assert HEADERS.items() <= response.headers.items()
            return response.status, await response.text()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    static = tmp_path / "static"
    static.mkdir()
    (tmp_path / "secret.js").write_text("no", "utf-8")
    (static / "index.html").write_text("<p>the page</p>", "utf-8")
    (static / "app.js").write_text("// ✓", "utf-8")
    (static / "notes.txt").write_text("no", "utf-8")
    async with demo(keep_records=False) as behind:
        stage = Stage(behind, OFFLINE)
        async with PageServer(stage, 0, static=static) as server, stage.playing(), aiohttp.ClientSession() as session:
            yield Served(stage, server, session)


@pytest.fixture
async def page(served: Served) -> AsyncGenerator[PageClient]:
    async with page_at(served.address) as client:
        yield client


async def test_the_page_is_served_with_its_files(served: Served) -> None:
    assert await served.get(served.address) == (200, "<p>the page</p>")
    async with served.session.get(f"{served.address}static/app.js") as response:
        assert await response.text() == "// ✓"
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "static/none.js",
        "static/notes.txt",
        "static/",
        "static",
        "static/..%2fsecret.js",
        "static/%2e%2e/secret.js",
        "static/..%5csecret.js",
        "static/%00.js",
        "files/x",
        "files/12",
        pytest.param(f"files/{'9' * 5_000}", id="a number of 5,000 digits"),
        "files/%D9%A7",
        pytest.param(f"static/{'x' * 300}.js", id="a name of 300 letters"),
        "index.html",
        "socket/x",
    ],
)
async def test_anything_else_is_not_there(served: Served, path: str) -> None:
    status, text = await served.get(f"{served.address}{path}")
    assert status == 404
    assert "no" not in text.split()


async def test_only_this_machine_can_connect(served: Served) -> None:
    port = int(served.address.split(":")[2].split("/")[0])
    with sockets.socket() as elsewhere:
        elsewhere.settimeout(1)
        # Every address of 127.0.0.0/8 is this machine's own; only what listens on all of them would answer here.
        with pytest.raises(ConnectionRefusedError):
            elsewhere.connect(("127.0.0.2", port))


async def test_without_the_token_there_is_nothing(served: Served) -> None:
    origin = origin_of(served.address)
    for path in ("/", "/index.html", "/static/app.js", f"/{'x' * 32}/"):
        status, text = await served.get(f"{origin}{path}")
        assert status == 404
        assert "stands in the terminal" in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_the_page_can_only_be_read(served: Served, method: str) -> None:
    async with served.session.request(method, served.address) as response:
        assert response.status == 405
        assert HEADERS.items() <= response.headers.items()
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
async def test_a_page_from_elsewhere_is_refused_even_with_the_token(served: Served, headers: dict[str, str]) -> None:
    for path in ("", "static/app.js", "files/12"):
        status, text = await served.get(f"{served.address}{path}", **headers)
        assert (status, "the page" in text) == (403, False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "{own}", "Host": "evil.example"}, 403),
    ],
)
async def test_a_socket_is_opened_to_the_page_alone(served: Served, headers: dict[str, str], status: int) -> None:
    own = origin_of(served.address)
    sent = {name: value.replace("{own}", own) for name, value in headers.items()}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await served.session.ws_connect(f"{served.address}socket", headers=sent)
    assert refused.value.status == status
    with pytest.raises(aiohttp.WSServerHandshakeError) as guessed:
        await served.session.ws_connect(f"{own}/{'x' * 32}/socket", headers={"Origin": own})
    assert guessed.value.status == 404


async def test_every_demo_has_an_address_of_its_own(served: Served) -> None:
    other = PageServer(served.stage, 0)
    assert other.address.split("/")[3] != served.address.split("/")[3]
    assert len(served.address.split("/")[3]) == 32


async def test_a_port_in_use_is_said_in_a_sentence(served: Served) -> None:
    port = int(served.address.split(":")[2].split("/")[0])
    with pytest.raises(PortTaken, match=f"^Port {port} cannot be used; choose another with --port.$"):
        await PageServer(served.stage, port).__aenter__()


async def test_a_file_that_was_sent_can_only_be_saved(served: Served) -> None:
    attachment = Attachment(7, 'a "name"\r\n.html', b"<script>alert(1)</script>", "text/html", "")
    served.stage.demo.discord.world.attachments[7] = attachment
    async with served.session.get(f"{served.address}files/7") as response:
        assert await response.read() == attachment.content
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20%22name%22%0D%0A.html"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def upload(served: Served, content: bytes, address: str = "", **query: str) -> tuple[int, Any]:
    """Upload a file as Ada's page does, and return the answer."""
    scene = served.stage.scene
    asked = {"person": str(scene.people[0].id), "channel": str(scene.channel("general").id), "name": "card.json"}
    headers = {"Origin": origin_of(served.address), "Content-Type": "application/json"}
    where = address or f"{served.address}files/"
    async with served.session.post(where, data=BytesIO(content), params=asked | query, headers=headers) as response:
        assert HEADERS.items() <= response.headers.items()
        text = await response.text()
        return response.status, json.loads(text) if response.content_type == "application/json" else text


async def test_a_file_is_uploaded_for_an_option_or_a_form(served: Served) -> None:
    status, told = await upload(served, b'{"name": "Ada"}', name="my card.json")
    assert (status, told["ok"]) == (200, True)
    assert told["file"] | {"id": ""} == {"id": "", "name": "my card.json", "size": 15, "type": "application/json"}
    async with served.session.get(f"{served.address}files/{told['file']['id']}") as response:
        assert await response.read() == b'{"name": "Ada"}'
        assert response.headers["Content-Disposition"].endswith("''my%20card.json")
    assert served.stage.scene.channel("general").last_message == next(
        iter(served.stage.scene.channel("general").messages.values())
    )


async def test_a_file_of_more_than_ten_mebibytes_is_refused(served: Served) -> None:
    assert (await upload(served, b"x" * UPLOAD_BYTES))[0] == 200
    status, told = await upload(served, b"x" * (UPLOAD_BYTES + 1))
    assert (status, told["sentence"]) == (400, "Files end at 10 MiB.")
    # Much more is not even read to its end.
    assert (await upload(served, b"x" * 2 * UPLOAD_BYTES))[0] == 413


@pytest.mark.parametrize("query", [{"person": "1"}, {"channel": "1"}, {"channel": "x"}, {"name": ""}])
async def test_an_upload_says_whose_it_is(served: Served, query: dict[str, str]) -> None:
    status, told = await upload(served, b"{}", **query)
    assert (status, told["ok"]) == (400, False)
    assert told["sentence"].startswith("The page s")


async def test_only_the_page_itself_can_upload(served: Served) -> None:
    before = len(served.stage.demo.discord.world.attachments)
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        async with served.session.post(f"{served.address}files/", data=b"{}", headers=headers) as response:
            assert response.status == 403
    status, _ = await upload(served, b"{}", f"{origin_of(served.address)}/{'x' * 32}/files/")
    assert status == 404
    assert len(served.stage.demo.discord.world.attachments) == before


async def test_a_page_begins_with_the_state_as_the_owner_sees_it(page: PageClient) -> None:
    assert [frame["t"] for frame in page.frames[:3]] == ["state", "bot", "panel"]
    state = page.state
    assert (state["me"]["name"], state["me"]["role"]) == ("Ada", "owner")
    assert [(person["name"], person["role"]) for person in state["people"]] == [
        ("Ada", "owner"),
        ("Cleo", "moderator"),
        ("Ben", "member"),
    ]
    assert state["guild"] == {"name": "The Inkwell"}
    assert state["names"]["users"][state["application"]["id"]] == state["application"]["name"]
    assert [(each["name"], each["kind"], each["nsfw"]) for each in state["channels"]] == [
        ("general", "text", False),
        ("writing-room", "text", False),
        ("Chapter one", "thread", False),
        ("after-dark", "text", True),
        ("plain-voices", "text", False),
    ]
    assert (state["bot"], state["live"], state["commands"]) == ("down", False, [])
    assert any("scripted" in note for note in state["notes"])
    assert any("6 s of silence" in note for note in state["notes"])
    names = [fault["name"] for fault in state["levers"]["faults_offered"]]
    assert {"402", "429", "429-daily", "503", "stall", "cut"} <= set(names)


async def test_people_write_reply_edit_and_delete(page: PageClient) -> None:
    channel = page.channel("general")
    await page.ask("say", channel=channel, text="<b>hello</b>")
    message = await page.message(lambda each: each["content"] == "<b>hello</b>")
    assert (message["author"]["name"], message["channel"]) == ("Ada", channel)
    await page.become("Ben")
    await page.ask("say", channel=channel, text="hi", reply_to=message["id"], ping=False)
    reply = await page.message(lambda each: each["content"] == "hi")
    assert (reply["reply"]["id"], reply["reply"]["gone"]) == (message["id"], False)
    await page.ask("edit", message=reply["id"], text="hi!")
    edited = await page.message(lambda each: each["content"] == "hi!")
    assert edited["edited"] is not None
    assert await page.refused("delete", message=message["id"]) == "Ben may not delete others' messages in general."
    await page.become("Cleo")
    await page.ask("delete", message=message["id"])
    await page.until(lambda: page.messages[reply["id"]]["reply"]["gone"])
    assert message["id"] not in page.messages


async def test_history_comes_in_pages(served: Served, page: PageClient) -> None:
    general = served.stage.scene.channel("plain-voices")
    fill(served.stage.scene, general, 70)
    newest = await page.ask("open", channel=str(general.id))
    assert (len(newest["messages"]), newest["more"]) == (50, True)
    assert newest["messages"][-1]["content"].endswith("-# 70 of 70")
    older = await page.ask("open", channel=str(general.id), before=newest["messages"][0]["id"])
    assert (len(older["messages"]), older["more"]) == (21, False)
    assert "Manage Webhooks" in older["messages"][0]["content"]


async def test_two_thousand_messages_are_there_at_once(served: Served) -> None:
    general = served.stage.scene.channel("general")
    fill(served.stage.scene, general, 2_000)
    assert len(general.messages) == 2_001
    assert {message.author.global_name for message in general.messages.values()} == {"Ada", "Ben", "Cleo"}


@pytest.mark.parametrize(
    ("verb", "fields", "sentence"),
    [
        ("say", {"channel": "1", "text": "x"}, "That channel is gone."),
        ("say", {"text": "x"}, "The page sent no proper 'channel'."),
        ("edit", {"message": "1", "text": "x"}, "That message is gone."),
        ("become", {"person": "1"}, "There is nobody of that name."),
        ("submit", {"form": "1"}, "That form is not open any more."),
        ("lever", {"name": "explode"}, "There is no lever 'explode'."),
        ("lever", {"name": "fault", "fault": "418"}, "There is no fault '418'."),
        ("lever", {"name": "pace", "tokens_per_second": 0}, "The pace goes from 1 to 1000 tokens a second."),
        ("lever", {"name": "pace", "tokens_per_second": "9"}, "The pace goes from 1 to 1000 tokens a second."),
        ("lever", {"name": "kill_bot"}, "The bot is not running."),
        ("lever", {"name": "drop_gateway"}, "The bot is not connected."),
        ("fly", {}, "There is no 'fly' here."),
    ],
)
async def test_what_cannot_be_done_is_answered_with_a_sentence(
    page: PageClient, verb: str, fields: dict[str, object], sentence: str
) -> None:
    assert await page.refused(verb, **fields) == sentence


async def test_a_text_that_is_too_long_is_answered_with_a_sentence(page: PageClient) -> None:
    sentence = await page.refused("say", channel=page.channel("general"), text="x" * 2_001)
    assert sentence == "People's messages end at 2,000 characters."


async def test_what_the_demo_itself_stumbles_over_costs_an_answer_and_not_the_page(
    served: Served, page: PageClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(served.stage.levers, "pull", stumble)
    assert "stumbled" in await page.refused("lever", name="pace")
    assert "on purpose" in caplog.text
    await page.ask("open", channel=page.channel("general"))


@pytest.mark.parametrize("text", ["", "nonsense", '{"n": 1}', "[" * 10_000])
async def test_a_page_that_talks_nonsense_is_let_go(page: PageClient, text: str) -> None:
    await page.send(text)
    await page.until(lambda: page.closed is not None)


async def test_two_pages_see_each_other_and_keep_their_own_person(served: Served, page: PageClient) -> None:
    async with page_at(served.address) as other:
        await other.become("Ben")
        await other.ask("say", channel=other.channel("general"), text="from over there")
        message = await page.message(lambda each: each["content"] == "from over there")
        assert (message["author"]["name"], page.state["me"]["name"]) == ("Ben", "Ada")
        assert message["may"]["edit"] is False


async def test_faults_are_armed_and_forgotten(served: Served, page: PageClient) -> None:
    await page.ask("lever", name="fault", fault="503-down")
    await page.ask("lever", name="fault", fault="stall")
    assert page.of("levers")[-1]["faults"] == ["503", "503", "503", "stall"]
    await page.ask("lever", name="clear_faults")
    assert page.of("levers")[-1]["faults"] == []
    await page.ask("lever", name="pace", tokens_per_second=5)
    assert served.stage.demo.nanogpt.pace.tokens_per_second == 5
    assert page.of("levers")[-1]["tokens_per_second"] == 5


async def test_a_direct_message_is_seen_by_its_person_alone(page: PageClient, served: Served) -> None:
    world = served.stage.demo.discord.world
    ada, _, ben = served.stage.scene.people
    assert [channel["kind"] for channel in page.state["channels"]].count("dm") == 0
    for person in (ben, ada):
        posting.post(Draft(world.direct_messages(person.user), world.bot, f"psst, {person.shown_name}"))
    message = await page.message(lambda each: each["content"].startswith("psst"))
    assert message["content"] == "psst, Ada"
    (talk,) = (channel for channel in page.state["channels"] if channel["kind"] == "dm")
    assert (talk["id"], talk["name"], talk["may_write"]) == (message["channel"], "character-bot", True)
    assert "@ada" not in page.state["names"]["channels"].values()
    await page.ask("say", channel=talk["id"], text="yes?")
    assert (await page.ask("open", channel=talk["id"]))["messages"][-1]["content"] == "yes?"
    await page.become("Cleo")
    assert "does not see" in await page.refused("open", channel=talk["id"])


async def test_direct_messages_are_closed_and_opened_by_their_person(page: PageClient, served: Served) -> None:
    ada, _, ben = served.stage.scene.people
    await page.ask("privacy", takes_dms=False)
    await page.until(lambda: page.state["me"]["takes_dms"] is False)
    assert (ada.takes_direct_messages, ben.takes_direct_messages) == (False, True)
    await page.ask("privacy", takes_dms=True)
    await page.until(lambda: page.state["me"]["takes_dms"])
    assert ada.takes_direct_messages


async def test_a_command_that_nobody_answers_has_failed(page: PageClient, served: Served) -> None:
    world = served.stage.demo.discord.world
    world.interactions.answers.deadline = 0.05
    query = {"type": 3, "name": "query", "description": "d", "autocomplete": True}
    world.interactions.commands.register([{"name": "ping", "description": "d", "options": [query]}])
    await page.until(lambda: page.state["commands"])
    general = page.channel("general")
    answer = await page.ask("command", channel=general, name="ping", options={})
    assert answer["result"] == {"kind": "failed", "modal": None}
    suggested = await page.ask("suggest", channel=general, name="ping", option="query", typed="x", options={})
    assert (suggested["choices"], suggested["failed"]) == ([], True)


async def test_what_changes_together_is_sent_as_one_state(page: PageClient, served: Served) -> None:
    before = len(page.of("state"))
    for name in ("one", "two", "three"):
        served.stage.scene.guild.add_channel(name)
    await page.until(lambda: len(page.state["channels"]) == 8)
    assert len(page.of("state")) == before + 1


async def test_a_bot_that_does_not_come_up_is_told_of(served: Served, page: PageClient) -> None:
    (served.stage.demo.bot.log_file.parent / "config.toml").write_text("", "utf-8")
    assert await page.refused("lever", name="start_bot") == "The bot ended at once, with status 78."
    assert page.of("bot")[-1] == {"t": "bot", "state": "down", "sentence": "The bot ended at once, with status 78."}
    entry = await page.panel("log", lambda line: "discord.token is not set" in line["text"])
    assert entry["level"] == "INFO"


async def test_the_end_of_the_demo_closes_the_page(served: Served) -> None:
    async with PageServer(served.stage, 0) as other, page_at(other.address) as page:
        await other.__aexit__(None, None, None)
        await page.until(lambda: page.closed == aiohttp.WSCloseCode.GOING_AWAY)


def test_the_page_is_part_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["setuptools"]["package-data"]["bot.sandbox.page"] == ["static/*"]
    files = list(STATIC.iterdir())
    assert all(file.is_file() for file in files)
    assert {"index.html"} <= {file.name for file in files}
    assert {file.suffix for file in files} <= {".html", ".css", ".js", ".svg"}


async def test_frames_are_plain_json(page: PageClient) -> None:
    assert all(isinstance(json.loads(text), dict) for text in page.raw)
