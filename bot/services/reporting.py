"""Carrying members' reports: to the catalogue, and to the staff of the server."""

from collections.abc import Callable
from typing import Final

from bot.domain.feedback import Addressee, OutboxEntry, Report
from bot.domain.ids import ChannelId, GuildId, PayerId, ReportId
from bot.domain.payers import OPERATOR, paying_member
from bot.domain.places import Place
from bot.domain.reporting import staff_copy
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import BadKeyError, NanoGptError
from bot.services.announcing import Announcer
from bot.services.ceilings import Ceilings
from bot.services.clock import Clock
from bot.services.faces import Faces
from bot.services.key_ring import KeyRing
from bot.services.outlet import Busy, Destination, Gone, Lost
from bot.services.surroundings import SurroundingsOf
from bot.store.characters import Characters
from bot.store.reports import Reports

LOOK_AGAIN_SECONDS: Final = 60.0
LOOKS: Final = 3
"""How often a channel is looked for in the gateway's cache, which fills a while after a start."""


class ReportCourier:
    """Sends reports to the catalogue: with the key of the member who has linked an account, else the operator's.

    Only reason and details leave: which member of which server it was stays here.
    """

    def __init__(
        self, *, reports: Reports, characters: Characters, nanogpt: NanoGptClient, keys: KeyRing, clock: Clock
    ) -> None:
        self._reports = reports
        self._characters = characters
        self._nanogpt = nanogpt
        self._keys = keys
        self._clock = clock

    @property
    def final(self) -> tuple[type[NanoGptError], ...]:
        """Nothing more than what ends any entry: a key that cannot be used now may be put right."""
        return ()

    @property
    def fallback(self) -> PayerId | None:
        """The operator's: a report costs nobody anything, and somebody has to read it."""
        return OPERATOR

    async def send(self, entry: OutboxEntry) -> None:
        """Send a report; one that is settled already, or was deleted, needs no sending.

        Raises BadKeyError, beside what NanoGPT answers, where a member has no key (any more) that it takes.
        """
        report = await self._reports.get(_report_id(entry))
        if report is None or report.ended_at_ms is not None:
            return
        known = await self._characters.get(report.complaint.character_ref)
        assert known is not None, "the schema keeps the character of every report"
        member = paying_member(entry.payer)
        key = await (self._keys.key(OPERATOR) if member is None else self._keys.of_member(member))
        if key is None:
            raise BadKeyError
        complaint = report.complaint
        try:
            await self._nanogpt.report(known.character.id, reason=complaint.reason, details=complaint.details, key=key)
        except BadKeyError:
            await self._keys.refused(key)
            raise

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


class StaffCourier:
    """Shows reports to the staff of the server, in the channel that it has set for that.

    What becomes of a copy is nobody's news; a report for the staff alone ends with it.
    """

    def __init__(
        self,
        *,
        reports: Reports,
        faces: Faces,
        announcer: Announcer,
        log_channel_of: Callable[[GuildId], ChannelId | None],
        surroundings_of: SurroundingsOf,
        ceilings: Ceilings,
        clock: Clock,
    ) -> None:
        """`log_channel_of` tells from memory where a server wants its reports; None where it has not said."""
        self._reports = reports
        self._faces = faces
        self._announcer = announcer
        self._log_channel_of = log_channel_of
        self._surroundings_of = surroundings_of
        self._ceilings = ceilings
        self._clock = clock

    @property
    def final(self) -> tuple[type[NanoGptError], ...]:
        """Nothing of NanoGPT's takes part in this."""
        return ()

    @property
    def fallback(self) -> PayerId | None:
        """No key does either."""
        return None

    async def send(self, entry: OutboxEntry) -> None:
        """Post a report as the channel may show it; one that was deleted needs no posting.

        Raises Gone where the server has no such channel (any more).
        """
        report = await self._reports.get(_report_id(entry))
        if report is None:
            return
        guild_id = report.complaint.guild_id
        channel_id = None if guild_id is None else self._log_channel_of(guild_id)
        if guild_id is None or channel_id is None:
            raise Gone(Lost.PLACE)
        destination = Destination(guild_id, channel_id)
        around = self._surroundings_of(destination)
        if around is None and entry.attempts < LOOKS:
            raise Busy(LOOK_AGAIN_SECONDS)
        place = Place(guild_id, channel_id, None, age_restricted=False) if around is None else around.place
        await self._announcer.post(destination, await self._text(report, place))

    async def _text(self, report: Report, place: Place) -> str:
        known = await self._faces.of(report.complaint.character_ref, place.guild_id)
        shown = known is not None and known.character.rating <= self._ceilings.of(place)
        return staff_copy(report, known.character.name if known is not None and shown else None)

    async def accepted(self, entry: OutboxEntry) -> None:
        """End a report that was for the staff alone as read by them."""
        if await self._is_all(entry):
            await self._reports.accept(_report_id(entry), self._clock.now_ms())

    async def refused(self, entry: OutboxEntry, error: Exception, answer: str) -> None:
        """End a report that was for the staff alone as refused; it stays stored, and its reporter is told."""
        del error
        if await self._is_all(entry):
            await self._reports.refuse(_report_id(entry), answer, self._clock.now_ms())

    async def expired(self, entry: OutboxEntry) -> None:
        """End a report that was for the staff alone as given up; it stays stored, and its reporter is told."""
        if await self._is_all(entry):
            await self._reports.expire(_report_id(entry), self._clock.now_ms())

    async def _is_all(self, entry: OutboxEntry) -> bool:
        report = await self._reports.get(_report_id(entry))
        return report is not None and report.complaint.addressee is Addressee.STAFF


def _report_id(entry: OutboxEntry) -> ReportId:
    return ReportId(int(entry.subject))
