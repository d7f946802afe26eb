import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.code_spans import scan_code
from bot.domain.preview import PLACEHOLDER, preview_text
from bot.domain.safety import safe_prefix
from bot.domain.splitting import MESSAGE_LIMIT
from bot.domain.unicode_text import is_blank, utf16_length
from tests.domain.texts import long_texts, shown_as_prose, texts

thorough = settings(max_examples=80)


@given(text=long_texts, limit=st.sampled_from((100, 300, 2_000)), cursor=st.sampled_from(("", " \u258c")))
@thorough
def test_a_preview_can_be_posted(text: str, limit: int, cursor: str) -> None:
    shown = preview_text(text, limit, cursor=cursor)
    assert not is_blank(shown)
    assert utf16_length(shown) <= limit
    assert cursor in shown
    assert scan_code(shown).open_fence is None


@given(text=texts)
@thorough
def test_no_code_is_open_for_discord_either(text: str) -> None:
    assert "```" not in shown_as_prose(preview_text(safe_prefix(text)))


@given(
    text=st.lists(
        st.sampled_from(
            ("Some words ", "of a story. ", "\n\n", "Why? ", "\u4f60\u597d\u3002", "long ", "`a b` ", "*x* ")
        ),
        max_size=60,
    )
)
@thorough
def test_never_less_is_shown_than_before(text: list[str]) -> None:
    whole, before = "".join(text), ""
    for length in range(1, len(whole) + 1):
        shown = preview_text(safe_prefix(whole[:length])).removesuffix(PLACEHOLDER)
        assert shown.startswith(before)
        before = shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello there. She wal", "Hello there."),
        ("Hello there. She walks over to the", "Hello there."),
        ('"Hello!" she says and', '"Hello!"'),
        ("Hello there.", "Hello there."),
        ("One line\nand anoth", "One line"),
        ("Hello wor", "Hello"),
        ("Hel", "Hel"),
        ("Hello. " + "word " * 40 + "wo", "Hello. " + "word " * 39 + "word"),
        ("\u4f60\u597d\u3002\u5979\u8d70", "\u4f60\u597d\u3002"),
        ("Say \u4f60\u597d\u5979", "Say \u4f60\u597d\u5979"),
        ("x" * 300, "x" * 300),
    ],
)
def test_it_ends_with_a_sentence_or_else_with_a_word(text: str, shown: str) -> None:
    assert preview_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Look:\n```py\nx = 1\ny = ", "Look:\n```py\nx = 1\n```"),
        ("Look:\n```py\nx = 1 + ", "Look:\n```py\nx = 1\n```"),
        ("Look:\n```py\nx", "Look:\n```py\nx\n```"),
        ("Look:\n```py\n", "Look:"),
        ("Look:\n```", "Look:"),
        ("Run `pip install it", "Run `pip install`"),
        ("Run ``pip in st", "Run ``pip in``"),
        ("Run ``pip ` st", "Run"),
        ("Code:\n```\nx = 1\n``` ", "Code:\n```\nx = 1\n```"),
        ("Use \\* and ` x", "Use \\* and"),
        ("*She walks over x", "*She walks over*"),
        ("A **bold word x", "A **bold word**"),
        ("A **bold *and italic x", "A **bold *and italic***"),
        ("A **bold *and* plain x", "A **bold *and* plain**"),
        ("A ***very bold x", "A ***very bold***"),
        ("An __underlined word x", "An __underlined word__"),
        ("A ~~struck word x", "A ~~struck word~~"),
        ("A ||secret word x", "A ||secret word||"),
        ("A || spaced secret || x", "A || spaced secret ||"),
        ("A ||secret\n\nin two", "A ||secret||"),
        ("A **bold** word x", "A **bold** word"),
        ("A snake_case word x", "A snake_case word"),
        ("2 * 3 * 4 is x", "2 * 3 * 4 is"),
        ("* item one x", "* item one"),
        ("A word ** x", "A word"),
        ("A \\*star word x", "A \\*star word"),
        ("In `a*b` code x", "In `a*b` code"),
        ("A stray *star.\n\nNext one. An", "A stray *star.\n\nNext one."),
        ("*a **b ***c __d ~~e f", "*a **b ***c __d ~~e"),
    ],
)
def test_what_is_open_is_closed_in_the_preview_only(text: str, shown: str) -> None:
    assert preview_text(text) == shown


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "```", "```py\n"])
def test_without_anything_to_show_it_is_an_ellipsis(text: str) -> None:
    assert preview_text(text) == PLACEHOLDER


def test_the_cursor_stands_at_the_end_of_what_is_written() -> None:
    assert preview_text("Hello. ", cursor=" \u258c") == "Hello. \u258c"
    assert preview_text("```\ncode", cursor="\u258c") == "```\ncode\u258c\n```"
    assert preview_text("", cursor="\u258c") == "\u258c"


def test_a_text_above_the_limit_shows_its_first_part() -> None:
    shown = preview_text("word " * 1_000)
    assert MESSAGE_LIMIT - 50 < len(shown) <= MESSAGE_LIMIT
