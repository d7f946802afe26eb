"""Characters as cards: what an embed shows, within Discord's limits whatever the catalogue holds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.domain.characters import Character
from bot.domain.macros import expand_greeting
from bot.domain.preview import preview_text
from bot.domain.quoting import quoted
from bot.domain.ratings import ContentRating
from bot.domain.safety import safe_text
from bot.domain.search import SearchQuery, Sort
from bot.domain.unicode_text import is_blank, one_line, truncate, utf16_length

MAX_TITLE: Final = 256
MAX_DESCRIPTION: Final = 4096
MAX_FIELD_NAME: Final = 256
MAX_FIELD_VALUE: Final = 1024
MAX_FOOTER: Final = 2048
MAX_TOTAL: Final = 6000
"""Characters of an embed's parts, and of all embeds of a message together
(https://discord.com/developers/docs/resources/message#embed-object-embed-limits)."""
MAX_LABEL: Final = 100
"""Characters of a select option's label and description."""

_NAME: Final = 100
_SUMMARY: Final = 300
_SHORT_SUMMARY: Final = 180
_DESCRIPTION: Final = 900
_GREETING: Final = 600
_TAG: Final = 30
_TAGS: Final = 12
_SHORT_TAGS: Final = 4
_WORD: Final = 60
_READ: Final = 8_000
"""Characters of a long text that are looked at."""

_NAMELESS: Final = "Nameless"
_LINK: Final = re.compile(r":(?=//)|(?<=<)(?=[a-z]{3,6}:)", re.IGNORECASE)
_BREAK: Final = "\u200b"
_SORT_WORDS: Final = {Sort.TRENDING: "trending", Sort.TOP_RATED: "top rated", Sort.NEW: "newest"}


@dataclass(frozen=True, slots=True)
class Field:
    """A named part of a card."""

    name: str
    value: str
    inline: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """What an embed shows. Title, description and fields are safe as Discord markdown, the footer is plain."""

    title: str
    description: str | None = None
    fields: tuple[Field, ...] = ()
    footer: str | None = None
    picture: str | None = None

    @property
    def size(self) -> int:
        """How much of the 6,000 it takes, in UTF-16 units."""
        texts = [self.title, self.description or "", self.footer or ""]
        texts += [text for field in self.fields for text in (field.name, field.value)]
        return sum(map(utf16_length, texts))


def profile_card(character: Character, *, viewer: str, server_average: float | None) -> Card:
    """Return all there is to see of a character; `viewer` is whom its greeting greets.

    Nothing in it can be clicked, and nothing in it mentions anybody.
    """
    about = [quoted(character.summary or "", _SUMMARY)]
    if character.description and one_line(character.description) != one_line(character.summary or ""):
        about.append(_passage(character.description, _DESCRIPTION))
    fields = [Field("Content rating", character.rating.word), Field("Stars", _stars(character, server_average))]
    if model := quoted(character.base_model or "", _WORD):
        fields.append(Field("Model", model))
    if tags := _tags(character.tags, _TAGS):
        fields.append(Field("Tags", " · ".join(quoted(tag, _TAG) for tag in tags), inline=False))
    greeting = expand_greeting(
        (character.first_message or "")[:_READ], char=one_line(character.name), user=one_line(viewer)
    )
    if greeting := _passage(greeting, _GREETING):
        fields.append(Field("First words", greeting, inline=False))
    creator = truncate(one_line(character.creator or ""), _WORD)
    return Card(
        quoted(character.name, _NAME) or _NAMELESS,
        "\n\n".join(filter(None, about)) or None,
        tuple(fields),
        f"by {creator}" if creator else None,
        character.avatar_url,
    )


def result_card(character: Character) -> Card:
    """Return what a search shows of a character; five of them fit into a message."""
    facts = [character.rating.word]
    if character.stars_count:
        facts.append(_catalogue_stars(character))
    facts += [", ".join(truncate(one_line(tag), _TAG) for tag in _tags(character.tags, _SHORT_TAGS))]
    return Card(
        quoted(character.name, _NAME) or _NAMELESS,
        quoted(character.summary or character.description or "", _SHORT_SUMMARY) or None,
        footer=" · ".join(filter(None, facts)),
        picture=character.avatar_url,
    )


def option_texts(character: Character) -> tuple[str, str | None]:
    """Return label and description of a character in a select."""
    summary = truncate(one_line((character.summary or "")[:_READ]), MAX_LABEL)
    return truncate(one_line(character.name[:_READ]), MAX_LABEL) or _NAMELESS, summary or None


def search_title(query: SearchQuery, number: int, *, rating_max: ContentRating, found: bool, more: bool) -> str:
    """Return the line over a page of results, or in place of one that is empty."""
    wanted = [f"“{quoted(query.text)}”"] if query.text else []
    wanted += [f"tag {quoted(tag, _TAG)}" for tag in query.tags[:_SHORT_TAGS]]
    scope = f"{' · '.join([*wanted, _SORT_WORDS[query.sort]])} · up to {rating_max.word}"
    if found:
        return f"**Characters** · {scope} · page {number}"
    if more:
        return f"Nothing here so far that this channel may show ({scope}). Press ▶ to look further."
    if number > 1:
        return f"Nothing more that this channel may show ({scope}). Press ◀ to go back."
    return f"Nothing found ({scope}). Try fewer or other words, or leave out the tag."


def _stars(character: Character, server_average: float | None) -> str:
    """Return the catalogue's average, and beside it that of the server where it may be shown."""
    stars = "Nobody has rated it in the catalogue yet"
    if character.stars_count:
        stars = f"{_catalogue_stars(character)} in the catalogue"
    return stars if server_average is None else f"{stars}\n★ {server_average:.1f} on this server"


def _catalogue_stars(character: Character) -> str:
    average = "" if character.stars_average is None else f"{max(0.0, min(5.0, character.stars_average)):.1f} "
    return f"★ {average}({min(character.stars_count or 0, 999_999_999):,})"


def _tags(tags: Iterable[str], most: int) -> list[str]:
    shown = [tag for tag in tags if one_line(tag[:_READ])]
    return shown[:most] + ([f"+{len(shown) - most}"] if len(shown) > most else [])


def _passage(text: str, longest: int) -> str:
    """Return the beginning of a longer text with its emphasis, and with nothing that can be clicked."""
    text = _LINK.sub(lambda match: match[0] + _BREAK, safe_text(text[:_READ].strip())).strip()
    if utf16_length(text) > longest:
        text = f"{preview_text(text, longest - 2)} …"
    return "" if is_blank(text) else text
