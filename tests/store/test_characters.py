from dataclasses import replace

import pytest

from bot.domain.characters import Character
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating
from bot.store.characters import Characters
from bot.store.database import Database
from tests.store.seed import NOW

FULL = Character(
    CharacterId("c1"),
    "Helpful Guide",
    slug="helpful-guide",
    summary="Edits",
    description="Edits docs.",
    base_model="some/model",
    first_message="What are we editing today? \u2014 \U0001f600",
    visibility="public",
    moderation_status="approved",
    allow_api=True,
    catalogue_rating=ContentRating.SUGGESTIVE,
    creator_rating=ContentRating.NSFW,
    tags=("writing", "productivity"),
    stars_average=4.8,
    stars_count=12,
    avatar_url="https://cdn.example/a.png",
    creator="someone",
)
SHORT = Character(CharacterId("c1"), "Helpful Guide!", slug="helpful-guide", catalogue_rating=ContentRating.SFW)


@pytest.fixture
def characters(database: Database) -> Characters:
    return Characters(database)


async def test_every_fact_survives_the_store(characters: Characters) -> None:
    known = await characters.remember_full(FULL, NOW)
    assert known.character == FULL
    assert await characters.get(known.ref) == known


async def test_a_list_item_adds_what_it_states_and_erases_nothing(characters: Characters) -> None:
    await characters.remember_full(FULL, NOW)
    (known,) = await characters.remember([SHORT], NOW + 1)
    assert known.character == replace(FULL, name="Helpful Guide!", catalogue_rating=ContentRating.SFW)
    assert (known.seen_at_ms, known.checked_at_ms) == (NOW + 1, NOW)


async def test_a_full_read_replaces_everything(characters: Characters) -> None:
    await characters.remember_full(FULL, NOW)
    known = await characters.remember_full(SHORT, NOW + 1)
    assert known.character == SHORT
    assert (known.seen_at_ms, known.checked_at_ms) == (NOW + 1, NOW + 1)


async def test_a_character_known_from_lists_alone_was_never_checked(characters: Characters) -> None:
    (known,) = await characters.remember([SHORT], NOW)
    assert (known.seen_at_ms, known.checked_at_ms, known.gone_at_ms) == (NOW, None, None)


async def test_a_whole_list_is_returned_in_its_order_each_once(characters: Characters) -> None:
    listed = [Character(CharacterId(name), name) for name in ("b", "a", "b", "c")]
    known = await characters.remember(listed, NOW)
    assert [each.character.id for each in known] == ["b", "a", "c"]
    again = await characters.remember(reversed(listed), NOW)
    assert {each.ref for each in again} == {each.ref for each in known}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("c1", "c1"),
        ("helpful-guide", "c1"),
        ("Helpful-GUIDE", "c1"),
        ("C1", None),
        ("helpful", None),
        ("helpful_guide", None),
        ("%", None),
        ("", None),
    ],
)
async def test_an_address_is_an_id_or_a_slug_in_any_case(
    characters: Characters, address: str, found: str | None
) -> None:
    await characters.remember([FULL, Character(CharacterId("c2"), "No slug")], NOW)
    known = await characters.find(address)
    assert (known and known.character.id) == found


async def test_an_upper_case_slug_is_found_in_lower_case(characters: Characters) -> None:
    await characters.remember([Character(CharacterId("c2"), "Loud", slug="LOUD")], NOW)
    known = await characters.find("loud")
    assert known is not None
    assert known.character.slug == "LOUD"


async def test_an_id_goes_before_a_slug_of_the_same_word(characters: Characters) -> None:
    await characters.remember([Character(CharacterId("x"), "By slug", slug="word")], NOW + 9)
    await characters.remember([Character(CharacterId("word"), "By id")], NOW)
    known = await characters.find("word")
    assert known is not None
    assert known.character.name == "By id"


async def test_a_slug_belongs_to_whoever_has_it_now(characters: Characters) -> None:
    await characters.remember([Character(CharacterId("old"), "Old", slug="word")], NOW)
    await characters.remember([Character(CharacterId("new"), "New", slug="word")], NOW + 1)
    known = await characters.find("word")
    assert known is not None
    assert known.character.id == "new"
    await characters.gone(CharacterId("new"), NOW + 2)
    known = await characters.find("word")
    assert known is not None
    assert known.character.id == "old"


async def test_a_character_that_is_gone_is_still_known_until_it_comes_back(characters: Characters) -> None:
    (known,) = await characters.remember([FULL], NOW)
    gone = await characters.gone(FULL.id, NOW + 1)
    assert gone == replace(known, gone_at_ms=NOW + 1)
    assert await characters.gone(FULL.id, NOW + 2) == gone
    assert await characters.get(known.ref) == gone
    assert await characters.all() == [gone]
    (back,) = await characters.remember([FULL], NOW + 3)
    assert (back.ref, back.gone_at_ms) == (known.ref, None)


async def test_nobody_unknown_is_found_or_gone(characters: Characters) -> None:
    assert await characters.get(CharacterRef(9)) is None
    assert await characters.gone(CharacterId("nobody"), NOW) is None
    assert await characters.all() == []


async def test_an_empty_list_is_nothing_to_remember(characters: Characters) -> None:
    assert await characters.remember([], NOW) == []


async def test_an_unchanged_list_only_says_that_its_characters_are_still_there(characters: Characters) -> None:
    await characters.remember_full(FULL, NOW)
    first = await characters.remember([FULL, Character(CharacterId("c2"), "Other")], NOW + 1)
    again = await characters.remember([FULL, Character(CharacterId("c2"), "Other")], NOW + 2)
    assert again == [replace(known, seen_at_ms=NOW + 2) for known in first]
    assert await characters.all() == again


async def test_what_its_author_makes_private_says_nothing_of_when_the_catalogue_was_asked(
    characters: Characters,
) -> None:
    before = await characters.remember_full(FULL, NOW)
    private = await characters.made_private(FULL.id)
    assert private == replace(before, character=replace(FULL, visibility="private"))
    assert await characters.get(before.ref) == private
    assert await characters.made_private(CharacterId("nobody")) is None


async def test_what_the_catalogue_lists_is_private_no_more(characters: Characters) -> None:
    await characters.remember_full(replace(FULL, visibility="private"), NOW)
    (listed,) = await characters.remember([SHORT], NOW + 1)
    assert listed.character.visibility is None
    (stated,) = await characters.remember([replace(SHORT, visibility="unlisted")], NOW + 2)
    assert stated.character.visibility == "unlisted"
