from dataclasses import dataclass

import pytest

from bot.domain.bindings import Conversation
from bot.domain.feedback import Complaint
from bot.domain.ids import MessageId, UserId
from bot.domain.linking import LoginSecret
from bot.domain.payers import member_payer
from bot.domain.search import SearchQuery
from bot.store.accounts import Accounts
from bot.store.bindings import Bindings
from bot.store.database import Database
from bot.store.members import Members
from bot.store.notices import Notices
from bot.store.outbox import Outbox
from bot.store.paid_turns import PaidTurns
from bot.store.reports import Reports
from bot.store.retention import (
    CLAIMS_KEPT_MS,
    LOGINS_KEPT_MS,
    NOTICES_KEPT_MS,
    OUTBOX_KEPT_MS,
    SEARCHES_KEPT_MS,
    Retention,
    Swept,
)
from bot.store.search_pages import SearchPages
from bot.store.turns import Turns
from tests.store.seed import ALICE, BOB, CHANNEL, DAY, NOW, PAYER, Seed, message_at

MONTH = 30 * DAY
OLD = NOW - MONTH - 1
RECENT = NOW - MONTH


@pytest.fixture
def retention(database: Database) -> Retention:
    return Retention(database)


@pytest.fixture
async def room(seed: Seed) -> Conversation:
    return await seed.room(await seed.binding())


@dataclass(frozen=True)
class Said:
    message: MessageId
    turn: int


async def say(seed: Seed, room: Conversation, at_ms: int, *, state: str = "answered") -> Said:
    turn = await seed.turn(room, created_at=at_ms, state=state)
    return Said(await seed.message(room, message_at(at_ms), turn=turn, claimed_at=at_ms, state=state), turn)


async def test_texts_older_than_the_retention_are_dropped_and_no_others(
    retention: Retention, seed: Seed, room: Conversation
) -> None:
    await say(seed, room, OLD)
    recent = await say(seed, room, RECENT)
    assert await retention.drop_text(NOW - MONTH) == 2
    assert await seed.messages_with_text() == [recent.message]
    assert await seed.turns_with_text() == [recent.turn]
    assert await retention.drop_text(NOW - MONTH) == 0


async def test_a_reply_written_after_its_binding_ended_is_dropped_whatever_its_age(
    retention: Retention, seed: Seed, room: Conversation, database: Database
) -> None:
    await Bindings(database).end(room.binding_id, NOW)
    await say(seed, room, NOW)
    living = await say(seed, await seed.room(await seed.binding(character="bard")), NOW - 1)
    assert await retention.drop_text(NOW - MONTH) == 2
    assert await seed.messages_with_text() == [living.message]
    assert await seed.turns_with_text() == [living.turn]


async def test_many_rows_are_dropped_in_small_transactions(seed: Seed, room: Conversation) -> None:
    retention = Retention(seed.database, batch_rows=2)
    for age in range(7):
        await say(seed, room, OLD - age)
    assert await retention.drop_text(NOW - MONTH) == 14
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 14
    assert await seed.counts() == {"binding": 1, "conversation": 1}


async def test_details_of_settled_reports_are_dropped_and_of_waiting_ones_kept(
    retention: Retention, seed: Seed, database: Database
) -> None:
    reports = Reports(database, seed.vault, Outbox(database))
    complaint = Complaint(ALICE, await seed.character(), "Spam", "words")
    settled, waiting = [await reports.file(complaint, payer=PAYER, now_ms=OLD) for _ in range(2)]
    await reports.refuse(settled.id, "no", OLD)
    assert await retention.drop_text(NOW - MONTH) == 1
    reread = [await reports.get(report.id) for report in (settled, waiting)]
    assert [report and report.complaint.details for report in reread] == [None, "words"]


@pytest.mark.parametrize("state", ["answered", "failed", "dropped"])
async def test_a_claim_outside_any_turn_goes_once_catch_up_and_caps_are_past_it(
    retention: Retention, seed: Seed, room: Conversation, state: str
) -> None:
    edge = NOW - CLAIMS_KEPT_MS
    await seed.message(room, 50, state=state, text=None, claimed_at=edge - 1)
    await seed.message(room, 51, state=state, text=None, claimed_at=edge)
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 1
    assert [row["message_id"] for row in await seed.database.read("SELECT message_id FROM claim")] == [51]


async def test_up_to_where_a_place_was_heard_is_known_after_its_claims_are_pruned(
    seed: Seed, room: Conversation
) -> None:
    thread = await seed.thread(await seed.binding(), 70)
    for age in range(3):
        await say(seed, room, OLD - age)
    newest_loose = message_at(OLD + 1)
    await seed.message(room, newest_loose, state="dropped", text=None, claimed_at=OLD)
    in_thread = await say(seed, thread, OLD - 5)
    turns = Turns(seed.database, seed.vault)
    for _ in range(2):
        await Retention(seed.database, batch_rows=2).sweep(NOW, MONTH)
        assert await turns.newest_claims() == {CHANNEL: newest_loose, 70: in_thread.message}
    assert await seed.counts() == {"binding": 1, "conversation": 2}


@pytest.mark.parametrize("state", ["waiting", "running"])
async def test_what_has_no_final_state_is_never_pruned(
    retention: Retention, seed: Seed, room: Conversation, state: str
) -> None:
    await seed.message(room, 50, state=state, text=None, claimed_at=OLD)
    await seed.turn(room, state=state, reply=None, created_at=OLD)
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 0


async def test_a_turn_within_the_retention_keeps_its_claims_and_posts(
    retention: Retention, seed: Seed, room: Conversation
) -> None:
    await say(seed, room, RECENT)
    before = await seed.counts()
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 0
    assert await seed.counts() == before


async def test_an_old_turn_goes_with_all_that_hangs_on_it_once_its_text_is_dropped(
    retention: Retention, seed: Seed, room: Conversation
) -> None:
    await seed.message(room, message_at(OLD), turn=await seed.turn(room, created_at=OLD, post=90), claimed_at=OLD)
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 0
    assert await retention.sweep(NOW, MONTH) == Swept(texts=2, rows=2)
    assert await seed.counts() == {"binding": 1, "conversation": 1}


async def test_a_turn_answered_anew_lately_stays(retention: Retention, seed: Seed, room: Conversation) -> None:
    old = await seed.turn(room, created_at=OLD)
    async with seed.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO version (turn_id, number, state, body, created_at) VALUES ($1, 2, 'complete', $2, $3)",
            old,
            b"sealed",
            NOW,
        )
    assert await retention.sweep(NOW, MONTH) == Swept(texts=1, rows=0)
    assert await seed.turns_with_text() == [old]


async def test_a_short_retention_does_not_make_the_caps_forget(
    retention: Retention, seed: Seed, room: Conversation
) -> None:
    await say(seed, room, NOW - DAY)
    assert await retention.sweep(NOW, 1) == Swept(texts=2, rows=0)
    assert await retention.sweep(NOW + CLAIMS_KEPT_MS, 1) == Swept(texts=0, rows=2)


async def test_an_ended_binding_goes_once_it_is_old_and_empty(
    retention: Retention, seed: Seed, database: Database
) -> None:
    ended = await seed.binding()
    room = await seed.room(ended)
    await say(seed, room, NOW - 3 * DAY)
    await Bindings(database).end(ended.id, OLD)
    await seed.room(await seed.binding())
    assert await retention.sweep(NOW, MONTH) == Swept(texts=0, rows=0)
    assert (await seed.counts())["binding"] == 2
    assert await retention.sweep(NOW + MONTH, MONTH) == Swept(texts=0, rows=4)
    assert await seed.counts() == {"binding": 1, "conversation": 1}


async def test_reports_stay_until_their_author_knows(retention: Retention, seed: Seed, database: Database) -> None:
    reports = Reports(database, seed.vault, Outbox(database))
    complaint = Complaint(ALICE, await seed.character(), "Spam")
    accepted, told, untold, waiting = [await reports.file(complaint, payer=PAYER, now_ms=NOW) for _ in range(4)]
    await reports.accept(accepted.id, OLD)
    for report in (told, untold):
        await reports.refuse(report.id, "no", OLD)
    await reports.told([told.id], OLD)
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 2
    assert [await reports.get(report.id) is None for report in (accepted, told, untold, waiting)] == [
        True,
        True,
        False,
        False,
    ]


async def test_that_somebody_was_ignored_is_forgotten_with_the_texts_of_that_time(
    retention: Retention, database: Database
) -> None:
    members = Members(database)
    for member, heard_after in ((ALICE, message_at(OLD)), (BOB, message_at(NOW - MONTH))):
        await members.ignore(member, OLD)
        await members.heed(member, heard_after)
    await members.ignore(UserId(9), OLD)
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 1
    assert await members.heard_again() == {BOB: message_at(NOW - MONTH)}
    assert await members.ignored() == {UserId(9)}


@pytest.mark.parametrize(("age", "rows"), [(0, 0), (1, 1)])
async def test_searches_notices_and_lost_outbox_entries_go_in_their_time(
    retention: Retention, database: Database, seed: Seed, age: int, rows: int
) -> None:
    await SearchPages(database).create(ALICE, SearchQuery("x"), NOW - SEARCHES_KEPT_MS - age)
    for cause in ("402", "full"):
        await Notices(database).try_mark(CHANNEL, cause, NOW - NOTICES_KEPT_MS - age, 1)
    await Notices(database).try_mark(CHANNEL, "new", NOW, 1)
    await Reports(database, seed.vault, Outbox(database)).file(
        Complaint(ALICE, await seed.character(), "Spam"), payer=PAYER, now_ms=NOW - OUTBOX_KEPT_MS - age
    )
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 4 * rows
    assert (await seed.counts())["notice"] == 3 - 2 * rows


@pytest.mark.parametrize(("age", "rows"), [(0, 0), (1, 1)])
async def test_forgotten_logins_and_counts_of_other_days_go_in_their_time(
    retention: Retention, database: Database, seed: Seed, age: int, rows: int
) -> None:
    login = LoginSecret("fake-code", "fake-token", "ABCD", "https://nano-gpt.example")
    await Accounts(database, seed.vault).begin_login(
        ALICE, login, now_ms=NOW - LOGINS_KEPT_MS - age, expires_at_ms=NOW, answer_until_ms=NOW
    )
    paid, binding = PaidTurns(database), await seed.binding()
    for day_start_ms in (NOW, NOW - CLAIMS_KEPT_MS - age):
        await paid.take(binding.id, member_payer(ALICE), most=9, day_start_ms=day_start_ms)
    assert await retention.prune(NOW, text_before_ms=NOW - MONTH) == 2 * rows
    assert await paid.taken(member_payer(ALICE), NOW) == 1


async def test_a_message_given_to_an_old_turn_lately_keeps_that_turn(
    retention: Retention, seed: Seed, room: Conversation
) -> None:
    turn = await seed.turn(room, created_at=OLD, reply=None, state="failed")
    await seed.message(room, message_at(NOW), turn=turn, state="failed")
    assert await retention.sweep(NOW, MONTH) == Swept(texts=0, rows=0)


async def test_a_conversation_of_an_old_ended_binding_stays_as_long_as_it_has_a_turn(
    retention: Retention, seed: Seed, room: Conversation, database: Database
) -> None:
    await seed.turn(room, reply=None)
    await Bindings(database).end(room.binding_id, OLD)
    assert await retention.sweep(NOW, MONTH) == Swept(texts=0, rows=0)


async def test_a_conversation_of_an_old_ended_binding_stays_as_long_as_it_has_a_claim(
    retention: Retention, seed: Seed, room: Conversation, database: Database
) -> None:
    await seed.message(room, message_at(NOW), text=None)
    await Bindings(database).end(room.binding_id, OLD)
    assert await retention.sweep(NOW, MONTH) == Swept(texts=0, rows=0)
