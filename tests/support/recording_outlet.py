"""Discord in memory: keeps what is posted, fails as told, echoes when told, and writes down every call."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from bot.domain.ids import ChannelId, MessageId, snowflake_at
from bot.domain.persona_names import headed
from bot.domain.turns import Transport
from bot.services.outlet import (
    Allowance,
    Destination,
    Draft,
    Gone,
    Lost,
    OutletError,
    SeenPost,
)
from tests.support.manual_clock import START_MS

PATIENCE_SECONDS: Final = 10.0
"""How long a test may wait for something before it is taken to have failed."""
HISTORY_LIMIT: Final = 100


class Act(Enum):
    """What can be asked of an outlet."""

    TRANSPORT = "transport"
    POST = "post"
    EDIT = "edit"
    BARE = "bare"
    DELETE = "delete"
    TYPING = "typing"
    RECENT = "recent"


class Echo(Enum):
    """When the gateway shows a message to the one who posted it."""

    BEFORE = "before"
    """Before the answer."""
    AFTER = "after"
    """As soon as the answer was taken."""
    HELD = "held"
    """When the test calls `echo`."""


class Gate:
    """Holds a call until it is opened."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self._open = asyncio.Event()

    async def wait(self) -> None:
        self.entered.set()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call goes: by default it is carried out once and answered at once."""

    error: OutletError | None = None
    """Raised in place of the answer."""
    copies: int | None = None
    """How often a post is stored: by default once, and not at all when there is an error."""
    echo: Echo | None = None
    """When each copy is echoed; None as the outlet's `echoes` say."""
    before: Gate | None = None
    """Waited for before anything is stored or changed."""
    after: Gate | None = None
    """Waited for between that and the answer."""

    @property
    def carried_out(self) -> int:
        """How often the call takes effect."""
        return self.copies if self.copies is not None else int(self.error is None)


AS_USUAL: Final = Outcome()


def fails(error: OutletError) -> Outcome:
    """Return the outcome of a call that fails and changes nothing."""
    return Outcome(error)


def lost_answer(error: OutletError, *, echo: Echo | None = None, copies: int = 1) -> Outcome:
    """Return the outcome of a post that is stored, though its answer is an error."""
    return Outcome(error, copies=copies, echo=echo)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as it was begun."""

    act: Act
    destination: Destination
    transport: Transport | None = None
    message_id: MessageId | None = None
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message that stands on Discord."""

    id: MessageId
    destination: Destination
    transport: Transport
    draft: Draft

    @property
    def seen(self) -> SeenPost:
        """What a gateway event or the history says of it; a webhook's message has no nonce, the bot's has a heading."""
        if self.transport is Transport.WEBHOOK:
            return SeenPost(self.id, self.transport, self.draft.text)
        persona = self.draft.persona
        text = self.draft.text if persona is None else headed(self.draft.text, persona.name)
        return SeenPost(self.id, self.transport, text, self.draft.nonce)


@dataclass
class RecordingOutlet:
    """Implements bot.services.outlet.Outlet."""

    now_ms: Callable[[], int] = lambda: START_MS
    allowances: dict[ChannelId, Allowance] = field(default_factory=dict[ChannelId, Allowance])
    """By channel; a channel that is left out has no known limit."""
    speaks_as: Transport = Transport.WEBHOOK
    """What `transport` answers."""
    muted: set[ChannelId] = field(default_factory=set[ChannelId])
    """Where the bot may not write, as far as `may_speak` knows."""
    nonces_in_history: bool = True
    echoes: Echo = Echo.AFTER
    on_echo: Callable[[Destination, SeenPost], None] | None = None
    on_delete: Callable[[Destination, MessageId], None] | None = None
    """Hears of every deletion, by the bot or by people, as the gateway tells it."""
    on_call: Callable[[Call], Awaitable[None]] | None = None
    """Awaited within each call before it is carried out, so that a test can look at the database from there."""
    calls: list[Call] = field(default_factory=list[Call])
    messages: dict[MessageId, Message] = field(default_factory=dict[MessageId, Message])
    _scripts: dict[Act, deque[Outcome]] = field(default_factory=dict[Act, "deque[Outcome]"])
    _newest: int = 0
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    # What a test says and asks.

    def script(self, act: Act, *outcomes: Outcome) -> None:
        """Decide how the next calls of a kind go, in their order; the ones after go as usual."""
        self._scripts.setdefault(act, deque()).extend(outcomes)

    def unscript(self) -> None:
        """Let all further calls go as usual."""
        self._scripts.clear()

    def hold(self, act: Act, *, carried_out: bool) -> Gate:
        """Hold the next call of a kind that has no outcome yet: before it is carried out, or after."""
        gate = Gate()
        self.script(act, Outcome(after=gate) if carried_out else Outcome(before=gate))
        return gate

    def of(self, *acts: Act) -> list[Call]:
        """Return the calls of some kinds, in their order."""
        return [call for call in self.calls if call.act in acts]

    @property
    def acts(self) -> list[Act]:
        """The kinds of the calls in their order, without asking for the way to speak."""
        return [call.act for call in self.calls if call.act is not Act.TRANSPORT]

    def texts(self, place: ChannelId | None = None) -> list[str]:
        """Return what can be read, in one place or everywhere, oldest first."""
        return [message.draft.text for message in self.visible(place)]

    def visible(self, place: ChannelId | None = None) -> list[Message]:
        """Return the messages that stand, in one place or everywhere, oldest first."""
        return [message for message in self.messages.values() if place in (None, message.destination.place)]

    def store(self, destination: Destination, transport: Transport, draft: Draft) -> MessageId:
        """Let a message stand there, as if a lost call had put it there."""
        message_id = self.next_id()
        self.messages[message_id] = Message(message_id, destination, transport, draft)
        return message_id

    def echo(self, message_id: MessageId) -> None:
        """Show a message, by the gateway, to the one who posted it."""
        message = self.messages[message_id]
        if self.on_echo is not None:
            self.on_echo(message.destination, message.seen)

    def remove(self, message_id: MessageId) -> None:
        """Delete a message as a moderator does."""
        message = self.messages.pop(message_id)
        if self.on_delete is not None:
            self.on_delete(message.destination, message_id)

    def next_id(self) -> MessageId:
        """Return a new snowflake, newer than all before it."""
        self._newest = max(self._newest + 1, snowflake_at(self.now_ms()))
        return MessageId(self._newest)

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until something is so; it is looked at whenever a call begins, changes something or ends."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not happened():
                self._stirred.clear()
                await self._stirred.wait()

    # The protocol.

    def may_speak(self, destination: Destination) -> bool:
        return destination.place not in self.muted

    async def transport(self, destination: Destination) -> Transport:
        await self._begin(Call(Act.TRANSPORT, destination))
        return self.speaks_as

    async def post(self, destination: Destination, transport: Transport, draft: Draft) -> MessageId:
        outcome = await self._begin(Call(Act.POST, destination, transport, None, draft))
        echo = outcome.echo or self.echoes
        stored: list[MessageId] = []
        for _ in range(outcome.carried_out):
            stored.append(self.store(destination, transport, draft))
            if echo is Echo.BEFORE:
                self.echo(stored[-1])
        await self._end(outcome, stored if echo is Echo.AFTER else ())
        return stored[-1]

    async def edit(self, destination: Destination, transport: Transport, message_id: MessageId, draft: Draft) -> None:
        outcome = await self._begin(Call(Act.EDIT, destination, transport, message_id, draft))
        if outcome.carried_out:
            message = self._message(message_id)
            self.messages[message_id] = replace(message, draft=replace(draft, nonce=message.draft.nonce))
        await self._end(outcome)

    async def bare(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        outcome = await self._begin(Call(Act.BARE, destination, transport, message_id))
        if outcome.carried_out:
            message = self._message(message_id)
            self.messages[message_id] = replace(message, draft=replace(message.draft, controls=None))
        await self._end(outcome)

    async def delete(self, destination: Destination, transport: Transport, message_id: MessageId) -> None:
        outcome = await self._begin(Call(Act.DELETE, destination, transport, message_id))
        if outcome.carried_out:
            self._message(message_id)
            self.remove(message_id)
        await self._end(outcome)

    async def typing(self, destination: Destination) -> None:
        await self._end(await self._begin(Call(Act.TYPING, destination)))

    async def recent(self, destination: Destination, after: MessageId) -> list[SeenPost]:
        outcome = await self._begin(Call(Act.RECENT, destination, message_id=after))
        found = [message.seen for message in self.visible(destination.place) if message.id > after]
        await self._end(outcome)
        if not self.nonces_in_history:
            found = [replace(seen, nonce=None) for seen in found]
        return found[:HISTORY_LIMIT]

    def allowance(self, destination: Destination) -> Allowance:
        return self.allowances.get(destination.channel_id, Allowance(None, 0.0))

    # Steps of the above.

    async def _begin(self, call: Call) -> Outcome:
        self.calls.append(call)
        self._stirred.set()
        scripted = self._scripts.get(call.act)
        outcome = scripted.popleft() if scripted else AS_USUAL
        if self.on_call is not None:
            await self.on_call(call)
        if outcome.before is not None:
            await outcome.before.wait()
        if call.act is Act.TRANSPORT:
            await self._end(outcome)
        return outcome

    async def _end(self, outcome: Outcome, to_echo: Sequence[MessageId] = ()) -> None:
        self._stirred.set()
        if outcome.after is not None:
            await outcome.after.wait()
        # Discord never answers within the turn of the event loop in which it was asked.
        await asyncio.sleep(0)
        for message_id in to_echo:
            asyncio.get_running_loop().call_soon(self._echo_if_there, message_id)
        self._stirred.set()
        if outcome.error is not None:
            raise outcome.error

    def _message(self, message_id: MessageId) -> Message:
        message = self.messages.get(message_id)
        if message is None:
            raise Gone(Lost.MESSAGE)
        return message

    def _echo_if_there(self, message_id: MessageId) -> None:
        if message_id in self.messages:
            self.echo(message_id)
