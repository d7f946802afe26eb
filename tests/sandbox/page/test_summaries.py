"""What the panel says of requests and frames; never all of them."""

import json
from typing import Any

import pytest

from bot.sandbox.discord import RecordedRequest
from bot.sandbox.discord.requests import UploadedFile
from bot.sandbox.page.summaries import clipped, of_frame, of_request

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
EXECUTE = "/webhooks/{webhook_id}/{webhook_token}"
ADA = {"id": "1", "username": "ada", "global_name": "Ada"}


def request(
    route: str,
    body: object = None,
    *,
    status: int = 200,
    code: int | None = None,
    params: dict[str, str] | None = None,
    files: tuple[UploadedFile, ...] = (),
) -> RecordedRequest:
    return RecordedRequest(
        0.0, "POST", route, {}, params or {}, body, files, authorised=False, status=status, code=code
    )


@pytest.mark.parametrize(
    ("asked", "summary"),
    [
        (request(EXECUTE, {"username": "Helpful Guide", "content": "Hello\nthere"}), "Helpful Guide: Hello there"),
        (request(EXECUTE, {"content": "x" * 100}), "x" * 59 + "…"),
        (request(EXECUTE, {"embeds": [{"title": "One"}, {"title": "Two"}]}), "One · Two"),
        (request(EXECUTE, {"components": [{"type": 17, "components": [{"type": 10, "content": "# Card"}]}]}), "# Card"),
        (request(EXECUTE, {"components": [{"type": 1, "components": [{"type": 2}]}]}), "buttons"),
        (request(EXECUTE, {"content": "long"}, files=(UploadedFile("f", "reply.md", "", b""),)), "long +reply.md"),
        (request(EXECUTE, {"content": "x"}, status=403, code=50013), "refused, code 50013"),
        (request(EXECUTE, {"content": "x"}, status=503), "refused"),
        (request(EXECUTE, {"content": "x"}, status=429), "rate limited"),
        (request(EXECUTE, {"content": "x"}, status=0), "the connection was cut"),
        (request("/channels/{channel_id}/messages", params={"limit": "100", "after": "5"}), "limit=100 after=5"),
        (request("/applications/{application_id}/commands", [{"name": "a"}, {"name": "b"}]), "2 commands"),
        (request(CALLBACK, {"type": 8, "data": {"choices": [{"name": "a"}, {"name": "b"}]}}), "2 suggestions"),
        (request(CALLBACK, {"type": 9, "data": {"title": "Rate it", "custom_id": "secret"}}), "form: Rate it"),
        (request(CALLBACK, {"type": 5}), "the answer will follow"),
        (request(CALLBACK, {"type": 4, "data": {"content": "There."}}), "There."),
    ],
)
def test_a_request_is_summed_up(asked: RecordedRequest, summary: str) -> None:
    assert of_request(asked) == summary


def frame(op: int, data: object = None, name: str | None = None) -> str:
    return json.dumps({"op": op, "t": name, "s": None, "d": data})


def interaction(kind: int, data: dict[str, Any]) -> str:
    whole = {"type": kind, "token": "fake-secret", "data": data, "member": {"user": ADA}}
    return frame(0, whole, "INTERACTION_CREATE")


SEARCH = {"name": "search", "options": [{"name": "query", "value": "tea"}]}


@pytest.mark.parametrize(
    ("text", "name", "summary"),
    [
        (frame(10, {"heartbeat_interval": 41250}), "HELLO", ""),
        (frame(1, 7), "HEARTBEAT", "seen up to 7"),
        (frame(1), "HEARTBEAT", ""),
        (frame(11), "ACK", ""),
        (frame(2, {"token": "fake-secret", "intents": 513}), "IDENTIFY", "intents 513"),
        (frame(6, {"token": "fake-secret", "session_id": "fake-secret", "seq": 9}), "RESUME", "seen up to 9"),
        (frame(99), "OP 99", ""),
        (frame(0, {"session_id": "fake-secret", "guilds": [{"id": "1"}]}, "READY"), "READY", "1 servers"),
        (frame(0, {"name": "The Inkwell"}, "GUILD_CREATE"), "GUILD_CREATE", "The Inkwell"),
        (frame(0, {"author": ADA, "content": "hello"}, "MESSAGE_CREATE"), "MESSAGE_CREATE", "Ada: hello"),
        (
            frame(0, {"author": {"username": "witch"}, "content": "So."}, "MESSAGE_UPDATE"),
            "MESSAGE_UPDATE",
            "witch: So.",
        ),
        (frame(0, {"user": ADA}, "GUILD_MEMBER_ADD"), "GUILD_MEMBER_ADD", "Ada"),
        (frame(0, {"id": "5"}, "MESSAGE_DELETE"), "MESSAGE_DELETE", ""),
        (
            interaction(2, {"name": "character", "options": [SEARCH]}),
            "INTERACTION_CREATE",
            "Ada runs character search query:tea",
        ),
        (interaction(4, {"name": "ping"}), "INTERACTION_CREATE", "Ada types /ping"),
        (interaction(3, {"custom_id": "fake-secret"}), "INTERACTION_CREATE", "Ada uses a control"),
        (interaction(5, {"custom_id": "fake-secret"}), "INTERACTION_CREATE", "Ada submits a form"),
    ],
)
def test_a_frame_is_summed_up_without_anything_secret(text: str, name: str, summary: str) -> None:
    assert of_frame(text) == (name, summary)


def test_a_long_text_is_clipped_to_one_line() -> None:
    assert clipped("  a\n b  ") == "a b"
    assert len(clipped("x" * 1_000)) == 60
