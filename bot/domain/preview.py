"""What is shown of a reply while it is still being written."""

import re
from typing import Final

from bot.domain.code_spans import FENCE, CodeScan, content_start, has_no_code_yet, scan_code
from bot.domain.splitting import MESSAGE_LIMIT, split_message
from bot.domain.unicode_text import is_blank, utf16_length

PLACEHOLDER: Final = "\u2026"
"""Shown where there is nothing to show yet: Discord refuses an empty message (error 50006)."""

_SENTENCE_REACH: Final = 120
"""Characters that may be held back so that a preview ends with a sentence or a line: a second or so of writing."""
_MAX_OPEN: Final = 4
_ROOM_TO_CLOSE: Final = len("\n" + FENCE) + 3 * _MAX_OPEN
"""UTF-16 units for closing what is open, at three signs each."""

_SENTENCE_END: Final = re.compile(
    r"[.!?\u2026][\"'\u201d\u2019)\]*_~|`]*(?=\s|\Z)|[\u3002\uff01\uff1f][\u201d\u2019\u300d\u300f\uff09]*|\n"
)
_LINE_END: Final = re.compile(r"\n")
_WORD_END: Final = re.compile(r"(?=\s)|[\u2e80-\ud7ff\uf900-\uffdc]")
"""Chinese, Japanese and Korean signs are taken for words of their own."""
_MARK: Final = re.compile(r"\\.|\*{1,3}|_{1,2}|~~|\|\|", re.DOTALL)
_SPOILER: Final = "||"


def preview_text(text: str, limit: int = MESSAGE_LIMIT, *, cursor: str = "") -> str:
    """Return what to show of a text that is growing, as a message of its own of at most `limit` UTF-16 units.

    It ends with a sentence or a line where one ends near, else with the last word that is certainly whole.
    Code, spoilers and emphasis that are still open are closed, in the preview only. Never blank: without
    anything to show it is the cursor, or an ellipsis.

    Of a text that grows as `safe_prefix` lets it, never less is shown than before, short of the limit.
    """
    room = limit - _ROOM_TO_CLOSE - utf16_length(cursor)
    if utf16_length(text) > room:
        parts = split_message(text, room)
        text = parts[0] if parts else ""
    shown = _closed(text[: _shown_length(text)], cursor)
    return PLACEHOLDER if is_blank(shown) else shown


def _shown_length(text: str) -> int:
    end = len(text.rstrip())
    scan = scan_code(text)
    block = scan.open_fence
    low = max(end - _SENTENCE_REACH, 0 if block is None else content_start(text, block) + 1)
    prose = _without_closed_code(text, scan)
    for ends in (_LINE_END if block is not None else _SENTENCE_END, _WORD_END):
        last = max((match.end() for match in ends.finditer(prose, low, end)), default=0)
        if shown := len(text[:last].rstrip()):
            return shown
    return end


def _closed(text: str, cursor: str) -> str:
    text = text.rstrip()
    block = scan_code(text).open_fence
    if block is not None and not has_no_code_yet(text, block):
        return f"{text}{cursor}\n{FENCE}"
    if block is not None:
        text = text[: block.start].rstrip()
    text, marks = _open_marks(_with_code_closed(text))
    return text + marks + cursor


def _with_code_closed(text: str) -> str:
    """Close the last inline code, or drop it where more backticks would not close it."""
    pending = scan_code(text).pending
    if pending is None:
        return text
    inside = text[pending:].lstrip("`")
    if not inside or inside.endswith("`"):
        return text[:pending].rstrip()
    return text + text[pending : len(text) - len(inside)]


def _open_marks(text: str) -> tuple[str, str]:
    """Return the text and the signs that close what it leaves open, or the text without a lone sign at its end."""
    prose = _without_closed_code(text, scan_code(text))
    paragraph = prose.rfind("\n\n")
    stack: list[str] = []
    for match in _MARK.finditer(prose):
        mark = match[0]
        before = prose[max(0, match.start() - 1) : match.start()]
        after = prose[match.end() : match.end() + 1]
        if mark.startswith("\\") or (match.start() < paragraph and mark != _SPOILER):
            continue
        if mark in stack and (mark == _SPOILER or not before.isspace()):
            del stack[stack.index(mark) :]
        elif not after:
            text = text[: match.start()].rstrip()
        elif mark == _SPOILER or not (after.isspace() or (mark.startswith("_") and before.isalnum())):
            stack.append(mark)
    return text, "".join(reversed(stack)) if len(stack) <= _MAX_OPEN else ""


def _without_closed_code(text: str, scan: CodeScan) -> str:
    """Return the text with signs that mean nothing in place of code; a block ends like a line does."""
    pieces: list[str] = []
    at = 0
    for span in scan.spans:
        if span.closed:
            pieces += text[at : span.start], "x" * (span.end - span.start - 1), "\n" if span.fenced else "x"
            at = span.end
    return "".join((*pieces, text[at:]))
