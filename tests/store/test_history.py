"""What a character remembers of a conversation when a turn is run, or run again."""

import json

import pytest

from bot.domain.ids import ConversationId, TurnId
from bot.store.database import Database
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.store.seed import Seed


@pytest.fixture
def turns(database: Database, vault: Vault) -> Turns:
    return Turns(database, vault)


async def three_turns(seed: Seed) -> tuple[list[TurnId], ConversationId]:
    """Write a question and an answer three times over; the second turn has two questions."""
    room = await seed.room(await seed.binding())
    ids: list[TurnId] = []
    for number, questions in enumerate(((11,), (21, 22), (31,))):
        turn = await seed.turn(room, reply=f"answer {number}")
        for message_id in questions:
            await seed.message(room, message_id, turn=turn, text=json.dumps(["Alice", f"question {message_id}"]))
        ids.append(turn)
    return ids, room.id


async def remembered(
    turns: Turns, conversation_id: ConversationId, before: TurnId | None, limit: int = 10
) -> list[str | None]:
    past = await turns.past(conversation_id, before_turn=before, limit=limit)
    return [text for each in past.exchanges for text in (*(message.text for message in each.messages), each.reply)]


async def test_all_of_it_is_remembered_in_order(turns: Turns, seed: Seed) -> None:
    _, room = await three_turns(seed)
    assert await remembered(turns, room, None) == [
        *("question 11", "answer 0"),
        *("question 21", "question 22", "answer 1"),
        *("question 31", "answer 2"),
    ]


async def test_a_turn_that_is_run_again_knows_only_what_was_before_it(turns: Turns, seed: Seed) -> None:
    (first, second, third), room = await three_turns(seed)
    assert await remembered(turns, room, first) == []
    assert await remembered(turns, room, second) == ["question 11", "answer 0"]
    assert await remembered(turns, room, third) == [
        "question 11",
        "answer 0",
        "question 21",
        "question 22",
        "answer 1",
    ]
    assert await remembered(turns, room, third, limit=1) == ["question 22", "answer 1"]
