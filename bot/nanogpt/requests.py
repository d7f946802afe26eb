"""What is asked of NanoGPT, and with whose key."""

from dataclasses import dataclass
from typing import Final, final

from bot.domain.conversation import InputItem
from bot.domain.ids import CharacterId, PayerId
from bot.domain.ratings import ContentRating
from bot.domain.search import Sort
from bot.nanogpt.jsonvalue import Json

SMALLEST_OUTPUT_TOKENS: Final = 16
"""Below this upstream answers 400 (docs, Responses API, max_output_tokens)."""
LONGEST_SEARCH: Final = 200
"""Characters of a search that are sent; upstream names no limit."""


class UnusableKeyError(ValueError):
    """A text that cannot be an API key: empty, or with characters that no header can carry."""


@final
class ApiKey:
    """An API key and the name of who pays with it. Only `reveal` shows the key."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: str, payer: PayerId) -> None:
        """Take a key as it was pasted, less the white space around it.

        Raises UnusableKeyError, which does not quote it. Its form is not checked any further: both `sk-nano-…` and
        bare UUIDs are in use (docs, authentication).
        """
        secret = secret.strip()
        if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
            raise UnusableKeyError("an API key is one word of plain characters")
        self._secret = secret
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
