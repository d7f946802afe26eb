"""The bodies of a response and of its stream's events, as the Responses page and its example have them."""

from dataclasses import dataclass
from typing import Final

from bot.sandbox.nanogpt.plan import Ending, Plan, split_tokens
from bot.sandbox.nanogpt.variants import ReasoningEvents, Variants
from bot.sandbox.nanogpt.wire import to_bytes, to_json

JsonObject = dict[str, object]

_FAILURE: Final[JsonObject] = {"code": "server_error", "message": "The model stopped unexpectedly"}
_THOUGHTS: Final = ("Someone is waiting. ", "Something kind, ", "and not too long.")
_CHARACTERS_PER_TOKEN: Final = 4
"""A rule of thumb, for the usage of an input that nobody tokenizes here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What every body and event of one response repeats."""

    number: int
    model: str
    created: int
    """Unix seconds."""
    input_characters: int
    reasoning: ReasoningEvents | None
    cost_usd: float | None

    @property
    def response_id(self) -> str:
        """The id of the response."""
        return f"resp_sandbox{self.number:08d}"

    @property
    def message_id(self) -> str:
        """The id of its one message."""
        return f"msg_sandbox{self.number:08d}"


def response_body(identity: Identity, plan: Plan) -> JsonObject:
    """Make the whole body of a response, as it is answered without a stream and in a closing event."""
    status = {
        Ending.COMPLETED: "completed",
        Ending.OUT_OF_TOKENS: "incomplete",
        Ending.FILTERED: "incomplete",
    }.get(plan.ending, "failed")
    body = _frame_body(identity, status)
    body["output"] = _output(identity, plan)
    if not plan.refused:
        body["output_text"] = plan.text
    if status == "incomplete":
        body["incomplete_details"] = {"reason": plan.ending.value}
    if status == "failed":
        body["error"] = _FAILURE
    body["usage"] = _usage(identity, plan.text)
    if identity.cost_usd is not None:
        body["x_nanogpt_pricing"] = {"cost": identity.cost_usd, "currency": "USD", "paymentSource": "USD"}
    return body


def _frame_body(identity: Identity, status: str) -> JsonObject:
    return {
        "id": identity.response_id,
        "object": "response",
        "created_at": identity.created,
        "model": identity.model,
        "status": status,
        "instructions": None,
        "previous_response_id": None,
        "tools": [],
        "truncation": "disabled",
        "store": False,
        "background": False,
        "output": [],
        "metadata": {},
        "service_tier": "auto",
    }


def _output(identity: Identity, plan: Plan) -> list[JsonObject]:
    items: list[JsonObject] = []
    if identity.reasoning is not None:
        items.append(_reasoning_item(identity))
    if plan.unknown_events:
        items.append({"type": "stardust_call", "id": "sd_1", "status": "completed"})
    if plan.text:
        status = "completed" if plan.ending is Ending.COMPLETED else "incomplete"
        items.append(_message_item(identity, status, [_text_part(plan)]))
    return items


def _message_item(identity: Identity, status: str, content: list[JsonObject]) -> JsonObject:
    return {
        "type": "message",
        "id": identity.message_id,
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _reasoning_item(identity: Identity) -> JsonObject:
    return {
        "type": "reasoning",
        "id": f"rs_sandbox{identity.number:08d}",
        "status": "completed",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "".join(_THOUGHTS)}],
        "encrypted_content": None,
    }


def _text_part(plan: Plan) -> JsonObject:
    if plan.refused:
        return {"type": "refusal", "refusal": plan.text}
    return {"type": "output_text", "text": plan.text, "annotations": [], "logprobs": []}


def _usage(identity: Identity, text: str) -> JsonObject:
    given, written = 1 + identity.input_characters // _CHARACTERS_PER_TOKEN, len(split_tokens(text))
    thought = len(_THOUGHTS) if identity.reasoning is not None else 0
    return {
        "input_tokens": given,
        "output_tokens": written + thought,
        "total_tokens": given + written + thought,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": thought},
    }


class EventWriter:
    """Writes the events of one streamed response into a buffer, numbered, in the style of the variants."""

    def __init__(self, identity: Identity, variants: Variants) -> None:
        self._identity = identity
        self._line_end = "\r\n" if variants.crlf else "\n"
        self._event_lines = variants.event_lines
        self._keep_alives = variants.keep_alives
        self._done_marker = variants.done_marker
        self._sends_deltas = variants.deltas
        self._sequence = 0
        self._buffer = bytearray()
        self._message_index = 0 if identity.reasoning is None else 1
        self._place: JsonObject = {
            "item_id": identity.message_id,
            "output_index": self._message_index,
            "content_index": 0,
        }
        self._delta_head = to_json(self._place)[1:-1]
        self._item_open = False

    def take(self) -> bytes:
        """Return what has been written since the last call."""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def begin(self) -> None:
        """Write the events that come before any text, thoughts included."""
        self._event("response.created", {"response": _frame_body(self._identity, "in_progress")})
        self._event("response.in_progress", {"response": _frame_body(self._identity, "in_progress")})
        if (family := self._identity.reasoning) is not None:
            self._think(family)

    def text(self, delta: str, *, refused: bool = False) -> None:
        """Write one piece of text."""
        self._open_item(refused=refused)
        if not self._sends_deltas:
            return
        kind = "response.refusal.delta" if refused else "response.output_text.delta"
        written = to_json(delta)
        self._frame(kind, f'{{"type":"{kind}",{self._delta_head},"delta":{written},"logprobs":[],')

    def unknown(self) -> None:
        """Write events that no page names."""
        self._event("response.stardust.delta", {"delta": "glitter", "amount": 3})
        self._event("nanogpt.weather", {"sky": "clear"})

    def end(self, plan: Plan) -> None:
        """Write the closing events of a plan; nothing for one that ends without any."""
        match plan.ending:
            case Ending.STALL | Ending.CUT:
                return
            case Ending.END:
                self._finish()
            case Ending.ERROR:
                self._event("error", {**_FAILURE, "param": None})
                self._finish()
            case Ending.CHAT_STYLE_ERROR:
                error = {"status": 503, "message": "Service temporarily unavailable", "code": "service_unavailable"}
                self._write("error", to_json({"error": error}))
                self._finish()
            case Ending.FAILED:
                self._event("response.failed", {"response": response_body(self._identity, plan)})
                self._finish()
            case Ending.COMPLETED | Ending.OUT_OF_TOKENS | Ending.FILTERED:
                self._close_item(plan)
                kind = "response.completed" if plan.ending is Ending.COMPLETED else "response.incomplete"
                self._event(kind, {"response": response_body(self._identity, plan)})
                self._finish()

    def _open_item(self, *, refused: bool) -> None:
        if self._item_open:
            return
        self._item_open = True
        item = _message_item(self._identity, "in_progress", [])
        self._event("response.output_item.added", {"output_index": self._message_index, "item": item})
        part = _text_part(Plan("", refused=refused))
        self._event("response.content_part.added", {**self._place, "part": part})

    def _close_item(self, plan: Plan) -> None:
        if not self._item_open:
            return
        if plan.refused:
            self._event("response.refusal.done", {**self._place, "refusal": plan.text})
        else:
            self._event("response.output_text.done", {**self._place, "text": plan.text, "logprobs": []})
        part = _text_part(plan)
        self._event("response.content_part.done", {**self._place, "part": part})
        status = "completed" if plan.ending is Ending.COMPLETED else "incomplete"
        item = _message_item(self._identity, status, [part])
        self._event("response.output_item.done", {"output_index": self._message_index, "item": item})

    def _think(self, family: ReasoningEvents) -> None:
        item = _reasoning_item(self._identity)
        place: JsonObject = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        opened: JsonObject = {**item, "status": "in_progress", "content": []}
        self._event("response.output_item.added", {"output_index": 0, "item": opened})
        for thought in _THOUGHTS:
            self._event(f"{family.value}.delta", {**place, "delta": thought})
        self._event(f"{family.value}.done", {**place, "text": "".join(_THOUGHTS)})
        self._event("response.output_item.done", {"output_index": 0, "item": item})

    def _finish(self) -> None:
        if self._done_marker:
            self._buffer += f"data: [DONE]{self._line_end * 2}".encode()

    def _event(self, kind: str, members: JsonObject) -> None:
        head = to_json({"type": kind, **members})[:-1]
        self._frame(kind, f"{head},")

    def _frame(self, kind: str, head: str) -> None:
        self._write(kind, f'{head}"sequence_number":{self._sequence}}}')
        self._sequence += 1

    def _write(self, kind: str, data: str) -> None:
        comment = f": keep-alive{self._line_end * 2}" if self._keep_alives else ""
        name = f"event: {kind}{self._line_end}" if self._event_lines else ""
        self._buffer += to_bytes(f"{comment}{name}data: {data}{self._line_end * 2}")
