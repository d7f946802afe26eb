"""What the bot and the child process that reads card files say to each other: a line of JSON, then a file or nothing.

JSON and not pickle, since what comes out of the child may be the work of a hostile file.
"""

import json
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from bot.domain.card_files.card_json import Json, JsonObject
from bot.domain.card_files.containers import Container
from bot.domain.card_files.exporting import CardExport, ExportedCharacter
from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.mapping import CardMapping, Loss, Part
from bot.domain.card_files.reading import CardReading
from bot.domain.card_files.versions import CardVersion, list_of, object_of
from bot.domain.ratings import ContentRating, parse_rating

T = TypeVar("T")

_FAULT: Final = "fault"
_FAILURE: Final = "failure"


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Read a card file."""

    file: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Make a card of a character, over the file that it was imported from."""

    character: ExportedCharacter
    file: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """The child met something that nobody foresaw."""

    where: str
    """The kind of the exception and its place in the code; no word of the file."""


Request = ReadRequest | ExportRequest
Answer = CardReading | CardExport | CardFault | ChildFailed


class Garbled(Exception):
    """A message that the other side cannot have written."""


def encode_request(request: Request) -> bytes:
    """Write what is asked of the child."""
    if isinstance(request, ReadRequest):
        return _message({}, request.file)
    character = request.character
    return _message(
        {
            "character_id": character.character_id,
            "slug": character.slug,
            "base_model": character.base_model,
            "rating": None if character.rating is None else character.rating.word,
            "fields": _fields_json(character.fields),
        },
        request.file,
    )


def decode_request(message: bytes) -> Request:
    """Read what is asked. Raises Garbled."""
    header, file = _parted(message)
    if not header:
        return ReadRequest(file)
    slug, base_model = header.get("slug"), header.get("base_model")
    character = ExportedCharacter(
        _fields(object_of(header, "fields")),
        _get(header, "character_id", str),
        slug if isinstance(slug, str) else None,
        base_model if isinstance(base_model, str) else None,
        parse_rating(header.get("rating")),
    )
    return ExportRequest(character, file)


def encode_answer(answer: Answer) -> bytes:
    """Write what the child found."""
    match answer:
        case CardReading():
            return _message(_reading_json(answer))
        case CardExport():
            header: JsonObject = {
                "container": answer.container.value,
                "rewritten": answer.rewritten,
                "with_original": answer.with_original,
                "prompt_seen": answer.prompt_seen,
            }
            return _message(header, answer.file)
        case CardFault():
            return _message(
                {_FAULT: answer.kind.value, "part": answer.part, "found": answer.found, "limit": answer.limit}
            )
        case ChildFailed():
            return _message({_FAILURE: answer.where})


def decode_answer(message: bytes) -> Answer:
    """Read what the child found. Raises Garbled."""
    header, file = _parted(message)
    try:
        if _FAILURE in header:
            return ChildFailed(_get(header, _FAILURE, str))
        if _FAULT in header:
            part, found, limit = header.get("part"), header.get("found"), header.get("limit")
            return CardFault(
                FaultKind(header[_FAULT]),
                part if isinstance(part, str) else None,
                found if isinstance(found, int) else None,
                limit if isinstance(limit, int) else None,
            )
        if "version" in header:
            return _reading(header)
        return CardExport(
            file,
            Container(header.get("container")),
            rewritten=_get(header, "rewritten", bool),
            with_original=_get(header, "with_original", bool),
            prompt_seen=_get(header, "prompt_seen", bool),
        )
    except ValueError:
        # An enumeration without such a value.
        raise Garbled from None


def _message(header: JsonObject, file: bytes = b"") -> bytes:
    return json.dumps(header).encode() + b"\n" + file


def _parted(message: bytes) -> tuple[JsonObject, bytes]:
    line, separator, file = message.partition(b"\n")
    try:
        header = cast("Json", json.loads(line))
    except ValueError:
        raise Garbled from None
    if not separator or not isinstance(header, dict):
        raise Garbled
    return header, file


def _get(data: JsonObject, key: str, kind: type[T]) -> T:
    value = data.get(key)
    if not isinstance(value, kind):
        raise Garbled
    return value


def _reading_json(reading: CardReading) -> JsonObject:
    mapping = reading.mapping
    return {
        "container": reading.container.value,
        "version": reading.version.value,
        "has_picture": reading.has_picture,
        "fields": _fields_json(mapping.fields),
        "folded": [part.value for part in mapping.folded],
        "lost": {loss.value: count for loss, count in mapping.lost},
        "rating_floor": int(mapping.rating_floor),
        "base_model": mapping.base_model,
    }


def _reading(header: JsonObject) -> CardReading:
    base_model = header.get("base_model")
    lost = object_of(header, "lost")
    return CardReading(
        Container(header.get("container")),
        CardVersion(header.get("version")),
        _get(header, "has_picture", bool),
        CardMapping(
            _fields(object_of(header, "fields")),
            tuple(Part(part) for part in list_of(header, "folded")),
            tuple((Loss(loss), _get(lost, loss, int)) for loss in lost),
            ContentRating(_get(header, "rating_floor", int)),
            base_model if isinstance(base_model, str) else None,
        ),
    )


def _fields_json(fields: CardFields) -> JsonObject:
    return {
        "name": fields.name,
        "summary": fields.summary,
        "description": fields.description,
        "system_prompt": fields.system_prompt,
        "first_message": fields.first_message,
        "tags": list(fields.tags),
    }


def _fields(data: JsonObject) -> CardFields:
    prompt = data.get("system_prompt")
    return CardFields(
        name=_get(data, "name", str),
        summary=_get(data, "summary", str),
        description=_get(data, "description", str),
        system_prompt=prompt if isinstance(prompt, str) else None,
        first_message=_get(data, "first_message", str),
        tags=tuple(tag for tag in list_of(data, "tags") if isinstance(tag, str)),
    )
