"""Carrying members' reports to the catalogue."""

from bot.domain.feedback import OutboxEntry
from bot.domain.ids import ReportId
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import NanoGptError
from bot.nanogpt.requests import ApiKey
from bot.services.clock import Clock
from bot.store.characters import Characters
from bot.store.reports import Reports


class ReportCourier:
    """Sends reports with the operator's key. Only reason and details leave: who reported, and where, stays here."""

    def __init__(
        self, *, reports: Reports, characters: Characters, nanogpt: NanoGptClient, key: ApiKey, clock: Clock
    ) -> None:
        self._reports = reports
        self._characters = characters
        self._nanogpt = nanogpt
        self._key = key
        self._clock = clock

    @property
    def final(self) -> tuple[type[NanoGptError], ...]:
        """Nothing more than what ends any entry: a key that cannot be used now may be put right."""
        return ()

    async def send(self, entry: OutboxEntry) -> None:
        """Send a report; one that is settled already, or was deleted, needs no sending."""
        report = await self._reports.get(_report_id(entry))
        if report is None or report.ended_at_ms is not None:
            return
        complaint = report.complaint
        known = await self._characters.get(complaint.character_ref)
        assert known is not None, "the schema keeps the character of every report"
        await self._nanogpt.report(
            known.character.id, reason=complaint.reason, details=complaint.details, key=self._key
        )

    async def accepted(self, entry: OutboxEntry) -> None:
        """End the report as taken."""
        await self._reports.accept(_report_id(entry), self._clock.now_ms())

    async def refused(self, entry: OutboxEntry, error: Exception, answer: str) -> None:
        """End the report as refused; it stays stored, and its reporter is told."""
        del error
        await self._reports.refuse(_report_id(entry), answer, self._clock.now_ms())

    async def expired(self, entry: OutboxEntry) -> None:
        """End the report as given up; it stays stored, and its reporter is told."""
        await self._reports.expire(_report_id(entry), self._clock.now_ms())


def _report_id(entry: OutboxEntry) -> ReportId:
    return ReportId(int(entry.subject))
