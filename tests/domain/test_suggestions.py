from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.characters import Character, KnownCharacter
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.language_models import LanguageModel
from bot.domain.ratings import ContentRating
from bot.domain.suggestions import (
    MAX_CHOICE_TEXT,
    Entry,
    Suggestion,
    as_choices,
    as_model_choices,
    beginning_with,
    entry_of,
    entry_of_own,
    folded,
    look_for,
    looked_for,
)
from bot.domain.unicode_text import utf16_length

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating


def known(name: str, slug: str | None = None, *, ref: int = 1, rating: ContentRating = SFW) -> KnownCharacter:
    character = Character(CharacterId(f"id-{ref}"), name, slug=slug, catalogue_rating=rating)
    return KnownCharacter(CharacterRef(ref), character, 0, 0, None)


def entry(name: str, slug: str | None = None, *, ref: int = 1, rating: ContentRating = SFW) -> Entry:
    made = entry_of(known(name, slug, ref=ref, rating=rating))
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Helpful Guide", "helpful guide"),
        ("  HELPFUL--guide! ", "helpful guide"),
        ("Zoë d'Été", "zoe d ete"),
        ("Straße", "strasse"),
        ("\uff21\uff44\uff41", "ada"),
        ("夜の詩人", "夜の詩人"),
        ("snake_case", "snake case"),
        ("★☆", ""),
        ("", ""),
    ],
)
def test_case_accents_and_punctuation_do_not_count(text: str, words: str) -> None:
    assert folded(text) == words


def test_the_name_s_beginning_comes_before_that_of_another_word() -> None:
    entries = [
        entry("The Helpful", ref=1),
        entry("Helpful Guide", ref=2),
        entry("Helpful", ref=3),
        entry("Nobody", "helpful-nobody", ref=4),
        entry("Unhelpful", ref=5),
    ]
    assert [found.ref for found in beginning_with(entries, "helpful", ceiling=SFW, limit=25)] == [3, 2, 1, 4]
    assert [found.ref for found in beginning_with(entries, "helpful gu", ceiling=SFW, limit=25)] == [2]
    assert [found.ref for found in beginning_with(entries, "helpful", ceiling=SFW, limit=2)] == [3, 2]


def test_nothing_above_the_ceiling_is_offered() -> None:
    entries = [entry("Night Bard", ref=1, rating=NSFW), entry("Night Watch", ref=2)]
    assert [found.ref for found in beginning_with(entries, "night", ceiling=SFW, limit=25)] == [2]
    assert [found.ref for found in beginning_with(entries, "", ceiling=SFW, limit=25)] == [2]
    assert [found.ref for found in beginning_with(entries, "", ceiling=NSFW, limit=25)] == [1, 2]


def test_what_cannot_be_used_has_no_entry() -> None:
    good = known("Ada", "ada")
    assert entry_of(good) is not None
    assert entry_of(replace(good, gone_at_ms=1)) is None
    assert entry_of(replace(good, character=replace(good.character, allow_api=False))) is None
    assert entry_of(known("x", "s" * 101)) == replace(entry("x", "s" * 101), suggestion=Suggestion("x", "id-1"))
    unnameable = replace(good.character, id=CharacterId("i" * 101), slug="s" * 101)
    assert entry_of(replace(good, character=unnameable)) is None
    assert entry("\u200b", " \r").suggestion == Suggestion("id-1", "id-1")


def test_its_author_may_name_what_cannot_be_used_but_not_what_is_gone() -> None:
    good = known("Ada", "ada")
    private = replace(good, character=replace(good.character, visibility="private", allow_api=False))
    assert entry_of(private) is None
    assert entry_of_own(private) == entry_of_own(good) == entry_of(good)
    assert entry_of_own(replace(private, gone_at_ms=1)) is None


def test_a_model_is_offered_once_by_name_and_id() -> None:
    models = [
        LanguageModel("lab/one", "One\n1"),
        LanguageModel("lab/two"),
        LanguageModel("lab/one", "Another"),
        LanguageModel("lab/three", "lab/three"),
        LanguageModel(" "),
        LanguageModel("m" * (MAX_CHOICE_TEXT + 1)),
        LanguageModel("lab/long", "Long " * 50),
    ]
    *first, long = as_model_choices(models, "", limit=25)
    assert first == [
        Suggestion("One 1 (lab/one)", "lab/one"),
        Suggestion("lab/two", "lab/two"),
        Suggestion("lab/three", "lab/three"),
    ]
    assert long.value == "lab/long"
    assert utf16_length(long.label) <= MAX_CHOICE_TEXT
    assert as_model_choices(models, "", limit=1) == first[:1]


@pytest.mark.parametrize(
    ("model", "label"),
    [
        (LanguageModel("lab/one", "One", 0.25, 1.0), "One (lab/one) · $0.25 in, $1.00 out per million tokens"),
        (LanguageModel("lab/one", None, 0.0, 1_250.5), "lab/one · $0.00 in, $1,250.50 out per million tokens"),
        (LanguageModel("lab/one", "One " * 20, 0.25, 1.0), "lab/one · $0.25 in, $1.00 out per million tokens"),
        (LanguageModel("m" * 90, "One", 0.25, 1.0), f"One ({'m' * 90})"),
        (LanguageModel("m" * 98, "One", 0.25, 1.0), f"One ({'m' * 95}"),
        (LanguageModel("lab/one", "One", 0.25, None), "One (lab/one)"),
        (LanguageModel("lab/one", "One", None, 1.0), "One (lab/one)"),
    ],
)
def test_a_model_says_what_it_costs_where_there_is_room(model: LanguageModel, label: str) -> None:
    assert as_model_choices([model], "", limit=25) == [Suggestion(label, model.id)]


def test_a_model_that_is_not_listed_can_be_named() -> None:
    assert as_model_choices([], " lab/new ", limit=25) == [Suggestion("lab/new", "lab/new")]
    assert as_model_choices([], "  ", limit=25) == []


def test_a_label_names_and_sums_up_on_one_line() -> None:
    ada = known("Ada\n Lovelace\u202e", "ada")
    ada = replace(ada, character=replace(ada.character, summary="Counts\nthings"))
    made = entry_of(ada)
    assert made is not None
    assert made.suggestion == Suggestion("Ada Lovelace — Counts things", "ada")
    long = entry_of(replace(ada, character=replace(ada.character, summary="word " * 50)))
    assert long is not None
    assert utf16_length(long.suggestion.label) <= MAX_CHOICE_TEXT
    assert long.suggestion.label.endswith("…")
    assert entry("\u200b", "blank").suggestion == Suggestion("blank", "blank")


def test_no_value_and_no_label_is_offered_twice() -> None:
    same = [entry("Ada", "ada", ref=1), entry("Ada", "ada", ref=2), entry("Ada", "ada-2", ref=3)]
    assert as_choices(same, "ada", limit=25) == [Suggestion("Ada", "ada"), Suggestion("ada-2: Ada", "ada-2")]


def test_what_cannot_be_told_from_another_is_left_out() -> None:
    alike = [entry("ada-2: Ada", "other", ref=1), entry("Ada", "ada", ref=2), entry("Ada", "ada-2", ref=3)]
    assert [choice.value for choice in as_choices(alike, "ada", limit=25)] == ["other", "ada"]


def test_where_nothing_matches_one_choice_is_left() -> None:
    assert as_choices([], "helpfull", limit=25) == [Suggestion('Look for "helpfull"', 'Look for "helpfull"')]
    assert as_choices([], "", limit=25) == [look_for("")]


@pytest.mark.parametrize("text", ["Ada", 'say "hi"', "", "夜", "a  b"])
def test_a_choice_to_look_for_something_gives_back_what_was_typed(text: str) -> None:
    assert looked_for(look_for(text).value) == " ".join(text.split())


@pytest.mark.parametrize("value", ["ada", 'look for "ada"', 'Look for "ada', 'I Look for "ada"', ""])
def test_anything_else_is_no_choice_to_look_for_something(value: str) -> None:
    assert looked_for(value) is None


@given(st.text(max_size=300))
def test_whatever_is_typed_makes_a_choice_that_discord_takes(text: str) -> None:
    choice = look_for(text)
    assert 1 <= utf16_length(choice.value) <= MAX_CHOICE_TEXT
    assert looked_for(choice.value) is not None


@given(st.lists(st.tuples(st.text(max_size=150), st.text(max_size=150), st.text(max_size=150)), max_size=30))
def test_whatever_the_catalogue_holds_makes_choices_that_discord_takes(items: list[tuple[str, str, str]]) -> None:
    entries: list[Entry] = []
    for ref, (name, slug, summary) in enumerate(items):
        made = known(name, slug, ref=ref)
        made = entry_of(replace(made, character=replace(made.character, summary=summary)))
        if made is not None:
            entries.append(made)
    choices = as_choices(entries, "typed", limit=25)
    assert 1 <= len(choices) <= 25
    assert len({choice.value for choice in choices}) == len({choice.label for choice in choices}) == len(choices)
    for choice in choices:
        assert 1 <= utf16_length(choice.label) <= MAX_CHOICE_TEXT
        assert choice.label.strip()
        assert 1 <= utf16_length(choice.value) <= MAX_CHOICE_TEXT
