import re

import pytest
from hypothesis import given, settings

from bot.domain.code_spans import MAX_INLINE, content_start, scan_code
from tests.domain.texts import texts

thorough = settings(max_examples=80)


def pieces(text: str) -> list[str]:
    return [text[span.start : span.end] for span in scan_code(text).spans]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no code", []),
        ("a `b` c `d`", ["`b`", "`d`"]),
        ("``a ` b`` c", ["``a ` b``"]),
        ("`a ``` b`", ["`a ``` b`"]),
        ("a ` b", []),
        ("`a\nb`", []),
        ("`` a `", []),
        ("`" + "x" * MAX_INLINE + "`", ["`" + "x" * MAX_INLINE + "`"]),
        ("`" + "x" * (MAX_INLINE + 1) + "`", []),
        ("``" + "x" * MAX_INLINE + "``", ["``" + "x" * MAX_INLINE + "``"]),
        ("``" + "x" * MAX_INLINE + "```\ncode", ["```\ncode"]),
        (r"\`a\`", []),
        (r"\\`a`", ["`a`"]),
        (r"\a`b`", ["`b`"]),
        (r"\``a`", ["`a`"]),
        ("`a\\`b", ["`a\\`"]),
        ("```py\ncode\n```", ["```py\ncode\n```"]),
        ("text ```code``` text", ["```code```"]),
        ("````\ncode\n`````", ["````\ncode\n`````"]),
        ("```\n`a`\n```\n`b`", ["```\n`a`\n```", "`b`"]),
        ("~~~\n`a`\n~~~", ["`a`"]),
        ("```\nnever closed", ["```\nnever closed"]),
        ("a ` b\n```\ncode\n```", ["```\ncode\n```"]),
    ],
)
def test_code_is_found_where_discord_shows_it(text: str, code: list[str]) -> None:
    assert pieces(text) == code


def test_a_text_that_begins_inside_a_block() -> None:
    scan = scan_code("code ` here\n``` and `there`", fenced=True)
    block, inline = scan.spans
    assert (block.start, block.body, block.closed) == (0, 0, True)
    assert not inline.fenced


def test_a_block_without_an_end_is_open() -> None:
    scan = scan_code("`a` ```py\ncode")
    assert scan.open_fence is scan.spans[-1]
    assert not scan.spans[-1].closed


@pytest.mark.parametrize("text", ["", "text", "```a```", "`a`"])
def test_a_text_without_an_open_block(text: str) -> None:
    assert scan_code(text).open_fence is None


@pytest.mark.parametrize(
    ("text", "pending"),
    [
        ("run `pip", 4),
        ("run ``pip", 4),
        ("run `", 4),
        ("a ` b `` c", 2),
        ("run `pip\n", None),
        ("run `pip`", None),
        ("`" + "x" * MAX_INLINE, 0),
        ("`" + "x" * MAX_INLINE + " ", None),
        ("```\n`", None),
    ],
)
def test_lone_backticks_are_pending_while_their_line_may_close_them(text: str, pending: int | None) -> None:
    assert scan_code(text).pending == pending


@given(text=texts, more=texts)
@thorough
def test_code_before_a_pending_backtick_or_the_last_sign_is_certain(text: str, more: str) -> None:
    scan = scan_code(text)
    sure = len(text) - 1 if scan.pending is None else scan.pending
    certain = [span for span in scan.spans if span.closed and span.end < sure]
    assert list(scan_code(text + more).spans[: len(certain)]) == certain


@given(text=texts)
@thorough
def test_spans_are_in_order_and_begin_and_end_in_backticks(text: str) -> None:
    at = 0
    for span in scan_code(text).spans:
        assert at <= span.start < span.body <= span.body_end <= span.end
        assert re.fullmatch("`+", text[span.start : span.body])
        assert re.fullmatch("`*", text[span.body_end : span.end])
        at = span.end


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```py\nx```", "\nx"),
        ("```c++\nx```", "\nx"),
        ("```\nx```", "\nx"),
        ("```py x\ny```", "py x\ny"),
        ("```py```", "py"),
    ],
)
def test_the_line_that_names_the_language_is_not_content(text: str, code: str) -> None:
    span = scan_code(text).spans[0]
    assert text[content_start(text, span) : span.body_end] == code
