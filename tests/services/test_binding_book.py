from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from bot.domain.bindings import Trigger
from bot.services.binding_book import BindingBook
from bot.services.binding_index import BindingIndex
from bot.services.bindings import BindingService
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.binding_world import ROOM, Rig, asker, opened_rig
from tests.support.manual_clock import ManualClock


@pytest.fixture
async def rig(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[Rig]:
    async with opened_rig(database, vault, clock) as rig:
        yield rig


@pytest.fixture
def service(rig: Rig) -> BindingService:
    return rig.service()


@pytest.fixture
def book(rig: Rig) -> BindingBook:
    return rig.book


@pytest.fixture
def index(rig: Rig) -> BindingIndex:
    return rig.index


async def test_a_mark_once_given_stays(
    rig: Rig, book: BindingBook, service: BindingService, index: BindingIndex
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    assert await book.met(used.binding, ["Bob"]) == used.binding
    marked = await book.met(used.binding, ["Helpful Guide"])
    assert await book.met(marked, ["Bob"]) == marked
    await service.settings(ROOM, asker(1), Trigger.MENTION)
    fresh = BindingIndex()
    await replace(rig, index=fresh).upkeep.load()
    for known in (index.get(ROOM.channel_id), fresh.get(ROOM.channel_id)):
        assert known is not None
        assert known.name_marked


async def test_what_left_meanwhile_is_not_marked(
    book: BindingBook, service: BindingService, index: BindingIndex
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    await service.leave(ROOM, asker(1))
    assert not (await book.met(used.binding, ["Helpful Guide"])).name_marked
    assert len(index) == 0
