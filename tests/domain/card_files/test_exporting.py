import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.card_files.containers import MAX_FILE_BYTES, Container, card_in
from bot.domain.card_files.exporting import (
    CardExport,
    ExportedCharacter,
    export_filename,
    original_export,
    rewritten_export,
)
from bot.domain.card_files.faults import FaultKind
from bot.domain.card_files.fields import (
    MAX_GREETING,
    MAX_NAME,
    MAX_NOTES,
    MAX_PROMPT,
    MAX_SUMMARY,
    CardFields,
)
from bot.domain.card_files.png import card_in_png
from bot.domain.card_files.reading import read_card_file
from bot.domain.card_files.versions import CardVersion
from bot.domain.ratings import ContentRating
from tests.domain.card_files.faults import refused
from tests.domain.card_files.test_card_json import texts
from tests.support.card_samples import (
    CARDS,
    PIXELS,
    SAMPLES,
    V1,
    V2,
    V3,
    card_file,
    charx,
    chunk,
    json_bytes,
    png,
    png_card,
    text_chunk,
)

EDITED = CardFields(
    name="Ada the Second",
    summary="Not a keeper any more.",
    description="She {{left}} the lighthouse.\n\nFor good.",
    system_prompt="You are {{char}}, <bot>, and this is {{original}} {{// no comment}}.\n\n\x0bBe kind.",
    first_message="Hello {{user}}, I am {{char}}.",
    tags=("sea_stories", "Über", "日本", *map(str, range(12))),
)
FACTS = ExportedCharacter(EDITED, "11111111-1111-4111-8111-111111111111", "ada-2", "vendor/model", ContentRating.NSFW)

# Longer texts are made of pieces: Hypothesis draws no long ones.
some_text = st.lists(texts | st.sampled_from(["{{char}}", "<user>", "\r\n", "{{// x}}", "x" * 400]), max_size=8).map(
    "".join
)
names = some_text.map(lambda text: " ".join(text.split())[:MAX_NAME]).filter(lambda text: bool(text.strip()))
today = st.builds(
    CardFields,
    name=names,
    summary=some_text.map(lambda text: text[:MAX_SUMMARY]),
    description=some_text.map(lambda text: text[:MAX_NOTES]),
    system_prompt=some_text.map(lambda text: text[:MAX_PROMPT]),
    first_message=some_text.map(lambda text: text[:MAX_GREETING]),
    tags=st.lists(texts.filter(lambda text: bool(text.strip())), max_size=5).map(tuple),
)


@pytest.mark.parametrize(("version", "container"), SAMPLES)
def test_an_unchanged_character_gives_back_the_very_bytes(version: CardVersion, container: Container) -> None:
    file = SAMPLES[version, container]
    assert original_export(file, prompt_seen=True) == CardExport(
        file, container, rewritten=False, with_original=True, prompt_seen=True
    )


@pytest.mark.parametrize(("version", "container"), SAMPLES)
def test_an_edited_character_comes_back_with_every_field(version: CardVersion, container: Container) -> None:
    export = rewritten_export(FACTS, SAMPLES[version, container])
    assert (export.container, export.rewritten, export.with_original) == (container, True, True)
    again = read_card_file(export.file)
    assert (again.version, again.container) == (CardVersion.V3, container)
    assert again.mapping.fields == EDITED
    assert (again.mapping.base_model, again.mapping.rating_floor) == ("vendor/model", ContentRating.NSFW)
    assert again.has_picture is (container is not Container.JSON)


@given(fields=today, key=st.sampled_from([*SAMPLES, None]))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_whatever_was_edited_comes_back(fields: CardFields, key: tuple[CardVersion, Container] | None) -> None:
    export = rewritten_export(replace(FACTS, fields=fields), None if key is None else SAMPLES[key])
    assert read_card_file(export.file).mapping.fields == fields


@given(description=some_text, greeting=some_text, notes=some_text, tags=st.lists(texts, max_size=4), name=names)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_an_exported_card_maps_to_what_was_imported(
    description: str, greeting: str, notes: str, tags: list[str], name: str
) -> None:
    card = {
        "spec": "chara_card_v2",
        "data": {"name": name, "description": description, "first_mes": greeting, "creator_notes": notes, "tags": tags},
    }
    for container in Container:
        file = card_file(card, CardVersion.V2, container)
        fields = read_card_file(file).mapping.fields
        again = read_card_file(rewritten_export(replace(FACTS, fields=fields), file).file)
        assert again.mapping.fields == fields


def exported_json(export: CardExport) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(json_bytes(card_in(export.file, export.container)))
    return card


@pytest.mark.parametrize(("version", "container"), SAMPLES)
def test_the_imported_card_stands_under_extensions(version: CardVersion, container: Container) -> None:
    own = exported_json(rewritten_export(FACTS, SAMPLES[version, container]))["data"]["extensions"]["nanogpt"]
    assert own["original"] == CARDS[version]
    assert (own["character_id"], own["slug"]) == (FACTS.character_id, "ada-2")


@pytest.mark.parametrize("container", Container)
def test_exporting_again_and_again_keeps_the_first_original_and_grows_no_further(container: Container) -> None:
    first = rewritten_export(FACTS, SAMPLES[CardVersion.V2, container])
    second = rewritten_export(replace(FACTS, fields=replace(EDITED, name="Bea")), first.file)
    third = rewritten_export(FACTS, second.file)
    assert exported_json(second)["data"]["extensions"]["nanogpt"]["original"] == V2
    assert third.file == first.file


def test_what_nanogpt_has_no_field_for_stays_in_its_place() -> None:
    data = exported_json(rewritten_export(FACTS, json_bytes(V3)))["data"]
    for key in (
        *("alternate_greetings", "group_only_greetings", "creator", "character_version", "nickname", "source"),
        *("assets", "creation_date"),
    ):
        assert data[key] == V3["data"][key]
    assert data["extensions"]["depth_prompt"] == V3["data"]["extensions"]["depth_prompt"]


def test_lore_that_is_in_the_prompt_leaves_the_lorebook() -> None:
    book = exported_json(rewritten_export(FACTS, json_bytes(V2)))["data"]["character_book"]
    assert (book["name"], [entry["content"] for entry in book["entries"]]) == ("Lights", ["The sea is cold."])


def test_a_card_has_all_that_v3_demands() -> None:
    card = exported_json(rewritten_export(FACTS, json_bytes(V1)))
    assert (card["spec"], card["spec_version"]) == ("chara_card_v3", "3.0")
    demanded = {
        *("name", "description", "tags", "creator", "character_version", "mes_example", "extensions", "system_prompt"),
        *("post_history_instructions", "first_mes", "alternate_greetings", "personality", "scenario", "creator_notes"),
        "group_only_greetings",
    }
    assert demanded == card["data"].keys()


def test_a_png_carries_a_v2_card_for_older_programs_too() -> None:
    export = rewritten_export(FACTS, png_card(V3, CardVersion.V3))
    old = json.loads(card_in_png(export.file.replace(b"ccv3\0", b"gone\0")))
    assert (old["spec"], old["data"]["name"], old["data"]["system_prompt"]) == (
        "chara_card_v2",
        EDITED.name,
        EDITED.system_prompt,
    )
    assert not {"nickname", "group_only_greetings", "source", "assets", "creation_date"} & old["data"].keys()
    assert "original" not in old["data"]["extensions"]["nanogpt"]
    assert read_card_file(json_bytes(old)).mapping.fields == EDITED


def test_the_picture_of_a_png_stays_as_it_was() -> None:
    other = chunk(b"tEXt", b"Software\0painter")
    export = rewritten_export(FACTS, png(text_chunk("chara", V2), other, text_chunk("ccv3", V3)))
    assert PIXELS in export.file
    assert other in export.file
    assert export.file.count(b"chara\0") == export.file.count(b"ccv3\0") == 1


def test_the_assets_of_an_archive_stay_as_they_were() -> None:
    export = rewritten_export(FACTS, SAMPLES[CardVersion.V3, Container.CHARX])
    with zipfile.ZipFile(io.BytesIO(export.file)) as archive:
        assert archive.namelist() == ["card.json", "assets/icon/main.png"]
        assert archive.read("assets/icon/main.png") == png()


def test_a_character_that_was_never_imported_becomes_json() -> None:
    export = rewritten_export(FACTS, None)
    assert (export.container, export.rewritten, export.with_original) == (Container.JSON, True, False)
    assert "original" not in exported_json(export)["data"]["extensions"]["nanogpt"]
    assert read_card_file(export.file).mapping.fields == EDITED


def test_a_prompt_that_was_not_shown_is_missing_and_that_is_said() -> None:
    export = rewritten_export(replace(FACTS, fields=replace(EDITED, system_prompt=None), rating=None), json_bytes(V2))
    assert not export.prompt_seen
    assert read_card_file(export.file).mapping.fields == replace(EDITED, system_prompt="")


@pytest.mark.parametrize("container", Container)
def test_the_original_is_left_out_where_it_would_make_the_card_too_large(container: Container) -> None:
    card = {**V2, "data": {**V2["data"], "alternate_greetings": [" ".join(map(str, range(190_000)))]}}
    export = rewritten_export(FACTS, card_file(card, CardVersion.V2, container))
    assert (export.container, export.with_original) == (container, False)
    assert read_card_file(export.file).mapping.fields == EDITED


def test_the_original_is_left_out_where_it_would_make_the_card_too_deep() -> None:
    deep: object = {}
    for _ in range(28):
        deep = {"x": deep}
    export = rewritten_export(FACTS, json_bytes({**V1, "extra": deep}))
    assert not export.with_original
    assert read_card_file(export.file).mapping.fields == EDITED


@pytest.mark.parametrize("container", Container)
def test_what_would_stay_is_left_out_where_it_would_make_the_card_too_deep(container: Container) -> None:
    deep: object = {}
    for _ in range(29):
        deep = {"x": deep}
    # One level further down in V3 than in V1, and so too deep.
    file = card_file({**V1, "extensions": {"deep": deep}, "creator": "someone"}, CardVersion.V1, container)
    read_card_file(file)
    export = rewritten_export(FACTS, file)
    assert (export.container, export.with_original) == (container, False)
    assert exported_json(export)["data"]["creator"] == ""
    assert read_card_file(export.file).mapping.fields == EDITED


def test_the_picture_is_left_out_where_it_leaves_no_room_for_the_card() -> None:
    room = MAX_FILE_BYTES - len(png(text_chunk("chara", V1), chunk(b"fill", b"")))
    file = png(text_chunk("chara", V1), chunk(b"fill", bytes(room)))
    assert len(file) == MAX_FILE_BYTES
    export = rewritten_export(FACTS, file)
    assert (export.container, export.with_original) == (Container.JSON, True)
    assert read_card_file(export.file).mapping.fields == EDITED


def test_fields_beyond_every_limit_are_handed_out_all_the_same() -> None:
    long = replace(EDITED, description="x" * 3_000_000)
    export = rewritten_export(replace(FACTS, fields=long), charx({"card.json": json_bytes(V1)}))
    assert (export.container, export.with_original) == (Container.JSON, False)
    assert json.loads(export.file)["data"]["creator_notes"].endswith(long.description)


def test_an_original_that_cannot_be_read_is_refused() -> None:
    with refused(FaultKind.PNG_WITHOUT_CARD):
        rewritten_export(FACTS, png())
    with refused(FaultKind.FILE_EMPTY):
        original_export(b"", prompt_seen=True)


@pytest.mark.parametrize(
    ("name", "container", "filename"),
    [
        ("Ada Lovelace", Container.PNG, "ada-lovelace.png"),
        ("日本", Container.JSON, "character.json"),
        ("../../etc/passwd", Container.CHARX, "etc-passwd.charx"),
        ("x" * 100, Container.JSON, "x" * 40 + ".json"),
    ],
)
def test_a_file_is_named_after_its_character(name: str, container: Container, filename: str) -> None:
    assert export_filename(name, container) == filename
