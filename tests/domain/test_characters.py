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
    catalogue_rating=ContentRating.SFW,
    tags=("a", "b"),
    stars_average=4.5,
    stars_count=2,
    avatar_url="https://cdn.example/a.png",
    creator="someone",
)
BARE = Character(ID, "New name")


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
        catalogue_rating=ContentRating.NSFW,
        creator_rating=ContentRating.EXPLICIT,
        tags=("c",),
        stars_average=0.0,
        stars_count=0,
        avatar_url="https://cdn.example/b.png",
        creator="c",
        archived=True,
    )
    assert all(getattr(other, field.name) is not None for field in fields(other))
    assert merged(FULL, other) == other


@pytest.mark.parametrize("catalogue", [None, *ContentRating])
@pytest.mark.parametrize("creator", [None, *ContentRating])
def test_an_item_changes_the_ratings_it_names_and_leaves_the_other_as_it_was(
    catalogue: ContentRating | None, creator: ContentRating | None
) -> None:
    known = replace(FULL, catalogue_rating=ContentRating.SUGGESTIVE, creator_rating=ContentRating.NSFW)
    after = merged(known, Character(ID, "Name", catalogue_rating=catalogue, creator_rating=creator))
    assert after.catalogue_rating is (ContentRating.SUGGESTIVE if catalogue is None else catalogue)
    assert after.creator_rating is (ContentRating.NSFW if creator is None else creator)


def test_an_item_with_the_catalogues_rating_alone_does_not_undo_the_authors() -> None:
    known = replace(FULL, catalogue_rating=ContentRating.SFW, creator_rating=ContentRating.NSFW)
    after = merged(known, Character(ID, "Name", catalogue_rating=ContentRating.SFW))
    assert after.rating is ContentRating.NSFW


def test_what_no_item_has_rated_counts_as_explicit_until_one_does() -> None:
    assert merged(BARE, BARE).rating is ContentRating.EXPLICIT
    assert merged(BARE, Character(ID, "Name", catalogue_rating=ContentRating.SFW)).rating is ContentRating.SFW


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
    assert not {"system_prompt", "moderation_reason"} & {field.name for field in fields(Character)}


@pytest.mark.parametrize(
    ("visibility", "private"),
    [("private", True), ("unlisted", False), ("public", False), ("secret", False), (None, False)],
)
def test_only_what_the_catalogue_calls_private_is_its_owners_alone(visibility: str | None, *, private: bool) -> None:
    assert is_private(replace(FULL, visibility=visibility)) is private
