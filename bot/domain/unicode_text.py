"""What Unicode asks of code that measures, cuts and cleans text people see."""

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate
from typing import Final

_LAST_BMP: Final = "\uffff"
_JOINERS: Final = "\u200c\u200d"
"""Zero-width non-joiner and joiner: spelling in Persian and Indic scripts, glue inside emoji."""
_ZERO_WIDTH_JOINER: Final = "\u200d"

_LINE_ENDS: Final = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_NEVER_SHOWN: Final = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # Control characters, without those that end a line.
    "\u00ad\u034f\u061c"  # Soft hyphen, grapheme joiner, Arabic letter mark.
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # Fillers that draw nothing.
    "\u180b-\u180f\u200b\u200e\u200f"  # Mongolian selectors, zero-width space, direction marks.
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # Bidirectional controls, invisible operators, byte order mark.
    "\ud800-\udfff"  # Halves of surrogate pairs, which cannot be sent as UTF-8.
    "]+"
)
_PLAINLY_SHOWN: Final = re.compile(r"[!-~]")
_BRAILLE_BLANK: Final = "\u2800"
_TAGS: Final = re.compile("(\U0001f3f4[\U000e0020-\U000e007f]+)|[\U000e0000-\U000e0fff]+")
"""Tag characters spell the flags of England, Scotland and Wales after a black flag; elsewhere they only hide text."""
_JOINER_RUNS: Final = re.compile(
    rf"(?<=[^\x00-\x7f\s{_JOINERS}])([{_JOINERS}])[{_JOINERS}]*+(?=[^\x00-\x7f\s])|[{_JOINERS}]+"
)

_REGIONAL_FIRST: Final = "\U0001f1e6"
_REGIONAL_LAST: Final = "\U0001f1ff"
_FLAG_LETTERS: Final = 2
_EXTENDS: Final = re.compile(
    "["
    f"{_JOINERS}\ufe00-\ufe0f"
    "\U0001f3fb-\U0001f3ff"  # Skin tones.
    "\U000e0020-\U000e007f\U000e0100-\U000e01ef"
    "\u1160-\u11ff\ud7b0-\ud7ff"  # Vowels and finals of decomposed Hangul.
    "\uff9e\uff9f"  # Half-width voicing marks.
    "]"
)
_LONGEST_CLUSTER: Final = 64
"""Code points. Real clusters stay well below; stacks of accents do not, and may be cut."""


def utf16_length(text: str) -> int:
    """Count UTF-16 code units.

    Discord does not say in which unit it counts characters. Code units are never fewer than code
    points, so a text within a limit by this count is within it by either.
    """
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitting(text: str, units: int, *, start: int = 0) -> int:
    """Tell how many code points from `start` on fit into so many UTF-16 units."""
    piece = text[start : start + units]
    if utf16_length(piece) <= units:
        return len(piece)
    return bisect_right(list(accumulate(2 if char > _LAST_BMP else 1 for char in piece)), units)


def is_boundary(text: str, index: int) -> bool:
    """Tell whether a cut before `index` leaves every character as people see it in one piece.

    Covers what chat contains: combining marks, joined and toned emoji, flags, keycaps, decomposed
    Hangul. Both ends of the text are boundaries.
    """
    if not 0 < index < len(text):
        return True
    before, after = text[index - 1], text[index]
    if _extends(after) or (before == _ZERO_WIDTH_JOINER and not after.isascii()):
        return False
    if _is_regional(before) and _is_regional(after):
        first = index
        while first > 0 and _is_regional(text[first - 1]):
            first -= 1
        return (index - first) % _FLAG_LETTERS == 0
    return True


def boundary_at_or_before(text: str, index: int) -> int:
    """Return the last boundary up to `index`, or `index` itself where a cluster is absurdly long."""
    for candidate in range(index, max(0, index - _LONGEST_CLUSTER), -1):
        if is_boundary(text, candidate):
            return candidate
    return index


def truncate(text: str, units: int) -> str:
    """Shorten a text to at most so many UTF-16 units without breaking a visible character."""
    size = fitting(text, units)
    return text if size == len(text) else text[: boundary_at_or_before(text, size)]


def without_invisible(text: str) -> str:
    """Remove control, zero-width and bidirectional characters, and make every line end a newline.

    A joiner stays between two characters beyond ASCII, where scripts and emoji need it. The result of a
    beginning of a text is a beginning of the result of the whole.
    """
    text = _NEVER_SHOWN.sub("", _LINE_ENDS.sub("\n", text))
    if text.isascii():
        return text
    return _JOINER_RUNS.sub(r"\1", _TAGS.sub(r"\1", text))


def is_blank(text: str) -> bool:
    """Tell whether a text would show nothing, which Discord refuses (error 50006)."""
    if _PLAINLY_SHOWN.search(text) is not None:
        return False
    return not without_invisible(text).replace(_BRAILLE_BLANK, "").strip()


def one_line(text: str, *, without: str = "") -> str:
    """Return the text compatibility-folded (NFKC), cleaned and on one line with single spaces.

    The characters of `without` are taken out as well, also those that folding brings about.
    """
    folded = without_invisible(unicodedata.normalize("NFKC", without_invisible(text)))
    return " ".join(folded.translate(dict.fromkeys(map(ord, without))).split())


def _extends(char: str) -> bool:
    return not char.isascii() and (unicodedata.category(char).startswith("M") or _EXTENDS.match(char) is not None)


def _is_regional(char: str) -> bool:
    return _REGIONAL_FIRST <= char <= _REGIONAL_LAST
