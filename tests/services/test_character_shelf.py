import pytest

from bot.domain.characters import Character
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating
from bot.domain.suggestions import look_for
from bot.services.character_shelf import CharacterShelf
from bot.store.characters import Characters
from bot.store.database import Database
from tests.support.manual_clock import ManualClock

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating


@pytest.fixture
def shelf(database: Database, clock: ManualClock) -> CharacterShelf:
    return CharacterShelf(characters=Characters(database), clock=clock.clock)


def character(slug: str, name: str | None = None, *, rating: ContentRating = SFW, stars: int = 0) -> Character:
    return Character(
        CharacterId(f"id-of-{slug}"),
        name or slug.replace("-", " ").title(),
        slug=slug,
        catalogue_rating=rating,
        stars_count=stars,
        stars_average=4.0,
    )


def values(shelf: CharacterShelf, text: str, *, ceiling: ContentRating = EXPLICIT, limit: int = 25) -> list[str]:
    return [choice.value for choice in shelf.suggest(text, ceiling=ceiling, limit=limit)]


async def test_memory_and_store_say_the_same(shelf: CharacterShelf, database: Database, clock: ManualClock) -> None:
    await shelf.remember([character("ada"), character("bard"), character("gone")])
    clock.advance(5)
    await shelf.remember_full(character("ada", "Ada Lovelace"))
    gone = shelf.by_address("gone")
    assert gone is not None
    await shelf.gone(gone)
    stored = await Characters(database).all()
    assert [shelf.by_ref(known.ref) for known in stored] == stored
    fresh = CharacterShelf(characters=Characters(database), clock=clock.clock)
    await fresh.load()
    assert [fresh.by_id(known.character.id) for known in stored] == stored
    assert values(fresh, "") == values(shelf, "")


async def test_a_character_is_found_by_its_new_slug_and_not_by_its_old_one(shelf: CharacterShelf) -> None:
    await shelf.remember_full(character("ada"))
    moved = await shelf.remember_full(Character(CharacterId("id-of-ada"), "Ada", slug="ada-lovelace"))
    assert shelf.by_address("ADA-lovelace") == moved
    assert shelf.by_address("ada") is None
    assert shelf.by_ref(CharacterRef(99)) is None


async def test_of_two_with_one_slug_the_one_that_was_seen_last_has_it(
    shelf: CharacterShelf, clock: ManualClock
) -> None:
    first = await shelf.remember_full(Character(CharacterId("first"), "First", slug="ada"))
    clock.advance(1)
    second = await shelf.remember_full(Character(CharacterId("second"), "Second", slug="Ada"))
    assert shelf.by_address("ada") == second
    await shelf.gone(second)
    assert shelf.by_address("ada") == first


async def test_the_popular_come_first_when_nothing_is_typed(shelf: CharacterShelf) -> None:
    await shelf.remember([character("seldom", stars=1), character("often", stars=9), character("never")])
    assert values(shelf, "") == ["often", "seldom", "never"]
    assert values(shelf, "  ", limit=1) == ["often"]
    await shelf.remember([character("never", stars=99)])
    assert values(shelf, "") == ["never", "often", "seldom"]


@pytest.mark.parametrize("typed", ["helpful", "guide", "HELP", "helpfull giude", "hlepful guide", "guide helpful"])
async def test_misspelt_and_misplaced_words_still_find_the_name(shelf: CharacterShelf, typed: str) -> None:
    await shelf.remember([character("night-bard"), character("helpful-guide"), character("space-pirate")])
    assert values(shelf, typed) == ["helpful-guide"]


async def test_beginnings_come_before_resemblances(shelf: CharacterShelf) -> None:
    await shelf.remember([character("bard", stars=5), character("bart", stars=9), character("night-bard")])
    assert values(shelf, "bard") == ["bard", "night-bard", "bart"]


@pytest.mark.parametrize("typed", ["xyzzyq", "??", "zz"])
async def test_what_resembles_nothing_can_be_looked_for(shelf: CharacterShelf, typed: str) -> None:
    await shelf.remember([character("helpful-guide")])
    assert values(shelf, typed) == [look_for(typed).value]


async def test_an_empty_shelf_offers_to_look(shelf: CharacterShelf) -> None:
    assert values(shelf, "") == [look_for("").value]
    assert values(shelf, "ada") == [look_for("ada").value]


async def test_nothing_above_the_ceiling_and_nothing_gone_is_offered(shelf: CharacterShelf) -> None:
    await shelf.remember([character("night-bard", rating=NSFW), character("night-owl"), character("night-watch")])
    owl = shelf.by_address("night-owl")
    assert owl is not None
    await shelf.gone(owl)
    for typed in ("night", "nihgt", ""):
        assert "night-bard" not in values(shelf, typed, ceiling=SUGGESTIVE)
        assert "night-owl" not in values(shelf, typed)
    assert values(shelf, "night", ceiling=NSFW) == ["night-bard", "night-watch"]


async def test_the_most_used_model_is_that_of_most_usable_characters(shelf: CharacterShelf) -> None:
    assert shelf.most_used_model() is None
    await shelf.remember(
        [
            Character(CharacterId("a"), "A"),
            Character(CharacterId("b"), "B", base_model="common"),
            Character(CharacterId("c"), "C", base_model="common"),
            Character(CharacterId("d"), "D", base_model="rare"),
            *(Character(CharacterId(f"x{n}"), "X", base_model="private", visibility="private") for n in range(5)),
        ]
    )
    assert shelf.most_used_model() == "common"


async def test_what_its_author_makes_private_is_offered_no_more(
    shelf: CharacterShelf, database: Database, clock: ManualClock
) -> None:
    (ada,) = await shelf.remember([character("ada")])
    for character_id in (ada.character.id, ada.character.id, CharacterId("nobody")):
        await shelf.made_private(character_id)
    assert values(shelf, "ada") == ['Look for "ada"']
    again = CharacterShelf(characters=Characters(database), clock=clock.clock)
    await again.load()
    assert again.by_ref(ada.ref) == shelf.by_ref(ada.ref)
    await shelf.remember([character("ada")])
    assert values(shelf, "ada") == ["ada"]
