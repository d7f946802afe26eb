from dataclasses import replace

from bot.domain.bindings import Trigger
from bot.services.binding_book import BindingBook
from bot.services.binding_index import BindingIndex
from bot.services.bindings import BindingService
from tests.support.binding_world import ROOM, Rig, asker


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
