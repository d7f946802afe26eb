import json
from collections.abc import AsyncGenerator
from typing import Any

import discord
import pytest
from discord import ui

from bot.sandbox.discord import ChannelKind, DiscordSandbox, RecordedRequest, payloads
from tests.sandbox.discord_clients import RecordingClient, running
from tests.support.openapi import RequestValidator, description_path, shape_problem

EXECUTE = "/webhooks/{webhook_id}/{webhook_token}"
CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    path = description_path()
    if path is None:
        pytest.skip("Discord's API description is not at hand")
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def validator(description: dict[str, Any]) -> RequestValidator:
    return RequestValidator(description)


def request(method: str, route: str, body: object, **params: str) -> RecordedRequest:
    return RecordedRequest(0.0, method, route, {}, params, body, (), authorised=True)


@pytest.mark.parametrize(
    ("recorded", "complaint"),
    [
        (request("POST", EXECUTE, {"content": "x", "username": "Ada"}, wait="true"), None),
        (request("POST", EXECUTE, {"content": "x" * 2001}), "content: .* is too long"),
        (request("POST", EXECUTE, {"content": "x"}, nope="1"), "unknown query parameters"),
        (request("POST", EXECUTE, None), "a body is missing"),
        (request("PATCH", EXECUTE + "/messages/@original", {"content": 5}), "content: 5 is not of type"),
        (request("POST", CALLBACK, {"type": 4, "data": {"content": "x"}}, with_response="1"), None),
        (request("POST", CALLBACK, {"type": 99}), "type: 99"),
        (request("POST", "/channels/{channel_id}/typing", None), None),
        (request("GET", "/not/a/route", None), "no such operation"),
    ],
)
def test_bodies_and_queries_are_checked(
    validator: RequestValidator, recorded: RecordedRequest, complaint: str | None
) -> None:
    found = validator(recorded)
    if complaint is None:
        assert found is None
    else:
        assert found is not None
        with pytest.raises(AssertionError, match=complaint):
            raise AssertionError(found)


async def test_every_route_of_the_sandbox_is_in_the_description(validator: RequestValidator) -> None:
    sandbox = DiscordSandbox()
    missing = [
        f"{route.method} {route.template}"
        for route in sandbox.routes
        if validator(request(route.method, route.template, {"stray": 1})) == "the description has no such operation"
    ]
    assert missing == []


@pytest.fixture
async def sandbox(validator: RequestValidator) -> AsyncGenerator[DiscordSandbox]:
    async with DiscordSandbox() as running_sandbox:
        running_sandbox.request_validators.append(validator)
        yield running_sandbox


async def test_what_the_real_client_sends_is_valid(sandbox: DiscordSandbox) -> None:
    general = sandbox.add_guild("Guild").add_channel("general")
    async with running(sandbox, RecordingClient()) as client:
        channel = client.get_channel(general.id)
        assert isinstance(channel, discord.TextChannel)
        sent = await channel.send("x", nonce="n", embed=discord.Embed(title="t"), file=discord.File(__file__, "a.txt"))
        await sent.edit(content="y", allowed_mentions=discord.AllowedMentions.none())
        await sent.reply("z")
        await channel.typing()
        webhook = await channel.create_webhook(name="characters")
        view = ui.View(timeout=None)
        view.add_item(ui.Button(label="One", custom_id="one"))
        posted = await webhook.send("x", username="Ada", view=view, wait=True, suppress_embeds=True)
        await webhook.edit_message(posted.id, content="y", view=None)
        layout = ui.LayoutView(timeout=None)
        layout.add_item(ui.Container(ui.TextDisplay("text")))
        await webhook.send(view=layout, wait=True)
        await webhook.delete_message(posted.id)
    sandbox.assert_clean()


async def test_an_invalid_request_makes_the_books_unclean(sandbox: DiscordSandbox) -> None:
    sandbox.request_validators.append(lambda recorded: "as ordered" if recorded.route == "/users/@me" else None)
    async with running(sandbox, RecordingClient()):
        pass
    with pytest.raises(AssertionError, match="as ordered"):
        sandbox.assert_clean()


async def test_what_the_sandbox_answers_fits_the_description(description: dict[str, Any]) -> None:
    async with DiscordSandbox() as sandbox:
        guild = sandbox.add_guild("Guild")
        general = guild.add_channel("general")
        said = await guild.owner.say(general, "hello", files=[("a.txt", b"x", "text/plain")])
        answer = await guild.owner.say(general, "again", reply_to=said)
        shapes: list[tuple[str, dict[str, Any]]] = [
            ("MessageResponse", payloads.message(answer)),
            ("ThreadResponse", payloads.channel(general.add_thread("talk"))),
            ("GuildRoleResponse", payloads.role(guild.everyone)),
            ("GuildMemberResponse", payloads.member(guild.owner.member, with_user=True)),
            ("UserPIIResponse", payloads.own_user(sandbox.bot_user)),
        ]
        kinds = (ChannelKind.TEXT, ChannelKind.VOICE, ChannelKind.FORUM)
        shapes += [("GuildChannelResponse", payloads.channel(guild.add_channel("x", kind=kind))) for kind in kinds]
        hook = payloads.webhook(general.add_foreign_webhook("proxy"), viewer_application=0)
        shapes.append(("GuildIncomingWebhookResponse", hook))
        wrong = {name: problem for name, data in shapes if (problem := shape_problem(description, name, data))}
        assert wrong == {}
