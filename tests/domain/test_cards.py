from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.cards import (
    MAX_DESCRIPTION,
    MAX_FIELD_NAME,
    MAX_FIELD_VALUE,
    MAX_FOOTER,
    MAX_LABEL,
    MAX_TITLE,
    MAX_TOTAL,
    Card,
    option_texts,
    profile_card,
    result_card,
    search_title,
)
from bot.domain.characters import Character
from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating
from bot.domain.search import SearchQuery, Sort
from bot.domain.unicode_text import is_blank, utf16_length

GUIDE = Character(
    CharacterId("guide"),
    "Helpful Guide",
    slug="helpful-guide",
    summary="A concise assistant for technical writing",
    description="Helps plan, edit, and tighten technical docs.",
    base_model="deepseek-ai/DeepSeek-V3-0324",
    first_message="Hello {{user}}, what are we editing today?",
    catalogue_rating=ContentRating.SFW,
    tags=("writing", "productivity"),
    stars_average=4.8,
    stars_count=12,
    avatar_url="https://example.com/guide.png",
    creator="Ada",
)

wild = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="*_~|`<>@[]()\\\n#-/:.{} ad\U0001f469\u200d\u0301\u202e", max_size=400),
    st.sampled_from(
        [
            "x" * 10_000,
            "*" * 5_000,
            "`" * 5_000,
            "```\n" * 900,
            "\U0001f469\u200d" * 3_000,
            "\u0301" * 9_000,
            "@everyone <@123456789012345678> [safe](https://evil.example)",
            "\u200b" * 500,
            "\n" * 9_000,
        ]
    ),
)
numbers = st.one_of(st.none(), st.floats(allow_nan=False), st.floats(0, 5))
characters = st.builds(
    Character,
    st.just(CharacterId("x")),
    name=wild,
    slug=st.none() | wild,
    summary=st.none() | wild,
    description=st.none() | wild,
    base_model=st.none() | wild,
    first_message=st.none() | wild,
    catalogue_rating=st.none() | st.sampled_from(ContentRating),
    creator_rating=st.none() | st.sampled_from(ContentRating),
    tags=st.one_of(st.lists(wild, max_size=4), st.just(["tag " * 100] * 500), st.just(["\u200b"] * 500)).map(tuple),
    stars_average=numbers,
    stars_count=st.none() | st.integers(-1, 2**70),
    creator=st.none() | wild,
)


def check(card: Card) -> None:
    assert 1 <= utf16_length(card.title) <= MAX_TITLE
    assert not is_blank(card.title)
    assert card.description is None or 1 <= utf16_length(card.description) <= MAX_DESCRIPTION
    assert card.description is None or not is_blank(card.description)
    assert card.footer is None or 1 <= utf16_length(card.footer) <= MAX_FOOTER
    assert len(card.fields) <= 25
    for field in card.fields:
        assert 1 <= utf16_length(field.name) <= MAX_FIELD_NAME
        assert 1 <= utf16_length(field.value) <= MAX_FIELD_VALUE
        assert not is_blank(field.value)


@settings(max_examples=50)
@given(characters, wild, numbers.filter(lambda number: number is None or 0 <= number <= 5))
def test_discord_takes_whatever_the_catalogue_holds(character: Character, viewer: str, average: float | None) -> None:
    profile = profile_card(character, viewer=viewer, server_average=average)
    result = result_card(character)
    check(profile)
    check(result)
    assert profile.size <= MAX_TOTAL
    assert 5 * result.size <= MAX_TOTAL
    label, description = option_texts(character)
    assert 1 <= utf16_length(label) <= MAX_LABEL
    assert description is None or 1 <= utf16_length(description) <= MAX_LABEL


def shown(card: Card) -> str:
    return "\n".join([card.title, card.description or "", *(field.value for field in card.fields)])


@settings(max_examples=50)
@given(characters, wild)
def test_nothing_on_a_card_can_be_clicked_or_mentions_anybody(character: Character, viewer: str) -> None:
    for card in (profile_card(character, viewer=viewer, server_average=None), result_card(character)):
        text = shown(card)
        assert "://" not in text.replace(r"\://", "")
        assert "<@123456789012345678>" not in text
        assert "@everyone" not in text.replace(r"\@everyone", "")


@pytest.mark.parametrize(
    "trap",
    [
        "[click me](https://evil.example/x)",
        "https://evil.example",
        "<https://evil.example>",
        "<mailto:someone@evil.example>",
        "HTTPS://EVIL.EXAMPLE",
        "discord.gg/evil",
    ],
)
def test_no_address_stays_a_link(trap: str) -> None:
    character = replace(GUIDE, name=trap, summary=trap, description=f"See {trap}", first_message=trap, tags=(trap,))
    text = shown(profile_card(character, viewer=trap, server_average=None)).lower()
    assert "https://" not in text.replace(r"https\:", "")
    assert "<mailto" not in text.replace(r"\<mailto", "")
    assert "](" not in text.replace(r"\](", "")
    assert "See discord.gg" not in text


def test_a_profile_shows_what_helps_to_choose() -> None:
    card = profile_card(GUIDE, viewer="Bob", server_average=4.25)
    assert card.title == "Helpful Guide"
    assert card.description is not None
    assert card.description.startswith("A concise assistant for technical writing\n\nHelps plan")
    assert {field.name: field.value for field in card.fields} == {
        "Content rating": "sfw",
        "Stars": "★ 4.8 (12) in the catalogue\n★ 4.2 on this server",
        "Model": r"deepseek-ai\/DeepSeek-V3-0324",
        "Tags": "writing · productivity",
        "First words": "Hello Bob, what are we editing today?",
    }
    assert card.footer == "by Ada"
    assert card.picture == GUIDE.avatar_url


def test_a_character_of_few_words_has_a_short_profile() -> None:
    bare = Character(CharacterId("x"), "X", summary="Same", description="Same ")
    card = profile_card(bare, viewer="Bob", server_average=None)
    assert card.description == "Same"
    assert [field.name for field in card.fields] == ["Content rating", "Stars"]
    assert card.fields[1].value == "Nobody has rated it in the catalogue yet"
    assert card.footer is None
    assert profile_card(replace(bare, summary=None), viewer="Bob", server_average=None).description == "Same"


def test_many_tags_are_counted() -> None:
    card = profile_card(replace(GUIDE, tags=tuple(f"t{n}" for n in range(500))), viewer="Bob", server_average=None)
    tags = next(field.value for field in card.fields if field.name == "Tags")
    assert tags.endswith(r" · t11 · \+488")


def test_emphasis_stays_in_long_texts_and_is_closed_where_they_are_cut() -> None:
    card = profile_card(
        replace(GUIDE, first_message="*waves* " + "**very** long. " * 100), viewer="Bob", server_average=None
    )
    words = card.fields[-1].value
    assert words.startswith("*waves* **very** long.")
    assert words.endswith("…")
    assert words.count("**") % 2 == 0


def test_a_result_shows_the_gist() -> None:
    card = result_card(GUIDE)
    assert card == Card(
        "Helpful Guide",
        "A concise assistant for technical writing",
        (),
        "sfw · ★ 4.8 (12) · writing, productivity",
        GUIDE.avatar_url,
    )
    assert result_card(replace(GUIDE, stars_count=None, tags=(), summary=None)).footer == "sfw"
    assert result_card(replace(GUIDE, summary=None)).description == GUIDE.description


@pytest.mark.parametrize(
    ("found", "more", "number", "said"),
    [
        (True, True, 2, "**Characters** · “guide” · tag writing · top rated · up to sfw · page 2"),
        (False, True, 1, "Nothing here so far"),
        (False, False, 3, "Nothing more"),
        (False, False, 1, "Nothing found"),
    ],
)
def test_the_line_over_results_says_what_was_looked_for(found: bool, more: bool, number: int, said: str) -> None:  # noqa: FBT001 - a table.
    query = SearchQuery(text="guide", tags=("writing",), sort=Sort.TOP_RATED)
    line = search_title(query, number, rating_max=ContentRating.SFW, found=found, more=more)
    assert line.startswith(said)
    assert "“guide” · tag writing · top rated · up to sfw" in line


@given(wild, st.lists(wild, max_size=500))
def test_the_line_over_results_fits_into_a_message(text: str, tags: list[str]) -> None:
    line = search_title(
        SearchQuery(text=text, tags=tuple(tags)), 3, rating_max=ContentRating.NSFW, found=True, more=True
    )
    assert utf16_length(line) <= 2000
    assert "\n" not in line
