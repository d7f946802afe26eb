"""A server with channels, people and a character, and everything between a message and its reply."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.domain.bindings import Binding, Conversation, Scope, Trigger
from bot.domain.context import ContextBudget
from bot.domain.ids import ChannelId, CharacterId, GuildId, MessageId, TurnId, UserId
from bot.domain.messages import Author, BotPolicy, IncomingMessage, names_of_people
from bot.domain.payers import OPERATOR
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.safety import NO_NAMES
from bot.domain.turns import AdmissionLimits, Turn
from bot.services.announcing import Announcer
from bot.services.binding_book import BindingBook
from bot.services.binding_index import BindingIndex
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import BindingService
from bot.services.breakers import Breakers
from bot.services.catalog import CatalogService
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.ignored_members import IgnoredMembers
from bot.services.outlet import Destination, OutletError
from bot.services.posting import Poster
from bot.services.recovery import History, PlaceState, RecoveryService
from bot.services.relay import RelayService, RelaySettings
from bot.services.server_rules import ServerRules
from bot.services.speaking import Speaker
from bot.services.staging import Stages
from bot.services.standing_notices import StandingNotices
from bot.services.surroundings import Surroundings
from bot.services.turn import Readers, TurnRunner, TurnSettings
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.notices import Notices
from bot.store.paid_turns import PaidTurns
from bot.store.posts import Posts
from bot.store.servers import Servers
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.own_parts import Membership, OwnParts
from tests.support.recording_outlet import PATIENCE_SECONDS, Message, RecordingOutlet
from tests.support.scripted_upstream import ScriptedUpstream

GUILD: Final = GuildId(200)
ROOM: Final = ChannelId(300)
OTHER_ROOM: Final = ChannelId(301)
THREAD: Final = ChannelId(310)
ALICE: Final = UserId(400)
BOB: Final = UserId(401)
FRIENDLY_BOT: Final = UserId(500)
GUIDE: Final = CharacterId("guide")
CATCH_UP_MS: Final = 15 * 60_000
RETENTION_MS: Final = 30 * 86_400_000
HISTORY_LIMIT: Final = 100
_WORKERS: Final = ("worker of", "inbox of")
_NAMES: Final = {ALICE: "Alice", BOB: "Bob", FRIENDLY_BOT: "Robot"}


@dataclass(frozen=True)
class Rules:
    """What an operator may set."""

    limits: AdmissionLimits = field(default_factory=lambda: AdmissionLimits(20, 0, 0))
    bots: BotPolicy = field(default_factory=lambda: BotPolicy(frozenset({FRIENDLY_BOT}), 3))
    turn: TurnSettings = field(default_factory=lambda: TurnSettings(ContextBudget(40, 24_000)))
    first_text_delay_seconds: float = 0.0
    feedback_buttons: bool = False
    max_concurrent: int = 8


@dataclass
class Town:
    """What the gateway shows, which a stop of the bot does not change."""

    restricted: dict[ChannelId, bool] = field(default_factory=lambda: {ROOM: False, OTHER_ROOM: False})
    """The channels, and whether they are age-restricted."""
    parents: dict[ChannelId, ChannelId] = field(default_factory=lambda: {THREAD: ROOM})
    said: list[IncomingMessage] = field(default_factory=list[IncomingMessage])
    """What people said, and did not delete."""
    edited: set[MessageId] = field(default_factory=set[MessageId])
    """Which of it they have edited."""
    newest: dict[ChannelId, MessageId] = field(default_factory=dict[ChannelId, MessageId])
    may_read: bool = True
    """Whether the bot may read what was said, and knows that it may."""
    history_error: Exception | None = None
    parent_error: OutletError | None = None
    loading: set[GuildId] = field(default_factory=set[GuildId])
    """Servers that the gateway has named and not described yet."""
    asked_for_parents: list[ChannelId] = field(default_factory=list[ChannelId])
    membership: Membership = field(default_factory=Membership)

    def destination(self, place: ChannelId) -> Destination:
        """Return where a channel or thread is."""
        parent = self.parents.get(place)
        return Destination(GUILD, place) if parent is None else Destination(GUILD, parent, place)

    def around(self, destination: Destination) -> Surroundings | None:
        """Tell of a place from the gateway's cache."""
        flag = self.restricted.get(destination.channel_id)
        if flag is None:
            return None
        place = Place(destination.guild_id, destination.channel_id, destination.thread_id, flag)
        return Surroundings(place, "A Server", "A Bot", NO_NAMES)

    def edit(self, message: IncomingMessage, text: str) -> IncomingMessage:
        """Let the author of a message give it another text, of which the bot does not hear."""
        edited = replace(message, text=text)
        self.said[self.said.index(message)] = edited
        self.edited.add(message.id)
        return edited

    async def speakers(self, destination: Destination) -> frozenset[str]:
        """Ask Discord who spoke in a place last."""
        return names_of_people(message for message in self.said if message.channel_id == destination.place)

    async def parent_of(self, place: ChannelId) -> ChannelId | None:
        """Ask Discord for the channel of a thread."""
        self.asked_for_parents.append(place)
        if self.parent_error is not None:
            raise self.parent_error
        return self.parents.get(place)


class RelayWorld:
    """One run of the bot. `open` comes first; `restarted` gives the next run after this one was killed."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: ManualClock,
        rules: Rules | None = None,
        *,
        outlet: RecordingOutlet | None = None,
        upstream: ScriptedUpstream | None = None,
        town: Town | None = None,
    ) -> None:
        self.database = database
        self.vault = vault
        self.clock = clock
        self.rules = rules or Rules()
        self.outlet = outlet or RecordingOutlet(clock.now_ms)
        self.upstream = upstream or ScriptedUpstream()
        self.town = town or Town()
        self.ignored = IgnoredMembers()
        self.faults: deque[Exception] = deque()
        """Raised by the next looks at the gateway's cache."""
        codes = itertools.count(1)

        self.turns = Turns(database, vault)
        self.posts = Posts(database, self.turns)
        self.conversations = Conversations(database)
        self.bindings = Bindings(database)
        self.shelf = CharacterShelf(characters=Characters(database), clock=clock.clock)
        nanogpt = self.upstream.client(clock)
        rules_of_servers = ServerRules(servers=Servers(database, vault), clock=clock.clock)
        limits = ContentLimits(ContentRating.SFW, ContentRating.NSFW)
        ceilings = Ceilings(limits, rules_of_servers.rating_max)
        self.catalog = CatalogService(shelf=self.shelf, client=nanogpt, ceilings=ceilings, clock=clock.clock)
        self.parts = OwnParts(
            database,
            vault,
            clock,
            catalog=self.catalog,
            nanogpt=nanogpt,
            rules=rules_of_servers,
            membership=self.town.membership,
        )
        self.announcer = Announcer(outlet=self.outlet, notices=Notices(database), clock=clock.clock)
        self.poster = Poster(self.outlet, self.posts, clock.clock, preview_interval_seconds=1.0)
        self.index = BindingIndex()
        self.stages = Stages(
            catalog=self.catalog,
            gate=self.parts.gate,
            surroundings=self._around,
            is_loading=lambda guild_id: guild_id in self.town.loading,
            clock=clock.clock,
        )
        self.speaker = Speaker(
            poster=self.poster,
            turns=self.turns,
            index=self.index,
            obstacle=self.stages.obstacle,
            announcer=self.announcer,
            first_text_delay_seconds=self.rules.first_text_delay_seconds,
            feedback_buttons=self.rules.feedback_buttons,
        )
        self.readers = Readers()
        self.breakers = Breakers(clock.clock)
        book = BindingBook(
            bindings=self.bindings,
            conversations=self.conversations,
            index=self.index,
            gate=self.parts.gate,
            stop=self._stop,
            clock=clock.clock,
        )
        standings = StandingNotices(
            announcer=self.announcer, gate=self.parts.gate, catalog=self.catalog, surroundings_of=self.town.around
        )
        self.upkeep = BindingUpkeep(
            book=book,
            standings=standings,
            bindings=self.bindings,
            index=self.index,
            catalog=self.catalog,
            gate=self.parts.gate,
            own=self.parts.own,
            rules=self.parts.rules,
            surroundings_of=self.town.around,
            clock=clock.clock,
        )
        self.binding_service = BindingService(
            book=book,
            standings=standings,
            bindings=self.bindings,
            conversations=self.conversations,
            index=self.index,
            catalog=self.catalog,
            gate=self.parts.gate,
            own=self.parts.own,
            rules=self.parts.rules,
            greet=self._greet,
            hold=self._hold,
            stop=self._stop,
            speakers=self.town.speakers,
            clock=clock.clock,
            message_content=True,
        )
        self.runner = TurnRunner(
            turns=self.turns,
            posts=self.posts,
            speaker=self.speaker,
            stages=self.stages,
            gate=self.parts.gate,
            upkeep=self.upkeep,
            nanogpt=nanogpt,
            outlet=self.outlet,
            readers=self.readers,
            breakers=self.breakers,
            key_of=self.parts.keys.key,
            paid_turns=PaidTurns(database),
            is_ignored=self.ignored.is_ignored,
            clock=clock.clock,
            max_concurrent=self.rules.max_concurrent,
            settings=self.rules.turn,
            new_code=lambda: f"code{next(codes)}",
        )
        self.relay = RelayService(
            index=self.index,
            book=book,
            upkeep=self.upkeep,
            conversations=self.conversations,
            turns=self.turns,
            posts=self.posts,
            runner=self.runner,
            readers=self.readers,
            announcer=self.announcer,
            ignored=self.ignored,
            parent_of=self.town.parent_of,
            note_deletions=self.poster.note_deletions,
            clock=clock.clock,
            settings=RelaySettings(self.rules.limits, self.rules.bots),
        )
        self.recovery = RecoveryService(
            index=self.index,
            conversations=self.conversations,
            turns=self.turns,
            posts=self.posts,
            poster=self.poster,
            speaker=self.speaker,
            stages=self.stages,
            runner=self.runner,
            relay=self.relay,
            announcer=self.announcer,
            read_history=self._history,
            places_of=self._places_of,
            ignored=self.ignored,
            clock=clock.clock,
            bots=self.rules.bots,
            catch_up_ms=CATCH_UP_MS,
            known_for_ms=RETENTION_MS,
        )
        self.outlet.on_echo = self.poster.seen
        self.outlet.on_delete = self._deleted

    async def open(self, *, released: bool = True) -> None:
        """Load what a start loads, and hear the gateway at once unless the recovery is to see to that."""
        self.upstream.characters.setdefault(GUIDE, character(GUIDE))
        await self.shelf.load()
        await self.parts.load()
        await self.upkeep.load()
        if released:
            self.poster.listen()
            self.relay.inbox.release(GUILD)

    async def bind(
        self, channel: ChannelId = ROOM, *, trigger: Trigger = Trigger.EVERY, character_id: CharacterId = GUIDE
    ) -> Binding:
        """Let a character speak in a channel from now on."""
        self.upstream.characters.setdefault(character_id, character(character_id))
        known = await self.catalog.resolve(character_id, ceiling=ContentRating.EXPLICIT)
        bound = await self.bindings.create(
            guild_id=GUILD,
            channel_id=channel,
            character_ref=known.ref,
            trigger=trigger,
            bound_by=ALICE,
            payer=OPERATOR,
            active_from=self.outlet.next_id(),
            now_ms=self.clock.now_ms(),
        )
        for ended in bound.ended:
            self.index.put(ended)
        self.index.put(bound.binding)
        return bound.binding

    def message(self, text: str = "Hello?", *, by: UserId = ALICE, at: ChannelId = ROOM) -> IncomingMessage:
        """Return a message that somebody has just written; the bot has not heard it."""
        parent = self.town.parents.get(at)
        message = IncomingMessage(
            id=self.outlet.next_id(),
            guild_id=GUILD,
            channel_id=at,
            parent_id=parent,
            in_thread=parent is not None,
            author_id=by,
            author_name=_NAMES.get(by, "Somebody"),
            author=Author.BOT if by == FRIENDLY_BOT else Author.MEMBER,
            text=text,
            addressed=False,
        )
        self.town.said.append(message)
        self.town.newest[at] = message.id
        return message

    def say(self, text: str = "Hello?", *, by: UserId = ALICE, at: ChannelId = ROOM) -> IncomingMessage:
        """Let somebody write a message, and the bot hear it."""
        message = self.message(text, by=by, at=at)
        self.relay.accept(message)
        return message

    async def ask(self, text: str = "Hello?", *, by: UserId = ALICE, at: ChannelId = ROOM) -> IncomingMessage:
        """Let somebody write a message, and wait until all is done."""
        message = self.say(text, by=by, at=at)
        await self.idle()
        return message

    async def greet(self, text: str = "Good evening.") -> None:
        """Let the character of the room greet, and wait until all is done."""
        binding = self.index.get(ROOM)
        assert binding is not None
        self.relay.greet(await self.conversation(binding), text)
        await self.idle()

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while workers := [task for task in asyncio.all_tasks() if task.get_name().startswith(_WORKERS)]:
                await asyncio.wait(workers)
            await self.poster.drain()
            await self.announcer.drain()

    async def idle_in_time(self) -> None:
        """Wait until nothing is under way, and let as much time pass as is waited for."""
        await self.in_time(self.idle())

    async def in_time(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something, and let as much time pass as is waited for."""
        task = asyncio.create_task(work)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not task.done():
                asleep = asyncio.create_task(self.clock.sleeping())
                await asyncio.wait((task, asleep), return_when=asyncio.FIRST_COMPLETED)
                if asleep.done():
                    self.clock.advance(asleep.result())
                else:
                    asleep.cancel()
        await task

    async def ready(self) -> None:
        """Let the recovery bring the server up to date, as at a start or with a new session."""
        await self.recovery.ready({GUILD: self.place_states()})

    def place_states(self) -> list[PlaceState]:
        """Return the channels and threads as the gateway shows them."""
        places = (*self.town.restricted, *self.town.parents)
        return [PlaceState(self.town.destination(place), self.town.newest.get(place)) for place in places]

    async def recovered(self) -> None:
        """As `ready`, and wait until all is done."""
        await self.in_time(self.ready())
        await self.idle_in_time()

    async def restarted(self, rules: Rules | None = None) -> "RelayWorld":
        """Kill this run wherever it is, and return the next one, which has not looked around yet."""
        await self.kill()
        world = RelayWorld(
            self.database,
            self.vault,
            self.clock,
            rules or self.rules,
            outlet=self.outlet,
            upstream=self.upstream,
            town=self.town,
        )
        await world.open(released=False)
        return world

    async def kill(self) -> None:
        """End everything that this run does, as far as asyncio can."""
        this = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not this]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def full_disk(self) -> AsyncGenerator[None]:
        """Let no turn be ended for the length of the block."""
        async with self.database.transaction() as tx:
            await tx.execute(
                "CREATE TRIGGER full_disk BEFORE UPDATE OF state ON turn WHEN NEW.state <> 'running' "
                "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            )
        yield
        async with self.database.transaction() as tx:
            await tx.execute("DROP TRIGGER full_disk")

    # What there is to see.

    def texts(self, place: ChannelId = ROOM) -> list[str]:
        """Return what the bot and its characters have on show in a place."""
        return self.outlet.texts(place)

    def shown(self, place: ChannelId = ROOM) -> list[Message]:
        """Return the messages on show in a place."""
        return self.outlet.visible(place)

    async def all_turns(self) -> list[Turn]:
        """Return every turn, oldest first."""
        rows = await self.database.read("SELECT id FROM turn ORDER BY id")
        return [turn for row in rows if (turn := await self.turns.get(TurnId(row["id"]))) is not None]

    async def states(self) -> list[tuple[str, str | None]]:
        """Return the states and causes of the turns."""
        return [(turn.state.value, turn.cause) for turn in await self.all_turns()]

    async def claims(self) -> list[tuple[str, str | None]]:
        """Return the states and causes of the messages that were let in, oldest first."""
        rows = await self.database.read("SELECT state, cause FROM claim ORDER BY message_id")
        return [(row["state"], row["cause"]) for row in rows]

    async def conversation(self, binding: Binding, place: ChannelId = ROOM) -> Conversation:
        """Return the conversation of a place."""
        scope = Scope.ROOM if place == binding.channel_id else Scope.THREAD
        return await self.conversations.get_or_create(binding, scope, place, self.clock.now_ms())

    # Steps of the above.

    def _around(self, destination: Destination) -> Surroundings | None:
        if self.faults:
            raise self.faults.popleft()
        return self.town.around(destination)

    async def _greet(self, binding: Binding, conversation: Conversation, known: object, text: str) -> None:
        del binding, known
        self.relay.greet(conversation, text)

    def _hold(self, binding: Binding) -> Callable[[], None]:
        return self.relay.hold(binding)

    async def _stop(self, conversation: Conversation) -> None:
        await self.readers.stop(conversation.id)

    def _places_of(self, guild_id: GuildId) -> list[PlaceState] | None:
        return None if guild_id in self.town.loading else self.place_states()

    async def _history(self, destination: Destination) -> History:
        if self.town.history_error is not None:
            raise self.town.history_error
        if not self.town.may_read:
            # Discord's answer, too.
            return History((), frozenset())
        people = [message for message in self.town.said if message.channel_id == destination.place]
        own = [message.id for message in self.outlet.visible(destination.place)]
        ids = sorted([*own, *(message.id for message in people)])[-HISTORY_LIMIT:]
        return History(
            tuple(message for message in people if message.id in ids),
            frozenset(ids),
            edited=frozenset(self.town.edited.intersection(ids)),
            complete=len(ids) < HISTORY_LIMIT,
        )

    def _deleted(self, destination: Destination, message_id: MessageId) -> None:
        self.relay.deleted(GUILD, destination.place, self.town.parents.get(destination.place), [message_id])


def character(character_id: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON.
    """Return a character as the catalogue has it."""
    return {
        "id": character_id,
        "slug": f"helpful-{character_id}",
        "name": character_id.title(),
        "visibility": "public",
        "moderation_status": "approved",
        "allow_api": True,
        "content_rating": "sfw",
        "creator_content_rating": "sfw",
        "base_model_id": "a-model",
        **fields,
    }
