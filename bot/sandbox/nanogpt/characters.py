"""The Characters endpoints: list, read, models, report."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

from bot.sandbox.nanogpt.catalog import (
    DEFAULT_LIMIT,
    DEFAULT_SORT,
    MAX_LIMIT,
    RATINGS,
    SORTS,
    Account,
    Catalog,
    CatalogPage,
    CatalogSearch,
    SandboxCharacter,
    Sort,
    owned_by,
    visible_to,
)
from bot.sandbox.nanogpt.recording import Record, RecordedCall, Report
from bot.sandbox.nanogpt.variants import ArchivedRead, ListEnvelope, SingleEnvelope, Variants
from bot.sandbox.nanogpt.wire import Answer, RefusedError, refusal

JsonObject = dict[str, object]
Query = Mapping[str, tuple[str, ...]]

_LONG_FIELDS: Final = frozenset({"description", "first_message", "visibility", "moderation_status", "allow_api"})
_LIST_PARAMETERS: Final = frozenset({"q", "tags", "content_rating_max", "sort", "cursor", "limit"})
_MODELS_PARAMETERS: Final = frozenset({"detailed", "cursor", "limit"})


class Characters:
    """Answers the reads and reports of the catalogue."""

    def __init__(self, catalog: Catalog, record: Record, variants: Variants) -> None:
        self._catalog = catalog
        self._record = record
        self._variants = variants

    def list_page(self, call: RecordedCall) -> Answer:
        """GET /characters: approved public characters only, whoever asks."""
        query = self._known(call, _LIST_PARAMETERS)
        page = self._catalog.page(
            CatalogSearch(
                text=_single(query, "q") or "",
                tags=query.get("tags", ()),
                rating_max=_word(query, "content_rating_max", RATINGS),
                sort=cast("Sort", _word(query, "sort", SORTS) or DEFAULT_SORT),
                cursor=_single(query, "cursor"),
                limit=_limit(query),
            )
        )
        items = [self._listed(character) for character in page.characters]
        return Answer.of(200, _enveloped(self._variants.list_envelope, items, page.next_cursor))

    def read(self, id_or_slug: str, account: Account | None) -> Answer:
        """GET /characters/{idOrSlug}: its owner also gets the system prompt."""
        character = self._readable(id_or_slug, account)
        body = self._full(character)
        if owned_by(character, account):
            body["system_prompt"] = character.system_prompt
        match self._variants.single_envelope:
            case SingleEnvelope.BARE:
                return Answer.of(200, body)
            case SingleEnvelope.CHARACTER | SingleEnvelope.DATA as envelope:
                return Answer.of(200, {envelope.value: body})

    def models(self, call: RecordedCall) -> Answer:
        """GET /character-models: what anybody may use through the API, in the documented shape."""
        query = self._known(call, _MODELS_PARAMETERS)
        page = self._catalog.models(cursor=_single(query, "cursor"), limit=_limit(query))
        detailed = _word(query, "detailed", ("true", "false")) == "true"
        return Answer.of(200, _models_body(page, detailed=detailed))

    def report(self, id_or_slug: str, call: RecordedCall, account: Account, *, look_up: bool = True) -> Answer:
        """POST /characters/{idOrSlug}/report: a reason, and details if there are any.

        Without `look_up` the character is one of another catalogue, and taken as it is named.
        """
        slug = self._readable(id_or_slug, account).slug if look_up else id_or_slug
        fields = dict(call.fields)
        reason, details = fields.pop("reason", None), fields.pop("details", None)
        if not isinstance(reason, str) or not reason.strip():
            raise _bad_body("reason", "must be a text that is not empty")
        if "details" in call.fields and not (isinstance(details, str) and details.strip()):
            raise _bad_body("details", "must be a text that is not empty, or left out")
        for name in sorted(fields):
            self._record.complain(f"A report with the unknown field {name}.")
            raise _bad_body(name, "is not a field of a report")
        made = Report(
            character=slug,
            account=account.id,
            reason=reason,
            details=details if isinstance(details, str) else None,
        )
        known = any(old.character == made.character and old.account == made.account for old in self._record.reports)
        if known and self._variants.refuse_second_report:
            raise refusal(409, "already reported")
        self._record.reports.append(made)
        return Answer(204) if self._variants.empty_report_answer else Answer.of(201, {"ok": True})

    def _readable(self, id_or_slug: str, account: Account | None) -> SandboxCharacter:
        character = self._catalog.find(id_or_slug)
        if character is None:
            raise _not_found()
        if visible_to(character, account):
            return character
        if character.archived and character.visibility != "private":
            match self._variants.archived_read:
                case ArchivedRead.MARKED:
                    return character
                case ArchivedRead.GONE:
                    raise refusal(410, "Character was archived", kind="not_found_error")
                case ArchivedRead.NOT_FOUND:
                    raise _not_found()
        raise _not_found()

    def _known(self, call: RecordedCall, parameters: frozenset[str]) -> Query:
        for name in sorted(call.query.keys() - parameters):
            self._record.complain(f"{call.method} {call.path} with the unknown parameter {name}.")
            raise _bad_parameter(name, "is not a parameter here")
        return call.query

    def _listed(self, character: SandboxCharacter) -> JsonObject:
        body = self._full(character)
        if self._variants.short_list_items:
            return {key: value for key, value in body.items() if _snake(key) not in _LONG_FIELDS}
        return body

    def _full(self, character: SandboxCharacter) -> JsonObject:
        average = character.rating_avg
        body: JsonObject = {
            "id": character.id,
            "slug": character.slug,
            "name": character.name,
            "summary": character.summary,
            "description": character.description,
            "base_model_id": character.base_model_id,
            "first_message": character.first_message,
            "visibility": character.visibility,
            "moderation_status": character.moderation_status,
            "allow_api": character.allow_api,
            "creator_content_rating": character.creator_content_rating,
            "content_rating": character.content_rating,
            "tags": [self._tag(tag) for tag in character.tags],
            "rating_avg": str(average) if average is not None and self._variants.text_averages else average,
            "rating_count": character.rating_count,
            "created_at": _time(character.created),
        }
        if character.avatar_url is not None:
            body["avatar_url"] = character.avatar_url
        if character.archived:
            body["archived_at"] = _time(character.created)
        return {_camel(key): value for key, value in body.items()} if self._variants.camel_case else body

    def _tag(self, tag: str) -> str | JsonObject:
        return {"slug": tag, "name": tag.replace("-", " ").title()} if self._variants.tag_objects else tag


def _models_body(page: CatalogPage, *, detailed: bool) -> JsonObject:
    data: list[JsonObject] = []
    for character in page.characters:
        members: JsonObject = {"character_id": character.id}
        if detailed:
            members |= {
                "slug": character.slug,
                "base_model_id": character.base_model_id,
                "content_rating": character.content_rating,
                "tags": list(character.tags),
                "rating_avg": character.rating_avg,
                "rating_count": character.rating_count,
            }
        data.append(
            {
                "id": character.id,
                "object": "model",
                "created": character.created,
                "owned_by": "nanogpt",
                "character": members,
            }
        )
    return {"object": "list", "data": data, "next_cursor": page.next_cursor}


def _enveloped(envelope: ListEnvelope, items: list[JsonObject], cursor: str | None) -> object:
    match envelope:
        case ListEnvelope.DATA:
            return {"object": "list", "data": items, "next_cursor": cursor}
        case ListEnvelope.CHARACTERS:
            return {"characters": items, "nextCursor": cursor}
        case ListEnvelope.ARRAY:
            return items
        case ListEnvelope.NESTED:
            return {"data": {"items": items, "cursor": cursor, "has_more": cursor is not None}}
        case ListEnvelope.PAGINATION:
            return {"items": items, "pagination": {"cursor": cursor}}


def _single(query: Query, name: str) -> str | None:
    values = query.get(name, ())
    if len(values) > 1:
        raise _bad_parameter(name, "is given more than once")
    return values[0] if values else None


def _word(query: Query, name: str, words: tuple[str, ...]) -> str | None:
    value = _single(query, name)
    if value is not None and value not in words:
        raise _bad_parameter(name, f"must be one of {', '.join(words)}")
    return value


def _limit(query: Query) -> int:
    value = _single(query, "limit")
    if value is None:
        return DEFAULT_LIMIT
    if not value.isdecimal() or int(value) < 1:
        raise _bad_parameter("limit", "must be a number from 1 up")
    return min(int(value), MAX_LIMIT)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.title() for word in others)


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _not_found() -> RefusedError:
    return refusal(404, "Character not found", kind="not_found_error")


def _bad_parameter(name: str, rule: str) -> RefusedError:
    return refusal(400, f"{name} {rule}", code="invalid_parameter_value", param=name)


def _bad_body(name: str, rule: str) -> RefusedError:
    return refusal(400, f"{name} {rule}", param=name)
