"""One session of the demo with the real bot behind it, over the page's socket; and what of it must never be sent."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.sandbox.discord.events import Event
from bot.sandbox.discord.json_types import JsonObject, as_text
from bot.sandbox.page.opening import OpenDemo, opened
from tests.sandbox.page.page_client import Json, PageClient, page_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = "★ Rate"
GREETING = "What are we editing today?"


@dataclass
class Session:
    """The demo, one page of it, and every secret that was ever in use."""

    demo: OpenDemo
    page: PageClient
    secrets: set[str]

    async def use(self, channel: str, character: str) -> None:
        """Let a character into a channel, and wait for its greeting."""
        answer = await self.page.ask(
            "command",
            channel=self.page.channel(channel),
            name="character use",
            options={"character": character},
        )
        assert answer["result"]["kind"] in {"message", "deferred"}

    async def reply_to(self, channel: str, text: str) -> Json:
        """Say something, and return the whole reply: its buttons come with its last words."""
        place = self.page.channel(channel)
        await self.page.ask("say", channel=place, text=text)
        said = await self.page.message(lambda each: each["content"] == text)
        return await self.page.message(
            lambda each: each["channel"] == place and int(each["id"]) > int(said["id"]) and RATE in labels(each)
        )

    async def suggestion(self, room: str, typed: str, wanted: str) -> None:
        """Type until something is suggested: just after its start the bot is still reading the catalogue."""
        option: Json = {"name": "character show", "option": "character", "typed": typed, "options": {}}
        async with asyncio.timeout(10):
            while True:
                answer = await self.page.ask("suggest", channel=room, **option)
                assert not answer["failed"]
                if wanted in {choice["value"] for choice in answer["choices"]}:
                    return

    async def lever(self, name: str, **fields: object) -> None:
        await self.page.ask("lever", name=name, **fields)


def parts(components: list[JsonObject]) -> list[JsonObject]:
    found: list[JsonObject] = []
    for part in components:
        found += [part, *parts(part.get("components", []))]
    return found


def labels(message: Json) -> list[str]:
    return [as_text(part.get("label")) for part in parts(message["components"])]


def button(message: Json, label: str) -> str:
    return next(part["custom_id"] for part in parts(message["components"]) if part.get("label") == label)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session() -> AsyncGenerator[Session]:
    async with opened() as shown, page_at(shown.address) as page:
        world = shown.stage.demo.discord.world
        secrets = {world.token, shown.stage.demo.nanogpt.operator_key}

        def note(event: Event) -> None:
            secrets.update(hook.token for hook in world.webhooks.values())
            if event.name == "INTERACTION_CREATE":
                secrets.add(as_text(event.data["token"]))

        world.subscribe(note)
        session = Session(shown, page, secrets)
        await session.lever("start_bot")
        await session.lever("pace", tokens_per_second=400)
        await page.until(lambda: page.state["commands"])
        await session.use("writing-room", "helpful-guide")
        await page.message(lambda each: each["content"] == GREETING)
        yield session


async def test_the_bot_starts_and_its_commands_are_on_offer(session: Session) -> None:
    page = session.page
    assert [(frame["state"], frame["sentence"]) for frame in page.of("bot")][:3] == [
        ("down", "The bot has not been started yet."),
        ("starting", "The bot is starting."),
        ("up", None),
    ]
    words = {command["words"]: command["kind"] for command in page.state["commands"]}
    assert words["character search"] == "chat"
    assert words["Why silent?"] == "message"
    assert page.of("levers")[-1]["bot"] == "up"


async def test_a_search_is_suggested_run_and_looked_into(session: Session) -> None:
    page, room = session.page, session.page.channel("general")
    await session.suggestion(room, "help", "helpful-guide")
    answer = await page.ask("command", channel=room, name="character search", options={"query": "writing"})
    assert answer["result"]["kind"] == "deferred"
    found = await page.message(lambda each: each["only_you"] and not each["loading"] and each["components"])
    assert (found["kind"], found["origin"], found["edited"]) == (
        "command",
        {"user": "Ada", "name": "/character search"},
        None,
    )
    menu: Any = next(part for part in parts(found["components"]) if part["type"] == 3)
    value = next(option["value"] for option in menu["options"] if option["label"] == "Margin Witch")
    await page.ask("select", message=found["id"], custom_id=menu["custom_id"], values=[value])
    profile = await page.message(lambda each: each["only_you"] and RATE in labels(each))
    await page.ask("delete", message=profile["id"])
    assert profile["id"] not in page.messages
    reopened = await page.ask("open", channel=room)
    assert found["id"] in {each["id"] for each in reopened["messages"]}
    assert profile["id"] not in {each["id"] for each in reopened["messages"]}


async def test_a_character_answers_under_its_own_name_as_it_streams(session: Session) -> None:
    page = session.page
    greeting = await page.message(lambda each: each["content"] == GREETING)
    assert (greeting["author"]["name"], greeting["author"]["webhook"]) == ("Helpful Guide", True)
    reply = await session.reply_to("writing-room", "Please write me a long story with code.")
    assert reply["author"]["name"] == "Helpful Guide"
    said = await page.message(lambda each: each["content"] == "Please write me a long story with code.")
    first = min((each for each in page.messages if int(each) > int(said["id"])), key=int)
    states = [frame["message"]["content"] for frame in page.of("message") if frame["message"]["id"] == first]
    assert len(states) > 1
    assert states == sorted(states, key=len)
    call = await page.panel("upstream", lambda entry: entry["method"] == "POST" and entry["ms"] is not None)
    assert call["character_id"] == "11111111-1111-4111-8111-111111111111"
    assert (call["store"], call["stream"], call["status"], call["outcome"]) == (False, True, 200, "answered")
    assert {"role": "user", "text": "[Ada] Please write me a long story with code."} in call["items"]
    for state in ("running, attempt 1", "answered"):
        assert await page.panel("log", lambda line, state=state: re.search(rf"Turn \d+.*: {state}$", line["text"]))


async def test_a_reply_is_rated_in_a_form(session: Session) -> None:
    page = session.page
    reply = await session.reply_to("writing-room", "And a short one?")
    answer = await page.ask("click", message=reply["id"], custom_id=button(reply, RATE))
    modal = answer["result"]["modal"]
    assert answer["result"]["kind"] == "modal"
    sentence = await page.refused("submit", form=modal["form"], values={"text": "No stars at all, sorry."})
    assert sentence.endswith("has to be filled in.")
    await page.become("Ben")
    sent = await page.ask("submit", form=modal["form"], values={"stars": "5", "text": ""})
    assert sent["result"]["modal"] is None
    assert "That form is not open" in await page.refused("submit", form=modal["form"], values={"stars": "5"})
    await page.become("Ada")
    await page.ask("open", channel=page.channel("writing-room"))
    stars = (await page.ask("open", channel=page.channel("writing-room")))["messages"][-1]
    assert "★★★★★" in stars["content"]
    assert stars["only_you"]


async def test_what_staff_decide_is_refused_to_a_member(session: Session) -> None:
    page = session.page
    await page.become("Ben")
    await session.use("general", "helpful-guide")
    refusal = await page.message(lambda each: "Manage Channels" in each["content"])
    assert refusal["only_you"]
    await page.become("Ada")


async def test_a_stronger_character_speaks_in_the_age_restricted_channel_only(session: Session) -> None:
    page = session.page
    await session.use("general", "night-bard")
    assert await page.message(lambda each: "age-restricted channel" in each["content"] and each["only_you"])
    await session.use("after-dark", "night-bard")
    place = page.channel("after-dark")
    greeting = await page.message(lambda each: each["channel"] == place and each["author"]["webhook"])
    assert greeting["author"]["name"] == "Night Bard"


async def test_without_manage_webhooks_a_character_borrows_the_bots_name(session: Session) -> None:
    page = session.page
    await session.use("plain-voices", "helpful-guide")
    place = page.channel("plain-voices")
    greeting = await page.message(lambda each: each["channel"] == place and GREETING in each["content"])
    assert (greeting["author"]["webhook"], greeting["author"]["bot"]) == (False, True)
    assert greeting["author"]["name"] == "character-bot"


async def test_a_fault_strikes_once_and_the_panel_shows_it(session: Session) -> None:
    page = session.page
    await session.lever("fault", fault="503")
    assert page.of("levers")[-1]["faults"] == ["503"]
    await session.reply_to("writing-room", "Once more, please.")
    assert await page.panel("upstream", lambda entry: entry["status"] == 503)
    assert await page.panel("log", lambda line: "trying again" in line["text"])
    assert page.of("levers")[-1]["faults"] == []


async def test_a_cut_is_marked_where_people_read_it(session: Session) -> None:
    page = session.page
    await session.lever("fault", fault="cut")
    await page.ask("say", channel=page.channel("writing-room"), text="A very long one, then.")
    assert await page.message(lambda each: "cut off" in each["content"])
    assert await page.panel("upstream", lambda entry: entry["outcome"] == "cut")


async def test_a_dropped_gateway_comes_back(session: Session) -> None:
    page = session.page
    before = len(page.of("bot"))
    await session.lever("drop_gateway")
    await page.until(lambda: page.of("bot")[-1]["state"] == "up" and len(page.of("bot")) > before)
    assert "lost its connection" in page.of("bot")[before]["sentence"]
    assert await page.panel("gateway", lambda entry: entry["name"] == "DISCONNECTED" and entry["summary"] == "cut off")
    assert await page.panel("gateway", lambda entry: entry["name"] == "RESUME" and entry["to"] == "discord")


async def test_a_killed_bot_answers_what_was_written_meanwhile(session: Session) -> None:
    page = session.page
    await session.lever("kill_bot")
    down = page.of("bot")[-1]
    assert (down["state"], "was killed" in down["sentence"]) == ("down", True)
    place = page.channel("writing-room")
    await page.ask("say", channel=place, text="Is anybody there?")
    said = await page.message(lambda each: each["content"] == "Is anybody there?")
    await session.lever("restart_bot")
    assert page.of("bot")[-1]["state"] == "up"
    assert await page.message(lambda each: each["author"]["webhook"] and int(each["id"]) > int(said["id"]))


async def test_an_account_is_linked_by_its_page_of_approval_and_its_review_is_seen_at_the_desk(
    session: Session,
) -> None:
    page, nanogpt = session.page, session.demo.stage.demo.nanogpt
    place = page.channel("writing-room")
    await page.ask("command", channel=place, name="account link", options={})
    told = await page.message(lambda each: each["only_you"] and "/cli-login/verify?code=" in each["content"])
    found = re.search(r"<(http://127\.0\.0\.1:\d+/cli-login/verify)\?code=([\w-]+)>", told["content"])
    assert found is not None
    async with (
        aiohttp.ClientSession() as browser,
        browser.post(found[1], data={"code": found[2], "account": "ada-inkwell"}) as approved,
    ):
        assert approved.status == 200
    await page.message(lambda each: each["id"] == told["id"] and "is linked" in each["content"])
    session.secrets.update(listed.key for listed in nanogpt.catalog.accounts.keys_of("ada-inkwell"))
    answer = await page.ask("command", channel=place, name="character rate", options={"character": "helpful-guide"})
    form = answer["result"]["modal"]["form"]
    await page.ask("submit", form=form, values={"stars": "4", "text": "Patient and precise."})
    review = {"character": "helpful-guide", "account": "ada-inkwell", "rating": 4, "text": "Patient and precise."}
    await page.until(lambda: page.of("desk") and page.of("desk")[-1]["reviews"] == [review])
    (linked,) = (each for each in page.of("desk")[-1]["accounts"] if each["id"] == "ada-inkwell")
    assert linked["keys"] == ["default", "CLI (Character bot for Discord)"]
    assert await page.panel("upstream", lambda entry: entry["path"] == "/api/cli-login/poll")
    await page.ask("desk", name="revoke_keys", account="ada-inkwell")
    await page.ask("command", channel=place, name="account status", options={})
    assert await page.message(lambda each: "refuses the key" in each["content"])


async def test_a_page_that_comes_later_gets_the_panel_so_far(session: Session) -> None:
    async with page_at(session.demo.address) as late:
        (first,) = late.of("panel")[:1]
        assert all(0 < len(first[part]) <= 200 for part in ("rest", "gateway", "upstream", "log"))
        numbers = [entry["n"] for entry in first["rest"]]
        assert numbers == sorted(set(numbers))


async def test_no_token_and_no_key_was_ever_sent_to_the_page(session: Session) -> None:
    sent = "\n".join(session.page.raw)
    assert len(session.secrets) > 3
    accounts = session.demo.stage.demo.nanogpt.catalog.accounts
    session.secrets.update(account.key for account in accounts)
    assert "fake-device-code-" not in sent
    assert "sk-nano-fake" not in sent
    assert [secret for secret in session.secrets if secret in sent] == []
    assert "authorization" not in sent.lower()
    assert "Bearer" not in sent


async def test_nothing_was_asked_of_discord_that_it_would_refuse(session: Session) -> None:
    session.demo.stage.demo.discord.assert_clean()
    session.demo.stage.demo.nanogpt.assert_clean()
