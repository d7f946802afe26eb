"""Drafts of characters, kept for an hour after they were last touched."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter

from bot.domain.drafts import DRAFT_MS, MOST_DRAFTS, Draft, DraftKind, Writing
from bot.domain.ids import CharacterRef, DraftId, UserId
from bot.store.accounts import check_linked_in
from bot.store.database import Database, Row, Transaction
from bot.store.sealed import open_or_none
from bot.store.vault import Vault

_WRITING: Final = TypeAdapter(Writing)


class DraftsFullError(Exception):
    """A member has as many drafts as are kept, and each may have become a character already."""


class Drafts:
    """The table draft; what is written is sealed as a whole."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def create(
        self, user_id: UserId, kind: DraftKind, subject: CharacterRef | None, writing: Writing, now_ms: int
    ) -> Draft:
        """Open a draft; the id is short enough for a component's custom id.

        A member's oldest one makes room, unless it was sent without a clear answer: only with it is a second
        character avoided. Raises DraftsFullError where that is true of all, and NotLinkedError.
        """
        async with self._database.transaction() as tx:
            await check_linked_in(tx, user_id)
            in_place_of = await self._make_room(tx, user_id, now_ms)
            (row,) = await tx.execute(
                "INSERT INTO draft (user_id, kind, character_ref, touched_at) VALUES ($1, $2, $3, $4) RETURNING *",
                user_id,
                kind.value,
                subject,
                now_ms,
            )
            (row,) = await tx.execute(
                "UPDATE draft SET body = $2 WHERE id = $1 RETURNING *", row["id"], self._sealed(row["id"], writing)
            )
            return replace(self._draft(row, writing), in_place_of=in_place_of)

    async def _make_room(self, tx: Transaction, user_id: UserId, now_ms: int) -> str | None:
        """Make room for one more draft, and return the name in the one that had to go for it, if any had to."""
        await tx.execute("DELETE FROM draft WHERE user_id = $1 AND touched_at <= $2", user_id, now_ms - DRAFT_MS)
        rows = await tx.execute("SELECT * FROM draft WHERE user_id = $1 ORDER BY touched_at, id", user_id)
        if len(rows) < MOST_DRAFTS:
            return None
        for row in rows:
            held = self._opened(row)
            if held is None or held.writing.sent is None:
                await tx.execute("DELETE FROM draft WHERE id = $1", row["id"])
                return "" if held is None else held.writing.now.name
        raise DraftsFullError

    async def get(self, draft_id: DraftId, now_ms: int) -> Draft | None:
        """Return a draft; None when it is too old, or cannot be opened any more. Whose it is, the caller checks."""
        rows = await self._database.read(
            "SELECT * FROM draft WHERE id = $1 AND touched_at > $2", draft_id, now_ms - DRAFT_MS
        )
        return self._opened(rows[0]) if rows else None

    async def change(self, draft_id: DraftId, change: Callable[[Writing], Writing], now_ms: int) -> Draft | None:
        """Touch a draft and write it anew, by what it held until then; None as for get."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "SELECT * FROM draft WHERE id = $1 AND touched_at > $2", draft_id, now_ms - DRAFT_MS
            )
            held = self._opened(rows[0]) if rows else None
            if held is None:
                return None
            writing = change(held.writing)
            (row,) = await tx.execute(
                "UPDATE draft SET body = $2, touched_at = $3 WHERE id = $1 RETURNING *",
                draft_id,
                self._sealed(draft_id, writing),
                now_ms,
            )
            return self._draft(row, writing)

    async def settle(
        self, draft_id: DraftId, ref: CharacterRef, left: Callable[[Writing], Writing | None], now_ms: int
    ) -> Draft | None:
        """End a draft that was saved, unless something of it is left by what it holds now: that edits the character.

        With the draft goes the file that it was made from, unless that belongs to the character by then.
        """
        async with self._database.transaction() as tx:
            rows = await tx.execute("SELECT * FROM draft WHERE id = $1", draft_id)
            held = self._opened(rows[0]) if rows else None
            writing = None if held is None else left(held.writing)
            if held is None or writing is None:
                await tx.execute("DELETE FROM draft WHERE id = $1", draft_id)
                return None
            kind = DraftKind.EDIT if held.kind is DraftKind.CREATE else held.kind
            (row,) = await tx.execute(
                "UPDATE draft SET kind = $2, character_ref = $3, body = $4, touched_at = $5 WHERE id = $1 RETURNING *",
                draft_id,
                kind.value,
                ref,
                self._sealed(draft_id, writing),
                now_ms,
            )
            return self._draft(row, writing)

    async def prune(self, now_ms: int) -> int:
        """Delete the drafts that are too old, and return how many."""
        async with self._database.transaction() as tx:
            return len(await tx.execute("DELETE FROM draft WHERE touched_at <= $1 RETURNING id", now_ms - DRAFT_MS))

    def _sealed(self, draft_id: int, writing: Writing) -> bytes:
        return self._vault.seal(_WRITING.dump_json(writing).decode(), context=_context(draft_id))

    def _opened(self, row: Row) -> Draft | None:
        text = open_or_none(self._vault, row["body"], context=_context(row["id"]))
        return None if text is None else self._draft(row, _WRITING.validate_json(text))

    def _draft(self, row: Row, writing: Writing) -> Draft:
        subject: int | None = row["character_ref"]
        return Draft(
            DraftId(row["id"]),
            UserId(row["user_id"]),
            DraftKind(row["kind"]),
            None if subject is None else CharacterRef(subject),
            writing,
            row["touched_at"],
        )


def _context(draft_id: int) -> str:
    return f"draft:{draft_id}"
