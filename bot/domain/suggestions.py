"""What is offered while a person types the name of a character."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One choice: what people read, and what the command gets."""

    label: str
    value: str
