import sqlite3
from dataclasses import replace

import pytest

from bot.domain.feedback import Addressee, Complaint, OutboxKind, Report, ReportState
from bot.domain.ids import ChannelId, GuildId, MessageId, ReportId
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.reports import NOBODY, Reports
from bot.store.vault import Vault
from tests.store.seed import ALICE, BOB, NOW, PAYER, Seed


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


@pytest.fixture
def reports(database: Database, vault: Vault, outbox: Outbox) -> Reports:
    return Reports(database, vault, outbox)


@pytest.fixture
async def complaint(seed: Seed) -> Complaint:
    return Complaint(
        ALICE,
        await seed.character(),
        "Policy concern",
        "It said something cruel.",
        GuildId(10),
        ChannelId(20),
        MessageId(50),
    )


async def file(reports: Reports, complaint: Complaint) -> Report:
    return await reports.file(complaint, payer=PAYER, now_ms=NOW)


async def test_a_report_waits_together_with_its_entry_in_the_outbox(
    reports: Reports, outbox: Outbox, complaint: Complaint
) -> None:
    report = await file(reports, complaint)
    assert (report.complaint, report.state) == (complaint, ReportState.WAITING)
    assert (report.created_at_ms, report.ended_at_ms, report.told_at_ms, report.answer) == (NOW, None, None, None)
    assert await reports.get(report.id) == report
    (entry,) = await outbox.due(NOW, 10)
    assert (entry.kind, entry.subject, entry.payer) == (OutboxKind.REPORT, str(report.id), PAYER)


async def test_details_and_place_may_be_missing(reports: Reports, complaint: Complaint) -> None:
    bare = Complaint(ALICE, complaint.character_ref, "Spam")
    assert (await file(reports, bare)).complaint == bare


async def test_neither_report_nor_entry_is_there_without_the_other(
    reports: Reports, outbox: Outbox, complaint: Complaint, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE outbox RENAME TO elsewhere")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await file(reports, complaint)
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE elsewhere RENAME TO outbox")
    assert await reports.get(ReportId(1)) is None
    assert await outbox.next_due_ms() is None


async def test_an_accepted_report_is_done_with(reports: Reports, outbox: Outbox, complaint: Complaint) -> None:
    report = await file(reports, complaint)
    accepted = await reports.accept(report.id, NOW + 1)
    assert accepted == replace(report, state=ReportState.ACCEPTED, ended_at_ms=NOW + 1)
    assert await outbox.next_due_ms() is None
    assert await reports.untold(ALICE) == []


async def test_a_refused_report_keeps_the_answer_until_its_author_was_told(
    reports: Reports, outbox: Outbox, complaint: Complaint
) -> None:
    report = await file(reports, complaint)
    refused = await reports.refuse(report.id, "already reported", NOW + 1)
    assert refused == replace(report, state=ReportState.REFUSED, answer="already reported", ended_at_ms=NOW + 1)
    assert await outbox.next_due_ms() is None
    assert await reports.untold(ALICE) == [refused]
    assert await reports.untold(BOB) == []
    await reports.told([report.id], NOW + 2)
    await reports.told([report.id], NOW + 3)
    assert await reports.untold(ALICE) == []
    told = await reports.get(report.id)
    assert told is not None
    assert told.told_at_ms == NOW + 2


async def test_an_expired_report_is_told_too(reports: Reports, complaint: Complaint) -> None:
    first, second = await file(reports, complaint), await file(reports, complaint)
    await reports.expire(second.id, NOW + 1)
    await reports.refuse(first.id, "no", NOW + 2)
    assert [report.state for report in await reports.untold(ALICE)] == [ReportState.REFUSED, ReportState.EXPIRED]


async def test_a_report_ends_once(reports: Reports, complaint: Complaint) -> None:
    report = await file(reports, complaint)
    await reports.refuse(report.id, "no", NOW + 1)
    assert await reports.accept(report.id, NOW + 2) is None
    assert await reports.expire(report.id, NOW + 2) is None
    stored = await reports.get(report.id)
    assert stored is not None
    assert (stored.state, stored.answer) == (ReportState.REFUSED, "no")


async def test_an_unknown_report_is_none(reports: Reports) -> None:
    assert await reports.get(ReportId(9)) is None
    assert await reports.accept(ReportId(9), NOW) is None


async def test_ids_of_reports_are_never_given_again(reports: Reports, complaint: Complaint, database: Database) -> None:
    report = await file(reports, complaint)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM report WHERE id = $1", report.id)
    assert (await file(reports, complaint)).id > report.id


async def test_a_report_for_the_catalogue_may_be_copied_to_the_staff(
    reports: Reports, outbox: Outbox, complaint: Complaint
) -> None:
    alone = await file(reports, complaint)
    copied = await reports.file(complaint, payer=PAYER, now_ms=NOW, copied=True)
    entries = [(entry.kind, entry.subject, entry.payer) for entry in await outbox.due(NOW, 10)]
    assert entries == [
        (OutboxKind.REPORT, str(alone.id), PAYER),
        (OutboxKind.REPORT, str(copied.id), PAYER),
        (OutboxKind.REPORT_COPY, str(copied.id), NOBODY),
    ]
    await reports.accept(copied.id, NOW)
    assert [entry.kind for entry in await outbox.due(NOW, 10)] == [OutboxKind.REPORT, OutboxKind.REPORT_COPY]


async def test_a_report_for_the_staff_goes_to_nobody_else(
    reports: Reports, outbox: Outbox, complaint: Complaint
) -> None:
    for_staff = replace(complaint, addressee=Addressee.STAFF, shared=True)
    report = await file(reports, for_staff)
    assert (report.complaint, await reports.get(report.id)) == (for_staff, report)
    (entry,) = await outbox.due(NOW, 10)
    assert (entry.kind, entry.payer) == (OutboxKind.REPORT_COPY, NOBODY)
