"""A courier of the outbox that answers as it is told, and writes down what it was given."""

import asyncio

from bot.domain.feedback import OutboxEntry
from bot.domain.ids import PayerId
from bot.nanogpt.errors import NanoGptError


class RecordingCourier:
    """Answers as it is told; what is not told is accepted."""

    def __init__(self, final: tuple[type[NanoGptError], ...] = (), fallback: PayerId | None = None) -> None:
        self.final = final
        self.fallback = fallback
        self.sent: list[str] = []
        self.paid_by: list[PayerId] = []
        self.ended: list[tuple[str, str]] = []
        self.refusals: list[Exception] = []
        self.answers: dict[str, list[Exception]] = {}
        self.hold: asyncio.Event | None = None
        self.sending = asyncio.Event()

    async def send(self, entry: OutboxEntry) -> None:
        self.sent.append(entry.subject)
        self.paid_by.append(entry.payer)
        self.sending.set()
        if self.hold is not None:
            await self.hold.wait()
        if answers := self.answers.get(entry.subject):
            raise answers.pop(0)

    async def accepted(self, entry: OutboxEntry) -> None:
        self.ended.append((entry.subject, "accepted"))

    async def refused(self, entry: OutboxEntry, error: Exception, answer: str) -> None:
        self.ended.append((entry.subject, f"refused: {answer}"))
        self.refusals.append(error)

    async def expired(self, entry: OutboxEntry) -> None:
        self.ended.append((entry.subject, "expired"))
