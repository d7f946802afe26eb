"""The queue against a model: whatever happens, in whatever order, and wherever the process or a task is stopped."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ids import ChannelId, ConversationId, GuildId, MessageId, PayerId, TurnId, UserId
from bot.domain.turns import AdmissionLimits, Admitted, Arrival, Refusal, TurnState
from bot.store.database import Database
from bot.store.turns import Turns
from bot.store.vault import MasterKey, Vault

NOW = 1_800_000_000_000
PAYER = PayerId("operator")
LIMITS = AdmissionLimits(waiting=3, member_per_day=6, guild_per_day=0)
CONVERSATIONS = (1, 2)
MESSAGES = tuple(range(101, 121))
AUTHORS = (7, 8)
VAULT = Vault([MasterKey(b"fake-key" * 4)])

conversations = st.sampled_from(CONVERSATIONS)
messages = st.sampled_from(MESSAGES)
steps_before_cancel = st.integers(0, 14)
operations = st.one_of(
    st.tuples(st.just("admit"), conversations, st.lists(messages, min_size=1, max_size=3), st.sampled_from(AUTHORS)),
    st.tuples(st.just("begin"), conversations),
    st.tuples(st.just("end"), conversations, st.sampled_from([TurnState.ANSWERED, TurnState.FAILED])),
    st.tuples(st.just("again"), conversations),
    st.tuples(st.just("erase"), messages),
    st.tuples(st.just("cut_admit"), conversations, messages, steps_before_cancel),
    st.tuples(st.just("cut_begin"), conversations, steps_before_cancel),
    st.tuples(st.just("restart")),
)


@dataclass
class Model:
    """What should be so, in the plainest words."""

    state: dict[int, str] = field(default_factory=dict[int, str])
    owner: dict[int, int] = field(default_factory=dict[int, int])
    author: dict[int, int] = field(default_factory=dict[int, int])
    turn_of: dict[int, int] = field(default_factory=dict[int, int])
    running: dict[int, int] = field(default_factory=dict[int, int])
    again: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    ended: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    answered: set[int] = field(default_factory=set[int])

    def waiting(self, conversation: int) -> list[int]:
        return sorted(m for m, state in self.state.items() if state == "waiting" and self.owner[m] == conversation)

    def admit(self, conversation: int, message: int, author: int) -> Admitted | Refusal:
        if message in self.state:
            return Admitted.DUPLICATE
        self.owner[message], self.author[message] = conversation, author
        taken = sum(1 for m, state in self.state.items() if self.author[m] == author and state != "dropped")
        refused = None
        if taken >= LIMITS.member_per_day:
            refused = Refusal.MEMBER_CAP
        elif len(self.waiting(conversation)) >= LIMITS.waiting:
            refused = Refusal.QUEUE_FULL
        self.state[message] = "dropped" if refused else "waiting"
        return refused or Admitted.CLAIMED

    def begin(self, conversation: int) -> tuple[int | None, list[int]] | None:
        """Return the turn that begins (None for a new one) and its messages, or None when none does."""
        if conversation in self.running:
            return None
        if self.again.get(conversation):
            turn = min(self.again[conversation])
            return turn, sorted(m for m, t in self.turn_of.items() if t == turn)
        waiting = self.waiting(conversation)
        return (None, waiting) if waiting else None

    def begun(self, conversation: int, turn: int, taken: list[int]) -> None:
        self.running[conversation] = turn
        if turn in self.again.get(conversation, []):
            self.again[conversation].remove(turn)
        for message in taken:
            self.turn_of[message] = turn
            self.state[message] = "running" if self.state[message] != "dropped" else "dropped"


def arrival(conversation: int, message: int, author: int) -> Arrival:
    return Arrival(
        MessageId(message), GuildId(1), ChannelId(conversation), UserId(author), f"Member {author}", f"text {message}"
    )


async def cut(work: asyncio.Task[object], steps: int) -> None:
    """Cancel a task after a number of turns of the event loop, wherever that finds it."""
    for _ in range(steps):
        if work.done():
            break
        await asyncio.sleep(0)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def open_queue(path: Path) -> tuple[Database, Turns]:
    database = await Database.open(path, now_ms=NOW)
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO character (ref, id, facts, rating, seen_at) VALUES (1, 'c', '{}', 0, 0) ON CONFLICT DO NOTHING"
        )
        for conversation in CONVERSATIONS:
            await tx.execute(
                "INSERT INTO binding (id, guild_id, channel_id, character_ref, trigger_mode, state, bound_by, payer, "
                "active_from, created_at) VALUES ($1, 1, $1, 1, 'every', 'active', 7, 'operator', 0, 0) "
                "ON CONFLICT DO NOTHING",
                conversation,
            )
            await tx.execute(
                "INSERT INTO conversation (id, binding_id, scope, scope_id, guild_id, channel_id, starts_after, "
                "created_at) VALUES ($1, $1, 'room', $1, 1, $1, 0, 0) ON CONFLICT DO NOTHING",
                conversation,
            )
    return database, Turns(database, VAULT)


class Run:
    """The real queue beside the model."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = Model()

    async def play(self, script: list[tuple[object, ...]]) -> None:
        self.database, self.turns = await open_queue(self.path)
        try:
            for name, *values in script:
                await getattr(self, f"do_{name}")(*values)
                await self.check()
        finally:
            await self.database.close()

    async def do_admit(self, conversation: int, ids: list[int], author: int) -> None:
        expected = [self.model.admit(conversation, message, author) for message in ids]
        arrivals = [arrival(conversation, message, author) for message in ids]
        actual = await self.turns.admit(ConversationId(conversation), arrivals, LIMITS, now_ms=NOW, day_start_ms=0)
        assert actual == expected

    async def do_begin(self, conversation: int) -> None:
        expected = self.model.begin(conversation)
        turn = await self.turns.begin(ConversationId(conversation), PAYER, now_ms=NOW)
        if expected is None:
            assert turn is None
            return
        assert turn is not None
        known, taken = expected
        assert known in (None, turn.id)
        assert [message.message_id for message in turn.messages] == taken
        self.model.begun(conversation, turn.id, taken)

    async def do_end(self, conversation: int, state: TurnState) -> None:
        turn = self.model.running.pop(conversation, None)
        if turn is None:
            return
        await self.turns.finish(TurnId(turn), state, now_ms=NOW)
        self.model.ended.setdefault(conversation, []).append(turn)
        if state is TurnState.ANSWERED:
            self.model.answered.add(turn)
        for message, owner in self.model.turn_of.items():
            if owner == turn and self.model.state[message] != "dropped":
                self.model.state[message] = state.value

    async def do_again(self, conversation: int) -> None:
        for turn in self.model.ended.get(conversation, [])[-1:]:
            asked = turn in self.model.again.get(conversation, [])
            ended = turn != self.model.running.get(conversation) and turn not in self.model.answered
            expected = not asked and ended
            assert await self.turns.ask_again(TurnId(turn)) is expected
            if expected:
                self.model.again.setdefault(conversation, []).append(turn)

    async def do_erase(self, message: int) -> None:
        await self.turns.erase([MessageId(message)])
        if self.model.state.get(message) == "waiting":
            self.model.state[message] = "dropped"

    async def do_cut_admit(self, conversation: int, message: int, steps: int) -> None:
        work = self.turns.admit(
            ConversationId(conversation), [arrival(conversation, message, 7)], LIMITS, now_ms=NOW, day_start_ms=0
        )
        await cut(asyncio.ensure_future(work), steps)
        if message not in self.model.state and await self.turns.outcome_of(MessageId(message)) is not None:
            self.model.admit(conversation, message, 7)

    async def do_cut_begin(self, conversation: int, steps: int) -> None:
        expected = self.model.begin(conversation)
        await cut(asyncio.ensure_future(self.turns.begin(ConversationId(conversation), PAYER, now_ms=NOW)), steps)
        begun = [turn for turn in await self.turns.unfinished() if turn.conversation_id == conversation]
        if begun and conversation not in self.model.running:
            assert expected is not None
            assert [message.message_id for message in begun[0].messages] == expected[1]
            self.model.begun(conversation, begun[0].id, expected[1])

    async def do_restart(self) -> None:
        await self.database.close()
        self.database, self.turns = await open_queue(self.path)
        assert {turn.conversation_id: turn.id for turn in await self.turns.unfinished()} == self.model.running
        with_work = {owner for m, owner in self.model.owner.items() if self.model.state[m] == "waiting"}
        with_work |= {conversation for conversation, turns in self.model.again.items() if turns}
        assert set(await self.turns.with_work()) == with_work

    async def check(self) -> None:
        rows = await self.database.read("SELECT message_id, conversation_id, state, turn_id FROM claim")
        actual = {row["message_id"]: (row["conversation_id"], row["state"], row["turn_id"]) for row in rows}
        expected = {
            message: (self.model.owner[message], self.model.state[message], self.model.turn_of.get(message))
            for message in self.model.state
        }
        assert actual == expected


@given(st.lists(operations, min_size=1, max_size=25))
@settings(max_examples=60)
def test_every_message_is_claimed_once_and_belongs_to_one_turn(script: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(Run(Path(folder) / "bot.db").play(script))
