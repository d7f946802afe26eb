from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from bot.domain.bindings import Binding, PauseCause, Scope, Trigger
from bot.domain.characters import Character
from bot.domain.explaining import NEVER_HEARD, ON_ITS_WAY, OWN_GREETING, OWN_REPLY, OWN_WORDS
from bot.domain.ids import (
    ChannelId,
    CharacterId,
    GuildId,
    MessageId,
    PayerId,
    UserId,
    snowflake_at,
)
from bot.domain.messages import Author, BotPolicy, IncomingMessage
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.turns import AdmissionLimits, Arrival, PostKind, Transport, TurnState
from bot.services.binding_index import BindingIndex
from bot.services.catalog import CatalogService
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.ignored_members import IgnoredMembers
from bot.services.silence import SilenceService
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.posts import Posts
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import START_MS, ManualClock
from tests.support.own_parts import OwnParts

GUILD = GuildId(200)
ROOM = Place(GUILD, ChannelId(300), None, age_restricted=False)
THREAD = replace(ROOM, thread_id=ChannelId(310))
ALICE, BOB, FRIENDLY_BOT = UserId(500), UserId(501), UserId(600)
OPERATOR = PayerId("operator")


def snowflake(seconds: float) -> MessageId:
    return MessageId(snowflake_at(START_MS + round(seconds * 1_000)))


MESSAGE = IncomingMessage(
    id=snowflake(10),
    guild_id=GUILD,
    channel_id=ROOM.channel_id,
    parent_id=None,
    in_thread=False,
    author_id=ALICE,
    author_name="Alice",
    author=Author.MEMBER,
    text="hello",
    addressed=False,
)


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything around the service; the channel's binding is in `binding`."""

    service: SilenceService
    index: BindingIndex
    conversations: Conversations
    turns: Turns
    posts: Posts
    binding: Binding
    ignored: IgnoredMembers

    async def ask(self, message: IncomingMessage = MESSAGE, place: Place = ROOM, *, asker: UserId = BOB) -> str:
        return await self.service.explain(message, place, asker)

    async def admit(self, *message_ids: MessageId, limits: AdmissionLimits | None = None) -> None:
        """Claim messages of Alice's in the room."""
        conversation = await self.conversations.get_or_create(self.binding, Scope.ROOM, ROOM.channel_id, START_MS)
        arrivals = [Arrival(each, GUILD, ROOM.channel_id, ALICE, "Alice", "hello") for each in message_ids]
        await self.turns.admit(
            conversation.id,
            arrivals,
            limits or AdmissionLimits(20, 0, 0),
            now_ms=START_MS,
            day_start_ms=START_MS,
        )


@pytest.fixture
async def rig(database: Database, vault: Vault, clock: ManualClock) -> Rig:
    turns = Turns(database, vault)
    posts = Posts(database, turns)
    conversations = Conversations(database)
    shelf = CharacterShelf(characters=Characters(database), clock=clock.clock)
    known = await shelf.remember_full(Character(CharacterId("an-id"), "Ada", catalogue_rating=ContentRating.SFW))
    async with FakeCatalogue().client() as client:
        catalog = CatalogService(
            shelf=shelf,
            client=client,
            ceilings=Ceilings(ContentLimits()),
            clock=clock.clock,
        )
        parts = OwnParts(database, vault, clock, catalog=catalog, nanogpt=client)
    bound = await Bindings(database).create(
        guild_id=GUILD,
        channel_id=ROOM.channel_id,
        character_ref=known.ref,
        trigger=Trigger.EVERY,
        bound_by=ALICE,
        payer=OPERATOR,
        active_from=snowflake(0),
        now_ms=START_MS,
    )
    index = BindingIndex()
    index.put(bound.binding)
    ignored = IgnoredMembers()
    service = SilenceService(
        index=index,
        catalog=catalog,
        gate=parts.gate,
        conversations=conversations,
        turns=turns,
        posts=posts,
        ignored=ignored,
        bots=BotPolicy(frozenset({FRIENDLY_BOT}), turns_in_a_row=2),
        clock=clock.clock,
    )
    return Rig(service, index, conversations, turns, posts, bound.binding, ignored)


async def test_an_unbound_channel_says_how_to_bring_a_character(rig: Rig) -> None:
    assert "/character use" in await rig.ask(place=replace(ROOM, channel_id=ChannelId(999)))


async def test_a_thread_goes_by_its_channel(rig: Rig, clock: ManualClock) -> None:
    clock.advance(11)
    assert await rig.ask(replace(MESSAGE, channel_id=ChannelId(310)), THREAD) == ON_ITS_WAY


async def test_a_message_that_was_never_taken_in_was_said_while_the_bot_was_away(rig: Rig, clock: ManualClock) -> None:
    clock.advance(3_600)
    assert await rig.ask() == NEVER_HEARD


async def test_what_was_said_before_the_character_came_is_explained(rig: Rig) -> None:
    assert "before the character came" in await rig.ask(replace(MESSAGE, id=snowflake(-5)))


async def test_what_was_said_before_a_reset_of_the_thread_is_explained(rig: Rig, clock: ManualClock) -> None:
    conversation = await rig.conversations.get_or_create(rig.binding, Scope.THREAD, ChannelId(310), START_MS)
    await rig.conversations.reset(conversation.id, snowflake(20))
    clock.advance(30)
    in_thread = replace(MESSAGE, channel_id=ChannelId(310))
    assert "reset" in await rig.ask(in_thread, THREAD)
    assert await rig.ask(replace(in_thread, id=snowflake(25)), THREAD) == ON_ITS_WAY


async def test_mention_mode_is_explained_unless_the_message_replies_to_the_character(rig: Rig) -> None:
    rig.index.put(replace(rig.binding, trigger=Trigger.MENTION))
    assert "mention me" in await rig.ask()
    reply_id = await _answer(rig, snowflake(1))
    text = await rig.service.explain(MESSAGE, ROOM, BOB, replies_to=reply_id)
    assert "mention me" not in text


async def test_an_ignored_member_is_told_how_to_be_heard_and_others_are_not(rig: Rig) -> None:
    rig.ignored.ignore(ALICE)
    assert "/privacy ignore-me" in await rig.ask(asker=ALICE)
    assert "/privacy" not in await rig.ask(asker=BOB)


async def test_what_was_said_while_its_author_was_ignored_is_explained_once_they_are_heard(rig: Rig) -> None:
    rig.ignored.hear(ALICE, MESSAGE.id)
    assert "Say it again" in await rig.ask(asker=ALICE)
    assert "ignore-me" not in await rig.ask(asker=ALICE)


async def test_a_pause_is_explained(rig: Rig, database: Database) -> None:
    paused = await Bindings(database).pause(rig.binding.id, PauseCause.UNAVAILABLE)
    assert paused is not None
    rig.index.put(paused)
    assert "**Ada** is no longer available" in await rig.ask()


async def test_bots_that_have_talked_long_enough_are_told_apart_from_bots_nobody_allowed(rig: Rig) -> None:
    await rig.admit()
    bot = replace(MESSAGE, author=Author.BOT, author_id=FRIENDLY_BOT)
    assert "another bot" in await rig.ask(replace(bot, author_id=UserId(601)))
    assert "among themselves" not in await rig.ask(bot)
    conversation = await rig.conversations.find(rig.binding.id, Scope.ROOM, ROOM.channel_id)
    assert conversation is not None
    arrivals = [Arrival(snowflake(seconds), GUILD, ROOM.channel_id, FRIENDLY_BOT, "Beep", "beep") for seconds in (1, 2)]
    await rig.turns.admit(conversation.id, arrivals, AdmissionLimits(20, 0, 0), now_ms=START_MS, day_start_ms=START_MS)
    assert "among themselves" in await rig.ask(bot)


async def _answer(rig: Rig, message_id: MessageId, *, state: TurnState = TurnState.ANSWERED) -> MessageId:
    """Let a message of Alice's be answered with one post; returns the post's message id."""
    conversation = await rig.conversations.get_or_create(rig.binding, Scope.ROOM, ROOM.channel_id, START_MS)
    await rig.admit(message_id)
    turn = await rig.turns.begin(conversation.id, OPERATOR, now_ms=START_MS)
    assert turn is not None
    post_id, _ = await rig.posts.intend(
        turn.id,
        PostKind.REPLY,
        0,
        channel_id=ROOM.channel_id,
        thread_id=None,
        transport=Transport.WEBHOOK,
        now_ms=START_MS,
    )
    reply_id = MessageId(message_id + 1)
    await rig.posts.posted_and_ended(turn.id, state, posted=[(post_id, reply_id)], cause=None, now_ms=START_MS)
    return reply_id


async def test_an_answered_message_points_to_its_reply_and_the_reply_explains_itself(rig: Rig) -> None:
    reply_id = await _answer(rig, MESSAGE.id)
    assert f"https://discord.com/channels/200/300/{reply_id}" in await rig.ask()
    reply = replace(MESSAGE, id=reply_id, author=Author.SELF)
    assert await rig.ask(reply) == OWN_REPLY
    await rig.posts.gone(reply_id)
    assert "deleted" in await rig.ask()


async def test_a_greeting_and_other_words_of_the_bot_explain_themselves(rig: Rig) -> None:
    conversation = await rig.conversations.get_or_create(rig.binding, Scope.ROOM, ROOM.channel_id, START_MS)
    turn = await rig.turns.begin_greeting(conversation.id, OPERATOR, "Hello.", now_ms=START_MS)
    post_id, _ = await rig.posts.intend(
        turn.id,
        PostKind.REPLY,
        0,
        channel_id=ROOM.channel_id,
        thread_id=None,
        transport=Transport.WEBHOOK,
        now_ms=START_MS,
    )
    await rig.posts.posted(post_id, MessageId(7_000))
    assert await rig.ask(replace(MESSAGE, id=MessageId(7_000), author=Author.SELF)) == OWN_GREETING
    assert await rig.ask(replace(MESSAGE, author=Author.SELF)) == OWN_WORDS


async def test_waiting_and_running_messages_are_told_apart(rig: Rig) -> None:
    await rig.admit(MESSAGE.id)
    assert "waits for its turn" in await rig.ask()
    conversation = await rig.conversations.find(rig.binding.id, Scope.ROOM, ROOM.channel_id)
    assert conversation is not None
    assert await rig.turns.begin(conversation.id, OPERATOR, now_ms=START_MS) is not None
    assert "right now" in await rig.ask()


async def _deleted(rig: Rig) -> None:
    await rig.admit(MESSAGE.id)
    await rig.turns.erase([MESSAGE.id])


async def _failed(rig: Rig) -> None:
    await rig.admit(MESSAGE.id)
    conversation = await rig.conversations.find(rig.binding.id, Scope.ROOM, ROOM.channel_id)
    assert conversation is not None
    turn = await rig.turns.begin(conversation.id, OPERATOR, now_ms=START_MS)
    assert turn is not None
    await rig.turns.finish(turn.id, TurnState.FAILED, cause="balance", now_ms=START_MS)


async def _refused(rig: Rig) -> None:
    await rig.admit(MESSAGE.id, limits=AdmissionLimits(0, 0, 0))


@pytest.mark.parametrize(
    ("prepare", "words"),
    [(_refused, "Too many messages were waiting"), (_deleted, "deleted before"), (_failed, "out of credit")],
)
async def test_what_became_of_a_message_is_read_from_the_store(
    rig: Rig, prepare: Callable[[Rig], Awaitable[None]], words: str
) -> None:
    await prepare(rig)
    assert words in await rig.ask()
