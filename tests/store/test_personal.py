import pytest

from bot.domain.bindings import Conversation
from bot.domain.characters import Character
from bot.domain.drafts import DraftKind, Writing
from bot.domain.feedback import Complaint, Report, Review, read_review_subject
from bot.domain.ids import CharacterId, MessageId
from bot.domain.linking import AccountSecret, KeyOrigin, LoginSecret
from bot.domain.payers import member_payer
from bot.domain.privacy import KeptAboutMember
from bot.domain.search import SearchQuery
from bot.domain.sheets import NEW_SHEET
from bot.store.accounts import Accounts
from bot.store.card_originals import CardOriginals
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.members import Members
from bot.store.outbox import Outbox
from bot.store.own_characters import OwnCharacters
from bot.store.paid_turns import PaidTurns
from bot.store.personal import Personal
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.reviews import Reviews
from bot.store.sealed_files import StoredFile
from bot.store.search_pages import SearchPages
from bot.store.watches import Watches
from tests.store.seed import ALICE, BOB, GUILD, NOW, PAYER, Seed

NOTHING = KeptAboutMember(0, 0, 0, 0, 0, 0, None)


@pytest.fixture
def personal(database: Database) -> Personal:
    return Personal(database)


@pytest.fixture
def reports(database: Database, seed: Seed) -> Reports:
    return Reports(database, seed.vault, Outbox(database))


@pytest.fixture
async def room(seed: Seed) -> Conversation:
    return await seed.room(await seed.binding())


async def report(reports: Reports, seed: Seed) -> Report:
    complaint = Complaint(ALICE, await seed.character(), "Spam", "words")
    return await reports.file(complaint, payer=PAYER, now_ms=NOW)


async def test_what_is_kept_is_counted(
    personal: Personal, reports: Reports, seed: Seed, room: Conversation, database: Database
) -> None:
    await seed.message(room, 50)
    await seed.message(room, 51, text=None)
    await seed.message(room, 52, author=BOB)
    await Ratings(database, seed.vault).put(ALICE, await seed.character(), Review(5), GUILD, NOW)
    await report(reports, seed)
    await SearchPages(database).create(ALICE, SearchQuery("x"), NOW)
    await Members(database).ignore(ALICE, NOW + 7)
    await seed.linked(ALICE)
    await PaidTurns(database).take(room.binding_id, member_payer(ALICE), most=9, day_start_ms=NOW)
    await PaidTurns(database).take(room.binding_id, member_payer(BOB), most=9, day_start_ms=NOW)
    login = LoginSecret("fake-code", "fake-token", "ABCD", "https://nano-gpt.example")
    await Accounts(database, seed.vault).begin_login(ALICE, login, now_ms=NOW, expires_at_ms=NOW, answer_until_ms=NOW)
    own = await OwnCharacters(database, seed.vault).remember(ALICE, Character(CharacterId("own"), "Own"), NOW)
    await Watches(database, seed.vault).begin(ALICE, own.ref, tell=True, status=None, due_ms=NOW, now_ms=NOW)
    draft = await Drafts(database, seed.vault).create(ALICE, DraftKind.CREATE, None, Writing(NEW_SHEET), NOW)
    await CardOriginals(database, seed.vault).put(
        ALICE, draft.id, StoredFile("a", b"k" * 32), size=1, name="ada.png", fingerprint="", now_ms=NOW
    )
    kept = KeptAboutMember(
        messages=2,
        message_texts=1,
        ratings=1,
        reports=1,
        searches=1,
        bindings=1,
        ignored_since_ms=NOW + 7,
        linked_at_ms=NOW,
        drafts=1,
        card_files=1,
        logins=1,
        own_characters=1,
        watches=1,
        paid_replies=1,
    )
    assert await personal.kept(ALICE) == kept
    assert await personal.delete(ALICE) == kept
    assert await personal.kept(ALICE) == KeptAboutMember(2, 0, 0, 1, 0, 1, NOW + 7, paid_replies=1)


async def test_who_is_heard_again_is_not_ignored(personal: Personal, database: Database) -> None:
    await Members(database).ignore(ALICE, NOW)
    await Members(database).heed(ALICE, MessageId(7))
    assert await personal.kept(ALICE) == NOTHING


async def test_of_someone_unknown_nothing_is_kept(personal: Personal) -> None:
    assert await personal.kept(BOB) == NOTHING
    assert await personal.delete(BOB) == NOTHING


async def test_texts_of_the_member_go_and_the_ids_stay(personal: Personal, seed: Seed, room: Conversation) -> None:
    await seed.message(room, 50)
    await seed.message(room, 51, author=BOB)
    await personal.delete(ALICE)
    assert await seed.messages_with_text() == [51]
    assert await seed.state_of(50) == ("answered", None)


async def test_replies_to_the_member_alone_go_and_those_to_others_too_stay(
    personal: Personal, seed: Seed, room: Conversation
) -> None:
    alone, together, others = [await seed.turn(room) for _ in range(3)]
    greeting = await seed.turn(room, kind="greeting")
    for number, turn, author in (
        (50, alone, ALICE),
        (51, alone, ALICE),
        (52, together, ALICE),
        (53, together, BOB),
        (54, others, BOB),
    ):
        await seed.message(room, number, turn=turn, author=author)
    await personal.delete(ALICE)
    assert await seed.turns_with_text() == [together, others, greeting]


async def test_what_waits_is_dropped_and_what_runs_is_left_to_its_worker(
    personal: Personal, seed: Seed, room: Conversation
) -> None:
    await seed.message(room, 50, state="waiting")
    await seed.message(room, 51, state="running", turn=await seed.turn(room, state="running", reply=None))
    await seed.message(room, 52, state="waiting", author=BOB)
    await seed.message(room, 53, state="waiting", text=None)
    await personal.delete(ALICE)
    assert [await seed.state_of(number) for number in (50, 51, 52, 53)] == [
        ("dropped", "deleted"),
        ("running", None),
        ("waiting", None),
        ("dropped", "deleted"),
    ]


async def test_settled_reports_go_and_waiting_ones_lose_their_details(
    personal: Personal, reports: Reports, seed: Seed
) -> None:
    waiting, refused = await report(reports, seed), await report(reports, seed)
    await reports.refuse(refused.id, "no", NOW)
    await personal.delete(ALICE)
    assert await reports.get(refused.id) is None
    still = await reports.get(waiting.id)
    assert still is not None
    assert (still.complaint.reason, still.complaint.details) == ("Spam", None)


async def test_ratings_and_searches_of_others_stay(personal: Personal, seed: Seed, database: Database) -> None:
    ratings = Ratings(database, seed.vault)
    ref = await seed.character()
    for member in (ALICE, BOB):
        await ratings.put(member, ref, Review(4), GUILD, NOW)
        await SearchPages(database).create(member, SearchQuery("x"), NOW)
    await personal.delete(ALICE)
    assert await ratings.get(ALICE, ref) is None
    assert (await personal.kept(BOB)).ratings == 1
    assert (await personal.kept(BOB)).searches == 1


async def test_the_account_goes_with_everything_that_hangs_on_it(personal: Personal, seed: Seed) -> None:
    accounts = Accounts(seed.database, seed.vault)
    secret = AccountSecret("sk-nano-fake-1111")
    for member in (ALICE, BOB):
        await accounts.link(member, secret, KeyOrigin.PASTED, NOW)
        await OwnCharacters(seed.database, seed.vault).remember(member, Character(CharacterId("own"), "Own"), NOW)
    login = LoginSecret("fake-code", "fake-token", "ABCD", "https://nano-gpt.example")
    await accounts.begin_login(ALICE, login, now_ms=NOW, expires_at_ms=NOW, answer_until_ms=NOW)
    assert (await personal.delete(ALICE)).linked_at_ms == NOW
    assert (await personal.kept(ALICE)).linked_at_ms is None
    counts = await seed.counts()
    assert (counts["linked_account"], counts["own_character"], counts.get("pending_login", 0)) == (1, 1, 0)
    assert await accounts.secret(BOB) == secret


async def test_reviews_of_the_member_that_wait_are_not_sent(personal: Personal, seed: Seed, database: Database) -> None:
    outbox = Outbox(database)
    reviews = Reviews(database, Ratings(database, seed.vault), outbox)
    ref = await seed.character()
    for member in (ALICE, BOB):
        await reviews.rate(member, ref, Review(4), GUILD, payer=PAYER, now_ms=NOW)
    await personal.delete(ALICE)
    (entry,) = await outbox.due(NOW, 10)
    assert read_review_subject(entry.subject) == (BOB, ref)
