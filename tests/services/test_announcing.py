import asyncio
import contextlib
import logging

import pytest

from bot.domain.ids import ChannelId, GuildId
from bot.domain.turns import Transport
from bot.services.announcing import NOTICE_WINDOW_SECONDS, Announcer
from bot.services.outlet import Busy, Destination, Draft, Forbidden, OutletError, Uncertain
from bot.store.database import Database
from bot.store.notices import Notices
from tests.support.manual_clock import ManualClock
from tests.support.notice_outlet import NoticeOutlet

ROOM = Destination(GuildId(200), ChannelId(300))
THREAD = Destination(GuildId(200), ChannelId(300), ChannelId(310))


@pytest.fixture
def outlet() -> NoticeOutlet:
    return NoticeOutlet()


@pytest.fixture
def announcer(outlet: NoticeOutlet, database: Database, clock: ManualClock) -> Announcer:
    return Announcer(outlet=outlet, notices=Notices(database), clock=clock.clock)


async def test_a_notice_comes_from_the_bot_itself_without_buttons_or_nonce(
    announcer: Announcer, outlet: NoticeOutlet
) -> None:
    assert await announcer.announce(ROOM, "paused", "It rests.")
    assert outlet.posted == [(ROOM, Transport.BOT, Draft("It rests."))]


async def test_the_same_cause_is_told_once_in_five_minutes(
    announcer: Announcer, outlet: NoticeOutlet, clock: ManualClock
) -> None:
    assert await announcer.announce(ROOM, "paused", "first")
    clock.advance(NOTICE_WINDOW_SECONDS - 1)
    assert not await announcer.announce(ROOM, "paused", "second")
    clock.advance(1)
    assert await announcer.announce(ROOM, "paused", "third")
    assert outlet.texts == ["first", "third"]


async def test_what_no_longer_holds_is_told_again_at_once(announcer: Announcer, outlet: NoticeOutlet) -> None:
    for cause in ("paused", "full"):
        await announcer.announce(ROOM, cause, cause)
        await announcer.announce(THREAD, cause, cause)
    await announcer.outdated(ROOM, ["paused", "never told"])
    for cause in ("paused", "full"):
        await announcer.announce(ROOM, cause, f"{cause} again")
        await announcer.announce(THREAD, cause, f"{cause} again")
    assert outlet.texts[4:] == ["paused again"]


async def test_another_cause_and_another_thread_are_told_apart(announcer: Announcer, outlet: NoticeOutlet) -> None:
    assert await announcer.announce(ROOM, "paused", "a")
    assert await announcer.announce(ROOM, "resumed", "b")
    assert await announcer.announce(THREAD, "paused", "c")
    assert outlet.texts == ["a", "b", "c"]


async def test_of_many_at_once_one_is_posted(announcer: Announcer, outlet: NoticeOutlet) -> None:
    told = await asyncio.gather(*(announcer.announce(ROOM, "paused", "text") for _ in range(5)))
    assert sorted(told) == [False, False, False, False, True]
    assert outlet.texts == ["text"]


@pytest.mark.parametrize("failure", [Forbidden(), Uncertain()])
async def test_what_discord_refuses_is_logged_and_not_raised(
    announcer: Announcer, outlet: NoticeOutlet, failure: OutletError, caplog: pytest.LogCaptureFixture
) -> None:
    outlet.failures.append(failure)
    with caplog.at_level(logging.WARNING):
        assert not await announcer.announce(ROOM, "paused", "secret words")
    assert "paused" in caplog.text
    assert "secret words" not in caplog.text


async def test_a_mistake_in_posting_is_logged_and_not_raised(
    announcer: Announcer, outlet: NoticeOutlet, caplog: pytest.LogCaptureFixture
) -> None:
    outlet.failures.append(TypeError("a mistake"))
    assert not await announcer.announce(ROOM, "paused", "secret words")
    assert "TypeError" in caplog.text
    assert "secret words" not in caplog.text


async def test_a_busy_discord_is_waited_for(announcer: Announcer, outlet: NoticeOutlet, clock: ManualClock) -> None:
    outlet.failures.append(Busy(7.0))
    telling = asyncio.create_task(announcer.announce(ROOM, "paused", "late"))
    assert await clock.sleeping() == 7.0
    clock.advance(7.0)
    assert await telling
    assert outlet.texts == ["late"]


async def test_a_discord_that_stays_busy_is_given_up(
    announcer: Announcer, outlet: NoticeOutlet, clock: ManualClock
) -> None:
    outlet.failures.extend([Busy(1.0), Busy(900.0), Busy(1.0)])
    telling = asyncio.create_task(announcer.announce(ROOM, "paused", "never"))
    assert await clock.sleeping() == 1.0
    clock.advance(1.0)
    assert await clock.sleeping() == 60.0
    clock.advance(60.0)
    assert not await telling
    assert outlet.texts == []


async def test_a_notice_is_cut_off_where_the_process_ends(announcer: Announcer, outlet: NoticeOutlet) -> None:
    outlet.gate.clear()
    telling = asyncio.create_task(announcer.announce(ROOM, "paused", "text"))
    await outlet.entered.wait()
    await announcer.aclose()
    await asyncio.gather(telling, return_exceptions=True)
    assert telling.cancelled()
    assert outlet.texts == []


async def test_a_cancelled_caller_does_not_cancel_the_post(announcer: Announcer, outlet: NoticeOutlet) -> None:
    outlet.gate.clear()
    telling = asyncio.create_task(announcer.announce(ROOM, "paused", "text"))
    await outlet.entered.wait()
    telling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await telling
    outlet.gate.set()
    await announcer.drain()
    assert outlet.texts == ["text"]


async def test_what_is_posted_once_is_posted_whatever_stands_there(announcer: Announcer, outlet: NoticeOutlet) -> None:
    for text in ("first", "first"):
        await announcer.post(ROOM, text)
    assert outlet.posted == [(ROOM, Transport.BOT, Draft("first"))] * 2


async def test_what_discord_refuses_to_post_once_is_for_the_caller(announcer: Announcer, outlet: NoticeOutlet) -> None:
    outlet.failures.append(Forbidden())
    with pytest.raises(Forbidden):
        await announcer.post(ROOM, "text")


async def test_a_post_outlives_its_caller_and_is_waited_for(announcer: Announcer, outlet: NoticeOutlet) -> None:
    outlet.gate.clear()
    caller = asyncio.create_task(announcer.post(ROOM, "text"))
    await outlet.entered.wait()
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    outlet.gate.set()
    await announcer.drain()
    assert outlet.texts == ["text"]
