import pytest

from bot.domain.characters import Character, KnownCharacter
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating
from bot.domain.suggestions import entry_of, folded
from bot.services.name_index import NameIndex

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating
NAMES = ("Helpful Guide", "Night Bard", "Bart", "Space Pirate", "Zoë", "The Night Watch")


@pytest.fixture(scope="module")
def index() -> NameIndex:
    entries = [
        entry_of(
            KnownCharacter(
                CharacterRef(ref),
                Character(CharacterId(f"{ref}"), name, catalogue_rating=NSFW if name == "Bart" else SFW),
                0,
                0,
                None,
            )
        )
        for ref, name in enumerate(NAMES)
    ]
    return NameIndex([entry for entry in entries if entry is not None])


def found(index: NameIndex, text: str, *, ceiling: ContentRating = EXPLICIT, limit: int = 25) -> list[str]:
    return [NAMES[entry.ref] for entry in index.resembling(folded(text), ceiling=ceiling, limit=limit)]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("helpfull giude", ["Helpful Guide"]),
        ("guide helpful", ["Helpful Guide"]),
        ("helpfulguide", ["Helpful Guide"]),
        ("pirat", ["Space Pirate"]),
        ("spcae", ["Space Pirate"]),
        ("zoee", ["Zoë"]),
        ("nihgt wa", ["The Night Watch"]),
        ("bard", ["Night Bard", "Bart"]),
        ("night pirate", []),
        ("qqq", []),
        ("", []),
    ],
)
def test_every_word_typed_has_to_resemble_one_of_the_name(index: NameIndex, typed: str, names: list[str]) -> None:
    assert found(index, typed) == names


def test_nothing_above_the_ceiling_and_no_more_than_asked_for(index: NameIndex) -> None:
    assert found(index, "bard", ceiling=SFW) == ["Night Bard"]
    assert found(index, "night", limit=1) == ["Night Bard"]
