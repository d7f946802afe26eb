"""What a character can be reported for, and what its reporter reads about it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.feedback import Addressee, Complaint, Report, ReportState
from bot.domain.quoting import bold_name, code_block, code_span
from bot.domain.unicode_text import truncate

SHOWN_DETAILS_UNITS: Final = 1_000
"""UTF-16 units of the details that the staff reads: as many as may be typed, unless they are of rare signs."""
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
    for_staff = report.complaint.addressee is Addressee.STAFF
    if report.state is ReportState.REFUSED:
        if for_staff:
            return f"{which} could not be shown to the staff of its server. {kept}"
        answer = code_span(report.answer or "")
        return f"{which} was not taken by the NanoGPT catalogue{f': {answer}.' if answer else '.'} {kept}"
    if report.state is ReportState.EXPIRED:
        whom = "the staff of its server" if for_staff else "the NanoGPT catalogue"
        return f"{which} did not reach {whom} within a week, so I stopped trying. {kept}"
    return None


@dataclass(frozen=True, slots=True)
class Readers:
    """Who will read a report."""

    addressee: Addressee
    linked: bool
    """Whether it goes to the catalogue with the key of the reporter's own account."""
    staff: bool
    """Whether the staff of the server reads it."""


TO_CATALOGUE: Final = Readers(Addressee.CATALOGUE, linked=False, staff=False)


def about_report(readers: Readers) -> str:
    """Return what a person reads about where their report goes, before they write it."""
    if readers.addressee is Addressee.STAFF:
        goes = "This is somebody's own character, so your report goes to the staff of this server and to nobody else."
    else:
        whose = "as a report of your NanoGPT account" if readers.linked else "without your name"
        copy = " The staff of this server gets a copy." if readers.staff else ""
        goes = f"Your report goes to the NanoGPT catalogue, {whose}.{copy}"
    return f"{goes} It does not replace Discord's own report function: use that for what breaks Discord's rules."


def about_details(readers: Readers) -> str:
    """Return what a person reads beside the box for details; within the 100 characters of a label's description."""
    if readers.addressee is Addressee.STAFF:
        return "Read by the staff of this server only if you tick the box below."
    return "They are sent along, so leave private things out."


def receipt(complaint: Complaint, *, staff: bool) -> str:
    """Return what the reporter reads once their report is stored; `staff` tells whether the server's staff reads it."""
    shown = "with your name and your details" if complaint.shared else "without your name and your details"
    if complaint.addressee is Addressee.STAFF:
        return f"Thank you. Your report is stored and goes to the staff of this server, {shown}, and to nobody else."
    copy = f" The staff of this server gets a copy, {shown}." if staff else ""
    return (
        "Thank you. Your report is stored and goes to the NanoGPT catalogue; I keep trying until it is taken, and tell "
        f"you if it is not.{copy}"
    )


NO_STAFF_CHANNEL: Final = (
    "This is somebody's own character, which the NanoGPT catalogue shows to nobody else, and this server has set no "
    "channel for reports. Tell the staff of the server, or use Discord's own report function."
)


def staff_copy(report: Report, name: str | None) -> str:
    """Return a report as the staff of the server reads it; None for a character that may not be shown there.

    Who reported and the details are in it only where the reporter wanted that, and the details of a character that may
    not be shown never are. Within 2,000 characters.
    """
    complaint = report.complaint
    who = "A character rated above what this channel may show" if name is None else bold_name(name)
    lines = [f"⚑ {who} was reported: {complaint.reason}"]
    if complaint.message_id is not None:
        lines.append(f"The message: {_address(complaint)}/{complaint.message_id}")
    elif complaint.channel_id is not None:
        lines.append(f"In: {_address(complaint)}")
    if complaint.addressee is Addressee.CATALOGUE:
        lines.append("It goes to the NanoGPT catalogue as well.")
    else:
        lines.append("It is a member's own character, so nobody else is told.")
    if not complaint.shared:
        lines.append("The reporter has not chosen to show who they are and what they wrote.")
        return "\n".join(lines)
    lines.append(f"Reported by <@{complaint.reporter_id}>.")
    if complaint.details and name is None:
        lines.append("What they wrote is not shown here, as of such a character.")
    elif complaint.details:
        lines.append(code_block(truncate(complaint.details, SHOWN_DETAILS_UNITS)))
    return "\n".join(lines)


def _address(complaint: Complaint) -> str:
    return f"https://discord.com/channels/{complaint.guild_id}/{complaint.channel_id}"
