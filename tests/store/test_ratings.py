import logging

import pytest

from bot.domain.feedback import Review, Stars, shown_average
from bot.domain.ids import CharacterRef, GuildId, UserId
from bot.store.database import Database
from bot.store.ratings import Ratings
from bot.store.vault import MasterKey, Vault
from tests.store.seed import ALICE, BOB, GUILD, NOW, Seed

TEXT = "A patient teacher."
OTHER_GUILD = GuildId(11)


@pytest.fixture
def ratings(database: Database, vault: Vault) -> Ratings:
    return Ratings(database, vault)


@pytest.fixture
async def ref(seed: Seed) -> CharacterRef:
    return await seed.character()


async def test_a_rating_is_kept_as_it_was_given(ratings: Ratings, ref: CharacterRef) -> None:
    rating = await ratings.put(ALICE, ref, Review(4, TEXT), GUILD, NOW)
    assert (rating.user_id, rating.character_ref, rating.review) == (ALICE, ref, Review(4, TEXT))
    assert (rating.guild_id, rating.created_at_ms, rating.updated_at_ms) == (GUILD, NOW, NOW)
    assert rating.published_at_ms is None
    assert await ratings.get(ALICE, ref) == rating
    assert await ratings.get(BOB, ref) is None


async def test_a_member_has_one_rating_of_a_character_the_last(ratings: Ratings, ref: CharacterRef) -> None:
    await ratings.put(ALICE, ref, Review(4, TEXT), GUILD, NOW)
    again = await ratings.put(ALICE, ref, Review(2), None, NOW + 5)
    assert (again.review, again.guild_id) == (Review(2), None)
    assert (again.created_at_ms, again.updated_at_ms) == (NOW, NOW + 5)
    assert await ratings.stars(ref) == Stars(2, 1)


@pytest.mark.parametrize(
    ("review", "stays_published"),
    [
        (Review(4, TEXT), True),
        (Review(5, TEXT), False),
        (Review(4, TEXT + "!"), False),
        (Review(4), False),
    ],
)
async def test_only_a_changed_rating_has_to_be_published_again(
    ratings: Ratings, ref: CharacterRef, review: Review, *, stays_published: bool
) -> None:
    first = await ratings.put(ALICE, ref, Review(4, TEXT), GUILD, NOW)
    assert await ratings.published(first, NOW + 1)
    again = await ratings.put(ALICE, ref, review, OTHER_GUILD, NOW + 2)
    assert (again.published_at_ms == NOW + 1) is stays_published
    assert again.guild_id == OTHER_GUILD


async def test_a_rating_that_changed_while_it_was_sent_is_not_marked_published(
    ratings: Ratings, ref: CharacterRef
) -> None:
    sent = await ratings.put(ALICE, ref, Review(4), GUILD, NOW)
    await ratings.put(ALICE, ref, Review(5), GUILD, NOW + 1)
    assert not await ratings.published(sent, NOW + 2)
    stored = await ratings.get(ALICE, ref)
    assert stored is not None
    assert stored.published_at_ms is None


async def test_averages_are_of_one_server_or_of_all(ratings: Ratings, ref: CharacterRef, seed: Seed) -> None:
    for number, (stars, guild) in enumerate([(5, GUILD), (4, GUILD), (3, GUILD), (1, OTHER_GUILD), (2, None)]):
        await ratings.put(UserId(100 + number), ref, Review(stars), guild, NOW)
    await ratings.put(ALICE, await seed.character("bard"), Review(1), GUILD, NOW)
    assert await ratings.stars(ref, GUILD) == Stars(12, 3)
    assert shown_average(await ratings.stars(ref, GUILD)) == 4.0
    assert await ratings.stars(ref, OTHER_GUILD) == Stars(1, 1)
    assert await ratings.stars(ref) == Stars(15, 5)
    assert await ratings.stars(CharacterRef(99)) == Stars(0, 0)


async def test_a_lost_key_costs_the_text_and_not_the_rating(
    ratings: Ratings, ref: CharacterRef, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await ratings.put(ALICE, ref, Review(4, TEXT), GUILD, NOW)
    later = Ratings(database, Vault([MasterKey(b"new-fake" * 4)]))
    with caplog.at_level(logging.WARNING):
        rating = await later.get(ALICE, ref)
    assert rating is not None
    assert rating.review == Review(4)
    assert TEXT not in caplog.text
    assert "Cannot read a stored text" in caplog.text
    renewed = await later.put(ALICE, ref, Review(4, TEXT), GUILD, NOW + 1)
    assert renewed.review == Review(4, TEXT)


async def test_a_text_moved_to_another_member_does_not_open(
    ratings: Ratings, ref: CharacterRef, database: Database
) -> None:
    await ratings.put(ALICE, ref, Review(4, TEXT), GUILD, NOW)
    await ratings.put(BOB, ref, Review(1), GUILD, NOW)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE rating SET body = (SELECT body FROM rating WHERE user_id = $1) WHERE user_id = $2", ALICE, BOB
        )
    moved = await ratings.get(BOB, ref)
    assert moved is not None
    assert moved.review == Review(1)
