"""What an author does to characters: makes, lists, changes and archives them, by the rules of the Characters page."""

import re
from collections.abc import Callable
from typing import Final, cast

from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.catalog import (
    RATINGS,
    Catalog,
    CharacterChanges,
    SandboxCharacter,
    Visibility,
    owned_by,
)
from bot.sandbox.nanogpt.characters import not_found
from bot.sandbox.nanogpt.language_models import MODEL_IDS
from bot.sandbox.nanogpt.queries import bad_body, bad_parameter, known_query, limit, single
from bot.sandbox.nanogpt.recording import Record, RecordedCall
from bot.sandbox.nanogpt.shapes import JsonObject, Shapes
from bot.sandbox.nanogpt.variants import ListEnvelope, Variants, WriteAnswer
from bot.sandbox.nanogpt.wire import Answer, as_list, as_object, refusal

PENDING: Final = "pending"
_VISIBILITIES: Final = ("private", "unlisted", "public")
_MINE_PARAMETERS: Final = frozenset({"cursor", "limit"})
"""No page names any; a page size and a cursor are what a list has."""
_REQUIRED: Final = ("name", "base_model_id", "system_prompt")
"""No page says which fields are; without these there is no character."""
_MOST_TAGS: Final = 20
"""This stand-in's own limit; the Characters page names none."""
_TAG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Authoring:
    """Answers the writes of authors, and the list of what is one's own."""

    def __init__(
        self, catalog: Catalog, record: Record, variants: Variants, shapes: Shapes, *, now: Callable[[], float]
    ) -> None:
        """`now` is Unix seconds."""
        self._catalog = catalog
        self._record = record
        self._variants = variants
        self._shapes = shapes
        self._now = now

    def create(self, call: RecordedCall, account: Account) -> Answer:
        """POST /characters: a public one waits for a moderator."""
        changes = self._read(call)
        for name in _REQUIRED:
            if not changes.get(name):
                raise bad_body(name, "is required")
        visibility = changes.get("visibility", "private")
        made = self._catalog.add(
            SandboxCharacter(
                slug=self._catalog.free_slug(changes.get("name", "")),
                name=changes.get("name", ""),
                visibility=visibility,
                moderation_status=PENDING if visibility == "public" else None,
                allow_api=changes.get("allow_api", False),
                content_rating=None,
                creator_content_rating=changes.get("creator_content_rating"),
                owner=account.id,
                created=int(self._now()),
            )
        )
        return self._written(self._catalog.update(made.id, **changes), 201)

    def mine(self, call: RecordedCall, account: Account) -> Answer:
        """GET /characters/mine: the newest first."""
        query = known_query(call, _MINE_PARAMETERS, self._record)
        cursor, size = single(query, "cursor"), limit(query)
        own = self._catalog.owned(account)
        if not self._variants.mine_with_archived:
            own = [character for character in own if not character.archived]
        ids = [character.id for character in own]
        if cursor is not None and cursor not in ids:
            raise bad_parameter("cursor", "is not valid")
        if self._variants.list_envelope is ListEnvelope.ARRAY:
            return self._shapes.page([self._shapes.own(character) for character in own], None)
        start = 0 if cursor is None else ids.index(cursor) + 1
        shown = own[start : start + size]
        more = len(own) > start + size
        return self._shapes.page(
            [self._shapes.own(character) for character in shown], shown[-1].id if more and shown else None
        )

    def change(self, id_or_slug: str, call: RecordedCall, account: Account) -> Answer:
        """PATCH /characters/{idOrSlug}: whatever becomes of a public one, a moderator looks at it again."""
        character = self._writable(id_or_slug, account)
        changes = self._read(call)
        if not changes:
            raise refusal(400, "There is nothing to change")
        visibility = changes.get("visibility", character.visibility)
        changed = self._catalog.update(character.id, **changes)
        changed = self._catalog.update(
            character.id,
            moderation_status=PENDING if visibility == "public" else None,
            moderation_reason=None,
            updated=int(self._now()),
        )
        return self._written(changed, 200)

    def archive(self, id_or_slug: str, account: Account) -> Answer:
        """DELETE /characters/{idOrSlug}: archives; an archived one is not found."""
        character = self._writable(id_or_slug, account)
        self._catalog.update(character.id, archived=True, updated=int(self._now()))
        if self._variants.write_answer is WriteAnswer.CHARACTER:
            return Answer.of(200, {"id": character.id, "archived": True})
        return bare_answer(self._variants.write_answer, 200)

    def _writable(self, id_or_slug: str, account: Account) -> SandboxCharacter:
        character = self._catalog.find(id_or_slug)
        if character is None or character.archived:
            raise not_found()
        if owned_by(character, account):
            return character
        if character.listed:
            raise refusal(403, "Only its owner may change a character", kind="permission_denied_error")
        raise not_found()

    def _written(self, character: SandboxCharacter, status: int) -> Answer:
        if self._variants.write_answer is WriteAnswer.CHARACTER:
            return self._shapes.single(self._shapes.own(character), status)
        return bare_answer(self._variants.write_answer, status)

    def _read(self, call: RecordedCall) -> CharacterChanges:
        fields = as_object(call.body)
        if fields is None:
            raise refusal(400, "The body is not a JSON object", code="invalid_json")
        changes: JsonObject = {}
        for name, value in fields.items():
            read = _FIELDS.get(name)
            if read is None:
                self._record.complain(f"{call.method} {call.path} with the unknown field {name}.")
                raise bad_body(name, "is not a field of a character")
            changes[name] = read(name, value)
        return cast("CharacterChanges", changes)


def bare_answer(kind: WriteAnswer, status: int) -> Answer:
    """Make a good answer to a write that shows nothing of what was written."""
    match kind:
        case WriteAnswer.EMPTY:
            return Answer(204)
        case WriteAnswer.TEXT:
            return Answer(status, b"Done.", "text/plain")
        case _:
            return Answer.of(status, {"ok": True})


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise bad_body(name, "must be a text")
    return value


def _needed_text(name: str, value: object) -> str:
    if not _text(name, value).strip():
        raise bad_body(name, "must not be empty")
    return _text(name, value)


def _optional_text(name: str, value: object) -> str | None:
    return _text(name, value) or None


def _model(name: str, value: object) -> str:
    if _text(name, value) not in MODEL_IDS:
        raise bad_body(name, "is not a model of the list")
    return _text(name, value)


def _visibility(name: str, value: object) -> Visibility:
    return cast("Visibility", _one_of(name, value, _VISIBILITIES))


def _rating(name: str, value: object) -> str:
    return _one_of(name, value, RATINGS)


def _one_of(name: str, value: object, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise bad_body(name, f"must be one of {', '.join(words)}")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise bad_body(name, "must be true or false")
    return value


def _tags(name: str, value: object) -> tuple[str, ...]:
    tags = as_list(value)
    if tags is None or len(tags) > _MOST_TAGS:
        raise bad_body(name, f"must be a list of at most {_MOST_TAGS}")
    return tuple(_tag(name, tag) for tag in tags)


def _tag(name: str, value: object) -> str:
    if not isinstance(value, str) or not _TAG.fullmatch(value):
        raise bad_body(name, "must be slugs")
    return value


_FIELDS: Final[dict[str, Callable[[str, object], object]]] = {
    "name": _needed_text,
    "summary": _optional_text,
    "description": _optional_text,
    "base_model_id": _model,
    "system_prompt": _needed_text,
    "first_message": _optional_text,
    "visibility": _visibility,
    "allow_api": _flag,
    "creator_content_rating": _rating,
    "tags": _tags,
}
"""The core fields (Characters page, Create Character), each with what reads it."""
