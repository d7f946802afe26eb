import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import pytest

from bot.domain.feedback import OutboxEntry, OutboxKind
from bot.domain.ids import PayerId
from bot.domain.outbox import FIRST_DELAY_MS, TRIED_FOR_MS
from bot.nanogpt.errors import (
    BadKeyError,
    CharacterUnusableError,
    ConflictError,
    DailyLimitError,
    Fault,
    InsufficientBalanceError,
    InvalidRequestError,
    MalformedAnswerError,
    NanoGptError,
    NotFoundError,
    NotPermittedError,
    StalledError,
    ThroughputLimitedError,
    UnreachableError,
    UpstreamDownError,
)
from bot.services import outlet
from bot.services.outbox import BATCH, HELD_SECONDS, Held, Later, OutboxService, Refused, verdict_on
from bot.services.outlet import Busy, Forbidden, Gone, Lost, OutletError, Uncertain
from bot.store.database import Database
from bot.store.outbox import Outbox
from tests.support.manual_clock import ManualClock
from tests.support.recording_courier import RecordingCourier

PATIENCE_SECONDS = 10.0
OPERATOR = PayerId("operator")
MEMBER = PayerId("member:7")
Put: TypeAlias = Callable[..., Awaitable[OutboxEntry]]


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


@pytest.fixture
def courier() -> RecordingCourier:
    return RecordingCourier()


@pytest.fixture
def service(outbox: Outbox, courier: RecordingCourier, clock: ManualClock) -> OutboxService:
    return OutboxService(outbox=outbox, couriers={OutboxKind.REPORT: courier}, clock=clock.clock, jitter=lambda: 0.0)


@pytest.fixture
def put(database: Database, outbox: Outbox, clock: ManualClock) -> Put:
    async def put(subject: str, *, payer: PayerId = OPERATOR, kind: OutboxKind = OutboxKind.REPORT) -> OutboxEntry:
        async with database.transaction() as tx:
            now = clock.now_ms()
            return await outbox.put(tx, kind, subject, payer=payer, due_at_ms=now, now_ms=now)

    return put


@asynccontextmanager
async def running(service: OutboxService) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(service.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequestError(Fault(status=400, message="no")),
        NotPermittedError(Fault(status=403, message="no")),
        NotFoundError(Fault(status=404, message="no")),
        NotFoundError(Fault(status=410, message="no")),
        ConflictError(Fault(status=409, message="no")),
        CharacterUnusableError(Fault(status=400, message="no")),
    ],
)
def test_a_final_answer_refuses_with_upstreams_words(error: NanoGptError) -> None:
    assert verdict_on(error, now_s=0) == Refused("no")


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError(),
        StalledError(),
        UpstreamDownError(Fault(status=502)),
        MalformedAnswerError(Fault(status=302)),
    ],
)
def test_what_may_pass_by_itself_is_tried_later(error: NanoGptError) -> None:
    assert verdict_on(error, now_s=0) == Later()


def test_a_wish_to_be_left_alone_is_passed_on() -> None:
    assert verdict_on(ThroughputLimitedError(Fault(status=429, retry_after=90.0)), now_s=0) == Later(90.0)


@pytest.mark.parametrize("error", [BadKeyError(Fault(status=401)), InsufficientBalanceError(Fault(status=402))])
def test_a_key_that_cannot_be_used_is_held(error: NanoGptError) -> None:
    assert verdict_on(error, now_s=0) == Held(3_600.0)


@pytest.mark.parametrize("error", [BadKeyError(Fault(message="no")), InsufficientBalanceError(Fault(message="no"))])
def test_what_a_kind_calls_final_refuses(error: NanoGptError) -> None:
    assert verdict_on(error, now_s=0, final=(BadKeyError, InsufficientBalanceError)) == Refused("no")
    assert verdict_on(error, now_s=0, final=(NotFoundError,)) == Held(3_600.0)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Gone(Lost.PLACE), Refused("")),
        (Forbidden(), Refused("")),
        (outlet.Refused(50035), Refused("")),
        (Busy(7.0), Later(7.0)),
        (Uncertain(), Later()),
    ],
)
def test_what_discord_refuses_is_final_unless_it_may_pass(error: OutletError, verdict: Refused | Later) -> None:
    assert verdict_on(error, now_s=0) == verdict


@pytest.mark.parametrize(("resets_at", "seconds"), [(1_500.0, 500.0), (900.0, 0.0), (10.0**9, 86_400.0)])
def test_a_daily_limit_is_held_until_it_ends_and_a_day_at_most(resets_at: float, seconds: float) -> None:
    assert verdict_on(DailyLimitError(resets_at=resets_at), now_s=1_000.0) == Held(seconds)


async def test_what_is_taken_leaves_the_outbox(
    service: OutboxService, courier: RecordingCourier, outbox: Outbox, put: Put
) -> None:
    await put("1")
    await put("2")
    await service.send_due()
    assert courier.ended == [("1", "accepted"), ("2", "accepted")]
    assert await outbox.next_due_ms() is None


async def test_what_is_refused_leaves_the_outbox(
    service: OutboxService, courier: RecordingCourier, outbox: Outbox, put: Put
) -> None:
    courier.answers["1"] = [NotFoundError(Fault(status=404))]
    await put("1")
    await service.send_due()
    assert courier.ended == [("1", "refused: the character is no longer there")]
    assert await outbox.next_due_ms() is None


async def test_a_failed_entry_waits_while_the_others_go(
    service: OutboxService,
    courier: RecordingCourier,
    outbox: Outbox,
    clock: ManualClock,
    put: Put,
) -> None:
    courier.answers["1"] = [UpstreamDownError(Fault(status=502))]
    await put("1")
    await put("2")
    await service.send_due()
    assert courier.ended == [("2", "accepted")]
    assert await outbox.next_due_ms() == clock.now_ms() + FIRST_DELAY_MS
    clock.advance(60)
    await service.send_due()
    assert courier.sent == ["1", "2", "1"]


async def test_delays_grow_from_try_to_try(
    service: OutboxService,
    courier: RecordingCourier,
    outbox: Outbox,
    clock: ManualClock,
    put: Put,
) -> None:
    courier.answers["1"] = [UnreachableError() for _ in range(3)]
    await put("1")
    waits: list[float] = []
    while not courier.ended:
        await service.send_due()
        due = await outbox.next_due_ms()
        if due is not None:
            waits.append((due - clock.now_ms()) / 60_000)
            clock.advance((due - clock.now_ms()) / 1_000)
    assert waits == [1, 2, 4]


async def test_a_key_without_money_costs_no_attempt_and_holds_all_of_its_entries(
    service: OutboxService,
    courier: RecordingCourier,
    outbox: Outbox,
    clock: ManualClock,
    put: Put,
) -> None:
    courier.answers["1"] = [InsufficientBalanceError(Fault(status=402))]
    await put("1")
    await put("2")
    await put("3", payer=MEMBER)
    await service.send_due()
    assert courier.sent == ["1", "3"]
    (first, second) = await outbox.due(clock.now_ms(), 10)
    assert (first.attempts, second.attempts) == (0, 0)
    clock.advance(3_599)
    await service.send_due()
    assert courier.sent == ["1", "3"]
    clock.advance(1)
    await service.send_due()
    assert courier.sent == ["1", "3", "1", "2"]


async def test_a_held_key_keeps_nobody_elses_entries(
    service: OutboxService, courier: RecordingCourier, clock: ManualClock, put: Put
) -> None:
    courier.answers["0"] = [DailyLimitError(resets_at=clock.now_ms() / 1_000 + 40_000)]
    for number in range(2 * BATCH):
        await put(str(number), payer=MEMBER)
    clock.advance(1)
    await put("of another", payer=OPERATOR)
    await service.send_due()
    assert courier.sent == ["0", "of another"]


OF_KEYS: list[NanoGptError] = [
    DailyLimitError(resets_at=2_000_000_000.0),
    InsufficientBalanceError(Fault(status=402)),
    BadKeyError(Fault(status=401)),
    NotPermittedError(Fault(status=403)),
]


@pytest.mark.parametrize("error", OF_KEYS)
async def test_what_may_leave_under_another_key_does_so_and_holds_nothing_of_its_own(
    service: OutboxService, courier: RecordingCourier, outbox: Outbox, put: Put, error: NanoGptError
) -> None:
    courier.fallback = OPERATOR
    courier.answers["1"] = [error, UnreachableError()]
    await put("1", payer=MEMBER)
    await put("2", payer=MEMBER)
    await service.send_due()
    assert list(zip(courier.sent, courier.paid_by, strict=True)) == [("1", MEMBER), ("1", OPERATOR), ("2", MEMBER)]
    waiting = await outbox.find(OutboxKind.REPORT, "1")
    assert waiting is not None
    assert (waiting.payer, waiting.attempts) == (OPERATOR, 1)


async def test_what_may_leave_under_another_key_waits_for_that_one_alone(
    service: OutboxService, courier: RecordingCourier, clock: ManualClock, put: Put
) -> None:
    courier.fallback = OPERATOR
    courier.answers["1"] = [InsufficientBalanceError(Fault(status=402))]
    courier.answers["2"] = [InsufficientBalanceError(Fault(status=402))]
    await put("1")
    await put("2", payer=MEMBER)
    await service.send_due()
    await service.send_due()
    assert courier.paid_by == [OPERATOR, MEMBER]
    clock.advance(HELD_SECONDS)
    await service.send_due()
    assert courier.paid_by == [OPERATOR, MEMBER, OPERATOR, OPERATOR]
    assert courier.ended == [("1", "accepted"), ("2", "accepted")]


async def test_what_may_leave_under_another_key_does_not_wait_for_one_that_rests(
    service: OutboxService, courier: RecordingCourier, put: Put
) -> None:
    courier.answers["1"] = [DailyLimitError(resets_at=2_000_000_000.0)]
    await put("1", payer=MEMBER)
    await service.send_due()
    courier.fallback = OPERATOR
    await put("2", payer=MEMBER)
    await service.send_due()
    assert courier.paid_by == [MEMBER, OPERATOR, OPERATOR]


@pytest.mark.parametrize("error", OF_KEYS)
@pytest.mark.parametrize("final", [(), (BadKeyError, InsufficientBalanceError)])
async def test_what_is_said_late_of_a_key_that_was_replaced_holds_nothing_of_the_new_one(
    courier: RecordingCourier,
    service: OutboxService,
    outbox: Outbox,
    put: Put,
    error: NanoGptError,
    final: tuple[type[NanoGptError], ...],
) -> None:
    courier.final = final
    courier.answers["one"] = [error]
    courier.hold = asyncio.Event()
    await put("one", payer=MEMBER)
    await put("two", payer=MEMBER)
    sending = asyncio.create_task(service.send_due())
    await courier.sending.wait()
    service.forget(MEMBER)
    courier.hold.set()
    await sending
    assert courier.ended == [("two", "accepted")]
    waiting = await outbox.find(OutboxKind.REPORT, "one")
    assert waiting is not None
    assert waiting.attempts == 0
    await service.send_due()
    assert courier.ended == [("two", "accepted"), ("one", "accepted")]


async def test_what_is_said_of_a_key_holds_it_when_somebody_elses_was_replaced(
    courier: RecordingCourier, service: OutboxService, put: Put
) -> None:
    courier.answers["one"] = [DailyLimitError(resets_at=2_000_000_000.0)]
    courier.hold = asyncio.Event()
    await put("one", payer=MEMBER)
    await put("two", payer=MEMBER)
    sending = asyncio.create_task(service.send_due())
    await courier.sending.wait()
    service.forget(OPERATOR)
    courier.hold.set()
    await sending
    assert courier.sent == ["one"]


async def test_the_loop_sends_at_once_with_the_new_key_what_the_old_one_could_not(
    courier: RecordingCourier, service: OutboxService, put: Put
) -> None:
    courier.answers["one"] = [DailyLimitError(resets_at=2_000_000_000.0)]
    courier.hold = asyncio.Event()
    await put("one", payer=MEMBER)
    async with running(service), asyncio.timeout(PATIENCE_SECONDS):
        await courier.sending.wait()
        service.forget(MEMBER)
        courier.hold.set()
        assert await service.tried(OutboxKind.REPORT, "one", seconds=PATIENCE_SECONDS)
    assert courier.sent == ["one", "one"]
    assert courier.ended == [("one", "accepted")]


async def test_the_loop_wakes_for_another_key_while_one_is_held(
    service: OutboxService, courier: RecordingCourier, clock: ManualClock, put: Put
) -> None:
    courier.answers["1"] = [DailyLimitError(resets_at=clock.now_ms() / 1_000 + 600)]
    courier.answers["2"] = [UnreachableError()]
    await put("1", payer=MEMBER)
    await put("2")
    async with running(service):
        assert await clock.sleeping() == FIRST_DELAY_MS / 1_000


async def test_entries_go_at_once_when_their_payer_has_another_key(
    service: OutboxService, courier: RecordingCourier, clock: ManualClock, put: Put
) -> None:
    courier.answers["1"] = [DailyLimitError(resets_at=clock.now_ms() / 1_000 + 600)]
    await put("1", payer=MEMBER)
    async with running(service):
        assert await clock.sleeping() == 600
        courier.sending.clear()
        service.forget(MEMBER)
        await courier.sending.wait()
    assert courier.sent == ["1", "1"]


async def test_a_kind_ends_by_its_own_rules_and_hears_what_ended_it(
    service: OutboxService, courier: RecordingCourier, outbox: Outbox, put: Put
) -> None:
    courier.final = (InsufficientBalanceError,)
    error = InsufficientBalanceError(Fault(status=402, message="top up"))
    courier.answers["1"] = [error]
    await put("1")
    await put("2")
    await service.send_due()
    assert courier.ended == [("1", "refused: top up"), ("2", "accepted")]
    assert courier.refusals == [error]
    assert await outbox.next_due_ms() is None


async def test_what_was_withdrawn_or_replaced_while_others_were_sent_is_not_sent_as_it_was(
    outbox: Outbox, put: Put, database: Database, clock: ManualClock
) -> None:
    class Meanwhile(RecordingCourier):
        async def send(self, entry: OutboxEntry) -> None:
            await super().send(entry)
            if entry.subject == "1":
                async with database.transaction() as tx:
                    await outbox.withdraw(tx, OutboxKind.REPORT, "2")
                await put("3")

    meanwhile = Meanwhile()
    service = OutboxService(
        outbox=outbox, couriers={OutboxKind.REPORT: meanwhile}, clock=clock.clock, jitter=lambda: 0.0
    )
    for subject in ("1", "2", "3"):
        await put(subject)
    await service.send_due()
    assert meanwhile.sent == ["1", "3"]


async def test_after_a_week_an_entry_is_given_up(
    service: OutboxService,
    courier: RecordingCourier,
    outbox: Outbox,
    clock: ManualClock,
    put: Put,
) -> None:
    await put("1")
    clock.advance(TRIED_FOR_MS / 1_000)
    await service.send_due()
    assert (courier.sent, courier.ended) == ([], [("1", "expired")])
    assert await outbox.next_due_ms() is None


async def test_an_entry_of_a_held_key_is_given_up_too(
    service: OutboxService, courier: RecordingCourier, clock: ManualClock, put: Put
) -> None:
    courier.answers["1"] = [BadKeyError(Fault(status=401)) for _ in range(400)]
    await put("1")
    for _ in range(8 * 24):
        await service.send_due()
        clock.advance(3_600)
    assert courier.ended == [("1", "expired")]


async def test_an_entry_that_makes_the_courier_stumble_does_not_keep_the_others(
    service: OutboxService,
    courier: RecordingCourier,
    put: Put,
    caplog: pytest.LogCaptureFixture,
) -> None:
    courier.answers["1"] = [RuntimeError("a mistake of ours")]
    await put("1")
    await put("2")
    await service.send_due()
    assert courier.ended == [("2", "accepted")]
    assert "could not be sent" in caplog.text


async def test_an_entry_that_nobody_carries_is_kept(
    service: OutboxService, outbox: Outbox, clock: ManualClock, put: Put
) -> None:
    await put("7:1", kind=OutboxKind.RATING)
    await service.send_due()
    assert await outbox.next_due_ms() == clock.now_ms() + FIRST_DELAY_MS


async def test_an_idle_loop_sends_what_is_new_at_once(
    service: OutboxService, courier: RecordingCourier, put: Put
) -> None:
    async with running(service):
        await put("1")
        service.stir()
        await courier.sending.wait()
    assert courier.sent == ["1"]


async def test_the_loop_sleeps_until_something_is_due(
    service: OutboxService,
    courier: RecordingCourier,
    clock: ManualClock,
    put: Put,
) -> None:
    courier.answers["1"] = [UnreachableError()]
    await put("1")
    async with running(service):
        assert await clock.sleeping() == 60
        courier.sending.clear()
        clock.advance(60)
        await courier.sending.wait()
    assert courier.sent == ["1", "1"]


async def test_the_loop_sleeps_while_the_key_is_held(
    service: OutboxService,
    courier: RecordingCourier,
    clock: ManualClock,
    put: Put,
) -> None:
    courier.answers["1"] = [DailyLimitError(resets_at=clock.now_ms() / 1_000 + 600)]
    await put("1")
    async with running(service):
        assert await clock.sleeping() == 600


async def test_the_loop_outlives_a_broken_store(
    courier: RecordingCourier, outbox: Outbox, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Outbox):
        broken = True

        async def due(self, now_ms: int, limit: int, *, after: OutboxEntry | None = None) -> list[OutboxEntry]:
            if self.broken:
                raise OSError("disk full")
            return await super().due(now_ms, limit, after=after)

    broken = Broken(outbox._database)  # pyright: ignore[reportPrivateUsage] - the same database, with a fault
    service = OutboxService(outbox=broken, couriers={OutboxKind.REPORT: courier}, clock=clock.clock, jitter=lambda: 0.0)
    async with running(service) as task:
        assert await clock.sleeping() == 60
        assert not task.done()
    assert "trying again in a minute" in caplog.text


async def test_a_stop_waits_for_the_answer_of_what_is_being_sent(
    service: OutboxService,
    courier: RecordingCourier,
    outbox: Outbox,
    put: Put,
) -> None:
    courier.hold = asyncio.Event()
    await put("1")
    task = asyncio.create_task(service.run())
    await courier.sending.wait()
    task.cancel()
    await asyncio.sleep(0)
    courier.hold.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert courier.ended == [("1", "accepted")]
    assert await outbox.next_due_ms() is None


# Waiting for an entry to be tried


async def test_who_waits_hears_as_soon_as_the_entry_was_tried(
    service: OutboxService, courier: RecordingCourier, put: Put
) -> None:
    courier.hold = asyncio.Event()
    await put("1")
    async with running(service):
        waiting = asyncio.create_task(service.tried(OutboxKind.REPORT, "1", seconds=PATIENCE_SECONDS))
        await courier.sending.wait()
        assert not waiting.done()
        courier.hold.set()
        assert await waiting
    assert courier.ended == [("1", "accepted")]


@pytest.mark.parametrize("error", [UnreachableError(), BadKeyError(Fault(status=401))])
async def test_an_attempt_in_vain_is_an_attempt(
    service: OutboxService, courier: RecordingCourier, put: Put, error: NanoGptError
) -> None:
    courier.answers["1"] = [error]
    await put("1")
    async with running(service):
        assert await service.tried(OutboxKind.REPORT, "1", seconds=PATIENCE_SECONDS)
        assert await service.tried(OutboxKind.REPORT, "1", seconds=PATIENCE_SECONDS)
    assert courier.sent == ["1"]


async def test_nobody_waits_for_what_is_not_there_or_for_a_loop_that_does_not_run(
    service: OutboxService, put: Put
) -> None:
    assert await service.tried(OutboxKind.REPORT, "1", seconds=PATIENCE_SECONDS)
    await put("1")
    assert not await service.tried(OutboxKind.REPORT, "1", seconds=PATIENCE_SECONDS)


async def test_the_waiting_ends_in_time_and_with_the_loop(
    service: OutboxService, courier: RecordingCourier, put: Put
) -> None:
    courier.hold = asyncio.Event()
    await put("1")
    await put("2")
    async with running(service):
        await courier.sending.wait()
        assert not await service.tried(OutboxKind.REPORT, "2", seconds=0)
        waiting = asyncio.create_task(service.tried(OutboxKind.REPORT, "2", seconds=PATIENCE_SECONDS))
        asyncio.get_running_loop().call_soon(courier.hold.set)
    assert courier.ended == [("1", "accepted")]
    assert not await waiting
