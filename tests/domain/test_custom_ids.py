import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.custom_ids import (
    MAX_CUSTOM_ID,
    MAX_IDS,
    CustomId,
    base36,
    custom_id,
    parse_custom_id,
    read_base36,
    template,
)

kinds = st.from_regex(r"[a-z][a-z0-9-]{0,19}", fullmatch=True)
numbers = st.integers(min_value=0, max_value=2**63 - 1)


@given(kinds, st.lists(numbers, max_size=MAX_IDS))
def test_what_is_written_is_read_back(kind: str, ids: list[int]) -> None:
    written = custom_id(kind, *ids)
    assert len(written) <= MAX_CUSTOM_ID
    assert parse_custom_id(written) == CustomId(kind, tuple(ids))
    assert re.fullmatch(template(kind, least=len(ids), most=len(ids)), written)


@given(st.text(max_size=60))
def test_whatever_is_read_would_be_written_the_same(text: str) -> None:
    parsed = parse_custom_id(f"v1:{text}")
    assert parsed is None or custom_id(parsed.kind, *parsed.ids) == f"v1:{text}"


@given(numbers)
def test_base_36_is_what_python_reads(number: int) -> None:
    assert int(base36(number), 36) == number
    assert read_base36(base36(number)) == number


@pytest.mark.parametrize("text", ["", "-1", "01", "Z", "z" * 14, "1\n", "é"])
def test_what_base_36_never_writes_is_no_number(text: str) -> None:
    assert read_base36(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "v1:",
        "v2:rate:1",
        "v1:Rate:1",
        "v1:rate:",
        "v1:rate:-1",
        "v1:rate:01",
        "v1:rate:1:",
        "v1:rate:Z",
        "v1:rate:1\n",
        "v1:rate:" + "z" * 14,
        "v1:rate" + ":1" * (MAX_IDS + 1),
        "rate:1",
        "v1:" + "k" * 21,
    ],
)
def test_anything_else_is_not_ours(text: str) -> None:
    assert parse_custom_id(text) is None


def test_a_template_takes_no_other_kind_and_no_other_number_of_ids() -> None:
    pattern = re.compile(template("report", least=1, most=2))
    taken = [text for text in ("v1:report:1", "v1:report:1:2") if pattern.fullmatch(text)]
    refused = ["v1:report", "v1:report:1:2:3", "v1:reports:1", "v1:rate:1", "v2:report:1"]
    assert len(taken) == 2
    assert not [text for text in refused if pattern.fullmatch(text)]


@pytest.mark.parametrize(("kind", "ids"), [("", (1,)), ("Rate", (1,)), ("rate", (-1,)), ("rate", (1,) * 6)])
def test_what_the_grammar_does_not_hold_is_refused(kind: str, ids: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="id"):
        custom_id(kind, *ids)


@pytest.mark.parametrize(("kind", "least", "most"), [("Rate", 1, 1), ("rate", 2, 1), ("rate", 0, 6)])
def test_a_kind_that_cannot_be_is_refused(kind: str, least: int, most: int) -> None:
    with pytest.raises(ValueError, match="kind"):
        template(kind, least=least, most=most)
