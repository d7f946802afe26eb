from dataclasses import fields, replace

import pytest

from bot.domain.authoring import CharacterChanges, CharacterFields, Visibility
from bot.domain.ratings import ContentRating

CLEARING = CharacterChanges(
    name="",
    base_model="",
    system_prompt="",
    creator_rating=ContentRating.SFW,
    summary="",
    description="",
    first_message="",
    visibility=Visibility.PRIVATE,
    allow_api=False,
    tags=(),
)


def test_changes_that_change_nothing_are_false() -> None:
    assert not CharacterChanges()


@pytest.mark.parametrize("name", [each.name for each in fields(CharacterChanges)])
def test_a_field_that_is_cleared_or_set_to_its_lowest_is_a_change(name: str) -> None:
    assert replace(CharacterChanges(), **{name: getattr(CLEARING, name)})


def test_whatever_an_author_writes_can_be_changed_later() -> None:
    assert {each.name for each in fields(CharacterChanges)} == {each.name for each in fields(CharacterFields)}


def test_a_new_character_is_private_and_closed_unless_its_author_says_otherwise() -> None:
    made = CharacterFields("Ada", "some/model", "You are Ada.", ContentRating.NSFW)
    assert (made.visibility, made.allow_api) == (Visibility.PRIVATE, False)


def test_a_prompt_does_not_show_in_a_log() -> None:
    made = CharacterFields("Ada", "some/model", "A fake secret.", ContentRating.SFW)
    assert "secret" not in f"{made!r} {CharacterChanges(system_prompt='A fake secret.')!r}"
