"""The gateway: hello, identify, heartbeats, resume with replay, and the ways it breaks.

Text frames only; the client asks for compression and accepts none. Protocol and close codes:
https://discord.com/developers/docs/events/gateway and .../topics/opcodes-and-status-codes.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Final

from aiohttp import WSMsgType, web

from bot.sandbox.discord import payloads
from bot.sandbox.discord.connections import CloseCode, Connection, Frame, GatewaySign, Link, Op, Session
from bot.sandbox.discord.events import Event, Intent
from bot.sandbox.discord.json_types import JsonObject, as_int, as_list, as_object, as_text, encode
from bot.sandbox.discord.ledger import Ledger
from bot.sandbox.discord.world import World

_ACK_AFTER_SECONDS: Final = 0.03
"""As a network takes. discord.py 2.7.1 notes when it sent a heartbeat only after it did: an answer at the same moment
is measured from the heartbeat before, and told as 41 seconds of latency."""
_MAX_COMMAND_BYTES: Final = 4096
_COMMANDS_PER_MINUTE: Final = 120
_MINUTE: Final = 60.0
_KNOWN_INTENTS: Final = (1 << 27) - 1
_SHARD_PAIR: Final = 2
_GOING_AWAY: Final = frozenset({1000, 1001})


class Gateway:
    """Serve gateway connections for one world."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        clock: Callable[[], float],
        *,
        heartbeat_interval: float = 41.25,
        buffered_events: int = 2000,
    ) -> None:
        """Take `clock` in monotonic seconds; `buffered_events` is how many a session can replay."""
        self._world = world
        self._ledger = ledger
        self._clock = clock
        self._heartbeat_interval = heartbeat_interval
        self._buffered_events = buffered_events
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self.url = ""
        self.refusing = False
        self._held: list[Event] | None = None
        self.connected = asyncio.Event()
        self.identifies: list[JsonObject] = []
        self.resumes = 0
        self.session_starts_total = 1000
        self.session_starts_remaining = 1000
        self.recommended_shards = 1
        self._listeners: list[Callable[[GatewaySign], None]] = []
        world.subscribe(self._receive)
        world.bot_is_connected = self.connected.is_set

    @property
    def sessions(self) -> list[Session]:
        """Return the sessions that are connected or could be resumed."""
        return list(self._sessions.values())

    def listen(self, receive: Callable[[GatewaySign], None]) -> None:
        """Tell a receiver of every later frame, in both directions, and of connections that begin and end."""
        self._listeners.append(receive)

    def _tell(self, sign: GatewaySign) -> None:
        for receive in self._listeners:
            receive(sign)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one connection until it ends."""
        if self.refusing:
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        connection = Connection(request, socket, self._tell)
        self._connections.add(connection)
        self._tell(Link(opened=True))
        connection.send(Op.HELLO, {"heartbeat_interval": int(self._heartbeat_interval * 1000)})
        writer = asyncio.create_task(connection.write())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._tell(Frame(to_bot=False, text=message.data))
                    self._command(connection, message.data)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._ended(connection, socket.close_code)
        return socket

    def _ended(self, connection: Connection, code: int | None) -> None:
        self._connections.discard(connection)
        self._tell(Link(opened=False, code=code))
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            if code in _GOING_AWAY:
                self._sessions.pop(session.id, None)
        if not any(each.connection for each in self._sessions.values()):
            self.connected.clear()
        self._world.changed()

    def _command(self, connection: Connection, text: str) -> None:
        now = self._clock()
        connection.arrivals.append(now)
        while connection.arrivals[0] < now - _MINUTE:
            connection.arrivals.popleft()
        if len(connection.arrivals) > _COMMANDS_PER_MINUTE:
            self._refuse(connection, CloseCode.RATE_LIMITED, "more than 120 commands in 60 s")
            return
        frame = as_object(json.loads(text)) if len(text.encode()) <= _MAX_COMMAND_BYTES else None
        if frame is None:
            self._refuse(connection, CloseCode.DECODE_ERROR, "a command that is no object or over 4096 bytes")
            return
        op, data = frame.get("op"), as_object(frame.get("d")) or {}
        match op:
            case Op.HEARTBEAT:
                asyncio.get_running_loop().call_later(_ACK_AFTER_SECONDS, connection.send, Op.ACK)
            case Op.IDENTIFY:
                self._identify(connection, data)
            case Op.RESUME:
                self._resume(connection, data)
            case Op.PRESENCE | Op.VOICE_STATE:
                if connection.session is None:
                    self._refuse(connection, CloseCode.NOT_AUTHENTICATED, f"op {op} before identify")
            case _:
                self._refuse(connection, CloseCode.UNKNOWN_OPCODE, f"op {op} is not served")

    def _refuse(self, connection: Connection, code: CloseCode, reason: str, *, expected: bool = False) -> None:
        if not expected:
            self._ledger.gateway_errors.append(f"closed with {int(code)}: {reason}")
        connection.close(code)

    def _identify(self, connection: Connection, data: JsonObject) -> None:
        self.session_starts_remaining -= 1
        self.identifies.append({key: value for key, value in data.items() if key != "token"})
        if as_text(data.get("token")) != self._world.token:
            self._refuse(connection, CloseCode.AUTHENTICATION_FAILED, "wrong token", expected=True)
            return
        asked = as_int(data.get("intents"), -1)
        if not 0 <= asked <= _KNOWN_INTENTS:
            self._refuse(connection, CloseCode.INVALID_INTENTS, f"intents {asked}")
            return
        enabled = {
            Intent.MESSAGE_CONTENT: self._world.message_content_enabled,
            Intent.GUILD_MEMBERS: self._world.members_intent_enabled,
            Intent.GUILD_PRESENCES: False,
        }
        if any(asked & intent and not granted for intent, granted in enabled.items()):
            self._refuse(connection, CloseCode.DISALLOWED_INTENTS, "a privileged intent is not enabled", expected=True)
            return
        shard = [as_int(each) for each in as_list(data.get("shard"))] or [0, 1]
        if len(shard) != _SHARD_PAIR or not 0 <= shard[0] < shard[1]:
            self._refuse(connection, CloseCode.INVALID_SHARD, f"shard {shard}")
            return
        session = Session(secrets.token_hex(16), Intent(asked), shard[0], shard[1], connection=connection)
        self._sessions[session.id] = session
        connection.session = session
        self._greet(session)

    def _greet(self, session: Session) -> None:
        world = self._world
        guilds = [guild for guild in world.guilds.values() if session.has(guild.id)]
        ready: JsonObject = {
            "v": 10,
            "user": payloads.own_user(world.bot),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": [session.shard_id, session.shard_count],
            "application": {"id": str(world.application_id), "flags": payloads.application_flags(world)},
        }
        self._dispatch(session, "READY", encode(ready))
        for guild in guilds:
            if not guild.unavailable and session.intents & Intent.GUILDS:
                self._dispatch(session, "GUILD_CREATE", encode(payloads.guild_create(guild)))
        self.connected.set()
        world.changed()

    def _resume(self, connection: Connection, data: JsonObject) -> None:
        session = self._sessions.get(as_text(data.get("session_id")))
        seen = as_int(data.get("seq"), -1)
        known = session is not None and as_text(data.get("token")) == self._world.token
        if session is None or not known or seen > session.seq or (session.buffer and session.buffer[0][0] > seen + 1):
            connection.send(Op.INVALID_SESSION, data=False)
            return
        self.resumes += 1
        session.connection = connection
        connection.session = session
        for seq, text in session.buffer:
            if seq > seen:
                connection.outbox.put_nowait(text)
        self._dispatch(session, "RESUMED", "{}")
        self.connected.set()
        self._world.changed()

    def hold_events(self) -> None:
        """Keep every later event back, as a slow gateway does, until `release_events`."""
        if self._held is None:
            self._held = []

    def release_events(self) -> None:
        """Send what was kept back, in order, and go on as usual."""
        held, self._held = self._held or [], None
        for event in held:
            self._receive(event)

    def _receive(self, event: Event) -> None:
        if self._held is not None:
            self._held.append(event)
            return
        whole: str | None = None
        blanked: str | None = None
        for session in self._sessions.values():
            if not session.wants(event):
                continue
            if event.message is not None and not session.intents & Intent.MESSAGE_CONTENT:
                if blanked is None:
                    blanked = encode(payloads.redact(event.data, event.message, self._world.bot))
                self._dispatch(session, event.name, blanked)
            else:
                if whole is None:
                    whole = encode(event.data)
                self._dispatch(session, event.name, whole)

    def _dispatch(self, session: Session, name: str, data: str) -> None:
        session.seq += 1
        text = f'{{"op":0,"t":"{name}","s":{session.seq},"d":{data}}}'
        session.buffer.append((session.seq, text))
        if len(session.buffer) > self._buffered_events:
            session.buffer.popleft()
        if session.connection is not None:
            session.connection.outbox.put_nowait(text)

    def drop(self, *, resumable: bool) -> None:
        """Cut every connection without a close frame; not resumable, the sessions are forgotten as well."""
        if not resumable:
            self._sessions.clear()
        self.connected.clear()
        for connection in list(self._connections):
            connection.cut()

    def close_all(self, code: int, *, resumable: bool) -> None:
        """Close every connection with a code."""
        if not resumable:
            self._sessions.clear()
        self.connected.clear()
        for connection in list(self._connections):
            connection.close(code)

    def ask_to_reconnect(self) -> None:
        """Send op 7 to every connection."""
        self.connected.clear()
        for connection in list(self._connections):
            connection.send(Op.RECONNECT)

    def invalidate(self) -> None:
        """Send op 9 with d=false to every connection and forget the sessions."""
        self._sessions.clear()
        self.connected.clear()
        for connection in list(self._connections):
            connection.send(Op.INVALID_SESSION, data=False)
