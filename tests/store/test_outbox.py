import pytest

from bot.domain.feedback import OutboxEntry, OutboxKind
from bot.domain.ids import PayerId
from bot.store.database import Database
from bot.store.outbox import Outbox
from tests.store.seed import NOW, PAYER


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


async def put(
    database: Database, outbox: Outbox, subject: str, due_at_ms: int = NOW, *, kind: OutboxKind = OutboxKind.RATING
) -> OutboxEntry:
    async with database.transaction() as tx:
        return await outbox.put(tx, kind, subject, payer=PAYER, due_at_ms=due_at_ms, now_ms=NOW)


async def test_what_is_due_comes_in_the_order_it_became_due(database: Database, outbox: Outbox) -> None:
    late = await put(database, outbox, "late", NOW + 10)
    second = await put(database, outbox, "second", NOW + 1)
    first = await put(database, outbox, "first", NOW)
    assert await outbox.due(NOW - 1, 10) == []
    assert await outbox.due(NOW + 1, 10) == [first, second]
    assert await outbox.due(NOW + 10, 2) == [first, second]
    assert await outbox.due(NOW + 10, 10) == [first, second, late]
    assert await outbox.due(NOW + 10, 10, after=first) == [second, late]
    assert await outbox.due(NOW + 10, 10, after=late) == []


async def test_an_entry_is_what_was_put(database: Database, outbox: Outbox) -> None:
    entry = await put(database, outbox, "a", NOW + 3, kind=OutboxKind.REPORT)
    assert (entry.kind, entry.subject, entry.payer) == (OutboxKind.REPORT, "a", PAYER)
    assert (entry.attempts, entry.due_at_ms, entry.created_at_ms) == (0, NOW + 3, NOW)


async def test_the_next_due_time_says_how_long_to_sleep(database: Database, outbox: Outbox) -> None:
    assert await outbox.next_due_ms() is None
    await put(database, outbox, "b", NOW + 9)
    await put(database, outbox, "a", NOW + 4)
    assert await outbox.next_due_ms() == NOW + 4


async def test_a_failed_attempt_is_counted_and_put_off(database: Database, outbox: Outbox) -> None:
    entry = await put(database, outbox, "a")
    await outbox.retry_at(entry.id, NOW + 60)
    await outbox.retry_at(entry.id, NOW + 120)
    (again,) = await outbox.due(NOW + 120, 10)
    assert (again.id, again.attempts, again.due_at_ms) == (entry.id, 2, NOW + 120)


async def test_what_was_sent_is_gone(database: Database, outbox: Outbox) -> None:
    entry = await put(database, outbox, "a")
    await outbox.remove(entry.id)
    assert await outbox.next_due_ms() is None


async def test_the_latest_of_a_subject_wins_and_starts_afresh(database: Database, outbox: Outbox) -> None:
    first = await put(database, outbox, "a")
    await outbox.retry_at(first.id, NOW + 60)
    async with database.transaction() as tx:
        second = await outbox.put(tx, OutboxKind.RATING, "a", payer=PayerId("other"), due_at_ms=NOW + 1, now_ms=NOW + 1)
    other_kind = await put(database, outbox, "a", kind=OutboxKind.REPORT)
    assert await outbox.due(NOW + 99, 10) == [other_kind, second]
    assert (second.payer, second.attempts) == ("other", 0)


async def test_whoever_sends_the_earlier_entry_does_not_touch_the_later(database: Database, outbox: Outbox) -> None:
    first = await put(database, outbox, "a")
    second = await put(database, outbox, "a")
    await outbox.retry_at(first.id, NOW + 99)
    await outbox.remove(first.id)
    assert await outbox.due(NOW, 10) == [second]


async def test_an_entry_can_be_withdrawn_with_what_it_is_about(database: Database, outbox: Outbox) -> None:
    await put(database, outbox, "a")
    kept = await put(database, outbox, "b")
    async with database.transaction() as tx:
        await outbox.withdraw(tx, OutboxKind.RATING, "a")
        await outbox.withdraw(tx, OutboxKind.REPORT, "b")
    assert await outbox.due(NOW, 10) == [kept]


async def test_an_entry_is_only_there_if_its_transaction_was(database: Database, outbox: Outbox) -> None:
    async def put_and_fail() -> None:
        async with database.transaction() as tx:
            await outbox.put(tx, OutboxKind.RATING, "a", payer=PAYER, due_at_ms=NOW, now_ms=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        await put_and_fail()
    assert await outbox.next_due_ms() is None
