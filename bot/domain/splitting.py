"""Cutting a reply into posts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.domain.code_spans import FENCE, INFO_LINE, CodeScan, CodeSpan, content_start, scan_code
from bot.domain.unicode_text import boundary_at_or_before, fitting, is_blank, is_boundary, utf16_length

MESSAGE_LIMIT: Final = 2_000
"""The longest content of a message (https://discord.com/developers/docs/resources/message), in UTF-16 units here."""
MAX_POSTS: Final = 5
"""A reply that needs more posts than this is delivered as a file."""
SMALLEST_LIMIT: Final = 64
"""Room for the backticks that close and reopen a block, and for some text between them."""
REPLY_FILENAME: Final = "reply.txt"

_CLOSER: Final = "\n" + FENCE
_LONGEST_LANGUAGE: Final = 24
_HIDDEN: Final = "\0"

_PARAGRAPH: Final = re.compile(r"(?=\n[ \t]*\n)")
_LINE: Final = re.compile(r"(?=\n)")
_SENTENCE: Final = re.compile(
    r"[.!?\u2026][\"'\u201d\u2019)\]*_~|]*(?=\s)"
    # Chinese and Japanese sentences end without a space.
    r"|[\u3002\uff01\uff1f][\u201d\u2019\u300d\u300f\uff09]*"
)
_WORD: Final = re.compile(r"(?=\s)")
_ATOM: Final = re.compile(
    r"https?://[^\s<>]+"
    r"|</[^<>\n]{1,100}>?|<[^<>\s]{1,100}(?:>|\Z)"  # Mentions, custom emoji, timestamps, links in brackets.
    r"|<\Z"
    r"|\\[!-/:-@\[-`{-~]"
    r"|\|{2,}"
)
_SPOILER_BARS: Final = re.compile(r"(?<!\\)\|\|")
_SPACE: Final = re.compile(r"\s*")
_NEWLINES: Final = re.compile(r"\n*")
_END_OF_BLOCK: Final = re.compile(r"\s*`{3,}")


@dataclass(frozen=True, slots=True)
class Parts:
    """A reply that goes out as ordinary posts, none for a reply that shows nothing."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AsFile:
    """A reply too long for posts: its beginning and a note in one post, the whole of it in a file."""

    summary: str
    filename: str
    text: str


def split_message(text: str, limit: int = MESSAGE_LIMIT) -> tuple[str, ...]:
    """Cut a text into parts of at most `limit` UTF-16 units, each fit to be a message of its own.

    A cut is made at the end of a paragraph, else of a line, a sentence, a line of code or a word, as far
    back as the middle of the part; a word is broken only when it fills a part. A code block that is cut
    is closed, and opened again with its language in the next part. Custom emoji, mentions, links, inline
    code, spoilers of up to half a part and visible characters stay whole unless they fill a part. White
    space at a cut is dropped. No part is blank; a blank text has no parts.

    For a text that grows: whatever is added at the end, all parts but the last stay as they are, that is,
    ``split_message(text)[:-1]`` is a beginning of ``split_message(text + more)``.

    Takes time linear in the length of the text. The limit is at least SMALLEST_LIMIT (ValueError).
    """
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"a limit of {limit} leaves no room to split")
    return tuple(part for part in _parts(text.rstrip(), limit) if not is_blank(part))


def plan_delivery(text: str, max_posts: int = MAX_POSTS, *, limit: int = MESSAGE_LIMIT) -> Parts | AsFile:
    """Decide how a finished reply goes out: as at most `max_posts` posts, or as one post with a file.

    The post beside the file begins like the reply and ends in a small-print line that says so. `limit` is
    that of a post, in UTF-16 units.
    """
    parts = split_message(text, limit)
    if len(parts) <= max_posts:
        return Parts(parts)
    whole = text.strip()
    note = f"\n\n-# The whole reply, {len(whole):,} characters long, is in the attached file."
    lead = split_message(text, limit - utf16_length(note))[0]
    return AsFile(summary=lead + note, filename=REPLY_FILENAME, text=whole)


def _parts(text: str, limit: int) -> Iterator[str]:
    at, opener = _skip(_SPACE, text, 0), ""
    while at < len(text):
        room = limit - utf16_length(opener)
        widest = fitting(text, room, start=at)
        # Everything here is decided from the characters that fit and the one after them. They cannot
        # change once there is a further part, which is what keeps earlier parts stable.
        if opener or FENCE in text[at : at + widest + 1]:
            room -= len(_CLOSER)
        size = fitting(text, room, start=at)
        fenced = bool(opener)
        last = at + size >= len(text)
        cut = len(text) if last else at + _best_cut(text[at : at + size + 1], fenced=fenced)
        body = text[at:cut]
        block = scan_code(body, fenced=fenced).open_fence
        reopened = fenced and block is not None and block.start == 0
        if block is None:
            yield opener + body.rstrip()
            at, opener = _skip(_SPACE, text, cut), ""
            continue
        if body[content_start(body, block) :].strip():
            yield opener + body.rstrip() + _CLOSER
        else:
            # Backticks with nothing after them would show as backticks.
            yield "" if reopened else opener + body[: block.start].rstrip()
        if not reopened:
            opener = f"{FENCE}{_language(text, at + block.body)}\n"
        if (end := _END_OF_BLOCK.match(text, cut)) is not None:
            at, opener = _skip(_SPACE, text, end.end()), ""
        else:
            at = _skip(_NEWLINES, text, cut)


def _language(text: str, at: int) -> str:
    info = INFO_LINE.match(text, at)
    return "" if info is None or len(info[0]) > _LONGEST_LANGUAGE else info[0]


def _skip(what: re.Pattern[str], text: str, at: int) -> int:
    match = what.match(text, at)
    return at if match is None else match.end()


def _best_cut(window: str, *, fenced: bool) -> int:
    """Choose where to cut a window that holds what fits and one character more; 0 < result < len(window)."""
    size = len(window) - 1
    scan = scan_code(window, fenced=fenced)
    prose = _hide_code(window, scan)
    whole = _unbreakable(window, prose, scan)
    half = size // 2
    for end_of in (_PARAGRAPH, _LINE, _SENTENCE):
        if (cut := _last(end_of, prose, half, size, whole)) is not None:
            return cut
    code = _hide_prose(window, scan) if scan.spans else ""
    if (cut := _last(_LINE, code, half, size, whole)) is not None:
        return cut
    word = _last(_WORD, prose, 1, size, whole)
    if word is not None and word >= half:
        return word
    short = (word, _last(_LINE, code, 1, size, whole), _last(_WORD, code, 1, size, whole))
    return max((cut for cut in short if cut is not None), default=None) or _forced_cut(window, size, whole)


def _last(end_of: re.Pattern[str], text: str, low: int, high: int, whole: bytearray) -> int | None:
    best = None
    for match in end_of.finditer(text, low):
        if match.end() > high:
            break
        if not whole[match.end()]:
            best = match.end()
    return best


def _forced_cut(window: str, size: int, whole: bytearray) -> int:
    for cut in range(size, 0, -1):
        if not whole[cut] and is_boundary(window, cut):
            return cut
    return boundary_at_or_before(window, size)


def _hide_code(window: str, scan: CodeScan) -> str:
    pieces: list[str] = []
    at = 0
    for span in scan.spans:
        pieces += window[at : span.start], _HIDDEN * (span.end - span.start)
        at = span.end
    return "".join((*pieces, window[at:]))


def _hide_prose(window: str, scan: CodeScan) -> str:
    pieces: list[str] = []
    at = 0
    for span in scan.spans:
        if span.fenced:
            pieces += _HIDDEN * (span.body - at), window[span.body : span.body_end]
            at = span.body_end
    return "".join((*pieces, _HIDDEN * (len(window) - at)))


def _unbreakable(window: str, prose: str, scan: CodeScan) -> bytearray:
    """Mark the positions at which a cut would break something that should stay in one piece."""
    whole = bytearray(len(window) + 1)

    def keep(start: int, end: int) -> None:
        inside = range(start + 1, end)
        whole[inside.start : inside.stop] = b"\x01" * len(inside)

    for span in scan.spans:
        if not span.fenced:
            keep(span.start, span.end)
            continue
        if span.body > span.start:
            keep(span.start, _first_code(window, span) + 1)
        keep(span.body_end, span.end)
    if scan.pending is not None:
        keep(scan.pending, len(whole))
    keep(len(window.rstrip("`")), len(whole))
    for atom in _ATOM.finditer(prose):
        keep(atom.start(), atom.end())
    bars = [match.start() for match in _SPOILER_BARS.finditer(prose)] if "||" in prose else []
    if len(bars) % 2:
        bars.append(len(whole))
    for first, second in zip(bars[::2], bars[1::2], strict=False):
        if second - first <= len(window) // 2:
            keep(first, second + 2)
    return whole


def _first_code(window: str, span: CodeSpan) -> int:
    return _skip(_SPACE, window, content_start(window, span))
