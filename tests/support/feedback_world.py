"""A server with a character in it, over a real database and a scripted NanoGPT: what feedback is about."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import httpx

from bot.domain.bindings import Binding, Scope, Trigger
from bot.domain.characters import Character, KnownCharacter
from bot.domain.feedback import OutboxKind
from bot.domain.ids import ChannelId, CharacterId, CharacterRef, GuildId, MessageId, PayerId, TurnId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.payers import member_payer
from bot.domain.places import Place
from bot.domain.privacy_wording import PrivacyFacts
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.safety import MentionNames
from bot.domain.turns import PostKind, Transport
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey
from bot.services.announcing import Announcer
from bot.services.binding_index import BindingIndex
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.faces import Faces
from bot.services.feedback import FeedbackService
from bot.services.health import HealthService
from bot.services.ignored_members import IgnoredMembers
from bot.services.key_ring import KeyRing
from bot.services.outbox import OutboxService
from bot.services.outlet import Destination
from bot.services.privacy import PrivacyService
from bot.services.publishing import PublishingService, ReviewCourier
from bot.services.reporting import ReportCourier, StaffCourier
from bot.services.surroundings import Surroundings
from bot.store.accounts import Accounts
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.members import Members
from bot.store.notices import Notices
from bot.store.outbox import Outbox
from bot.store.personal import Personal
from bot.store.posts import Posts
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.reviews import Reviews
from bot.store.servers import Servers
from bot.store.state import State
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.notice_outlet import NoticeOutlet

OPERATOR: Final = PayerId("operator")
KEY: Final = ApiKey("sk-nano-fake-0000", OPERATOR)
GUILD: Final = GuildId(200)
CHANNEL: Final = ChannelId(300)
OPEN_PLACE: Final = Place(GUILD, CHANNEL, None, age_restricted=False)
ADULT_PLACE: Final = Place(GUILD, CHANNEL, None, age_restricted=True)
LOG_CHANNEL: Final = ChannelId(390)
MEMBER: Final = UserId(400)
SITE: Final = "https://nanogpt.test/api/v1"


Answering: TypeAlias = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


@dataclass
class ScriptedNanoGpt:
    """Takes every report and review unless told otherwise."""

    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    answers: list[Answering] = field(default_factory=list[Answering])

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)(request) if self.answers else httpx.Response(201, json={"ok": True})
        return answer if isinstance(answer, httpx.Response) else await answer

    def answer(self, status: int, message: str = "", **headers: str) -> None:
        self.answers.append(lambda _: httpx.Response(status, json={"error": {"message": message}}, headers=headers))


class FeedbackWorld:
    """All the services of feedback and privacy, on one database."""

    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.clock = clock
        self.log_channels: dict[GuildId, ChannelId] = {}
        self.around: dict[ChannelId, Place] = {LOG_CHANNEL: Place(GUILD, LOG_CHANNEL, None, age_restricted=False)}
        self.own: dict[CharacterRef, KnownCharacter] = {}
        """What the keys of their owners see of private characters that are bound."""
        self.outlet = NoticeOutlet()
        self.upstream = ScriptedNanoGpt()
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.upstream.handle))
        self.nanogpt = NanoGptClient(
            self.http,
            base_url=SITE,
            responses_url=SITE,
            pace=Pace(monotonic=clock.monotonic, sleep=clock.sleep),
            jitter=lambda: 0.0,
            sleep=clock.sleep,
            monotonic=clock.monotonic,
            now=lambda: clock.now_ms() / 1_000,
        )
        self.characters = Characters(database)
        self.shelf = CharacterShelf(characters=self.characters, clock=clock.clock)
        self.ratings = Ratings(database, vault)
        self.outbox = Outbox(database)
        self.reviews = Reviews(database, self.ratings, self.outbox)
        self.reports = Reports(database, vault, self.outbox)
        self.turns = Turns(database, vault)
        self.posts = Posts(database, self.turns)
        self.conversations = Conversations(database)
        self.bindings = Bindings(database)
        self.accounts = Accounts(database, vault)
        self.keys = KeyRing(operator=KEY, accounts=self.accounts, servers=Servers(database, vault), clock=clock.clock)
        self.index = BindingIndex()
        self.faces = Faces(
            characters=self.characters, index=self.index, known_of=lambda binding: self.own.get(binding.character_ref)
        )
        self.ceilings = Ceilings(ContentLimits())
        self.sending = OutboxService(
            outbox=self.outbox,
            couriers={
                OutboxKind.REPORT: ReportCourier(
                    reports=self.reports,
                    characters=self.characters,
                    nanogpt=self.nanogpt,
                    keys=self.keys,
                    clock=clock.clock,
                ),
                OutboxKind.REPORT_COPY: StaffCourier(
                    reports=self.reports,
                    faces=self.faces,
                    announcer=Announcer(outlet=self.outlet, notices=Notices(database), clock=clock.clock),
                    log_channel_of=self.log_channels.get,
                    surroundings_of=self.surroundings,
                    ceilings=self.ceilings,
                    clock=clock.clock,
                ),
                OutboxKind.RATING: ReviewCourier(
                    ratings=self.ratings,
                    characters=self.characters,
                    nanogpt=self.nanogpt,
                    keys=self.keys,
                    clock=clock.clock,
                ),
            },
            clock=clock.clock,
            jitter=lambda: 0.0,
        )
        self.publishing = PublishingService(
            faces=self.faces,
            ratings=self.ratings,
            reviews=self.reviews,
            outbox=self.sending,
            keys=self.keys,
            clock=clock.clock,
        )
        self.feedback = FeedbackService(
            characters=self.characters,
            named=self.shelf.named,
            ratings=self.ratings,
            reviews=self.reviews,
            reports=self.reports,
            turns=self.turns,
            posts=self.posts,
            conversations=self.conversations,
            bindings=self.bindings,
            faces=self.faces,
            outbox=self.sending,
            publishing=self.publishing,
            keys=self.keys,
            log_channel_of=self.log_channels.get,
            ceilings=self.ceilings,
            clock=clock.clock,
        )
        self.ignored = IgnoredMembers()
        self.privacy = PrivacyService(
            members=Members(database),
            ignored=self.ignored,
            personal=Personal(database),
            facts=PrivacyFacts(retention_days=30, policy_url="https://bot.test/privacy"),
            clock=clock.clock,
        )
        self.state = State(database)
        self.health = HealthService(state=self.state, nanogpt=self.nanogpt, clock=clock.clock)

    async def link(self, user_id: UserId = MEMBER) -> ApiKey:
        """Let a member have linked an account, with a key that is taken."""
        key = ApiKey(f"sk-nano-fake-{user_id}", member_payer(user_id))
        await self.accounts.link(user_id, AccountSecret(key.reveal()), KeyOrigin.PASTED, self.clock.now_ms())
        return key

    async def is_refused(self, user_id: UserId = MEMBER) -> bool:
        """Tell whether the key of a member's account counts as refused."""
        account = await self.accounts.get(user_id)
        return account is not None and account.refused_at_ms is not None

    def want_reports(self) -> None:
        """Let the server have set a channel for reports."""
        self.log_channels[GUILD] = LOG_CHANNEL

    def surroundings(self, destination: Destination) -> Surroundings | None:
        place = self.around.get(destination.channel_id)
        return None if place is None else Surroundings(place, "Writers", "Bot", MentionNames())

    async def own_character(self, name: str = "Mia", *, rating: ContentRating = ContentRating.SFW) -> CharacterRef:
        """Let a member's private character speak in the channel; its row in the catalogue tells no more than its id."""
        ref = await self.character("id-own", slug="own", rating=ContentRating.EXPLICIT, visibility="private")
        whole = Character(CharacterId("id-own"), name, catalogue_rating=rating, visibility="private")
        self.own[ref] = KnownCharacter(ref, whole, 1, 1, None)
        self.index.put(replace(await self.bind(ref), payer=member_payer(UserId(1))))
        return ref

    async def withdrawn_character(self, *, rating: ContentRating = ContentRating.SFW) -> CharacterRef:
        """Let a public character be private by now, and speak in the channel at its owner's expense.

        The catalogue was last read when it was public and called Ada.
        """
        ref = await self.character()
        whole = Character(CharacterId("id-ada"), "Secret Ada", catalogue_rating=rating, visibility="private")
        self.own[ref] = KnownCharacter(ref, whole, 1, 1, None)
        self.index.put(replace(await self.bind(ref), payer=member_payer(UserId(1))))
        return ref

    async def character(
        self,
        name: str = "Ada",
        *,
        slug: str = "ada",
        rating: ContentRating = ContentRating.SFW,
        visibility: str = "public",
    ) -> CharacterRef:
        character = Character(CharacterId(f"id-{slug}"), name, slug, catalogue_rating=rating, visibility=visibility)
        return (await self.shelf.remember_full(character)).ref

    async def bind(self, ref: CharacterRef, place: Place = OPEN_PLACE) -> Binding:
        bound = await self.bindings.create(
            guild_id=place.guild_id,
            channel_id=place.channel_id,
            character_ref=ref,
            trigger=Trigger.EVERY,
            bound_by=UserId(1),
            payer=OPERATOR,
            active_from=MessageId(1),
            now_ms=self.clock.now_ms(),
        )
        return bound.binding

    async def reply(self, binding: Binding, place: Place, message_ids: list[MessageId]) -> TurnId:
        """Let the bound character have said something, in as many messages."""
        now = self.clock.now_ms()
        scope = Scope.ROOM if place.thread_id is None else Scope.THREAD
        conversation = await self.conversations.get_or_create(binding, scope, place.here, now)
        turn = await self.turns.begin_greeting(conversation.id, OPERATOR, "Hello there", now_ms=now)
        for number, message_id in enumerate(message_ids):
            post_id, _ = await self.posts.intend(
                turn.id,
                PostKind.REPLY,
                number,
                channel_id=place.channel_id,
                thread_id=place.thread_id,
                transport=Transport.WEBHOOK,
                now_ms=now,
            )
            await self.posts.posted(post_id, message_id)
        return turn.id
