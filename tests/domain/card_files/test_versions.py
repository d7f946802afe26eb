from typing import Any

import pytest

from bot.domain.card_files.card_json import Json
from bot.domain.card_files.faults import FaultKind
from bot.domain.card_files.versions import CardVersion, WrittenCharacter, read_character
from tests.domain.card_files.faults import refused
from tests.support.card_samples import V1, V2, V3


def test_a_v1_card_is_read() -> None:
    written = read_character(V1)
    assert written.version is CardVersion.V1
    assert (written.name, written.personality, written.scenario) == (
        "Ada",
        "Patient, dry, exact.",
        "A storm is coming.",
    )
    assert (written.first_message, written.examples) == (V1["first_mes"], V1["mes_example"])
    assert (written.tags, written.own, written.constant_lore) == ((), {}, ())


def test_a_v2_card_is_read_from_its_data() -> None:
    written = read_character(V2)
    assert written.version is CardVersion.V2
    assert (written.name, written.notes) == ("Ada", V2["data"]["creator_notes"])
    assert written.system_prompt == "{{original}}You are {{char}}."
    assert written.after_history == "Stay in the lighthouse."
    assert written.other_greetings == ("Another storm?", "The lamp is out.")
    assert written.constant_lore == ("The sun sets.", "The lamp turns."), "by insertion order"
    assert written.other_lore == 1
    assert written.tags == ("Sea Stories", "quiet")
    assert (written.creator, written.character_version, written.other_extensions) == ("someone", "1.2", 1)


def test_a_v3_card_is_read_with_what_it_adds() -> None:
    written = read_character(V3)
    assert written.version is CardVersion.V3
    assert (written.nickname, written.group_greetings) == ("Captain", ("So many of you.",))
    assert (written.translated_notes, written.sources, written.dates, written.assets) == (1, 1, 2, 1)


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ("chara_card_v2", CardVersion.V2),
        (None, CardVersion.V2),
        ("chara_card_v3", CardVersion.V3),
        ("chara_card_v4", CardVersion.V3),
        (3, CardVersion.V2),
    ],
)
def test_the_version_is_what_the_card_says(spec: object, version: CardVersion) -> None:
    assert read_character({"spec": spec, "data": {"name": "Ada"}}).version is version  # pyright: ignore[reportArgumentType]


def read(**fields: Json) -> WrittenCharacter:
    return read_character({"name": "Ada", **fields})


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({"description": None}, "description", ""),
        ({"description": 5}, "description", ""),
        ({"description": ["x"]}, "description", ""),
        ({"char_persona": "A keeper."}, "description", "A keeper."),
        ({"description": " ", "char_persona": "A keeper."}, "description", "A keeper."),
        ({"description": "Hers.", "char_persona": "A keeper."}, "description", "Hers."),
        ({"world_scenario": "A storm."}, "scenario", "A storm."),
        ({"char_greeting": "Hello."}, "first_message", "Hello."),
        ({"example_dialogue": "A: b"}, "examples", "A: b"),
        ({"data": None, "scenario": "A storm."}, "scenario", "A storm."),
        ({"data": {}, "scenario": "A storm."}, "scenario", "A storm."),
        ({"tags": "one, two,, three "}, "tags", ("one", "two", "three")),
        ({"tags": ["one", None, 2, " ", "two"]}, "tags", ("one", "two")),
        ({"tags": {"one": 1}}, "tags", ()),
        ({"alternate_greetings": ["", "Hi", 3]}, "other_greetings", ("Hi",)),
        ({"alternate_greetings": "Hi"}, "other_greetings", ()),
        ({"character_version": 2}, "character_version", ""),
        ({"creation_date": "yesterday"}, "dates", 0),
        ({"extensions": []}, "other_extensions", 0),
        ({"extensions": {"nanogpt": {"slug": "ada"}, "x": 1}}, "own", {"slug": "ada"}),
        ({"extensions": {"nanogpt": {"slug": "ada"}, "x": 1}}, "other_extensions", 1),
        ({"extensions": {"nanogpt": "x"}}, "own", {}),
        ({"assets": [{"uri": "x"}, {"uri": "y"}]}, "assets", 2),
        ({"character_book": []}, "other_lore", 0),
        ({"character_book": {"entries": [1, {"content": "x"}]}}, "other_lore", 1),
        ({"character_book": {"entries": {"0": {"content": "x", "constant": True}}}}, "constant_lore", ("x",)),
    ],
)
def test_what_is_missing_or_of_another_type_is_made_the_best_of(
    fields: dict[str, Any], attribute: str, value: object
) -> None:
    assert getattr(read(**fields), attribute) == value


@pytest.mark.parametrize(
    ("entry", "constant"),
    [
        ({"constant": True}, True),
        ({"constant": True, "enabled": True}, True),
        ({"constant": True, "enabled": None}, True),
        ({"constant": True, "enabled": False}, False),
        ({"constant": "yes"}, False),
        ({"constant": 1}, False),
        ({}, False),
        ({"constant": True, "content": " "}, False),
        ({"constant": True, "content": None}, False),
        ({"constant": True, "insertion_order": "first"}, True),
    ],
)
def test_only_lore_that_is_always_on_is_constant(entry: dict[str, Any], *, constant: bool) -> None:
    written = read(character_book={"entries": [{"content": "x", **entry}]})
    assert (len(written.constant_lore), written.other_lore) == ((1, 0) if constant else (0, 1))


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"entries": {}},
        {"spec": "lorebook_v3", "data": {"entries": []}},
        {"messages": []},
        {"data": {"x": 1}, "name": "A"},
    ],
)
def test_other_json_is_no_card(card: dict[str, Any]) -> None:
    with refused(FaultKind.NOT_A_CARD):
        read_character(card)


@pytest.mark.parametrize("name", [None, "", " \n", 5])
def test_a_card_needs_a_name(name: object) -> None:
    with refused(FaultKind.NAMELESS):
        read_character({"name": name, "description": "x"})  # pyright: ignore[reportArgumentType] - anything may come
