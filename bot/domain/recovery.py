"""What becomes of a turn that a stop of the process left running."""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from bot.domain.failures import without_cut_mark
from bot.domain.turns import TurnKind, Version, VersionState

RUN_AGAIN_WITHIN_MS: Final = 10 * 60_000
"""A turn older than this is not answered unasked: the talk has gone on."""
MOST_ATTEMPTS: Final = 3
"""A message that stops the process each time it is answered must not do so for ever."""


class Remedy(Enum):
    """How a turn is brought to its end."""

    DELIVER = "deliver"
    """The whole text is there; show what is missing of it."""
    MARK_INTERRUPTED = "mark_interrupted"
    """Part of it can be seen: keep that, and say that it was interrupted."""
    RUN_AGAIN = "run_again"
    """Nothing can be seen; ask upstream again, which may be billed twice."""
    MARK_FAILED = "mark_failed"
    """Nothing can be seen, and it is too late or too often to ask again."""


def remedy(kind: TurnKind, version: Version | None, *, visible: bool, age_ms: int, attempts: int) -> Remedy:
    """Choose how to end a turn.

    1. A text that upstream has finished is delivered: it was paid for, and it may be half shown.
    2. What can be seen stays, and is never generated again unasked.
    3. Else a young turn runs again, a few times at most.
    """
    if version is not None and version.state is VersionState.COMPLETE and version.text:
        return Remedy.DELIVER
    if visible:
        return Remedy.MARK_INTERRUPTED
    if kind is TurnKind.REPLY and age_ms < RUN_AGAIN_WITHIN_MS and attempts < MOST_ATTEMPTS:
        return Remedy.RUN_AGAIN
    return Remedy.MARK_FAILED


def text_of_posts(texts: Iterable[str]) -> str:
    """Return what can be read of a reply in the posts that carry it, without an earlier mark under them.

    Near enough to what was written: white space at the cuts, and the fences of code that was cut, may differ.
    """
    return "\n".join(text for post in texts if (text := without_cut_mark(post)))
