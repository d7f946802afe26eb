import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.bindings import Binding, PauseCause, Trigger
from bot.domain.failures import Failure, FailureCause, cut_mark, failure_sentence
from bot.domain.ids import ChannelId, CharacterId, GuildId, MessageId
from bot.domain.recovery import MOST_ATTEMPTS, RUN_AGAIN_WITHIN_MS
from bot.domain.turns import AdmissionLimits, Arrival, PostKind, PostState, Transport, TurnState, VersionState
from bot.services.outlet import Busy, Draft, Forbidden, OutletError, Refused, Uncertain
from bot.services.recovery import LOOK_SECONDS, MISSED_NOTICE
from bot.store.database import Database
from bot.store.errors import DatabaseLocked
from bot.store.retention import Retention
from bot.store.vault import MasterKey, Vault
from tests.support.manual_clock import ManualClock
from tests.support.new_database import NewDatabase
from tests.support.recording_outlet import AS_USUAL, PATIENCE_SECONDS, Act, Call, Echo, Gate, Outcome, fails
from tests.support.relay_world import (
    ALICE,
    BOB,
    CATCH_UP_MS,
    GUILD,
    OTHER_ROOM,
    RETENTION_MS,
    ROOM,
    THREAD,
    RelayWorld,
    character,
)
from tests.support.scripted_upstream import refuses, says, streams

BARD = CharacterId("bard")
DAY = 86_400
KING = "Once there was a king."
LONG = "A sentence of some length. " * 100


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> RelayWorld:
    world = RelayWorld(database, vault, clock)
    await world.open()
    await world.bind()
    return world


async def crashed(world: RelayWorld, act: Act, *, carried_out: bool) -> RelayWorld:
    """Let Alice ask something, kill the bot in the next call of a kind, and return the next run."""
    gate = world.outlet.hold(act, carried_out=carried_out)
    world.say()
    await asyncio.wait_for(gate.entered.wait(), PATIENCE_SECONDS)
    return await world.restarted()


async def stopped_unseen(world: RelayWorld) -> RelayWorld:
    """Let Alice ask something, kill the bot before there is a word to see, and return the next run."""
    gate = Gate()
    world.upstream.script(streams(gate))
    world.say()
    await gate.entered.wait()
    return await world.restarted()


async def stopped_half_shown(world: RelayWorld) -> RelayWorld:
    """Kill the bot while it shows the rest of a reply of which the beginning is on show, and return the next run."""
    gate = Gate()
    world.upstream.script(says(KING, gate, " He was old."))
    world.say()
    await world.outlet.until(world.texts)
    crash = world.outlet.hold(Act.EDIT, carried_out=False)
    gate.open()
    await crash.entered.wait()
    return await world.restarted()


async def recorded(world: RelayWorld) -> None:
    """Wait until a post is on show and written down."""
    await world.outlet.until(world.texts)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await world.posts.by_message(world.shown()[0].id) is None:
            pass


# Turns that a stop cut, remedy by remedy.


async def test_a_turn_of_which_nothing_can_be_seen_runs_again(world: RelayWorld) -> None:
    fresh = await stopped_unseen(world)
    fresh.upstream.script(says("At last."))
    await fresh.recovered()
    assert fresh.texts() == ["At last."]
    assert await fresh.states() == [("answered", None)]
    (turn,) = await fresh.all_turns()
    assert turn.attempts == 2


async def test_a_turn_too_old_to_be_answered_unasked_is_marked(world: RelayWorld) -> None:
    fresh = await stopped_unseen(world)
    fresh.clock.advance(RUN_AGAIN_WITHIN_MS / 1_000)
    await fresh.recovered()
    (mark,) = fresh.shown()
    assert mark.draft.text == failure_sentence(Failure(FailureCause.RESTARTED))
    assert mark.draft.controls is not None
    assert mark.draft.controls.retry
    assert len(fresh.upstream.asked) == 1


async def test_a_turn_that_stops_the_process_each_time_is_marked_in_the_end(world: RelayWorld) -> None:
    run = world
    for _ in range(MOST_ATTEMPTS):
        gate = Gate()
        run.upstream.script(streams(gate))
        if run is world:
            run.say()
        else:
            run.relay.inbox.release(GUILD)
            await run.ready()
        await asyncio.wait_for(gate.entered.wait(), PATIENCE_SECONDS)
        run = await run.restarted()
    await run.recovered()
    assert run.texts() == [failure_sentence(Failure(FailureCause.RESTARTED))]
    assert len(run.upstream.asked) == MOST_ATTEMPTS


async def test_what_can_be_seen_stays_and_is_marked_as_interrupted(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams(f"{KING} He", gate))
    world.say()
    await recorded(world)
    fresh = await world.restarted()
    await fresh.recovered()
    (message,) = fresh.shown()
    assert message.draft.text == f"{KING}\n{cut_mark(Failure(FailureCause.RESTARTED))}"
    assert message.draft.controls is not None
    assert message.draft.controls.retry
    assert len(fresh.upstream.asked) == 1
    (turn,) = await fresh.all_turns()
    version = await fresh.turns.latest_version(turn.id)
    assert version is not None
    assert (version.state, version.text) == (VersionState.PARTIAL, KING)


async def test_a_whole_text_that_was_half_shown_is_shown(world: RelayWorld) -> None:
    fresh = await stopped_half_shown(world)
    await fresh.recovered()
    assert fresh.texts() == [f"{KING} He was old."]
    assert await fresh.states() == [("answered", None)]
    assert len(fresh.upstream.asked) == 1


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_whole_text_whose_post_was_cut_is_shown_once(world: RelayWorld, *, carried_out: bool) -> None:
    world.upstream.script(says(KING))
    fresh = await crashed(world, Act.POST, carried_out=carried_out)
    await fresh.recovered()
    assert fresh.texts() == [KING]
    assert len(fresh.upstream.asked) == 1


async def test_an_interrupted_retry_leaves_what_stood_there_with_one_mark(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams(KING), streams(gate))
    await world.ask()
    (turn,) = await world.all_turns()
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await gate.entered.wait()
    fresh = await world.restarted()
    await fresh.recovered()
    assert fresh.texts() == [f"{KING}\n{cut_mark(Failure(FailureCause.RESTARTED))}"]
    version = await fresh.turns.latest_version(turn.id)
    assert version is not None
    assert version.text == KING


async def test_the_name_above_a_text_is_not_taken_for_the_characters_words(world: RelayWorld) -> None:
    world.outlet.speaks_as = Transport.BOT
    gate = Gate()
    world.upstream.script(streams(KING, gate))
    world.say()
    await world.outlet.until(world.texts)
    fresh = await world.restarted()
    (message,) = fresh.shown()
    assert message.seen.text == f"**Guide**\n{message.draft.text}"
    await fresh.recovered()
    assert fresh.texts()[0] == f"{message.draft.text}\n{cut_mark(Failure(FailureCause.RESTARTED))}"


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_notice_is_not_taken_for_a_reply_in_a_voice_that_the_bot_lends(
    world: RelayWorld, *, carried_out: bool
) -> None:
    world.outlet.speaks_as, world.outlet.nonces_in_history = Transport.BOT, False
    notices = [Draft("Guide speaks here now."), Draft("**Guide** is back.")]
    gate = world.outlet.hold(Act.POST, carried_out=carried_out)
    world.say()
    await asyncio.wait_for(gate.entered.wait(), PATIENCE_SECONDS)
    own = [message.draft.text for message in world.shown()]
    for notice in notices:
        world.outlet.store(world.town.destination(ROOM), Transport.BOT, notice)
    fresh = await world.restarted()
    await fresh.recovered()
    said = [notice.text for notice in notices]
    assert fresh.texts()[: len(own) + 2] == [*own, *said]
    assert fresh.texts().count("Hello.") == 1
    assert await fresh.states() == [("answered", None)]


@pytest.mark.parametrize("nonces", [True, False])
@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_mark_that_was_cut_is_there_once(world: RelayWorld, *, carried_out: bool, nonces: bool) -> None:
    world.outlet.nonces_in_history = nonces
    world.upstream.script(refuses(404, "No such thing"), refuses(404, "No such thing"))
    fresh = await crashed(world, Act.POST, carried_out=carried_out)
    await fresh.announcer.announce(fresh.town.destination(ROOM), "other", "A notice of another kind.")
    fresh.clock.advance(RUN_AGAIN_WITHIN_MS / 1_000)
    await fresh.recovered()
    marks = [text for text in fresh.texts() if text.startswith("⚠")]
    assert len(marks) == 1
    assert len(fresh.texts()) == 2


async def test_a_reply_that_was_deleted_before_the_stop_is_not_said_again(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams(f"{KING} He", gate))
    world.say()
    await recorded(world)
    world.outlet.remove(world.shown()[0].id)
    await world.relay.inbox.idle()
    fresh = await world.restarted()
    await fresh.recovered()
    assert fresh.texts() == []
    assert await fresh.states() == [("failed", "deleted")]


async def test_a_reply_that_was_deleted_while_the_bot_was_away_is_not_said_again(world: RelayWorld) -> None:
    fresh = await stopped_half_shown(world)
    del fresh.outlet.messages[fresh.shown()[0].id]
    await fresh.recovered()
    assert fresh.texts() == []
    assert await fresh.states() == [("answered", "deleted")]
    await fresh.ask("And now?")
    assert KING not in str(fresh.upstream.asked[-1])


async def test_a_greeting_that_was_cut_is_finished(world: RelayWorld) -> None:
    gate = world.outlet.hold(Act.POST, carried_out=False)
    greeting = asyncio.create_task(world.greet("Good evening."))
    await gate.entered.wait()
    fresh = await world.restarted()
    assert greeting.done()
    await fresh.recovered()
    assert fresh.texts() == ["Good evening."]
    await fresh.ask("Hi")
    assert fresh.upstream.said() == [("assistant", "Good evening."), ("user", "[Alice] Hi")]


# The gate, which may have closed since a text was written.


async def grown_up(world: RelayWorld) -> Binding:
    """Let a character for adults speak in the room, which is age-restricted."""
    world.town.restricted[ROOM] = True
    world.upstream.characters[BARD] = character(BARD, content_rating="nsfw")
    return await world.bind(character_id=BARD)


async def assert_fell_silent(world: RelayWorld) -> None:
    """See that nothing is shown but why the character is paused."""
    (notice,) = world.shown()
    assert notice.draft.persona is None
    binding = world.index.get(ROOM)
    assert binding is not None
    assert binding.pause_cause is PauseCause.ABOVE_CEILING
    assert await world.states() == [("dropped", "paused")]


async def test_a_whole_text_is_not_shown_where_its_character_may_not_speak_any_more(world: RelayWorld) -> None:
    await grown_up(world)
    fresh = await crashed(world, Act.POST, carried_out=False)
    fresh.town.restricted[ROOM] = False
    await fresh.recovered()
    await assert_fell_silent(fresh)


async def test_a_whole_text_that_was_half_shown_is_taken_back_where_it_may_not_be(world: RelayWorld) -> None:
    await grown_up(world)
    fresh = await stopped_half_shown(world)
    fresh.town.restricted[ROOM] = False
    await fresh.recovered()
    await assert_fell_silent(fresh)


async def test_a_text_that_cannot_be_taken_back_ends_its_turn_all_the_same(world: RelayWorld) -> None:
    await grown_up(world)
    fresh = await crashed(world, Act.POST, carried_out=True)
    fresh.town.restricted[ROOM] = False
    fresh.outlet.script(Act.DELETE, fails(Forbidden()))
    await fresh.recovered()
    assert await fresh.states() == [("dropped", "paused")]


async def test_a_greeting_is_not_finished_where_its_character_may_not_speak_any_more(world: RelayWorld) -> None:
    await grown_up(world)
    crash = world.outlet.hold(Act.POST, carried_out=False)
    greeting = asyncio.create_task(world.greet("Come closer."))
    await crash.entered.wait()
    fresh = await world.restarted()
    assert greeting.done()
    fresh.town.restricted[ROOM] = False
    await fresh.recovered()
    await assert_fell_silent(fresh)


async def test_a_channel_that_is_gone_ends_its_turn(world: RelayWorld) -> None:
    fresh = await crashed(world, Act.POST, carried_out=False)
    del fresh.town.restricted[ROOM]
    await fresh.recovered()
    assert await fresh.states() == [("failed", "cannot_speak")]


async def test_a_character_that_left_before_the_stop_says_nothing_more(world: RelayWorld) -> None:
    fresh = await crashed(world, Act.POST, carried_out=False)
    fresh.index.drop(ROOM)
    await fresh.recovered()
    assert fresh.texts() == []
    assert await fresh.states() == [("failed", "cannot_speak")]


async def test_where_the_bot_may_not_read_any_more_the_turn_ends(world: RelayWorld) -> None:
    fresh = await crashed(world, Act.POST, carried_out=False)
    fresh.outlet.script(Act.RECENT, fails(Forbidden()))
    await fresh.recovered()
    assert await fresh.states() == [("failed", "cannot_speak")]


@pytest.mark.parametrize("error", [Busy(1.0), Uncertain()])
async def test_a_turn_waits_for_discord_and_holds_up_nobody_else(world: RelayWorld, error: OutletError) -> None:
    await world.bind(OTHER_ROOM)
    world.upstream.script(says(KING))
    fresh = await crashed(world, Act.POST, carried_out=True)
    gate = Gate()
    fresh.outlet.script(Act.RECENT, Outcome(error, before=gate), fails(error))
    elsewhere = fresh.message("Elsewhere", at=OTHER_ROOM)
    await fresh.in_time(fresh.ready())
    await gate.entered.wait()
    await fresh.outlet.until(lambda: fresh.texts(OTHER_ROOM))
    assert elsewhere.id < fresh.shown(OTHER_ROOM)[0].id
    gate.open()
    await fresh.idle_in_time()
    assert fresh.texts() == [KING]


async def test_a_turn_waits_for_its_server_to_be_described(world: RelayWorld) -> None:
    world.upstream.script(says(KING))
    fresh = await crashed(world, Act.POST, carried_out=False)
    fresh.town.loading.add(GUILD)
    await fresh.in_time(fresh.ready())
    assert (await fresh.states())[0][0] == "running"
    fresh.town.loading.clear()
    await fresh.idle_in_time()
    assert fresh.texts() == [KING]


@pytest.mark.parametrize("act", [Act.RECENT, Act.POST])
async def test_a_mistake_in_ending_a_turn_is_marked_and_not_tried_for_ever(world: RelayWorld, act: Act) -> None:
    fresh = await crashed(world, Act.POST, carried_out=False)

    async def stumble(call: Call) -> None:
        if call.act is act and call.transport is not Transport.BOT:
            raise TypeError("a mistake")

    fresh.outlet.on_call = stumble
    await fresh.recovered()
    assert fresh.texts() == [failure_sentence(Failure(FailureCause.UNEXPECTED, code="code1"))]
    assert await fresh.states() == [("failed", "unexpected")]
    fresh.outlet.on_call = None
    await fresh.ask("And now?")
    assert fresh.texts()[-1] == "Hello."


async def test_messages_that_waited_are_answered_after_the_old_turn(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams(gate), says("First."), says("Second."))
    world.say("One")
    await gate.entered.wait()
    world.say("Two")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await world.claims()) < 2:
            pass
    fresh = await world.restarted()
    await fresh.recovered()
    assert fresh.texts() == ["First.", "Second."]


async def test_a_mark_beside_a_reply_that_can_be_finished_is_taken_back(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(says(KING, gate, " He was old."))
    world.outlet.script(Act.EDIT, fails(Refused(1)))
    world.outlet.script(Act.DELETE, fails(Forbidden()))
    world.say()
    await recorded(world)
    crash = world.outlet.hold(Act.POST, carried_out=True)
    gate.open()
    await crash.entered.wait()
    fresh = await world.restarted()
    assert len(fresh.shown()) == 2
    await fresh.recovered()
    assert fresh.texts() == [f"{KING} He was old."]


async def test_turns_of_servers_that_are_not_there_yet_wait(world: RelayWorld) -> None:
    fresh = await crashed(world, Act.POST, carried_out=False)
    await fresh.in_time(fresh.recovery.ready({GuildId(1): []}))
    await fresh.idle()
    assert (await fresh.states())[0][0] == "running"
    await fresh.recovered()
    assert fresh.texts() == ["Hello."]


async def test_a_turn_that_was_ended_meanwhile_is_left_alone(world: RelayWorld) -> None:
    fresh = await crashed(world, Act.POST, carried_out=False)
    (turn,) = await fresh.all_turns()
    fresh.town.loading.add(GUILD)
    await fresh.in_time(fresh.ready())
    await fresh.turns.finish(turn.id, TurnState.FAILED, cause="stopped", now_ms=fresh.clock.now_ms())
    fresh.town.loading.clear()
    await fresh.idle_in_time()
    assert fresh.texts() == []


async def test_old_turns_are_looked_after_once(world: RelayWorld) -> None:
    fresh = await crashed(world, Act.POST, carried_out=True)
    await fresh.recovered()
    calls = len(fresh.outlet.calls)
    fresh.recovery.new_session([GUILD])
    await fresh.recovered()
    assert len(fresh.outlet.calls) == calls


# Wherever it stops.


@dataclass(frozen=True)
class Scenario:
    """Something that happens in a room, told by what upstream says and what people do."""

    name: str
    script: Callable[[RelayWorld, Gate], None]
    retries: int = 0
    as_bot: bool = False


def _short(world: RelayWorld, gate: Gate) -> None:
    gate.open()
    world.upstream.script(says(KING))


def _streamed(world: RelayWorld, gate: Gate) -> None:
    world.upstream.script(says(KING, gate, " He was old."))


def _long(world: RelayWorld, gate: Gate) -> None:
    world.upstream.script(says(KING, gate, LONG))


def _cut(world: RelayWorld, gate: Gate) -> None:
    world.upstream.script(streams(KING, gate))


def _refused(world: RelayWorld, gate: Gate) -> None:
    gate.open()
    world.upstream.script(refuses(503), refuses(503), refuses(503))


def _refused_then_said(world: RelayWorld, gate: Gate) -> None:
    gate.open()
    world.upstream.script(refuses(503), says(KING))


def _cut_then_said(world: RelayWorld, gate: Gate) -> None:
    gate.open()
    world.upstream.script(streams(KING + LONG), says("Short."))


SCENARIOS = (
    Scenario("short", _short),
    Scenario("short, as the bot", _short, as_bot=True),
    Scenario("streamed", _streamed),
    Scenario("streamed, as the bot", _streamed, as_bot=True),
    Scenario("long", _long),
    Scenario("cut", _cut),
    Scenario("refused", _refused),
    Scenario("refused twice", _refused, retries=1),
    Scenario("refused, then said", _refused_then_said, retries=1),
    Scenario("cut, then said", _cut_then_said, retries=1),
)


async def play(world: RelayWorld, scenario: Scenario) -> None:
    """Play a scenario to its end."""
    if scenario.as_bot:
        world.outlet.speaks_as = Transport.BOT
    gate = Gate()
    scenario.script(world, gate)
    world.say()

    async def open_when_shown() -> None:
        await world.outlet.until(world.texts)
        gate.open()

    opener = asyncio.create_task(open_when_shown())
    await world.idle()
    opener.cancel()
    for _ in range(scenario.retries):
        (turn,) = await world.all_turns()
        await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
        await world.idle()


async def stopped_in(world: RelayWorld, work: "asyncio.Task[None]", gate: Gate) -> None:
    """Wait until a call is held, or there was none to hold."""
    held = asyncio.create_task(gate.entered.wait())
    await asyncio.wait((work, held), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_SECONDS)
    held.cancel()
    del world


async def assert_one_thing_is_shown(world: RelayWorld) -> None:
    """See that the turn has ended in one reply or one mark, and that the books say what Discord shows."""
    (turn,) = await world.all_turns()
    assert turn.state.value in ("answered", "failed")
    posts = await world.posts.of_turn(turn.id)
    assert {post.state for post in posts} == {PostState.POSTED}
    # Notices of the bot have no nonce.
    assert [post.message_id for post in posts] == [message.id for message in world.shown() if message.draft.nonce]
    kinds = Counter(post.kind for post in posts)
    assert kinds[PostKind.MARK] == (0 if kinds[PostKind.REPLY] else 1)


def _crash_points() -> list[tuple[Scenario, Act, int, str]]:
    counts = {
        "short": {Act.POST: 1},
        "short, as the bot": {Act.POST: 1},
        "streamed": {Act.POST: 1, Act.EDIT: 1},
        "streamed, as the bot": {Act.POST: 1, Act.EDIT: 1},
        "long": {Act.POST: 2, Act.EDIT: 1},
        "cut": {Act.POST: 1, Act.EDIT: 1},
        "refused": {Act.POST: 1},
        "refused twice": {Act.POST: 2, Act.DELETE: 1},
        "refused, then said": {Act.POST: 2, Act.DELETE: 1},
        "cut, then said": {Act.POST: 2, Act.EDIT: 1, Act.DELETE: 1},
    }
    return [
        (scenario, act, number, fate)
        for scenario in SCENARIOS
        for act, count in counts[scenario.name].items()
        for number in range(count)
        for fate in ("done", "lost", "late")
        # Only a post makes a difference when it comes late.
        if fate != "late" or act is Act.POST
    ]


@pytest.mark.parametrize(
    ("scenario", "act", "number", "fate"),
    _crash_points(),
    ids=[f"{scenario.name}-{act.value}-{nth}-{fate}" for scenario, act, nth, fate in _crash_points()],
)
async def test_wherever_it_stops_one_thing_is_shown_in_the_end(
    world: RelayWorld, scenario: Scenario, act: Act, number: int, fate: str
) -> None:
    gate = Gate()
    held = Outcome(after=gate) if fate == "done" else Outcome(before=gate)
    world.outlet.script(act, *[AS_USUAL] * number, held)
    playing = asyncio.create_task(play(world, scenario))
    await stopped_in(world, playing, gate)
    assert gate.entered.is_set(), "the scenario has fewer calls than thought"
    lost = world.outlet.of(act)[-1]
    fresh = await world.restarted()
    await fresh.recovered()
    if fate == "late":
        assert lost.draft is not None
        assert lost.transport is not None
        fresh.outlet.echo(fresh.outlet.store(lost.destination, lost.transport, lost.draft))
        await fresh.idle_in_time()
    await assert_one_thing_is_shown(fresh)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
async def test_without_a_stop_one_thing_is_shown_too(world: RelayWorld, scenario: Scenario) -> None:
    await play(world, scenario)
    await assert_one_thing_is_shown(world)


STOPS = st.tuples(st.sampled_from([Act.POST, Act.EDIT, Act.DELETE, Act.RECENT]), st.integers(0, 1), st.booleans())


async def _play_with_stops(
    new_database: NewDatabase,
    path: Path,
    scenario: Scenario,
    stops: list[tuple[Act, int, bool]],
    echo: Echo,
    *,
    nonces: bool,
) -> None:
    clock = ManualClock()
    database = await new_database(path, now_ms=clock.now_ms())
    try:
        world = RelayWorld(database, Vault([MasterKey(b"fake-key" * 4)]), clock)
        world.outlet.echoes, world.outlet.nonces_in_history = echo, nonces
        await world.open()
        await world.bind()
        work = asyncio.create_task(play(world, scenario))
        for act, number, carried_out in stops:
            gate = Gate()
            held = Outcome(after=gate) if carried_out else Outcome(before=gate)
            world.outlet.script(act, *[AS_USUAL] * number, held)
            await stopped_in(world, work, gate)
            world = await world.restarted()
            world.outlet.unscript()
            work = asyncio.create_task(world.recovered())
        await asyncio.wait_for(work, PATIENCE_SECONDS)
        for message in world.shown():
            world.outlet.echo(message.id)
        await world.idle_in_time()
        await assert_one_thing_is_shown(world)
    finally:
        await database.close()


@given(
    st.sampled_from([scenario for scenario in SCENARIOS if not scenario.retries]),
    st.lists(STOPS, min_size=1, max_size=3),
    st.sampled_from(list(Echo)),
    st.booleans(),
)
@settings(max_examples=20)
def test_however_often_it_stops_one_thing_is_shown_in_the_end(
    new_database: NewDatabase,
    scenario: Scenario,
    stops: list[tuple[Act, int, bool]],
    echo: Echo,
    nonces: bool,  # noqa: FBT001 - hypothesis fills it.
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_play_with_stops(new_database, Path(folder) / "bot.db", scenario, stops, echo, nonces=nonces))


# What was missed.


async def away(world: RelayWorld) -> RelayWorld:
    """Stop the bot, and return the next run, which has not looked around yet."""
    await world.relay.drain(1)
    return await world.restarted()


async def test_what_was_said_during_a_short_absence_is_answered(world: RelayWorld) -> None:
    await world.ask("Before")
    fresh = await away(world)
    fresh.message("One")
    fresh.message("Two", by=BOB)
    await fresh.recovered()
    assert fresh.upstream.said()[-2:] == [("user", "[Alice] One"), ("user", "[Bob] Two")]
    assert len(fresh.texts()) == 2


async def test_what_comes_during_the_catch_up_is_put_in_its_place_and_answered_once(world: RelayWorld) -> None:
    fresh = await away(world)
    missed = fresh.message("One")
    live = fresh.say("Two")
    fresh.relay.accept(missed)
    await fresh.recovered()
    assert fresh.upstream.said() == [("user", "[Alice] One"), ("user", "[Alice] Two")]
    assert live.id > missed.id
    assert len(fresh.upstream.asked) == 1


async def test_old_messages_get_one_notice_and_no_answer(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("One")
    fresh.message("Two")
    fresh.clock.advance(CATCH_UP_MS / 1_000 + 1)
    fresh.message("Three")
    await fresh.recovered()
    assert fresh.upstream.said() == [("user", "[Alice] Three")]
    assert fresh.texts().count(MISSED_NOTICE) == 1
    assert len(fresh.texts()) == 2


async def test_old_messages_are_told_of_once_over_several_sessions(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("One")
    fresh.clock.advance(CATCH_UP_MS / 1_000 + 1)
    await fresh.recovered()
    for _ in range(2):
        fresh.clock.advance(600)
        fresh.recovery.new_session([GUILD])
        await fresh.recovered()
    assert fresh.texts() == [MISSED_NOTICE]
    assert await fresh.claims() == [("dropped", "missed")]


async def test_what_nobody_would_have_answered_gets_no_notice(world: RelayWorld) -> None:
    await world.bind(OTHER_ROOM, trigger=Trigger.MENTION)
    fresh = await away(world)
    fresh.ignored.ignore(BOB)
    fresh.message("Among ourselves", at=OTHER_ROOM)
    fresh.message("Ignore me", by=BOB)
    fresh.clock.advance(CATCH_UP_MS / 1_000 + 1)
    await fresh.recovered()
    assert fresh.outlet.of(Act.POST) == []


@pytest.mark.parametrize("minutes", [0, 16])
async def test_what_was_said_while_its_author_was_ignored_is_passed_over_once_they_are_heard(
    world: RelayWorld, minutes: int
) -> None:
    fresh = await away(world)
    unheard = fresh.message("My locker opens with 1234")
    fresh.ignored.hear(ALICE, unheard.id)
    fresh.clock.advance(minutes * 60)
    await fresh.recovered()
    assert fresh.texts() == []
    assert await fresh.claims() == []
    await fresh.ask("And now?")
    assert fresh.upstream.said() == [("user", "[Alice] And now?")]


async def test_a_thread_is_caught_up_with_too(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("In the thread", at=THREAD)
    await fresh.recovered()
    assert fresh.texts(THREAD) == ["Hello."]


async def test_a_quiet_server_is_heard_at_once_and_not_looked_at(world: RelayWorld) -> None:
    await world.ask()
    fresh = await away(world)
    fresh.town.history_error = Forbidden()
    await fresh.ready()
    await fresh.ask("Are you back?")
    assert fresh.texts() == ["Hello.", "Hello."]


async def swept(world: RelayWorld) -> None:
    """Forget what is older than the retention."""
    await Retention(world.database).sweep(world.clock.now_ms(), RETENTION_MS)


async def test_a_quiet_channel_gets_no_notice_of_an_absence_however_often_the_bot_starts(world: RelayWorld) -> None:
    run, said = world, await world.ask()
    await world.ask("In the thread", at=THREAD)
    for days in (31, 3, 3):
        run.clock.advance(days * DAY)
        await swept(run)
        run = await away(run)
        for place in (ROOM, THREAD):
            run.town.newest[place] = run.shown(place)[-1].id
        await run.recovered()
    assert run.texts() == run.texts(THREAD) == ["Hello."]
    assert await run.turns.outcome_of(said.id) is None


async def test_what_was_told_of_is_not_told_of_again_once_its_claim_is_pruned(world: RelayWorld) -> None:
    run = await away(world)
    run.message("One")
    run.clock.advance(CATCH_UP_MS / 1_000 + 1)
    await run.recovered()
    for _ in range(2):
        run.clock.advance(3 * DAY)
        await swept(run)
        run = await away(run)
        run.town.newest[ROOM] = run.shown()[-1].id
        await run.recovered()
    assert run.texts() == [MISSED_NOTICE]
    assert await run.claims() == []


async def test_what_is_older_than_what_is_known_of_old_messages_is_not_told_of(world: RelayWorld) -> None:
    # A member's wish to be ignored is forgotten as well.
    fresh = await away(world)
    fresh.message("Long ago")
    fresh.clock.advance(RETENTION_MS / 1_000 + 1)
    await fresh.recovered()
    assert fresh.texts() == []
    assert await fresh.claims() == []


async def test_what_is_said_in_a_channel_that_was_quiet_for_long_is_answered_after_an_absence(
    world: RelayWorld,
) -> None:
    await world.ask()
    world.clock.advance(31 * DAY)
    await swept(world)
    fresh = await away(world)
    fresh.message("Anyone?")
    await fresh.recovered()
    assert fresh.texts() == ["Hello.", "Hello."]


async def test_a_message_older_than_the_newest_reply_is_heard_all_the_same(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("Unheard")
    fresh.outlet.store(fresh.town.destination(ROOM), Transport.BOT, Draft("A notice"))
    await fresh.recovered()
    assert "Hello." in fresh.texts()


async def test_a_paused_channel_is_not_caught_up_with(world: RelayWorld) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    await world.upkeep.pause(binding, PauseCause.UNVERIFIED)
    fresh = await away(world)
    fresh.message("Anyone?")
    await fresh.recovered()
    assert fresh.upstream.asked == []


async def test_a_channel_without_a_character_is_not_looked_at(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("Anyone?", at=OTHER_ROOM)
    fresh.town.history_error = Forbidden()
    await fresh.recovered()
    assert fresh.texts(OTHER_ROOM) == []


async def test_a_history_that_cannot_be_read_is_told_of(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("Anyone?")
    fresh.town.history_error = Forbidden()
    await fresh.recovered()
    assert fresh.texts() == [MISSED_NOTICE]
    fresh.town.history_error = None
    await fresh.ask("Hello?")
    assert fresh.texts()[-1] == "Hello."


async def test_a_history_is_asked_for_again_while_discord_is_busy(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("Anyone?")
    fresh.town.history_error = Busy(1.0)
    getting_ready = asyncio.create_task(fresh.ready())
    await fresh.clock.sleeping()
    fresh.town.history_error = None
    await fresh.in_time(fresh.idle())
    await fresh.in_time(_waited(getting_ready))
    await fresh.idle_in_time()
    assert fresh.texts() == ["Hello."]


async def _waited(task: "asyncio.Task[None]") -> None:
    await task


async def test_a_history_that_goes_on_failing_is_told_of(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("Anyone?")
    fresh.town.history_error = Uncertain()
    await fresh.recovered()
    assert fresh.texts() == [MISSED_NOTICE]


async def test_a_new_session_holds_the_events_until_it_has_caught_up(world: RelayWorld) -> None:
    await world.recovered()
    world.recovery.new_session([GUILD])
    missed = world.message("One")
    world.say("Two")
    await world.relay.inbox.idle()
    assert world.upstream.asked == []
    await world.recovered()
    assert world.upstream.said() == [("user", "[Alice] One"), ("user", "[Alice] Two")]
    assert await world.turns.outcome_of(missed.id) is not None


async def test_a_session_is_served_once(world: RelayWorld) -> None:
    await world.recovered()
    world.recovery.new_session([GUILD])
    world.message("One")
    world.town.history_error = Forbidden()
    await asyncio.gather(world.in_time(world.ready()), world.ready())
    await world.idle_in_time()
    assert world.texts() == [MISSED_NOTICE]


async def test_a_session_that_begins_during_the_catch_up_has_one_of_its_own(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("One")
    getting_ready = asyncio.create_task(fresh.ready())
    await fresh.clock.sleeping()
    fresh.recovery.new_session([GUILD])
    await fresh.in_time(_waited(getting_ready))
    await fresh.relay.inbox.idle()
    assert fresh.upstream.asked == []
    await fresh.recovered()
    assert len(fresh.upstream.asked) == 1


async def test_a_database_in_trouble_does_not_leave_a_server_deaf(world: RelayWorld) -> None:
    fresh = await away(world)
    async with fresh.database.transaction() as tx:
        await tx.execute("ALTER TABLE turn RENAME TO turn_away")
    with pytest.raises(Exception, match="turn"):
        await fresh.ready()
    async with fresh.database.transaction() as tx:
        await tx.execute("ALTER TABLE turn_away RENAME TO turn")
    await fresh.ask("Are you there?")
    assert fresh.texts() == ["Hello."]


class Stubborn:
    """A question to the database that it does not take the first times."""

    def __init__(self, question: Callable[..., Any], tries: int = 2) -> None:
        self._question = question
        self.tries = tries

    def __call__(self, *args: object, **options: object) -> Any:  # noqa: ANN401 - whatever the question returns.
        if self.tries:
            self.tries -= 1
            raise DatabaseLocked(Path("bot.db"))
        return self._question(*args, **options)


async def in_two_tries(world: RelayWorld) -> None:
    """Let the recovery run, whose first question to the database is answered at the third try."""
    recovering = asyncio.create_task(world.ready())
    for seconds in (1.0, 2.0):
        await world.clock.pass_for(seconds)
    await world.in_time(_waited(recovering))
    await world.idle_in_time()


@pytest.mark.parametrize("question", ["unfinished", "newest_claims"])
async def test_a_database_that_takes_nothing_for_a_while_costs_no_old_turn(
    world: RelayWorld, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upstream.script(says(KING))
    fresh = await crashed(world, Act.POST, carried_out=False)
    missed = fresh.message("And then?")
    monkeypatch.setattr(fresh.turns, question, Stubborn(getattr(fresh.turns, question)))
    live = fresh.say("What then?")
    await in_two_tries(fresh)
    assert fresh.texts() == [KING, "Hello."]
    assert missed.id < live.id
    assert fresh.upstream.said()[-2:] == [("user", "[Alice] And then?"), ("user", "[Alice] What then?")]


@pytest.mark.parametrize(("of", "question"), [("relay", "pass_over"), ("announcer", "announce")])
async def test_a_database_that_takes_nothing_for_a_while_costs_no_notice(
    world: RelayWorld, of: str, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = await away(world)
    fresh.message("Long ago")
    fresh.clock.advance(CATCH_UP_MS / 1_000 + 1)
    service = getattr(fresh, of)
    monkeypatch.setattr(service, question, Stubborn(getattr(service, question)))
    await fresh.recovered()
    assert fresh.texts() == [MISSED_NOTICE]
    assert await fresh.claims() == [("dropped", "missed")]


async def test_a_database_that_takes_nothing_for_a_while_leaves_nobody_waiting(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    binding = world.index.get(ROOM)
    assert binding is not None
    conversation = await world.conversation(binding)
    message = world.message("Waiting")
    arrival = Arrival(message.id, GUILD, ROOM, ALICE, "Alice", message.text)
    await world.turns.admit(
        conversation.id, [arrival], AdmissionLimits(20, 0, 0), now_ms=world.clock.now_ms(), day_start_ms=0
    )
    fresh = await away(world)
    monkeypatch.setattr(fresh.turns, "with_work", Stubborn(fresh.turns.with_work))
    await in_two_tries(fresh)
    assert fresh.texts() == ["Hello."]


async def test_a_session_that_begins_while_the_database_takes_nothing_has_a_catch_up_of_its_own(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = await away(world)
    fresh.message("One")
    monkeypatch.setattr(fresh.turns, "unfinished", Stubborn(fresh.turns.unfinished, tries=1))
    getting_ready = asyncio.create_task(fresh.ready())
    await fresh.clock.sleeping()
    fresh.recovery.new_session([GUILD])
    await fresh.in_time(_waited(getting_ready))
    await fresh.relay.inbox.idle()
    assert fresh.upstream.asked == []
    await fresh.recovered()
    assert len(fresh.upstream.asked) == 1


async def test_a_fault_in_the_recovery_is_made_up_for_by_the_next_session(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upstream.script(says(KING))
    fresh = await crashed(world, Act.POST, carried_out=False)
    with monkeypatch.context() as broken:
        broken.setattr(fresh.turns, "newest_claims", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await fresh.ready()
    fresh.recovery.new_session([GUILD])
    await fresh.recovered()
    assert fresh.texts() == [KING]


async def test_a_place_whose_history_is_a_mystery_costs_no_other_place(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    fresh = await away(world)
    fresh.message("Anyone?")
    fresh.town.history_error = ZeroDivisionError()
    await fresh.recovered()
    assert "could not be heard" in caplog.text
    await fresh.ask("Hello?")
    assert fresh.texts() == ["Hello."]


async def test_a_recovery_ends_with_the_process(world: RelayWorld) -> None:
    fresh = await away(world)
    fresh.message("Anyone?")
    getting_ready = asyncio.create_task(fresh.ready())
    await fresh.clock.sleeping()
    await fresh.recovery.aclose()
    await asyncio.gather(getting_ready, return_exceptions=True)
    assert getting_ready.cancelled()
    assert fresh.upstream.asked == []


async def flooded(world: RelayWorld, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen while there is no room for it, and everything go on."""
    with monkeypatch.context() as small:
        small.setattr("bot.services.inbox.MOST_WAITING", 1)
        world.relay.inbox.hold(GUILD)
        world.relay.deleted(GUILD, ROOM, None, [MessageId(1)])
        happens()
    world.relay.inbox.release(GUILD)
    await world.relay.inbox.idle()


async def caught_up_again(world: RelayWorld, *, looks: int) -> None:
    """Let just the time pass in which a catch-up looks at the room so many times, and wait until all is done."""
    for _ in range(looks):
        await world.clock.pass_for(LOOK_SECONDS)
    while recovering := [task for task in asyncio.all_tasks() if task.get_name() == "recovery"]:
        await asyncio.wait(recovering)
    await world.idle()


async def test_what_a_flood_left_out_is_heard_as_soon_as_there_is_room(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.recovered()
    await world.ask("One")
    await flooded(world, monkeypatch, lambda: world.say("Two"))
    await caught_up_again(world, looks=2)
    assert world.upstream.said()[-1] == ("user", "[Alice] Two")
    await world.ask("Three")
    assert await world.claims() == [("answered", None)] * 3


async def test_an_edit_that_a_flood_left_out_is_taken_over(world: RelayWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.recovered()
    message = await world.ask("My number is 555")
    await flooded(world, monkeypatch, lambda: world.relay.edited(world.town.edit(message, "(removed)")))
    await caught_up_again(world, looks=1)
    await world.ask("What did I say?")
    assert world.upstream.said()[0] == ("user", "[Alice] (removed)")


async def test_a_server_that_is_away_after_a_flood_is_caught_up_with_at_its_return(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.recovered()
    world.town.loading.add(GUILD)
    await flooded(world, monkeypatch, lambda: world.say("One"))
    world.say("Two")
    await world.relay.inbox.idle()
    assert await world.claims() == []
    world.town.loading.clear()
    getting_ready = asyncio.create_task(world.ready())
    await caught_up_again(world, looks=1)
    await getting_ready
    await world.idle()
    assert await world.claims() == [("answered", None)] * 2


async def test_a_mistake_in_the_catch_up_after_a_flood_leaves_nobody_deaf(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.recovered()
    with monkeypatch.context() as broken:
        broken.setattr(world.turns, "newest_claims", lambda: 1 / 0)
        await flooded(world, monkeypatch, lambda: world.say("One"))
        await caught_up_again(world, looks=0)
    assert "What was left out" in caplog.text
    await world.ask("Two")
    assert world.texts() == ["Hello."]


# Deletions and edits during an absence.


async def test_a_database_that_takes_nothing_for_a_while_forgets_deletions_all_the_same(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await world.ask("A secret")
    changed = await world.ask("No secret")
    fresh = await away(world)
    fresh.town.said.remove(gone)
    fresh.town.edit(changed, "Nothing at all")
    await fresh.recovered()
    for question in ("newest_claims", "kept_in", "correct", "erase"):
        monkeypatch.setattr(fresh.turns, question, Stubborn(getattr(fresh.turns, question)))
    await mirrored(fresh, ROOM)
    await fresh.ask("What did I say?")
    said = str(fresh.upstream.asked[-1])
    assert "A secret" not in said
    assert "No secret" not in said
    assert "Nothing at all" in said


async def mirrored(world: RelayWorld, *places: ChannelId) -> None:
    """Let the bot look for what was deleted."""
    states = [place for place in world.place_states() if place.destination.place in places]
    await world.in_time(world.recovery.mirror_changes(states))


async def test_what_was_deleted_during_an_absence_is_forgotten(world: RelayWorld) -> None:
    gone = await world.ask("A secret")
    await world.ask("No secret")
    fresh = await away(world)
    fresh.town.said.remove(gone)
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("What did I say?")
    said = str(fresh.upstream.asked[-1])
    assert "A secret" not in said
    assert "No secret" in said


async def test_a_reply_that_was_deleted_during_an_absence_is_forgotten(world: RelayWorld) -> None:
    world.upstream.script(says("Something rash."))
    await world.ask()
    fresh = await away(world)
    del fresh.outlet.messages[fresh.shown()[0].id]
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("What did you say?")
    assert "rash" not in str(fresh.upstream.asked[-1])


async def test_what_was_edited_during_an_absence_reads_so_from_then_on(world: RelayWorld) -> None:
    message = await world.ask("My number is 555")
    await world.ask("And now?")
    fresh = await away(world)
    fresh.town.edit(replace(message, author_name="Alice"), "(removed)")
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("What did I say?")
    assert [text for role, text in fresh.upstream.said() if role == "user"] == [
        "[Alice] (removed)",
        "[Alice] And now?",
        "[Alice] What did I say?",
    ]


async def test_an_edit_during_an_absence_changes_no_name(world: RelayWorld) -> None:
    # A history has no nicknames.
    message = await world.ask("My number is 555")
    fresh = await away(world)
    edited = fresh.town.edit(message, "(removed)")
    fresh.town.said[fresh.town.said.index(edited)] = replace(edited, author_name="alice_1990")
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("What did I say?")
    assert fresh.upstream.said()[0] == ("user", "[Alice] (removed)")


async def test_what_was_not_edited_keeps_its_text_though_a_history_reads_it_otherwise(world: RelayWorld) -> None:
    message = await world.ask("Ask @Bob")
    fresh = await away(world)
    fresh.town.edit(message, "Ask @bob_1990")
    fresh.town.edited.clear()
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("Who?")
    assert fresh.upstream.said()[0] == ("user", "[Alice] Ask @Bob")


@pytest.mark.parametrize("text", ["", "Something new"])
async def test_an_edit_that_may_not_be_known_is_not_taken_over(world: RelayWorld, text: str) -> None:
    message = await world.ask("A memory")
    fresh = await away(world)
    fresh.town.edit(message, text)
    if text:
        fresh.ignored.ignore(ALICE)
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    (turn,) = await fresh.all_turns()
    assert [message.text for message in turn.messages] == ["A memory"]


async def test_an_edit_that_is_heard_while_the_history_is_read_stands(world: RelayWorld) -> None:
    message = await world.ask("First")
    fresh = await away(world)
    second = fresh.town.edit(message, "Second")
    await fresh.recovered()
    state = fresh.place_states()[0]
    mirroring = asyncio.create_task(fresh.recovery.mirror_changes([state]))
    await fresh.clock.sleeping()
    fresh.relay.edited(fresh.town.edit(second, "Third"))
    await fresh.relay.inbox.idle()
    await fresh.in_time(_waited(mirroring))
    (turn,) = await fresh.all_turns()
    assert [message.text for message in turn.messages] == ["Third"]


async def test_a_history_that_cannot_be_read_forgets_nothing(world: RelayWorld) -> None:
    await world.ask("A memory")
    fresh = await away(world)
    fresh.town.said.clear()
    fresh.town.history_error = Forbidden()
    await fresh.ready()
    await mirrored(fresh, ROOM)
    fresh.town.history_error = None
    await fresh.ask("What did I say?")
    assert "A memory" in str(fresh.upstream.asked[-1])


async def test_a_greeting_that_was_deleted_during_an_absence_is_forgotten(world: RelayWorld) -> None:
    await world.greet("Good evening.")
    greeting = world.shown()[0]
    await world.ask("Hi")
    fresh = await away(world)
    del fresh.outlet.messages[greeting.id]
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("Who are you?")
    assert "Good evening." not in str(fresh.upstream.asked[-1])


@pytest.mark.parametrize("may_read", [True, False])
async def test_an_empty_history_forgets_everything_where_it_may_be_read(world: RelayWorld, *, may_read: bool) -> None:
    await world.ask("A memory")
    fresh = await away(world)
    fresh.town.said.clear()
    fresh.outlet.messages.clear()
    fresh.town.may_read = may_read
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("What did I say?")
    assert ("A memory" in str(fresh.upstream.asked[-1])) is not may_read


async def test_what_is_older_than_the_history_shows_is_not_forgotten(world: RelayWorld) -> None:
    await world.ask("A memory")
    fresh = await away(world)
    for number in range(101):
        fresh.outlet.store(fresh.town.destination(ROOM), Transport.BOT, Draft(f"Notice {number}"))
    await fresh.recovered()
    await mirrored(fresh, ROOM)
    await fresh.ask("What did I say?")
    assert "A memory" in str(fresh.upstream.asked[-1])


async def test_places_of_which_nothing_is_kept_are_not_looked_at(world: RelayWorld) -> None:
    message = await world.ask("A memory")
    fresh = await away(world)
    await fresh.ready()
    await fresh.turns.erase([message.id])
    (turn,) = await fresh.all_turns()
    await fresh.posts.gone(MessageId(fresh.shown()[0].id))
    fresh.town.history_error = ZeroDivisionError()
    await mirrored(fresh, ROOM, OTHER_ROOM, THREAD)
    assert turn.state.value == "answered"
