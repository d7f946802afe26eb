from dataclasses import fields, replace

import pytest

from bot.domain.characters import Character, OwnCharacter, Unusable, is_private, merged, unusable_reason
from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating

ID = CharacterId("c1")
FULL = Character(
    ID,
    "Name",
    slug="name",
    summary="summary",
    description="description",
    base_model="model",
    first_message="Hello.",
    visibility="public",
    moderation_status="approved",
    allow_api=True,
    rating=ContentRating.SFW,
    tags=("a", "b"),
    stars_average=4.5,
    stars_count=2,
    avatar_url="https://cdn.example/a.png",
    creator="someone",
)
BARE = Character(ID, "New name", rating_stated=False)


def test_a_bare_item_changes_the_name_alone() -> None:
    assert merged(FULL, BARE) == replace(FULL, name="New name")


def test_an_item_that_says_everything_replaces_everything() -> None:
    other = Character(
        ID,
        "Other",
        slug="other",
        summary="s",
        description="d",
        base_model="m",
        first_message="f",
        visibility="unlisted",
        moderation_status="pending",
        allow_api=False,
        rating=ContentRating.NSFW,
        tags=("c",),
        stars_average=0.0,
        stars_count=0,
        avatar_url="https://cdn.example/b.png",
        creator="c",
        archived=True,
    )
    assert all(getattr(other, field.name) is not None for field in fields(other))
    assert merged(FULL, other) == other


@pytest.mark.parametrize("stated", [ContentRating.SFW, ContentRating.NSFW, ContentRating.EXPLICIT])
def test_a_stated_rating_wins_whether_milder_or_stronger(stated: ContentRating) -> None:
    known = replace(FULL, rating=ContentRating.SUGGESTIVE)
    assert merged(known, Character(ID, "Name", rating=stated)).rating is stated


def test_the_assumption_about_an_unrated_item_does_not_undo_what_is_known() -> None:
    assert merged(FULL, BARE).rating is ContentRating.SFW


def test_a_rating_once_assumed_stays_an_assumption_until_it_is_stated() -> None:
    assert not merged(BARE, BARE).rating_stated
    stated = merged(BARE, Character(ID, "Name", rating=ContentRating.SFW))
    assert (stated.rating, stated.rating_stated) == (ContentRating.SFW, True)


def test_a_character_back_from_the_archive_is_not_archived() -> None:
    assert not merged(replace(FULL, archived=True), BARE).archived


@pytest.mark.parametrize(
    ("character", "reason"),
    [
        (FULL, None),
        (BARE, None),
        (replace(FULL, archived=True), Unusable.ARCHIVED),
        (replace(FULL, visibility="unlisted"), Unusable.NOT_PUBLIC),
        (replace(FULL, visibility="private"), Unusable.NOT_PUBLIC),
        (replace(FULL, moderation_status="pending"), Unusable.NOT_APPROVED),
        (replace(FULL, moderation_status="flagged"), Unusable.NOT_APPROVED),
        (replace(FULL, allow_api=False), Unusable.NO_API),
        (replace(FULL, archived=True, allow_api=False), Unusable.ARCHIVED),
    ],
)
def test_what_speaks_against_using_a_character(character: Character, reason: Unusable | None) -> None:
    assert unusable_reason(character) is reason


def test_a_character_is_addressed_by_its_slug_or_else_its_id() -> None:
    assert (FULL.address, BARE.address) == ("name", "c1")


def test_what_is_an_authors_alone_stays_out_of_what_is_published_and_out_of_logs() -> None:
    own = OwnCharacter(FULL, system_prompt="A fake secret.", moderation_reason="too short")
    assert "secret" not in repr(own)
    assert not {"system_prompt", "moderation_reason", "creator_rating"} & {field.name for field in fields(Character)}


@pytest.mark.parametrize(
    ("visibility", "private"),
    [("private", True), ("unlisted", False), ("public", False), ("secret", False), (None, False)],
)
def test_only_what_the_catalogue_calls_private_is_its_owners_alone(visibility: str | None, *, private: bool) -> None:
    assert is_private(replace(FULL, visibility=visibility)) is private
