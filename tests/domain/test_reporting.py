from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feedback import MAX_DETAILS_CHARACTERS, Addressee, Complaint, Report, ReportState
from bot.domain.ids import ChannelId, CharacterRef, GuildId, MessageId, ReportId, UserId
from bot.domain.reporting import (
    TO_CATALOGUE,
    Readers,
    ReportReason,
    about_details,
    about_report,
    parse_reason,
    receipt,
    report_news,
    staff_copy,
)
from bot.domain.unicode_text import utf16_length


def report(state: ReportState, answer: str | None = None) -> Report:
    complaint = Complaint(UserId(1), CharacterRef(2), ReportReason.HATE.words)
    return Report(ReportId(3), complaint, state, answer, 1_800_000_000_000, 1_800_000_060_000, None)


@pytest.mark.parametrize("reason", ReportReason)
def test_every_reason_is_read_back_from_its_value(reason: ReportReason) -> None:
    assert parse_reason(reason.value) is reason


@pytest.mark.parametrize("value", ["", "nonsense", "Hate or harassment"])
def test_another_value_is_no_reason(value: str) -> None:
    assert parse_reason(value) is None


def test_reasons_fit_a_radio_group() -> None:
    assert 2 <= len(ReportReason) <= 10
    assert all(0 < len(reason.words) <= 100 for reason in ReportReason)


def test_a_refusal_is_told_with_the_catalogues_words() -> None:
    news = report_news(report(ReportState.REFUSED, "already reported"))
    assert news is not None
    assert "was not taken by the NanoGPT catalogue: `already reported`." in news
    assert "Hate or harassment" in news


def test_a_refusal_without_words_is_told_all_the_same() -> None:
    news = report_news(report(ReportState.REFUSED))
    assert news is not None
    assert "was not taken by the NanoGPT catalogue. It is still stored" in news


def test_a_report_given_up_is_told() -> None:
    news = report_news(report(ReportState.EXPIRED))
    assert news is not None
    assert "within a week" in news


@pytest.mark.parametrize("state", [ReportState.WAITING, ReportState.ACCEPTED])
def test_there_is_no_news_of_what_goes_well(state: ReportState) -> None:
    assert report_news(report(state)) is None


@given(answer=st.text())
def test_foreign_words_stay_in_their_code_span(answer: str) -> None:
    news = report_news(report(ReportState.REFUSED, answer))
    assert news is not None
    assert news.count("`") in {0, 2}
    assert "\n" not in news
    assert len(news) < 600


STAFF = Readers(Addressee.STAFF, linked=False, staff=True)
LONGEST_MESSAGE = 2_000
"""https://discord.com/developers/docs/resources/message#create-message"""


def for_staff(state: ReportState) -> Report:
    made = report(state)
    return replace(made, complaint=replace(made.complaint, addressee=Addressee.STAFF))


@pytest.mark.parametrize(
    ("state", "words"),
    [(ReportState.REFUSED, "could not be shown to the staff"), (ReportState.EXPIRED, "did not reach the staff")],
)
def test_of_what_was_for_the_staff_alone_the_catalogue_is_not_blamed(state: ReportState, words: str) -> None:
    news = report_news(for_staff(state))
    assert news is not None
    assert words in news
    assert "catalogue" not in news


@pytest.mark.parametrize(
    ("readers", "words", "not_words"),
    [
        (TO_CATALOGUE, "to the NanoGPT catalogue, without your name", "staff"),
        (Readers(Addressee.CATALOGUE, linked=True, staff=False), "as a report of your NanoGPT account", "without"),
        (Readers(Addressee.CATALOGUE, linked=False, staff=True), "The staff of this server gets a copy", "nobody else"),
        (STAFF, "to the staff of this server and to nobody else", "catalogue"),
    ],
)
def test_where_a_report_goes_is_said_before_it_is_written(readers: Readers, words: str, not_words: str) -> None:
    about = about_report(readers)
    assert words in about
    assert not_words not in about
    assert "does not replace Discord's own report function" in about


def test_who_reads_the_details_is_said_beside_them() -> None:
    assert "sent along" in about_details(TO_CATALOGUE)
    assert "only if you tick the box" in about_details(STAFF)


@pytest.mark.parametrize("addressee", Addressee)
@pytest.mark.parametrize("staff", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_a_receipt_says_who_reads_what(addressee: Addressee, *, staff: bool, shared: bool) -> None:
    complaint = Complaint(UserId(1), CharacterRef(2), "Copyright", addressee=addressee, shared=shared)
    text = receipt(complaint, staff=staff)
    assert "is stored" in text
    assert ("NanoGPT catalogue" in text) is (addressee is Addressee.CATALOGUE)
    told_staff = staff or addressee is Addressee.STAFF
    assert ("staff of this server" in text) is told_staff
    if told_staff:
        assert ("without your name" in text) is not shared


COMPLAINT = Complaint(UserId(1), CharacterRef(2), "Copyright", "It copies me.", GuildId(3), ChannelId(4))
SHARED = replace(COMPLAINT, shared=True)


def copy_of(complaint: Complaint, name: str | None = "Ada") -> str:
    return staff_copy(replace(report(ReportState.WAITING), complaint=complaint), name)


def test_a_copy_links_to_the_message_or_else_to_the_place() -> None:
    assert "https://discord.com/channels/3/4/5" in copy_of(replace(COMPLAINT, message_id=MessageId(5)))
    assert copy_of(COMPLAINT).splitlines()[1].endswith("https://discord.com/channels/3/4")


def test_a_copy_says_whether_the_catalogue_reads_it_too() -> None:
    assert "catalogue as well" in copy_of(COMPLAINT)
    assert "nobody else" in copy_of(replace(COMPLAINT, addressee=Addressee.STAFF))


def test_a_copy_names_the_reporter_only_where_they_wanted_that() -> None:
    silent = copy_of(COMPLAINT)
    assert "<@1>" not in silent
    assert "copies" not in silent
    assert copy_of(SHARED).endswith("Reported by <@1>.\n```\nIt copies me.\n```")
    assert "```" not in copy_of(replace(SHARED, details=None))


def test_of_a_character_that_may_not_be_shown_neither_name_nor_details_are() -> None:
    text = copy_of(SHARED, None)
    assert "<@1>" in text
    assert "copies" not in text
    assert "rated above what this channel may show" in text


@given(
    name=st.text(max_size=200),
    details=st.text(max_size=MAX_DETAILS_CHARACTERS) | st.just("`" * MAX_DETAILS_CHARACTERS),
)
def test_a_copy_fits_into_a_message_and_its_code_stays_whole(name: str, details: str) -> None:
    text = copy_of(replace(SHARED, details=details or None, message_id=MessageId(2**63 - 1)), name)
    assert utf16_length(text) <= LONGEST_MESSAGE
    assert text.count("```") in {0, 2}


def test_a_copy_of_a_report_from_nowhere_names_no_place() -> None:
    nowhere = replace(COMPLAINT, guild_id=None, channel_id=None)
    assert "In: " not in copy_of(nowhere)
    assert "The message: " not in copy_of(nowhere)
