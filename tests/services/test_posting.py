import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ids import ChannelId, CharacterId, MessageId, TurnId
from bot.domain.turns import Post, PostState, Transport
from bot.services.outlet import (
    Busy,
    Destination,
    Draft,
    Forbidden,
    Gone,
    Lost,
    OutletError,
    Persona,
    SeenPost,
    Uncertain,
)
from bot.services.posting import KNOWN_IDS, Sent
from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from tests.store.seed import GUILD
from tests.support.manual_clock import ManualClock
from tests.support.new_database import NewDatabase
from tests.support.post_desk import HELLO, ROOM, THREAD, PostDesk
from tests.support.recording_outlet import Act, Echo, Outcome, fails, lost_answer

MARK = Draft("⚠ It went wrong", nonce="1.1.mark.0")


@pytest.fixture
async def desk(database: Database, vault: Vault, clock: ManualClock) -> PostDesk:
    desk = PostDesk(database, vault, clock)
    await desk.begin()
    return desk


# One post, whatever becomes of its answer and its echo.


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("echo", list(Echo))
async def test_a_post_is_one_message_whenever_it_is_echoed(desk: PostDesk, echo: Echo, transport: Transport) -> None:
    desk.outlet.echoes = echo
    sent = await desk.post(transport=transport)
    if echo is Echo.HELD:
        desk.outlet.echo(sent.message_id)
    await desk.poster.drain()
    assert sent == Sent(desk.ids[0], as_drafted=True)
    assert desk.outlet.acts == [Act.POST]


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("echo", list(Echo))
async def test_of_two_copies_one_is_kept_and_the_other_deleted(
    desk: PostDesk, echo: Echo, transport: Transport
) -> None:
    desk.outlet.script(Act.POST, Outcome(copies=2, echo=echo))
    sent = await desk.post(transport=transport)
    if echo is Echo.HELD:
        for message_id in desk.ids:
            desk.outlet.echo(message_id)
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]
    assert desk.outlet.acts == [Act.POST, Act.DELETE]


async def test_of_two_copies_the_one_that_was_seen_first_is_kept(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=True)
    desk.outlet.echoes = Echo.HELD
    posting = asyncio.create_task(desk.post())
    await gate.entered.wait()
    (answered,) = desk.ids
    earlier = desk.stray()
    desk.outlet.echo(earlier)
    desk.outlet.echo(answered)
    desk.outlet.echo(earlier)
    gate.open()
    assert await posting == Sent(earlier, as_drafted=False)
    assert desk.ids == [earlier]


@pytest.mark.parametrize("carried_out", [False, True])
async def test_the_end_of_another_turn_in_the_same_place_leaves_a_post_in_the_air_alone(
    desk: PostDesk, *, carried_out: bool
) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=carried_out)
    posting = asyncio.create_task(desk.post())
    await gate.entered.wait()
    desk.poster.settle(ROOM, TurnId(desk.turn_id + 1))
    gate.open()
    sent = await posting
    desk.poster.settle(ROOM, desk.turn_id)
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]
    assert desk.outlet.acts == [Act.POST]


async def test_a_copy_that_cannot_be_deleted_stays_and_does_not_fail_the_post(
    desk: PostDesk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.outlet.script(Act.POST, Outcome(copies=2, echo=Echo.BEFORE))
    desk.outlet.script(Act.DELETE, fails(Forbidden()))
    await desk.post()
    assert "could not be deleted" in caplog.text


async def test_a_lost_answer_is_made_up_for_by_the_echo(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.BEFORE))
    sent = await desk.post()
    assert desk.ids == [sent.message_id]
    assert desk.outlet.acts == [Act.POST]


@pytest.mark.parametrize("error", [Busy(1.0), Forbidden(), Gone(Lost.WEBHOOK)])
async def test_a_copy_that_was_shown_counts_though_a_later_try_was_refused(desk: PostDesk, error: OutletError) -> None:
    desk.outlet.script(Act.POST, lost_answer(error, echo=Echo.BEFORE))
    sent = await desk.post()
    assert desk.ids == [sent.message_id]


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_lost_answer_is_made_up_for_by_the_history(desk: PostDesk, transport: Transport) -> None:
    known = await desk.post(Draft("Before", nonce="1.1.reply.1"), 1, transport=transport)
    desk.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.HELD))
    sent = await desk.post(transport=transport)
    assert desk.ids == [known.message_id, sent.message_id]
    desk.outlet.echo(sent.message_id)
    await desk.poster.drain()
    assert desk.ids == [known.message_id, sent.message_id]


async def test_a_message_of_the_bot_without_a_nonce_is_known_by_its_text(desk: PostDesk) -> None:
    desk.outlet.nonces_in_history = False
    desk.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.HELD))
    other = desk.outlet.store(ROOM, Transport.BOT, Draft("A notice"))
    sent = await desk.post(transport=Transport.BOT)
    assert desk.ids == [other, sent.message_id]


async def test_what_the_bot_says_for_a_character_is_known_by_its_text_under_the_name(desk: PostDesk) -> None:
    desk.outlet.nonces_in_history = False
    desk.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.HELD))
    other = desk.outlet.store(ROOM, Transport.BOT, HELLO)
    sent = await desk.post(replace(HELLO, persona=Persona(CharacterId("guide"), "Guide")), transport=Transport.BOT)
    assert desk.ids == [other, sent.message_id]


async def test_an_echo_during_the_search_is_not_lost(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    gate = desk.outlet.hold(Act.RECENT, carried_out=True)
    posting = asyncio.create_task(desk.post())
    await gate.entered.wait()
    late = desk.stray()
    desk.outlet.echo(late)
    gate.open()
    assert (await posting).message_id == late


@pytest.mark.parametrize("search", [Outcome(), fails(Busy(5.0)), fails(Uncertain()), fails(Forbidden())])
async def test_what_is_found_nowhere_stays_uncertain(desk: PostDesk, search: Outcome) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    desk.outlet.script(Act.RECENT, search)
    await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send()
    assert desk.ids == []


@pytest.mark.parametrize("error", [Busy(1.0), Forbidden(), Gone(Lost.PLACE)])
async def test_other_failures_reach_the_sender_without_a_search(desk: PostDesk, error: OutletError) -> None:
    desk.outlet.script(Act.POST, fails(error))
    with pytest.raises(type(error)):
        await desk.post()
    assert desk.outlet.acts == [Act.POST]


# Messages that turn up when nothing is under way.


async def test_a_message_that_turns_up_between_two_tries_is_the_post(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    post_id = await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send()
    late = desk.stray()
    desk.outlet.echo(late)
    await desk.poster.drain()
    assert await desk.send() == Sent(late, as_drafted=False)
    await desk.posts.posted(post_id, late)
    assert desk.ids == [late]
    assert desk.outlet.of(Act.POST, Act.DELETE) == desk.outlet.of(Act.POST)[:1]


async def test_two_messages_that_turn_up_between_two_tries_are_one_post_and_one_too_many(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    post_id = await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send()
    first, second = desk.stray(), desk.stray()
    for late in (first, second):
        desk.outlet.echo(late)
        await desk.poster.drain()
    sent = await desk.send()
    await desk.posts.posted(post_id, sent.message_id)
    await desk.end()
    await desk.poster.drain()
    assert desk.ids == [first]


async def test_a_copy_by_the_other_way_to_speak_is_deleted(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send()
    desk.outlet.echo(desk.stray())
    sent = await desk.post(transport=Transport.BOT)
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]


async def test_a_post_that_was_given_up_is_deleted_when_it_turns_up_before_the_turn_ends(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send()
    desk.outlet.echo(desk.stray())
    desk.outlet.echo(desk.stray())
    await desk.end()
    await desk.poster.drain()
    assert desk.ids == []


async def test_a_post_that_was_given_up_is_deleted_when_it_turns_up_after_the_turn_ended(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, fails(Uncertain()))
    await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send()
    await desk.end()
    desk.outlet.echo(desk.stray())
    await desk.poster.drain()
    assert desk.ids == []


async def test_a_copy_is_deleted_though_the_id_of_the_post_is_not_yet_written_down(desk: PostDesk) -> None:
    # The last id of a turn is written down with its end: until then its intent stands open.
    await desk.intend()
    sent = await desk.send()
    desk.outlet.echo(desk.stray())
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]


async def test_a_message_that_turns_up_just_before_its_post_fails_is_the_post(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.post(MARK, transport=Transport.BOT))
    await gate.entered.wait()
    early = desk.outlet.store(ROOM, Transport.BOT, MARK)
    desk.outlet.echo(early)
    gate.open()
    sent = await posting
    await desk.poster.drain()
    assert desk.ids == [early]
    assert sent.message_id == early


async def test_a_text_found_in_the_history_may_be_that_of_an_earlier_try(desk: PostDesk) -> None:
    desk.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.HELD), fails(Uncertain()))
    desk.outlet.script(Act.RECENT, fails(Uncertain()))
    await desk.intend()
    with pytest.raises(Uncertain):
        await desk.send(replace(HELLO, text="Hel"))
    assert await desk.send() == Sent(desk.ids[0], as_drafted=False)


async def test_a_message_that_nothing_accounts_for_is_deleted(desk: PostDesk) -> None:
    kept = await desk.post()
    late = desk.stray()
    desk.outlet.echo(late)
    desk.outlet.echo(late)
    await desk.poster.drain()
    assert desk.ids == [kept.message_id]
    assert desk.outlet.acts == [Act.POST, Act.DELETE]


async def test_messages_that_turn_up_before_the_recovery_is_done_wait_for_it(desk: PostDesk) -> None:
    fresh = desk.new_poster()
    post_id = await desk.intend()
    adopted, stray = desk.stray(), desk.stray()
    for message_id in (adopted, stray):
        desk.outlet.echo(message_id)
    await fresh.drain()
    assert desk.ids == [adopted, stray]
    await desk.posts.posted(post_id, adopted)
    fresh.listen()
    await fresh.drain()
    assert desk.ids == [adopted]


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_post_of_an_earlier_process_is_left_alone(desk: PostDesk, transport: Transport) -> None:
    sent = await desk.post(transport=transport)
    fresh = desk.new_poster()
    fresh.listen()
    fresh.seen(ROOM, desk.outlet.messages[sent.message_id].seen)
    await fresh.drain()
    assert desk.ids == [sent.message_id]


async def test_notices_of_the_bot_are_left_alone(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.post(MARK, transport=Transport.BOT))
    await gate.entered.wait()
    notice = desk.outlet.store(ROOM, Transport.BOT, Draft("Somebody moved in"))
    desk.outlet.echo(notice)
    gate.open()
    sent = await posting
    desk.outlet.echo(notice)
    await desk.poster.drain()
    assert desk.ids == [notice, sent.message_id]


async def test_a_stray_mark_is_not_taken_for_the_one_under_way(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.post(MARK, transport=Transport.BOT))
    await gate.entered.wait()
    stray = desk.outlet.store(ROOM, Transport.BOT, Draft("⚠ Earlier trouble", nonce="0.1.mark.0"))
    desk.outlet.echo(stray)
    gate.open()
    sent = await posting
    await desk.end()
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]


async def test_a_thread_and_its_channel_do_not_take_each_others_posts(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.post(destination=THREAD))
    await gate.entered.wait()
    desk.outlet.echo(desk.stray())
    gate.open()
    sent = await posting
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]
    assert desk.outlet.messages[sent.message_id].destination == THREAD


# Two turns in one place, of which a webhook's messages do not tell: one may outlive the one that stops it.

OTHER = Draft("Good evening", nonce="2.1.reply.0")


async def test_a_turn_that_ends_leaves_the_post_of_another_turn_alone(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=True)
    desk.outlet.echoes = Echo.BEFORE
    posting = asyncio.create_task(desk.send(OTHER, turn_id=TurnId(desk.turn_id + 1)))
    await gate.entered.wait()
    await desk.end()
    gate.open()
    sent = await posting
    await desk.poster.drain()
    assert sent.as_drafted
    assert desk.ids == [sent.message_id]


async def lost(desk: PostDesk) -> None:
    """Let the desk's turn post in vain, as far as anybody can see."""
    desk.outlet.script(Act.POST, fails(Uncertain()))
    with pytest.raises(Uncertain):
        await desk.send()


async def test_a_lost_post_that_turns_up_under_one_of_another_turn_is_known_by_its_text(desk: PostDesk) -> None:
    await lost(desk)
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.send(OTHER, turn_id=TurnId(desk.turn_id + 1)))
    await gate.entered.wait()
    late = desk.stray()
    desk.outlet.echo(late)
    gate.open()
    other = await posting
    assert other.as_drafted
    assert await desk.send(replace(HELLO, text="Hello there, all")) == Sent(late, as_drafted=False)
    await desk.poster.drain()
    assert desk.ids == [late, other.message_id]


async def test_a_message_that_reads_like_no_post_is_taken_for_the_one_under_way(desk: PostDesk) -> None:
    await lost(desk)
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    desk.outlet.echoes = Echo.HELD
    posting = asyncio.create_task(desk.send(OTHER, turn_id=TurnId(desk.turn_id + 1)))
    await gate.entered.wait()
    early = desk.stray("As Discord likes to have it")
    desk.outlet.echo(early)
    gate.open()
    assert await posting == Sent(early, as_drafted=False)
    assert (await desk.send()).as_drafted


async def test_what_one_turn_lost_is_not_found_by_another(desk: PostDesk) -> None:
    await lost(desk)
    late = desk.stray()
    desk.outlet.script(Act.POST, fails(Uncertain()))
    with pytest.raises(Uncertain):
        await desk.send(OTHER, turn_id=TurnId(desk.turn_id + 1))
    desk.outlet.echo(late)
    assert await desk.send() == Sent(late, as_drafted=False)


async def test_a_copy_by_the_webhook_is_not_taken_for_a_post_of_the_bot(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.post(MARK, transport=Transport.BOT))
    await gate.entered.wait()
    desk.outlet.echo(desk.stray())
    gate.open()
    sent = await posting
    await desk.poster.drain()
    assert desk.ids == [sent.message_id]


async def test_a_message_that_is_looked_up_while_its_post_begins_is_the_post(desk: PostDesk) -> None:
    await desk.intend()
    gate = desk.outlet.hold(Act.POST, carried_out=True)
    early = desk.stray()
    desk.outlet.echo(early)
    posting = asyncio.create_task(desk.poster.send(ROOM, desk.turn_id, Transport.WEBHOOK, HELLO, desk.anchor))
    await gate.entered.wait()
    await desk.seed.turns_with_text()  # A read behind the one under way: that one is over afterwards.
    gate.open()
    assert (await posting).message_id == early
    assert desk.ids == [early]


async def test_a_closed_poster_posts_and_deletes_nothing_more(desk: PostDesk) -> None:
    gate = desk.outlet.hold(Act.POST, carried_out=False)
    posting = asyncio.create_task(desk.post())
    await gate.entered.wait()
    held = desk.outlet.hold(Act.DELETE, carried_out=False)
    desk.outlet.echo(desk.outlet.store(THREAD, Transport.WEBHOOK, HELLO))
    await desk.poster.aclose()
    late = asyncio.create_task(desk.send(destination=Destination(GUILD, ChannelId(999))))
    desk.outlet.echo(desk.outlet.store(THREAD, Transport.WEBHOOK, HELLO))
    await asyncio.gather(posting, late, return_exceptions=True)
    assert posting.cancelled()
    assert late.cancelled()
    await desk.poster.drain()
    assert desk.outlet.acts == [Act.POST]
    assert not held.entered.is_set()


async def test_a_thread_shares_the_lane_of_its_channel(desk: PostDesk) -> None:
    assert desk.poster.lane(ROOM) is desk.poster.lane(THREAD)
    assert desk.poster.lane(ROOM) is not desk.poster.lane(Destination(GUILD, ChannelId(999)))


async def test_trouble_with_an_echo_is_logged(
    desk: PostDesk, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.close()
    desk.outlet.echo(desk.stray())
    await desk.poster.drain()
    assert "could not be dealt with" in caplog.text


async def test_only_the_newest_ids_are_remembered(desk: PostDesk) -> None:
    removed = [desk.stray() for _ in range(KNOWN_IDS + 1)]
    for message_id in removed:
        await desk.poster.remove(ROOM, Transport.WEBHOOK, message_id)
    assert not desk.poster.was_removed(removed[0])
    assert desk.poster.was_removed(removed[1])


async def test_buttons_are_taken_off_when_nothing_else_is_to_be_done(
    desk: PostDesk, caplog: pytest.LogCaptureFixture
) -> None:
    sent = await desk.post()
    desk.outlet.script(Act.BARE, Outcome(), fails(Gone(Lost.MESSAGE)))
    desk.poster.tidy(ROOM, Transport.WEBHOOK, sent.message_id)
    desk.poster.tidy(ROOM, Transport.WEBHOOK, sent.message_id)
    await desk.poster.drain()
    assert desk.outlet.acts == [Act.POST, Act.BARE, Act.BARE]
    assert caplog.text == ""


async def test_a_message_that_is_known_to_be_gone_has_no_buttons_to_take_off(desk: PostDesk) -> None:
    sent = await desk.post()
    await desk.posts.gone(sent.message_id)
    desk.poster.tidy(ROOM, Transport.WEBHOOK, sent.message_id)
    desk.poster.tidy(ROOM, Transport.WEBHOOK, MessageId(1))
    await desk.poster.drain()
    assert desk.outlet.acts == [Act.POST]


# What became of posts that a stop of the process left open.


def nothing(post: Post, seen: SeenPost) -> bool:
    del post, seen
    return False


async def test_intents_are_the_unknown_messages_in_their_order_and_the_rest_goes(desk: PostDesk) -> None:
    known = await desk.post(Draft("Part one"))
    await desk.intend(1)
    await desk.intend(2)
    notice = desk.outlet.store(ROOM, Transport.BOT, Draft("A notice"))
    second, third, extra = desk.stray("Part two"), desk.stray("Part three"), desk.stray("Part two")
    posts = await desk.posts.of_turn(desk.turn_id)
    texts = await desk.poster.reconcile(ROOM, posts, desk.anchor, nothing)
    found = await desk.posts.of_turn(desk.turn_id)
    assert [(post.state, post.message_id) for post in found] == [
        (PostState.POSTED, known.message_id),
        (PostState.POSTED, second),
        (PostState.POSTED, third),
    ]
    assert desk.ids == [known.message_id, notice, second, third]
    assert texts[second] == "Part two"
    assert extra in texts


async def test_an_intent_that_came_to_nothing_is_forgotten(desk: PostDesk) -> None:
    await desk.intend()
    posts = await desk.posts.of_turn(desk.turn_id)
    assert await desk.poster.reconcile(ROOM, posts, desk.anchor, nothing) == {}
    assert await desk.posts.of_turn(desk.turn_id) == []


async def test_a_message_of_the_bot_is_asked_about(desk: PostDesk) -> None:
    await desk.intend(transport=Transport.BOT)
    notice = desk.outlet.store(ROOM, Transport.BOT, Draft("A notice"))
    mark = desk.outlet.store(ROOM, Transport.BOT, MARK)
    posts = await desk.posts.of_turn(desk.turn_id)
    await desk.poster.reconcile(ROOM, posts, desk.anchor, lambda _, seen: seen.nonce == MARK.nonce)
    (found,) = await desk.posts.of_turn(desk.turn_id)
    assert found.message_id == mark
    assert desk.ids == [notice, mark]


async def test_what_turns_up_before_its_turn_is_reconciled_waits_for_that(desk: PostDesk) -> None:
    post_id = await desk.intend()
    desk.poster.expect(ROOM, desk.turn_id)
    desk.poster.expect(THREAD, desk.turn_id)
    adopted, stray = desk.stray(), desk.stray()
    for message_id in (adopted, stray):
        desk.outlet.echo(message_id)
    await desk.poster.drain()
    desk.poster.reconciled(THREAD, desk.turn_id)
    await desk.poster.drain()
    assert desk.ids == [adopted, stray]
    await desk.posts.posted(post_id, adopted)
    for _ in range(2):
        desk.poster.reconciled(ROOM, desk.turn_id)
    await desk.poster.drain()
    assert desk.ids == [adopted]


async def test_what_may_be_another_turns_is_left_to_it(desk: PostDesk) -> None:
    await desk.intend()
    first, second = desk.stray("Part one"), desk.stray("Part two")
    desk.poster.expect(ROOM, desk.turn_id)
    desk.poster.expect(ROOM, TurnId(desk.turn_id + 1))
    await desk.poster.reconcile(ROOM, await desk.posts.of_turn(desk.turn_id), desk.anchor, nothing)
    await desk.poster.drain()
    assert desk.ids == [first, second]


async def test_a_message_that_was_adopted_may_be_echoed_late(desk: PostDesk) -> None:
    await desk.intend()
    late = desk.stray()
    await desk.poster.reconcile(ROOM, await desk.posts.of_turn(desk.turn_id), desk.anchor, nothing)
    desk.outlet.echo(late)
    await desk.poster.drain()
    assert desk.ids == [late]


# Any order of lost answers, doubled posts and late echoes.

ECHOES = st.sampled_from(list(Echo))
OUTCOMES = st.one_of(
    st.builds(Outcome, copies=st.integers(1, 3), echo=ECHOES),
    st.builds(Outcome, st.just(Uncertain()), copies=st.integers(0, 2), echo=ECHOES),
    st.builds(Outcome, st.just(Busy(1.0)), copies=st.integers(0, 1), echo=ECHOES),
)
SEARCHES = st.sampled_from([Outcome(), fails(Uncertain())])


async def _play(
    new_database: NewDatabase,
    path: Path,
    outcomes: list[Outcome],
    searches: list[Outcome],
    transport: Transport,
    order: Random,
) -> None:
    clock = ManualClock()
    database = await new_database(path, now_ms=clock.now_ms())
    try:
        desk = PostDesk(database, Vault([MasterKey(b"fake-key" * 4)]), clock)
        await desk.begin()
        desk.outlet.script(Act.POST, *outcomes)
        desk.outlet.script(Act.RECENT, *searches)
        await desk.intend(transport=transport)
        sent = None
        while sent is None:
            with suppress(Uncertain, Busy):
                sent = await desk.send(transport=transport)
            if desk.ids and order.random() < 0.5:
                desk.outlet.echo(order.choice(desk.ids))
            if order.random() < 0.5:
                await desk.poster.drain()
        await desk.end()
        for message_id in order.sample(desk.ids, len(desk.ids)):
            desk.outlet.echo(message_id)
        await desk.poster.drain()
        assert desk.ids == [sent.message_id]
    finally:
        await database.close()


@given(st.lists(OUTCOMES, max_size=4), st.lists(SEARCHES, max_size=4), st.sampled_from(list(Transport)), st.randoms())
@settings(max_examples=40)
def test_in_the_end_one_message_stands(
    new_database: NewDatabase,
    outcomes: list[Outcome],
    searches: list[Outcome],
    transport: Transport,
    order: Random,
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_play(new_database, Path(folder) / "bot.db", outcomes, searches, transport, order))
