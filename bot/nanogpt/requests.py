"""What is asked of NanoGPT, and with whose key."""

from dataclasses import dataclass
from typing import Final, final
from urllib.parse import quote

from bot.domain.authoring import CharacterChanges, CharacterFields
from bot.domain.characters import RESERVED_SLUGS
from bot.domain.conversation import InputItem
from bot.domain.ids import CharacterId, PayerId
from bot.domain.ratings import ContentRating
from bot.domain.search import Sort
from bot.nanogpt.errors import Fault, NotFoundError
from bot.nanogpt.jsonvalue import Json, whole_text

SMALLEST_OUTPUT_TOKENS: Final = 16
"""Below this upstream answers 400 (docs, Responses API, max_output_tokens)."""
LONGEST_CLIENT_NAME: Final = 64
"""Characters of the name that a device login is made under (docs, CLI login)."""
LONGEST_SEARCH: Final = 200
"""Characters of a search that are sent; upstream names no limit."""
_DOTS: Final = frozenset({".", ".."})
"""Path segments that an address may not have as a name: they mean a folder."""


class UnusableKeyError(ValueError):
    """A text that cannot be an API key: empty, or with characters that no header can carry."""


def usable_secret(text: str) -> str:
    """Return a key as a header can carry it, less the white space around it; raises UnusableKeyError."""
    secret = text.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise UnusableKeyError("an API key is one word of plain characters")
    return secret


@final
class ApiKey:
    """An API key and the name of who pays with it. Only `reveal` shows the key."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: str, payer: PayerId) -> None:
        """Take a key as it was pasted, less the white space around it.

        Raises UnusableKeyError, which does not quote it. Its form is not checked any further: both `sk-nano-…` and
        bare UUIDs are in use (docs, authentication).
        """
        self._secret = usable_secret(secret)
        self.id = payer

    def reveal(self) -> str:
        """Return the key itself, for a request header or the vault and nothing else."""
        return self._secret

    def __repr__(self) -> str:
        return f"<ApiKey of {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and (self.id, self._secret) == (other.id, other._secret)

    def __hash__(self) -> int:
        return hash((self.id, self._secret))


def creation_body(fields: CharacterFields) -> dict[str, Json]:
    """Return a new character as JSON: everything but a first message that is none (docs, Create Character)."""
    body: dict[str, Json] = {
        "name": fields.name,
        "summary": fields.summary,
        "description": fields.description,
        "base_model_id": fields.base_model,
        "system_prompt": fields.system_prompt,
        "visibility": fields.visibility.value,
        "allow_api": fields.allow_api,
        "creator_content_rating": fields.creator_rating.word,
        "tags": [*fields.tags],
    }
    if fields.first_message:
        body["first_message"] = fields.first_message
    return body


def changes_body(changes: CharacterChanges) -> dict[str, Json]:
    """Return what is to change as JSON, and nothing else: an edit sends a public character back to moderation."""
    stated: dict[str, Json] = {
        "name": changes.name,
        "summary": changes.summary,
        "description": changes.description,
        "base_model_id": changes.base_model,
        "system_prompt": changes.system_prompt,
        "first_message": changes.first_message,
        "visibility": changes.visibility and changes.visibility.value,
        "allow_api": changes.allow_api,
        "creator_content_rating": None if changes.creator_rating is None else changes.creator_rating.word,
        "tags": None if changes.tags is None else [*changes.tags],
    }
    return {name: value for name, value in stated.items() if value is not None}


def review_body(rating: int, text: str | None) -> dict[str, Json]:
    """Return a review as JSON; without a text there is no field for one, as an empty one is too short."""
    body: dict[str, Json] = {"rating": rating}
    if text:
        body["review_text"] = text
    return body


def character_url(base: str, id_or_slug: str) -> str:
    """Return the address of one character below the address of the API.

    Raises NotFoundError for names that are no character's, such as `mine`.
    """
    name = id_or_slug.strip()
    if not name or name in _DOTS or name.lower() in RESERVED_SLUGS:
        raise NotFoundError(Fault(code="no_such_name", unsent=True))
    return f"{base}/characters/{quote(whole_text(name), safe='')}"


@dataclass(frozen=True, slots=True)
class CatalogQuery:
    """One page of the catalogue. The ceiling has no default: what upstream does without one is not documented."""

    rating_max: ContentRating
    text: str = ""
    tags: tuple[str, ...] = ()
    """Slugs; whether several mean all of them or any of them is not documented."""
    sort: Sort = Sort.TRENDING
    cursor: str | None = None
    limit: int = 25
    """Upstream may send fewer, or more."""

    def parameters(self) -> list[tuple[str, str]]:
        """Return the query of the request, tags repeated."""
        parameters = [
            ("content_rating_max", self.rating_max.word),
            ("sort", self.sort.value),
            ("limit", str(self.limit)),
        ]
        text = self.text.strip()[:LONGEST_SEARCH]
        if text:
            parameters.append(("q", text))
        parameters += [("tags", tag) for tag in self.tags]
        if self.cursor is not None:
            parameters.append(("cursor", self.cursor))
        return parameters


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """One reply of a character."""

    character_id: CharacterId
    input: tuple[InputItem, ...]
    base_model: str | None = None
    """The character's model: sent only to a server that has said it wants one beside the character."""
    max_output_tokens: int | None = None

    def body(self, *, stream: bool, with_model: bool) -> dict[str, Json]:
        """Return the request's JSON.

        `store` is always said, as its default is documented both ways; `instructions` never, as they would
        replace the persona.
        """
        body: dict[str, Json] = {
            "character_id": self.character_id,
            "input": [{"type": "message", "role": item.role, "content": item.text} for item in self.input],
            "store": False,
            "stream": stream,
        }
        if with_model and self.base_model is not None:
            body["model"] = self.base_model
        if self.max_output_tokens is not None:
            body["max_output_tokens"] = max(SMALLEST_OUTPUT_TOKENS, self.max_output_tokens)
        return body
