from dataclasses import replace
from typing import Any

import pytest

from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.sameness import Sameness, compare, fingerprint

ADA = CardFields("Ada", "A keeper.", "One.\nTwo.", "You are Ada.", "Hello.", ("sea", "quiet"))


@pytest.mark.parametrize(
    ("changes", "sameness"),
    [
        ({}, Sameness.SAME),
        ({"name": " Ada\n"}, Sameness.SAME),
        ({"description": "One.\r\nTwo.\r\n"}, Sameness.SAME),
        ({"description": "One.\rTwo."}, Sameness.SAME),
        ({"system_prompt": "\tYou are Ada.  "}, Sameness.SAME),
        ({"tags": ("quiet", "sea")}, Sameness.SAME),
        ({"tags": ("quiet", "sea", "sea")}, Sameness.SAME),
        ({"name": "ada"}, Sameness.CHANGED),
        ({"summary": "A  keeper."}, Sameness.CHANGED),
        ({"description": "One. Two."}, Sameness.CHANGED),
        ({"system_prompt": ""}, Sameness.CHANGED),
        ({"first_message": ""}, Sameness.CHANGED),
        ({"tags": ("sea",)}, Sameness.CHANGED),
        ({"system_prompt": None}, Sameness.PROMPT_UNKNOWN),
        ({"system_prompt": None, "name": "Bea"}, Sameness.CHANGED),
    ],
)
def test_line_ends_white_space_and_order_of_tags_do_not_count(changes: dict[str, Any], sameness: Sameness) -> None:
    changed = replace(ADA, **changes)
    assert compare(fingerprint(ADA), changed) is sameness
    assert compare(fingerprint(changed), ADA) is sameness


def test_a_text_that_moves_to_another_field_is_a_change() -> None:
    moved = replace(ADA, summary=ADA.description, description=ADA.summary)
    assert compare(fingerprint(ADA), moved) is Sameness.CHANGED


def test_two_prompts_that_nobody_saw_are_not_called_the_same() -> None:
    unseen = replace(ADA, system_prompt=None)
    assert compare(fingerprint(unseen), unseen) is Sameness.PROMPT_UNKNOWN


def test_an_empty_prompt_is_one() -> None:
    empty = replace(ADA, system_prompt="")
    assert compare(fingerprint(empty), empty) is Sameness.SAME


def test_a_fingerprint_holds_no_text() -> None:
    assert set(fingerprint(ADA)) <= set("0123456789abcdef:")
