"""An outlet that takes the bot's notices and nothing else."""

import asyncio
from collections import deque
from typing import NoReturn

from bot.domain.ids import MessageId
from bot.domain.turns import Transport
from bot.services.outlet import Allowance, Destination, Draft, SeenPost


class NoticeOutlet:
    """Records what is posted; `failures` are raised first, one a post; `gate` holds posts back while it is clear."""

    def __init__(self) -> None:
        self.posted: list[tuple[Destination, Transport, Draft]] = []
        self.failures: deque[Exception] = deque()
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def texts(self) -> list[str]:
        return [draft.text for _, _, draft in self.posted]

    async def post(self, destination: Destination, transport: Transport, draft: Draft) -> MessageId:
        self.entered.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.popleft()
        self.posted.append((destination, transport, draft))
        return MessageId(9_000 + len(self.posted))

    def may_speak(self, destination: Destination) -> bool:
        _unexpected(destination)

    async def transport(self, destination: Destination) -> Transport:
        _unexpected(destination)

    async def edit(self, destination: Destination, transport: Transport, message_id: MessageId, draft: Draft) -> None:
        _unexpected(destination, transport, message_id, draft)

    async def bare(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        _unexpected(destination, transport, message_id)

    async def delete(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        _unexpected(destination, transport, message_id)

    async def typing(self, destination: Destination) -> None:
        _unexpected(destination)

    async def recent(self, destination: Destination, after: MessageId) -> list[SeenPost]:
        _unexpected(destination, after)

    def allowance(self, destination: Destination) -> Allowance:
        _unexpected(destination)


def _unexpected(*arguments: object) -> NoReturn:
    raise AssertionError(f"a notice needs none of this: {arguments}")
