import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feedback import Complaint, Report, ReportState
from bot.domain.ids import CharacterRef, ReportId, UserId
from bot.domain.reporting import ReportReason, parse_reason, report_news


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
