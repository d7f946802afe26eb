import pytest

from bot.domain.ids import ChannelId, MessageId, PostId, TurnId
from bot.domain.turns import Post, PostKind, PostState, Transport, TurnState, VersionOutcome, VersionState
from bot.store.database import Database
from bot.store.posts import Posts
from bot.store.turns import Turns
from bot.store.vault import Vault
from tests.store.seed import CHANNEL, NOW, Seed

THREAD = ChannelId(21)
HELLO = VersionOutcome("Hello", VersionState.COMPLETE)


@pytest.fixture
def turns(database: Database, vault: Vault) -> Turns:
    return Turns(database, vault)


@pytest.fixture
def posts(database: Database, turns: Turns) -> Posts:
    return Posts(database, turns)


@pytest.fixture
async def turn(seed: Seed) -> TurnId:
    room = await seed.room(await seed.binding())
    turn_id = await seed.turn(room, state="running", reply=None)
    await seed.message(room, 101, state="running", turn=turn_id, text='["Alice", "Hello?"]')
    return turn_id


async def intend(
    posts: Posts,
    turn: TurnId,
    number: int = 0,
    *,
    kind: PostKind = PostKind.REPLY,
    thread: ChannelId | None = None,
    transport: Transport = Transport.WEBHOOK,
) -> PostId:
    post_id, version_id = await posts.intend(
        turn, kind, number, channel_id=CHANNEL, thread_id=thread, transport=transport, now_ms=NOW
    )
    assert version_id is None
    return post_id


async def test_the_newest_answer_of_a_place_is_found_beside_that_of_a_turn(
    posts: Posts, turns: Turns, turn: TurnId, seed: Seed
) -> None:
    await turns.finish(turn, TurnState.ANSWERED, now_ms=NOW)
    other = await seed.turn(await seed.room(await seed.binding()), state="answered", reply=None)

    async def last(of: TurnId = other, place: ChannelId = CHANNEL, newer_than: int = 0) -> MessageId | None:
        post = await posts.last_answer_in(place, other_than=of, newer_than=MessageId(newer_than))
        return None if post is None else post.message_id

    await posts.posted(await intend(posts, turn), MessageId(901))
    await posts.posted(await intend(posts, turn, 1), MessageId(902))
    await intend(posts, turn, 2)
    await posts.posted(await intend(posts, other), MessageId(903))
    await posts.posted(await intend(posts, other, 1, thread=THREAD), MessageId(904))
    assert await last() == 902
    assert await last(of=turn) == 903
    assert await last(of=turn, place=THREAD) == 904
    assert await last(newer_than=902) is None
    await posts.gone(MessageId(902))
    assert await last() == 901
    await posts.posted(await intend(posts, turn, kind=PostKind.MARK), MessageId(905))
    assert await last() == 901
    await turns.finish(turn, TurnState.FAILED, now_ms=NOW)
    assert await last() is None


async def test_an_intent_becomes_a_post(posts: Posts, turn: TurnId) -> None:
    post_id = await intend(posts, turn, thread=THREAD)
    assert await posts.of_turn(turn) == [
        Post(post_id, turn, PostKind.REPLY, 0, CHANNEL, THREAD, Transport.WEBHOOK, PostState.INTENDED, message_id=None)
    ]
    await posts.posted(post_id, MessageId(900))
    (post,) = await posts.of_turn(turn)
    assert (post.state, post.message_id) == (PostState.POSTED, 900)
    assert await posts.by_message(MessageId(900)) == post


async def test_the_same_place_of_a_turn_is_intended_once(posts: Posts, turn: TurnId) -> None:
    first = await intend(posts, turn)
    await posts.posted(first, MessageId(900))
    assert await intend(posts, turn, transport=Transport.BOT) == first
    (post,) = await posts.of_turn(turn)
    assert (post.state, post.transport, post.message_id) == (PostState.INTENDED, Transport.BOT, None)


async def test_a_version_begins_with_the_intent_of_its_first_post(posts: Posts, turns: Turns, turn: TurnId) -> None:
    _, version_id = await posts.intend(
        turn,
        PostKind.REPLY,
        0,
        channel_id=CHANNEL,
        thread_id=None,
        transport=Transport.WEBHOOK,
        now_ms=NOW,
        begin_version=True,
        outcome=HELLO,
    )
    version = await turns.latest_version(turn)
    assert version is not None
    assert (version.id, version.state, version.text) == (version_id, VersionState.COMPLETE, "Hello")


async def test_replies_come_before_the_mark_and_in_their_order(posts: Posts, turn: TurnId) -> None:
    await intend(posts, turn, kind=PostKind.MARK)
    await intend(posts, turn, 1)
    await intend(posts, turn, 0)
    found = [(post.kind, post.number) for post in await posts.of_turn(turn)]
    assert found == [(PostKind.REPLY, 0), (PostKind.REPLY, 1), (PostKind.MARK, 0)]


async def test_the_last_ids_and_the_end_are_written_together(posts: Posts, turns: Turns, turn: TurnId) -> None:
    first, second, third = [await intend(posts, turn, number) for number in range(3)]
    await posts.posted(first, MessageId(900))
    await posts.posted_and_ended(
        turn, TurnState.ANSWERED, posted=[(second, MessageId(901))], cause=None, now_ms=NOW + 5
    )
    states = [(post.id, post.state) for post in await posts.of_turn(turn)]
    assert states == [(first, PostState.POSTED), (second, PostState.POSTED)]
    assert third not in dict(states)
    ended = await turns.get(turn)
    assert ended is not None
    assert ended.state is TurnState.ANSWERED


@pytest.mark.parametrize("forget", [False, True])
async def test_with_the_end_the_text_can_be_dropped(posts: Posts, turns: Turns, turn: TurnId, *, forget: bool) -> None:
    await posts.begin_version(turn, HELLO, now_ms=NOW)
    await posts.posted_and_ended(turn, TurnState.ANSWERED, posted=[], cause="deleted", forget=forget, now_ms=NOW)
    version = await turns.latest_version(turn)
    assert version is not None
    assert (version.text is None) is forget


async def test_a_post_can_be_withdrawn(posts: Posts, turn: TurnId) -> None:
    await posts.withdraw(await intend(posts, turn))
    assert await posts.of_turn(turn) == []


async def test_a_deleted_message_is_told_once(posts: Posts, turn: TurnId) -> None:
    post_id = await intend(posts, turn)
    await posts.posted(post_id, MessageId(900))
    gone = await posts.gone(MessageId(900))
    assert gone is not None
    assert (gone.id, gone.state) == (post_id, PostState.DELETED)
    assert await posts.gone(MessageId(900)) is None
    assert await posts.gone(MessageId(901)) is None
    assert await posts.by_message(MessageId(900)) == gone


async def test_a_post_stands_until_it_is_deleted_or_withdrawn(posts: Posts, turn: TurnId) -> None:
    deleted, withdrawn, last = await intend(posts, turn), await intend(posts, turn, 1), await intend(posts, turn, 2)
    await posts.posted(deleted, MessageId(900))
    await posts.posted(withdrawn, MessageId(901))
    await posts.posted_and_ended(
        turn, TurnState.ANSWERED, posted=[(last, MessageId(902))], cause=None, forget=False, now_ms=NOW
    )
    assert [await posts.stands(MessageId(message_id)) for message_id in range(900, 904)] == [True, True, True, False]
    await posts.gone(MessageId(900))
    await posts.withdraw(withdrawn)
    assert [await posts.stands(MessageId(message_id)) for message_id in range(900, 904)] == [False, False, True, False]


async def test_whether_a_post_of_an_earlier_process_stands_is_looked_up(
    posts: Posts, turns: Turns, turn: TurnId, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await posts.posted(await intend(posts, turn), MessageId(900))
    await posts.posted(await intend(posts, turn, 1), MessageId(901))
    await posts.gone(MessageId(901))
    later = Posts(database, turns)
    assert await later.stands(MessageId(900))
    assert not await later.stands(MessageId(901))
    with monkeypatch.context() as patched:
        patched.setattr(database, "read", None)
        assert await posts.stands(MessageId(900))


async def test_of_the_posts_that_stand_only_the_newest_are_remembered(
    posts: Posts, turn: TurnId, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.posts.STANDING_REMEMBERED", 1)
    await posts.posted(await intend(posts, turn), MessageId(900))
    await posts.posted(await intend(posts, turn, 1), MessageId(901))
    assert await posts.stands(MessageId(900))
    with monkeypatch.context() as patched:
        patched.setattr(database, "read", None)
        assert await posts.stands(MessageId(901))
        with pytest.raises(TypeError):
            await posts.stands(MessageId(900))


async def test_the_known_messages_are_told_from_others(posts: Posts, turn: TurnId) -> None:
    await posts.posted(await intend(posts, turn), MessageId(900))
    assert await posts.known([MessageId(900), MessageId(901)]) == {900}
    assert await posts.known([]) == set()
    assert await posts.by_message(MessageId(901)) is None


async def test_replies_are_found_by_the_place_of_what_they_answer(posts: Posts, turn: TurnId, seed: Seed) -> None:
    await posts.posted(await intend(posts, turn), MessageId(901))
    await posts.posted(await intend(posts, turn, 1), MessageId(902))
    await posts.posted(await intend(posts, turn, kind=PostKind.MARK), MessageId(903))
    assert await posts.replies_in(CHANNEL) == [901, 902]
    assert await posts.replies_in(THREAD) == []
    await posts.gone(MessageId(901))
    assert await posts.replies_in(CHANNEL) == [902]
    await seed.message(await seed.room(await seed.binding()), 102, turn=None)
    assert await posts.replies_in(CHANNEL, limit=1) == [902]
