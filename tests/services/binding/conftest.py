from collections.abc import AsyncGenerator

import pytest

from bot.services.binding_book import BindingBook
from bot.services.binding_index import BindingIndex
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import BindingService
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.binding_world import Rig, Town, Voices, opened_rig
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import ManualClock
from tests.support.notice_outlet import NoticeOutlet


@pytest.fixture
async def rig(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[Rig]:
    async with opened_rig(database, vault, clock) as rig:
        yield rig


@pytest.fixture
def service(rig: Rig) -> BindingService:
    return rig.service()


@pytest.fixture
def upkeep(rig: Rig) -> BindingUpkeep:
    return rig.upkeep


@pytest.fixture
def book(rig: Rig) -> BindingBook:
    return rig.book


@pytest.fixture
def upstream(rig: Rig) -> FakeCatalogue:
    return rig.upstream


@pytest.fixture
def index(rig: Rig) -> BindingIndex:
    return rig.index


@pytest.fixture
def voices(rig: Rig) -> Voices:
    return rig.voices


@pytest.fixture
def outlet(rig: Rig) -> NoticeOutlet:
    return rig.outlet


@pytest.fixture
def town(rig: Rig) -> Town:
    return rig.town
