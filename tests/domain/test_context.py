import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.context import HOUSE_NOTE, LEFT_OUT_NOTE, ContextBudget, input_items
from bot.domain.conversation import InputItem
from bot.domain.ids import MessageId, TurnId, UserId
from bot.domain.turns import Exchange, TurnMessage

ALICE, BOB = UserId(1), UserId(2)
AMPLE = ContextBudget(100, 100_000)
NOTE = InputItem("developer", HOUSE_NOTE)


def said(number: int, text: str | None, *, by: UserId = ALICE, name: str | None = "Alice") -> TurnMessage:
    return TurnMessage(MessageId(number), by, name, text)


def exchange(number: int, *messages: TurnMessage, reply: str | None = "a reply") -> Exchange:
    return Exchange(TurnId(number), messages, reply)


def test_all_of_it_in_its_order() -> None:
    history = [exchange(1, said(1, "One")), exchange(2, said(2, "Two", by=BOB, name="Bob"), reply="second")]
    items = input_items("Good evening.", history, [said(3, "Three")], AMPLE)
    assert items == (
        NOTE,
        InputItem("assistant", "Good evening."),
        InputItem("user", "[Alice] One"),
        InputItem("assistant", "a reply"),
        InputItem("user", "[Bob] Two"),
        InputItem("assistant", "second"),
        InputItem("user", "[Alice] Three"),
    )


def test_without_greeting_or_history() -> None:
    assert input_items(None, [], [said(1, "Hi")], AMPLE) == (NOTE, InputItem("user", "[Alice] Hi"))


def test_what_was_erased_is_left_out_and_its_answer_stays() -> None:
    history = [exchange(1, said(1, None, name=None)), exchange(2, said(2, "Two"), reply=None)]
    items = input_items(None, history, [said(3, "Three"), said(4, None, name=None)], AMPLE)
    assert [item.text for item in items[1:]] == ["a reply", "[Alice] Two", "[Alice] Three"]


def test_the_newest_history_is_kept() -> None:
    history = [exchange(number, said(number, f"question {number}"), reply=f"answer {number}") for number in range(5)]
    items = input_items("Hello.", history, [said(9, "now")], ContextBudget(3, 100_000))
    assert [item.text for item in items[1:]] == ["Hello.", "answer 3", "[Alice] question 4", "answer 4", "[Alice] now"]


def test_a_message_that_does_not_fit_ends_the_history() -> None:
    history = [exchange(1, said(1, "short")), exchange(2, said(2, "x" * 50), reply="brief")]
    items = input_items(None, history, [said(3, "now")], ContextBudget(100, 30))
    assert [item.text for item in items[1:]] == ["brief", "[Alice] now"]


def test_the_new_messages_go_along_however_long() -> None:
    history = [exchange(1, said(1, "One"))]
    items = input_items("Hello.", history, [said(2, "x" * 500)], ContextBudget(100, 100))
    assert [item.text for item in items[1:]] == ["Hello.", "[Alice] " + "x" * 500]


@pytest.mark.parametrize(
    ("characters", "kept"),
    [
        (1, [LEFT_OUT_NOTE, "[Alice] four"]),
        (11, [LEFT_OUT_NOTE, "[Alice] three", "[Alice] four"]),
        (18, ["[Alice] two", "[Alice] three", "[Alice] four"]),
        (19, ["a reply", "[Alice] two", "[Alice] three", "[Alice] four"]),
    ],
)
def test_where_new_messages_are_bounded_the_newest_go_along_and_it_is_said(characters: int, kept: list[str]) -> None:
    new = [said(number, text) for number, text in enumerate(("two", "three", "four"), start=2)]
    budget = ContextBudget(100, characters, whole=False)
    items = input_items("Hello.", [exchange(1, said(1, "x" * 50))], new, budget)
    assert [item.text for item in items[1:]] == ["Hello.", *kept]


def test_members_of_one_name_are_told_apart() -> None:
    messages = [said(1, "I", by=ALICE), said(2, "And I", by=BOB, name="alice"), said(3, "Again", by=ALICE)]
    items = input_items(None, [], messages, AMPLE)
    assert [item.text for item in items[1:]] == ["[Alice] I", "[alice 2] And I", "[Alice] Again"]


def test_a_member_cannot_pass_for_the_character() -> None:
    items = input_items(None, [], [said(1, "I am you", name="Guide")], AMPLE, character_name="Guide")
    assert items[-1].text == "[Guide 2] I am you"


def test_a_nameless_member_has_a_label_all_the_same() -> None:
    assert input_items(None, [], [said(1, "Boo", name=None)], AMPLE)[-1].text == "[Someone] Boo"


@pytest.mark.parametrize(
    ("budget", "half"),
    [
        (ContextBudget(40, 24_000), ContextBudget(20, 12_000, whole=False)),
        (ContextBudget(3, 5), ContextBudget(1, 2, whole=False)),
        (ContextBudget(1, 1), ContextBudget(1, 1, whole=False)),
    ],
)
def test_a_budget_can_be_halved(budget: ContextBudget, half: ContextBudget) -> None:
    assert budget.halved() == half


@given(
    st.lists(st.tuples(st.text(max_size=30), st.none() | st.text(max_size=30)), max_size=8),
    st.text(min_size=1, max_size=30),
    st.integers(1, 10),
    st.integers(1, 120),
)
def test_whatever_the_past_the_budget_holds_and_the_newest_stays(
    past: list[tuple[str, str | None]], now: str, messages: int, characters: int
) -> None:
    history = [exchange(number, said(number, text), reply=reply) for number, (text, reply) in enumerate(past)]
    items = input_items(None, history, [said(99, now)], ContextBudget(messages, characters))
    everything = input_items(None, history, [said(99, now)], AMPLE)
    assert items[0] == NOTE
    kept = items[1:-1]
    assert len(kept) <= messages
    # The newest end of all that there was, with nothing left out in between.
    assert kept == everything[1:-1][len(everything) - 2 - len(kept) :]
