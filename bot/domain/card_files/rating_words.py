"""Tags that say how adult a character is. They may only raise a rating: a card states none, so it is asked for."""

from collections.abc import Iterable
from typing import Final

from bot.domain.ratings import ContentRating

_WORDS: Final = {
    ContentRating.SUGGESTIVE: ("suggestive", "ecchi", "flirty", "flirtatious", "risque", "lingerie", "seductive"),
    ContentRating.NSFW: (
        *("nsfw", "r18", "18plus", "lewd", "smut", "smutty", "erotic", "erotica", "erp", "sex", "sexual", "sexy"),
        *("kink", "kinky", "fetish", "bdsm", "nude", "nudity", "femdom", "maledom", "futa", "futanari", "gore"),
    ),
    ContentRating.EXPLICIT: ("porn", "pornographic", "hentai", "hardcore", "xxx", "nsfl", "noncon", "dubcon", "incest"),
}
"""Count wherever they stand in a tag."""
_TAGS: Final = {
    ContentRating.NSFW: (
        "adult",
        "adults",
        "adults-only",
        "adult-content",
        "mature",
        "mature-content",
        "18",
        "not-sfw",
    ),
    ContentRating.EXPLICIT: ("explicit", "sexually-explicit", "explicit-content", "non-con", "dub-con"),
}
"""Count only as a whole tag: "young adult" is a kind of novel."""
_DENIALS: Final = frozenset({"no-nsfw", "non-nsfw", "not-nsfw"})

_BY_WORD: Final = {word: rating for rating, words in _WORDS.items() for word in words}
_BY_TAG: Final = {tag: rating for rating, tags in _TAGS.items() for tag in tags}


def rating_floor(tag_slugs: Iterable[str]) -> ContentRating:
    """Return the mildest rating that a character with these tags may be given.

    `sfw` means that no tag speaks against it, never that the character is safe.
    """
    return max((_of_tag(slug) for slug in tag_slugs if slug not in _DENIALS), default=ContentRating.SFW)


def _of_tag(slug: str) -> ContentRating:
    found = [_BY_WORD[word] for word in slug.split("-") if word in _BY_WORD]
    return max(_BY_TAG.get(slug, ContentRating.SFW), *found, ContentRating.SFW)


def rating_choices(floor: ContentRating) -> tuple[ContentRating, ...]:
    """Return the ratings to choose from, the strictest first: that is the one to stand where nobody has chosen."""
    return tuple(rating for rating in sorted(ContentRating, reverse=True) if rating >= floor)
