"""The Characters endpoints: list, read, models, report."""

from typing import Final, cast

from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.catalog import (
    DEFAULT_SORT,
    RATINGS,
    SORTS,
    Catalog,
    CatalogPage,
    CatalogSearch,
    SandboxCharacter,
    Sort,
    owned_by,
    visible_to,
)
from bot.sandbox.nanogpt.queries import bad_body, known_query, limit, single, word
from bot.sandbox.nanogpt.recording import Record, RecordedCall, Report
from bot.sandbox.nanogpt.shapes import JsonObject, Shapes
from bot.sandbox.nanogpt.variants import ArchivedRead, Variants
from bot.sandbox.nanogpt.wire import Answer, RefusedError, refusal

_LIST_PARAMETERS: Final = frozenset({"q", "tags", "content_rating_max", "sort", "cursor", "limit"})
_MODELS_PARAMETERS: Final = frozenset({"detailed", "cursor", "limit"})


class Characters:
    """Answers the reads and reports of the catalogue."""

    def __init__(
        self, catalog: Catalog, record: Record, variants: Variants, shapes: Shapes, *, foreign: bool = False
    ) -> None:
        """With `foreign`, characters that are not known here are some other catalogue's."""
        self._catalog = catalog
        self._foreign = foreign
        self._record = record
        self._variants = variants
        self._shapes = shapes

    def list_page(self, call: RecordedCall) -> Answer:
        """GET /characters: approved public characters only, whoever asks."""
        query = known_query(call, _LIST_PARAMETERS, self._record)
        page = self._catalog.page(
            CatalogSearch(
                text=single(query, "q") or "",
                tags=query.get("tags", ()),
                rating_max=word(query, "content_rating_max", RATINGS),
                sort=cast("Sort", word(query, "sort", SORTS) or DEFAULT_SORT),
                cursor=single(query, "cursor"),
                limit=limit(query),
            )
        )
        return self._shapes.page([self._shapes.listed(character) for character in page.characters], page.next_cursor)

    def read(self, id_or_slug: str, account: Account | None) -> Answer:
        """GET /characters/{idOrSlug}: its owner also gets the system prompt."""
        character = self.readable(id_or_slug, account)
        own = owned_by(character, account)
        return self._shapes.single(self._shapes.own(character) if own else self._shapes.public(character))

    def models(self, call: RecordedCall) -> Answer:
        """GET /character-models: what anybody may use through the API, in the documented shape."""
        query = known_query(call, _MODELS_PARAMETERS, self._record)
        page = self._catalog.models(cursor=single(query, "cursor"), limit=limit(query))
        detailed = word(query, "detailed", ("true", "false")) == "true"
        return Answer.of(200, _models_body(page, detailed=detailed))

    def report(self, id_or_slug: str, call: RecordedCall, account: Account) -> Answer:
        """POST /characters/{idOrSlug}/report: a reason, and details if there are any."""
        slug = id_or_slug if self.is_foreign(id_or_slug) else self.readable(id_or_slug, account).slug
        fields = dict(call.fields)
        reason, details = fields.pop("reason", None), fields.pop("details", None)
        if not isinstance(reason, str) or not reason.strip():
            raise bad_body("reason", "must be a text that is not empty")
        if "details" in call.fields and not (isinstance(details, str) and details.strip()):
            raise bad_body("details", "must be a text that is not empty, or left out")
        for name in sorted(fields):
            self._record.complain(f"A report with the unknown field {name}.")
            raise bad_body(name, "is not a field of a report")
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

    def is_foreign(self, id_or_slug: str) -> bool:
        """Tell whether a character is another catalogue's, and taken as it is named."""
        return self._foreign and self._catalog.find(id_or_slug) is None

    def readable(self, id_or_slug: str, account: Account | None) -> SandboxCharacter:
        """Return a character that an account may read; raises RefusedError (404, or 410) for another."""
        character = self._catalog.find(id_or_slug)
        if character is None:
            raise not_found()
        if visible_to(character, account):
            return character
        if character.archived and character.visibility != "private":
            match self._variants.archived_read:
                case ArchivedRead.MARKED:
                    return character
                case ArchivedRead.GONE:
                    raise refusal(410, "Character was archived", kind="not_found_error")
                case ArchivedRead.NOT_FOUND:
                    raise not_found()
        raise not_found()


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


def not_found() -> RefusedError:
    """Make the refusal of a character that is not there, or not for the one who asks."""
    return refusal(404, "Character not found", kind="not_found_error")
