"""Reports of characters, from the member to the catalogue's answer."""

from collections.abc import Iterable
from typing import Final

from bot.domain.feedback import Addressee, Complaint, OutboxKind, Report, ReportState
from bot.domain.ids import (
    ChannelId,
    CharacterRef,
    GuildId,
    MessageId,
    PayerId,
    ReportId,
    UserId,
)
from bot.store.database import Database, Row
from bot.store.outbox import Outbox
from bot.store.sealed import open_or_none
from bot.store.vault import Vault

NOBODY: Final = PayerId("nobody")
"""Stands with what goes to Discord, under no key."""


class Reports:
    """The table report; its details are sealed. A report waits as long as its entry in the outbox."""

    def __init__(self, database: Database, vault: Vault, outbox: Outbox) -> None:
        self._database = database
        self._vault = vault
        self._outbox = outbox

    async def file(self, complaint: Complaint, *, payer: PayerId, now_ms: int, copied: bool = False) -> Report:
        """Store a report and its entries in the outbox, due at once, in one transaction.

        One for the catalogue leaves under the key of `payer`; `copied` has the staff of the server read it too. One
        for the staff alone goes to nobody else.
        """
        for_catalogue = complaint.addressee is Addressee.CATALOGUE
        async with self._database.transaction() as tx:
            (row,) = await tx.execute(
                """
                INSERT INTO report (reporter_id, character_ref, guild_id, channel_id, message_id, reason, state,
                                    created_at, addressee, shared)
                VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9)
                RETURNING *
                """,
                complaint.reporter_id,
                complaint.character_ref,
                complaint.guild_id,
                complaint.channel_id,
                complaint.message_id,
                complaint.reason,
                now_ms,
                complaint.addressee.value,
                int(complaint.shared),
            )
            report_id = ReportId(row["id"])
            if complaint.details:
                sealed = self._vault.seal(complaint.details, context=_context(report_id))
                (row,) = await tx.execute("UPDATE report SET body = $2 WHERE id = $1 RETURNING *", report_id, sealed)
            if for_catalogue:
                await self._outbox.put(
                    tx, OutboxKind.REPORT, str(report_id), payer=payer, due_at_ms=now_ms, now_ms=now_ms
                )
            if copied or not for_catalogue:
                await self._outbox.put(
                    tx, OutboxKind.REPORT_COPY, str(report_id), payer=NOBODY, due_at_ms=now_ms, now_ms=now_ms
                )
            return self._report(row)

    async def get(self, report_id: ReportId) -> Report | None:
        """Return a report."""
        rows = await self._database.read("SELECT * FROM report WHERE id = $1", report_id)
        return self._report(rows[0]) if rows else None

    async def accept(self, report_id: ReportId, now_ms: int) -> Report | None:
        """End a waiting report as taken by whom it is for; None when it is not waiting."""
        return await self._end(report_id, ReportState.ACCEPTED, None, now_ms)

    async def refuse(self, report_id: ReportId, answer: str, now_ms: int) -> Report | None:
        """End a waiting report as refused, with the catalogue's words; None when it is not waiting."""
        return await self._end(report_id, ReportState.REFUSED, answer, now_ms)

    async def expire(self, report_id: ReportId, now_ms: int) -> Report | None:
        """Give a waiting report up; None when it is not waiting."""
        return await self._end(report_id, ReportState.EXPIRED, None, now_ms)

    async def _end(self, report_id: ReportId, state: ReportState, answer: str | None, now_ms: int) -> Report | None:
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE report SET state = $2, answer = $3, ended_at = $4 WHERE id = $1 AND state = 'waiting' "
                "RETURNING *",
                report_id,
                state.value,
                answer,
                now_ms,
            )
            await self._outbox.withdraw(tx, OutboxKind.REPORT, str(report_id))
            return self._report(rows[0]) if rows else None

    async def untold(self, reporter_id: UserId) -> list[Report]:
        """Return the reports of a member that came to nothing and of which nobody told them, oldest first."""
        rows = await self._database.read(
            "SELECT * FROM report WHERE reporter_id = $1 AND state IN ('refused', 'expired') AND told_at IS NULL "
            "ORDER BY id",
            reporter_id,
        )
        return [self._report(row) for row in rows]

    async def told(self, report_ids: Iterable[ReportId], now_ms: int) -> None:
        """Write down that the reporter knows how these ended."""
        async with self._database.transaction() as tx:
            for report_id in report_ids:
                await tx.execute("UPDATE report SET told_at = $2 WHERE id = $1 AND told_at IS NULL", report_id, now_ms)

    def _report(self, row: Row) -> Report:
        report_id = ReportId(row["id"])
        guild_id: int | None = row["guild_id"]
        channel_id: int | None = row["channel_id"]
        message_id: int | None = row["message_id"]
        return Report(
            report_id,
            Complaint(
                UserId(row["reporter_id"]),
                CharacterRef(row["character_ref"]),
                row["reason"],
                open_or_none(self._vault, row["body"], context=_context(report_id)),
                None if guild_id is None else GuildId(guild_id),
                None if channel_id is None else ChannelId(channel_id),
                None if message_id is None else MessageId(message_id),
                Addressee(row["addressee"]),
                bool(row["shared"]),
            ),
            ReportState(row["state"]),
            row["answer"],
            row["created_at"],
            row["ended_at"],
            row["told_at"],
        )


def _context(report_id: ReportId) -> str:
    return f"report:{report_id}"
