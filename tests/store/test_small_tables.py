"""members.py, state.py and notices.py."""

import asyncio

import pytest

from bot.domain.ids import ChannelId, MessageId
from bot.store.database import Database
from bot.store.members import Members
from bot.store.notices import Notices
from bot.store.state import State
from tests.store.seed import ALICE, BOB, CHANNEL, NOW

WINDOW = 300_000


async def test_members_are_ignored_until_they_ask_otherwise(database: Database) -> None:
    members = Members(database)
    assert await members.ignored() == frozenset()
    assert await members.ignore(ALICE, NOW)
    assert not await members.ignore(ALICE, NOW + 1)
    assert await members.ignore(BOB, NOW)
    assert await members.ignored() == {ALICE, BOB}
    assert await members.heed(ALICE, MessageId(7))
    assert not await members.heed(ALICE, MessageId(8))
    assert await members.ignored() == {BOB}
    assert await members.heard_again() == {ALICE: 7}
    assert await members.ignore(ALICE, NOW + 2)
    assert (await members.ignored(), await members.heard_again()) == ({ALICE, BOB}, {})


async def test_facts_are_kept_by_name(database: Database) -> None:
    state = State(database)
    assert await state.get("commands") is None
    await state.put("commands", "first")
    await state.put("commands", "second")
    await state.put("other", "")
    assert (await state.get("commands"), await state.get("other")) == ("second", "")
    await state.remove("commands")
    assert (await state.get("commands"), await state.get("other")) == (None, "")


@pytest.mark.parametrize(
    ("later_ms", "may"), [(0, False), (WINDOW - 1, False), (WINDOW, True), (WINDOW + 1, True), (-1, True)]
)
async def test_a_notice_is_repeated_only_after_its_window(database: Database, later_ms: int, *, may: bool) -> None:
    notices = Notices(database)
    assert await notices.try_mark(CHANNEL, "402", NOW, WINDOW)
    assert await notices.try_mark(CHANNEL, "402", NOW + later_ms, WINDOW) is may


async def test_a_refused_notice_does_not_start_a_new_window(database: Database) -> None:
    notices = Notices(database)
    await notices.try_mark(CHANNEL, "402", NOW, WINDOW)
    await notices.try_mark(CHANNEL, "402", NOW + WINDOW - 1, WINDOW)
    assert await notices.try_mark(CHANNEL, "402", NOW + WINDOW, WINDOW)


async def test_other_causes_and_channels_have_windows_of_their_own(database: Database) -> None:
    notices = Notices(database)
    assert await notices.try_mark(CHANNEL, "402", NOW, WINDOW)
    assert await notices.try_mark(CHANNEL, "full", NOW, WINDOW)
    assert await notices.try_mark(ChannelId(21), "402", NOW, WINDOW)


async def test_of_many_askers_at_once_one_may(database: Database) -> None:
    notices = Notices(database)
    answers = await asyncio.gather(*(notices.try_mark(CHANNEL, "402", NOW, WINDOW) for _ in range(10)))
    assert sorted(answers) == [False] * 9 + [True]
