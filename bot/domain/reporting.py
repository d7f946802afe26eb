"""What a character can be reported for, and what its reporter reads about it."""

from enum import Enum
from typing import Final

from bot.domain.feedback import Report, ReportState
from bot.domain.quoting import code_span

_MILLISECONDS: Final = 1_000


class ReportReason(Enum):
    """The reasons offered; the catalogue takes any text (Characters API, Reviews And Reports).

    The value is short, as it stands in a select menu; `words` are what people and the catalogue read.
    """

    MINORS = "minors"
    HATE = "hate"
    REAL_PERSON = "real-person"
    MISRATED = "misrated"
    COPYRIGHT = "copyright"
    OTHER = "other"

    @property
    def words(self) -> str:
        """The reason in plain words."""
        return _WORDS[self]


_WORDS: Final = {
    ReportReason.MINORS: "Sexual content about minors",
    ReportReason.HATE: "Hate or harassment",
    ReportReason.REAL_PERSON: "Impersonates a real person",
    ReportReason.MISRATED: "Breaks its content rating",
    ReportReason.COPYRIGHT: "Copyright",
    ReportReason.OTHER: "Something else",
}


def parse_reason(value: str) -> ReportReason | None:
    """Read the value of a reason, or return None for one that is not offered."""
    try:
        return ReportReason(value)
    except ValueError:
        return None


def report_news(report: Report) -> str | None:
    """Return what the reporter is told about a report that came to nothing, or None for any other.

    Names no character: the place where this is read may not show it.
    """
    which = f"Your report of <t:{report.created_at_ms // _MILLISECONDS}:D> (“{report.complaint.reason}”)"
    kept = "It is still stored here, where whoever runs this bot can read it."
    if report.state is ReportState.REFUSED:
        answer = code_span(report.answer or "")
        return f"{which} was not taken by the NanoGPT catalogue{f': {answer}.' if answer else '.'} {kept}"
    if report.state is ReportState.EXPIRED:
        return f"{which} did not reach the NanoGPT catalogue within a week, so I stopped trying. {kept}"
    return None
