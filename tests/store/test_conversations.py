import asyncio

import pytest

from bot.domain.bindings import Conversation, Scope
from bot.domain.ids import BindingId, ChannelId, ConversationId, MessageId
from bot.store.bindings import Bindings
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.texts import AFTER_EVERYTHING
from tests.store.seed import ALICE, CHANNEL, GUILD, NOW, Seed


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database)


async def test_a_conversation_begins_once_where_its_binding_does(conversations: Conversations, seed: Seed) -> None:
    binding = await seed.binding(active_from=5)
    first = await conversations.get_or_create(binding, Scope.THREAD, 25, NOW)
    assert (first.binding_id, first.scope, first.scope_id) == (binding.id, Scope.THREAD, 25)
    assert (first.guild_id, first.channel_id, first.starts_after) == (GUILD, CHANNEL, 5)
    assert await conversations.get_or_create(binding, Scope.THREAD, 25, NOW + 1) == first
    assert await conversations.get(first.id) == first


async def test_many_at_once_begin_one_conversation(conversations: Conversations, seed: Seed) -> None:
    binding = await seed.binding()
    got = await asyncio.gather(*(conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW) for _ in range(10)))
    assert len({conversation.id for conversation in got}) == 1
    assert len(await conversations.of_binding(binding.id)) == 1


async def test_a_conversation_is_looked_up_once(
    conversations: Conversations, database: Database, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    binding = await seed.binding()
    first = await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW)
    with monkeypatch.context() as patched:
        patched.setattr(database, "read", None)
        assert await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW) is first


async def test_a_conversation_that_was_reset_or_forgotten_is_looked_up_anew(
    conversations: Conversations, seed: Seed
) -> None:
    binding = await seed.binding()
    room = await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW)
    reset = await conversations.reset(room.id, MessageId(60))
    assert await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW) == reset
    await conversations.forget(room.id)
    forgotten = await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW)
    assert forgotten.starts_after == AFTER_EVERYTHING


async def test_what_was_read_before_a_reset_is_not_remembered_after_it(
    conversations: Conversations, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    binding = await seed.binding()
    room = await seed.room(binding)
    find = conversations.find

    async def reset_meanwhile(binding_id: BindingId, scope: Scope, scope_id: int) -> Conversation | None:
        found = await find(binding_id, scope, scope_id)
        await conversations.reset(room.id, MessageId(60))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(conversations, "find", reset_meanwhile)
        await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW)
    assert (await conversations.get_or_create(binding, Scope.ROOM, CHANNEL, NOW)).starts_after == 60


async def test_only_the_newest_conversations_are_remembered(
    conversations: Conversations, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.conversations.REMEMBERED", 2)
    binding = await seed.binding()
    first, second, third = [await conversations.get_or_create(binding, Scope.THREAD, scope, NOW) for scope in range(3)]
    assert await conversations.get_or_create(binding, Scope.THREAD, 2, NOW) is third
    assert await conversations.get_or_create(binding, Scope.THREAD, 1, NOW) is second
    again = await conversations.get_or_create(binding, Scope.THREAD, 0, NOW)
    assert again == first
    assert again is not first


async def test_a_conversation_whose_place_is_gone_is_forgotten_with_its_greeting(
    conversations: Conversations, seed: Seed
) -> None:
    binding = await seed.binding()
    thread, room = await seed.thread(binding, 25), await seed.room(binding)
    await seed.message(thread, 50, turn=await seed.turn(thread))
    await seed.message(thread, 51, state="waiting")
    await seed.turn(thread, kind="greeting")
    elsewhere = await seed.turn(room)
    await seed.message(room, 52, turn=elsewhere)
    await conversations.forget(thread.id)
    assert await seed.messages_with_text() == [52]
    assert await seed.turns_with_text() == [elsewhere]
    assert await seed.state_of(51) == ("dropped", "deleted")


async def test_room_thread_and_person_are_apart(conversations: Conversations, seed: Seed) -> None:
    binding = await seed.binding()
    room = await seed.room(binding)
    thread = await seed.thread(binding, 25)
    person = await conversations.get_or_create(binding, Scope.PERSON, 25, NOW)
    assert len({room.id, thread.id, person.id}) == 3
    assert await conversations.find(binding.id, Scope.THREAD, 25) == thread
    assert await conversations.find(binding.id, Scope.ROOM, 25) is None
    assert await conversations.of_binding(binding.id) == [room, thread, person]
    assert await conversations.in_place(ChannelId(25)) == [thread]
    assert await conversations.in_place(CHANNEL) == [room]


async def test_an_ended_binding_holds_no_conversation_in_any_place(
    conversations: Conversations, seed: Seed, database: Database
) -> None:
    binding = await seed.binding()
    room = await seed.room(binding)
    await Bindings(database).end(binding.id, NOW)
    assert await conversations.in_place(CHANNEL) == []
    assert await conversations.get(room.id) == room


async def test_nothing_is_found_where_nothing_began(conversations: Conversations) -> None:
    assert await conversations.get(ConversationId(9)) is None
    assert await conversations.find(BindingId(9), Scope.ROOM, 9) is None
    assert await conversations.reset(ConversationId(9), MessageId(9)) is None


async def test_a_reset_forgets_what_was_said_up_to_it_and_nothing_later(
    conversations: Conversations, seed: Seed
) -> None:
    binding = await seed.binding()
    room, thread = await seed.room(binding), await seed.thread(binding, 25)
    before, across, after = await seed.turn(room), await seed.turn(room), await seed.turn(room)
    elsewhere = await seed.turn(thread)
    await seed.message(room, 50, turn=before)
    await seed.message(room, 59, turn=across)
    await seed.message(room, 61, turn=across)
    await seed.message(room, 62, turn=after)
    await seed.message(thread, 51, turn=elsewhere)
    reset = await conversations.reset(room.id, MessageId(60))
    assert reset is not None
    assert (reset.id, reset.starts_after) == (room.id, 60)
    assert await seed.messages_with_text() == [51, 61, 62]
    assert await seed.turns_with_text() == [across, after, elsewhere]


async def test_a_reset_keeps_the_greeting(conversations: Conversations, seed: Seed) -> None:
    room = await seed.room(await seed.binding())
    greeting, orphan = await seed.turn(room, kind="greeting"), await seed.turn(room)
    await conversations.reset(room.id, MessageId(60))
    assert await seed.turns_with_text() == [greeting]
    assert orphan != greeting


async def test_a_reset_drops_what_waits_before_it(conversations: Conversations, seed: Seed) -> None:
    room = await seed.room(await seed.binding())
    old, new = await seed.turn(room, state="waiting"), await seed.turn(room, state="waiting")
    await seed.message(room, 50, state="waiting")
    await seed.message(room, 51, state="failed", turn=old)
    await seed.message(room, 61, state="waiting")
    await seed.message(room, 62, state="failed", turn=new)
    await conversations.reset(room.id, MessageId(60))
    assert [await seed.state_of(number) for number in (50, 51, 61, 62)] == [
        ("dropped", "reset"),
        ("failed", None),
        ("waiting", None),
        ("failed", None),
    ]
    assert (await seed.turn_state(old), await seed.turn_state(new)) == (("failed", "reset"), ("waiting", None))


async def test_the_horizon_never_moves_back(conversations: Conversations, seed: Seed) -> None:
    room = await seed.room(await seed.binding())
    await conversations.reset(room.id, MessageId(60))
    await seed.message(room, 61, author=ALICE)
    reset = await conversations.reset(room.id, MessageId(40))
    assert reset is not None
    assert reset.starts_after == 60
    assert await seed.messages_with_text() == [61]
