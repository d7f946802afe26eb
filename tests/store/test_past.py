"""What a character is told of the past, and that finding it takes no longer in an old conversation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import pytest

from bot.domain.bindings import Conversation
from bot.domain.ids import ConversationId, MessageId, TurnId, VersionId
from bot.domain.turns import (
    AdmissionLimits,
    Admitted,
    Arrival,
    Past,
    PostKind,
    Refusal,
    Transport,
    Turn,
    TurnState,
    VersionOutcome,
    VersionState,
)
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.posts import Posts
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.store.seed import ALICE, CHANNEL, DAY, GUILD, NOW, PAYER, Seed

LIMITS: Final = AdmissionLimits(1_000, 100_000, 100_000)
EVERYTHING: Final = 100
SEALED: Final = '["Alice", "said so"]'
"""What lies in the vault of a message."""


@dataclass
class Talk:
    """A conversation in the making."""

    turns: Turns
    posts: Posts
    conversation: Conversation

    async def admit(self, *numbers: int) -> None:
        await self.turns.admit(
            self.conversation.id,
            [Arrival(MessageId(number), GUILD, CHANNEL, ALICE, "Alice", f"said {number}") for number in numbers],
            LIMITS,
            now_ms=NOW,
            day_start_ms=NOW,
        )

    async def begin(self) -> TurnId:
        turn = await self.turns.begin(self.conversation.id, PAYER, now_ms=NOW)
        assert turn is not None
        return turn.id

    async def write(self, turn: TurnId, text: str) -> VersionId:
        return await self.posts.begin_version(turn, VersionOutcome(text, VersionState.COMPLETE), now_ms=NOW)

    async def end(self, turn: TurnId) -> None:
        await self.posts.posted_and_ended(turn, TurnState.ANSWERED, posted=[], cause=None, now_ms=NOW)

    async def exchange(self, *numbers: int, reply: str | None) -> TurnId:
        """Say messages, and have one turn answer them."""
        await self.admit(*numbers)
        turn = await self.begin()
        if reply is not None:
            await self.write(turn, reply)
        await self.end(turn)
        return turn

    async def past(
        self, *, before_turn: TurnId | None = None, limit: int = EVERYTHING
    ) -> list[tuple[list[str | None], str | None]]:
        past = await self.turns.past(self.conversation.id, before_turn=before_turn, limit=limit)
        return [([message.text for message in each.messages], each.reply) for each in past.exchanges]

    async def greeting(self) -> str | None:
        past = await self.turns.past(self.conversation.id, before_turn=None, limit=EVERYTHING)
        return past.greeting


@pytest.fixture
async def talk(database: Database, vault: Vault, seed: Seed) -> Talk:
    turns = Turns(database, vault)
    return Talk(turns, Posts(database, turns), await seed.room(await seed.binding()))


async def test_exchanges_come_from_old_to_new_with_what_was_said_and_answered(talk: Talk) -> None:
    await talk.exchange(101, 102, reply="one")
    await talk.exchange(103, reply="two")
    assert await talk.past() == [(["said 101", "said 102"], "one"), (["said 103"], "two")]


async def test_a_turn_that_runs_is_left_out_and_what_waits_is_not_past(talk: Talk) -> None:
    await talk.exchange(101, reply="one")
    await talk.admit(102)
    running = await talk.begin()
    await talk.admit(103)
    assert await talk.past(before_turn=running) == [(["said 101"], "one")]


async def test_a_turn_without_a_reply_leaves_its_messages(talk: Talk) -> None:
    await talk.exchange(101, reply=None)
    assert await talk.past() == [(["said 101"], None)]


async def test_of_several_versions_the_newest_with_a_text_counts(talk: Talk) -> None:
    turn = await talk.exchange(101, reply="first")
    await talk.write(turn, "second")
    await talk.posts.begin_version(turn, None, now_ms=NOW)
    assert await talk.past() == [(["said 101"], "second")]


async def test_an_erased_message_goes_and_its_answer_stays(talk: Talk) -> None:
    await talk.exchange(101, 102, reply="one")
    await talk.turns.erase([MessageId(101)])
    assert await talk.past() == [(["said 102"], "one")]
    await talk.turns.erase([MessageId(102)])
    assert await talk.past() == [([], "one")]


async def test_nothing_from_before_a_reset_is_told(talk: Talk, database: Database) -> None:
    await talk.exchange(101, reply="one")
    await Conversations(database).reset(talk.conversation.id, MessageId(103))
    await talk.exchange(105, reply="two")
    assert await talk.past() == [(["said 105"], "two")]


async def test_a_conversation_that_is_gone_has_no_past(talk: Talk) -> None:
    past = await talk.turns.past(ConversationId(999), before_turn=None, limit=EVERYTHING)
    assert past == Past(None, ())


async def test_what_is_said_in_a_quiet_conversation_is_claimed_and_begun_at_once(talk: Talk) -> None:
    async def say(number: int) -> tuple[list[Admitted | Refusal], Turn | None]:
        arrival = Arrival(MessageId(number), GUILD, CHANNEL, ALICE, "Alice", f"said {number}")
        return await talk.turns.admit_and_begin(
            talk.conversation.id, [arrival], LIMITS, PAYER, now_ms=NOW, day_start_ms=NOW
        )

    results, turn = await say(101)
    assert results == [Admitted.CLAIMED]
    assert turn is not None
    assert [message.text for message in turn.messages] == ["said 101"]
    assert await say(102) == ([Admitted.CLAIMED], None)
    await talk.end(turn.id)
    assert await say(101) == ([Admitted.DUPLICATE], None)
    results, turn = await say(103)
    assert turn is not None
    assert [message.text for message in turn.messages] == ["said 102", "said 103"]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (0, []),
        (1, [(["said 105"], "three")]),
        (2, [(["said 105"], "three")]),
        (3, [(["said 103", "said 104"], "two"), (["said 105"], "three")]),
        (5, [(["said 103", "said 104"], "two"), (["said 105"], "three")]),
        (6, [(["said 101"], "one"), (["said 103", "said 104"], "two"), (["said 105"], "three")]),
    ],
)
async def test_the_limit_counts_messages_and_replies_together(
    talk: Talk, limit: int, expected: list[tuple[list[str], str]]
) -> None:
    await talk.exchange(101, reply="one")
    await talk.exchange(103, 104, reply="two")
    await talk.exchange(105, reply="three")
    assert await talk.past(limit=limit) == expected


async def test_the_newest_greeting_of_the_room_counts_in_its_threads_too(
    talk: Talk, seed: Seed, database: Database
) -> None:
    binding = await seed.binding(channel=talk.conversation.channel_id)
    room = await seed.room(binding)
    thread = Talk(talk.turns, talk.posts, await seed.thread(binding, 77))
    assert await thread.greeting() is None
    for text in ("Hello.", "Hello again."):
        turn = await talk.turns.begin_greeting(room.id, PAYER, text, now_ms=NOW)
        await talk.end(turn.id)
    assert await thread.greeting() == "Hello again."
    own = await talk.turns.begin_greeting(thread.conversation.id, PAYER, "Hello, thread.", now_ms=NOW)
    await talk.end(own.id)
    assert await thread.greeting() == "Hello, thread."
    assert await Talk(talk.turns, talk.posts, room).greeting() == "Hello again."
    other = await Conversations(database).get(room.id)
    assert other == room


# How much work it is


class Connection(Protocol):
    """What the tests need of a connection inside."""

    async def set_progress_handler(self, handler: Callable[[], int] | None, n: int) -> None: ...


async def steps(database: Database, action: Callable[[], Awaitable[object]]) -> int:
    """Count, in tens, the instructions that SQLite carries out for an action."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    inside: list[Connection] = [vars(database)["_writer"], vars(database)["_reader"]]
    for connection in inside:
        await connection.set_progress_handler(step, 10)
    await action()
    for connection in inside:
        await connection.set_progress_handler(None, 0)
    return count


async def test_a_reply_takes_no_more_work_in_a_conversation_of_a_thousand(
    talk: Talk, database: Database, seed: Seed
) -> None:
    async def reply(first: int) -> int:
        async def action() -> None:
            await talk.admit(first)
            turn = await talk.begin()
            await talk.turns.past(talk.conversation.id, before_turn=turn, limit=20)
            post, version = await talk.posts.intend(
                turn,
                PostKind.REPLY,
                0,
                channel_id=CHANNEL,
                thread_id=None,
                transport=Transport.WEBHOOK,
                now_ms=NOW,
                begin_version=True,
                outcome=VersionOutcome("a reply", VersionState.COMPLETE),
            )
            assert version is not None
            await talk.posts.posted_and_ended(
                turn, TurnState.ANSWERED, posted=[(post, MessageId(first + 1))], cause=None, now_ms=NOW
            )
            await talk.turns.failed_just_before(turn, "cut", since_ms=NOW)
            await talk.turns.last_authors(talk.conversation.id, 3)

        return await steps(database, action)

    for number in range(30):
        turn = await seed.turn(talk.conversation)
        await seed.message(talk.conversation, 1_000 + number, turn=turn, text=SEALED, claimed_at=NOW - DAY)
    young = await reply(5_000)
    for number in range(1_000):
        turn = await seed.turn(talk.conversation)
        await seed.message(talk.conversation, 10_000 + number, turn=turn, text=SEALED, claimed_at=NOW - DAY)
    old = await reply(50_000)
    assert 0 < old < young * 1.2
