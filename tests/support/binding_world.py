"""A server's channels, a catalogue, and everything that decides which character speaks where; no relay."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from bot.domain.bindings import Binding, Conversation
from bot.domain.characters import KnownCharacter
from bot.domain.ids import ChannelId, GuildId, MessageId, UserId, snowflake_at
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.safety import NO_NAMES
from bot.services.announcing import Announcer
from bot.services.binding_book import BindingBook
from bot.services.binding_index import BindingIndex
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import Asker, BindingService
from bot.services.catalog import CatalogService
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.outlet import Destination, OutletError
from bot.services.server_rules import ServerRules
from bot.services.standing_notices import StandingNotices
from bot.services.surroundings import Surroundings
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.notices import Notices
from bot.store.servers import Servers
from bot.store.vault import Vault
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import START_MS, ManualClock
from tests.support.notice_outlet import NoticeOutlet
from tests.support.own_parts import OwnParts

GUILD: Final = GuildId(200)
ROOM: Final = Place(GUILD, ChannelId(300), None, age_restricted=False)
RESTRICTED: Final = replace(ROOM, age_restricted=True)
THREAD: Final = replace(ROOM, thread_id=ChannelId(310))
STAFF: Final = UserId(400)
HOUR: Final = 3_600


def asker(seconds: float = 0, *, name: str = "Alice", may_manage: bool = True) -> Asker:
    """Make someone who asks so many seconds after the start of the test."""
    return Asker(STAFF, name, may_manage, snowflake(seconds))


def snowflake(seconds: float) -> MessageId:
    """Return the snowflake of that moment."""
    return MessageId(snowflake_at(START_MS + round(seconds * 1_000)))


@dataclass(slots=True)
class Voices:
    """Stands for the relay: records what is to be said and what is to be stopped."""

    greeted: list[tuple[Binding, Conversation, str, str]] = field(
        default_factory=list[tuple[Binding, Conversation, str, str]]
    )
    stopped: list[Conversation] = field(default_factory=list[Conversation])
    held: list[Binding] = field(default_factory=list[Binding])
    trouble: Exception | None = None
    """Raised in place of a stop."""

    def hold(self, binding: Binding) -> Callable[[], None]:
        self.held.append(binding)
        return lambda: self.held.remove(binding)

    async def greet(self, binding: Binding, conversation: Conversation, known: KnownCharacter, text: str) -> None:
        self.greeted.append((binding, conversation, known.character.name, text))

    async def stop(self, conversation: Conversation) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.stopped.append(conversation)


@dataclass(slots=True)
class Town:
    """The channels that the gateway shows, and which of them are age-restricted."""

    restricted: dict[ChannelId, bool] = field(default_factory=lambda: {ROOM.channel_id: False})
    spoke: dict[ChannelId, set[str] | OutletError] = field(default_factory=dict[ChannelId, "set[str] | OutletError"])
    """Who spoke in a channel last, or why that cannot be read."""

    async def speakers(self, destination: Destination) -> set[str]:
        spoke = self.spoke.get(destination.channel_id, set[str]())
        if isinstance(spoke, OutletError):
            raise spoke
        return spoke

    def around(self, destination: Destination) -> Surroundings | None:
        flag = self.restricted.get(destination.channel_id)
        if flag is None:
            return None
        place = Place(destination.guild_id, destination.channel_id, destination.thread_id, flag)
        return Surroundings(place, "A Server", "A Bot", NO_NAMES)


@dataclass(slots=True)
class Rig:
    """One run of what decides who speaks where; `replace` with a fresh index gives the next one."""

    database: Database
    upstream: FakeCatalogue
    catalog: CatalogService
    parts: OwnParts
    clock: ManualClock
    index: BindingIndex = field(default_factory=BindingIndex)
    outlet: NoticeOutlet = field(default_factory=NoticeOutlet)
    town: Town = field(default_factory=Town)
    voices: Voices = field(default_factory=Voices)
    book: BindingBook = field(init=False)
    standings: StandingNotices = field(init=False)
    upkeep: BindingUpkeep = field(init=False)

    def __post_init__(self) -> None:
        self.book = BindingBook(
            bindings=Bindings(self.database),
            conversations=Conversations(self.database),
            index=self.index,
            gate=self.parts.gate,
            stop=self.voices.stop,
            clock=self.clock.clock,
        )
        self.standings = StandingNotices(
            announcer=Announcer(outlet=self.outlet, notices=Notices(self.database), clock=self.clock.clock),
            gate=self.parts.gate,
            catalog=self.catalog,
            surroundings_of=self.town.around,
        )
        self.upkeep = BindingUpkeep(
            book=self.book,
            standings=self.standings,
            bindings=Bindings(self.database),
            index=self.index,
            catalog=self.catalog,
            gate=self.parts.gate,
            own=self.parts.own,
            rules=self.parts.rules,
            surroundings_of=self.town.around,
            clock=self.clock.clock,
        )

    def service(self, *, message_content: bool = True, policy_url: str | None = None) -> BindingService:
        return BindingService(
            book=self.book,
            standings=self.standings,
            bindings=Bindings(self.database),
            conversations=Conversations(self.database),
            index=self.index,
            catalog=self.catalog,
            gate=self.parts.gate,
            own=self.parts.own,
            rules=self.parts.rules,
            greet=self.voices.greet,
            hold=self.voices.hold,
            stop=self.voices.stop,
            speakers=self.town.speakers,
            clock=self.clock.clock,
            message_content=message_content,
            policy_url=policy_url,
        )


@asynccontextmanager
async def opened_rig(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[Rig]:
    """Open a rig whose catalogue has three characters."""
    upstream = FakeCatalogue()
    upstream.add("helpful-guide", first_message="Hello {{user}}, I am {{char}}.")
    upstream.add("night-bard", content_rating="nsfw", creator_content_rating="nsfw", first_message="Good evening.")
    upstream.add("quiet-one")
    shelf = CharacterShelf(characters=Characters(database), clock=clock.clock)
    rules = ServerRules(servers=Servers(database, vault), clock=clock.clock)
    ceilings = Ceilings(ContentLimits(ContentRating.SFW, ContentRating.NSFW), rules.rating_max)
    async with upstream.client() as nanogpt:
        catalog = CatalogService(shelf=shelf, client=nanogpt, ceilings=ceilings, clock=clock.clock)
        parts = OwnParts(database, vault, clock, catalog=catalog, nanogpt=nanogpt, rules=rules)
        yield Rig(database, upstream, catalog, parts, clock)
        await parts.own.aclose()
        await catalog.aclose()
