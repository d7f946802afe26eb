import pytest

from bot.domain.card_files.rating_words import rating_choices, rating_floor
from bot.domain.ratings import ContentRating

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating


@pytest.mark.parametrize(
    ("tags", "floor"),
    [
        ([], SFW),
        (["sfw", "fantasy", "young-adult", "not-safe"], SFW),
        (["ecchi"], SUGGESTIVE),
        (["nsfw"], NSFW),
        (["sfw", "nsfw"], NSFW),
        (["slightly-nsfw"], NSFW),
        (["no-nsfw"], SFW),
        (["no-nsfw", "smut"], NSFW),
        (["not-sfw"], NSFW),
        (["adult"], NSFW),
        (["18"], NSFW),
        (["hentai"], EXPLICIT),
        (["non-con"], EXPLICIT),
        (["flirty", "explicit", "nsfw"], EXPLICIT),
        (["explicitly-kind"], SFW),
        (["sexton"], SFW),
    ],
)
def test_tags_raise_the_rating_and_never_lower_it(tags: list[str], floor: ContentRating) -> None:
    assert rating_floor(tags) is floor


@pytest.mark.parametrize(
    ("floor", "choices"),
    [
        (SFW, (EXPLICIT, NSFW, SUGGESTIVE, SFW)),
        (NSFW, (EXPLICIT, NSFW)),
        (EXPLICIT, (EXPLICIT,)),
    ],
)
def test_the_strictest_choice_comes_first(floor: ContentRating, choices: tuple[ContentRating, ...]) -> None:
    assert rating_choices(floor) == choices
