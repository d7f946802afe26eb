"""How characters and lists of them look on the wire, in the variants that are in force."""

from datetime import UTC, datetime
from typing import Final

from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.variants import ListEnvelope, SingleEnvelope, Variants
from bot.sandbox.nanogpt.wire import Answer

JsonObject = dict[str, object]

_LONG_FIELDS: Final = frozenset({"description", "first_message", "visibility", "moderation_status", "allow_api"})


class Shapes:
    """Dresses characters for their answers."""

    def __init__(self, variants: Variants) -> None:
        self._variants = variants

    def public(self, character: SandboxCharacter) -> JsonObject:
        """Return what everybody sees of a character."""
        return self._cased(self._fields(character))

    def listed(self, character: SandboxCharacter) -> JsonObject:
        """Return an item of the public list."""
        body = self._fields(character)
        if self._variants.short_list_items:
            body = {key: value for key, value in body.items() if key not in _LONG_FIELDS}
        return self._cased(body)

    def own(self, character: SandboxCharacter) -> JsonObject:
        """Return what its owner sees of a character."""
        body = self._fields(character)
        if self._variants.owner_prompt:
            body["system_prompt"] = character.system_prompt
        if character.moderation_reason is not None:
            body["moderation_reason"] = character.moderation_reason
        if self._variants.private_without_slug and character.visibility == "private":
            body["slug"] = None
        body["updated_at"] = written_time(character.updated or character.created)
        return self._cased(body)

    def single(self, body: JsonObject, status: int = 200) -> Answer:
        """Answer with one character."""
        match self._variants.single_envelope:
            case SingleEnvelope.BARE:
                return Answer.of(status, body)
            case SingleEnvelope.CHARACTER | SingleEnvelope.DATA as envelope:
                return Answer.of(status, {envelope.value: body})

    def page(self, items: list[JsonObject], cursor: str | None) -> Answer:
        """Answer with a page of a list."""
        match self._variants.list_envelope:
            case ListEnvelope.DATA:
                return Answer.of(200, {"object": "list", "data": items, "next_cursor": cursor})
            case ListEnvelope.CHARACTERS:
                return Answer.of(200, {"characters": items, "nextCursor": cursor})
            case ListEnvelope.ARRAY:
                return Answer.of(200, items)
            case ListEnvelope.NESTED:
                return Answer.of(200, {"data": {"items": items, "cursor": cursor, "has_more": cursor is not None}})
            case ListEnvelope.PAGINATION:
                return Answer.of(200, {"items": items, "pagination": {"cursor": cursor}})

    def _fields(self, character: SandboxCharacter) -> JsonObject:
        average = None if character.rating_avg is None else round(character.rating_avg, 2)
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
            "created_at": written_time(character.created),
        }
        if character.avatar_url is not None:
            body["avatar_url"] = character.avatar_url
        if character.archived:
            body["archived_at"] = written_time(character.updated or character.created)
        return body

    def _tag(self, tag: str) -> str | JsonObject:
        return {"slug": tag, "name": tag.replace("-", " ").title()} if self._variants.tag_objects else tag

    def _cased(self, body: JsonObject) -> JsonObject:
        return {_camel(key): value for key, value in body.items()} if self._variants.camel_case else body


def written_time(seconds: int) -> str:
    """Write Unix seconds as a date in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.title() for word in others)
