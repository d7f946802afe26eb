import pytest

from bot.domain.forms import LONGEST_IN_FORM, fits_form


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("a" * LONGEST_IN_FORM, True),
        ("a" * (LONGEST_IN_FORM + 1), False),
        ("\U0001f600" * (LONGEST_IN_FORM // 2), True),
        ("\U0001f600" * (LONGEST_IN_FORM // 2 + 1), False),
    ],
)
def test_what_fits_into_a_form_fits_however_discord_counts(text: str, *, fits: bool) -> None:
    assert fits_form(text) is fits
