import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest

from bot.domain.ids import ChannelId, GuildId, MessageId, UserId
from bot.domain.messages import Author, IncomingMessage
from bot.services.inbox import (
    LONGEST_BACKOFF_SECONDS,
    MOST_WAITING,
    TRIES_TOGETHER,
    Event,
    Inbox,
    MessageEdited,
    MessagesDeleted,
    ThreadDeleted,
)
from bot.store.errors import DatabaseFull
from tests.support.manual_clock import ManualClock
from tests.support.recording_outlet import PATIENCE_SECONDS, Gate

GUILD = GuildId(200)
OTHER_GUILD = GuildId(201)
ROOM = ChannelId(300)
OTHER_ROOM = ChannelId(301)


def message(number: int, text: str = "hello") -> IncomingMessage:
    return IncomingMessage(
        id=MessageId(number),
        guild_id=GUILD,
        channel_id=ROOM,
        parent_id=None,
        in_thread=False,
        author_id=UserId(400),
        author_name="Alice",
        author=Author.MEMBER,
        text=text,
        addressed=False,
    )


def deleted(*numbers: int) -> MessagesDeleted:
    return MessagesDeleted(GUILD, ROOM, tuple(MessageId(number) for number in numbers))


class Clerk:
    """Takes what the inbox hands on; fails for the events that it is told to."""

    def __init__(self) -> None:
        self.batches: list[tuple[Event, ...]] = []
        self.places: list[ChannelId] = []
        self.fails: Callable[[Sequence[Event]], Exception | None] = lambda _: None
        self.gates: list[Gate] = []
        self.took = asyncio.Event()

    async def handle(self, place: ChannelId, events: Sequence[Event]) -> None:
        if self.gates:
            await self.gates.pop(0).wait()
        failure = self.fails(events)
        if failure is not None:
            raise failure
        self.places.append(place)
        self.batches.append(tuple(events))
        self.took.set()

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]


@pytest.fixture
def clerk() -> Clerk:
    return Clerk()


@pytest.fixture
async def inbox(clerk: Clerk, clock: ManualClock) -> AsyncGenerator[Inbox]:
    inbox = Inbox(clerk.handle, clock.clock)
    inbox.release(GUILD)
    yield inbox
    await inbox.close()


async def idle(inbox: Inbox, clock: ManualClock) -> None:
    """Wait until all is handed on, and let the time pass that this takes."""
    done = asyncio.create_task(inbox.idle())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not done.done():
            asleep = asyncio.create_task(clock.sleeping())
            await asyncio.wait((done, asleep), return_when=asyncio.FIRST_COMPLETED)
            if asleep.done():
                clock.advance(asleep.result())
            else:
                asleep.cancel()


# Order.


async def test_events_are_handed_on_in_their_order(inbox: Inbox, clerk: Clerk) -> None:
    events: list[Event] = [message(1), MessageEdited(message(1, "hello!")), message(2), deleted(1), message(3)]
    for event in events:
        inbox.put(GUILD, ROOM, event)
    await inbox.idle()
    assert clerk.events == events


async def test_what_comes_while_a_batch_is_taken_makes_the_next(inbox: Inbox, clerk: Clerk) -> None:
    gate = Gate()
    clerk.gates.append(gate)
    inbox.put(GUILD, ROOM, message(1))
    await gate.entered.wait()
    inbox.put(GUILD, ROOM, message(2))
    inbox.put(GUILD, ROOM, message(3))
    gate.open()
    await inbox.idle()
    assert clerk.batches == [(message(1),), (message(2), message(3))]


async def test_one_place_does_not_wait_for_another(inbox: Inbox, clerk: Clerk) -> None:
    gate = Gate()
    clerk.gates.append(gate)
    inbox.put(GUILD, ROOM, message(1))
    await gate.entered.wait()
    inbox.put(GUILD, OTHER_ROOM, message(2))
    await clerk.took.wait()
    assert clerk.places == [OTHER_ROOM]
    gate.open()
    await inbox.idle()
    assert clerk.places == [OTHER_ROOM, ROOM]


# Waiting for a catch-up.


async def test_a_servers_events_wait_until_it_is_released(clerk: Clerk, clock: ManualClock) -> None:
    inbox = Inbox(clerk.handle, clock.clock)
    inbox.put(GUILD, ROOM, message(1))
    inbox.put(OTHER_GUILD, OTHER_ROOM, message(2))
    await inbox.idle()
    assert clerk.batches == []
    inbox.release(OTHER_GUILD)
    await inbox.idle()
    assert clerk.batches == [(message(2),)]
    inbox.release(GUILD)
    await inbox.idle()
    assert clerk.batches == [(message(2),), (message(1),)]


async def test_a_server_that_is_held_again_finishes_the_batch_under_way(inbox: Inbox, clerk: Clerk) -> None:
    gate = Gate()
    clerk.gates.append(gate)
    inbox.put(GUILD, ROOM, message(1))
    await gate.entered.wait()
    inbox.put(GUILD, ROOM, message(2))
    inbox.hold(GUILD)
    gate.open()
    await inbox.idle()
    assert clerk.batches == [(message(1),)]
    inbox.release(GUILD)
    await inbox.idle()
    assert clerk.batches == [(message(1),), (message(2),)]


async def test_missed_messages_come_before_the_ones_since_by_their_ids(inbox: Inbox, clerk: Clerk) -> None:
    inbox.hold(GUILD)
    edit = MessageEdited(message(4, "hello!"))
    for event in (message(4), edit, message(7)):
        inbox.put(GUILD, ROOM, event)
    inbox.put_missed(GUILD, ROOM, [message(5), message(2), message(9), message(3)])
    inbox.release(GUILD)
    await inbox.idle()
    assert clerk.batches == [(message(2), message(3), message(4), edit, message(5), message(7), message(9))]


async def test_a_missed_message_that_came_by_itself_too_comes_once(inbox: Inbox, clerk: Clerk) -> None:
    inbox.hold(GUILD)
    inbox.put(GUILD, ROOM, message(4))
    inbox.put_missed(GUILD, ROOM, [message(4), message(3)])
    inbox.release(GUILD)
    await inbox.idle()
    assert clerk.events == [message(3), message(4)]


async def test_a_missed_message_that_was_deleted_since_does_not_come(inbox: Inbox, clerk: Clerk) -> None:
    inbox.hold(GUILD)
    inbox.put(GUILD, ROOM, deleted(3))
    inbox.put_missed(GUILD, ROOM, [message(3), message(4)])
    inbox.release(GUILD)
    await inbox.idle()
    assert clerk.events == [deleted(3), message(4)]


async def test_missed_messages_of_a_quiet_place_are_handed_on(inbox: Inbox, clerk: Clerk) -> None:
    inbox.put_missed(GUILD, ROOM, [message(2), message(1)])
    await inbox.idle()
    assert clerk.events == [message(1), message(2)]


# Trouble.


async def test_events_that_cannot_be_taken_are_handed_on_again_before_the_ones_since(
    inbox: Inbox, clerk: Clerk, clock: ManualClock
) -> None:
    failures = [ZeroDivisionError()]
    clerk.fails = lambda _: failures.pop() if failures else None
    inbox.put(GUILD, ROOM, message(1))
    await clock.sleeping()
    inbox.put(GUILD, ROOM, message(2))
    await idle(inbox, clock)
    assert clerk.events == [message(1), message(2)]


async def test_a_database_that_is_full_is_asked_less_and_less_often_and_nothing_is_lost(
    inbox: Inbox, clerk: Clerk, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    full = True
    clerk.fails = lambda _: DatabaseFull(Path("bot.db")) if full else None
    inbox.put(GUILD, ROOM, message(1))
    waits: list[float] = []
    for _ in range(TRIES_TOGETHER + 4):
        waits.append(await clock.sleeping())
        clock.advance(waits[-1])
        await asyncio.sleep(0)
    assert waits[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert waits[-1] == LONGEST_BACKOFF_SECONDS
    full = False
    await idle(inbox, clock)
    assert clerk.events == [message(1)]
    assert "trying again" in caplog.text


async def test_an_event_that_always_fails_does_not_keep_a_place_deaf(
    inbox: Inbox, clerk: Clerk, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    clerk.fails = lambda events: ZeroDivisionError() if message(2) in events else None
    for number in (1, 2, 3):
        inbox.put(GUILD, ROOM, message(number))
    await idle(inbox, clock)
    assert clerk.events == [message(1), message(3)]
    assert "is left out" in caplog.text
    inbox.put(GUILD, ROOM, message(4))
    inbox.put(GUILD, ROOM, message(5))
    await idle(inbox, clock)
    assert clerk.batches[-1] == (message(4), message(5))


async def test_a_database_that_fails_while_events_go_one_by_one_loses_none(
    inbox: Inbox, clerk: Clerk, clock: ManualClock
) -> None:
    failures: list[Exception] = [ZeroDivisionError() for _ in range(TRIES_TOGETHER)]
    failures.append(DatabaseFull(Path("bot.db")))
    clerk.fails = lambda _: failures.pop(0) if failures else None
    for number in (1, 2):
        inbox.put(GUILD, ROOM, message(number))
    await idle(inbox, clock)
    assert clerk.batches == [(message(1),), (message(2),)]


async def test_a_place_that_is_flooded_leaves_events_out_and_says_so(
    inbox: Inbox, clerk: Clerk, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.hold(GUILD)
    for number in range(MOST_WAITING + 1):
        inbox.put(GUILD, ROOM, message(number))
    inbox.release(GUILD)
    await inbox.idle()
    assert len(clerk.events) == MOST_WAITING
    assert "is left out" in caplog.text


async def test_a_deletion_is_never_left_out(inbox: Inbox, clerk: Clerk) -> None:
    inbox.hold(GUILD)
    for number in range(MOST_WAITING + 1):
        inbox.put(GUILD, ROOM, message(number))
    gone: list[Event] = [deleted(1), ThreadDeleted(ROOM)]
    for event in gone:
        inbox.put(GUILD, ROOM, event)
    inbox.release(GUILD)
    await inbox.idle()
    assert clerk.events[MOST_WAITING:] == gone


async def test_what_follows_an_event_left_out_waits_for_the_catch_up_that_is_asked_for(
    inbox: Inbox, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A message that is claimed stands for all that came before it.
    monkeypatch.setattr("bot.services.inbox.MOST_WAITING", 1)
    asked: list[GuildId] = []
    inbox.on_left_out = asked.append
    gate = Gate()
    clerk.gates.append(gate)
    inbox.hold(GUILD)
    for number in (1, 2):
        inbox.put(GUILD, ROOM, message(number))
    inbox.release(GUILD)
    await gate.entered.wait()
    inbox.put(GUILD, ROOM, message(3))
    inbox.put(GUILD, ROOM, MessageEdited(message(1, "hello!")))
    assert asked == []
    gate.open()
    await inbox.idle()
    inbox.put(GUILD, ROOM, message(4))
    await inbox.idle()
    assert clerk.events == [message(1), message(4)]
    assert asked == [GUILD]


async def test_an_inbox_that_is_closed_asks_for_no_catch_up(
    inbox: Inbox, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.inbox.MOST_WAITING", 1)
    asked: list[GuildId] = []
    inbox.on_left_out = asked.append
    clerk.gates.append(Gate())
    inbox.hold(GUILD)
    for number in (1, 2):
        inbox.put(GUILD, ROOM, message(number))
    inbox.release(GUILD)
    await clerk.gates[0].entered.wait()
    await inbox.close()
    assert asked == []


async def test_a_closed_inbox_ends_its_work_and_takes_nothing_more(inbox: Inbox, clerk: Clerk) -> None:
    gate = Gate()
    clerk.gates.append(gate)
    inbox.put(GUILD, ROOM, message(1))
    await gate.entered.wait()
    await inbox.close()
    inbox.put(GUILD, ROOM, message(2))
    await inbox.idle()
    assert clerk.batches == []
