"""What the side panel says of requests and frames: a few words of each, picked one by one, so that no token gets in."""

import json
from http import HTTPStatus
from typing import Any, Final

from bot.sandbox.discord.connections import Op
from bot.sandbox.discord.interaction_model import CallbackType, InteractionType
from bot.sandbox.discord.json_types import JsonObject, as_int, as_list, as_object, as_text, objects_of
from bot.sandbox.discord.requests import RecordedRequest

SUMMARY_CHARACTERS: Final = 60


def clipped(text: str, most: int = SUMMARY_CHARACTERS) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def of_request(request: RecordedRequest) -> str:
    """Say what a request was about."""
    if request.status == 0:
        return "the connection was cut"
    if request.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate limited"
    if request.status >= HTTPStatus.BAD_REQUEST:
        return f"refused, code {request.code}" if request.code else "refused"
    if commands := objects_of(request.json):
        return f"{len(commands)} commands"
    body = as_object(request.json) or {}
    if request.route.endswith("/callback"):
        return _callback(as_int(body.get("type")), as_object(body.get("data")) or {})
    if not body:
        return clipped(" ".join(f"{name}={value}" for name, value in request.params.items()))
    return _message(body) + "".join(f" +{file.filename}" for file in request.files)


def _callback(kind: int, data: JsonObject) -> str:
    match kind:
        case CallbackType.AUTOCOMPLETE:
            return f"{len(as_list(data.get('choices')))} suggestions"
        case CallbackType.MODAL:
            return f"form: {clipped(as_text(data.get('title')))}"
        case CallbackType.DEFERRED_MESSAGE | CallbackType.DEFERRED_UPDATE:
            return "the answer will follow"
        case _:
            return _message(data)


def _message(body: JsonObject) -> str:
    speaker = as_text(body.get("username"))
    said = as_text(body.get("content"))
    if not said:
        titles = [as_text(embed.get("title")) for embed in objects_of(body.get("embeds"))]
        said = " · ".join(filter(None, titles)) or _layout(body)
    return clipped(f"{speaker}: {said}" if speaker else said)


def _layout(body: JsonObject) -> str:
    texts: list[str] = []

    def walk(parts: list[JsonObject]) -> None:
        for part in parts:
            texts.append(as_text(part.get("content")))
            walk(objects_of(part.get("components")))

    walk(objects_of(body.get("components")))
    found = " ".join(filter(None, texts))
    return found or ("buttons" if body.get("components") else "")


def of_frame(text: str) -> tuple[str, str]:
    """Return the name of a gateway frame, and what it was about."""
    frame = as_object(json.loads(text)) or {}
    data: Any = frame.get("d")
    code = as_int(frame.get("op"), -1)
    if code == Op.DISPATCH:
        name = as_text(frame.get("t"))
        return name, _event(name, as_object(data) or {})
    name = Op(code).name if code in list(Op) else f"OP {code}"
    if code == Op.HEARTBEAT:
        return name, "" if data is None else f"seen up to {data}"
    fields = as_object(data) or {}
    if code == Op.IDENTIFY:
        return name, f"intents {as_int(fields.get('intents'))}"
    return name, f"seen up to {as_int(fields.get('seq'))}" if code == Op.RESUME else ""


def _event(name: str, data: JsonObject) -> str:
    if name == "INTERACTION_CREATE":
        return clipped(_interaction(data))
    if name == "READY":
        return f"{len(as_list(data.get('guilds')))} servers"
    author = as_object(data.get("author"))
    if author is not None:
        return clipped(f"{_who(author)}: {as_text(data.get('content')) or _message(data)}")
    user = as_object(data.get("user"))
    return _who(user) if user is not None else clipped(as_text(data.get("name")))


def _interaction(data: JsonObject) -> str:
    inner = as_object(data.get("data")) or {}
    who = _who(as_object((as_object(data.get("member")) or {}).get("user")) or {})
    kind = as_int(data.get("type"))
    if kind in {InteractionType.COMMAND, InteractionType.AUTOCOMPLETE}:
        words = " ".join([as_text(inner.get("name")), *_words(inner)])
        return f"{who} types /{words}" if kind == InteractionType.AUTOCOMPLETE else f"{who} runs {words}"
    return f"{who} {'submits a form' if kind == InteractionType.MODAL_SUBMIT else 'uses a control'}"


def _words(command: JsonObject) -> list[str]:
    words: list[str] = []
    for option in objects_of(command.get("options")):
        value: Any = option.get("value")
        words.append(as_text(option.get("name")) if value is None else f"{option.get('name')}:{value}")
        words += _words(option)
    return words


def _who(user: JsonObject) -> str:
    return as_text(user.get("global_name")) or as_text(user.get("username"))
