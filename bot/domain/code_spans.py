"""Where a text holds code, which is shown as it stands and must not be changed or torn apart.

These are the rules of Discord's clients rather than CommonMark's: three backticks open a block wherever
they stand and the next three close it, tildes do nothing. One rule is narrower: a piece of inline code
lies on one line and is not long, so that a lone backtick cannot change the meaning of a page. `safety`
escapes lone backticks, after which Discord agrees with what is found here.
"""

import re
from dataclasses import dataclass
from typing import Final

FENCE: Final = "```"
MAX_INLINE: Final = 200
"""Code points between the backticks of inline code. A longer piece is taken for prose."""

INFO_LINE: Final = re.compile(r"[A-Za-z0-9_+\-.#]+(?=\n)")
"""What Discord reads as the language of a block: one word, alone on the line of the opening backticks."""

_AT_MOST_INFO: Final = re.compile(r"[A-Za-z0-9_+\-.#]*\s*\Z")
_BACKTICKS: Final = re.compile(r"`+")
_FENCE_RUN: Final = re.compile(r"`{3,}")
_MARK: Final = re.compile(r"\\[!-/:-@\[-`{-~]|`+")
"""An escaped sign of ASCII punctuation, or a run of backticks."""


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """A piece of code: text[start:end] with its backticks, text[body:body_end] without."""

    start: int
    body: int
    body_end: int
    end: int
    fenced: bool

    @property
    def closed(self) -> bool:
        """False where the text ends before the code does, which only a block can."""
        return self.end > self.body_end


@dataclass(frozen=True, slots=True)
class CodeScan:
    """The code of a text, in order."""

    spans: tuple[CodeSpan, ...]
    pending: int | None
    """Where the first backticks stand that more text on the last line may still turn into inline code."""

    @property
    def open_fence(self) -> CodeSpan | None:
        """The block that the text ends in, if it ends in one."""
        return self.spans[-1] if self.spans and not self.spans[-1].closed else None


def scan_code(text: str, *, fenced: bool = False) -> CodeScan:
    """Find the code in a text; `fenced` says that the text begins inside a block. Takes linear time."""
    spans: list[CodeSpan] = []
    pending: int | None = None
    at = 0 if fenced or "`" in text else len(text)
    if fenced:
        spans.append(_fence(text, 0, 0))
        at = spans[-1].end
    while (mark := _MARK.search(text, at)) is not None:
        at = mark.end()
        if mark[0].startswith("\\"):
            continue
        if len(mark[0]) >= len(FENCE):
            spans.append(_fence(text, mark.start(), mark.end()))
            at = spans[-1].end
        elif (close := _inline_close(text, mark.end(), len(mark[0]))) is not None:
            at = close.end()
            spans.append(CodeSpan(mark.start(), mark.end(), close.start(), at, fenced=False))
        elif pending is None and _may_still_close(text, mark.end(), len(mark[0])):
            pending = mark.start()
    return CodeScan(tuple(spans), pending)


def content_start(text: str, span: CodeSpan) -> int:
    """Return where the code of a block begins, after the line that names its language."""
    info = INFO_LINE.match(text, span.body, span.body_end)
    return span.body if info is None else info.end()


def has_no_code_yet(text: str, span: CodeSpan) -> bool:
    """Tell whether a block holds at most one word, which may be the name of a language, and white space."""
    return _AT_MOST_INFO.match(text, span.body, span.body_end) is not None


def _fence(text: str, start: int, body: int) -> CodeSpan:
    close = _FENCE_RUN.search(text, body)
    if close is None:
        return CodeSpan(start, body, len(text), len(text), fenced=True)
    return CodeSpan(start, body, close.start(), close.end(), fenced=True)


def _may_still_close(text: str, body: int, length: int) -> bool:
    return len(text) - body < MAX_INLINE + length and "\n" not in text[body:]


def _inline_close(text: str, body: int, length: int) -> re.Match[str] | None:
    line_end = text.find("\n", body, body + MAX_INLINE + length)
    stop = body + MAX_INLINE + length if line_end == -1 else line_end
    for run in _BACKTICKS.finditer(text, body, stop):
        if run.end() - run.start() == length and not text.startswith("`", run.end()):
            return run
    return None
