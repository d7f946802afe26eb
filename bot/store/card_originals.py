"""Which files are kept for whom, and of which characters."""

import base64
import json

from bot.domain.card_originals import CardOriginal, has_room
from bot.domain.ids import CardFileId, CharacterRef, DraftId, UserId
from bot.store.accounts import check_linked_in
from bot.store.database import Database, Row, Transaction
from bot.store.sealed import open_or_none
from bot.store.sealed_files import StoredFile
from bot.store.vault import Vault


class CardOriginals:
    """The table card_file; the key of each file, its name and what it is compared with are sealed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def may_keep(self, user_id: UserId, size: int) -> bool:
        """Tell whether a member may keep one more file of so many bytes."""
        async with self._database.transaction() as tx:
            return await self._may_keep(tx, user_id, size)

    async def put(
        self,
        user_id: UserId,
        draft_id: DraftId,
        stored: StoredFile,
        *,
        size: int,
        name: str,
        fingerprint: str,
        now_ms: int,
    ) -> CardOriginal | None:
        """Keep a written file with a draft, and what tells its card from others.

        None when the member has too many already. Raises NotLinkedError.
        """
        async with self._database.transaction() as tx:
            await check_linked_in(tx, user_id)
            if not await self._may_keep(tx, user_id, size):
                return None
            (row,) = await tx.execute(
                "INSERT INTO card_file (user_id, draft_id, file, size, created_at) VALUES ($1, $2, $3, $4, $5) "
                "RETURNING *",
                user_id,
                draft_id,
                stored.name,
                size,
                now_ms,
            )
            return await self._sealed(tx, row, stored.key, name, fingerprint)

    async def attach(self, card_id: CardFileId, ref: CharacterRef, fingerprint: str | None) -> CardOriginal | None:
        """Keep a draft's file with the character that was made of it; None when it is gone."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE card_file SET draft_id = NULL, character_ref = $2 WHERE id = $1 RETURNING *", card_id, ref
            )
            held = self._original(rows[0]) if rows else None
            if held is None:
                return None
            return await self._sealed(tx, rows[0], held.key, held.name, fingerprint)

    async def get(self, card_id: CardFileId) -> CardOriginal | None:
        """Return a file; None when it is gone."""
        rows = await self._database.read("SELECT * FROM card_file WHERE id = $1", card_id)
        return self._original(rows[0]) if rows else None

    async def of_character(self, user_id: UserId, ref: CharacterRef) -> CardOriginal | None:
        """Return the file that a member made a character from."""
        rows = await self._database.read(
            "SELECT * FROM card_file WHERE user_id = $1 AND character_ref = $2 ORDER BY id DESC LIMIT 1", user_id, ref
        )
        return self._original(rows[0]) if rows else None

    async def changed(self, user_id: UserId, ref: CharacterRef) -> None:
        """Write down that a character is not what was made from its file any more."""
        async with self._database.transaction() as tx:
            for row in await tx.execute(
                "SELECT * FROM card_file WHERE user_id = $1 AND character_ref = $2", user_id, ref
            ):
                held = self._original(row)
                if held is not None:
                    await self._sealed(tx, row, held.key, held.name, None)

    async def drop(self, user_id: UserId, ref: CharacterRef) -> None:
        """Forget the file of a character; from then on nobody can open it."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM card_file WHERE user_id = $1 AND character_ref = $2", user_id, ref)

    async def names(self) -> frozenset[str]:
        """Return the names of all files that are still kept."""
        return frozenset(row["file"] for row in await self._database.read("SELECT file FROM card_file"))

    async def _may_keep(self, tx: Transaction, user_id: UserId, more: int) -> bool:
        (row,) = await tx.execute(
            "SELECT COUNT(*) AS files, COALESCE(SUM(size), 0) AS size FROM card_file WHERE user_id = $1", user_id
        )
        return has_room(row["files"], row["size"], more)

    async def _sealed(
        self, tx: Transaction, row: Row, key: bytes, name: str, fingerprint: str | None
    ) -> CardOriginal | None:
        secret = json.dumps([base64.b64encode(key).decode(), name, fingerprint])
        (row,) = await tx.execute(
            "UPDATE card_file SET body = $2 WHERE id = $1 RETURNING *",
            row["id"],
            self._vault.seal(secret, context=_context(row["id"])),
        )
        return self._original(row)

    def _original(self, row: Row) -> CardOriginal | None:
        opened = open_or_none(self._vault, row["body"], context=_context(row["id"]))
        if opened is None:
            return None
        key, name, fingerprint = json.loads(opened)
        ref: int | None = row["character_ref"]
        return CardOriginal(
            CardFileId(row["id"]),
            UserId(row["user_id"]),
            None if ref is None else CharacterRef(ref),
            row["file"],
            row["size"],
            name,
            base64.b64decode(key),
            fingerprint,
        )


def _context(card_id: int) -> str:
    return f"card:{card_id}"
