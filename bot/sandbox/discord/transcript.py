"""What anybody could see, in the order in which it happened."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One visible thing: `kind` is post, edit, delete, typing, command, click …; `at` is in Unix seconds."""

    at: float
    kind: str
    who: str
    where: str
    text: str
    message_id: int | None = None
    only_for: str | None = None

    def __str__(self) -> str:
        private = f" (only for {self.only_for})" if self.only_for else ""
        return f"[{self.where}] {self.who} {self.kind}{private}: {self.text}"


class Transcript:
    """Keep entries in order; switched off it keeps nothing, for long measurements."""

    def __init__(self, *, keep: bool = True) -> None:
        self.keep = keep
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Append an entry unless switched off."""
        if self.keep:
            self._entries.append(entry)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def tail(self, count: int) -> str:
        """Return the last entries as lines, for messages of failed tests."""
        return "\n".join(str(entry) for entry in self._entries[-count:])
