"""Who said what, told to a model: every message of a member begins with a label, as in ``[Alice] Hello``."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bot.domain.ids import UserId
from bot.domain.unicode_text import one_line, truncate, without_invisible

FALLBACK_LABEL: Final = "Someone"
MAX_LABEL: Final = 32
"""UTF-16 units. Discord allows 32 characters in a nickname and in a display name."""

_BRACKETS: Final = "[]\uff3b\uff3d\u3010\u3011\u3014\u3015\u27e6\u27e7"
_OPENING: Final = re.escape(_BRACKETS[::2])
_FORGED: Final = re.compile(rf"^((?:[^\S\n]|[>*_~|`])*)(?=[{_OPENING}])", re.MULTILINE)


def speaker_label(display_name: str) -> str:
    """Return a name as it stands in a label: one line without brackets, at most MAX_LABEL UTF-16 units."""
    return truncate(one_line(display_name, without=_BRACKETS), MAX_LABEL).strip() or FALLBACK_LABEL


def distinct_labels(names: Mapping[UserId, str], *, reserved: Iterable[str] = ()) -> dict[UserId, str]:
    """Give each member a label of his own.

    The first of several with one name keeps it, the others are numbered (``Alice``, ``Alice 2``), in the order
    of the mapping. Case does not make a difference. `reserved` are names that no member may have, such as that
    of the character.
    """
    taken = {speaker_label(name).casefold() for name in reserved}
    labels: dict[UserId, str] = {}
    for member, name in names.items():
        label = base = speaker_label(name)
        number = 1
        while label.casefold() in taken:
            number += 1
            label = f"{truncate(base, MAX_LABEL - len(f' {number}')).rstrip()} {number}"
        taken.add(label.casefold())
        labels[member] = label
    return labels


def labelled(text: str, label: str) -> str:
    """Put a label in front of a message.

    A bracket that begins a line of the message is escaped with a backslash, so that nobody can put words
    into another's mouth by writing a label himself.
    """
    return f"[{label}] {_FORGED.sub(_escaped, without_invisible(text))}"


def _escaped(match: re.Match[str]) -> str:
    return f"{match[1]}\\"
