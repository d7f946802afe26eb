import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.code_spans import scan_code
from bot.domain.safety import safe_prefix, safe_text
from bot.domain.splitting import MESSAGE_LIMIT, AsFile, Parts, plan_delivery, split_message
from bot.domain.unicode_text import is_blank, is_boundary, utf16_length
from tests.domain.texts import FAMILY, FLAGS, long_texts, shown_as_prose, texts

limits = st.sampled_from((64, 65, 80, 100, 300))
thorough = settings(max_examples=80)


def substance(text: str) -> str:
    """What must survive a split: everything that shows, but for the backticks that fence code."""
    return re.sub(r"[\s`\u200b-\u200d\u202e]", "", text)


@given(text=long_texts, limit=limits)
@thorough
def test_no_part_is_above_the_limit_in_either_unit(text: str, limit: int) -> None:
    assert all(utf16_length(part) <= limit and len(part) <= limit for part in split_message(text, limit))


@given(text=long_texts, limit=limits)
@thorough
def test_no_part_is_blank(text: str, limit: int) -> None:
    assert not any(is_blank(part) for part in split_message(text, limit))


@given(text=long_texts.map(lambda text: re.sub("```+", "```\n", text)), limit=limits)
@thorough
def test_the_parts_hold_the_whole_text_in_order(text: str, limit: int) -> None:
    assert substance("".join(split_message(text, limit))) == substance(text)


@given(text=long_texts, limit=limits)
@thorough
def test_every_block_is_closed_in_its_own_part(text: str, limit: int) -> None:
    assert all(scan_code(part).open_fence is None for part in split_message(text, limit))


@given(text=long_texts, more=texts, limit=limits)
@settings(thorough, max_examples=120)
def test_all_parts_but_the_last_stay_when_the_text_grows(text: str, more: str, limit: int) -> None:
    before = split_message(text, limit)[:-1]
    assert split_message(text + more, limit)[: len(before)] == before


@given(text=long_texts)
@settings(thorough, max_examples=8)
def test_parts_are_stable_at_every_character_of_a_stream(text: str) -> None:
    whole = split_message(text, 64)
    for length in range(len(text)):
        settled = split_message(text[:length], 64)[:-1]
        assert whole[: len(settled)] == settled


@given(text=long_texts)
@thorough
def test_after_safety_discord_sees_the_same_code_in_each_part(text: str) -> None:
    for part in split_message(safe_text(text), 500):
        assert "```" not in shown_as_prose(part)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b", "\u2800 "])
def test_a_text_that_shows_nothing_has_no_parts(text: str) -> None:
    assert split_message(text) == ()


def test_a_short_text_is_one_part() -> None:
    assert split_message("  Hello there. \n") == ("Hello there.",)


def test_a_text_of_exactly_the_limit_is_one_part() -> None:
    assert split_message("a" * MESSAGE_LIMIT) == ("a" * MESSAGE_LIMIT,)


def test_trailing_space_never_makes_another_part() -> None:
    assert split_message("a " * 32 + " \n" * 50, 64) == (("a " * 32).rstrip(),)


def test_emoji_count_twice() -> None:
    assert [len(part) for part in split_message("\U0001f600" * 40, 64)] == [32, 8]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param(
            "One two. Three four\nfive six seven\n\neight nine ten. " + "x" * 30,
            "One two. Three four\nfive six seven",
            id="paragraph",
        ),
        pytest.param(
            "One two. Three four. Five six. Seven\neight nine ten. " + "x" * 30,
            "One two. Three four. Five six. Seven",
            id="line",
        ),
        pytest.param(
            "One two three four five six seven. eight nine ten eleven " + "x" * 30,
            "One two three four five six seven.",
            id="sentence",
        ),
        pytest.param(
            'She said "no way, not ever again!" and then she left ' + "x" * 30,
            'She said "no way, not ever again!"',
            id="quoted sentence",
        ),
        pytest.param(
            "one two three four five six seven eight nine ten " + "x" * 30,
            "one two three four five six seven eight nine ten",
            id="word",
        ),
        pytest.param(
            "Hi.\n\nOne two three four five six seven eight nine ten " + "x" * 30,
            "Hi.\n\nOne two three four five six seven eight nine ten",
            id="not an early paragraph",
        ),
        pytest.param("short " + "x" * 64, "short", id="a word that fits in the next part"),
        pytest.param("x" * 100, "x" * 64, id="a word longer than a part"),
        pytest.param("\u4f60" * 40 + "\u3002" + "\u597d" * 40, "\u4f60" * 40 + "\u3002", id="chinese sentence"),
    ],
)
def test_a_cut_prefers_the_larger_unit_of_text(text: str, first: str) -> None:
    assert split_message(text, 64)[0] == first


@pytest.mark.parametrize(
    "atom",
    [
        "<a:dancing_parrot:1234567890123456789>",
        "<@1234567890123456789>",
        "<t:1700000000:R>",
        "</character search:123456789>",
        "`a piece of inline code`",
        "``with ` inside it``",
        "||a short secret||",
        FAMILY,
        FLAGS[:2],
        "e" + "\u0301" * 3,
        "\u1112\u1161\u11ab",
        "\\`",
    ],
)
def test_what_belongs_together_stays_in_one_part(atom: str) -> None:
    for lead in range(30, 64):
        parts = split_message("y" * lead + atom + "z" * 40, 64)
        assert sum(part.count(atom) for part in parts) == 1, lead


def test_a_link_stays_in_one_part() -> None:
    link = "https://example.com/some/long/path?q=a_b"
    for lead in range(5, 64):
        parts = split_message("y" * lead + " " + link + " and more text after it", 64)
        assert sum(part.count(link) for part in parts) == 1, lead


def test_a_cut_never_lies_inside_a_visible_character() -> None:
    for lead in range(30, 70):
        text = "y" * lead + (FLAGS + FAMILY + "e\u0301") * 6
        at = 0
        for part in split_message(text, 64):
            at += len(part)
            assert is_boundary(text, at), lead


def test_a_cut_block_is_closed_and_reopened_with_its_language() -> None:
    code = "\n".join(f"line_{number} = {number}" for number in range(20))
    parts = split_message(f"Look:\n```py\n{code}\n```\nDone.", 100)
    assert len(parts) > 2
    assert all(part.count("```") == 2 for part in parts)
    assert all(part.startswith("```py\nline_") for part in parts[1:])
    lines = [line for part in parts for line in part.splitlines() if line.startswith("line_")]
    assert "\n".join(lines) == code


def test_indentation_survives_a_cut_in_code() -> None:
    text = "```py\n" + "def f():\n    return 1\n" * 12 + "```"
    lines = [line for part in split_message(text, 64) for line in part.splitlines()]
    assert lines.count("    return 1") == lines.count("def f():") == 12


def test_the_end_of_a_sentence_is_not_taken_along_where_it_does_not_fit() -> None:
    assert split_message("\u4f60" * 64 + "\u3002", 64) == ("\u4f60" * 64, "\u3002")


def test_a_block_that_fits_in_the_next_part_is_not_torn() -> None:
    parts = split_message("One two three four five six seven eight.\n```\nthe code that follows\n```\nmore", 64)
    assert parts[0] == "One two three four five six seven eight."
    assert parts[1] == "```\nthe code that follows\n```\nmore"


def test_a_cut_right_before_the_end_of_a_block_leaves_no_empty_block() -> None:
    for length in range(30, 64):
        parts = split_message("```\n" + "c" * length + "\n```\nafter the code comes more text", 64)
        assert all(re.search(r"```\n*```", part) is None for part in parts)


def test_code_on_one_line_is_cut_between_words() -> None:
    parts = split_message("```\n" + "word " * 30 + "\n```", 64)
    assert {word for part in parts for word in part.strip("`\n").split()} == {"word"}


def test_an_unclosed_block_is_closed_at_the_end() -> None:
    assert split_message("Look: ```py\nx = 1") == ("Look: ```py\nx = 1\n```",)


@pytest.mark.parametrize("text", ["Look:\n```", "Look:\n```\n"])
def test_backticks_that_open_nothing_are_dropped(text: str) -> None:
    assert split_message(text) == ("Look:",)


def test_a_word_after_a_reopened_block_keeps_its_place_before_lone_backticks() -> None:
    assert split_message("```\n" + "c " * 40 + "\n```\nafter ```", 64)[-1].endswith("```\nafter")


def test_a_block_of_nothing_but_empty_lines_does_not_make_posts() -> None:
    assert split_message("```py\n" + "\n" * 200 + "x```", 64) == ("```py\nx```",)


def test_a_long_word_after_the_backticks_is_not_repeated_as_a_language() -> None:
    parts = split_message("```" + "l" * 30 + "\n" + "line of code\n" * 8 + "```", 64)
    assert all(part.startswith("```\n") for part in parts[1:])


@pytest.mark.parametrize("limit", [0, 63])
def test_a_limit_without_room_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="no room"):
        split_message("text", limit)


HOSTILE = (
    *("word ", "x", "`", "``` ", "`` ` ", "<", "<@", "</", "</a b", "||", "[", " [a", "](", "\n", " ", "\\", "."),
    *("\u0301", "\u200d", '!"', "http://", "@", "discord.", FLAGS),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_takes_no_longer_than_another(piece: str) -> None:
    text = "a" + piece * (30_000 // len(piece))
    parts = split_message(safe_text(text))
    assert all(utf16_length(part) <= MESSAGE_LIMIT for part in parts)
    assert text.startswith(safe_prefix(text)[:1])


def test_up_to_five_posts_stay_posts() -> None:
    text = "word " * 1_900
    plan = plan_delivery(text)
    assert isinstance(plan, Parts)
    assert plan.parts == split_message(text)
    assert len(plan.parts) == 5


def test_more_than_five_posts_become_a_file_with_the_beginning_beside_it() -> None:
    text = "A sentence of the story. " * 600
    plan = plan_delivery(text)
    assert isinstance(plan, AsFile)
    assert plan.text == text.strip()
    assert plan.summary.startswith("A sentence of the story. A sentence")
    assert plan.summary.endswith("14,999 characters long, is in the attached file.")
    assert utf16_length(plan.summary) <= MESSAGE_LIMIT
    assert plan.filename == "reply.txt"


def test_a_plan_keeps_to_a_smaller_limit() -> None:
    posts = plan_delivery("word " * 200, limit=300)
    file = plan_delivery("word " * 2_000, limit=300)
    assert isinstance(posts, Parts)
    assert isinstance(file, AsFile)
    assert all(len(post) <= 300 for post in (*posts.parts, file.summary))


def test_a_file_that_begins_with_code_has_a_closed_block_beside_it() -> None:
    plan = plan_delivery("```py\n" + "x = 1\n" * 3_000 + "```")
    assert isinstance(plan, AsFile)
    assert scan_code(plan.summary).open_fence is None


def test_a_blank_reply_has_no_posts() -> None:
    assert plan_delivery(" \n") == Parts(())
