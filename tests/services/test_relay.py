import asyncio
from dataclasses import replace

import pytest

from bot.domain.bindings import PauseCause, Trigger
from bot.domain.failures import Failure, FailureCause, cut_mark, failure_sentence, refusal_sentence
from bot.domain.ids import ChannelId, CharacterId, GuildId, MessageId, TurnId, UserId
from bot.domain.messages import Author, BotPolicy, IncomingMessage
from bot.domain.places import Place
from bot.domain.turns import AdmissionLimits, PostState, Refusal, TurnState
from bot.errors import UserError
from bot.services.binding_book import LOOK_AGAIN_AFTER_SECONDS
from bot.services.bindings import Asker, BindingChange
from bot.services.outlet import Busy, Forbidden, Gone, Lost, OutletError
from bot.services.relay import IN_USE_SECONDS, MS_PER_DAY
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.recording_outlet import Act, Gate, fails
from tests.support.relay_world import (
    ALICE,
    BOB,
    FRIENDLY_BOT,
    GUILD,
    OTHER_ROOM,
    ROOM,
    THREAD,
    RelayWorld,
    Rules,
    character,
)
from tests.support.scripted_upstream import refuses, says, streams

STAFF = UserId(999)
BARD = CharacterId("bard")
DRAIN_SECONDS = 25.0


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> RelayWorld:
    return await opened(database, vault, clock)


async def opened(database: Database, vault: Vault, clock: ManualClock, rules: Rules | None = None) -> RelayWorld:
    world = RelayWorld(database, vault, clock, rules)
    await world.open()
    await world.bind()
    return world


async def hear(world: RelayWorld, message: IncomingMessage) -> None:
    """Let the bot hear a message, and wait until all is done."""
    world.relay.accept(message)
    await world.idle()


async def claimed(world: RelayWorld, count: int) -> None:
    """Wait until so many messages were let in."""
    async with asyncio.timeout(10):
        while len(await world.claims()) < count:
            pass


async def held_reply(world: RelayWorld, text: str = "First.") -> Gate:
    """Let Alice ask something whose reply does not come before its gate is opened."""
    gate = Gate()
    world.upstream.script(says(gate, text))
    world.say("One")
    await gate.entered.wait()
    return gate


async def drained(world: RelayWorld, *, patience_ends: int) -> None:
    """Stop, and let the time that replies under way are given run out once or twice."""
    draining = asyncio.create_task(world.relay.drain(DRAIN_SECONDS))
    for _ in range(patience_ends):
        await world.clock.pass_for(DRAIN_SECONDS)
    await draining


# Which messages are heard.


async def test_a_message_is_answered(world: RelayWorld) -> None:
    await world.ask("Hello?")
    assert world.texts() == ["Hello."]
    assert await world.claims() == [("answered", None)]


async def test_a_channel_without_a_character_is_passed_over_at_once(world: RelayWorld) -> None:
    world.say(at=OTHER_ROOM)
    assert not any(task.get_name().startswith("inbox") for task in asyncio.all_tasks())
    await world.idle()
    assert world.outlet.calls == []


@pytest.mark.parametrize(
    "change",
    [
        {"author": Author.SELF},
        {"author": Author.BOT, "author_id": UserId(777)},
        {"author": Author.WEBHOOK, "author_id": UserId(778)},
        {"ordinary": False},
        {"text": "  "},
        {"id": MessageId(1)},
    ],
    ids=["own", "bot", "webhook", "system", "empty", "old"],
)
async def test_what_is_no_persons_word_to_the_character_is_not_answered(
    world: RelayWorld, change: dict[str, object]
) -> None:
    await hear(world, replace(world.message(), **change))  # pyright: ignore[reportArgumentType] - one field each.
    assert world.outlet.calls == []
    assert await world.claims() == []


async def test_a_member_who_wants_to_be_ignored_is(world: RelayWorld) -> None:
    world.ignored.ignore(ALICE)
    await world.ask()
    assert await world.claims() == []


async def test_files_are_named_to_a_character_that_cannot_see_them(world: RelayWorld) -> None:
    await hear(world, replace(world.message(""), attachments=("cat.png",)))
    assert world.upstream.said() == [("user", "[Alice] (sends a file: cat.png)")]


async def test_where_only_mentions_are_answered_nothing_else_is_kept(world: RelayWorld) -> None:
    await world.bind(OTHER_ROOM, trigger=Trigger.MENTION)
    await world.ask("Between ourselves", at=OTHER_ROOM)
    await hear(world, replace(world.message("And you?", at=OTHER_ROOM), addressed=True))
    assert world.upstream.said() == [("user", "[Alice] And you?")]
    assert len(await world.claims()) == 1


# Threads.


async def test_a_thread_is_a_conversation_of_its_own(world: RelayWorld) -> None:
    await world.ask("In the room")
    await world.ask("In the thread", at=THREAD)
    assert world.texts(THREAD) == ["Hello."]
    assert world.upstream.said() == [("user", "[Alice] In the thread")]


async def test_a_thread_that_is_not_in_the_cache_is_looked_up_once(world: RelayWorld) -> None:
    for _ in range(2):
        await hear(world, replace(world.message(at=THREAD), parent_id=None, in_thread=None))
    assert len(world.texts(THREAD)) == 2
    assert world.town.asked_for_parents == [THREAD]


async def test_a_place_that_turns_out_to_be_no_thread_is_passed_over(world: RelayWorld) -> None:
    for _ in range(2):
        await hear(world, replace(world.message(at=OTHER_ROOM), in_thread=None))
    assert world.outlet.calls == []
    assert world.town.asked_for_parents == [OTHER_ROOM]


async def test_a_bound_channel_is_never_looked_up(world: RelayWorld) -> None:
    await hear(world, replace(world.message(), in_thread=None))
    assert world.texts() == ["Hello."]
    assert world.town.asked_for_parents == []


@pytest.mark.parametrize("error", [Gone(Lost.PLACE), Forbidden()])
async def test_a_thread_that_cannot_be_looked_up_does_not_hold_anything_up(
    world: RelayWorld, error: OutletError
) -> None:
    world.town.parent_error = error
    await hear(world, replace(world.message(at=THREAD), parent_id=None, in_thread=None))
    assert world.outlet.calls == []
    world.town.parent_error = None
    await hear(world, replace(world.message(at=THREAD), parent_id=None, in_thread=None))
    assert world.texts(THREAD) == ["Hello."]


async def test_a_look_up_is_tried_again_while_discord_is_busy(world: RelayWorld) -> None:
    world.town.parent_error = Busy(1.0)
    world.relay.accept(replace(world.message(at=THREAD), parent_id=None, in_thread=None))
    wait = await world.clock.sleeping()
    world.town.parent_error = None
    world.clock.advance(wait)
    await world.idle()
    assert world.texts(THREAD) == ["Hello."]


# The queue.


async def test_messages_that_come_while_a_reply_is_written_make_one_next_turn(world: RelayWorld) -> None:
    gate = await held_reply(world)
    world.say("Two", by=BOB)
    world.say("Three")
    await claimed(world, 3)
    gate.open()
    await world.idle()
    assert world.texts() == ["First.", "Hello."]
    assert world.upstream.said()[-2:] == [("user", "[Bob] Two"), ("user", "[Alice] Three")]
    assert [len(turn.messages) for turn in await world.all_turns()] == [1, 2]


async def test_messages_that_come_together_are_one_turn_in_their_order(world: RelayWorld) -> None:
    for text in ("One", "Two", "Three"):
        world.say(text)
    await world.idle()
    assert world.upstream.said() == [("user", f"[Alice] {text}") for text in ("One", "Two", "Three")]
    assert len(world.texts()) == 1


async def test_a_replayed_message_is_answered_once(world: RelayWorld) -> None:
    message = await world.ask()
    await hear(world, message)
    world.relay.accept(message)
    await hear(world, message)
    assert world.texts() == ["Hello."]
    assert len(await world.claims()) == 1


async def test_two_channels_do_not_wait_for_each_other(world: RelayWorld) -> None:
    await world.bind(OTHER_ROOM)
    gate = await held_reply(world)
    world.say("Quick", at=OTHER_ROOM)
    await world.outlet.until(lambda: world.texts(OTHER_ROOM))
    assert world.texts(ROOM) == []
    gate.open()
    await world.idle()


async def test_a_full_queue_is_told_once(database: Database, vault: Vault, clock: ManualClock) -> None:
    world = await opened(database, vault, clock, Rules(AdmissionLimits(2, 0, 0)))
    gate = await held_reply(world)
    for number in range(5):
        world.say(f"More {number}")
    await claimed(world, 6)
    world.say("One more")
    await claimed(world, 7)
    gate.open()
    await world.idle()
    notices = [text for text in world.texts() if text == refusal_sentence(Refusal.QUEUE_FULL, day_ends_at_s=0)]
    assert len(notices) == 1
    assert len([text for text in world.texts() if text not in notices]) == 2
    assert [cause for _, cause in await world.claims()].count("queue_full") == 4


async def test_a_member_who_has_used_up_the_day_waits_for_the_next(
    database: Database, vault: Vault, clock: ManualClock
) -> None:
    world = await opened(database, vault, clock, Rules(AdmissionLimits(20, 2, 0)))
    for _ in range(4):
        await world.ask(by=ALICE)
    await world.ask(by=BOB)
    day_ends = (world.clock.now_ms() // MS_PER_DAY + 1) * MS_PER_DAY
    assert world.texts().count("Hello.") == 3
    assert world.texts().count(refusal_sentence(Refusal.MEMBER_CAP, day_ends_at_s=day_ends // 1_000)) == 1
    world.clock.advance((day_ends - world.clock.now_ms()) / 1_000)
    await world.ask(by=ALICE)
    assert world.texts().count("Hello.") == 4


async def test_a_server_that_has_used_up_the_day_waits_for_the_next(
    database: Database, vault: Vault, clock: ManualClock
) -> None:
    world = await opened(database, vault, clock, Rules(AdmissionLimits(20, 0, 1)))
    await world.ask(by=ALICE)
    await world.ask(by=BOB)
    assert world.texts().count("Hello.") == 1
    assert len(world.texts()) == 2
    assert [cause for _, cause in await world.claims()] == [None, "guild_cap"]


async def test_what_was_said_before_a_reset_is_not_answered_after_it(world: RelayWorld) -> None:
    early = world.message("Before")
    binding = world.index.get(ROOM)
    assert binding is not None
    conversation = await world.conversation(binding, THREAD)
    await world.conversations.reset(conversation.id, world.outlet.next_id())
    await hear(world, replace(early, channel_id=THREAD, parent_id=ROOM, in_thread=True))
    assert world.outlet.calls == []
    assert await world.all_turns() == []


async def test_what_waits_when_the_character_leaves_is_dropped(world: RelayWorld) -> None:
    gate = await held_reply(world)
    world.say("Two")
    await claimed(world, 2)
    binding = world.index.get(ROOM)
    assert binding is not None
    world.index.drop(ROOM)
    gate.open()
    await world.idle()
    assert await world.claims() == [("answered", None), ("dropped", "unbound")]


async def test_what_waits_when_another_character_comes_is_not_its_business(world: RelayWorld) -> None:
    gate = await held_reply(world)
    world.say("Two")
    await claimed(world, 2)
    await world.bind(character_id=BARD)
    gate.open()
    await world.idle()
    assert len(world.upstream.asked) == 1
    assert (await world.claims())[1][0] == "dropped"
    await world.ask("Bard?")
    assert world.upstream.asked[-1]["character_id"] == BARD


async def test_what_waits_when_the_character_is_paused_is_dropped(world: RelayWorld) -> None:
    gate = await held_reply(world)
    world.say("Two")
    await claimed(world, 2)
    binding = world.index.get(ROOM)
    assert binding is not None
    await world.upkeep.pause(binding, PauseCause.UNVERIFIED)
    gate.open()
    await world.idle()
    assert await world.claims() == [("answered", None), ("dropped", "paused")]


async def test_a_message_wakes_a_paused_character_that_may_speak_again(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    await world.upkeep.pause(binding, PauseCause.UNVERIFIED)
    world.say("Are you there?")
    world.say("Hello?")
    await world.idle()
    assert world.texts()[-1] == "Hello."
    assert world.upstream.said() == [("user", "[Alice] Are you there?"), ("user", "[Alice] Hello?")]


async def test_a_paused_character_that_may_not_speak_is_not_asked_about_at_every_message(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    world.town.restricted.pop(ROOM)
    await world.upkeep.pause(binding, PauseCause.UNVERIFIED)
    await world.ask()
    world.town.restricted[ROOM] = False
    await world.ask()
    assert world.upstream.asked == []
    world.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await world.ask()
    assert len(world.upstream.asked) == 1


async def test_characters_that_spoke_lately_are_in_use(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    assert world.relay.characters_in_use() == []
    await world.ask()
    assert world.relay.characters_in_use() == [binding.character_ref]
    world.clock.advance(IN_USE_SECONDS + 1)
    assert world.relay.characters_in_use() == []


# Other bots.


async def test_an_allowed_bot_is_answered_a_few_times_until_a_member_speaks(world: RelayWorld) -> None:
    for _ in range(5):
        await world.ask(by=FRIENDLY_BOT)
    assert len(world.texts()) == 3
    await world.ask(by=ALICE)
    assert len(world.texts()) == 4
    await world.ask(by=FRIENDLY_BOT)
    assert len(world.texts()) == 5


async def test_in_a_thread_bots_are_counted_apart(world: RelayWorld) -> None:
    for _ in range(5):
        await world.ask(by=FRIENDLY_BOT)
    await world.ask(by=FRIENDLY_BOT, at=THREAD)
    assert len(world.texts(THREAD)) == 1


async def test_without_leave_no_bot_is_answered(database: Database, vault: Vault, clock: ManualClock) -> None:
    world = await opened(database, vault, clock, Rules(bots=BotPolicy()))
    await world.ask(by=FRIENDLY_BOT)
    assert world.outlet.calls == []


# Edits and deletions.


async def test_a_message_that_is_edited_while_it_waits_is_answered_as_it_stands(world: RelayWorld) -> None:
    gate = await held_reply(world)
    message = world.say("Tow")
    await claimed(world, 2)
    world.relay.edited(replace(message, text="Two"))
    await world.relay.inbox.idle()
    gate.open()
    await world.idle()
    assert world.upstream.said()[-1] == ("user", "[Alice] Two")


async def test_an_edit_changes_what_the_character_remembers(world: RelayWorld) -> None:
    message = await world.ask("Tow")
    world.relay.edited(replace(message, text="Two"))
    await world.ask("And?")
    assert world.upstream.said()[0] == ("user", "[Alice] Two")
    assert len(world.texts()) == 2


@pytest.mark.parametrize("text", ["", "  "])
async def test_an_edit_that_shows_no_text_changes_nothing(world: RelayWorld, text: str) -> None:
    message = await world.ask("One")
    world.relay.edited(replace(message, text=text))
    await world.ask("Two")
    assert world.upstream.said()[0] == ("user", "[Alice] One")


async def test_an_edit_of_a_member_who_is_ignored_is_not_kept(world: RelayWorld) -> None:
    message = await world.ask("One")
    world.ignored.ignore(ALICE)
    world.relay.edited(replace(message, text="Two"))
    await world.idle()
    (turn,) = await world.all_turns()
    assert turn.messages[0].text == "One"


async def test_edits_and_deletions_elsewhere_are_passed_over(world: RelayWorld) -> None:
    message = world.message(at=OTHER_ROOM)
    world.relay.edited(message)
    world.relay.deleted(GUILD, OTHER_ROOM, None, [message.id], in_thread=False)
    assert not any(task.get_name().startswith("inbox") for task in asyncio.all_tasks())


async def test_a_message_that_is_deleted_while_it_waits_is_not_answered(world: RelayWorld) -> None:
    gate = await held_reply(world)
    message = world.say("Two")
    await claimed(world, 2)
    world.relay.deleted(GUILD, ROOM, None, [message.id])
    await world.relay.inbox.idle()
    gate.open()
    await world.idle()
    assert world.texts() == ["First."]
    assert await world.claims() == [("answered", None), ("dropped", "deleted")]


async def test_a_message_that_is_deleted_right_behind_itself_is_not_answered(world: RelayWorld) -> None:
    gate = await held_reply(world)
    message = world.say("Two")
    world.relay.deleted(GUILD, ROOM, None, [message.id])
    world.say("Three")
    await claimed(world, 3)
    gate.open()
    await world.idle()
    assert world.upstream.said()[-1] == ("user", "[Alice] Three")
    assert ("user", "[Alice] Two") not in world.upstream.said()


async def test_a_deleted_thread_is_forgotten_with_what_was_heard_last(world: RelayWorld) -> None:
    await world.ask("A secret", at=THREAD)
    await world.ask("Keep this")
    gate = Gate()
    world.upstream.script(says(gate, "So it is."))
    world.say("Another secret", at=THREAD)
    await gate.entered.wait()
    world.say("And one more", at=THREAD)
    world.relay.thread_deleted(GUILD, THREAD, ROOM)
    world.relay.accept(world.message("Out of nowhere", at=THREAD))
    await world.idle_in_time()
    rows = await world.database.read("SELECT channel_id FROM claim WHERE body IS NOT NULL")
    assert [row["channel_id"] for row in rows] == [ROOM]
    assert "Another secret" in str(world.upstream.asked[-1])
    world.relay.thread_deleted(GUILD, THREAD, OTHER_ROOM)
    assert not any(task.get_name().startswith("inbox") for task in asyncio.all_tasks())


async def test_what_was_deleted_is_not_remembered(world: RelayWorld) -> None:
    message = await world.ask("A secret")
    world.relay.deleted(GUILD, ROOM, None, [message.id, MessageId(1)])
    await world.ask("What did I say?")
    assert "A secret" not in str(world.upstream.asked[-1])


async def test_a_reply_that_people_delete_is_not_remembered(world: RelayWorld) -> None:
    world.upstream.script(says("Something rash."))
    await world.ask()
    world.outlet.remove(world.shown()[0].id)
    await world.ask("What did you say?")
    assert "rash" not in str(world.upstream.asked[-1])
    (turn, _) = await world.all_turns()
    assert [post.state for post in await world.posts.of_turn(turn.id)] == [PostState.DELETED]


async def test_a_reply_that_sheds_a_post_of_its_own_is_remembered(world: RelayWorld) -> None:
    long = "A sentence of some length. " * 100
    world.upstream.script(streams(long), says("Short."))
    await world.ask("One")
    assert len(world.shown()) == 2
    (turn,) = await world.all_turns()
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await world.idle_in_time()
    assert world.texts() == ["Short."]
    await world.ask("Two")
    assert ("assistant", "Short.") in world.upstream.said()


# The beginning: the notice, the greeting, and only then replies.


async def moved_in(world: RelayWorld, *, first_message: str | None = "Good evening.") -> BindingChange:
    """Let a bard come to the room, whom the channel has not been told of yet."""
    world.upstream.characters[BARD] = character(BARD, first_message=first_message)
    asker = Asker(STAFF, "Staff", may_manage=True, asked_at=world.outlet.next_id())
    return await world.binding_service.use(Place(GUILD, ROOM, None, age_restricted=False), asker, BARD)


@pytest.mark.parametrize(
    ("first_message", "said"), [("Good evening.", ["Good evening.", "Hello."]), (None, ["Hello."])]
)
async def test_nothing_is_said_before_the_channel_was_told_of_the_character(
    world: RelayWorld, first_message: str | None, said: list[str]
) -> None:
    change = await moved_in(world, first_message=first_message)
    world.say("Who are you?")
    world.say("And here?", at=THREAD)
    await claimed(world, 2)
    assert await world.claims() == [("waiting", None)] * 2
    assert world.outlet.calls == []
    await world.binding_service.greet(change)
    await world.idle()
    assert world.texts() == said
    assert world.texts(THREAD) == ["Hello."]


async def test_a_notice_that_came_to_nothing_keeps_nobody_silent(world: RelayWorld) -> None:
    change = await moved_in(world)
    world.say("Who are you?")
    await claimed(world, 1)
    for _ in range(2):
        world.binding_service.release(change)
    await world.idle()
    assert world.texts() == ["Hello."]


async def test_each_of_two_beginnings_waits_for_its_own_notice(world: RelayWorld) -> None:
    change = await moved_in(world)
    asker = Asker(STAFF, "Staff", may_manage=True, asked_at=world.outlet.next_id())
    again = await world.binding_service.reset(Place(GUILD, ROOM, None, age_restricted=False), asker)
    await world.binding_service.greet(change)
    world.say("Who are you?")
    await claimed(world, 1)
    assert world.outlet.calls == []
    await world.binding_service.greet(again)
    await world.idle()
    assert world.texts() == ["Good evening.", "Good evening.", "Hello."]


async def test_what_is_said_while_the_greeting_is_on_its_way_is_answered_after_it(world: RelayWorld) -> None:
    change = await moved_in(world)
    gate = world.outlet.hold(Act.POST, carried_out=False)
    await world.binding_service.greet(change)
    await gate.entered.wait()
    world.say("Who are you?")
    await claimed(world, 1)
    assert await world.claims() == [("waiting", None)]
    gate.open()
    await world.idle()
    assert world.texts() == ["Good evening.", "Hello."]
    assert world.upstream.said() == [("assistant", "Good evening."), ("user", "[Alice] Who are you?")]
    assert await world.states() == [("answered", None)] * 2


async def test_a_greeting_goes_before_what_waits(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    gate = await held_reply(world)
    world.relay.greet(await world.conversation(binding), "Good evening.")
    world.say("Two")
    await claimed(world, 2)
    gate.open()
    await world.idle()
    assert world.texts() == ["First.", "Good evening.", "Hello."]


async def test_a_character_that_has_left_or_is_paused_does_not_greet_any_more(world: RelayWorld) -> None:
    change = await moved_in(world)
    await world.upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    await world.binding_service.greet(change)
    await world.idle()
    world.index.drop(ROOM)
    await world.binding_service.greet(change)
    await world.idle()
    assert "Good evening." not in world.texts()
    assert await world.all_turns() == []


async def test_a_greeting_whose_text_was_dropped_meanwhile_is_not_said(world: RelayWorld) -> None:
    change = await moved_in(world)
    assert change.greeting is not None
    turn = await world.turns.begin_greeting(
        change.greeting.conversation.id, change.binding.payer, "Good evening.", now_ms=world.clock.now_ms()
    )
    await world.turns.erase_reply(turn.id)
    conversation = change.greeting.conversation
    world.relay.take_up(conversation, lambda: world.relay.run(conversation, turn))
    world.binding_service.release(change)
    await world.idle()
    assert world.outlet.calls == []
    assert await world.states() == [("dropped", "deleted")]


async def test_a_greeting_that_goes_wrong_is_not_begun_a_second_time(world: RelayWorld) -> None:
    change = await moved_in(world)
    world.faults.extend([ZeroDivisionError()] * 3)
    async with world.full_disk():
        await world.binding_service.greet(change)
        await world.clock.sleeping()
    await world.idle_in_time()
    assert await world.states() == [("failed", "unexpected")]
    (mark,) = world.shown()
    assert mark.draft.text == failure_sentence(Failure(FailureCause.UNEXPECTED))
    assert mark.draft.controls is None


# Retry.


async def test_anyone_whom_it_answers_may_retry(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), says("Here."))
    world.say("One", by=ALICE)
    world.say("Two", by=BOB)
    await world.idle()
    (turn,) = await world.all_turns()
    await world.relay.retry(turn.id, ROOM, BOB, is_staff=False)
    await world.idle_in_time()
    assert world.texts() == ["Here."]


async def test_staff_may_retry_what_answers_others_and_strangers_may_not(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    await world.ask()
    (turn,) = await world.all_turns()
    with pytest.raises(UserError, match="Only the people this answers"):
        await world.relay.retry(turn.id, ROOM, STAFF, is_staff=False)
    await world.relay.retry(turn.id, ROOM, STAFF, is_staff=True)
    await world.idle_in_time()
    assert world.texts() == ["Hello."]


async def test_two_presses_make_one_retry(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    await world.ask()
    (turn,) = await world.all_turns()
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    with pytest.raises(UserError, match="already on it"):
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await world.idle_in_time()
    assert world.texts() == ["Hello."]


async def test_a_button_that_stood_too_long_leaves_a_good_reply_as_it_is(world: RelayWorld) -> None:
    await world.ask()
    (turn,) = await world.all_turns()
    with pytest.raises(UserError, match="It has been answered"):
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await world.idle()
    assert len(world.upstream.asked) == 1
    assert await world.states() == [("answered", None)]


async def test_a_retry_comes_before_messages_that_wait(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    await world.ask("One")
    (turn,) = await world.all_turns()
    gate = await held_reply(world, "Second.")
    world.say("Three")
    await claimed(world, 3)
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    gate.open()
    await world.idle_in_time()
    assert await world.states() == [("answered", None)] * 3
    assert world.upstream.asked[-2]["input"][-1]["content"] == "[Alice] One"


@pytest.mark.parametrize("place", [THREAD, OTHER_ROOM])
async def test_a_turn_is_not_retried_from_another_place(world: RelayWorld, place: ChannelId) -> None:
    world.upstream.script(refuses(503))
    await world.ask()
    (turn,) = await world.all_turns()
    with pytest.raises(UserError, match="no longer know"):
        await world.relay.retry(turn.id, place, ALICE, is_staff=True)
    with pytest.raises(UserError, match="no longer know"):
        await world.relay.retry(TurnId(turn.id + 1), ROOM, ALICE, is_staff=True)


async def test_a_reply_of_which_people_delete_a_post_while_it_goes_on_is_not_remembered(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(says("I think it is 42. " * 150, gate, "That is all."))
    world.say()
    await world.in_time(world.outlet.until(lambda: len(world.texts()) == 2))
    world.outlet.remove(world.shown()[0].id)
    await world.relay.inbox.idle()
    gate.open()
    await world.idle_in_time()
    assert await world.states() == [("answered", "deleted")]
    await world.ask("What did you say?")
    assert "42" not in str(world.upstream.asked[-1])


async def test_a_retry_of_what_was_deleted_is_refused(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    message = await world.ask()
    (turn,) = await world.all_turns()
    await world.turns.erase([message.id])
    with pytest.raises(UserError, match="is gone"):
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)


async def test_a_greeting_is_not_retried(world: RelayWorld) -> None:
    await world.greet("Good evening.")
    (turn,) = await world.all_turns()
    with pytest.raises(UserError, match="is gone"):
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)


async def test_a_retry_after_the_character_left_is_refused(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    await world.ask()
    (turn,) = await world.all_turns()
    world.index.drop(ROOM)
    with pytest.raises(UserError, match="no longer speaks here"):
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)


async def test_a_retry_of_a_paused_character_is_refused_and_works_once_it_speaks_again(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    await world.ask()
    (turn,) = await world.all_turns()
    binding = world.index.get(ROOM)
    assert binding is not None
    paused = await world.upkeep.pause(binding, PauseCause.UNVERIFIED)
    assert paused is not None
    with pytest.raises(UserError, match="is paused"):
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)
    await world.upkeep.resume(paused)
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)
    await world.idle_in_time()
    assert "Hello." in world.texts()


async def test_a_retry_that_the_gate_stops_can_be_made_again(world: RelayWorld) -> None:
    world.upstream.script(refuses(503))
    await world.ask()
    (turn,) = await world.all_turns()
    binding = world.index.get(ROOM)
    assert binding is not None
    await world.catalog.withdrawn(binding.character_ref)
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)
    await world.idle_in_time()
    assert await world.states() == [("dropped", "paused")]
    world.clock.advance(11 * 60)
    await world.ask("Are you back?")
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=True)
    await world.idle_in_time()
    assert (await world.states())[0] == ("answered", None)


# When something goes wrong in the queue itself.


async def test_a_conversation_that_stumbles_goes_on(world: RelayWorld, caplog: pytest.LogCaptureFixture) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    conversation = await world.conversation(binding)
    tries = 0

    async def stumble() -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise ZeroDivisionError

    world.relay.take_up(conversation, stumble)
    world.say()
    waits: list[float] = []
    for _ in range(3):
        waits.append(await world.clock.sleeping())
        world.clock.advance(waits[-1])
        await asyncio.sleep(0)
    await world.idle()
    assert waits == [1.0, 2.0, 4.0]
    assert tries == 4
    assert world.texts() == ["Hello."]
    assert "stumbled" in caplog.text


async def test_a_turn_of_a_character_that_has_left_is_dropped(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    conversation = await world.conversation(binding)
    world.upstream.script(refuses(402, "Insufficient balance"))
    await world.ask()
    (turn,) = await world.all_turns()
    await world.turns.ask_again(turn.id)
    begun = await world.turns.begin(conversation.id, binding.payer, now_ms=world.clock.now_ms())
    assert begun is not None
    world.index.drop(ROOM)
    world.relay.take_up(conversation, lambda: world.relay.run(conversation, begun))
    await world.idle()
    assert await world.states() == [("dropped", "unbound")]


async def test_a_turn_that_could_not_be_ended_before_the_character_left_is_dropped(world: RelayWorld) -> None:
    async with world.full_disk():
        world.say()
        await world.outlet.until(lambda: "Hello." in world.texts())
        await world.clock.sleeping()
        world.index.drop(ROOM)
    await world.idle_in_time()
    assert await world.states() == [("failed", "unbound")]


# Starting and stopping.


async def test_what_waited_is_taken_up_in_the_servers_that_are_there(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    conversation = await world.conversation(binding)
    message = world.message()
    await world.kill()
    fresh = await world.restarted()
    fresh.relay.inbox.release(GUILD)
    gate = Gate()
    fresh.upstream.script(says(gate, "First."), says("Second."))
    fresh.relay.accept(message)
    await gate.entered.wait()
    fresh.say("Two")
    await claimed(fresh, 2)
    later = await fresh.restarted()
    await later.turns.finish((await later.all_turns())[0].id, TurnState.FAILED, cause="cut", now_ms=0)
    await later.relay.resume_waiting({GuildId(1)})
    await later.idle()
    assert later.texts() == []
    await later.relay.resume_waiting({GUILD})
    await later.idle()
    assert later.texts() == ["Second."]
    assert conversation.guild_id == GUILD


async def test_a_stop_waits_for_the_reply_under_way_and_begins_no_other(world: RelayWorld) -> None:
    gate = await held_reply(world)
    world.say("Two")
    await claimed(world, 2)
    draining = asyncio.create_task(world.relay.drain(10))
    await asyncio.sleep(0)
    world.say("Three")
    gate.open()
    await draining
    assert world.texts() == ["First."]
    assert await world.claims() == [("answered", None), ("waiting", None)]


async def test_a_stop_cuts_a_reply_that_takes_too_long(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams("Once there was a king. He", gate))
    world.say()
    await world.outlet.until(world.texts)
    await drained(world, patience_ends=1)
    assert world.texts() == [f"Once there was a king. He\n{cut_mark(Failure(FailureCause.RESTARTED))}"]
    assert await world.states() == [("failed", "restarted")]


async def test_a_stop_marks_a_reply_that_has_not_begun(world: RelayWorld) -> None:
    await held_reply(world)
    await drained(world, patience_ends=1)
    assert world.texts() == [failure_sentence(Failure(FailureCause.RESTARTED))]


async def test_a_stop_does_not_wait_for_a_discord_that_does_not_answer(world: RelayWorld) -> None:
    world.outlet.script(Act.POST, *[fails(Busy(1e6))] * 3)
    world.say()
    await world.outlet.until(lambda: world.outlet.of(Act.POST))
    await drained(world, patience_ends=2)
    assert [state for state, _ in await world.states()] == ["running"]


async def test_an_end_without_a_stop_leaves_nothing_running(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams("Once there was a king. He", gate))
    world.say()
    await world.outlet.until(world.texts)
    world.say("Elsewhere", at=THREAD)
    crash = world.outlet.hold(Act.POST, carried_out=False)
    await crash.entered.wait()
    await world.poster.aclose()
    await world.relay.aclose()
    await asyncio.sleep(0)
    owned = ("worker of", "inbox of", "reader of", "painter of", "lane", "typing")
    assert [name for task in asyncio.all_tasks() if (name := task.get_name()).startswith(owned)] == []
    world.say("Late")
    await world.idle()
    assert [state for state, _ in await world.states()] == ["running", "running"]
    assert world.texts(THREAD) == []


async def test_a_stop_leaves_a_reader_nothing_to_read_for(world: RelayWorld) -> None:
    await held_reply(world)
    (worker,) = [task for task in asyncio.all_tasks() if task.get_name().startswith("worker of")]
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await asyncio.sleep(0)
    assert not any(task.get_name().startswith("reader of") for task in asyncio.all_tasks())


async def test_a_stop_with_nothing_to_do_is_quick(world: RelayWorld) -> None:
    await world.relay.drain(10)
    world.say()
    await world.idle()
    assert world.outlet.calls == []


# Leaving and beginning anew, while a reply is under way.


async def test_a_reset_stops_the_reply_and_forgets(world: RelayWorld) -> None:
    await world.ask("Remember this")
    gate = Gate()
    world.upstream.script(streams("Once there was a king. He", gate))
    world.say("Tell me")
    await world.outlet.until(lambda: len(world.texts()) == 2)
    asker = Asker(STAFF, "Staff", may_manage=True, asked_at=world.outlet.next_id())
    change = await world.binding_service.reset(Place(GUILD, ROOM, None, age_restricted=False), asker)
    await world.binding_service.greet(change)
    await world.idle()
    await world.ask("What do you remember?")
    assert world.upstream.said() == [("user", "[Alice] What do you remember?")]
    assert world.texts()[1].endswith(cut_mark(Failure(FailureCause.STOPPED)))
