import pytest
from discord import ui

from bot.domain.cards import Card, Field
from bot.domain.characters import Character, KnownCharacter
from bot.domain.custom_ids import parse_custom_id, read_base36
from bot.domain.ids import CharacterId, CharacterRef, SearchPageId
from bot.domain.ratings import ContentRating
from bot.domain.search import SearchQuery
from bot.services.catalog_search import Direction, ResultPage
from bot.views.base import AnsweringItem
from bot.views.catalog import OpenSelect, TurnButton, UseHereButton, drawn, profile_view, results_view


def page(number: int = 2, *, characters: int = 5, more: bool = True) -> ResultPage:
    known = tuple(
        KnownCharacter(CharacterRef(40 + ref), Character(CharacterId(f"{ref}"), f"Name {ref} " * 50), 0, 0, None)
        for ref in range(characters)
    )
    return ResultPage(SearchPageId(36), number, SearchQuery(), ContentRating.SFW, known, more)


def parts(view: ui.View | None) -> dict[type, list[AnsweringItem[ui.Button[ui.View]]]]:
    assert view is not None
    assert view.timeout is None
    found: dict[type, list[AnsweringItem[ui.Button[ui.View]]]] = {}
    for item in view.children:
        assert isinstance(item, AnsweringItem)
        found.setdefault(type(item), []).append(item)
    return found


def test_a_page_of_results_opens_its_characters_and_turns_both_ways() -> None:
    found = parts(results_view(page()))
    (select,) = found[OpenSelect]
    assert isinstance(select.item, ui.Select)
    assert [read_base36(option.value) for option in select.item.options] == [40, 41, 42, 43, 44]
    assert all(len(option.label) <= 100 for option in select.item.options)
    back, forward = (turn.item for turn in found[TurnButton])
    assert (back.label, back.disabled) == ("◀ Page 1", False)
    assert (forward.label, forward.disabled) == ("Page 3 ▶", False)
    assert back.custom_id == "v1:turn:10:0"
    assert forward.custom_id == "v1:turn:10:1"


@pytest.mark.parametrize(
    ("shown", "disabled"),
    [(page(1), [True, False]), (page(3, more=False), [False, True]), (page(1, more=False), [True, True])],
)
def test_the_ends_cannot_be_passed(shown: ResultPage, disabled: list[bool]) -> None:
    assert [turn.item.disabled for turn in parts(results_view(shown))[TurnButton]] == disabled


def test_an_empty_page_has_no_select_and_an_empty_search_nothing_at_all() -> None:
    assert OpenSelect not in parts(results_view(page(1, characters=0)))
    assert OpenSelect not in parts(results_view(page(4, characters=0, more=False)))
    assert results_view(page(1, characters=0, more=False)) is None


def test_each_sending_gets_a_view_of_its_own() -> None:
    shown = page()
    assert results_view(shown) is not results_view(shown)
    assert profile_view(CharacterRef(1)) is not profile_view(CharacterRef(1))


def test_a_profile_can_be_used_rated_and_reported() -> None:
    view = profile_view(CharacterRef(36))
    assert isinstance(view.children[0], UseHereButton)
    kinds: list[str] = []
    for item in view.children:
        assert isinstance(item, AnsweringItem)
        parsed = parse_custom_id(item.custom_id)
        assert parsed is not None
        assert parsed.ids[0] == 36
        kinds.append(parsed.kind)
    assert kinds == ["use", "rate", "report"]


@pytest.mark.parametrize("direction", [0, 1, 7])
def test_any_direction_of_a_forged_id_turns_some_way(direction: int) -> None:
    turned = TurnButton.from_ids(36, direction)
    assert turned.custom_id in ("v1:turn:10:0", "v1:turn:10:1")
    assert TurnButton(SearchPageId(36), Direction.BACK).custom_id == "v1:turn:10:0"


def test_a_card_becomes_an_embed_with_or_without_its_picture() -> None:
    card = Card("Ada", "Counts", (Field("Stars", "★ 5", inline=False),), "by Lord", "https://example.com/ada.png")
    embed = drawn(card)
    assert embed.to_dict() == {
        "type": "rich",
        "flags": 0,
        "title": "Ada",
        "description": "Counts",
        "fields": [{"name": "Stars", "value": "★ 5", "inline": False}],
        "footer": {"text": "by Lord"},
        "thumbnail": {"url": "https://example.com/ada.png"},
    }
    assert drawn(card, with_picture=False).thumbnail.url is None
    assert drawn(Card("Ada")).to_dict() == {"type": "rich", "flags": 0, "title": "Ada"}
