import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.card_files.containers import Container
from bot.domain.card_files.exporting import CardExport, ExportedCharacter
from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.reading import read_card_file
from bot.domain.card_files.versions import CardVersion
from bot.domain.ratings import ContentRating
from bot.services.card_messages import (
    Answer,
    ChildFailed,
    ExportRequest,
    Garbled,
    ReadRequest,
    Request,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from tests.support.card_samples import SAMPLES

FIELDS = CardFields("Ada\n", "s", "d\u2028", "p", "\U0001f600", ("a", "b"))
READING = read_card_file(SAMPLES[CardVersion.V3, Container.PNG])
EXPORT = CardExport(b"{\n}\n\n", Container.JSON, rewritten=True, with_original=False, prompt_seen=True)


@pytest.mark.parametrize(
    "request_",
    [
        ReadRequest(b""),
        ReadRequest(b"\n\n{}\n"),
        ExportRequest(ExportedCharacter(FIELDS, "id"), b"a\nb"),
        ExportRequest(
            ExportedCharacter(replace(FIELDS, system_prompt=None), "id", "slug", "model", ContentRating.SFW), b""
        ),
    ],
)
def test_a_request_arrives_as_it_was(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@pytest.mark.parametrize(
    "answer",
    [
        *map(read_card_file, SAMPLES.values()),
        replace(READING, mapping=replace(READING.mapping, base_model="m", rating_floor=ContentRating.EXPLICIT)),
        EXPORT,
        CardFault(FaultKind.PNG_DAMAGED),
        CardFault(FaultKind.TEXT_TOO_LONG, "name", 101, 100),
        ChildFailed("ValueError at mapping.py:1"),
    ],
)
def test_an_answer_arrives_as_it_was(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@given(message=st.binary(max_size=100))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_bytes_that_are_no_message_are_garbled(message: bytes) -> None:
    for decode in (decode_answer, decode_request):
        with pytest.raises(Garbled):
            decode(message)


def changed(answer: Answer, **changes: Any) -> bytes:  # noqa: ANN401 - anything may come out of a child
    line, _, file = encode_answer(answer).partition(b"\n")
    return json.dumps({**json.loads(line), **changes}).encode() + b"\n" + file


@pytest.mark.parametrize(
    "message",
    [
        b"{}",
        b"[]\n",
        changed(READING, version="V9"),
        changed(READING, container="exe"),
        changed(READING, has_picture="yes"),
        changed(READING, fields=None),
        changed(READING, fields={"name": 1}),
        changed(READING, folded=["everything"]),
        changed(READING, lost={"tags": "many"}),
        changed(READING, lost={"hope": 1}),
        changed(READING, rating_floor=9),
        changed(READING, rating_floor=None),
        changed(EXPORT, container=None),
        changed(EXPORT, rewritten=1),
        changed(CardFault(FaultKind.PNG_DAMAGED), fault="none"),
        changed(ChildFailed("x"), failure=None),
    ],
)
def test_an_answer_that_no_child_gives_is_garbled(message: bytes) -> None:
    with pytest.raises(Garbled):
        decode_answer(message)


def test_what_is_no_figure_of_a_fault_is_left_out() -> None:
    message = changed(CardFault(FaultKind.TEXT_TOO_LONG, "name", 101, 100), part=1, found="x", limit=None)
    assert decode_answer(message) == CardFault(FaultKind.TEXT_TOO_LONG)
