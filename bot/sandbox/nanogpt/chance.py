"""Choices that look free and follow from a text alone."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Draws the same choices whenever it is made from the same text."""

    def __init__(self, seed: str) -> None:
        self._state = int.from_bytes(blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=16).digest())

    def below(self, bound: int) -> int:
        """Draw a number from 0 to bound - 1."""
        drawn = self._state % bound
        self._state = int.from_bytes(blake2b(self._state.to_bytes(16), digest_size=16).digest())
        return drawn

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options."""
        return options[self.below(len(options))]

    def cycle(self, options: Sequence[T]) -> Iterator[T]:
        """Draw without end; none comes again before all have come, nor twice in a row."""
        last: T | None = None
        while True:
            left = list(options)
            while left:
                drawn = left.pop(self.below(len(left)))
                if drawn is last and left:
                    left.append(drawn)
                    drawn = left.pop(0)
                last = drawn
                yield drawn
