import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.quoting import NAMELESS, bold_name, code_block, code_span, quoted
from bot.domain.unicode_text import utf16_length


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Helpful Guide", "Helpful Guide"),
        ("  two \n lines\t", "two lines"),
        ("snake_case *bold*", r"snake\_case \*bold\*"),
        ("back\\slash", "back\\\\slash"),
        ("[free](https://evil.example/x)", r"\[free\](https\:\/\/evil.example\/x)"),
        ("<@1> @everyone", r"\<\@1\> \@everyone"),
        ("discord.gg/abc", r"discord.gg\/abc"),
        ("# Title", r"\# Title"),
        ("1. first", r"1\. first"),
        ("10: ten", "10: ten"),
        ("a\u202eb\u200b", "ab"),
    ],
)
def test_markup_mentions_and_links_of_the_catalogue_are_shown_as_they_stand(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert quoted("x" * 81) == "x" * 79 + "…"
    assert quoted("x" * 80) == "x" * 80
    assert quoted("word " * 40, 11) == "word word…"


@given(st.text(max_size=200))
def test_nothing_quoted_can_end_the_bold_around_it_or_mention_anybody(text: str) -> None:
    shown = quoted(text)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~|`<>@\[\]]", shown)
    assert utf16_length(shown) <= 160


@pytest.mark.parametrize(("name", "shown"), [("Ada", "**Ada**"), ("", NAMELESS), ("\u200b \n", NAMELESS)])
def test_a_name_is_bold_or_replaced(name: str, shown: str) -> None:
    assert bold_name(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("no", "`no`"), (" two\nlines ", "`two lines`"), ("a `b`", "`a 'b'`"), ("", ""), ("\u200b", "")]
)
def test_foreign_words_stand_in_one_span_of_code(text: str, shown: str) -> None:
    assert code_span(text) == shown


def test_a_long_answer_is_cut() -> None:
    assert code_span("x" * 400) == f"`{'x' * 300}`"
    assert code_span("x" * 400, 10) == f"`{'x' * 10}`"


@given(st.text() | st.text("`x"))
def test_a_block_of_code_stays_whole(text: str) -> None:
    block = code_block(text)
    assert block.count("```") == 2
    assert block.endswith("\n```")


def test_a_plain_text_stands_in_a_block_as_it_is() -> None:
    assert code_block("It is *good*,\n`really`.") == "```\nIt is *good*,\n`really`.\n```"
