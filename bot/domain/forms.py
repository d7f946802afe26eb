"""What fields of forms hold, and what they say when they come back."""

from typing import Final

from bot.domain.unicode_text import utf16_length

LONGEST_IN_FORM: Final = 4_000
"""Characters that a field takes (https://discord.com/developers/docs/components/reference#text-input)."""
TICKED: Final = "true"
"""What a ticked box says in a filled-in form; an empty one says nothing."""


def fits_form(text: str) -> bool:
    """Tell whether a field of a form can hold a text, however Discord counts characters."""
    return utf16_length(text) <= LONGEST_IN_FORM
