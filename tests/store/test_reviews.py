import pytest

from bot.domain.feedback import NotAccepted, OutboxKind, RefusedReview, Review, read_review_subject, review_subject
from bot.domain.ids import CharacterRef, PayerId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.payers import member_payer
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.personal import Personal
from bot.store.ratings import Ratings
from bot.store.reviews import Reviews, cancel_in
from bot.store.vault import MasterKey, Vault
from tests.store.seed import ALICE, BOB, GUILD, NOW, Seed

MEMBER = PayerId("member:31")
ANSWER = "reviews of one's own characters are not taken"


@pytest.fixture
def ratings(database: Database, vault: Vault) -> Ratings:
    return Ratings(database, vault)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


@pytest.fixture
def reviews(database: Database, ratings: Ratings, outbox: Outbox) -> Reviews:
    return Reviews(database, ratings, outbox)


@pytest.fixture
async def ref(seed: Seed) -> CharacterRef:
    return await seed.character()


def test_a_subject_names_the_member_and_the_character() -> None:
    assert read_review_subject(review_subject(ALICE, CharacterRef(7))) == (ALICE, CharacterRef(7))


async def test_a_rating_that_stays_here_does_not_wait(reviews: Reviews, outbox: Outbox, ref: CharacterRef) -> None:
    await reviews.rate(ALICE, ref, Review(4), GUILD, payer=None, now_ms=NOW)
    assert await outbox.next_due_ms() is None
    assert await reviews.unsent(ALICE) == [ref]
    assert await reviews.unsent(BOB) == []


async def test_a_rating_that_is_to_be_published_waits_under_its_members_key(
    reviews: Reviews, outbox: Outbox, ref: CharacterRef
) -> None:
    await reviews.rate(ALICE, ref, Review(4), GUILD, payer=MEMBER, now_ms=NOW)
    (entry,) = await outbox.due(NOW, 10)
    assert (entry.kind, entry.subject, entry.payer) == (OutboxKind.RATING, review_subject(ALICE, ref), MEMBER)
    assert await reviews.is_waiting(ALICE, ref)
    assert not await reviews.is_waiting(BOB, ref)
    assert await reviews.unsent(ALICE) == []


async def test_the_latest_rating_is_the_one_that_waits(reviews: Reviews, outbox: Outbox, ref: CharacterRef) -> None:
    await reviews.rate(ALICE, ref, Review(4), GUILD, payer=MEMBER, now_ms=NOW)
    (first,) = await outbox.due(NOW, 10)
    await reviews.rate(ALICE, ref, Review(2), GUILD, payer=MEMBER, now_ms=NOW + 1)
    (second,) = await outbox.due(NOW + 1, 10)
    assert second.id != first.id


async def test_a_rating_that_is_to_stay_takes_an_earlier_one_off_its_way(
    reviews: Reviews, outbox: Outbox, ref: CharacterRef
) -> None:
    await reviews.rate(ALICE, ref, Review(4), GUILD, payer=MEMBER, now_ms=NOW)
    await reviews.rate(ALICE, ref, Review(2), GUILD, payer=None, now_ms=NOW + 1)
    assert await outbox.next_due_ms() is None


async def test_a_stored_rating_can_be_sent_later(reviews: Reviews, ratings: Ratings, ref: CharacterRef) -> None:
    assert not await reviews.send(ALICE, ref, MEMBER, NOW)
    assert not await reviews.is_waiting(ALICE, ref)
    rating = await reviews.rate(ALICE, ref, Review(4), GUILD, payer=None, now_ms=NOW)
    await ratings.refuse(rating, NotAccepted.KEY, None, NOW + 1)
    assert await reviews.send(ALICE, ref, MEMBER, NOW + 2)
    assert await reviews.is_waiting(ALICE, ref)
    assert await ratings.get(ALICE, ref) == rating


async def test_what_is_published_or_refused_is_known(reviews: Reviews, ratings: Ratings, seed: Seed) -> None:
    published, refused, waiting = [await seed.character(name) for name in ("guide", "bard", "oracle")]
    for ref in (published, refused, waiting):
        await reviews.rate(ALICE, ref, Review(4), GUILD, payer=MEMBER if ref == waiting else None, now_ms=NOW)
    for ref in (published, refused):
        rating = await ratings.get(ALICE, ref)
        assert rating is not None
        if ref == published:
            assert await ratings.published(rating, NOW)
        else:
            assert await ratings.refuse(rating, NotAccepted.BALANCE, None, NOW)
    assert await reviews.unsent(ALICE) == [refused]


async def test_what_waits_of_one_member_is_cancelled(
    reviews: Reviews, outbox: Outbox, database: Database, seed: Seed, ref: CharacterRef
) -> None:
    for character in (ref, await seed.character("bard")):
        await reviews.rate(ALICE, character, Review(4), GUILD, payer=MEMBER, now_ms=NOW)
    await reviews.rate(BOB, ref, Review(4), GUILD, payer=PayerId("member:32"), now_ms=NOW)
    async with database.transaction() as tx:
        await outbox.put(tx, OutboxKind.REPORT, f"{ALICE}", payer=MEMBER, due_at_ms=NOW, now_ms=NOW)
    async with database.transaction() as tx:
        assert await cancel_in(tx, ALICE) == 2
    assert await reviews.is_waiting(BOB, ref)
    assert len(await outbox.due(NOW, 10)) == 2
    async with database.transaction() as tx:
        assert await cancel_in(tx, ALICE) == 0


async def test_unlinking_cancels_what_waits(
    reviews: Reviews, database: Database, vault: Vault, ref: CharacterRef
) -> None:
    accounts = Accounts(database, vault)
    for member in (ALICE, BOB):
        await accounts.link(member, AccountSecret(f"sk-nano-fake-{member}"), KeyOrigin.PASTED, NOW)
        await reviews.rate(member, ref, Review(4), GUILD, payer=member_payer(member), now_ms=NOW)
    await accounts.unlink(ALICE)
    assert not await reviews.is_waiting(ALICE, ref)
    assert await reviews.is_waiting(BOB, ref)
    assert await reviews.unsent(ALICE) == [ref]


# What the catalogue did not take


async def test_a_refusal_is_kept_with_its_words_until_it_was_told(ratings: Ratings, ref: CharacterRef) -> None:
    rating = await ratings.put(ALICE, ref, Review(4), GUILD, NOW)
    assert await ratings.refuse(rating, NotAccepted.INVALID, ANSWER, NOW + 1)
    (untold,) = await ratings.untold(ALICE)
    assert untold.refused == RefusedReview(NotAccepted.INVALID, ANSWER, NOW + 1)
    assert await ratings.untold(BOB) == []
    await ratings.told([untold], NOW + 2)
    assert await ratings.untold(ALICE) == []
    stored = await ratings.get(ALICE, ref)
    assert stored is not None
    assert stored.refused == RefusedReview(NotAccepted.INVALID, ANSWER, NOW + 1, NOW + 2)


async def test_another_refusal_has_to_be_told_again(ratings: Ratings, ref: CharacterRef) -> None:
    rating = await ratings.put(ALICE, ref, Review(4), GUILD, NOW)
    await ratings.refuse(rating, NotAccepted.INVALID, ANSWER, NOW + 1)
    await ratings.told([rating], NOW + 2)
    await ratings.refuse(rating, NotAccepted.BALANCE, None, NOW + 3)
    (untold,) = await ratings.untold(ALICE)
    assert untold.refused == RefusedReview(NotAccepted.BALANCE, None, NOW + 3)


async def test_rating_again_forgets_the_refusal(ratings: Ratings, ref: CharacterRef) -> None:
    rating = await ratings.put(ALICE, ref, Review(4), GUILD, NOW)
    await ratings.refuse(rating, NotAccepted.INVALID, ANSWER, NOW + 1)
    assert await ratings.put(ALICE, ref, Review(4), GUILD, NOW + 2) == await ratings.get(ALICE, ref)
    assert await ratings.untold(ALICE) == []


async def test_a_refusal_of_what_was_changed_meanwhile_is_none(ratings: Ratings, ref: CharacterRef) -> None:
    sent = await ratings.put(ALICE, ref, Review(4), GUILD, NOW)
    await ratings.put(ALICE, ref, Review(5), GUILD, NOW + 1)
    assert not await ratings.refuse(sent, NotAccepted.INVALID, ANSWER, NOW + 2)
    assert await ratings.untold(ALICE) == []


async def test_what_is_published_as_it_stands_stays_so_when_sent_again_in_vain(
    ratings: Ratings, ref: CharacterRef
) -> None:
    await ratings.published(await ratings.put(ALICE, ref, Review(4), GUILD, NOW), NOW + 1)
    again = await ratings.put(ALICE, ref, Review(4), GUILD, NOW + 2)
    assert not await ratings.refuse(again, NotAccepted.BALANCE, None, NOW + 3)
    assert await ratings.untold(ALICE) == []


async def test_a_refusal_goes_with_its_rating(ratings: Ratings, ref: CharacterRef, database: Database) -> None:
    await ratings.refuse(await ratings.put(ALICE, ref, Review(4), GUILD, NOW), NotAccepted.GONE, ANSWER, NOW)
    await Personal(database).delete(ALICE)
    assert await database.read("SELECT * FROM refused_review") == []


async def test_a_lost_key_costs_the_catalogues_words_and_not_the_refusal(
    ratings: Ratings, ref: CharacterRef, database: Database
) -> None:
    await ratings.refuse(await ratings.put(ALICE, ref, Review(4), GUILD, NOW), NotAccepted.FORBIDDEN, ANSWER, NOW)
    later = await Ratings(database, Vault([MasterKey(b"new-fake" * 4)])).get(ALICE, ref)
    assert later is not None
    assert later.refused == RefusedReview(NotAccepted.FORBIDDEN, None, NOW)
