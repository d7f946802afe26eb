from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.authoring import CharacterChanges, CharacterFields, Visibility
from bot.domain.characters import Character, OwnCharacter
from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating
from bot.domain.sheets import (
    MOST_TAGS,
    NEW_SHEET,
    TEXTS,
    Missing,
    Sheet,
    TagFault,
    as_fields,
    as_saved,
    changed_words,
    changes_between,
    made_from,
    missing_parts,
    read_tags,
    same_text,
    sheet_of,
    tag_slug,
)

WHOLE = Sheet(
    name="Ada",
    summary="Counts",
    description="Counts everything.",
    first_message="Hello.\nShall we count?",
    system_prompt="You count.",
    base_model="fake/model",
    rating=ContentRating.SFW,
    tags=("numbers", "history"),
    visibility=Visibility.PUBLIC,
    allow_api=True,
)
SHEETS = st.builds(
    Sheet,
    name=st.text(max_size=5),
    summary=st.text(max_size=5),
    description=st.text(max_size=5),
    first_message=st.text(max_size=5),
    system_prompt=st.none() | st.text(max_size=5),
    base_model=st.sampled_from(["", "a", "b"]),
    rating=st.none() | st.sampled_from(ContentRating),
    tags=st.lists(st.sampled_from("abc"), max_size=3).map(tuple),
    visibility=st.none() | st.sampled_from(Visibility),
    allow_api=st.none() | st.booleans(),
)


def test_a_character_becomes_a_sheet_with_what_is_its_authors_alone() -> None:
    character = Character(
        CharacterId("id"),
        "Ada",
        summary="Counts",
        base_model="fake/model",
        visibility="public",
        allow_api=True,
        catalogue_rating=ContentRating.EXPLICIT,
        tags=("numbers",),
    )
    own = OwnCharacter(character, "You count.", ContentRating.SUGGESTIVE)
    assert sheet_of(own) == Sheet(
        name="Ada",
        summary="Counts",
        system_prompt="You count.",
        base_model="fake/model",
        rating=ContentRating.SUGGESTIVE,
        tags=("numbers",),
        visibility=Visibility.PUBLIC,
        allow_api=True,
    )


def test_what_upstream_leaves_out_is_not_known() -> None:
    sheet = sheet_of(OwnCharacter(Character(CharacterId("id"), "Ada", visibility="a new word")))
    assert (sheet.system_prompt, sheet.rating, sheet.visibility, sheet.allow_api) == (None, None, None, None)
    assert sheet.text("system_prompt") == ""


@given(sheet=SHEETS)
def test_nothing_differs_from_itself(sheet: Sheet) -> None:
    hidden_prompt = replace(sheet, system_prompt=None) if sheet.system_prompt is None else sheet
    assert not changes_between(hidden_prompt, hidden_prompt)


@given(before=SHEETS, after=SHEETS)
def test_only_what_differs_is_sent(before: Sheet, after: Sheet) -> None:
    changes = changes_between(before, after)
    for name in TEXTS:
        sent = getattr(changes, name)
        if sent is not None and name != "system_prompt":
            assert not same_text(sent, before.text(name))
            assert same_text(sent, after.text(name))
        elif name != "system_prompt":
            assert same_text(before.text(name), after.text(name))
    assert changes.tags is None or changes.tags != before.tags
    assert changes.base_model != ""


@pytest.mark.parametrize(
    "written", ["Hello.\r\nShall we count?", "  Hello.\nShall we count?\n", "Hello.\rShall we count?"]
)
def test_line_ends_and_spaces_at_the_ends_are_no_change(written: str) -> None:
    assert not changes_between(WHOLE, replace(WHOLE, first_message=written))


def test_a_text_that_was_emptied_is_cleared() -> None:
    changes = changes_between(WHOLE, replace(WHOLE, summary=" ", tags=()))
    assert changes == CharacterChanges(summary="", tags=())
    assert changed_words(changes) == ("summary", "tags")


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        (None, None, None),
        (None, "You sing.", "You sing."),
        (None, "", ""),
        ("You count.", "", ""),
        ("You count.", "You count.\r\n", None),
        ("You count.", None, None),
    ],
)
def test_a_prompt_is_kept_replaced_or_cleared(before: str | None, after: str | None, sent: str | None) -> None:
    changes = changes_between(replace(WHOLE, system_prompt=before), replace(WHOLE, system_prompt=after))
    assert changes.system_prompt == sent


def test_what_is_not_known_is_left_alone() -> None:
    unknown = replace(WHOLE, rating=None, visibility=None, allow_api=None, base_model="")
    assert not changes_between(WHOLE, unknown)
    assert changes_between(unknown, WHOLE) == CharacterChanges(
        creator_rating=ContentRating.SFW, visibility=Visibility.PUBLIC, allow_api=True, base_model="fake/model"
    )


def test_every_change_has_a_word() -> None:
    everything = CharacterChanges(
        name="a",
        base_model="a",
        system_prompt="a",
        creator_rating=ContentRating.SFW,
        summary="a",
        description="a",
        first_message="a",
        visibility=Visibility.PRIVATE,
        allow_api=False,
        tags=("a",),
    )
    assert len(set(changed_words(everything))) == 10


@pytest.mark.parametrize(
    ("sheet", "missing"),
    [
        (NEW_SHEET, (Missing.NAME, Missing.PROMPT, Missing.MODEL, Missing.RATING)),
        (replace(WHOLE, name=" "), (Missing.NAME,)),
        (replace(WHOLE, system_prompt=None), (Missing.PROMPT,)),
        (replace(WHOLE, rating=None), (Missing.RATING,)),
        (WHOLE, ()),
    ],
)
def test_what_is_missing_is_told(sheet: Sheet, missing: tuple[Missing, ...]) -> None:
    assert missing_parts(sheet) == missing


def test_a_new_character_is_private_unless_chosen_otherwise() -> None:
    made = as_fields(replace(WHOLE, visibility=None, allow_api=None, first_message="Hi\r\n"))
    assert made == CharacterFields(
        name="Ada",
        base_model="fake/model",
        system_prompt="You count.",
        creator_rating=ContentRating.SFW,
        summary="Counts",
        description="Counts everything.",
        first_message="Hi",
        visibility=Visibility.PRIVATE,
        allow_api=False,
        tags=("numbers", "history"),
    )
    assert (NEW_SHEET.visibility, NEW_SHEET.allow_api) == (Visibility.PRIVATE, False)


MADE = OwnCharacter(
    Character(
        CharacterId("id"),
        "Ada",
        summary="Counts",
        first_message="Hello.\nShall we count?",
        base_model="fake/model",
        visibility="public",
    )
)


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (MADE, True),
        (replace(MADE, system_prompt="You count.\n"), True),
        (replace(MADE, system_prompt="You sing."), False),
        (replace(MADE, character=Character(CharacterId("id"), "Ada")), True),
        (replace(MADE, character=replace(MADE.character, name="Bob")), False),
        (replace(MADE, character=replace(MADE.character, summary="Sings")), False),
        (replace(MADE, character=replace(MADE.character, visibility="private")), False),
        (replace(MADE, character=replace(MADE.character, archived=True)), False),
    ],
)
def test_what_was_made_is_known_again(found: OwnCharacter, *, same: bool) -> None:
    assert made_from(found, as_fields(WHOLE)) is same


def test_an_unfinished_sheet_makes_no_character() -> None:
    with pytest.raises(ValueError, match="not finished"):
        as_fields(replace(WHOLE, rating=None))


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("", ()),
        ("Science Fiction,  ROMANCE , romance", ("science-fiction", "romance")),
        ("#Déjà vu\nslow_burn,,", ("deja-vu", "slow-burn")),
        ("日本語, café", ("日本語", "cafe")),
        ("!!!", TagFault.UNREADABLE),
        (",".join(f"t{number}" for number in range(MOST_TAGS)), tuple(f"t{number}" for number in range(MOST_TAGS))),
        (",".join(f"t{number}" for number in range(MOST_TAGS + 1)), TagFault.TOO_MANY),
    ],
)
def test_tags_are_read_as_slugs(typed: str, tags: tuple[str, ...] | TagFault) -> None:
    assert read_tags(typed, known=("日本語",)) == tags


@given(words=st.lists(st.text("Aaé-_ 1!", min_size=1, max_size=6), max_size=MOST_TAGS))
def test_tags_that_were_read_are_read_again_as_they_are(words: list[str]) -> None:
    tags = read_tags(",".join(words))
    if isinstance(tags, tuple):
        assert read_tags(", ".join(tags)) == tags
        assert all(tag_slug(tag) == tag for tag in tags)


def test_what_an_answer_leaves_out_is_as_it_was_saved() -> None:
    bare = OwnCharacter(Character(CharacterId("id"), "Ada"))
    assert changes_between(sheet_of(as_saved(bare, WHOLE)), WHOLE) == CharacterChanges()
    shown = replace(bare, character=replace(bare.character, summary="", tags=("other",)), system_prompt="You sing.")
    kept = sheet_of(as_saved(shown, WHOLE))
    assert (kept.summary, kept.tags, kept.system_prompt) == ("", ("other",), "You sing.")
