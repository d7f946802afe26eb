import asyncio
import contextlib
from dataclasses import replace

import pytest

from bot.domain.bindings import BindingState, PauseCause
from bot.domain.ids import ChannelId, CharacterRef, GuildId
from bot.domain.places import Place
from bot.services.binding_book import LOOK_AGAIN_AFTER_SECONDS
from bot.services.binding_index import BindingIndex
from bot.services.binding_upkeep import WATCH_INTERVAL_SECONDS, BindingUpkeep
from bot.services.bindings import BindingService
from bot.store.bindings import Bindings
from bot.store.database import Database
from tests.support.binding_world import (
    GUILD,
    HOUR,
    RESTRICTED,
    ROOM,
    Rig,
    Town,
    Voices,
    asker,
    snowflake,
)
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import ManualClock
from tests.support.notice_outlet import NoticeOutlet

# Pausing and waking.


async def test_a_pause_is_told_once_and_holds(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex, outlet: NoticeOutlet
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await upkeep.pause(change.binding, PauseCause.UNAVAILABLE)
    assert paused is not None
    assert paused.state is BindingState.PAUSED
    assert index.get(ROOM.channel_id) == paused
    assert await upkeep.pause(change.binding, PauseCause.UNAVAILABLE) is None
    assert len(outlet.texts) == 1
    assert "**Helpful Guide**" in outlet.texts[0]


async def test_a_character_above_the_ceiling_is_paused_without_its_name_and_stopped_in_mid_reply(
    upkeep: BindingUpkeep, service: BindingService, outlet: NoticeOutlet, voices: Voices
) -> None:
    change = await service.use(RESTRICTED, asker(), "night-bard")
    await upkeep.channel_changed(ROOM.channel_id, age_restricted=False)
    [text] = outlet.texts
    assert "Night Bard" not in text
    assert "age-restricted" in text
    assert "Night Bard" not in service.current(ROOM)
    assert [conversation.binding_id for conversation in voices.stopped] == [change.binding.id]
    assert change.binding.state is BindingState.ACTIVE


async def test_a_channel_that_gains_its_flag_wakes_the_character(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex, outlet: NoticeOutlet, clock: ManualClock
) -> None:
    await service.use(RESTRICTED, asker(), "night-bard")
    await upkeep.channel_changed(ROOM.channel_id, age_restricted=False)
    clock.advance(60)
    await upkeep.channel_changed(ROOM.channel_id, age_restricted=True)
    binding = index.get(ROOM.channel_id)
    assert binding is not None
    assert binding.state is BindingState.ACTIVE
    assert binding.active_from == snowflake(60)
    assert "**Night Bard** is back" in outlet.texts[-1]


async def test_each_pause_and_each_return_is_told_however_soon(
    upkeep: BindingUpkeep, service: BindingService, outlet: NoticeOutlet
) -> None:
    await service.use(RESTRICTED, asker(), "night-bard")
    for _ in range(2):
        await upkeep.channel_changed(ROOM.channel_id, age_restricted=False)
        await upkeep.channel_changed(ROOM.channel_id, age_restricted=True)
    assert ["is back" in text for text in outlet.texts] == [False, True, False, True]


@pytest.mark.parametrize("address", ["night-bard", "helpful-guide"])
async def test_a_pause_soon_after_a_character_was_brought_in_is_told(
    upkeep: BindingUpkeep, service: BindingService, outlet: NoticeOutlet, address: str
) -> None:
    change = await service.use(RESTRICTED, asker(), "night-bard")
    await upkeep.pause(change.binding, PauseCause.UNAVAILABLE)
    change = await service.use(RESTRICTED, asker(1), address)
    await upkeep.pause(change.binding, PauseCause.UNAVAILABLE)
    assert len(outlet.texts) == 2


async def test_a_channel_that_changes_otherwise_disturbs_nobody(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex, outlet: NoticeOutlet
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await upkeep.channel_changed(ROOM.channel_id, age_restricted=True)
    await upkeep.channel_changed(ROOM.channel_id, age_restricted=False)
    await upkeep.channel_changed(ChannelId(999), age_restricted=False)
    assert index.get(ROOM.channel_id) == change.binding
    assert outlet.texts == []


async def test_a_message_wakes_a_character_whose_gate_is_clear_again_and_may_be_answered(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    clock.advance(60)
    woken = await upkeep.paused_message(paused, snowflake(60))
    assert woken is not None
    assert woken == index.get(ROOM.channel_id)
    assert woken.active_from == snowflake(60) - 1


async def test_without_a_message_what_was_said_until_now_is_not_answered(
    upkeep: BindingUpkeep, service: BindingService, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    clock.advance(60)
    woken = await upkeep.paused_message(paused)
    assert woken is not None
    assert woken.active_from == snowflake(60)


async def test_messages_make_it_look_again_every_fifteen_seconds_at_most(
    upkeep: BindingUpkeep, service: BindingService, town: Town, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    flags = dict(town.restricted)
    town.restricted.clear()
    assert await upkeep.paused_message(paused) is None
    town.restricted.update(flags)
    clock.advance(LOOK_AGAIN_AFTER_SECONDS - 1)
    assert await upkeep.paused_message(paused) is None
    clock.advance(1)
    assert await upkeep.paused_message(paused) is not None


async def test_a_pause_changes_its_cause_when_another_comes_first(
    upkeep: BindingUpkeep,
    service: BindingService,
    upstream: FakeCatalogue,
    clock: ManualClock,
    index: BindingIndex,
    outlet: NoticeOutlet,
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    upstream.items[0]["moderation_status"] = "rejected"
    clock.advance(HOUR)
    assert await upkeep.paused_message(paused) is None
    binding = index.get(ROOM.channel_id)
    assert binding is not None
    assert binding.pause_cause is PauseCause.UNAVAILABLE
    assert len(outlet.texts) == 2


async def test_a_change_of_the_character_pauses_and_wakes_it_at_once_wherever_it_is(
    upkeep: BindingUpkeep,
    service: BindingService,
    upstream: FakeCatalogue,
    town: Town,
    index: BindingIndex,
    clock: ManualClock,
    rig: Rig,
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    town.restricted[other.channel_id] = False
    change = await service.use(ROOM, asker(), "helpful-guide")
    await service.use(other, asker(), "quiet-one")
    ref = change.binding.character_ref
    assert upkeep.channels_of(ref) == 1
    clock.advance(1)
    upstream.items[0]["moderation_status"] = "pending"
    await upkeep.character_changed(ref)
    paused = index.get(ROOM.channel_id)
    assert paused is not None
    assert (paused.state, paused.pause_cause) == (BindingState.PAUSED, PauseCause.UNAVAILABLE)
    assert [conversation.binding_id for conversation in rig.voices.stopped] == [change.binding.id]
    clock.advance(60)
    upstream.items[0]["moderation_status"] = "approved"
    await upkeep.character_changed(ref)
    woken = index.get(ROOM.channel_id)
    assert woken is not None
    assert (woken.state, woken.active_from) == (BindingState.ACTIVE, snowflake(61))
    assert [text.partition(".")[0] for text in rig.outlet.texts] == [
        "⚠ **Helpful Guide** is no longer available, so it is paused here",
        "**Helpful Guide** is back",
    ]
    untouched = index.get(other.channel_id)
    assert untouched is not None
    assert untouched.state is BindingState.ACTIVE
    assert upstream.reads.count("id-of-quiet-one") <= 1


async def test_a_paused_character_is_read_again_for_a_message_and_not_only_once_it_is_old(
    upkeep: BindingUpkeep, service: BindingService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    upstream.items[0]["moderation_status"] = "pending"
    clock.advance(1)
    await upkeep.character_changed(change.binding.character_ref)
    paused = await upkeep.paused_message(change.binding)
    assert paused is None
    upstream.items[0]["moderation_status"] = "approved"
    clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    binding = replace(change.binding, state=BindingState.PAUSED)
    assert await upkeep.paused_message(binding, snowflake(60)) is not None


async def test_a_look_that_fails_is_logged_and_keeps_nobody_from_the_next(
    upkeep: BindingUpkeep,
    service: BindingService,
    upstream: FakeCatalogue,
    town: Town,
    index: BindingIndex,
    clock: ManualClock,
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    town.restricted[other.channel_id] = False
    first = await service.use(ROOM, asker(), "helpful-guide")
    await service.use(other, asker(), "helpful-guide")
    # Its row is not there, so that whatever is written of it fails.
    index.put(replace(first.binding, guild_id=GuildId(999), character_ref=CharacterRef(999)))
    await upkeep.character_changed(CharacterRef(999))
    upstream.items[0]["moderation_status"] = "pending"
    clock.advance(1)
    await upkeep.character_changed(first.binding.character_ref)
    paused = index.get(other.channel_id)
    assert paused is not None
    assert paused.state is BindingState.PAUSED


async def test_a_channel_out_of_sight_is_left_as_it_is(
    upkeep: BindingUpkeep, service: BindingService, town: Town, index: BindingIndex
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    town.restricted.clear()
    assert await upkeep.paused_message(paused) is None
    assert index.get(ROOM.channel_id) == paused


async def test_the_watch_wakes_paused_characters_and_outlives_trouble(
    upkeep: BindingUpkeep,
    service: BindingService,
    town: Town,
    index: BindingIndex,
    clock: ManualClock,
    upstream: FakeCatalogue,
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    town.restricted[other.channel_id] = False
    broken = await service.use(ROOM, asker(), "helpful-guide")
    sound = await service.use(other, asker(), "quiet-one")
    for change in (broken, sound):
        await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    # A binding whose character nobody has heard of is a fault, and must not keep the next from waking.
    index.put(replace(broken.binding, state=BindingState.PAUSED, character_ref=CharacterRef(999)))
    watch = asyncio.create_task(upkeep.keep_watch())
    assert await clock.sleeping() == WATCH_INTERVAL_SECONDS
    clock.advance(WATCH_INTERVAL_SECONDS)
    assert await clock.sleeping() == WATCH_INTERVAL_SECONDS
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    woken = index.get(other.channel_id)
    assert woken is not None
    assert woken.state is BindingState.ACTIVE
    assert upstream.status == 200


# Channels and servers that go.


async def test_a_deleted_channel_ends_what_was_bound_and_a_server_left_falls_silent_until_it_is_back(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex, database: Database
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    elsewhere = Place(GuildId(201), ChannelId(302), None, age_restricted=False)
    for place in (ROOM, other, elsewhere):
        await service.use(place, asker(), "helpful-guide")
    await upkeep.channel_deleted(ROOM.channel_id)
    await upkeep.channel_deleted(ChannelId(999))
    assert [binding.channel_id for binding in index] == [other.channel_id, elsewhere.channel_id]
    await upkeep.guild_left(GUILD)
    assert [binding.channel_id for binding in index] == [elsewhere.channel_id]
    assert [binding.channel_id for binding in await Bindings(database).live()] == [
        other.channel_id,
        elsewhere.channel_id,
    ]
    await upkeep.guild_joined(GUILD)
    assert index.get(other.channel_id) is not None


async def test_what_was_bound_to_channels_that_a_server_no_longer_has_is_ended(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex, database: Database
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    elsewhere = Place(GuildId(201), ChannelId(302), None, age_restricted=False)
    for place in (ROOM, other, elsewhere):
        await service.use(place, asker(), "helpful-guide")
    await upkeep.channels_seen({GUILD: {other.channel_id}})
    assert [binding.channel_id for binding in index] == [other.channel_id, elsewhere.channel_id]
    assert [binding.channel_id for binding in await Bindings(database).live()] == [
        other.channel_id,
        elsewhere.channel_id,
    ]


async def test_a_new_process_knows_what_is_bound(rig: Rig, service: BindingService) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    fresh = BindingIndex()
    await replace(rig, index=fresh).upkeep.load()
    assert fresh.get(ROOM.channel_id) == used.binding
