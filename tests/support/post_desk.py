"""A turn that runs in a room, over a real database, and everything that posts for it."""

from dataclasses import replace
from typing import Final

from bot.domain.ids import ChannelId, MessageId, PostId, TurnId
from bot.domain.turns import AdmissionLimits, Arrival, PostKind, Transport, TurnState
from bot.services.lanes import Priority
from bot.services.outlet import Destination, Draft
from bot.services.posting import Poster, Sent
from bot.store.database import Database
from bot.store.posts import Posts
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.store.seed import ALICE, CHANNEL, GUILD, PAYER, Seed
from tests.support.manual_clock import ManualClock
from tests.support.recording_outlet import RecordingOutlet

PREVIEW_SECONDS: Final = 1.0
ROOM: Final = Destination(GUILD, CHANNEL)
THREAD: Final = Destination(GUILD, CHANNEL, ChannelId(21))
HELLO: Final = Draft("Hello there", nonce="1.1.reply.0")


class PostDesk:
    """A poster whose outlet's echoes it hears. `begin` comes first."""

    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.outlet = RecordingOutlet(clock.now_ms)
        self.turns = Turns(database, vault)
        self.posts = Posts(database, self.turns)
        self.poster = self.new_poster()
        self.poster.listen()
        self.seed = Seed(database, vault)
        self.turn_id = TurnId(0)
        self.anchor = self.outlet.next_id()

    def new_poster(self) -> Poster:
        """Return a poster as a fresh process has it, and let it hear the echoes."""
        poster = Poster(self.outlet, self.posts, self.clock.clock, preview_interval_seconds=PREVIEW_SECONDS)
        self.outlet.on_echo = poster.seen
        return poster

    async def begin(self) -> None:
        """Let a turn run in the room."""
        room = await self.seed.room(await self.seed.binding())
        arrival = Arrival(self.anchor, GUILD, CHANNEL, ALICE, "Alice", "Hello?")
        now_ms = self.clock.now_ms()
        await self.turns.admit(room.id, [arrival], AdmissionLimits(1, 0, 0), now_ms=now_ms, day_start_ms=0)
        turn = await self.turns.begin(room.id, PAYER, now_ms=now_ms)
        assert turn is not None
        self.turn_id = turn.id

    async def intend(
        self, number: int = 0, destination: Destination = ROOM, transport: Transport = Transport.WEBHOOK
    ) -> PostId:
        """Write down that a post is about to be sent."""
        post_id, _ = await self.posts.intend(
            self.turn_id,
            PostKind.REPLY,
            number,
            channel_id=destination.channel_id,
            thread_id=destination.thread_id,
            transport=transport,
            now_ms=self.clock.now_ms(),
        )
        return post_id

    async def send(
        self,
        draft: Draft = HELLO,
        destination: Destination = ROOM,
        transport: Transport = Transport.WEBHOOK,
        turn_id: TurnId | None = None,
    ) -> Sent:
        """Send a post whose intent is written down."""
        of_turn = turn_id or self.turn_id
        return await self.poster.lane(destination).submit(
            Priority.TEXT, lambda: self.poster.send(destination, of_turn, transport, draft, self.anchor)
        )

    async def post(
        self,
        draft: Draft = HELLO,
        number: int = 0,
        destination: Destination = ROOM,
        transport: Transport = Transport.WEBHOOK,
    ) -> Sent:
        """Post as a reply does: intent, message, id."""
        post_id = await self.intend(number, destination, transport)
        sent = await self.send(draft, destination, transport)
        await self.posts.posted(post_id, sent.message_id)
        return sent

    async def end(self) -> None:
        """End the turn."""
        await self.turns.finish(self.turn_id, TurnState.ANSWERED, now_ms=self.clock.now_ms())
        self.poster.settle(ROOM, self.turn_id)

    def stray(self, text: str = "Hello there", transport: Transport = Transport.WEBHOOK) -> MessageId:
        """Let a lost call's message turn up."""
        return self.outlet.store(ROOM, transport, replace(HELLO, text=text))

    @property
    def ids(self) -> list[MessageId]:
        """The messages that stand."""
        return [message.id for message in self.outlet.visible()]

    async def turn_state(self) -> tuple[str, str | None]:
        """Return the turn's state and cause."""
        return await self.seed.turn_state(self.turn_id)
