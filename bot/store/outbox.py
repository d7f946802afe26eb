"""What has to reach the catalogue sooner or later."""

from collections.abc import Mapping

from bot.domain.feedback import OutboxEntry, OutboxKind
from bot.domain.ids import OutboxId, PayerId
from bot.store.database import Database, Row, Transaction


class Outbox:
    """The table outbox: one entry per kind and subject, the latest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, tx: Transaction, kind: OutboxKind, subject: str, *, payer: PayerId, due_at_ms: int, now_ms: int
    ) -> OutboxEntry:
        """Add an entry in the transaction that writes what it is about.

        It takes the place of an earlier one of the same subject, and has an id of its own: who is sending the
        earlier one just now neither removes nor delays the later one.
        """
        await self.withdraw(tx, kind, subject)
        (row,) = await tx.execute(
            "INSERT INTO outbox (kind, subject, payer, attempts, due_at, created_at) "
            "VALUES ($1, $2, $3, 0, $4, $5) RETURNING *",
            kind.value,
            subject,
            payer,
            due_at_ms,
            now_ms,
        )
        return _entry(row)

    async def withdraw(self, tx: Transaction, kind: OutboxKind, subject: str) -> None:
        """Remove the entry of a subject, if there is one, in a transaction that does more."""
        await tx.execute("DELETE FROM outbox WHERE kind = $1 AND subject = $2", kind.value, subject)

    async def find(self, kind: OutboxKind, subject: str) -> OutboxEntry | None:
        """Return the entry of a subject, if one waits."""
        rows = await self._database.read("SELECT * FROM outbox WHERE kind = $1 AND subject = $2", kind.value, subject)
        return _entry(rows[0]) if rows else None

    async def due(self, now_ms: int, limit: int, *, after: OutboxEntry | None = None) -> list[OutboxEntry]:
        """Return what should be sent now, the longest due first; `after` is the last of an earlier call."""
        due_ms, entry_id = (-1, -1) if after is None else (after.due_at_ms, after.id)
        rows = await self._database.read(
            "SELECT * FROM outbox WHERE due_at <= $1 AND (due_at > $3 OR (due_at = $3 AND id > $4)) "
            "ORDER BY due_at, id LIMIT $2",
            now_ms,
            limit,
            due_ms,
            entry_id,
        )
        return [_entry(row) for row in rows]

    async def next_due_ms(self, held_until_ms: Mapping[PayerId, int] | None = None) -> int | None:
        """Return when something can be sent next, in Unix milliseconds; None when all was sent.

        Nothing can be sent with a key before the time until which it is held.
        """
        held = held_until_ms or {}
        due = {
            PayerId(row["payer"]): row["due_at"]
            for row in await self._database.read("SELECT payer, MIN(due_at) AS due_at FROM outbox GROUP BY payer")
        }
        return min((max(due_ms, held.get(payer, due_ms)) for payer, due_ms in due.items()), default=None)

    async def retry_at(self, entry_id: OutboxId, due_at_ms: int) -> None:
        """Count a failed attempt and put the next one off."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE outbox SET attempts = attempts + 1, due_at = $2 WHERE id = $1", entry_id, due_at_ms
            )

    async def pay_by(self, entry_id: OutboxId, payer: PayerId) -> None:
        """Let an entry leave under another key from now on."""
        async with self._database.transaction() as tx:
            await tx.execute("UPDATE outbox SET payer = $2 WHERE id = $1", entry_id, payer)

    async def remove(self, entry_id: OutboxId) -> None:
        """Remove an entry that was sent, or given up."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM outbox WHERE id = $1", entry_id)


def _entry(row: Row) -> OutboxEntry:
    return OutboxEntry(
        OutboxId(row["id"]),
        OutboxKind(row["kind"]),
        row["subject"],
        PayerId(row["payer"]),
        row["attempts"],
        row["due_at"],
        row["created_at"],
    )
