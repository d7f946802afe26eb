"""A server with a character in it, over a real database and a scripted NanoGPT: what feedback is about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx

from bot.domain.bindings import Binding, Scope, Trigger
from bot.domain.characters import Character
from bot.domain.feedback import OutboxKind
from bot.domain.ids import ChannelId, CharacterId, CharacterRef, GuildId, MessageId, PayerId, TurnId, UserId
from bot.domain.places import Place
from bot.domain.privacy_wording import PrivacyFacts
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.turns import PostKind, Transport
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey
from bot.services.feedback import FeedbackService
from bot.services.health import HealthService
from bot.services.ignored_members import IgnoredMembers
from bot.services.outbox import OutboxService
from bot.services.privacy import PrivacyService
from bot.services.reporting import ReportCourier
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.members import Members
from bot.store.outbox import Outbox
from bot.store.personal import Personal
from bot.store.posts import Posts
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.state import State
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock

OPERATOR: Final = PayerId("operator")
KEY: Final = ApiKey("sk-nano-fake-0000", OPERATOR)
GUILD: Final = GuildId(200)
CHANNEL: Final = ChannelId(300)
OPEN_PLACE: Final = Place(GUILD, CHANNEL, None, age_restricted=False)
ADULT_PLACE: Final = Place(GUILD, CHANNEL, None, age_restricted=True)
MEMBER: Final = UserId(400)
SITE: Final = "https://nanogpt.test/api/v1"


@dataclass
class ScriptedNanoGpt:
    """Takes every report unless told otherwise."""

    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    answers: list[Callable[[httpx.Request], httpx.Response]] = field(
        default_factory=list[Callable[[httpx.Request], httpx.Response]]
    )

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)(request) if self.answers else httpx.Response(201, json={"ok": True})

    def answer(self, status: int, message: str = "", **headers: str) -> None:
        self.answers.append(lambda _: httpx.Response(status, json={"error": {"message": message}}, headers=headers))


class FeedbackWorld:
    """All the services of feedback and privacy, on one database."""

    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.clock = clock
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
        self.ratings = Ratings(database, vault)
        self.outbox = Outbox(database)
        self.reports = Reports(database, vault, self.outbox)
        self.turns = Turns(database, vault)
        self.posts = Posts(database, self.turns)
        self.conversations = Conversations(database)
        self.bindings = Bindings(database)
        self.sending = OutboxService(
            outbox=self.outbox,
            couriers={
                OutboxKind.REPORT: ReportCourier(
                    reports=self.reports,
                    characters=self.characters,
                    nanogpt=self.nanogpt,
                    key=KEY,
                    clock=clock.clock,
                )
            },
            clock=clock.clock,
            jitter=lambda: 0.0,
        )
        self.feedback = FeedbackService(
            characters=self.characters,
            ratings=self.ratings,
            reports=self.reports,
            turns=self.turns,
            posts=self.posts,
            conversations=self.conversations,
            bindings=self.bindings,
            outbox=self.sending,
            limits=ContentLimits(),
            payer=OPERATOR,
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

    async def character(
        self, name: str = "Ada", *, slug: str = "ada", rating: ContentRating = ContentRating.SFW
    ) -> CharacterRef:
        character = Character(CharacterId(f"id-{slug}"), name, slug, catalogue_rating=rating)
        return (await self.characters.remember_full(character, self.clock.now_ms())).ref

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
