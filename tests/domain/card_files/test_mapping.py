from typing import Any

import pytest

from bot.domain.card_files.card_json import Json, JsonObject
from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.mapping import CardMapping, Loss, Part, map_card
from bot.domain.card_files.own_cards import face, written_fields
from bot.domain.card_files.versions import read_character
from bot.domain.ratings import ContentRating
from tests.domain.card_files.faults import refused
from tests.support.card_samples import V1, V2, V3


def mapped(**data: Json) -> CardMapping:
    return map_card(read_character({"name": "Ada", **data}))


def fields(**data: Json) -> CardFields:
    return mapped(**data).fields


def lost(**data: Json) -> dict[Loss, int]:
    return dict(mapped(**data).lost)


PROMPT = """You are Captain.

## Description
Captain keeps a lighthouse and talks to the user.

## Personality
Patient, dry, exact.

## Scenario
A storm is coming.

## Background
The sun sets.

The lamp turns.

## Example dialogue
<START>
the user: Hello?
Captain: Close the door.

## Always keep in mind
Stay in the lighthouse."""


def test_a_whole_card_is_mapped() -> None:
    mapping = map_card(read_character(V3))
    assert mapping == CardMapping(
        fields=CardFields(
            name="Ada",
            summary="A keeper of a lighthouse.",
            description="A keeper of a lighthouse.\n\nFor slow evenings.",
            system_prompt=PROMPT,
            first_message="*Captain looks up.* You are late, {{user}}.",
            tags=("sea-stories", "quiet"),
        ),
        folded=tuple(Part),
        lost=(
            (Loss.OTHER_GREETINGS, 2),
            (Loss.GROUP_GREETINGS, 1),
            (Loss.LORE, 1),
            (Loss.TRANSLATED_NOTES, 1),
            (Loss.CREATOR, 1),
            (Loss.CHARACTER_VERSION, 1),
            (Loss.SOURCES, 1),
            (Loss.DATES, 2),
            (Loss.ASSETS, 1),
            (Loss.EXTENSIONS, 1),
            (Loss.PLACE_OF_INSTRUCTIONS, 1),
            (Loss.NICKNAME, 1),
        ),
        rating_floor=ContentRating.SFW,
        base_model=None,
    )


def test_a_v1_card_has_no_words_for_the_catalogue() -> None:
    mapping = map_card(read_character(V1))
    assert (mapping.fields.summary, mapping.fields.description, mapping.fields.tags) == ("", "", ())
    assert mapping.folded == (Part.DESCRIPTION, Part.PERSONALITY, Part.SCENARIO, Part.EXAMPLES)
    assert mapping.lost == ()


@pytest.mark.parametrize(
    ("data", "prompt"),
    [
        ({}, ""),
        ({"system_prompt": " Be kind.\r\n"}, "Be kind."),
        ({"description": "A keeper."}, "A keeper."),
        ({"post_history_instructions": "Stay."}, "Stay."),
        ({"system_prompt": "{{original}}", "description": "A keeper."}, "A keeper."),
        ({"system_prompt": "Be kind.", "description": "A keeper."}, "Be kind.\n\n## Description\nA keeper."),
        ({"personality": "Dry.", "scenario": "Storm."}, "## Personality\nDry.\n\n## Scenario\nStorm."),
        ({"description": "a\x00b\x1bc\td\ne"}, "abc\td\ne"),
        ({"description": "{{//note}}"}, ""),
    ],
)
def test_the_prompt_is_put_together(data: dict[str, Any], prompt: str) -> None:
    assert fields(**data).system_prompt == prompt


@pytest.mark.parametrize(
    ("data", "greeting"),
    [
        ({"first_mes": "I am {{char}}, {{user}}."}, "I am Ada, {{user}}."),
        ({"nickname": "Cap", "first_mes": "I am {{char}}."}, "I am Cap."),
        ({"nickname": " ", "first_mes": "I am {{char}}."}, "I am Ada."),
        ({"nickname": "{{user}}", "first_mes": "I am {{char}}."}, "I am user."),
        ({"first_mes": "Hello.{{// later: wave}}"}, "Hello."),
    ],
)
def test_the_greeting_keeps_a_place_for_who_is_greeted(data: dict[str, Any], greeting: str) -> None:
    assert fields(**data).first_message == greeting


@pytest.mark.parametrize(
    ("name", "shown"), [("  Ada \n Lovelace ", "Ada Lovelace"), ("A\x00da", "Ada"), ("\U0001d4d0da", "\U0001d4d0da")]
)
def test_a_name_stands_on_one_line(name: str, shown: str) -> None:
    assert fields(name=name).name == shown


def test_a_name_of_control_characters_is_none() -> None:
    with refused(FaultKind.NAMELESS):
        mapped(name="\x01\x02")


@pytest.mark.parametrize(
    ("notes", "tags", "summary"),
    [
        ("Short and plain.", [], "Short and plain."),
        ("First\nparagraph.\n\nSecond.", [], "First paragraph."),
        ("\n \n\nFirst.\n\nSecond.", [], "First."),
        ("<div>Hi</div>\n\nPlain.", [], "Plain."),
        ("![art](https://x.example/a.png)\n\nPlain.", [], "Plain."),
        ("Look at https://x.example\n\nPlain.", [], "Plain."),
        ("x" * 301, ["One", "Two"], "one, two"),
        ("x" * 300, ["One"], "x" * 300),
        ("", ["a", "b", "c", "d", "e", "f"], "a, b, c, d, e"),
        ("", [], ""),
        ("About {{char}} and {{user}}.", [], "About Ada and the user."),
    ],
)
def test_the_summary_is_the_first_plain_paragraph_of_the_notes(notes: str, tags: list[Json], summary: str) -> None:
    assert fields(creator_notes=notes, tags=tags).summary == summary


def test_tags_are_spelt_as_the_catalogue_spells_them() -> None:
    assert fields(tags=["Science Fiction", "  Sci_Fi!! ", "Café", "x" * 40]).tags == (
        *("science-fiction", "sci-fi", "cafe"),
        "x" * 40,
    )


def test_tags_beyond_ten_and_ones_that_cannot_be_spelt_are_lost() -> None:
    tags = [f"tag {number}" for number in range(12)]
    assert fields(tags=["Tag 0", *tags, "日本", "x" * 41, "\ufdfa" * 600_000]).tags == tuple(
        f"tag-{number}" for number in range(10)
    )
    assert lost(tags=["Tag 0", *tags, "日本", "x" * 41, "\ufdfa" * 600_000]) == {Loss.TAGS: 5}


@pytest.mark.parametrize(
    ("data", "losses"),
    [
        ({}, {}),
        ({"nickname": "Ada"}, {}),
        ({"first_mes": "{{random:a,b}} {{user}}", "description": "{{roll:6}}"}, {Loss.PLACEHOLDERS: 2}),
        ({"post_history_instructions": " "}, {}),
    ],
)
def test_only_what_is_lost_is_called_lost(data: dict[str, Any], losses: dict[Loss, int]) -> None:
    assert lost(**data) == losses


@pytest.mark.parametrize(
    ("data", "part", "limit"),
    [
        ({"name": "x" * 101}, "name", 100),
        ({"nickname": "x" * 101}, "nickname", 100),
        ({"first_mes": "x" * 8_001}, "first message", 8_000),
        ({"creator_notes": "x" * 8_001}, "creator's notes", 8_000),
        ({"system_prompt": "x" * 32_001}, "system prompt", 32_000),
        ({"description": "x" * 32_001}, "description", 32_000),
        ({"personality": "x" * 32_001}, "personality", 32_000),
        ({"scenario": "x" * 32_001}, "scenario", 32_000),
        ({"mes_example": "x" * 32_001}, "example dialogue", 32_000),
        ({"post_history_instructions": "x" * 32_001}, "post-history instructions", 32_000),
        (
            {"character_book": {"entries": [{"content": "x" * 32_001, "constant": True}]}},
            "lorebook entry",
            32_000,
        ),
    ],
)
def test_a_text_that_is_too_long_is_refused(data: dict[str, Any], part: str, limit: int) -> None:
    with refused(FaultKind.TEXT_TOO_LONG) as faults:
        mapped(**data)
    assert faults == [CardFault(FaultKind.TEXT_TOO_LONG, part, limit + 1, limit)]


def test_a_prompt_that_is_too_long_only_as_a_whole_is_refused() -> None:
    with refused(FaultKind.TEXT_TOO_LONG) as faults:
        mapped(description="x" * 20_000, personality="x" * 20_000)
    assert faults[0].part == "prompt"


def test_names_that_make_a_text_too_long_are_refused() -> None:
    with refused(FaultKind.TEXT_TOO_LONG):
        mapped(name="x" * 100, first_mes="<bot>" * 1_600)


def test_tags_raise_the_floor_of_the_rating() -> None:
    assert mapped(tags=["Fantasy", "NSFW"]).rating_floor is ContentRating.NSFW


def test_tags_that_are_not_taken_over_raise_the_floor_too() -> None:
    assert mapped(tags=[*map(str, range(20, 40)), "hentai"]).rating_floor is ContentRating.EXPLICIT


OWN = CardFields(
    "Ada", "A keeper.", "Of a lighthouse.", "You are {{char}}.", "Hi {{user}} <bot>", ("sea_stories", "日本")
)


def own_card(**changes: Json) -> JsonObject:
    own: JsonObject = {"fields": written_fields(OWN), "base_model_id": "vendor/model", "content_rating": "nsfw"}
    return {**face(OWN), "tags": list(OWN.tags), "extensions": {"nanogpt": own}, **changes}


def test_fields_that_the_bot_wrote_come_back_as_they_were() -> None:
    mapping = map_card(read_character(own_card()))
    assert mapping == CardMapping(OWN, (), (), ContentRating.NSFW, "vendor/model")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Bea"},
        {"description": "A keeper."},
        {"creator_notes": "Other notes."},
        {"system_prompt": "You are {{char}}!"},
        {"post_history_instructions": "Stay."},
        {"tags": ["sea_stories"]},
        {"character_book": {"entries": [{"content": "Lore.", "constant": True}]}},
    ],
)
def test_a_card_that_was_edited_elsewhere_is_read_like_any_other(changes: dict[str, Any]) -> None:
    found = map_card(read_character(own_card(**changes))).fields
    assert found != OWN
    assert found.first_message == "Hi {{user}} Bea" if "name" in changes else "Hi {{user}} Ada"
    assert "{{char}}" not in (found.system_prompt or "")


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"fields": None},
        {"fields": []},
        {"fields": {**written_fields(OWN), "tags": "x"}},
        {"fields": {**written_fields(OWN), "tags": [1]}},
        {"fields": {**written_fields(OWN), "summary": None}},
        {"base_model_id": "x" * 201},
        {"base_model_id": "a\nb"},
        {"base_model_id": 5},
        {"base_model_id": ""},
        {"content_rating": "whatever"},
    ],
)
def test_what_the_bot_cannot_have_written_counts_for_nothing(own: JsonObject) -> None:
    mapping = map_card(read_character(own_card(extensions={"nanogpt": own})))
    assert mapping.fields.first_message == "Hi {{user}} Ada"
    assert (mapping.base_model, mapping.rating_floor) == (None, ContentRating.SFW)


def test_fields_that_the_bot_wrote_have_their_limits() -> None:
    long = CardFields("Ada", description="x" * 8_001)
    with refused(FaultKind.TEXT_TOO_LONG) as faults:
        map_card(read_character({**face(long), "extensions": {"nanogpt": {"fields": written_fields(long)}}}))
    assert faults[0].part == "description"


def test_v2_and_v3_differ_by_the_nickname_alone() -> None:
    v2, v3 = (map_card(read_character(card)).fields for card in (V2, V3))
    assert (v2.system_prompt or "").replace("Ada", "Captain") == v3.system_prompt
