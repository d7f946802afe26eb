"""What the gateway is made of: opcodes, sessions, open sockets, and what an onlooker is told of them.

Opcodes and close codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from aiohttp import web

from bot.sandbox.discord.events import Event, Intent
from bot.sandbox.discord.json_types import encode

CUT_OFF: Final = 1006
"""What stands for the code of a connection that ended without one (RFC 6455, 7.1.5)."""
_SHARD_SHIFT: Final = 22
"""https://discord.com/developers/docs/events/gateway#sharding"""


class Op(IntEnum):
    """Gateway opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    ACK = 11


class CloseCode(IntEnum):
    """Gateway close codes that the stand-in uses."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    RATE_LIMITED = 4008
    INVALID_SHARD = 4010
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it went over the wire: its text may hold tokens, and is not for showing."""

    to_bot: bool
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A connection began or ended; `code` is that of its close frame, `CUT_OFF` where there was none."""

    opened: bool
    code: int | None = None


GatewaySign: TypeAlias = Frame | Link


@dataclass(slots=True, eq=False)
class Session:
    """One identified session; it outlives its connection so that it can be resumed."""

    id: str
    intents: Intent
    shard_id: int
    shard_count: int
    seq: int = 0
    buffer: deque[tuple[int, str]] = field(default_factory=deque[tuple[int, str]])
    connection: "Connection | None" = None

    def wants(self, event: Event) -> bool:
        """Tell whether this session's intents and shard get an event."""
        if event.intent and not event.intent & self.intents:
            return False
        if event.guild_id is None:
            return self.shard_id == 0
        return self.has(event.guild_id)

    def has(self, guild_id: int) -> bool:
        """Tell whether a server belongs to this session's shard."""
        return (guild_id >> _SHARD_SHIFT) % self.shard_count == self.shard_id


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket; frames leave through its queue, in order."""

    request: web.BaseRequest
    socket: web.WebSocketResponse
    tell: Callable[[GatewaySign], None]
    outbox: asyncio.Queue[str | int] = field(default_factory=asyncio.Queue[str | int])
    session: Session | None = None
    arrivals: deque[float] = field(default_factory=deque[float])

    def send(self, op: Op, data: object = None) -> None:
        """Queue a frame that is no event."""
        self.outbox.put_nowait(encode({"op": int(op), "d": data, "s": None, "t": None}))

    def close(self, code: int) -> None:
        """Close after everything queued so far."""
        self.outbox.put_nowait(code)

    def cut(self) -> None:
        """Break the connection without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while True:
            item = await self.outbox.get()
            if isinstance(item, int):
                await self.socket.close(code=item)
                return
            with contextlib.suppress(ConnectionError):
                await self.socket.send_str(item)
                self.tell(Frame(to_bot=True, text=item))
