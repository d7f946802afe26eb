"""Server-sent events: bytes in, frames out, wherever the bytes were cut.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, with one
leniency: a frame that the end of the stream left without its blank line still counts.
"""

from dataclasses import dataclass
from typing import Final

FRAME_CAP_BYTES: Final = 4 * 1024 * 1024
"""Largest frame taken. A terminal event repeats the whole reply, so real ones are tens of kilobytes."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_CR: Final = 0x0D
_LF: Final = 0x0A


class TooMuchDataError(ValueError):
    """Upstream sent more in one piece than is taken; `limit` is in bytes, or in characters for text."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} in one piece")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream; `name` is its `event:` field, which NanoGPT leaves out."""

    data: str
    name: str | None = None


class SseDecoder:
    """Cuts a stream of bytes into frames.

    Lines are cut before they are decoded, so a character split between two chunks stays whole; bytes
    that are no UTF-8 become U+FFFD. Comments, `id:` and `retry:` are passed over.
    """

    def __init__(self, *, frame_cap: int = FRAME_CAP_BYTES) -> None:
        self._cap = frame_cap
        self._pending = b""
        self._unfinished: list[bytes] = []
        self._data: list[bytes] = []
        self._name: str | None = None
        self._size = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take the next bytes and return the frames they complete.

        Raises TooMuchDataError when a frame passes the cap.
        """
        frames: list[Frame] = []
        if self._at_start:
            chunk = self._past_byte_order_mark(chunk)
        if self._after_cr and chunk:
            # The line ended with the last chunk's CR; an LF here is the other half of that line end.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return frames
        self._after_cr = chunk[-1] == _CR
        # bytes.splitlines knows LF, CR and CRLF only, unlike str.splitlines, which JSON text may trip over.
        lines = chunk.splitlines()
        rest = b"" if chunk[-1] in {_CR, _LF} else lines.pop()
        for line in lines:
            if self._unfinished:
                self._unfinished.append(line)
                whole = b"".join(self._unfinished)
                self._size -= len(whole) - len(line)
                self._unfinished.clear()
            else:
                whole = line
            if whole:
                self._field(whole)
            elif (frame := self._dispatch()) is not None:
                frames.append(frame)
        if rest:
            self._unfinished.append(rest)
            self._grow(len(rest))
        return frames

    def finish(self) -> list[Frame]:
        """Return what the end of the stream left open, as a frame of its own, if there is anything."""
        if self._unfinished:
            whole = b"".join(self._unfinished)
            self._unfinished.clear()
            self._size -= len(whole)
            self._field(whole)
        frame = self._dispatch()
        return [] if frame is None else [frame]

    def _past_byte_order_mark(self, chunk: bytes) -> bytes:
        self._pending += chunk
        if len(self._pending) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(self._pending):
            return b""
        self._at_start = False
        chunk, self._pending = self._pending.removeprefix(_BYTE_ORDER_MARK), b""
        return chunk

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._grow(len(value) + 1)
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._cap:
            raise TooMuchDataError(self._cap)

    def _dispatch(self) -> Frame | None:
        data, name = self._data, self._name
        self._name = None
        self._size = 0
        if not data:
            return None
        self._data = []
        return Frame(b"\n".join(data).decode("utf-8", "replace"), name)
