from dataclasses import replace

import pytest

from bot.domain.bindings import PauseCause
from bot.domain.characters import Character, KnownCharacter
from bot.domain.gate import (
    ELSEWHERE,
    HOLDS_MS,
    SENTENCES,
    Obstacle,
    obstacle,
    obstacle_sentence,
    own_pause_cause,
    pause_cause,
)
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating
NOW = 1_800_000_000_000
ADA = Character(CharacterId("ada"), "Ada", visibility="public", moderation_status="approved", catalogue_rating=SFW)
KNOWN = KnownCharacter(CharacterRef(1), ADA, seen_at_ms=NOW, checked_at_ms=NOW, gone_at_ms=None)


@pytest.mark.parametrize("rating", ContentRating)
@pytest.mark.parametrize("ceiling", ContentRating)
def test_a_character_speaks_and_is_shown_up_to_the_ceiling(rating: ContentRating, ceiling: ContentRating) -> None:
    known = replace(KNOWN, character=replace(ADA, catalogue_rating=rating))
    above = rating > ceiling
    assert pause_cause(known, ceiling=ceiling, now_ms=NOW) is (PauseCause.ABOVE_CEILING if above else None)
    assert obstacle(known, ceiling=ceiling) is (Obstacle.ABOVE_CEILING if above else None)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (replace(ADA, archived=True), Obstacle.ARCHIVED),
        (replace(ADA, visibility="private"), Obstacle.UNKNOWN),
        (replace(ADA, visibility="unlisted"), Obstacle.UNKNOWN),
        (replace(ADA, moderation_status="rejected"), Obstacle.NOT_APPROVED),
        (replace(ADA, allow_api=False), Obstacle.NO_API),
    ],
)
def test_what_only_its_owner_may_use_neither_speaks_nor_is_shown(changed: Character, found: Obstacle) -> None:
    known = replace(KNOWN, character=changed)
    assert pause_cause(known, ceiling=EXPLICIT, now_ms=NOW) is PauseCause.UNAVAILABLE
    assert obstacle(known, ceiling=EXPLICIT) is found


def test_what_is_gone_is_unknown_whatever_else_it_is() -> None:
    known = replace(KNOWN, character=replace(ADA, catalogue_rating=EXPLICIT, archived=True), gone_at_ms=NOW)
    assert pause_cause(known, ceiling=SFW, now_ms=NOW) is PauseCause.UNAVAILABLE
    assert obstacle(known, ceiling=SFW) is Obstacle.UNKNOWN


@pytest.mark.parametrize(
    ("checked_at_ms", "cause"),
    [
        (NOW, None),
        (NOW - HOLDS_MS, None),
        (NOW - HOLDS_MS - 1, PauseCause.UNVERIFIED),
        (None, PauseCause.UNVERIFIED),
    ],
)
def test_knowledge_holds_for_a_day(checked_at_ms: int | None, cause: PauseCause | None) -> None:
    known = replace(KNOWN, checked_at_ms=checked_at_ms)
    assert pause_cause(known, ceiling=SFW, now_ms=NOW) is cause


def test_an_age_restricted_channel_is_named_only_where_it_would_help() -> None:
    nsfw, explicit = replace(ADA, catalogue_rating=NSFW), replace(ADA, catalogue_rating=EXPLICIT)
    assert obstacle_sentence(Obstacle.ABOVE_CEILING, nsfw, highest=NSFW) == ELSEWHERE
    assert obstacle_sentence(Obstacle.ABOVE_CEILING, explicit, highest=NSFW) == SENTENCES[Obstacle.ABOVE_CEILING]
    assert obstacle_sentence(Obstacle.NO_API, nsfw, highest=NSFW) == SENTENCES[Obstacle.NO_API]


def test_every_obstacle_has_a_sentence_of_its_own() -> None:
    assert SENTENCES.keys() == set(Obstacle)
    assert len(set(SENTENCES.values())) == len(Obstacle)


@pytest.mark.parametrize("rating", ContentRating)
@pytest.mark.parametrize("ceiling", ContentRating)
def test_a_members_own_character_speaks_up_to_the_ceiling_as_well(
    rating: ContentRating, ceiling: ContentRating
) -> None:
    private = replace(ADA, visibility="private", moderation_status=None, catalogue_rating=rating)
    cause = own_pause_cause(replace(KNOWN, character=private), ceiling=ceiling, now_ms=NOW)
    assert cause is (PauseCause.ABOVE_CEILING if rating > ceiling else None)
