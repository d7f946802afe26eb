"""The moderators' desk, which is no part of the API: here tests and visitors decide what is approved."""

from typing import Final

from bot.sandbox.nanogpt.authoring import PENDING
from bot.sandbox.nanogpt.catalog import APPROVED, Catalog, SandboxCharacter
from bot.sandbox.nanogpt.recording import Changes

REJECTED: Final = "rejected"
"""No page names the word for it."""


class Moderation:
    """Decides about public characters that wait for it."""

    def __init__(self, catalog: Catalog, changes: Changes) -> None:
        self._catalog = catalog
        self._changes = changes

    @property
    def pending(self) -> tuple[SandboxCharacter, ...]:
        """What waits for a decision, oldest first."""
        return tuple(character for character in self._catalog if _waits(character))

    def approve(self, id_or_slug: str, *, content_rating: str | None = None) -> SandboxCharacter:
        """Approve a character, with the author's content rating or another.

        Raises KeyError for an unknown one, ValueError for one that does not wait.
        """
        character = self._waiting(id_or_slug)
        rating = content_rating or character.creator_content_rating
        return self._decide(self._catalog.update(character.id, moderation_status=APPROVED, content_rating=rating))

    def reject(self, id_or_slug: str, reason: str, *, status: str = REJECTED) -> SandboxCharacter:
        """Turn a character down, in a word of the moderator's choice; raises as `approve` does."""
        character = self._waiting(id_or_slug)
        return self._decide(self._catalog.update(character.id, moderation_status=status, moderation_reason=reason))

    def _waiting(self, id_or_slug: str) -> SandboxCharacter:
        character = self._catalog.get(id_or_slug)
        if not _waits(character):
            raise ValueError(f"{character.slug} does not wait for a decision.")
        return character

    def _decide(self, character: SandboxCharacter) -> SandboxCharacter:
        self._changes.notify()
        return character


def _waits(character: SandboxCharacter) -> bool:
    return character.visibility == "public" and character.moderation_status == PENDING and not character.archived
