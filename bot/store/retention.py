"""Forgetting in time: texts after the retention the operator set, rows once nothing needs them."""

from dataclasses import dataclass
from typing import Final

from bot.domain.ids import snowflake_at
from bot.store.characters import FORGET_NAMELESS, NAMELESS
from bot.store.database import Database, SqlValue, Transaction

_DAY_MS: Final = 86_400_000
CLAIMS_KEPT_MS: Final = 2 * _DAY_MS
"""Longer than the catch-up looks back, and than the UTC day that the caps count."""
SEARCHES_KEPT_MS: Final = 7 * _DAY_MS
NOTICES_KEPT_MS: Final = _DAY_MS
"""Longer than any window within which a notice is not repeated."""
OUTBOX_KEPT_MS: Final = 30 * _DAY_MS
"""Far longer than anything is tried: what is this old has lost whoever would give it up."""
LOGINS_KEPT_MS: Final = 30 * _DAY_MS
"""How long a member who does not come back is still to hear how their login ended."""
BATCH_ROWS: Final = 500
"""So that the writer is held for milliseconds at a time."""


def claims_kept_ms(retention_ms: int) -> int:
    """Return for how long a message that was part of a turn is known, with texts dropped after `retention_ms`."""
    return max(retention_ms, CLAIMS_KEPT_MS)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep forgot."""

    texts: int
    rows: int


class Retention:
    """What deletes by age, over all tables. Every transaction is a small one."""

    def __init__(self, database: Database, *, batch_rows: int = BATCH_ROWS) -> None:
        self._database = database
        self._batch_rows = batch_rows

    async def sweep(self, now_ms: int, retention_ms: int) -> Swept:
        """Drop the texts older than the retention, and prune all that is not needed any more."""
        return Swept(
            await self.drop_text(now_ms - retention_ms), await self.prune(now_ms, text_before_ms=now_ms - retention_ms)
        )

    async def drop_text(self, before_ms: int) -> int:
        """Drop the texts of messages, replies and settled reports from before a time; return how many.

        Texts of ended bindings go whatever their age: a reply that was still being written when its binding
        ended came after that drop.
        """
        dropped = await self._batches(
            """
            UPDATE claim SET body = NULL WHERE message_id IN (
                SELECT message_id FROM claim WHERE message_id < $1 AND body IS NOT NULL
                ORDER BY message_id LIMIT $2)
            RETURNING message_id
            """,
            snowflake_at(before_ms),
        )
        dropped += await self._batches(
            """
            UPDATE version SET body = NULL WHERE id IN (
                SELECT id FROM version WHERE created_at < $1 AND body IS NOT NULL ORDER BY created_at LIMIT $2)
            RETURNING id
            """,
            before_ms,
        )
        dropped += await self._batches(
            """
            UPDATE report SET body = NULL WHERE id IN (
                SELECT id FROM report WHERE ended_at < $1 AND body IS NOT NULL ORDER BY id LIMIT $2)
            RETURNING id
            """,
            before_ms,
        )
        dropped += await self._batches(
            """
            UPDATE claim SET body = NULL WHERE message_id IN (
                SELECT claim.message_id FROM binding
                JOIN conversation ON conversation.binding_id = binding.id
                JOIN claim ON claim.conversation_id = conversation.id
                WHERE binding.state = $1 AND claim.body IS NOT NULL LIMIT $2)
            RETURNING message_id
            """,
            "ended",
        )
        dropped += await self._batches(
            """
            UPDATE version SET body = NULL WHERE id IN (
                SELECT version.id FROM binding
                JOIN conversation ON conversation.binding_id = binding.id
                JOIN turn ON turn.conversation_id = conversation.id
                JOIN version ON version.turn_id = turn.id
                WHERE binding.state = $1 AND version.body IS NOT NULL LIMIT $2)
            RETURNING id
            """,
            "ended",
        )
        return dropped

    async def prune(self, now_ms: int, *, text_before_ms: int) -> int:
        """Delete what nothing needs any more, and return how many rows.

        1. Claims that never became part of a turn, once the catch-up and the caps are past them.
        2. Ended turns with all that hangs on them (claims, versions, posts), when they are older than
           `text_before_ms` and hold no text.
        3. Conversations and bindings that ended before `text_before_ms` and are empty.
        4. Reports that ended before it and of which the reporter knows, and that somebody was ignored until then.
        5. Old searches, notices, entries of the outbox, logins, and counts of paid replies.
        6. Ids of private characters that nothing refers to any more.
        """
        turns_before_ms = now_ms - claims_kept_ms(now_ms - text_before_ms)
        deleted = await self._prune_loose_claims(now_ms - CLAIMS_KEPT_MS)
        deleted += await self._prune_turns(turns_before_ms)
        for sql, value in (
            (
                """
                DELETE FROM conversation WHERE id IN (
                    SELECT conversation.id FROM conversation
                    JOIN binding ON binding.id = conversation.binding_id
                    WHERE binding.state = 'ended' AND binding.ended_at < $1
                      AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.conversation_id = conversation.id)
                      AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.conversation_id = conversation.id)
                    LIMIT $2)
                RETURNING id
                """,
                turns_before_ms,
            ),
            (
                """
                DELETE FROM binding WHERE id IN (
                    SELECT binding.id FROM binding
                    WHERE binding.state = 'ended' AND binding.ended_at < $1
                      AND NOT EXISTS (SELECT 1 FROM conversation WHERE conversation.binding_id = binding.id)
                    LIMIT $2)
                RETURNING id
                """,
                turns_before_ms,
            ),
            (
                """
                DELETE FROM report WHERE id IN (
                    SELECT id FROM report
                    WHERE ended_at < $1 AND (state = 'accepted' OR told_at IS NOT NULL) LIMIT $2)
                RETURNING id
                """,
                turns_before_ms,
            ),
            (
                """
                DELETE FROM ignored_member WHERE user_id IN (
                    SELECT user_id FROM ignored_member WHERE heard_after < $1 LIMIT $2)
                RETURNING user_id
                """,
                snowflake_at(turns_before_ms),
            ),
            (
                """
                DELETE FROM search_page WHERE id IN (SELECT id FROM search_page WHERE used_at < $1 LIMIT $2)
                RETURNING id
                """,
                now_ms - SEARCHES_KEPT_MS,
            ),
            (
                """
                DELETE FROM notice WHERE posted_at < $1 AND channel_id IN (
                    SELECT channel_id FROM notice WHERE posted_at < $1 LIMIT $2)
                RETURNING channel_id
                """,
                now_ms - NOTICES_KEPT_MS,
            ),
            (
                """
                DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE created_at < $1 LIMIT $2)
                RETURNING id
                """,
                now_ms - OUTBOX_KEPT_MS,
            ),
            (
                """
                DELETE FROM pending_login WHERE user_id IN (
                    SELECT user_id FROM pending_login WHERE started_at < $1 LIMIT $2)
                RETURNING user_id
                """,
                now_ms - LOGINS_KEPT_MS,
            ),
            (
                """
                DELETE FROM paid_turns WHERE day < $1 AND binding_id IN (
                    SELECT binding_id FROM paid_turns WHERE day < $1 LIMIT $2)
                RETURNING binding_id
                """,
                now_ms - CLAIMS_KEPT_MS,
            ),
            (FORGET_NAMELESS, NAMELESS),
        ):
            deleted += await self._batches(sql, value)
        return deleted

    async def _prune_loose_claims(self, before_ms: int) -> int:
        loose = """
            message_id IN (
                SELECT message_id FROM claim
                WHERE turn_id IS NULL AND claimed_at < $1 AND state IN ('answered', 'failed', 'dropped') LIMIT $2)
        """
        deleted = 0
        while True:
            async with self._database.transaction() as tx:
                claims = await _delete_claims(tx, loose, before_ms, self._batch_rows)
            deleted += claims
            if claims < self._batch_rows:
                return deleted

    async def _prune_turns(self, before_ms: int) -> int:
        forgettable = """
            SELECT turn.id FROM turn
            WHERE turn.created_at < $1 AND turn.state IN ('answered', 'failed', 'dropped')
              AND NOT EXISTS (SELECT 1 FROM version WHERE version.turn_id = turn.id AND version.body IS NOT NULL)
              AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.turn_id = turn.id AND claim.body IS NOT NULL)
            ORDER BY turn.created_at, turn.id LIMIT $2
        """
        deleted = 0
        while True:
            async with self._database.transaction() as tx:
                claims = await _delete_claims(tx, f"turn_id IN ({forgettable})", before_ms, self._batch_rows)
                turns = await tx.execute(
                    f"DELETE FROM turn WHERE id IN ({forgettable}) RETURNING id", before_ms, self._batch_rows
                )
            deleted += claims + len(turns)
            if len(turns) < self._batch_rows:
                return deleted

    async def _batches(self, sql: str, value: SqlValue) -> int:
        done = 0
        while True:
            async with self._database.transaction() as tx:
                rows = await tx.execute(sql, value, self._batch_rows)
            done += len(rows)
            if len(rows) < self._batch_rows:
                return done


async def _delete_claims(tx: Transaction, condition: str, before_ms: int, limit: int) -> int:
    """Delete claims, and leave in their conversations up to where those have been heard; return how many."""
    rows = await tx.execute(
        f"DELETE FROM claim WHERE {condition} RETURNING conversation_id, message_id", before_ms, limit
    )
    heard_until: dict[int, int] = {}
    for row in rows:
        conversation_id: int = row["conversation_id"]
        heard_until[conversation_id] = max(heard_until.get(conversation_id, 0), row["message_id"])
    for conversation_id, message_id in heard_until.items():
        await tx.execute(
            "UPDATE conversation SET heard_until = $2 WHERE id = $1 AND heard_until < $2", conversation_id, message_id
        )
    return len(rows)
