import pytest

from bot.domain.bindings import BindingState, PauseCause, Trigger
from bot.domain.ids import BindingId, ChannelId, GuildId, MessageId, PayerId
from bot.domain.payers import member_payer
from bot.store.bindings import Bindings
from bot.store.database import Database
from tests.store.seed import ALICE, BOB, CHANNEL, GUILD, NOW, PAYER, Seed

ELSEWHERE = ChannelId(21)


@pytest.fixture
def bindings(database: Database) -> Bindings:
    return Bindings(database)


async def test_a_new_binding_is_active_and_found_every_way(bindings: Bindings, seed: Seed) -> None:
    ref = await seed.character()
    bound = await bindings.create(
        guild_id=GUILD,
        channel_id=CHANNEL,
        character_ref=ref,
        trigger=Trigger.MENTION,
        bound_by=ALICE,
        payer=PAYER,
        active_from=MessageId(77),
        now_ms=NOW,
    )
    binding = bound.binding
    assert (bound.ended, bound.renewed) == ((), False)
    assert (binding.guild_id, binding.channel_id, binding.character_ref) == (GUILD, CHANNEL, ref)
    assert (binding.trigger, binding.bound_by, binding.payer) == (Trigger.MENTION, ALICE, PAYER)
    assert (binding.state, binding.pause_cause, binding.active_from) == (BindingState.ACTIVE, None, 77)
    assert await bindings.get(binding.id) == binding
    for found in (
        bindings.live(),
        bindings.by_guild(GUILD),
    ):
        assert await found == [binding]


async def test_lookups_keep_to_their_server(bindings: Bindings, seed: Seed) -> None:
    await seed.binding()
    assert await bindings.by_guild(GuildId(11)) == []
    assert await bindings.get(BindingId(99)) is None


async def test_another_character_takes_the_place_of_the_one_before(bindings: Bindings, seed: Seed) -> None:
    before = await seed.binding(character="guide")
    elsewhere = await seed.binding(character="guide", channel=ELSEWHERE)
    bound = await bindings.create(
        guild_id=GUILD,
        channel_id=CHANNEL,
        character_ref=await seed.character("bard"),
        trigger=Trigger.EVERY,
        bound_by=BOB,
        payer=PAYER,
        active_from=MessageId(9),
        now_ms=NOW + 1,
    )
    assert [(ended.id, ended.state) for ended in bound.ended] == [(before.id, BindingState.ENDED)]
    assert not bound.renewed
    assert await bindings.live() == [elsewhere, bound.binding]


async def test_binding_the_same_character_again_renews_it_and_keeps_its_conversations(
    bindings: Bindings, seed: Seed
) -> None:
    before = await seed.binding()
    room = await seed.room(before)
    await seed.message(room, 50, turn=await seed.turn(room))
    await bindings.pause(before.id, PauseCause.UNVERIFIED)
    bound = await bindings.create(
        guild_id=GUILD,
        channel_id=CHANNEL,
        character_ref=before.character_ref,
        trigger=Trigger.MENTION,
        bound_by=BOB,
        payer=PayerId("guild:10"),
        active_from=MessageId(60),
        now_ms=NOW + 1,
    )
    after = bound.binding
    assert (bound.renewed, bound.ended, after.id) == (True, (), before.id)
    assert (after.state, after.pause_cause, after.trigger) == (BindingState.ACTIVE, None, Trigger.MENTION)
    assert (after.bound_by, after.payer, after.active_from) == (BOB, "guild:10", 60)
    assert await seed.messages_with_text() == [50]


async def test_a_character_that_left_can_be_bound_again_afresh(bindings: Bindings, seed: Seed) -> None:
    before = await seed.binding()
    await bindings.end(before.id, NOW)
    after = await seed.binding()
    assert after.id > before.id
    assert await bindings.live() == [after]


async def test_pausing_says_once_that_it_is_paused(bindings: Bindings, seed: Seed) -> None:
    binding = await seed.binding()
    paused = await bindings.pause(binding.id, PauseCause.UNAVAILABLE)
    assert paused is not None
    assert (paused.state, paused.pause_cause) == (BindingState.PAUSED, PauseCause.UNAVAILABLE)
    assert await bindings.pause(binding.id, PauseCause.UNAVAILABLE) is None
    changed = await bindings.pause(binding.id, PauseCause.ABOVE_CEILING)
    assert changed is not None
    assert changed.pause_cause is PauseCause.ABOVE_CEILING
    assert await bindings.live() == [changed]


async def test_only_a_paused_binding_wakes_and_only_for_later_messages(bindings: Bindings, seed: Seed) -> None:
    binding = await seed.binding()
    assert await bindings.resume(binding.id, MessageId(99)) is None
    await bindings.pause(binding.id, PauseCause.UNAVAILABLE)
    woken = await bindings.resume(binding.id, MessageId(100))
    assert woken is not None
    assert (woken.state, woken.pause_cause, woken.active_from) == (BindingState.ACTIVE, None, 100)


async def test_a_new_trigger_counts_for_later_messages(bindings: Bindings, seed: Seed) -> None:
    binding = await seed.binding()
    changed = await bindings.set_trigger(binding.id, Trigger.MENTION, MessageId(100))
    assert changed is not None
    assert (changed.trigger, changed.active_from) == (Trigger.MENTION, 100)


async def test_what_a_member_agreed_to_goes_with_their_paying(bindings: Bindings, seed: Seed) -> None:
    payer = member_payer(ALICE)
    bound = await bindings.create(
        guild_id=GUILD,
        channel_id=CHANNEL,
        character_ref=await seed.character(),
        trigger=Trigger.MENTION,
        bound_by=ALICE,
        payer=payer,
        active_from=MessageId(5),
        now_ms=NOW,
        daily_turns=50,
    )
    elsewhere = await seed.binding(channel=ELSEWHERE)
    assert bound.binding.daily_turns == 50
    assert await bindings.paid_by(payer) == [bound.binding]
    assert await bindings.paid_by(PAYER) == [elsewhere]
    changed = await bindings.set_payer(bound.binding.id, PAYER)
    assert changed is not None
    assert (changed.payer, changed.daily_turns) == (PAYER, None)
    assert await bindings.paid_by(payer) == []
    again = await seed.binding()
    assert (again.id, again.payer, again.daily_turns) == (bound.binding.id, PAYER, None)


async def test_an_ended_binding_does_nothing_more(bindings: Bindings, seed: Seed) -> None:
    binding = await seed.binding()
    ended = await bindings.end(binding.id, NOW)
    assert ended is not None
    assert ended.state is BindingState.ENDED
    assert await bindings.get(binding.id) == ended
    assert await bindings.end(binding.id, NOW) is None
    assert await bindings.pause(binding.id, PauseCause.UNAVAILABLE) is None
    assert await bindings.resume(binding.id, MessageId(9)) is None
    assert await bindings.set_trigger(binding.id, Trigger.EVERY, MessageId(9)) is None
    assert await bindings.set_payer(binding.id, PAYER) is None
    assert await bindings.live() == []


async def test_ending_drops_the_texts_of_all_its_conversations_and_of_no_others(bindings: Bindings, seed: Seed) -> None:
    binding, other = await seed.binding(), await seed.binding(channel=ELSEWHERE)
    room, thread, away = await seed.room(binding), await seed.thread(binding, 25), await seed.room(other)
    greeting = await seed.turn(room, kind="greeting")
    for number, conversation in enumerate((room, thread, away), 50):
        await seed.message(conversation, number, turn=await seed.turn(conversation))
    assert greeting in await seed.turns_with_text()
    await bindings.end(binding.id, NOW)
    assert await seed.messages_with_text() == [52]
    assert len(await seed.turns_with_text()) == 1


async def test_ending_drops_what_waits_and_leaves_what_runs_to_its_worker(bindings: Bindings, seed: Seed) -> None:
    binding = await seed.binding()
    room = await seed.room(binding)
    again = await seed.turn(room, state="waiting")
    running = await seed.turn(room, state="running")
    await seed.message(room, 50, state="failed", turn=again)
    await seed.message(room, 51, state="running", turn=running)
    await seed.message(room, 52, state="waiting")
    await seed.message(room, 53, state="waiting", text=None)
    await bindings.end(binding.id, NOW)
    assert [await seed.state_of(number) for number in (50, 51, 52, 53)] == [
        ("failed", None),
        ("running", None),
        ("dropped", "ended"),
        ("dropped", "ended"),
    ]
    assert await seed.turn_state(again) == ("failed", "ended")
    assert await seed.turn_state(running) == ("running", None)
    assert await seed.messages_with_text() == []
