"""The stream of one reply: from frames to a few events of our own.

Upstream's events are those of the Responses API, in NanoGPT's reading of it: any index, name or number may be missing,
an event of an unknown kind is passed over, and the text in a closing event overrules the pieces before it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self, TypeAlias

from bot.nanogpt.errors import Fault
from bot.nanogpt.faults import fault_of
from bot.nanogpt.jsonvalue import Json, as_count, as_list, as_number, as_object, as_text, parse_json
from bot.nanogpt.sse import Frame, SseDecoder, TooMuchDataError

TEXT_CAP: Final = 4 * 1024 * 1024
"""Most characters taken of one reply."""

_DONE: Final = "[DONE]"
_BETWEEN_MESSAGES: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply. None is unknown, which is not zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The first text, or the end, is about to come. Comes once and first."""

    response_id: str | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text, to be put behind what came before. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class TextReplaced:
    """All of the text so far is this, and not what came before."""

    full_text: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The reply is whole; its text is never blank. The last event."""

    text: str
    response_id: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    """US dollars: None is unknown, 0 is covered by a subscription."""
    refusal: bool = False
    """Whether the model refused, in which case the text is its refusal."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The reply was cut on purpose; its text may be empty. The last event."""

    text: str
    reason: str | None = None
    """As upstream says it: `max_output_tokens` or `content_filter`."""
    response_id: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The reply failed. Stays inside this package: the client raises it as a typed error."""

    fault: Fault


Completion: TypeAlias = Completed | Incomplete
StreamEvent: TypeAlias = Started | TextDelta | TextReplaced | Completed | Incomplete
ReaderEvent: TypeAlias = StreamEvent | Failed


_REPLACEMENT: Final = "\ufffd"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_THINK_OPEN: Final = re.compile(r"<(think|thinking)>", re.IGNORECASE | re.ASCII)
_THINK_CLOSE: Final = {name: re.compile(f"</{name}>", re.IGNORECASE | re.ASCII) for name in ("think", "thinking")}
_THINK_TAGS: Final = ("<think>", "<thinking>")
_LONGEST_CLOSE: Final = len("</thinking>")


class VisibleText:
    """Turns raw text, in pieces cut anywhere, into the text to show.

    Leading `<think>…</think>` blocks, which some models let slip, and white space before the text are left out.
    A pair of surrogates that was cut in two (JavaScript servers do that) is put together; half a pair alone
    becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._half = ""
        self._held: str = ""
        self._passing = False
        self._closing: re.Pattern[str] | None = None

    def feed(self, raw: str) -> str:
        """Take the next piece and return what can be shown of it."""
        if self._half or not raw.isascii():
            raw = self._mend(raw)
        return raw if self._passing else self._lead(raw)

    def finish(self) -> str:
        """Return what was held back, now that nothing more comes."""
        half = self._half
        self._half = ""
        shown = self.feed(_REPLACEMENT) if half else ""
        if self._closing is None:
            shown += self._held
        self._held = ""
        return shown

    def _mend(self, raw: str) -> str:
        raw = self._half + raw
        self._half = ""
        if not _SURROGATE.search(raw):
            return raw
        if "\ud800" <= raw[-1] <= "\udbff":
            self._half = raw[-1]
            raw = raw[:-1]
        return raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _lead(self, raw: str) -> str:
        self._held += raw
        while True:
            if self._closing is None:
                self._held = self._held.lstrip()
                opening = _THINK_OPEN.match(self._held)
                if opening is None:
                    break
                self._closing = _THINK_CLOSE[opening[1].lower()]
                self._held = self._held[opening.end() :]
            closing = self._closing.search(self._held)
            if closing is None:
                # Only the start of a closing tag can matter later.
                self._held = self._held[-_LONGEST_CLOSE:]
                return ""
            self._held = self._held[closing.end() :]
            self._closing = None
        held = self._held.lower()
        if any(tag.startswith(held) for tag in _THINK_TAGS):
            return ""
        self._passing = True
        shown = self._held
        self._held = ""
        return shown


_Key: TypeAlias = tuple[int, int]
"""Where a part of the text stands: item of the output, part of the item."""


class _Text:
    """The raw text of a reply in its parts, and what has been shown of it."""

    def __init__(self) -> None:
        self._parts: dict[_Key, list[str]] = {}
        self._last: _Key | None = None
        self._visible = VisibleText()
        self._shown: list[str] = []
        self._size = 0

    @property
    def shown(self) -> str:
        """All of the text that has been shown."""
        if len(self._shown) > 1:
            self._shown = ["".join(self._shown)]
        return self._shown[0] if self._shown else ""

    def append(self, key: _Key, piece: str) -> str | TextReplaced:
        """Put a piece, not empty, behind a part, and return what more is to be shown.

        Raises TooMuchDataError when the whole passes TEXT_CAP.
        """
        self._size += len(piece)
        if self._size > TEXT_CAP:
            raise TooMuchDataError(TEXT_CAP)
        last = self._last
        if key != last:
            if last is not None and key < last:
                self._parts.setdefault(key, []).append(piece)
                return self._show_anew()
            joint = "" if last is None else _joint(last, self._parts[last][-1], key, piece)
            self._parts[key] = []
            self._last = key
            self._parts[key].append(piece)
            return self._show(self._visible.feed(joint + piece))
        self._parts[key].append(piece)
        return self._show(self._visible.feed(piece))

    def settle(self, parts: dict[_Key, str]) -> str | TextReplaced:
        """Take the authoritative text of some parts.

        One that no piece came for is passed over, unless there is nothing else: its place among the
        others may be wrong, and the end of the stream settles everything.
        """
        known = parts if not self._parts else {key: text for key, text in parts.items() if key in self._parts}
        differing = {key: text for key, text in known.items() if "".join(self._parts.get(key, ())) != text}
        if not differing:
            return ""
        self._parts.update((key, [text]) for key, text in differing.items())
        return self._show_anew()

    def settle_all(self, parts: dict[_Key, str]) -> str | TextReplaced:
        """Take the authoritative text of the whole, unless that is nothing: an end may come without its text."""
        if not parts or _join(parts) == _join(self._joined_parts()):
            return ""
        self._parts = {key: [text] for key, text in parts.items()}
        return self._show_anew()

    def finish(self) -> str:
        """Show what was held back."""
        return self._show(self._visible.finish())

    def _joined_parts(self) -> dict[_Key, str]:
        return {key: "".join(pieces) for key, pieces in self._parts.items()}

    def _show(self, text: str) -> str:
        if text:
            self._shown.append(text)
        return text

    def _show_anew(self) -> str | TextReplaced:
        """Show the whole text again: as its continuation where it begins with what was shown."""
        raw = _join(self._joined_parts())
        self._size = len(raw)
        if self._size > TEXT_CAP:
            raise TooMuchDataError(TEXT_CAP)
        self._last = max(self._parts)
        self._visible = VisibleText()
        before, after = self.shown, self._visible.feed(raw)
        self._shown = [after]
        return after[len(before) :] if after.startswith(before) else TextReplaced(after)


def _join(parts: dict[_Key, str]) -> str:
    text: list[str] = []
    last: tuple[_Key, str] | None = None
    for key in sorted(parts):
        if last is not None:
            text.append(_joint(*last, key, parts[key]))
        text.append(parts[key])
        last = (key, parts[key])
    return "".join(text)


def _joint(before: _Key, ending: str, after: _Key, beginning: str) -> str:
    """Return what stands between two parts: messages are paragraphs, parts of one message run on."""
    return "" if before[0] == after[0] or ending[-1].isspace() or beginning[0].isspace() else _BETWEEN_MESSAGES


class ResponseReader:
    """Reads one answer of the Responses API, streamed or whole, into events.

    The order is always Started, any number of TextDelta and TextReplaced, then one Completed or Incomplete; Failed may
    stand anywhere and is the last. Text that arrives in one chunk is handed on as one delta.
    """

    def __init__(self) -> None:
        self.header_cost: float | None = None
        """What the answer's headers said it cost, in US dollars; the body has the last word."""
        self.ended = False
        """Whether nothing that may still come counts: a closing event, or `[DONE]`, has been read."""
        self.complete = False
        """Whether a closing event has been read."""
        self._decoder = SseDecoder()
        self._text = _Text()
        self._out: list[ReaderEvent] = []
        self._pieces: list[str] = []
        self._items: dict[str, int] = {}
        self._id: str | None = None
        self._started = False
        self._refused = False

    @property
    def text(self) -> str:
        """The text to show that has come so far."""
        return self._text.shown

    def feed(self, chunk: bytes) -> list[ReaderEvent]:
        """Take the next bytes of a stream.

        Raises TooMuchDataError when a frame or the text passes its cap.
        """
        for frame in self._decoder.feed(chunk):
            self._take(frame)
        return self._flush()

    def finish(self) -> list[ReaderEvent]:
        """Take the end of the stream."""
        for frame in self._decoder.finish():
            self._take(frame)
        return self._flush()

    def whole(self, body: Json) -> list[ReaderEvent]:
        """Take an answer that is not a stream.

        Raises ValueError when it is no response, or one that is still being made.
        """
        answer = as_object(body)
        response = as_object(answer.get("response")) or answer
        status = response.get("status")
        if response.get("error") and status != "completed":
            self._fail(fault_of(response))
            return self._flush()
        if status in {"queued", "in_progress"} or not response.keys() & {"output", "output_text", "status"}:
            raise ValueError("no finished response")
        self._close(answer, response)
        return self._flush()

    def _take(self, frame: Frame) -> None:
        if self.ended:
            return
        if frame.data.strip() == _DONE:
            self.ended = True
            return
        try:
            event = as_object(parse_json(frame.data))
        except ValueError:
            # Half a frame, or nothing of ours: without a closing event the stream counts as cut anyway.
            return
        kind = event.get("type") or frame.name
        if kind == "response.output_text.delta":
            self._append(event)
        elif isinstance(kind, str) and (handler := self._HANDLERS.get(kind)) is not None:
            handler(self, event)
        elif event.get("error"):
            self._fail(fault_of(event))

    def _append(self, event: dict[str, Json]) -> None:
        piece = event.get("delta")
        if isinstance(piece, str) and piece:
            self._show(self._text.append(self._key(event), piece))

    def _append_refusal(self, event: dict[str, Json]) -> None:
        self._refused = True
        self._append(event)

    def _settle_text(self, event: dict[str, Json]) -> None:
        text = as_text(event.get("text"))
        if text is not None:
            self._show(self._text.settle({self._key(event): text}))

    def _settle_refusal(self, event: dict[str, Json]) -> None:
        self._refused = True
        text = as_text(event.get("refusal"))
        if text is not None:
            self._show(self._text.settle({self._key(event): text}))

    def _settle_part(self, event: dict[str, Json]) -> None:
        text = self._text_of_part(event.get("part"))
        if text is not None:
            self._show(self._text.settle({self._key(event): text}))

    def _settle_item(self, event: dict[str, Json]) -> None:
        item = as_object(event.get("item"))
        item_index, _ = self._key({"item_id": item.get("id"), "output_index": event.get("output_index")})
        texts = self._texts_of_item(item)
        self._show(self._text.settle({(item_index, index): text for index, text in texts.items()}))

    def _note_id(self, event: dict[str, Json]) -> None:
        self._id = as_text(as_object(event.get("response")).get("id")) or self._id

    def _close_event(self, event: dict[str, Json]) -> None:
        self._close(event, as_object(event.get("response")))

    def _fail_event(self, event: dict[str, Json]) -> None:
        response = as_object(event.get("response"))
        self._fail(fault_of(response if response.get("error") else event))

    def _key(self, event: dict[str, Json]) -> _Key:
        item_id, item_index = event.get("item_id"), event.get("output_index")
        part_index = event.get("content_index")
        if isinstance(item_id, str):
            place = self._items.get(item_id)
            if place is None:
                place = item_index if isinstance(item_index, int) else len(self._items)
                self._items[item_id] = place
        else:
            place = item_index if isinstance(item_index, int) else 0
        return place, part_index if isinstance(part_index, int) else 0

    def _text_of_part(self, value: Json) -> str | None:
        part = as_object(value)
        kind = part.get("type")
        if kind == "refusal":
            self._refused = True
            return as_text(part.get("refusal"))
        return as_text(part.get("text")) if kind in {"output_text", "text"} else None

    def _texts_of_item(self, item: dict[str, Json]) -> dict[int, str]:
        if item.get("type", "message") != "message" or item.get("role", "assistant") != "assistant":
            return {}
        content = item.get("content")
        if isinstance(content, str):
            return {0: content} if content else {}
        texts = ((index, self._text_of_part(part)) for index, part in enumerate(as_list(content)))
        return {index: text for index, text in texts if text is not None}

    def _close(self, event: dict[str, Json], response: dict[str, Json]) -> None:
        """Read a closing event, or a whole answer; the status inside overrules the event's name."""
        status = response.get("status")
        if status in {"failed", "cancelled"}:
            self._fail(fault_of(response))
            return
        self.ended = self.complete = True
        self._id = as_text(response.get("id")) or self._id
        parts = {
            (place, index): text
            for place, item in enumerate(as_list(response.get("output")))
            for index, text in self._texts_of_item(as_object(item)).items()
        }
        only_text = as_text(response.get("output_text"))
        if not parts and only_text is not None:
            parts = {(0, 0): only_text}
        self._show(self._text.settle_all(parts))
        self._show(self._text.finish())
        model = as_text(response.get("model"))
        usage = _usage(as_object(response.get("usage")) or as_object(event.get("usage")))
        cost = _cost(response, event, fallback=self.header_cost)
        if status == "incomplete" or event.get("type") == "response.incomplete":
            reason = as_text(as_object(response.get("incomplete_details")).get("reason"))
            self._emit(Incomplete(self.text, reason, self._id, model, usage, cost, self._refused))
        elif self.text:
            self._emit(Completed(self.text, self._id, model, usage, cost, self._refused))
        else:
            self._fail(Fault(code="empty_response"))

    def _fail(self, fault: Fault) -> None:
        self.ended = self.complete = True
        self._emit(Failed(fault))

    def _show(self, change: str | TextReplaced) -> None:
        if isinstance(change, TextReplaced):
            self._emit(change)
        elif change:
            self._pieces.append(change)

    def _emit(self, event: ReaderEvent) -> None:
        self._gather()
        if not isinstance(event, Failed):
            self._start()
        self._out.append(event)

    def _gather(self) -> None:
        if self._pieces:
            self._start()
            self._out.append(TextDelta("".join(self._pieces)))
            self._pieces.clear()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._out.append(Started(self._id))

    def _flush(self) -> list[ReaderEvent]:
        self._gather()
        out, self._out = self._out, []
        return out

    _HANDLERS: ClassVar[dict[str, Callable[[Self, dict[str, Json]], None]]] = {
        "response.created": _note_id,
        "response.queued": _note_id,
        "response.in_progress": _note_id,
        "response.output_text.done": _settle_text,
        "response.refusal.delta": _append_refusal,
        "response.refusal.done": _settle_refusal,
        "response.content_part.done": _settle_part,
        "response.output_item.done": _settle_item,
        "response.completed": _close_event,
        "response.incomplete": _close_event,
        "response.failed": _fail_event,
        "error": _fail_event,
    }


def _usage(stated: dict[str, Json]) -> Usage:
    return Usage(
        input_tokens=as_count(stated.get("input_tokens")),
        output_tokens=as_count(stated.get("output_tokens")),
        total_tokens=as_count(stated.get("total_tokens")),
        cached_tokens=as_count(as_object(stated.get("input_tokens_details")).get("cached_tokens")),
        reasoning_tokens=as_count(as_object(stated.get("output_tokens_details")).get("reasoning_tokens")),
    )


def _cost(*holders: dict[str, Json], fallback: float | None) -> float | None:
    """Return the US dollars that were charged, from wherever they are said.

    `usage.cost` is passed over: it can be upstream's price of a reply that a subscription covered.
    """
    for holder in holders:
        pricing = as_object(holder.get("x_nanogpt_pricing"))
        candidates = [pricing.get("costUsd")]
        if pricing.get("currency", "USD") == "USD":
            candidates += [pricing.get("cost"), pricing.get("amount")]
        for candidate in (*candidates, holder.get("cost")):
            number = as_number(candidate)
            if number is not None and number >= 0:
                return number
    return fallback
