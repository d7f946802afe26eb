"""The queue statement by statement; test_turns_model.py plays it against a model, test_past.py reads from it."""

import logging
from dataclasses import replace

import pytest

from bot.domain.bindings import Conversation
from bot.domain.ids import GuildId, MessageId, PayerId, TurnId
from bot.domain.payers import member_payer
from bot.domain.turns import (
    AdmissionLimits,
    Admitted,
    Arrival,
    PostKind,
    Refusal,
    Transport,
    Turn,
    TurnKind,
    TurnMessage,
    TurnState,
    VersionOutcome,
    VersionState,
)
from bot.store.database import Database
from bot.store.posts import Posts
from bot.store.turns import Turns
from bot.store.vault import MasterKey, Vault
from tests.store.seed import ALICE, BOB, CHANNEL, DAY, GUILD, NOW, PAYER, Seed

NO_LIMITS = AdmissionLimits(100, 0, 0)
LOST_KEY = Vault([MasterKey(b"other-key" + b"!" * 23)])


class Queue:
    """The queue of one room, with the clock standing still unless told otherwise."""

    def __init__(self, database: Database, vault: Vault, room: Conversation) -> None:
        self.database = database
        self.turns = Turns(database, vault)
        self.posts = Posts(database, self.turns)
        self.room = room

    async def admit(
        self,
        *numbers: int,
        limits: AdmissionLimits = NO_LIMITS,
        author: int = ALICE,
        guild: GuildId = GUILD,
        now: int = NOW,
    ) -> list[Admitted | Refusal]:
        arrivals = [
            Arrival(MessageId(number), guild, CHANNEL, type(ALICE)(author), "Alice", f"text {number}")
            for number in numbers
        ]
        return await self.turns.admit(self.room.id, arrivals, limits, now_ms=now, day_start_ms=now - now % DAY)

    async def begin(self, *numbers: int, now: int = NOW) -> Turn:
        """Let some messages in and make them the running turn."""
        if numbers:
            await self.admit(*numbers)
        turn = await self.turns.begin(self.room.id, PAYER, now_ms=now)
        assert turn is not None
        return turn

    async def fail(self, turn: Turn, cause: str = "busy", *, marked: bool = True, now: int = NOW) -> None:
        """End a turn with a mark."""
        if marked:
            post_id, _ = await self.posts.intend(
                turn.id,
                PostKind.MARK,
                0,
                channel_id=CHANNEL,
                thread_id=None,
                transport=Transport.BOT,
                now_ms=now,
            )
            await self.posts.posted(post_id, MessageId(10_000 + turn.id))
        await self.turns.finish(turn.id, TurnState.FAILED, cause=cause, now_ms=now)

    async def claims(self) -> list[tuple[int, str, str | None, int | None, bool]]:
        rows = await self.database.read("SELECT message_id, state, cause, turn_id, body FROM claim ORDER BY message_id")
        return [
            (row["message_id"], row["state"], row["cause"], row["turn_id"], row["body"] is not None) for row in rows
        ]


@pytest.fixture
async def queue(database: Database, vault: Vault, seed: Seed) -> Queue:
    return Queue(database, vault, await seed.room(await seed.binding()))


# Letting in.


async def test_a_message_is_claimed_once(queue: Queue) -> None:
    assert await queue.admit(101, 102, 101) == [Admitted.CLAIMED, Admitted.CLAIMED, Admitted.DUPLICATE]
    assert await queue.admit(101) == [Admitted.DUPLICATE]
    assert await queue.claims() == [(101, "waiting", None, None, True), (102, "waiting", None, None, True)]


async def test_a_full_queue_refuses_and_keeps_no_text(queue: Queue) -> None:
    limits = AdmissionLimits(2, 0, 0)
    results = await queue.admit(101, 102, 103, limits=limits)
    assert results == [Admitted.CLAIMED, Admitted.CLAIMED, Refusal.QUEUE_FULL]
    assert (await queue.claims())[2] == (103, "dropped", "queue_full", None, False)
    assert await queue.admit(103) == [Admitted.DUPLICATE]


async def test_the_days_of_members_and_servers_are_counted_without_what_was_refused(queue: Queue) -> None:
    members = AdmissionLimits(100, 2, 0)
    assert await queue.admit(101, 102, 103, limits=members) == [Admitted.CLAIMED] * 2 + [Refusal.MEMBER_CAP]
    assert await queue.admit(104, limits=members, author=BOB) == [Admitted.CLAIMED]
    servers = AdmissionLimits(100, 0, 4)
    assert await queue.admit(105, 106, limits=servers, author=BOB) == [Admitted.CLAIMED, Refusal.GUILD_CAP]
    assert await queue.admit(107, limits=AdmissionLimits(100, 1, 1), now=NOW + DAY) == [Admitted.CLAIMED]


async def test_the_day_of_a_member_is_counted_in_each_server_for_itself(queue: Queue) -> None:
    limits = AdmissionLimits(100, 1, 0)
    assert await queue.admit(101, 102, limits=limits) == [Admitted.CLAIMED, Refusal.MEMBER_CAP]
    assert await queue.admit(103, limits=limits, guild=GuildId(GUILD + 1)) == [Admitted.CLAIMED]


async def test_what_is_passed_over_is_claimed_without_its_text(queue: Queue) -> None:
    arrival = Arrival(MessageId(101), GUILD, CHANNEL, ALICE, "Alice", "long ago")
    for _ in range(2):
        await queue.turns.pass_over(queue.room.id, [arrival], "missed", now_ms=NOW)
    assert await queue.claims() == [(101, "dropped", "missed", None, False)]
    assert await queue.admit(101) == [Admitted.DUPLICATE]


# Beginning and ending.


async def test_all_that_waits_becomes_one_turn(queue: Queue) -> None:
    turn = await queue.begin(103, 101, 102)
    assert (turn.kind, turn.state, turn.attempts, turn.payer) == (TurnKind.REPLY, TurnState.RUNNING, 1, PAYER)
    assert turn.messages == tuple(
        TurnMessage(MessageId(number), ALICE, "Alice", f"text {number}") for number in (101, 102, 103)
    )


async def test_nothing_begins_while_a_turn_runs_or_nothing_waits(queue: Queue) -> None:
    assert await queue.turns.begin(queue.room.id, PAYER, now_ms=NOW) is None
    await queue.begin(101)
    await queue.admit(102)
    assert await queue.turns.begin(queue.room.id, PAYER, now_ms=NOW) is None


async def test_a_greeting_does_not_keep_messages_waiting(queue: Queue) -> None:
    greeting = await queue.turns.begin_greeting(queue.room.id, PAYER, "Good evening.", now_ms=NOW)
    assert (greeting.kind, greeting.messages) == (TurnKind.GREETING, ())
    version = await queue.turns.latest_version(greeting.id)
    assert version is not None
    assert (version.state, version.text) == (VersionState.COMPLETE, "Good evening.")
    assert (await queue.begin(101)).kind is TurnKind.REPLY


async def test_an_ended_turn_takes_its_messages_with_it_and_leaves_no_intent(queue: Queue) -> None:
    turn = await queue.begin(101)
    await queue.posts.intend(
        turn.id, PostKind.REPLY, 0, channel_id=CHANNEL, thread_id=None, transport=Transport.BOT, now_ms=NOW
    )
    await queue.turns.finish(turn.id, TurnState.FAILED, cause="busy", now_ms=NOW)
    assert await queue.claims() == [(101, "failed", "busy", turn.id, True)]
    assert await queue.posts.of_turn(turn.id) == []
    ended = await queue.turns.get(turn.id)
    assert ended is not None
    assert (ended.state, ended.cause) == (TurnState.FAILED, "busy")


async def test_a_turn_asked_for_again_goes_first_and_under_the_payer_of_the_day(queue: Queue) -> None:
    first = await queue.begin(101)
    await queue.fail(first)
    await queue.admit(102)
    assert await queue.turns.ask_again(first.id)
    assert not await queue.turns.ask_again(first.id)
    again = await queue.turns.begin(queue.room.id, PayerId("guild"), now_ms=NOW)
    assert again is not None
    assert (again.id, again.attempts, again.payer, again.cause) == (first.id, 2, "guild", None)
    assert [message.message_id for message in again.messages] == [101]
    assert not await queue.turns.ask_again(first.id)


@pytest.mark.parametrize("state", [TurnState.FAILED, TurnState.DROPPED])
async def test_any_turn_that_ended_without_an_answer_can_be_asked_for_again(queue: Queue, state: TurnState) -> None:
    turn = await queue.begin(101)
    await queue.turns.finish(turn.id, state, cause="paused", now_ms=NOW)
    assert await queue.turns.ask_again(turn.id)
    assert (await queue.begin()).id == turn.id


async def test_an_answered_turn_stays_as_it_is(queue: Queue) -> None:
    turn = await queue.begin(101)
    await queue.turns.finish(turn.id, TurnState.ANSWERED, now_ms=NOW)
    assert not await queue.turns.ask_again(turn.id)
    kept = await queue.turns.get(turn.id)
    assert kept is not None
    assert kept.state is TurnState.ANSWERED


async def test_the_log_tells_each_state_of_a_turn_and_none_of_its_words(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "bot.store.turns"):
        turn = await queue.begin(1)
        await queue.fail(turn)
        await queue.turns.ask_again(turn.id)
        await queue.begin()
        await queue.turns.finish(turn.id, TurnState.ANSWERED, now_ms=NOW)
    assert caplog.messages == [
        f"Turn {turn.id} of conversation {queue.room.id}: running, attempt 1",
        f"Turn {turn.id}: failed, busy",
        f"Turn {turn.id}: waiting to be asked again",
        f"Turn {turn.id} of conversation {queue.room.id}: running, attempt 2",
        f"Turn {turn.id}: answered",
    ]


async def test_a_turn_that_nobody_knows_cannot_be_asked_for_again(queue: Queue) -> None:
    assert not await queue.turns.ask_again(TurnId(99))
    assert await queue.turns.get(TurnId(99)) is None


async def test_only_a_running_turn_is_run_again(queue: Queue) -> None:
    turn = await queue.begin(101)
    again = await queue.turns.run_again(turn.id, now_ms=NOW + 1)
    assert again is not None
    assert (again.attempts, [message.text for message in again.messages]) == (2, ["text 101"])
    await queue.fail(turn)
    assert await queue.turns.run_again(turn.id, now_ms=NOW) is None


async def test_a_turn_can_be_charged_to_somebody_else(queue: Queue) -> None:
    turn = await queue.begin(101)
    await queue.turns.charge(turn.id, member_payer(ALICE))
    charged = await queue.turns.get(turn.id)
    assert charged is not None
    assert charged.payer == "member:31"


async def test_what_a_stop_left_is_found(queue: Queue, seed: Seed) -> None:
    other = await seed.thread(await seed.binding(), 77)
    turn = await queue.begin(101)
    await queue.admit(102)
    await seed.turn(other, state="waiting", reply=None)
    assert [each.id for each in await queue.turns.unfinished()] == [turn.id]
    assert set(await queue.turns.with_work()) == {queue.room.id, other.id}


async def test_what_waits_can_be_dropped(queue: Queue) -> None:
    first = await queue.begin(101)
    await queue.fail(first)
    await queue.turns.ask_again(first.id)
    await queue.admit(102)
    await queue.turns.drop_waiting(queue.room.id, "unbound")
    assert (await queue.claims())[1] == (102, "dropped", "unbound", None, False)
    ended = await queue.turns.get(first.id)
    assert ended is not None
    assert (ended.state, ended.cause) == (TurnState.FAILED, "unbound")
    assert await queue.turns.with_work() == []


# Failures that share a mark.


async def test_a_failure_right_behind_another_of_its_cause_is_found(queue: Queue) -> None:
    first = await queue.begin(101)
    await queue.fail(first)
    second = await queue.begin(102)
    assert await queue.turns.failed_just_before(second.id, "busy", since_ms=NOW) == first.id


@pytest.mark.parametrize(
    ("cause", "since", "marked"), [("balance", NOW, True), ("busy", NOW + 1, True), ("busy", NOW, False)]
)
async def test_another_cause_too_long_ago_or_without_a_mark_does_not_count(
    queue: Queue, cause: str, since: int, *, marked: bool
) -> None:
    await queue.fail(await queue.begin(101), marked=marked)
    second = await queue.begin(102)
    assert await queue.turns.failed_just_before(second.id, cause, since_ms=since) is None


async def test_a_mark_that_was_deleted_stands_for_nothing_more(queue: Queue) -> None:
    first = await queue.begin(101)
    await queue.fail(first)
    await queue.posts.gone(MessageId(10_000 + first.id))
    second = await queue.begin(102)
    assert await queue.turns.failed_just_before(second.id, "busy", since_ms=NOW) is None


async def test_what_came_between_parts_two_failures(queue: Queue, seed: Seed) -> None:
    await queue.fail(await queue.begin(101))
    await queue.turns.finish((await queue.begin(102)).id, TurnState.ANSWERED, now_ms=NOW)
    third = await queue.begin(103)
    assert await queue.turns.failed_just_before(third.id, "busy", since_ms=NOW) is None
    elsewhere = Queue(queue.database, seed.vault, await seed.thread(await seed.binding(), 77))
    fourth = await elsewhere.begin(104)
    assert await queue.turns.failed_just_before(fourth.id, "busy", since_ms=NOW) is None


async def test_a_folded_turns_messages_belong_to_the_earlier_one(queue: Queue) -> None:
    first = await queue.begin(101)
    await queue.fail(first)
    second = await queue.begin(102)
    await queue.turns.fold(second.id, first.id)
    assert await queue.turns.get(second.id) is None
    assert await queue.claims() == [(101, "failed", "busy", first.id, True), (102, "failed", "busy", first.id, True)]
    await queue.turns.ask_again(first.id)
    assert [message.message_id for message in (await queue.begin()).messages] == [101, 102]


# Texts.


async def test_an_edited_message_has_its_new_text_and_name(queue: Queue) -> None:
    turn = await queue.begin(101)
    assert await queue.turns.rewrite(MessageId(101), "Alice II", "better")
    edited = await queue.turns.get(turn.id)
    assert edited is not None
    assert edited.messages[0] == TurnMessage(MessageId(101), ALICE, "Alice II", "better")


async def test_an_edit_does_not_bring_an_erased_text_back(queue: Queue) -> None:
    await queue.begin(101)
    await queue.turns.erase([MessageId(101)])
    assert not await queue.turns.rewrite(MessageId(101), "Alice", "again")
    assert not await queue.turns.rewrite(MessageId(999), "Alice", "never claimed")
    assert (await queue.claims())[0][-1] is False


async def test_erasing_ends_what_waits_and_leaves_the_state_of_the_rest(queue: Queue) -> None:
    turn = await queue.begin(101)
    await queue.admit(102)
    await queue.turns.erase([MessageId(101), MessageId(102), MessageId(999)])
    assert await queue.claims() == [
        (101, "running", None, turn.id, False),
        (102, "dropped", "deleted", None, False),
    ]


async def test_a_reply_is_forgotten_in_all_its_versions(queue: Queue) -> None:
    turn = await queue.begin(101)
    for text in ("one", "two"):
        await queue.posts.begin_version(turn.id, VersionOutcome(text, VersionState.COMPLETE), now_ms=NOW)
    await queue.turns.erase_reply(turn.id)
    rows = await queue.database.read("SELECT body FROM version")
    assert [row["body"] for row in rows] == [None, None]


async def test_the_newest_version_counts(queue: Queue) -> None:
    turn = await queue.begin(101)
    assert await queue.turns.latest_version(turn.id) is None
    await queue.posts.begin_version(turn.id, VersionOutcome("one", VersionState.PARTIAL), now_ms=NOW)
    second = await queue.posts.begin_version(turn.id, None, now_ms=NOW)
    version = await queue.turns.latest_version(turn.id)
    assert version is not None
    assert (version.id, version.number, version.state, version.text) == (second, 2, VersionState.WRITING, None)


async def test_an_answer_to_messages_that_are_all_erased_is_not_kept(queue: Queue) -> None:
    turn = await queue.begin(101, 102)
    version = await queue.posts.begin_version(turn.id, None, now_ms=NOW)
    await queue.turns.erase([MessageId(101)])
    await queue.posts.settle_version(version, VersionOutcome("kept", VersionState.COMPLETE), now_ms=NOW)
    kept = await queue.turns.latest_version(turn.id)
    assert kept is not None
    assert kept.text == "kept"
    await queue.turns.erase([MessageId(102)])
    await queue.posts.settle_version(version, VersionOutcome("gone", VersionState.COMPLETE), now_ms=NOW)
    gone = await queue.turns.latest_version(turn.id)
    assert gone is not None
    assert (gone.state, gone.text) == (VersionState.COMPLETE, None)


async def test_with_a_lost_key_the_past_is_blank_and_the_queue_goes_on(queue: Queue) -> None:
    turn = await queue.begin(101)
    await queue.posts.begin_version(turn.id, VersionOutcome("one", VersionState.COMPLETE), now_ms=NOW)
    await queue.fail(turn)
    keyless = Turns(queue.database, LOST_KEY)
    found = await keyless.get(turn.id)
    assert found is not None
    assert found.messages == (TurnMessage(MessageId(101), ALICE, None, None),)
    version = await keyless.latest_version(turn.id)
    assert version is not None
    assert version.text is None
    assert (await queue.begin(102)).messages[0].text == "text 102"


# What is asked of the claims.


async def test_the_newest_claim_of_each_place_is_known(queue: Queue, seed: Seed) -> None:
    assert await queue.turns.newest_claims() == {}
    await queue.admit(101, 103, 102)
    await seed.turn(queue.room, post=999)
    assert await queue.turns.newest_claims() == {CHANNEL: 103}


async def test_the_messages_whose_text_is_kept_are_known(queue: Queue) -> None:
    await queue.admit(101, 102, 103)
    await queue.turns.erase([MessageId(102)])
    kept = [TurnMessage(MessageId(number), ALICE, "Alice", f"text {number}") for number in (103, 101)]
    assert await queue.turns.kept_in(CHANNEL) == kept
    assert await queue.turns.kept_in(CHANNEL, limit=1) == kept[:1]


async def test_a_text_is_corrected_only_where_it_still_is_what_was_read(queue: Queue) -> None:
    await queue.admit(101, 102)
    second, first = await queue.turns.kept_in(CHANNEL)
    await queue.turns.correct(first, "better")
    await queue.turns.correct(first, "too late")
    await queue.turns.erase([second.message_id])
    await queue.turns.correct(second, "never")
    assert await queue.turns.kept_in(CHANNEL) == [replace(first, text="better")]


async def test_a_text_that_cannot_be_read_is_not_corrected(queue: Queue) -> None:
    await queue.admit(101)
    keyless = Turns(queue.database, LOST_KEY)
    (unread,) = await keyless.kept_in(CHANNEL)
    await keyless.correct(unread, "better")
    (kept,) = await queue.turns.kept_in(CHANNEL)
    assert kept.text == "text 101"


async def test_what_became_of_a_message_is_known(queue: Queue) -> None:
    turn = await queue.begin(101)
    await queue.fail(turn, "balance")
    await queue.admit(102)
    assert await queue.turns.outcome_of(MessageId(101)) == ("failed", "balance", turn.id)
    assert await queue.turns.outcome_of(MessageId(102)) == ("waiting", None, None)
    assert await queue.turns.outcome_of(MessageId(103)) is None


async def test_the_newest_authors_come_first(queue: Queue) -> None:
    await queue.admit(101)
    await queue.admit(102, author=BOB)
    assert await queue.turns.last_authors(queue.room.id, 5) == [BOB, ALICE]
    assert await queue.turns.last_authors(queue.room.id, 1) == [BOB]
