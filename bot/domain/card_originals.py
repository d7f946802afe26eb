"""The files that characters were made from, as they are kept for their authors."""

from dataclasses import dataclass, field
from typing import Final

from bot.domain.ids import CardFileId, CharacterRef, UserId

MOST_FILES: Final = 20
MOST_BYTES: Final = 50 * 1024 * 1024
"""Of one member."""


@dataclass(frozen=True, slots=True)
class CardOriginal:
    """One kept file; its content lies beside the database."""

    id: CardFileId
    user_id: UserId
    ref: CharacterRef | None
    """The character that was made from it; None while that is a draft."""
    file: str
    """Its name beside the database."""
    size: int
    """Bytes, unsealed."""
    name: str
    """Its name when it was brought."""
    key: bytes = field(repr=False)
    fingerprint: str | None = None
    """What tells the character as it was right after it was made from this file; while it is a draft, what the card
    says. None where what was made said something else, or where it was changed from here."""


def has_room(files: int, size: int, more: int) -> bool:
    """Tell whether a member with so many files and bytes may keep one more file of `more` bytes."""
    return files < MOST_FILES and size + more <= MOST_BYTES
