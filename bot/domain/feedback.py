"""Ratings and reports that members give, and what of them is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.ids import (
    ChannelId,
    CharacterRef,
    GuildId,
    MessageId,
    OutboxId,
    PayerId,
    ReportId,
    UserId,
)
from bot.domain.unicode_text import utf16_length

MIN_STARS: Final = 1
MAX_STARS: Final = 5
MIN_REVIEW_CHARACTERS: Final = 10
"""The catalogue takes no shorter review text (Characters API, Reviews And Reports)."""
MAX_REVIEW_CHARACTERS: Final = 2000
"""Our own cap: the catalogue documents none."""
MAX_DETAILS_CHARACTERS: Final = 1000
"""Our own cap on the details of a report: the catalogue documents none."""
LONGEST_NEWS_UNITS: Final = 1_900
"""UTF-16 units of news that are told at once: a message takes 2,000 characters."""
MIN_RATINGS_SHOWN: Final = 3
"""An average of fewer would tell what one member thinks."""


class ReviewFault(Enum):
    """Why a rating cannot be taken as it was given."""

    STARS = "stars"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Review:
    """A rating that may be stored: 1 to 5 stars, and a text of 10 to 2,000 characters or none."""

    stars: int
    text: str | None = None


def parse_stars(word: str) -> int | None:
    """Read a number of stars as a person types it, or return None when it is not one from 1 to 5.

    "4", "4/5" and four star signs all mean four.
    """
    word = word.strip().removesuffix("/5").strip()
    signs = word.rstrip("☆").replace("\N{VARIATION SELECTOR-16}", "")
    if signs and not signs.strip("★⭐*"):
        stars = len(signs)
    elif len(word) == 1 and word.isascii() and word.isdigit():
        stars = int(word)
    else:
        return None
    return stars if MIN_STARS <= stars <= MAX_STARS else None


def read_review(stars: str, text: str | None) -> Review | ReviewFault:
    """Return the rating that a person gave, or what is wrong with it; a blank text counts as none."""
    number = parse_stars(stars)
    if number is None:
        return ReviewFault.STARS
    text = (text or "").strip()
    if not text:
        return Review(number)
    if len(text) < MIN_REVIEW_CHARACTERS:
        return ReviewFault.TOO_SHORT
    if len(text) > MAX_REVIEW_CHARACTERS:
        return ReviewFault.TOO_LONG
    return Review(number, text)


class NotAccepted(Enum):
    """Why the catalogue does not have a rating as its member's review."""

    INVALID = "invalid"
    """Something about it was wrong, by the catalogue's rules."""
    BALANCE = "balance"
    """The account has neither a subscription nor enough balance."""
    FORBIDDEN = "forbidden"
    """The account may not review this character."""
    GONE = "gone"
    """The catalogue does not have the character, or not for this account."""
    CONFLICT = "conflict"
    KEY = "key"
    """The key of the account was refused, or is not there any more."""
    EXPIRED = "expired"
    """Tried for as long as it is worth trying, without an answer."""


@dataclass(frozen=True, slots=True)
class RefusedReview:
    """That a rating was to be its member's review, and is not. Times are Unix milliseconds."""

    cause: NotAccepted
    answer: str | None
    """The catalogue's words, where it gave any."""
    refused_at_ms: int
    told_at_ms: int | None = None
    """When the member was told."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What a member thinks of a character; one per member and character. Times are Unix milliseconds."""

    user_id: UserId
    character_ref: CharacterRef
    review: Review
    guild_id: GuildId | None
    """Where it was last given; None for a direct message, or when the bot has left that server."""
    created_at_ms: int
    updated_at_ms: int
    published_at_ms: int | None
    """When the catalogue took it as it stands; None for one that was never published, or changed since."""
    refused: RefusedReview | None = None
    """How the last attempt to publish it as it stands ended in vain; None where none did."""


@dataclass(frozen=True, slots=True)
class Stars:
    """How a group of members rates a character."""

    total: int
    count: int


def shown_average(stars: Stars) -> float | None:
    """Return the average that may be shown, or None below three ratings."""
    return stars.total / stars.count if stars.count >= MIN_RATINGS_SHOWN else None


class Addressee(Enum):
    """Who reads a report."""

    CATALOGUE = "catalogue"
    """NanoGPT; the staff of the server gets a copy where it has asked for them."""
    STAFF = "staff"
    """The staff of the server alone: the catalogue keeps a private character to its owner."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a member reports. The details are None when there are none, or when they were erased."""

    reporter_id: UserId
    character_ref: CharacterRef
    reason: str
    details: str | None = None
    guild_id: GuildId | None = None
    channel_id: ChannelId | None = None
    message_id: MessageId | None = None
    addressee: Addressee = Addressee.CATALOGUE
    shared: bool = False
    """Whether the staff of the server may read who reported, and the details."""


class ReportState(Enum):
    WAITING = "waiting"
    """Not yet taken by whom it is for, and still tried."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Tried for as long as it is worth trying, without an answer."""


@dataclass(frozen=True, slots=True)
class Report:
    """A complaint on its way to the catalogue. Times are Unix milliseconds."""

    id: ReportId
    complaint: Complaint
    state: ReportState
    answer: str | None
    """The catalogue's words when it refused."""
    created_at_ms: int
    ended_at_ms: int | None
    told_at_ms: int | None
    """When the reporter was told how it ended."""


class OutboxKind(Enum):
    """What is waiting to be sent to the catalogue."""

    REPORT = "report"
    RATING = "rating"
    """A rating, to be its member's review."""
    REPORT_COPY = "report_copy"
    """A report, for the staff of the server it was made in."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Something to send. A later entry for the same subject replaces it, under an id of its own."""

    id: OutboxId
    kind: OutboxKind
    subject: str
    """What it is about, as its kind understands it: a report's id, for one."""
    payer: PayerId
    attempts: int
    """How often it was sent in vain."""
    due_at_ms: int
    created_at_ms: int


def fitting_news(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return as many news, from the first on, as fit into a message a line each; never none of some."""
    fitting: list[str] = []
    left = LONGEST_NEWS_UNITS
    for sentence in sentences:
        left -= utf16_length(sentence) + 1
        if fitting and left < 0:
            break
        fitting.append(sentence)
    return tuple(fitting)


_SUBJECT_SIGN: Final = ":"


def review_subject(user_id: UserId, character_ref: CharacterRef) -> str:
    """Name a member's rating of a character in the outbox."""
    return f"{user_id}{_SUBJECT_SIGN}{character_ref}"


def read_review_subject(subject: str) -> tuple[UserId, CharacterRef]:
    """Return whose rating an entry of the outbox is about, and of which character."""
    user_id, _, character_ref = subject.partition(_SUBJECT_SIGN)
    return UserId(int(user_id)), CharacterRef(int(character_ref))
