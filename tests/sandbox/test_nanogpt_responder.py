"""The scripted responder: same input, same reply; names, memory, code, long answers."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.nanogpt.cast import CAST
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.chance import Chance
from bot.sandbox.nanogpt.listening import Wish, listen, topic_of, wish_of
from bot.sandbox.nanogpt.requests import InputItem, ResponseRequest
from bot.sandbox.nanogpt.responder import respond
from bot.sandbox.nanogpt.voices import VOICES

GUIDE = next(character for character in CAST if character.slug == "helpful-guide")
BARD = next(character for character in CAST if character.slug == "night-bard")


def reply(*turns: str, character: SandboxCharacter = GUIDE, seed: int | None = None) -> str:
    """Answer a conversation; a turn that begins with ">" is the character's own."""
    items = tuple(
        InputItem("assistant", turn.removeprefix(">")) if turn.startswith(">") else InputItem("user", turn)
        for turn in turns
    )
    return respond(
        ResponseRequest(
            character=character,
            items=items,
            model="m",
            instructions=None,
            stream=False,
            max_output_tokens=None,
            seed=seed,
        )
    )


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("hello there", Wish.HELLO),
        ("Good evening!", Wish.HELLO),
        ("thanks a lot", Wish.THANKS),
        ("bye now", Wish.FAREWELL),
        ("what is my name?", Wish.NAME),
        ("What's my favourite colour?", Wish.FACT),
        ("what did I say before?", Wish.EARLIER),
        ("who is here?", Wish.COMPANY),
        ("are you a bot?", Wish.REAL),
        ("Introduce yourself", Wish.INTRO),
        ("write some python code", Wish.CODE),
        ("write a long story", Wish.LONG),
        ("long", Wish.LONG),
        ("tell me a long story with code", Wish.LONG),
        ("a very long answer, please", Wish.VERY_LONG),
        ("write me an epic", Wish.VERY_LONG),
        ("how long does it take?", Wish.ADVICE),
        ("that was long ago", Wish.TALK),
        ("tell me a story", Wish.STORY),
        ("sing me a song", Wish.POEM),
        ("give me a list of tips", Wish.STEPS),
        ("How do I begin?", Wish.ADVICE),
        ("I went to the market", Wish.TALK),
    ],
)
def test_a_wish_is_guessed_from_a_few_words(text: str, wish: Wish) -> None:
    assert wish_of(text) is wish


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Can you help me with my cover letter?", "your cover letter"),
        ("I lost my notebook", "your notebook"),
        ("The river is high", "the river"),
        ("I love cheese", "cheese"),
        ("hm", "that"),
    ],
)
def test_a_topic_is_a_phrase_seen_from_the_listener(text: str, topic: str) -> None:
    assert topic_of(text) == topic


def test_labels_say_who_speaks_and_lines_without_one_belong_to_the_line_before() -> None:
    heard = listen(
        [
            InputItem("developer", "[Rules] none"),
            InputItem("user", "[Alice] one\ntwo\n[Bob] three"),
            InputItem("assistant", "Hm."),
            InputItem("user", "[Cy] four"),
        ]
    )
    assert [(line.speaker, line.text) for line in heard.before] == [("Alice", "one\ntwo"), ("Bob", "three")]
    assert heard.speakers == ("Cy",)
    assert heard.company == ("Alice", "Bob", "Cy")
    assert heard.last_answer == "Hm."


def test_the_speaker_is_addressed_by_name() -> None:
    assert "Alice" in reply("[Alice] I went to the market")
    assert "Alice and Bob" in reply("[Alice] hello", "[Bob] I went to the market")
    assert "night owl" in reply("I went to the market", character=BARD) + reply("hello", character=BARD)


def test_names_and_facts_of_earlier_turns_are_remembered() -> None:
    said = ("[Alice] call me Captain. My favourite colour is teal.", ">Noted.")
    assert "Captain" in reply(*said, "[Alice] what is my name?")
    assert "teal" in reply(*said, "[Alice] What is my favourite colour?")
    assert "teal" not in reply(*said, "[Bob] What is my favourite colour?")
    assert "favourite colour is teal" in reply(*said, "[Alice] what did I say?")
    assert "Captain and Bob" in reply(*said, "[Bob] who is here?")


def test_what_was_never_said_is_not_made_up() -> None:
    assert "not told me" in reply("[Alice] What is my shoe size?")
    assert "only begun" in reply("[Alice] what did I say?")
    assert "never told" in reply("who am I?")
    assert "no name" in reply("who is here?")


def test_the_same_line_is_not_said_twice_running() -> None:
    first = reply("[Alice] hello")
    assert reply("[Alice] hello", f">{first}", "[Alice] hello") != first


def test_a_seed_makes_another_version() -> None:
    assert len({reply("[Alice] I went to the market", seed=seed) for seed in range(12)}) > 3


@pytest.mark.parametrize("language", ["python", "javascript", "typescript", "rust", "sql", "bash", "html"])
def test_code_comes_in_a_fence_of_its_language(language: str) -> None:
    written = reply(f'[Al"; x] some {language} code, please')
    assert f"\n```{language}\n" in written
    snippet = written.split("```")[1]
    assert written.count("```") == 2
    assert "Al x" in snippet
    assert '"; x' not in snippet


def test_long_answers_are_as_long_as_asked_and_full_of_markdown() -> None:
    longer, longest = reply("[Alice] write a long story"), reply("[Alice] write a very long story")
    assert 2_000 < len(longer) < 6_000
    assert 10_000 < len(longest) < 16_000
    for mark in ("# ", "## ", "\n- ", "\n> ", "```", "**", "*"):
        assert mark in longest
    for tale in (longer, longest):
        assert tale.count("```") % 2 == 0
        assert "```" in tale
    assert "{" not in longest.replace("${", "").split("```")[0]


def test_the_responder_says_that_it_is_a_script_when_asked() -> None:
    assert "script" in reply("[Alice] are you real?")


@pytest.mark.parametrize("character", CAST, ids=lambda character: character.slug)
@pytest.mark.parametrize(
    "text",
    ["hello", "thanks", "bye", "who are you?", "I lost my hat", "How do I find my hat?", "a poem", "a plan", "story"],
)
def test_every_character_has_a_line_for_everything(character: SandboxCharacter, text: str) -> None:
    said = reply(f"[Alice] {text}", character=character)
    assert said.strip()
    assert len(said) < 2_000
    assert not {"{name}", "{topic}", "{place}", "{thing}", "{hero}"} & set(said.split())
    assert character.slug in VOICES


def test_a_character_without_a_voice_of_its_own_still_answers() -> None:
    assert "Nobody Special" in reply("who are you?", character=SandboxCharacter(slug="nobody", name="Nobody Special"))


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "developer"]), st.text()), min_size=1))
def test_any_input_gets_a_reply_and_always_the_same_one(turns: list[tuple[str, str]]) -> None:
    request = ResponseRequest(
        character=BARD,
        items=tuple(InputItem(role, text) for role, text in turns),
        model="m",
        instructions=None,
        stream=False,
        max_output_tokens=None,
        seed=None,
    )
    assert respond(request).strip()
    assert respond(request) == respond(request)


@given(st.text(), st.integers(1, 9))
def test_a_cycle_gives_every_option_once_before_any_twice(seed: str, size: int) -> None:
    cycle = Chance(seed).cycle(range(size))
    drawn = [next(cycle) for _ in range(3 * size)]
    for start in (0, size, 2 * size):
        assert sorted(drawn[start : start + size]) == list(range(size))
    if size > 1:
        assert all(one != other for one, other in itertools.pairwise(drawn))
