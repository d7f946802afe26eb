import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

import pytest

from bot.domain import notices
from bot.domain.bindings import Binding, BindingState, Conversation, PauseCause, Scope, Trigger
from bot.domain.characters import KnownCharacter
from bot.domain.ids import ChannelId, CharacterRef, GuildId, MessageId, TurnId, UserId, snowflake_at
from bot.domain.payers import OPERATOR
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.rights import Right
from bot.domain.safety import NO_NAMES
from bot.domain.turns import AdmissionLimits, Admitted, Arrival
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.services.announcing import Announcer
from bot.services.binding_index import BindingIndex
from bot.services.bindings import (
    LOOK_AGAIN_AFTER_SECONDS,
    WATCH_INTERVAL_SECONDS,
    Asker,
    BindingService,
)
from bot.services.catalog import CatalogService
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.outlet import Destination, Forbidden, OutletError
from bot.services.server_rules import ServerRules
from bot.services.surroundings import Surroundings
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.notices import Notices
from bot.store.servers import Servers
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import START_MS, ManualClock
from tests.support.notice_outlet import NoticeOutlet
from tests.support.own_parts import OwnParts

GUILD = GuildId(200)
ROOM = Place(GUILD, ChannelId(300), None, age_restricted=False)
RESTRICTED = replace(ROOM, age_restricted=True)
THREAD = replace(ROOM, thread_id=ChannelId(310))
STAFF = UserId(400)
HOUR = 3_600


def asker(seconds: float = 0, *, name: str = "Alice", may_manage: bool = True) -> Asker:
    """Make someone who asks so many seconds after the start of the test."""
    return Asker(STAFF, name, may_manage, snowflake(seconds))


def snowflake(seconds: float) -> MessageId:
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


@pytest.fixture
def upstream() -> FakeCatalogue:
    catalogue = FakeCatalogue()
    catalogue.add("helpful-guide", first_message="Hello {{user}}, I am {{char}}.")
    catalogue.add("night-bard", content_rating="nsfw", creator_content_rating="nsfw", first_message="Good evening.")
    catalogue.add("quiet-one")
    return catalogue


@pytest.fixture
def shelf(database: Database, clock: ManualClock) -> CharacterShelf:
    return CharacterShelf(characters=Characters(database), clock=clock.clock)


@pytest.fixture
async def nanogpt(upstream: FakeCatalogue) -> AsyncGenerator[NanoGptClient]:
    async with upstream.client() as client:
        yield client


@pytest.fixture
def rules(database: Database, vault: Vault, clock: ManualClock) -> ServerRules:
    return ServerRules(servers=Servers(database, vault), clock=clock.clock)


@pytest.fixture
async def catalog(
    nanogpt: NanoGptClient, shelf: CharacterShelf, rules: ServerRules, clock: ManualClock
) -> AsyncGenerator[CatalogService]:
    ceilings = Ceilings(ContentLimits(ContentRating.SFW, ContentRating.NSFW), rules.rating_max)
    service = CatalogService(shelf=shelf, client=nanogpt, ceilings=ceilings, clock=clock.clock)
    yield service
    await service.aclose()


@pytest.fixture
async def parts(
    database: Database,
    vault: Vault,
    clock: ManualClock,
    catalog: CatalogService,
    nanogpt: NanoGptClient,
    rules: ServerRules,
) -> AsyncGenerator[OwnParts]:
    made = OwnParts(database, vault, clock, catalog=catalog, nanogpt=nanogpt, rules=rules)
    yield made
    await made.own.aclose()


@pytest.fixture
def index() -> BindingIndex:
    return BindingIndex()


@pytest.fixture
def voices() -> Voices:
    return Voices()


@pytest.fixture
def outlet() -> NoticeOutlet:
    return NoticeOutlet()


@pytest.fixture
def town() -> Town:
    return Town()


@dataclass(frozen=True, slots=True)
class Rig:
    database: Database
    index: BindingIndex
    catalog: CatalogService
    outlet: NoticeOutlet
    town: Town
    voices: Voices
    clock: ManualClock
    parts: OwnParts

    def service(self, *, message_content: bool = True, policy_url: str | None = None) -> BindingService:
        return BindingService(
            bindings=Bindings(self.database),
            conversations=Conversations(self.database),
            index=self.index,
            catalog=self.catalog,
            gate=self.parts.gate,
            own=self.parts.own,
            rules=self.parts.rules,
            announcer=Announcer(outlet=self.outlet, notices=Notices(self.database), clock=self.clock.clock),
            surroundings_of=self.town.around,
            greet=self.voices.greet,
            hold=self.voices.hold,
            stop=self.voices.stop,
            speakers=self.town.speakers,
            clock=self.clock.clock,
            message_content=message_content,
            policy_url=policy_url,
        )


@pytest.fixture
def rig(
    database: Database,
    index: BindingIndex,
    catalog: CatalogService,
    outlet: NoticeOutlet,
    town: Town,
    voices: Voices,
    clock: ManualClock,
    parts: OwnParts,
) -> Rig:
    return Rig(database, index, catalog, outlet, town, voices, clock, parts)


@pytest.fixture
def service(rig: Rig) -> BindingService:
    return rig.service()


# Bringing a character to a channel.


async def test_a_character_moves_in_and_the_index_and_the_store_agree(
    service: BindingService, index: BindingIndex, database: Database
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    assert change.binding.channel_id == ROOM.channel_id
    assert change.binding.trigger is Trigger.EVERY
    assert change.binding.payer == OPERATOR
    assert change.binding.bound_by == STAFF
    assert change.binding.active_from == asker().asked_at
    assert index.get(ROOM.channel_id) == change.binding
    assert await Bindings(database).live() == [change.binding]


async def test_the_channel_is_told_before_the_character_greets(service: BindingService, voices: Voices) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    assert change.notice is not None
    assert "AI service" in change.notice
    assert voices.greeted == []
    await service.greet(change)
    [(binding, conversation, name, text)] = voices.greeted
    assert binding == change.binding
    assert (conversation.scope, conversation.scope_id) == (Scope.ROOM, ROOM.channel_id)
    assert name == "Helpful Guide"
    assert text == "Hello Alice, I am Helpful Guide."


async def test_a_character_without_a_first_message_says_nothing(service: BindingService, voices: Voices) -> None:
    change = await service.use(ROOM, asker(), "quiet-one")
    assert change.notice is not None
    await service.greet(change)
    assert voices.greeted == []


async def test_a_character_is_held_back_until_it_may_greet(service: BindingService, voices: Voices) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    assert voices.held == [used.binding]
    await service.greet(used)
    assert voices.held == []
    again = await service.use(ROOM, asker(1), "helpful-guide", Trigger.MENTION)
    assert again.release is None
    service.release(again)
    reset = await service.reset(ROOM, asker(2))
    assert voices.held == [reset.binding]
    service.release(reset)
    assert voices.held == []
    assert len(voices.greeted) == 1


async def test_a_change_that_goes_wrong_holds_nobody_back(service: BindingService, voices: Voices) -> None:
    await service.greet(await service.use(ROOM, asker(), "quiet-one"))
    voices.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await service.use(ROOM, asker(1), "helpful-guide")
    with pytest.raises(ZeroDivisionError):
        await service.reset(ROOM, asker(2))
    assert voices.held == []


async def test_the_policy_is_linked_where_there_is_one(rig: Rig) -> None:
    service = rig.service(policy_url="https://bot.example/privacy")
    change = await service.use(ROOM, asker(), "helpful-guide")
    assert "<https://bot.example/privacy>" in (change.notice or "")


async def test_another_character_takes_the_place_of_the_first(
    service: BindingService, index: BindingIndex, database: Database, voices: Voices
) -> None:
    first = await service.use(ROOM, asker(), "quiet-one")
    second = await service.use(ROOM, asker(1), "helpful-guide")
    assert "**Quiet One**" in (second.notice or "")
    assert index.get(ROOM.channel_id) == second.binding
    ended = await Bindings(database).get(first.binding.id)
    assert ended is not None
    assert ended.state is BindingState.ENDED
    assert [conversation.binding_id for conversation in voices.stopped] == [first.binding.id]


async def test_the_same_character_again_changes_nothing(service: BindingService, voices: Voices) -> None:
    first = await service.use(ROOM, asker(), "helpful-guide", Trigger.MENTION)
    again = await service.use(ROOM, asker(1), "helpful-guide")
    assert again.binding == first.binding
    assert again.notice is None
    assert again.answer == notices.already_here("Helpful Guide", notices.Speech(Trigger.MENTION, message_content=True))
    await service.greet(again)
    assert voices.greeted == []
    assert voices.stopped == []


async def test_the_same_character_with_another_trigger_keeps_its_conversation(
    service: BindingService, index: BindingIndex, voices: Voices
) -> None:
    first = await service.use(ROOM, asker(), "helpful-guide", Trigger.MENTION)
    again = await service.use(ROOM, asker(1), "helpful-guide", Trigger.EVERY)
    assert again.binding.id == first.binding.id
    assert again.binding.trigger is Trigger.EVERY
    assert again.binding.active_from == snowflake(1)
    assert index.get(ROOM.channel_id) == again.binding
    assert "answers every message" in (again.notice or "")
    assert again.greeting is None
    assert voices.stopped == []


async def test_using_a_paused_character_again_wakes_it(service: BindingService, index: BindingIndex) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await service.pause(change.binding, PauseCause.UNVERIFIED)
    again = await service.use(ROOM, asker(1), "helpful-guide")
    assert again.binding.state is BindingState.ACTIVE
    assert again.binding.active_from == snowflake(1)
    assert "is back" in (again.notice or "")
    assert index.get(ROOM.channel_id) == again.binding


async def test_an_age_restricted_channel_may_have_more(service: BindingService) -> None:
    change = await service.use(RESTRICTED, asker(), "night-bard")
    assert "**Night Bard**" in (change.notice or "")


async def test_two_at_once_leave_one_character(
    service: BindingService, index: BindingIndex, database: Database
) -> None:
    await asyncio.gather(service.use(ROOM, asker(), "helpful-guide"), service.use(ROOM, asker(1), "quiet-one"))
    [live] = await Bindings(database).live()
    assert index.get(ROOM.channel_id) == live


# What is refused.


async def use_refusal(
    service: BindingService,
    address: str = "helpful-guide",
    trigger: Trigger | None = None,
    *,
    place: Place | None = ROOM,
    who: Asker | None = None,
    missing: frozenset[Right] = frozenset(),
) -> str:
    with pytest.raises(UserError) as caught:
        await service.use(place, who or asker(), address, trigger, missing=missing)
    return caught.value.sentence


async def test_each_refusal_has_its_own_sentence_and_binds_nothing(
    rig: Rig, upstream: FakeCatalogue, index: BindingIndex
) -> None:
    upstream.add("pending-one", moderation_status="pending")
    upstream.add("closed-one", allow_api=False)
    service = rig.service()
    sentences = [
        await use_refusal(service, place=None),
        await use_refusal(service, place=THREAD),
        await use_refusal(service, who=asker(may_manage=False)),
        await use_refusal(service, missing=frozenset({Right.SEND_MESSAGES})),
        await use_refusal(service, "nobody-knows"),
        await use_refusal(service, "pending-one"),
        await use_refusal(service, "closed-one"),
        await use_refusal(service, "night-bard"),
        await use_refusal(rig.service(message_content=False), trigger=Trigger.EVERY),
    ]
    assert len(set(sentences)) == len(sentences)
    assert len(index) == 0


async def test_a_refusal_above_the_ceiling_does_not_name_the_character(service: BindingService) -> None:
    assert "Night Bard" not in await use_refusal(service, "night-bard")


async def test_missing_rights_are_named(service: BindingService) -> None:
    missing = frozenset({Right.READ_MESSAGE_HISTORY, Right.MANAGE_WEBHOOKS})
    sentence = await use_refusal(service, missing=missing)
    assert "Read Message History" in sentence
    assert "Manage Webhooks" not in sentence


async def test_nothing_is_asked_of_the_catalogue_for_someone_who_may_not(
    service: BindingService, upstream: FakeCatalogue
) -> None:
    await use_refusal(service, who=asker(may_manage=False))
    assert upstream.requests == []


async def test_without_manage_webhooks_it_speaks_all_the_same_and_staff_get_a_hint(service: BindingService) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide", missing=frozenset({Right.MANAGE_WEBHOOKS}))
    assert "Manage Webhooks" in change.answer
    assert "Manage Webhooks" not in (change.notice or "")


async def test_without_message_content_a_new_character_answers_mentions(rig: Rig) -> None:
    change = await rig.service(message_content=False).use(ROOM, asker(), "helpful-guide")
    assert change.binding.trigger is Trigger.MENTION


# Telling and changing.


async def test_current_tells_about_the_channels_character(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    text = service.current(ROOM)
    assert "**Helpful Guide**" in text
    assert "<@400>" in text
    assert "the bot's operator" in text
    assert f"<t:{START_MS // 1_000}:D>" in text
    assert "thread" in service.current(THREAD)


async def test_current_tells_why_it_is_paused(service: BindingService) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await service.pause(change.binding, PauseCause.UNAVAILABLE)
    assert "no longer available" in service.current(ROOM)


@pytest.mark.parametrize(("place", "sentence"), [(ROOM, notices.NOBODY_HERE), (None, notices.SERVERS_ONLY)])
async def test_where_nobody_speaks_every_command_says_what_to_do(
    service: BindingService, place: Place | None, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        service.current(place)
    for refused_change in (
        service.leave(place, asker()),
        service.reset(place, asker()),
        service.settings(place, asker()),
        service.settings(place, asker(), Trigger.EVERY),
    ):
        with pytest.raises(UserError, match=sentence):
            await refused_change


async def test_settings_without_a_trigger_tell_and_change_nothing(service: BindingService) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    shown = await service.settings(THREAD, asker(1, may_manage=False))
    assert shown.binding == used.binding
    assert shown.notice is None
    assert "every message" in shown.answer


async def test_settings_change_the_trigger_from_now_on(service: BindingService, index: BindingIndex) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    changed = await service.settings(ROOM, asker(5), Trigger.MENTION)
    assert changed.binding.trigger is Trigger.MENTION
    assert changed.binding.active_from == snowflake(5)
    assert index.get(ROOM.channel_id) == changed.binding
    assert "messages that mention me" in (changed.notice or "")


async def test_settings_to_the_same_trigger_change_nothing(service: BindingService) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    same = await service.settings(ROOM, asker(5), Trigger.EVERY)
    assert same.binding == used.binding
    assert same.notice is None


async def test_changes_are_for_those_who_manage_the_channel(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    nobody = asker(1, may_manage=False)
    for refused_change in (
        service.settings(ROOM, nobody, Trigger.MENTION),
        service.leave(ROOM, nobody),
        service.reset(ROOM, nobody),
        service.reset(THREAD, nobody),
    ):
        with pytest.raises(UserError, match=notices.NOT_ALLOWED):
            await refused_change


async def test_changes_of_the_channel_are_made_in_the_channel(service: BindingService) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    for refused_change in (service.settings(THREAD, asker(1), Trigger.MENTION), service.leave(THREAD, asker(1))):
        with pytest.raises(UserError, match="<#300>"):
            await refused_change


async def test_every_message_needs_the_message_content_intent(rig: Rig) -> None:
    service = rig.service(message_content=False)
    await service.use(ROOM, asker(), "helpful-guide")
    with pytest.raises(UserError, match="message content intent"):
        await service.settings(ROOM, asker(1), Trigger.EVERY)


async def test_leaving_ends_the_binding_and_stops_its_replies(
    service: BindingService, index: BindingIndex, database: Database, voices: Voices
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    left = await service.leave(ROOM, asker(1))
    assert left.binding.state is BindingState.ENDED
    assert "**Helpful Guide** has left" in (left.notice or "")
    assert index.get(ROOM.channel_id) is None
    assert await Bindings(database).live() == []
    assert [conversation.binding_id for conversation in voices.stopped] == [used.binding.id]


# Beginning afresh.


async def said(database: Database, vault: Vault, binding: Binding, place: Place, *message_ids: MessageId) -> TurnId:
    """Let members have said something that was taken up as one turn; returns it."""
    scope = Scope.ROOM if place.thread_id is None else Scope.THREAD
    conversation = await Conversations(database).get_or_create(binding, scope, place.here, START_MS)
    turns = Turns(database, vault)
    arrivals = [Arrival(each, GUILD, place.here, UserId(500), "Bob", "words") for each in message_ids]
    results = await turns.admit(
        conversation.id, arrivals, AdmissionLimits(20, 0, 0), now_ms=START_MS, day_start_ms=START_MS
    )
    assert set(results) == {Admitted.CLAIMED}
    turn = await turns.begin(conversation.id, OPERATOR, now_ms=START_MS)
    assert turn is not None
    return turn.id


async def test_a_reset_forgets_the_channel_and_greets_again(
    service: BindingService, database: Database, vault: Vault, voices: Voices, index: BindingIndex
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    turn_id = await said(database, vault, used.binding, ROOM, snowflake(1))
    change = await service.reset(ROOM, asker(5, name="Bob"))
    await service.greet(change)
    turn = await Turns(database, vault).get(turn_id)
    assert turn is not None
    assert [message.text for message in turn.messages] == [None]
    assert [text for _, _, _, text in voices.greeted] == ["Hello Bob, I am Helpful Guide."]
    assert change.binding.active_from == snowflake(5)
    assert index.get(ROOM.channel_id) == change.binding
    assert change.greeting is not None
    assert change.greeting.conversation.starts_after == snowflake(5)
    assert [conversation.scope_id for conversation in voices.stopped] == [ROOM.channel_id]


async def test_a_reset_of_a_thread_leaves_the_channel_alone(
    service: BindingService, database: Database, vault: Vault, voices: Voices
) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    in_room = await said(database, vault, used.binding, ROOM, snowflake(1))
    in_thread = await said(database, vault, used.binding, THREAD, snowflake(2))
    change = await service.reset(THREAD, asker(5))
    await service.greet(change)
    turns = Turns(database, vault)
    texts = {
        turn_id: [m.text for m in turn.messages]
        for turn_id in (in_room, in_thread)
        if (turn := await turns.get(turn_id))
    }
    assert texts == {in_room: ["words"], in_thread: [None]}
    assert change.binding.active_from == used.binding.active_from
    assert "this thread" in (change.notice or "")
    [(_, conversation, _, _)] = voices.greeted
    assert (conversation.scope, conversation.scope_id) == (Scope.THREAD, THREAD.thread_id)


async def test_a_character_that_may_no_longer_be_shown_does_not_greet(
    service: BindingService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    upstream.items[0]["content_rating"] = "nsfw"
    clock.advance(HOUR)
    change = await service.reset(ROOM, asker(HOUR))
    assert change.greeting is None


# Pausing and waking.


async def test_a_pause_is_told_once_and_holds(
    service: BindingService, index: BindingIndex, outlet: NoticeOutlet
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await service.pause(change.binding, PauseCause.UNAVAILABLE)
    assert paused is not None
    assert paused.state is BindingState.PAUSED
    assert index.get(ROOM.channel_id) == paused
    assert await service.pause(change.binding, PauseCause.UNAVAILABLE) is None
    assert len(outlet.texts) == 1
    assert "**Helpful Guide**" in outlet.texts[0]


async def test_a_character_above_the_ceiling_is_paused_without_its_name_and_stopped_in_mid_reply(
    service: BindingService, outlet: NoticeOutlet, voices: Voices
) -> None:
    change = await service.use(RESTRICTED, asker(), "night-bard")
    await service.channel_changed(ROOM.channel_id, age_restricted=False)
    [text] = outlet.texts
    assert "Night Bard" not in text
    assert "age-restricted" in text
    assert "Night Bard" not in service.current(ROOM)
    assert [conversation.binding_id for conversation in voices.stopped] == [change.binding.id]
    assert change.binding.state is BindingState.ACTIVE


async def test_a_channel_that_gains_its_flag_wakes_the_character(
    service: BindingService, index: BindingIndex, outlet: NoticeOutlet, clock: ManualClock
) -> None:
    await service.use(RESTRICTED, asker(), "night-bard")
    await service.channel_changed(ROOM.channel_id, age_restricted=False)
    clock.advance(60)
    await service.channel_changed(ROOM.channel_id, age_restricted=True)
    binding = index.get(ROOM.channel_id)
    assert binding is not None
    assert binding.state is BindingState.ACTIVE
    assert binding.active_from == snowflake(60)
    assert "**Night Bard** is back" in outlet.texts[-1]


async def test_each_pause_and_each_return_is_told_however_soon(service: BindingService, outlet: NoticeOutlet) -> None:
    await service.use(RESTRICTED, asker(), "night-bard")
    for _ in range(2):
        await service.channel_changed(ROOM.channel_id, age_restricted=False)
        await service.channel_changed(ROOM.channel_id, age_restricted=True)
    assert ["is back" in text for text in outlet.texts] == [False, True, False, True]


@pytest.mark.parametrize("address", ["night-bard", "helpful-guide"])
async def test_a_pause_soon_after_a_character_was_brought_in_is_told(
    service: BindingService, outlet: NoticeOutlet, address: str
) -> None:
    change = await service.use(RESTRICTED, asker(), "night-bard")
    await service.pause(change.binding, PauseCause.UNAVAILABLE)
    change = await service.use(RESTRICTED, asker(1), address)
    await service.pause(change.binding, PauseCause.UNAVAILABLE)
    assert len(outlet.texts) == 2


async def test_a_channel_that_changes_otherwise_disturbs_nobody(
    service: BindingService, index: BindingIndex, outlet: NoticeOutlet
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    await service.channel_changed(ROOM.channel_id, age_restricted=True)
    await service.channel_changed(ROOM.channel_id, age_restricted=False)
    await service.channel_changed(ChannelId(999), age_restricted=False)
    assert index.get(ROOM.channel_id) == change.binding
    assert outlet.texts == []


async def test_a_message_wakes_a_character_whose_gate_is_clear_again_and_may_be_answered(
    service: BindingService, index: BindingIndex, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await service.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    clock.advance(60)
    woken = await service.paused_message(paused, snowflake(60))
    assert woken is not None
    assert woken == index.get(ROOM.channel_id)
    assert woken.active_from == snowflake(60) - 1


async def test_without_a_message_what_was_said_until_now_is_not_answered(
    service: BindingService, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await service.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    clock.advance(60)
    woken = await service.paused_message(paused)
    assert woken is not None
    assert woken.active_from == snowflake(60)


async def test_messages_make_it_look_again_every_fifteen_seconds_at_most(
    service: BindingService, town: Town, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await service.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    flags = dict(town.restricted)
    town.restricted.clear()
    assert await service.paused_message(paused) is None
    town.restricted.update(flags)
    clock.advance(LOOK_AGAIN_AFTER_SECONDS - 1)
    assert await service.paused_message(paused) is None
    clock.advance(1)
    assert await service.paused_message(paused) is not None


async def test_a_pause_changes_its_cause_when_another_comes_first(
    service: BindingService, upstream: FakeCatalogue, clock: ManualClock, index: BindingIndex, outlet: NoticeOutlet
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await service.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    upstream.items[0]["moderation_status"] = "rejected"
    clock.advance(HOUR)
    assert await service.paused_message(paused) is None
    binding = index.get(ROOM.channel_id)
    assert binding is not None
    assert binding.pause_cause is PauseCause.UNAVAILABLE
    assert len(outlet.texts) == 2


async def test_a_change_of_the_character_pauses_and_wakes_it_at_once_wherever_it_is(
    service: BindingService, upstream: FakeCatalogue, town: Town, index: BindingIndex, clock: ManualClock, rig: Rig
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    town.restricted[other.channel_id] = False
    change = await service.use(ROOM, asker(), "helpful-guide")
    await service.use(other, asker(), "quiet-one")
    ref = change.binding.character_ref
    assert service.channels_of(ref) == 1
    clock.advance(1)
    upstream.items[0]["moderation_status"] = "pending"
    await service.character_changed(ref)
    paused = index.get(ROOM.channel_id)
    assert paused is not None
    assert (paused.state, paused.pause_cause) == (BindingState.PAUSED, PauseCause.UNAVAILABLE)
    assert [conversation.binding_id for conversation in rig.voices.stopped] == [change.binding.id]
    clock.advance(60)
    upstream.items[0]["moderation_status"] = "approved"
    await service.character_changed(ref)
    woken = index.get(ROOM.channel_id)
    assert woken is not None
    assert (woken.state, woken.active_from) == (BindingState.ACTIVE, snowflake(61))
    assert [text.partition(".")[0] for text in rig.outlet.texts] == [
        "⚠ **Helpful Guide** is no longer available, so it is paused here",
        "**Helpful Guide** is back",
    ]
    untouched = index.get(other.channel_id)
    assert untouched is not None
    assert untouched.state is BindingState.ACTIVE
    assert upstream.reads.count("id-of-quiet-one") <= 1


async def test_a_paused_character_is_read_again_for_a_message_and_not_only_once_it_is_old(
    service: BindingService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    upstream.items[0]["moderation_status"] = "pending"
    clock.advance(1)
    await service.character_changed(change.binding.character_ref)
    paused = await service.paused_message(change.binding)
    assert paused is None
    upstream.items[0]["moderation_status"] = "approved"
    clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    binding = replace(change.binding, state=BindingState.PAUSED)
    assert await service.paused_message(binding, snowflake(60)) is not None


async def test_a_look_that_fails_is_logged_and_keeps_nobody_from_the_next(
    service: BindingService, upstream: FakeCatalogue, town: Town, index: BindingIndex, clock: ManualClock
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    town.restricted[other.channel_id] = False
    first = await service.use(ROOM, asker(), "helpful-guide")
    await service.use(other, asker(), "helpful-guide")
    # Its row is not there, so that whatever is written of it fails.
    index.put(replace(first.binding, guild_id=GuildId(999), character_ref=CharacterRef(999)))
    await service.character_changed(CharacterRef(999))
    upstream.items[0]["moderation_status"] = "pending"
    clock.advance(1)
    await service.character_changed(first.binding.character_ref)
    paused = index.get(other.channel_id)
    assert paused is not None
    assert paused.state is BindingState.PAUSED


async def test_a_channel_out_of_sight_is_left_as_it_is(
    service: BindingService, town: Town, index: BindingIndex
) -> None:
    change = await service.use(ROOM, asker(), "helpful-guide")
    paused = await service.pause(change.binding, PauseCause.UNVERIFIED)
    assert paused is not None
    town.restricted.clear()
    assert await service.paused_message(paused) is None
    assert index.get(ROOM.channel_id) == paused


async def test_the_watch_wakes_paused_characters_and_outlives_trouble(
    service: BindingService, town: Town, index: BindingIndex, clock: ManualClock, upstream: FakeCatalogue
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    town.restricted[other.channel_id] = False
    broken = await service.use(ROOM, asker(), "helpful-guide")
    sound = await service.use(other, asker(), "quiet-one")
    for change in (broken, sound):
        await service.pause(change.binding, PauseCause.UNVERIFIED)
    # A binding whose character nobody has heard of is a fault, and must not keep the next from waking.
    index.put(replace(broken.binding, state=BindingState.PAUSED, character_ref=CharacterRef(999)))
    watch = asyncio.create_task(service.keep_watch())
    assert await clock.sleeping() == WATCH_INTERVAL_SECONDS
    clock.advance(WATCH_INTERVAL_SECONDS)
    assert await clock.sleeping() == WATCH_INTERVAL_SECONDS
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    woken = index.get(other.channel_id)
    assert woken is not None
    assert woken.state is BindingState.ACTIVE
    assert upstream.status == 200


# Names.


@pytest.mark.parametrize(
    ("spoke", "name", "marked"),
    [
        (set[str](), "Alice", False),
        (set[str](), "Helpful Guide", True),
        ({"Bob"}, "Alice", False),
        ({"Bob", "h\u0435lpful guide"}, "Alice", True),
        (Forbidden(), "Alice", False),
    ],
)
async def test_a_name_of_whoever_brings_a_character_or_spoke_last_is_marked(
    service: BindingService, index: BindingIndex, town: Town, spoke: set[str] | OutletError, name: str, *, marked: bool
) -> None:
    town.spoke[ROOM.channel_id] = spoke
    used = await service.use(ROOM, asker(name=name), "helpful-guide")
    assert used.binding.name_marked is marked
    assert index.get(ROOM.channel_id) == used.binding


@pytest.mark.parametrize("again", ["use", "settings", "reset"])
async def test_a_name_of_whoever_manages_a_channel_later_is_marked(
    service: BindingService, index: BindingIndex, again: str
) -> None:
    await service.use(ROOM, asker(), "helpful-guide")
    other = asker(1, name="Helpful Guide")
    changed = await (
        service.use(ROOM, other, "helpful-guide")
        if again == "use"
        else service.settings(ROOM, other, Trigger.MENTION)
        if again == "settings"
        else service.reset(ROOM, other)
    )
    assert changed.binding.name_marked
    assert index.get(ROOM.channel_id) == changed.binding


async def test_a_mark_once_given_stays(rig: Rig, service: BindingService, index: BindingIndex) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    assert await service.met(used.binding, ["Bob"]) == used.binding
    marked = await service.met(used.binding, ["Helpful Guide"])
    assert await service.met(marked, ["Bob"]) == marked
    await service.settings(ROOM, asker(1), Trigger.MENTION)
    fresh = BindingIndex()
    await replace(rig, index=fresh).service().load()
    for known in (index.get(ROOM.channel_id), fresh.get(ROOM.channel_id)):
        assert known is not None
        assert known.name_marked


async def test_what_left_meanwhile_is_not_marked(service: BindingService, index: BindingIndex) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    await service.leave(ROOM, asker(1))
    assert not (await service.met(used.binding, ["Helpful Guide"])).name_marked
    assert len(index) == 0


# Channels and servers that go.


async def test_a_deleted_channel_ends_what_was_bound_and_a_server_left_falls_silent_until_it_is_back(
    service: BindingService, index: BindingIndex, database: Database
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    elsewhere = Place(GuildId(201), ChannelId(302), None, age_restricted=False)
    for place in (ROOM, other, elsewhere):
        await service.use(place, asker(), "helpful-guide")
    await service.channel_deleted(ROOM.channel_id)
    await service.channel_deleted(ChannelId(999))
    assert [binding.channel_id for binding in index] == [other.channel_id, elsewhere.channel_id]
    await service.guild_left(GUILD)
    assert [binding.channel_id for binding in index] == [elsewhere.channel_id]
    assert [binding.channel_id for binding in await Bindings(database).live()] == [
        other.channel_id,
        elsewhere.channel_id,
    ]
    await service.guild_joined(GUILD)
    assert index.get(other.channel_id) is not None


async def test_what_was_bound_to_channels_that_a_server_no_longer_has_is_ended(
    service: BindingService, index: BindingIndex, database: Database
) -> None:
    other = replace(ROOM, channel_id=ChannelId(301))
    elsewhere = Place(GuildId(201), ChannelId(302), None, age_restricted=False)
    for place in (ROOM, other, elsewhere):
        await service.use(place, asker(), "helpful-guide")
    await service.channels_seen({GUILD: {other.channel_id}})
    assert [binding.channel_id for binding in index] == [other.channel_id, elsewhere.channel_id]
    assert [binding.channel_id for binding in await Bindings(database).live()] == [
        other.channel_id,
        elsewhere.channel_id,
    ]


async def test_a_new_process_knows_what_is_bound(rig: Rig, service: BindingService) -> None:
    used = await service.use(ROOM, asker(), "helpful-guide")
    fresh = BindingIndex()
    await replace(rig, index=fresh).service().load()
    assert fresh.get(ROOM.channel_id) == used.binding
