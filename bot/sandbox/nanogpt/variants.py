"""Harmless differences between answers that upstream may give: a client must read them all alike."""

from dataclasses import dataclass
from enum import Enum


class ListEnvelope(Enum):
    """Where a list answer keeps its items and its cursor. The real envelope is not documented."""

    DATA = "data"
    """`{"object": "list", "data": […], "next_cursor": …}`, as character-models answers."""
    CHARACTERS = "characters"
    """`{"characters": […], "nextCursor": …}`."""
    ARRAY = "array"
    """The items alone: there is only ever one page."""
    NESTED = "nested"
    """`{"data": {"items": […], "cursor": …, "has_more": …}}`."""
    PAGINATION = "pagination"
    """`{"items": […], "pagination": {"cursor": …}}`."""


class SingleEnvelope(Enum):
    """How one character is wrapped."""

    BARE = "bare"
    CHARACTER = "character"
    DATA = "data"


class ArchivedRead(Enum):
    """What a non-owner gets for an archived character."""

    NOT_FOUND = 404
    GONE = 410
    MARKED = 200
    """The character, with `archived_at`."""


class WriteAnswer(Enum):
    """What a good answer to a write holds. No page shows one."""

    CHARACTER = "character"
    """The character, or for a review the review and the new average, or for an archived one its id and a mark."""
    OK = "ok"
    """`{"ok": true}`."""
    EMPTY = "empty"
    """204, and nothing else."""
    TEXT = "text"
    """A word that is no JSON."""


class UsageShape(Enum):
    """In which shape the usage of a subscription is told."""

    DOCUMENTED = "documented"
    """Windows of operations: daily and monthly."""
    SEEN = "seen"
    """Windows of input tokens and images, as clients of 2026 read them."""


class ReasoningEvents(Enum):
    """Under which event names a model's thoughts are streamed before its text."""

    DOCUMENTED = "response.reasoning"
    TEXT = "response.reasoning_text"
    SUMMARY = "response.reasoning_summary_text"


@dataclass(slots=True)
class Variants:
    """The differences in force; each may be set at any time and holds for the answers that begin after it."""

    list_envelope: ListEnvelope = ListEnvelope.DATA
    single_envelope: SingleEnvelope = SingleEnvelope.BARE
    camel_case: bool = False
    """Characters with `ratingAvg` in place of `rating_avg`, and so on."""
    tag_objects: bool = False
    """Tags as `{"slug", "name"}` in place of strings."""
    text_averages: bool = False
    """`rating_avg` as a string."""
    short_list_items: bool = False
    """List items without description, greeting, visibility, status and API access."""
    archived_read: ArchivedRead = ArchivedRead.NOT_FOUND
    empty_report_answer: bool = False
    """A report answered with 204 in place of 201 and a body."""
    refuse_second_report: bool = False
    """An account's second report of a character answered with 409."""
    write_answer: WriteAnswer = WriteAnswer.CHARACTER
    """For a character that was made, changed or archived, and for a review."""
    owner_prompt: bool = True
    """The owner gets the `system_prompt` of a character; no page says so."""
    private_without_slug: bool = False
    """Private characters have no slug."""
    mine_with_archived: bool = True
    """One's own list holds archived characters as well."""
    ineligible_status: int = 402
    """What an account gets that may not review: 400, 402 or 403."""
    refuse_own_review: bool = False
    """A review of one's own character answered with 409."""
    bad_balance_status: int = 401
    """What a bad key gets when it asks for its balance: the page documents 400, clients have seen 401."""
    number_balances: bool = False
    """Balances as numbers in place of strings."""
    usage_shape: UsageShape = UsageShape.DOCUMENTED
    model_required: bool = False
    """`model` must stand beside `character_id`, as the letter of the Responses page has it."""
    event_lines: bool = False
    """An `event:` line before each `data:` line."""
    crlf: bool = False
    done_marker: bool = True
    """`data: [DONE]` after the last event."""
    keep_alives: bool = False
    """A comment line before each event."""
    deltas: bool = True
    """False: the whole text comes with the closing events only."""
    reasoning: ReasoningEvents | None = None
    think_block: bool = False
    """A `<think>` block leaks into the text, ahead of the answer."""
    cost_usd: float | None = None
    """Reported with each answer when set; 0 means that a subscription covered it."""
