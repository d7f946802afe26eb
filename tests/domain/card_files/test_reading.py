import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.card_files.containers import Container
from bot.domain.card_files.faults import CardUnusable, FaultKind
from bot.domain.card_files.reading import read_card_file
from bot.domain.card_files.versions import CardVersion
from tests.domain.card_files.faults import refused
from tests.domain.card_files.test_card_json import texts, values
from tests.support.card_samples import CARDS, SAMPLES, card_file, charx, png

thorough = settings(deadline=None, max_examples=80, derandomize=True)

KEYS = ("name", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes", "system_prompt")
cards = st.fixed_dictionaries({"name": texts | st.just("Ada")}, optional=dict.fromkeys(KEYS[1:], texts))
wild_cards = st.dictionaries(
    st.sampled_from((*KEYS, "data", "tags", "nickname", "extensions", "character_book", "alternate_greetings", "spec")),
    values,
    max_size=8,
)


@pytest.mark.parametrize(("version", "container"), SAMPLES)
def test_every_version_is_read_in_every_container(version: CardVersion, container: Container) -> None:
    reading = read_card_file(SAMPLES[version, container])
    assert (reading.version, reading.container) == (version, container)
    assert reading.has_picture is (container is not Container.JSON)
    assert reading.mapping == read_card_file(SAMPLES[version, Container.JSON]).mapping
    assert reading.mapping.fields.name == "Ada"


@given(card=cards)
@thorough
def test_the_container_changes_nothing(card: dict[str, Any]) -> None:
    for version in CardVersion:
        shaped = card if version is CardVersion.V1 else {"spec": f"chara_card_{version.value.lower()}", "data": card}
        found: list[object] = []
        for container in Container:
            try:
                found.append(read_card_file(card_file(shaped, version, container)).mapping)
            except CardUnusable as error:
                found.append(error.fault)
        assert found[0] == found[1] == found[2]


@given(card=wild_cards, nested=st.booleans())
@thorough
def test_json_of_any_shape_is_read_or_refused(card: dict[str, Any], *, nested: bool) -> None:
    file = json.dumps({"spec": "chara_card_v3", "data": card} if nested else card).encode()
    try:
        read_card_file(file)
    except CardUnusable as error:
        assert error.fault.kind in {FaultKind.NOT_A_CARD, FaultKind.NAMELESS}  # noqa: PT017 - either outcome is right


@given(
    file=st.binary(max_size=400), lead=st.sampled_from([b"", png()[:8], png()[:-12], b"PK\x03\x04", b"{", charx({})])
)
@thorough
def test_any_bytes_are_read_or_refused(file: bytes, lead: bytes) -> None:
    with pytest.raises(CardUnusable):
        read_card_file(lead + file)


def test_a_picture_without_a_card_is_refused() -> None:
    with refused(FaultKind.PNG_WITHOUT_CARD):
        read_card_file(png())


def test_every_version_has_a_sample() -> None:
    assert set(CARDS) == set(CardVersion)
