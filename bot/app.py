"""The composition root: builds everything, starts it in order, and stops it in the reverse order."""

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from discord import app_commands

from bot.cogs.accounts import AccountsCog
from bot.cogs.authorship import AuthorshipCog
from bot.cogs.bindings import BindingsCog
from bot.cogs.catalog import CatalogCog
from bot.cogs.character_group import character_group
from bot.cogs.desk import DeskCog
from bot.cogs.feedback import FeedbackCog
from bot.cogs.guilds import GuildsCog
from bot.cogs.help import HelpCog
from bot.cogs.modals import ModalsCog
from bot.cogs.privacy import PrivacyCog
from bot.cogs.relay import RelayCog
from bot.cogs.server_group import server_group
from bot.cogs.servers import ServersCog
from bot.cogs.silence import SilenceCog
from bot.config import Settings
from bot.domain.bindings import Binding, Conversation
from bot.domain.characters import KnownCharacter
from bot.domain.checking import Mark
from bot.domain.context import ContextBudget
from bot.domain.feedback import OutboxKind
from bot.domain.ids import CharacterRef, GuildId, UserId
from bot.domain.messages import BotPolicy
from bot.domain.payers import OPERATOR
from bot.domain.privacy_wording import PrivacyFacts
from bot.domain.start_wording import MENTIONS_ONLY
from bot.domain.turns import AdmissionLimits
from bot.gateway.attachments import AttachmentReader
from bot.gateway.client import CharacterBot, CommandSync, wait_for_start
from bot.gateway.conversion import surroundings
from bot.gateway.direct_messages import DirectMessenger
from bot.gateway.endpoints import point_at
from bot.gateway.history import HistoryReader
from bot.gateway.members import MemberReader
from bot.gateway.personas import DiscordOutlet
from bot.gateway.probe import look_at_discord
from bot.gateway.rate_limits import WebhookRateLimits
from bot.gateway.starting import told_in_words
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey
from bot.nanogpt.transport import TimeLimits, build_http_client
from bot.services.accounts import AccountService
from bot.services.announcing import Announcer
from bot.services.authorship import AuthorshipService
from bot.services.binding_gate import BindingGate
from bot.services.binding_index import BindingIndex
from bot.services.bindings import BindingService
from bot.services.breakers import Breakers
from bot.services.card_desk import CardDesk
from bot.services.card_reader import CardReader
from bot.services.catalog import CatalogService
from bot.services.catalog_search import SearchService
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.checking import CheckingService, DatabaseToCheck
from bot.services.clock import Clock
from bot.services.desk import DeskService
from bot.services.drafting import DraftingService
from bot.services.faces import Faces
from bot.services.feedback import FeedbackService
from bot.services.health import HealthService
from bot.services.ignored_members import IgnoredMembers
from bot.services.key_ring import KeyRing
from bot.services.language_models import LanguageModels
from bot.services.logins import LoginService
from bot.services.moderation import ModerationService
from bot.services.outbox import OutboxService
from bot.services.outlet import Destination
from bot.services.own_characters import OwnCharacterService
from bot.services.own_shelf import OwnShelf
from bot.services.posting import Poster
from bot.services.privacy import PrivacyService
from bot.services.publishing import PublishingService, ReviewCourier
from bot.services.recovery import RecoveryService
from bot.services.registry import Services
from bot.services.relay import RelayService, RelaySettings
from bot.services.reporting import ReportCourier, StaffCourier
from bot.services.resealing import ResealingService
from bot.services.retention import RetentionService
from bot.services.server_rules import ServerRules
from bot.services.server_settings import ServerSettingsService
from bot.services.silence import SilenceService
from bot.services.speaking import Speaker
from bot.services.staging import Stages
from bot.services.surroundings import Surroundings, SurroundingsOf
from bot.services.turn import Readers, TurnRunner, TurnSettings
from bot.store.accounts import Accounts
from bot.store.bindings import Bindings
from bot.store.card_originals import CardOriginals
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.guilds import Guilds
from bot.store.inspection import inspect
from bot.store.members import Members
from bot.store.notices import Notices
from bot.store.outbox import Outbox
from bot.store.own_characters import OwnCharacters
from bot.store.paid_turns import PaidTurns
from bot.store.personal import Personal
from bot.store.posts import Posts
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.resealing import Resealing
from bot.store.retention import Retention
from bot.store.reviews import Reviews
from bot.store.sealed_files import SealedFiles
from bot.store.search_pages import SearchPages
from bot.store.servers import Servers
from bot.store.state import State
from bot.store.turns import Turns
from bot.store.vault import MasterKey, Vault, load_or_create_key_file, parse_key
from bot.store.watches import Watches
from bot.store.webhooks import Webhooks
from bot.views.accounts import LoginTeller
from bot.views.registry import DYNAMIC_ITEMS, MODAL_HANDLERS
from bot.views.replies import reply_buttons

if TYPE_CHECKING:
    from discord.ext import commands

_log = logging.getLogger(__name__)

CATALOGUE_CONNECTIONS: Final = 8
"""Connections beside those that replies may use, so that looking a character up never waits for them."""
HEARTBEAT_SECONDS: Final = 10.0
DRAIN_CALLS_SECONDS: Final = 5.0
RESTART_SECONDS: Final = 30.0
_MS_PER_MINUTE: Final = 60_000
_MS_PER_SECOND: Final = 1_000
_CODE_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables."""

    database: Database
    vault: Vault
    turns: Turns
    posts: Posts
    bindings: Bindings
    conversations: Conversations
    characters: Characters
    ratings: Ratings
    reviews: Reviews
    reports: Reports
    outbox: Outbox
    search_pages: SearchPages
    webhooks: Webhooks
    notices: Notices
    members: Members
    personal: Personal
    guilds: Guilds
    retention: Retention
    state: State
    accounts: Accounts
    servers: Servers
    own_characters: OwnCharacters
    paid_turns: PaidTurns
    drafts: Drafts
    card_originals: CardOriginals
    watches: Watches


@dataclass(frozen=True, slots=True)
class DiscordParts:
    """The connection to Discord, and what is to be done once it is logged in."""

    client: CharacterBot
    outlet: DiscordOutlet
    set_up: "_SetUp"


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides who may be shown and who may speak where."""

    servers: ServerRules
    ceilings: Ceilings
    catalog: CatalogService
    searches: SearchService
    own_shelf: OwnShelf
    own: OwnCharacterService
    gate: BindingGate


@dataclass(frozen=True, slots=True)
class FeedbackParts:
    """What members think of characters, on its way to the catalogue and to staff."""

    outbox: OutboxService
    publishing: PublishingService
    feedback: FeedbackService


@dataclass(frozen=True, slots=True)
class AccountParts:
    """Keys of members and servers, and what tells who pays."""

    linking: AccountService
    logins: LoginService
    server_settings: ServerSettingsService
    authorship: AuthorshipService


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What authors do with their own characters."""

    desk: DeskService
    models: LanguageModels
    drafting: DraftingService
    cards: CardDesk
    moderation: ModerationService


@dataclass(frozen=True, slots=True)
class Application:
    """A bot that is logged in and ready to work and to connect."""

    client: CharacterBot
    relay: RelayService
    poster: Poster
    announcer: Announcer
    sync: CommandSync
    loops: tuple[tuple[str, Callable[[], Awaitable[None]]], ...]
    """What goes on beside the talk, by name."""
    resealing: ResealingService

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Keep going what goes on beside the talk, for the length of the block."""
        async with AsyncExitStack() as stack:
            for name, work in self.loops:
                await stack.enter_async_context(_kept_running(name, work))
            await stack.enter_async_context(_begun("sealing anew", self.resealing.run))
            yield

    async def drain(self, seconds: float) -> None:
        """Let what is under way come to its end, while there is still a connection to say it through."""
        await self.relay.drain(seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_CALLS_SECONDS):
                await self.poster.drain()
                await self.announcer.drain()

    async def connect(self) -> None:
        """Stay connected to the gateway until the client is closed, or something ends it.

        Raises StartError when Discord does not want this connection.
        """
        if not self.client.intents.message_content:
            _log.warning(MENTIONS_ONLY)
        with told_in_words():
            await wait_for_start(self.client)
            await self.client.connect()


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set, or until it cannot go on. Raises StartError and StoreError."""
    async with application(settings) as app, app.working():
        connection = asyncio.create_task(app.connect(), name="gateway")
        stopped = asyncio.create_task(stop.wait(), name="stop signal")
        try:
            await asyncio.wait((connection, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not connection.done():
                _log.info("Stopping: letting replies under way come to their end")
                await app.drain(settings.relay.drain_seconds)
        finally:
            stopped.cancel()
            await app.client.close()
            # A start that is held back does not notice that the client was closed.
            connection.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connection


@asynccontextmanager
async def application(
    settings: Settings, *, pace: Pace | None = None, clock: Clock | None = None, card_reader: CardReader | None = None
) -> AsyncGenerator[Application]:
    """Build everything and log in; on the way out, end everything in the reverse order.

    `pace` takes the place of the one that the settings describe, `clock` that of the machine's, `card_reader` that of
    one with the usual limits.
    """
    point_at(
        api_url=settings.discord.api_url, gateway_url=settings.discord.gateway_url, cdn_url=settings.discord.cdn_url
    )
    clock = clock or Clock()
    async with AsyncExitStack() as stack:
        stores = await _open_stores(settings, clock, stack)
        nanogpt = await _open_nanogpt(settings, pace, clock, stack)
        keys = KeyRing(
            operator=ApiKey(settings.nanogpt.api_key.get_secret_value(), OPERATOR),
            accounts=stores.accounts,
            servers=stores.servers,
            clock=clock,
        )
        discord_side = _open_discord(settings, stores, clock)
        client, outlet = discord_side.client, discord_side.outlet

        def around(destination: Destination) -> Surroundings | None:
            guild = client.get_guild(destination.guild_id)
            bot_name = client.user.display_name if client.user is not None else ""
            return None if guild is None else surroundings(guild, destination, bot_name)

        def deleting(user_id: UserId) -> AbstractAsyncContextManager[object]:
            return accounts.linking.deleting(user_id)

        rules = await _open_rules(settings, stores, nanogpt, keys, MemberReader(client), clock, stack)
        catalog = rules.catalog
        ignored = IgnoredMembers()
        privacy = PrivacyService(
            members=stores.members,
            ignored=ignored,
            personal=stores.personal,
            facts=PrivacyFacts(
                settings.privacy.retention_days,
                policy_url=settings.privacy.policy_url,
                operator_contact=settings.privacy.operator_contact,
            ),
            clock=clock,
            deleting=deleting,
        )
        await privacy.load()
        announcer = Announcer(outlet=outlet, notices=stores.notices, clock=clock)
        poster = Poster(outlet, stores.posts, clock, preview_interval_seconds=settings.relay.preview_interval_seconds)
        index = BindingIndex()
        history = HistoryReader(client)
        stages = Stages(
            catalog=catalog,
            gate=rules.gate,
            surroundings=around,
            is_loading=lambda guild_id: _is_loading(client, guild_id),
            clock=clock,
        )
        speaker = Speaker(
            poster=poster,
            turns=stores.turns,
            index=index,
            obstacle=stages.obstacle,
            announcer=announcer,
            first_text_delay_seconds=settings.relay.first_text_delay_seconds,
            feedback_buttons=settings.relay.feedback_buttons,
        )
        readers = Readers()
        breakers = Breakers(clock)

        async def greet(binding: Binding, conversation: Conversation, known: KnownCharacter, text: str) -> None:
            del binding, known
            relay.greet(conversation, text)

        def hold(binding: Binding) -> Callable[[], None]:
            return relay.hold(binding)

        async def stop_reading(conversation: Conversation) -> None:
            await readers.stop(conversation.id)

        bindings = BindingService(
            bindings=stores.bindings,
            conversations=stores.conversations,
            index=index,
            catalog=catalog,
            gate=rules.gate,
            own=rules.own,
            rules=rules.servers,
            announcer=announcer,
            surroundings_of=around,
            greet=greet,
            hold=hold,
            stop=stop_reading,
            speakers=history.speakers,
            clock=clock,
            message_content=settings.discord.message_content,
            policy_url=settings.privacy.policy_url,
        )
        await bindings.load()
        bots = BotPolicy(settings.relay.answered_bots, settings.relay.bot_turns_in_a_row)
        runner = TurnRunner(
            turns=stores.turns,
            posts=stores.posts,
            speaker=speaker,
            stages=stages,
            gate=rules.gate,
            bindings=bindings,
            nanogpt=nanogpt,
            outlet=outlet,
            readers=readers,
            breakers=breakers,
            key_of=keys.key,
            paid_turns=stores.paid_turns,
            is_ignored=ignored.is_ignored,
            clock=clock,
            max_concurrent=settings.nanogpt.max_concurrent,
            settings=TurnSettings(
                ContextBudget(settings.relay.history_messages, settings.relay.history_characters),
                settings.nanogpt.greeting_sent_by_server,
                settings.nanogpt.max_output_tokens,
            ),
            new_code=lambda: secrets.token_hex(_CODE_BYTES),
        )
        relay = RelayService(
            index=index,
            bindings=bindings,
            conversations=stores.conversations,
            turns=stores.turns,
            posts=stores.posts,
            runner=runner,
            readers=readers,
            announcer=announcer,
            ignored=ignored,
            parent_of=history.parent_of,
            removed_by_us=poster.was_removed,
            clock=clock,
            settings=RelaySettings(
                AdmissionLimits(
                    settings.relay.queue_limit,
                    settings.limits.member_messages_per_day,
                    settings.limits.guild_messages_per_day,
                ),
                bots,
            ),
        )
        recovery = RecoveryService(
            index=index,
            conversations=stores.conversations,
            turns=stores.turns,
            posts=stores.posts,
            poster=poster,
            speaker=speaker,
            stages=stages,
            runner=runner,
            relay=relay,
            announcer=announcer,
            read_history=history.read,
            ignored=ignored,
            clock=clock,
            bots=bots,
            catch_up_ms=round(settings.relay.catch_up_minutes * _MS_PER_MINUTE),
        )
        await recovery.load()
        # The last ends first. The poster goes before the relay, whose workers wait for its calls.
        for owner in (catalog, outlet, announcer, relay, poster, recovery):
            stack.push_async_callback(owner.aclose)
        feedback = _open_feedback(stores, rules, nanogpt, keys, index, announcer, around, clock)
        desk = _open_desk(settings, stores, rules, nanogpt, keys, bindings, client, card_reader, clock)
        accounts = await _open_accounts(
            stores,
            rules,
            nanogpt,
            bindings,
            breakers,
            feedback.outbox,
            LoginTeller(client, feedback.publishing),
            desk.cards,
            clock,
        )
        retention = RetentionService(
            retention=stores.retention,
            guilds=stores.guilds,
            retention_days=settings.privacy.retention_days,
            clock=clock,
            found_left=bindings.guild_left,
        )
        health = HealthService(state=stores.state, nanogpt=nanogpt, clock=clock)
        silence = SilenceService(
            index=index,
            catalog=catalog,
            gate=rules.gate,
            conversations=stores.conversations,
            turns=stores.turns,
            posts=stores.posts,
            ignored=ignored,
            bots=bots,
            clock=clock,
        )
        services = Services(
            accounts=accounts.linking,
            logins=accounts.logins,
            server_settings=accounts.server_settings,
            catalog=catalog,
            searches=rules.searches,
            desk=desk.desk,
            drafting=desk.drafting,
            models=desk.models,
            feedback=feedback.feedback,
            publishing=feedback.publishing,
            privacy=privacy,
            health=health,
            bindings=bindings,
            relay=relay,
        )
        client.services = services

        group = character_group()
        servers = server_group()
        sync = CommandSync(client.tree, stores.state)
        discord_side.set_up.cogs = (
            RelayCog(client, relay=relay, bindings=bindings, recovery=recovery, poster=poster, outlet=outlet),
            CatalogCog(catalog, rules.searches, group),
            BindingsCog(bindings, group),
            FeedbackCog(feedback.feedback, group, client.tree),
            ModalsCog(MODAL_HANDLERS),
            PrivacyCog(privacy),
            GuildsCog(client, retention),
            SilenceCog(silence, client.tree),
            AuthorshipCog(accounts.authorship, client.tree),
            AccountsCog(accounts.linking),
            DeskCog(desk.desk, desk.drafting, desk.cards, desk.moderation, group),
            ServersCog(servers),
            HelpCog(tree=client.tree, command_ids=sync.ids, health=health),
        )
        discord_side.set_up.finish = _finish(client, (group, servers), sync, settings)

        stack.push_async_callback(client.close)
        with told_in_words():
            await client.login(settings.discord.token.get_secret_value())
        loops: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("outbox", feedback.outbox.run),
            ("retention", retention.run),
            ("catalogue", catalog.keep_warm),
            ("freshness", lambda: catalog.keep_fresh(relay.characters_in_use)),
            ("paused characters", bindings.keep_watch),
            ("logins", accounts.logins.run),
            ("models", desk.models.keep_warm),
            ("drafts", desk.drafting.keep_tidy),
            ("card files", desk.cards.keep_tidy),
            ("moderation", desk.moderation.run),
            ("heartbeat", lambda: _beat(settings)),
        )
        resealing = ResealingService(resealing=Resealing(stores.database, stores.vault), vault=stores.vault)
        yield Application(client, relay, poster, announcer, sync, loops, resealing)


async def check(settings: Settings, say: Callable[[str], None]) -> bool:
    """Say what a start would meet, a line each, without starting; tell whether nothing is wrong."""
    point_at(
        api_url=settings.discord.api_url, gateway_url=settings.discord.gateway_url, cdn_url=settings.discord.cdn_url
    )
    all_well = True
    async with AsyncExitStack() as stack:
        checking = CheckingService(
            database=DatabaseToCheck(
                settings.database.path,
                inspect,
                None if settings.vault.keys else settings.vault_key_file,
                lambda: _vault_keys(settings),
            ),
            look_at_discord=lambda: look_at_discord(settings.discord.token.get_secret_value()),
            nanogpt=await _open_nanogpt(settings, None, Clock(), stack),
            key=ApiKey(settings.nanogpt.api_key.get_secret_value(), OPERATOR),
            message_content=settings.discord.message_content,
            addresses=(
                ("discord.api_url", settings.discord.api_url),
                ("discord.gateway_url", settings.discord.gateway_url),
                ("discord.cdn_url", settings.discord.cdn_url),
                ("nanogpt.base_url", settings.nanogpt.base_url),
                ("nanogpt.responses_url", settings.nanogpt.responses_url),
            ),
        )
        async for finding in checking.findings():
            say(str(finding))
            all_well = all_well and finding.mark is not Mark.BAD
    return all_well


async def _open_stores(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Stores:
    keys = _vault_keys(settings)
    database = await Database.open(settings.database.path, now_ms=clock.now_ms())
    stack.push_async_callback(database.close)
    vault = Vault(keys)
    turns = Turns(database, vault)
    outbox = Outbox(database)
    ratings = Ratings(database, vault)
    return Stores(
        database=database,
        vault=vault,
        turns=turns,
        posts=Posts(database, turns),
        bindings=Bindings(database),
        conversations=Conversations(database),
        characters=Characters(database),
        ratings=ratings,
        reviews=Reviews(database, ratings, outbox),
        reports=Reports(database, vault, outbox),
        outbox=outbox,
        search_pages=SearchPages(database),
        webhooks=Webhooks(database, vault),
        notices=Notices(database),
        members=Members(database),
        personal=Personal(database),
        guilds=Guilds(database),
        retention=Retention(database),
        state=State(database),
        accounts=Accounts(database, vault),
        servers=Servers(database, vault),
        own_characters=OwnCharacters(database, vault),
        paid_turns=PaidTurns(database),
        drafts=Drafts(database, vault),
        card_originals=CardOriginals(database, vault),
        watches=Watches(database, vault),
    )


def _open_feedback(
    stores: Stores,
    rules: Rules,
    nanogpt: NanoGptClient,
    keys: KeyRing,
    index: BindingIndex,
    announcer: Announcer,
    around: SurroundingsOf,
    clock: Clock,
) -> FeedbackParts:
    faces = Faces(
        characters=stores.characters,
        index=index,
        known_of=rules.gate.known,
    )
    outbox = OutboxService(
        outbox=stores.outbox,
        couriers={
            OutboxKind.REPORT: ReportCourier(
                reports=stores.reports, characters=stores.characters, nanogpt=nanogpt, keys=keys, clock=clock
            ),
            OutboxKind.REPORT_COPY: StaffCourier(
                reports=stores.reports,
                faces=faces,
                announcer=announcer,
                log_channel_of=rules.servers.log_channel,
                surroundings_of=around,
                ceilings=rules.ceilings,
                clock=clock,
            ),
            OutboxKind.RATING: ReviewCourier(
                ratings=stores.ratings,
                characters=stores.characters,
                nanogpt=nanogpt,
                keys=keys,
                clock=clock,
            ),
        },
        clock=clock,
        jitter=random.random,
    )
    publishing = PublishingService(
        characters=stores.characters,
        ratings=stores.ratings,
        reviews=stores.reviews,
        outbox=outbox,
        keys=keys,
        clock=clock,
    )
    feedback = FeedbackService(
        characters=stores.characters,
        ratings=stores.ratings,
        reviews=stores.reviews,
        reports=stores.reports,
        turns=stores.turns,
        posts=stores.posts,
        conversations=stores.conversations,
        bindings=stores.bindings,
        faces=faces,
        outbox=outbox,
        publishing=publishing,
        keys=keys,
        log_channel_of=rules.servers.log_channel,
        ceilings=rules.ceilings,
        clock=clock,
    )
    return FeedbackParts(outbox, publishing, feedback)


async def _open_accounts(
    stores: Stores,
    rules: Rules,
    nanogpt: NanoGptClient,
    bindings: BindingService,
    breakers: Breakers,
    outbox: OutboxService,
    teller: LoginTeller,
    cards: CardDesk,
    clock: Clock,
) -> AccountParts:
    async def forget_login(user_id: UserId) -> None:
        await logins.forget(user_id)

    linking = AccountService(
        accounts=stores.accounts,
        nanogpt=nanogpt,
        bindings=bindings,
        own_shelf=rules.own_shelf,
        breakers=breakers,
        outbox=outbox,
        paid_turns=stores.paid_turns,
        clock=clock,
        on_unlinked=(forget_login, cards.unlinked),
    )
    logins = LoginService(accounts=stores.accounts, linking=linking, nanogpt=nanogpt, tell=teller.tell, clock=clock)
    await logins.load()
    server_settings = ServerSettingsService(
        rules=rules.servers, nanogpt=nanogpt, bindings=bindings, breakers=breakers, ceilings=rules.ceilings
    )
    authorship = AuthorshipService(
        posts=stores.posts,
        turns=stores.turns,
        conversations=stores.conversations,
        bindings=stores.bindings,
        gate=rules.gate,
        ceilings=rules.ceilings,
    )
    return AccountParts(linking, logins, server_settings, authorship)


def _open_desk(
    settings: Settings,
    stores: Stores,
    rules: Rules,
    nanogpt: NanoGptClient,
    keys: KeyRing,
    bindings: BindingService,
    client: CharacterBot,
    card_reader: CardReader | None,
    clock: Clock,
) -> DeskParts:
    read_file = AttachmentReader(cdn_url=settings.discord.cdn_url)

    async def dropped(user_id: UserId, ref: CharacterRef) -> None:
        await cards.dropped(user_id, ref)
        await moderation.dropped(user_id, ref)

    desk = DeskService(
        shelf=rules.own_shelf,
        keys=keys,
        client=nanogpt.desk,
        changed=bindings.character_changed,
        dropped=dropped,
        channels_of=bindings.channels_of,
        clock=clock,
    )
    models = LanguageModels(read=nanogpt.models, most_used=rules.catalog.most_used_model, clock=clock)
    cards = CardDesk(
        desk=desk,
        drafts=stores.drafts,
        models=models,
        reader=card_reader or CardReader(),
        originals=stores.card_originals,
        files=SealedFiles(settings.card_files),
        read_file=read_file,
        ceiling_of=rules.catalog.ceiling,
        clock=clock,
    )
    moderation = ModerationService(
        desk=desk,
        shelf=rules.own_shelf,
        watches=stores.watches,
        write=DirectMessenger(client),
        changed=bindings.character_changed,
        clock=clock,
    )
    drafting = DraftingService(
        desk=desk,
        client=nanogpt.desk,
        drafts=stores.drafts,
        models=models,
        read_file=read_file,
        ceiling_of=rules.catalog.ceiling,
        submitted=moderation.submitted,
        made=cards.made,
        clock=clock,
    )
    return DeskParts(desk, models, drafting, cards, moderation)


def _open_discord(settings: Settings, stores: Stores, clock: Clock) -> DiscordParts:
    rate_limits = WebhookRateLimits()
    set_up = _SetUp()
    client = CharacterBot(
        message_content=settings.discord.message_content,
        shard_ids=settings.discord.shard_ids,
        shard_count=settings.discord.shard_count,
        ready_timeout_seconds=settings.discord.ready_timeout_seconds,
        http_trace=rate_limits.trace(),
        set_up=set_up,
    )
    outlet = DiscordOutlet(
        client,
        stores.webhooks,
        rate_limits,
        cdn_url=settings.discord.cdn_url,
        now_ms=clock.now_ms,
        buttons=reply_buttons,
    )
    return DiscordParts(client, outlet, set_up)


async def _open_rules(
    settings: Settings,
    stores: Stores,
    nanogpt: NanoGptClient,
    keys: KeyRing,
    members: MemberReader,
    clock: Clock,
    stack: AsyncExitStack,
) -> Rules:
    servers = ServerRules(servers=stores.servers, clock=clock)
    await servers.load()
    ceilings = Ceilings(settings.content.limits, servers.rating_max)
    shelf = CharacterShelf(characters=stores.characters, clock=clock)
    await shelf.load()
    catalog = CatalogService(shelf=shelf, client=nanogpt, ceilings=ceilings, clock=clock)
    stack.push_async_callback(catalog.aclose)
    searches = SearchService(shelf=shelf, client=nanogpt, pages=stores.search_pages, clock=clock)
    own_shelf = OwnShelf(own=stores.own_characters, clock=clock)
    await own_shelf.load()
    own = OwnCharacterService(
        shelf=own_shelf,
        accounts=stores.accounts,
        keys=keys,
        nanogpt=nanogpt,
        rules=servers,
        rights_of=members.rights,
        clock=clock,
    )
    stack.push_async_callback(own.aclose)
    gate = BindingGate(catalog=catalog, own=own)
    return Rules(servers, ceilings, catalog, searches, own_shelf, own, gate)


def _vault_keys(settings: Settings) -> list[MasterKey]:
    keys = [parse_key(key.get_secret_value()) for key in settings.vault.keys]
    if not keys and settings.database.path.exists() and not settings.vault_key_file.exists():
        _log.warning(
            "There is no key file %s, so a new one is made: what the database holds sealed cannot be read with it",
            settings.vault_key_file,
        )
    return keys or [load_or_create_key_file(settings.vault_key_file)]


async def _open_nanogpt(settings: Settings, pace: Pace | None, clock: Clock, stack: AsyncExitStack) -> NanoGptClient:
    upstream = settings.nanogpt
    http = await stack.enter_async_context(
        build_http_client(max_connections=upstream.max_concurrent + CATALOGUE_CONNECTIONS)
    )
    return NanoGptClient(
        http,
        base_url=upstream.base_url,
        responses_url=upstream.responses_url,
        pace=pace or Pace(upstream.requests_per_second),
        jitter=random.random,
        limits=TimeLimits(
            connect=upstream.connect_timeout_seconds,
            idle=upstream.idle_timeout_seconds,
            overall=upstream.overall_timeout_seconds,
        ),
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        now=lambda: clock.now_ms() / _MS_PER_SECOND,
    )


class _SetUp:
    """What is to be done once the client is logged in; filled after the client exists."""

    def __init__(self) -> None:
        self.cogs: tuple[commands.Cog, ...] = ()
        self.finish: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, client: CharacterBot) -> None:
        for cog in self.cogs:
            await client.add_cog(cog)
        if self.finish is not None:
            await self.finish()


def _finish(
    client: CharacterBot, groups: Iterable[app_commands.Group], sync: CommandSync, settings: Settings
) -> Callable[[], Awaitable[None]]:
    async def finish() -> None:
        for group in groups:
            client.tree.add_command(group)
        client.add_dynamic_items(*DYNAMIC_ITEMS)
        await sync.load()
        if settings.discord.shard_ids is None or 0 in settings.discord.shard_ids:
            await sync.if_changed(client.application_id or 0)

    return finish


def _is_loading(client: CharacterBot, guild_id: GuildId) -> bool:
    guild = client.get_guild(guild_id)
    return guild is not None and guild.unavailable


@asynccontextmanager
async def _kept_running(name: str, work: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Keep a background loop going, and end it on the way out."""
    task = asyncio.create_task(_keep_running(name, work), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _begun(name: str, work: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Do something once beside everything else, and break it off on the way out if it is not done."""

    async def once() -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001 - it is logged, and done at the next start
            _log.exception("The work “%s” stumbled; the next start takes it up", name)

    task = asyncio.create_task(once(), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - one loop's fault must not end the bot; it is logged, and tried again
            _log.exception("The %s loop stumbled; it starts again in %.0f s", name, RESTART_SECONDS)
        await asyncio.sleep(RESTART_SECONDS)


async def _beat(settings: Settings) -> None:
    """Touch a file while the event loop turns; a health check reads its age."""
    file = settings.health_file
    while True:
        await asyncio.to_thread(file.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)
