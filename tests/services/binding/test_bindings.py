import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import notices
from bot.domain.bindings import Binding, BindingState, PauseCause, Scope, Trigger
from bot.domain.ids import GuildId, MessageId, TurnId, UserId
from bot.domain.payers import OPERATOR
from bot.domain.places import Place
from bot.domain.rights import Right
from bot.domain.turns import AdmissionLimits, Admitted, Arrival
from bot.errors import UserError
from bot.services.binding_index import BindingIndex
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import Asker, BindingService
from bot.services.outlet import Forbidden, OutletError
from bot.store.bindings import Bindings
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.errors import DatabaseLocked
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.support.binding_world import (
    GUILD,
    HOUR,
    RESTRICTED,
    ROOM,
    STAFF,
    THREAD,
    Rig,
    Town,
    Voices,
    asker,
    snowflake,
)
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import START_MS, ManualClock

# Bringing a character to a channel.


async def test_a_character_moves_in_and_the_index_and_the_store_agree(
    service: BindingService, index: BindingIndex, database: Database
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    assert change.binding.channel_id == ROOM.channel_id
    assert change.binding.trigger is Trigger.EVERY
    assert change.binding.payer == OPERATOR
    assert change.binding.bound_by == STAFF
    assert change.binding.active_from == asker().asked_at
    assert index.get(ROOM.channel_id) == change.binding
    assert await Bindings(database).live() == [change.binding]


async def test_the_channel_is_told_before_the_character_greets(service: BindingService, voices: Voices) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    assert change.notice is not None
    assert "AI service" in change.notice
    assert voices.greeted == []
    await service.greet(change)
    [(binding, conversation, name, text)] = voices.greeted
    assert binding == change.binding
    assert (conversation.scope, conversation.scope_id) == (Scope.ROOM, ROOM.channel_id)
    assert name == "Helpful Guide"
    assert text == "Hello Alice, I am Helpful Guide."


async def test_a_character_without_a_first_message_says_nothing(service: BindingService, voices: Voices) -> None:
    change = await service.use(ROOM, asker(), "quiet-one")
    assert change.notice is not None
    await service.greet(change)
    assert voices.greeted == []


async def test_a_character_is_held_back_until_it_may_greet(service: BindingService, voices: Voices) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    assert voices.held == [used.binding]
    await service.greet(used)
    assert voices.held == []
    again = await service.use(ROOM, asker(1), "helpful-guide", Trigger.MENTION)
    assert again.release is None
    service.release(again)
    reset = await service.reset(ROOM, asker(2))
    assert voices.held == [reset.binding]
    service.release(reset)
    assert voices.held == []
    assert len(voices.greeted) == 1


async def test_a_channel_that_a_stop_kept_from_being_told_is_told_at_the_next_start(
    rig: Rig, service: BindingService
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    after_the_stop = replace(rig, index=BindingIndex())
    await after_the_stop.upkeep.load()
    fresh = after_the_stop.service()
    await fresh.tell_untold([GuildId(1)])
    assert rig.outlet.texts == []
    rig.outlet.failures.append(Forbidden())
    await fresh.tell_untold([GUILD])
    await fresh.tell_untold([GUILD])
    assert rig.outlet.texts == [change.notice]
    await fresh.tell_untold([GUILD])
    assert rig.outlet.texts == [change.notice]


async def test_a_channel_that_was_told_or_is_about_to_be_is_not_told_again(rig: Rig, service: BindingService) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await service.tell_untold([GUILD])
    await service.greet(change)
    await service.tell_untold([GUILD])
    await rig.service().tell_untold([GUILD])
    assert rig.outlet.texts == []


async def test_a_channel_that_could_not_be_told_is_told_when_the_bot_is_back(rig: Rig, service: BindingService) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    service.release(change)
    await service.tell_untold([GUILD])
    assert rig.outlet.texts == [change.notice]


async def test_a_database_that_does_not_tell_who_is_to_be_told_holds_nothing_up(
    service: BindingService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Bindings) -> list[Binding]:
        raise DatabaseLocked(Path("bot.db"))

    monkeypatch.setattr(Bindings, "untold", fail)
    await service.tell_untold([GUILD])
    assert "is not known" in caplog.text


async def test_a_change_that_goes_wrong_holds_nobody_back(service: BindingService, voices: Voices) -> None:
    await service.greet(await service.use(ROOM, asker(), "quiet-one"))
    voices.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await service.use(ROOM, asker(1), "helpful-guide")
    with pytest.raises(ZeroDivisionError):
        await service.reset(ROOM, asker(2))
    assert voices.held == []


async def test_the_policy_is_linked_where_there_is_one(rig: Rig) -> None:
    service = rig.service(policy_url="https://bot.example/privacy")
    change = await service.use(ROOM, asker(), "helpful-guide")
    assert "<https://bot.example/privacy>" in (change.notice or "")


async def test_another_character_takes_the_place_of_the_first(
    service: BindingService, index: BindingIndex, database: Database, voices: Voices
) -> None:
    first = await service.use(ROOM, asker(), "quiet-one")
    second = await service.use(ROOM, asker(1), "helpful-guide")
    assert "**Quiet One**" in (second.notice or "")
    assert index.get(ROOM.channel_id) == second.binding
    ended = await Bindings(database).get(first.binding.id)
    assert ended is not None
    assert ended.state is BindingState.ENDED
    assert [conversation.binding_id for conversation in voices.stopped] == [first.binding.id]


async def test_the_same_character_again_changes_nothing(service: BindingService, voices: Voices) -> None:
    first = await service.use(ROOM, asker(), "helpful-guide", Trigger.MENTION)
    again = await service.use(ROOM, asker(1), "helpful-guide")
    assert again.binding == first.binding
    assert again.notice is None
    assert again.answer == notices.already_here("Helpful Guide", notices.Speech(Trigger.MENTION, message_content=True))
    await service.greet(again)
    assert voices.greeted == []
    assert voices.stopped == []


async def test_the_same_character_with_another_trigger_keeps_its_conversation(
    service: BindingService, index: BindingIndex, voices: Voices
) -> None:
    first = await service.use(ROOM, asker(), "helpful-guide", Trigger.MENTION)
    again = await service.use(ROOM, asker(1), "helpful-guide", Trigger.EVERY)
    assert again.binding.id == first.binding.id
    assert again.binding.trigger is Trigger.EVERY
    assert again.binding.active_from == snowflake(1)
    assert index.get(ROOM.channel_id) == again.binding
    assert "answers every message" in (again.notice or "")
    assert again.greeting is None
    assert voices.stopped == []


async def test_using_a_paused_character_again_wakes_it(
    upkeep: BindingUpkeep, service: BindingService, index: BindingIndex
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await upkeep.pause(change.binding, PauseCause.UNVERIFIED)
    again = await service.use(ROOM, asker(1), "helpful-guide")
    assert again.binding.state is BindingState.ACTIVE
    assert again.binding.active_from == snowflake(1)
    assert "is back" in (again.notice or "")
    assert index.get(ROOM.channel_id) == again.binding


async def test_an_age_restricted_channel_may_have_more(service: BindingService) -> None:
    change = await service.use(RESTRICTED, asker(), "night-bard")
    assert "**Night Bard**" in (change.notice or "")


async def test_two_at_once_leave_one_character(
    service: BindingService, index: BindingIndex, database: Database
) -> None:
    await asyncio.gather(service.use(ROOM, asker(), "helpful-guide"), service.use(ROOM, asker(1), "quiet-one"))
    [live] = await Bindings(database).live()
    assert index.get(ROOM.channel_id) == live


# What is refused.


async def use_refusal(
    service: BindingService,
    address: str = "helpful-guide",
    trigger: Trigger | None = None,
    *,
    place: Place | None = ROOM,
    who: Asker | None = None,
    missing: frozenset[Right] = frozenset(),
) -> str:
    with pytest.raises(UserError) as caught:
        await service.use(place, who or asker(), address, trigger, missing=missing)
    return caught.value.sentence


async def test_each_refusal_has_its_own_sentence_and_binds_nothing(
    rig: Rig, upstream: FakeCatalogue, index: BindingIndex
) -> None:
    upstream.add("pending-one", moderation_status="pending")
    upstream.add("closed-one", allow_api=False)
    service = rig.service()
    sentences = [
        await use_refusal(service, place=None),
        await use_refusal(service, place=THREAD),
        await use_refusal(service, who=asker(may_manage=False)),
        await use_refusal(service, missing=frozenset({Right.SEND_MESSAGES})),
        await use_refusal(service, "nobody-knows"),
        await use_refusal(service, "pending-one"),
        await use_refusal(service, "closed-one"),
        await use_refusal(service, "night-bard"),
        await use_refusal(rig.service(message_content=False), trigger=Trigger.EVERY),
    ]
    assert len(set(sentences)) == len(sentences)
    assert len(index) == 0


async def test_a_refusal_above_the_ceiling_does_not_name_the_character(service: BindingService) -> None:
    assert "Night Bard" not in await use_refusal(service, "night-bard")


async def test_missing_rights_are_named(service: BindingService) -> None:
    missing = frozenset({Right.READ_MESSAGE_HISTORY, Right.MANAGE_WEBHOOKS})
    sentence = await use_refusal(service, missing=missing)
    assert "Read Message History" in sentence
    assert "Manage Webhooks" not in sentence


async def test_nothing_is_asked_of_the_catalogue_for_someone_who_may_not(
    service: BindingService, upstream: FakeCatalogue
) -> None:
    await use_refusal(service, who=asker(may_manage=False))
    assert upstream.requests == []


async def test_without_manage_webhooks_it_speaks_all_the_same_and_staff_get_a_hint(service: BindingService) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide", missing=frozenset({Right.MANAGE_WEBHOOKS}))
    assert "Manage Webhooks" in change.answer
    assert "Manage Webhooks" not in (change.notice or "")


async def test_without_message_content_a_new_character_answers_mentions(rig: Rig) -> None:
    change = await rig.service(message_content=False).use(ROOM, asker(), "helpful-guide")
    assert change.binding.trigger is Trigger.MENTION


# Telling and changing.


async def test_current_tells_about_the_channels_character(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    text = service.current(ROOM)
    assert "**Helpful Guide**" in text
    assert "<@400>" in text
    assert "the bot's operator" in text
    assert f"<t:{START_MS // 1_000}:D>" in text
    assert "thread" in service.current(THREAD)


async def test_current_tells_why_it_is_paused(upkeep: BindingUpkeep, service: BindingService) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await upkeep.pause(change.binding, PauseCause.UNAVAILABLE)
    assert "no longer available" in service.current(ROOM)


async def test_current_tells_what_the_bot_lacks_to_answer(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    told = service.current(ROOM, missing=frozenset({Right.SEND_MESSAGES, Right.MANAGE_WEBHOOKS}))
    assert "it cannot answer, or not as it should: Send Messages. Someone who manages" in told
    assert "permissions" not in service.current(ROOM, missing=frozenset({Right.MANAGE_WEBHOOKS}))


@pytest.mark.parametrize(("place", "sentence"), [(ROOM, notices.NOBODY_HERE), (None, notices.SERVERS_ONLY)])
async def test_where_nobody_speaks_every_command_says_what_to_do(
    service: BindingService, place: Place | None, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        service.current(place)
    for refused_change in (
        service.leave(place, asker()),
        service.reset(place, asker()),
        service.settings(place, asker()),
        service.settings(place, asker(), Trigger.EVERY),
    ):
        with pytest.raises(UserError, match=sentence):
            await refused_change


async def test_settings_without_a_trigger_tell_and_change_nothing(service: BindingService) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    shown = await service.settings(THREAD, asker(1, may_manage=False))
    assert shown.binding == used.binding
    assert shown.notice is None
    assert "every message" in shown.answer


async def test_settings_change_the_trigger_from_now_on(service: BindingService, index: BindingIndex) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    changed = await service.settings(ROOM, asker(5), Trigger.MENTION)
    assert changed.binding.trigger is Trigger.MENTION
    assert changed.binding.active_from == snowflake(5)
    assert index.get(ROOM.channel_id) == changed.binding
    assert "messages that mention me" in (changed.notice or "")


async def test_settings_to_the_same_trigger_change_nothing(service: BindingService) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    same = await service.settings(ROOM, asker(5), Trigger.EVERY)
    assert same.binding == used.binding
    assert same.notice is None


async def test_changes_are_for_those_who_manage_the_channel(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    nobody = asker(1, may_manage=False)
    for refused_change in (
        service.settings(ROOM, nobody, Trigger.MENTION),
        service.leave(ROOM, nobody),
        service.reset(ROOM, nobody),
        service.reset(THREAD, nobody),
    ):
        with pytest.raises(UserError, match=notices.NOT_ALLOWED):
            await refused_change


async def test_changes_of_the_channel_are_made_in_the_channel(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    for refused_change in (service.settings(THREAD, asker(1), Trigger.MENTION), service.leave(THREAD, asker(1))):
        with pytest.raises(UserError, match="<#300>"):
            await refused_change


async def test_every_message_needs_the_message_content_intent(rig: Rig) -> None:
    service = rig.service(message_content=False)
    await service.use(ROOM, asker(), "helpful-guide")
    with pytest.raises(UserError, match="message content intent"):
        await service.settings(ROOM, asker(1), Trigger.EVERY)


async def test_leaving_ends_the_binding_and_stops_its_replies(
    service: BindingService, index: BindingIndex, database: Database, voices: Voices
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    left = await service.leave(ROOM, asker(1))
    assert left.binding.state is BindingState.ENDED
    assert "**Helpful Guide** has left" in (left.notice or "")
    assert index.get(ROOM.channel_id) is None
    assert await Bindings(database).live() == []
    assert [conversation.binding_id for conversation in voices.stopped] == [used.binding.id]


# Beginning afresh.


async def said(database: Database, vault: Vault, binding: Binding, place: Place, *message_ids: MessageId) -> TurnId:
    """Let members have said something that was taken up as one turn; returns it."""
    scope = Scope.ROOM if place.thread_id is None else Scope.THREAD
    conversation = await Conversations(database).get_or_create(binding, scope, place.here, START_MS)
    turns = Turns(database, vault)
    arrivals = [Arrival(each, GUILD, place.here, UserId(500), "Bob", "words") for each in message_ids]
    results = await turns.admit(
        conversation.id, arrivals, AdmissionLimits(20, 0, 0), now_ms=START_MS, day_start_ms=START_MS
    )
    assert set(results) == {Admitted.CLAIMED}
    turn = await turns.begin(conversation.id, OPERATOR, now_ms=START_MS)
    assert turn is not None
    return turn.id


async def test_a_reset_forgets_the_channel_and_greets_again(
    service: BindingService, database: Database, vault: Vault, voices: Voices, index: BindingIndex
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    turn_id = await said(database, vault, used.binding, ROOM, snowflake(1))
    change = await service.reset(ROOM, asker(5, name="Bob"))
    await service.greet(change)
    turn = await Turns(database, vault).get(turn_id)
    assert turn is not None
    assert [message.text for message in turn.messages] == [None]
    assert [text for _, _, _, text in voices.greeted] == ["Hello Bob, I am Helpful Guide."]
    assert change.binding.active_from == snowflake(5)
    assert index.get(ROOM.channel_id) == change.binding
    assert change.greeting is not None
    assert change.greeting.conversation.starts_after == snowflake(5)
    assert [conversation.scope_id for conversation in voices.stopped] == [ROOM.channel_id]


async def test_a_reset_of_a_thread_leaves_the_channel_alone(
    service: BindingService, database: Database, vault: Vault, voices: Voices
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    in_room = await said(database, vault, used.binding, ROOM, snowflake(1))
    in_thread = await said(database, vault, used.binding, THREAD, snowflake(2))
    change = await service.reset(THREAD, asker(5))
    await service.greet(change)
    turns = Turns(database, vault)
    texts = {
        turn_id: [m.text for m in turn.messages]
        for turn_id in (in_room, in_thread)
        if (turn := await turns.get(turn_id))
    }
    assert texts == {in_room: ["words"], in_thread: [None]}
    assert change.binding.active_from == used.binding.active_from
    assert "this thread" in (change.notice or "")
    [(_, conversation, _, _)] = voices.greeted
    assert (conversation.scope, conversation.scope_id) == (Scope.THREAD, THREAD.thread_id)


async def test_a_character_that_may_no_longer_be_shown_does_not_greet(
    service: BindingService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    upstream.items[0]["content_rating"] = "nsfw"
    clock.advance(HOUR)
    change = await service.reset(ROOM, asker(HOUR))
    assert change.greeting is None


# Names.


@pytest.mark.parametrize(
    ("spoke", "name", "marked"),
    [
        (set[str](), "Alice", False),
        (set[str](), "Helpful Guide", True),
        ({"Bob"}, "Alice", False),
        ({"Bob", "h\u0435lpful guide"}, "Alice", True),
        (Forbidden(), "Alice", False),
    ],
)
async def test_a_name_of_whoever_brings_a_character_or_spoke_last_is_marked(
    service: BindingService, index: BindingIndex, town: Town, spoke: set[str] | OutletError, name: str, *, marked: bool
) -> None:
    town.spoke[ROOM.channel_id] = spoke
    used = await service.use(ROOM, asker(name=name), "helpful-guide")
    assert used.binding.name_marked is marked
    assert index.get(ROOM.channel_id) == used.binding


@pytest.mark.parametrize("again", ["use", "settings", "reset"])
async def test_a_name_of_whoever_manages_a_channel_later_is_marked(
    service: BindingService, index: BindingIndex, again: str
) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    other = asker(1, name="Helpful Guide")
    changed = await (
        service.use(ROOM, other, "helpful-guide")
        if again == "use"
        else service.settings(ROOM, other, Trigger.MENTION)
        if again == "settings"
        else service.reset(ROOM, other)
    )
    assert changed.binding.name_marked
    assert index.get(ROOM.channel_id) == changed.binding
