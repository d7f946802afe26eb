from dataclasses import replace

import pytest

from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.fields import CardFields, check_lengths
from tests.domain.card_files.faults import refused

ADA = CardFields("Ada", "A keeper.", "One.\nTwo.", "You are Ada.", "Hello.", ("sea", "quiet"))


@pytest.mark.parametrize(
    ("field", "part", "limit"),
    [
        ("name", "name", 100),
        ("summary", "summary", 1_000),
        ("description", "description", 8_000),
        ("system_prompt", "prompt", 32_000),
        ("first_message", "first message", 8_000),
    ],
)
def test_a_text_that_is_too_long_is_refused_and_named(field: str, part: str, limit: int) -> None:
    check_lengths(replace(ADA, **{field: "é" * limit}))
    with refused(FaultKind.TEXT_TOO_LONG) as faults:
        check_lengths(replace(ADA, **{field: "é" * (limit + 1)}))
    assert faults == [CardFault(FaultKind.TEXT_TOO_LONG, part, limit + 1, limit)]


def test_a_prompt_that_nobody_saw_is_not_too_long() -> None:
    check_lengths(replace(ADA, system_prompt=None))
