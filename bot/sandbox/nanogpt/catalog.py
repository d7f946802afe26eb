"""The catalogue: characters and their owners, who may see and use which, search, order and pages."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, Literal, TypedDict, Unpack
from uuid import NAMESPACE_URL, uuid5

from bot.sandbox.nanogpt.accounts import Account, Accounts
from bot.sandbox.nanogpt.wire import as_list, refusal

Visibility = Literal["private", "unlisted", "public"]
Sort = Literal["new", "top_rated", "trending_simple"]

APPROVED: Final = "approved"
RATINGS: Final = ("sfw", "suggestive", "nsfw", "explicit")
"""Content ratings from the mildest to the strongest (Characters page, content_rating_max)."""
SORTS: Final[tuple[Sort, ...]] = ("new", "top_rated", "trending_simple")
DEFAULT_SORT: Final[Sort] = "trending_simple"
"""What an absent sort means is documented nowhere; this stand-in takes the order a visitor would see."""
DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 50
"""Default and greatest page size of this stand-in; the Characters page names neither."""
DEFAULT_MODEL: Final = "deepseek-ai/DeepSeek-V3-0324"
FIRST_CREATED: Final = 1_760_000_000
"""Unix seconds given to characters that state no time of their own, one day apart."""
_DAY_SECONDS: Final = 86_400
RESERVED_SLUG: Final = "mine"
"""A route of its own, and so never a character's name."""
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCharacter:
    """A character with everything the catalogue knows of it."""

    slug: str
    name: str
    id: str = ""
    """Filled in by the catalogue, from the slug, when empty."""
    summary: str | None = None
    description: str | None = None
    base_model_id: str = DEFAULT_MODEL
    system_prompt: str = ""
    first_message: str | None = None
    visibility: Visibility = "public"
    moderation_status: str | None = APPROVED
    moderation_reason: str | None = None
    """Why a moderator turned it down; for its owner alone."""
    allow_api: bool = True
    content_rating: str | None = "sfw"
    """The catalogue's word; None as long as no moderator has looked at the character."""
    creator_content_rating: str | None = "sfw"
    tags: tuple[str, ...] = ()
    rating_avg: float | None = None
    """Stars from 1 to 5; None when unrated."""
    rating_count: int = 0
    owner: str | None = None
    """An account's id; None for NanoGPT's own."""
    avatar_url: str | None = None
    created: int = 0
    """Unix seconds; filled in by the catalogue when 0."""
    updated: int = 0
    """Unix seconds of the last edit; 0 when there was none."""
    trend: int = 0
    """How far up "trending_simple" puts it: more is higher."""
    archived: bool = False

    @property
    def listed(self) -> bool:
        """Whether the public list shows it: only approved public characters are returned."""
        return self.visibility == "public" and self.moderation_status == APPROVED and not self.archived


class CharacterChanges(TypedDict, total=False):
    """What may be changed of a character; each field as in SandboxCharacter."""

    name: str
    summary: str | None
    description: str | None
    base_model_id: str
    system_prompt: str
    first_message: str | None
    visibility: Visibility
    moderation_status: str | None
    moderation_reason: str | None
    allow_api: bool
    content_rating: str | None
    creator_content_rating: str | None
    tags: tuple[str, ...]
    rating_avg: float | None
    rating_count: int
    owner: str | None
    avatar_url: str | None
    updated: int
    trend: int
    archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSearch:
    """A question to the public list."""

    text: str = ""
    tags: tuple[str, ...] = ()
    """All of them must be on the character."""
    rating_max: str | None = None
    """None filters nothing: nobody says what an absent ceiling means, so the harshest reading is taken."""
    sort: Sort = DEFAULT_SORT
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """One page of the public list."""

    characters: tuple[SandboxCharacter, ...]
    next_cursor: str | None


class Catalog:
    """Characters and the accounts that own them, kept in memory."""

    def __init__(self) -> None:
        self.accounts = Accounts()
        self._characters: dict[str, SandboxCharacter] = {}

    def add_account(
        self, account_id: str, *, usd: float | None = None, nano: float | None = None, subscribed: bool | None = None
    ) -> Account:
        """Open an account, with a key that nobody can guess, or return the one there is; what is given is set."""
        return self.accounts.add(account_id, usd=usd, nano=nano, subscribed=subscribed)

    def revoke_key(self, account_id: str) -> None:
        """Make an account's keys invalid, as if its owner had deleted them on the website."""
        self.accounts.revoke(account_id)

    def add(self, character: SandboxCharacter) -> SandboxCharacter:
        """Put a character in; raises ValueError when its slug or id is taken."""
        filled = replace(
            character,
            id=character.id or str(uuid5(NAMESPACE_URL, f"sandbox-character:{character.slug}")),
            created=character.created or FIRST_CREATED + len(self._characters) * _DAY_SECONDS,
        )
        if self.find(filled.slug) is not None or self.find(filled.id) is not None:
            raise ValueError(f"The catalogue already has {filled.slug} or {filled.id}.")
        self._characters[filled.id] = filled
        return filled

    def update(self, id_or_slug: str, **changes: Unpack[CharacterChanges]) -> SandboxCharacter:
        """Change a character as its author, or a moderator, would; raises KeyError for an unknown one."""
        changed = replace(self.get(id_or_slug), **changes)
        self._characters[changed.id] = changed
        return changed

    def withdraw(self, id_or_slug: str) -> SandboxCharacter:
        """Archive a character, which is what DELETE does upstream; raises KeyError for an unknown one."""
        return self.update(id_or_slug, archived=True)

    def find(self, id_or_slug: str) -> SandboxCharacter | None:
        """Return a character whoever asks, or None."""
        if (by_id := self._characters.get(id_or_slug)) is not None:
            return by_id
        return next((character for character in self if character.slug == id_or_slug), None)

    def get(self, id_or_slug: str) -> SandboxCharacter:
        """Return a character whoever asks; raises KeyError for an unknown one."""
        if (character := self.find(id_or_slug)) is None:
            raise KeyError(id_or_slug)
        return character

    def __iter__(self) -> Iterator[SandboxCharacter]:
        return iter(self._characters.values())

    def __len__(self) -> int:
        return len(self._characters)

    def owned(self, account: Account) -> list[SandboxCharacter]:
        """Return what an account has made, archived ones included, the newest first."""
        own = [character for character in self if owned_by(character, account)]
        return sorted(own, key=lambda character: _order(character, "new"))

    def free_slug(self, name: str) -> str:
        """Return a slug for a new character that none has yet."""
        words = _NO_SLUG.sub("-", name.lower()).strip("-") or "character"
        candidates = (words if number == 1 else f"{words}-{number}" for number in count(1))
        return next(slug for slug in candidates if slug != RESERVED_SLUG and self.find(slug) is None)

    def page(self, search: CatalogSearch) -> CatalogPage:
        """Answer a search; raises RefusedError (400) for a cursor that this order never gave out."""
        matching = sorted(
            (character for character in self if character.listed and _matches(character, search)),
            key=lambda character: _order(character, search.sort),
        )
        return _cut_page(matching, search)

    def models(self, *, cursor: str | None, limit: int) -> CatalogPage:
        """List what anybody may use, oldest first; raises RefusedError (400) for a bad cursor."""
        usable = sorted(
            (character for character in self if usable_by_anyone(character)),
            key=lambda character: _order(character, "new"),
            reverse=True,
        )
        start = 0
        if cursor is not None:
            ids = [character.id for character in usable]
            if cursor not in ids:
                raise refusal(400, "cursor is not valid", code="invalid_parameter_value", param="cursor")
            start = ids.index(cursor) + 1
        shown = usable[start : start + limit]
        more = len(usable) > start + limit
        return CatalogPage(tuple(shown), shown[-1].id if more and shown else None)


def visible_to(character: SandboxCharacter, account: Account | None) -> bool:
    """Tell whether a person may read a character by its id or slug.

    Private: its owner alone. Unlisted: anybody. Public: anybody once approved, until then its owner
    (Characters page, visibility values). Archived ones are kept for their owner; for others the
    sandbox's variants decide, since nobody says what upstream does.
    """
    if owned_by(character, account):
        return True
    if character.archived or character.visibility == "private":
        return False
    if character.visibility == "unlisted":
        return character.moderation_status in (None, APPROVED)
    return character.moderation_status == APPROVED


def owned_by(character: SandboxCharacter, account: Account | None) -> bool:
    """Tell whether an account made a character."""
    return account is not None and character.owner == account.id


def usable_by_anyone(character: SandboxCharacter) -> bool:
    """Tell whether a non-owner may speak with it over the API (Characters page, Runtime Usage)."""
    return character.listed and character.allow_api


def _matches(character: SandboxCharacter, search: CatalogSearch) -> bool:
    if search.rating_max is not None and _rank(character) > RATINGS.index(search.rating_max):
        return False
    if not set(search.tags) <= set(character.tags):
        return False
    texts = [text.casefold() for text in (character.name, character.summary, character.description) if text]
    return all(any(word in text for text in texts) for word in search.text.casefold().split())


def _rank(character: SandboxCharacter) -> int:
    """Rank by the catalogue's word alone where there is one, so that a client must compare both itself."""
    word = character.content_rating or character.creator_content_rating
    return RATINGS.index(word) if word in RATINGS else len(RATINGS) - 1


_SortKey = tuple[float, int, str]


def _order(character: SandboxCharacter, sort: Sort) -> _SortKey:
    match sort:
        case "new":
            return (-character.created, 0, character.id)
        case "top_rated":
            return (-(character.rating_avg or 0.0), -character.rating_count, character.id)
        case "trending_simple":
            return (-character.trend, 0, character.id)


def _cut_page(ordered: list[SandboxCharacter], search: CatalogSearch) -> CatalogPage:
    if search.cursor is not None:
        after = _read_cursor(search.cursor, search.sort)
        ordered = [character for character in ordered if _order(character, search.sort) > after]
    shown = ordered[: search.limit]
    more = len(ordered) > search.limit
    return CatalogPage(tuple(shown), _write_cursor(shown[-1], search.sort) if more and shown else None)


def _write_cursor(last: SandboxCharacter, sort: Sort) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, *_order(last, sort)]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, sort: Sort) -> _SortKey:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = as_list(json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)))
    except (ValueError, binascii.Error):
        parts = None
    match parts:
        case [str(word), int() | float() as first, int(second), str(third)] if word == sort:
            return (float(first), second, third)
        case _:
            raise refusal(400, "cursor is not valid", code="invalid_parameter_value", param="cursor")
