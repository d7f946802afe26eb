from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import desk_wording
from bot.domain.authoring import CharacterChanges, Visibility
from bot.domain.cards import MAX_DESCRIPTION, MAX_FIELD_NAME, MAX_FIELD_VALUE, MAX_FOOTER, MAX_TITLE, MAX_TOTAL
from bot.domain.characters import Character, KnownCharacter, OwnCharacter
from bot.domain.ids import CharacterId, CharacterRef
from bot.domain.ratings import ContentRating
from bot.domain.sheets import Missing
from bot.domain.unicode_text import utf16_length

ADA = Character(
    CharacterId("id"),
    "Ada",
    slug="ada",
    summary="Counts things.",
    base_model="fake/model",
    visibility="public",
    moderation_status="approved",
    allow_api=True,
    catalogue_rating=ContentRating.SFW,
)
WORDS = st.none() | st.text(max_size=400)
CHARACTERS = st.builds(
    Character,
    id=st.text(min_size=1, max_size=300).map(CharacterId),
    name=st.text(max_size=400),
    slug=WORDS,
    summary=WORDS,
    base_model=WORDS,
    visibility=WORDS,
    moderation_status=WORDS,
    allow_api=st.none() | st.booleans(),
    tags=st.lists(st.text(max_size=80), max_size=30).map(tuple),
    stars_average=st.none() | st.floats(allow_nan=False),
    stars_count=st.none() | st.integers(),
)


def known(character: Character, ref: int = 1) -> KnownCharacter:
    return KnownCharacter(CharacterRef(ref), character, 0, 0, None)


@given(characters=st.lists(CHARACTERS, min_size=1, max_size=desk_wording.PAGE), archived=st.integers(0, 9_999))
def test_a_page_of_ones_own_fits_into_an_embed(characters: list[Character], archived: int) -> None:
    card = desk_wording.mine_card(list(map(known, characters)), 1, 9, archived=archived)
    assert card.size <= MAX_TOTAL
    assert all(0 < utf16_length(field.name) <= MAX_FIELD_NAME for field in card.fields)
    assert all(0 < utf16_length(field.value) <= MAX_FIELD_VALUE for field in card.fields)


@given(character=CHARACTERS, reason=WORDS, texts=st.booleans())
def test_a_card_of_ones_own_fits_into_an_embed(character: Character, reason: str | None, *, texts: bool) -> None:
    card = desk_wording.own_card(OwnCharacter(character, moderation_reason=reason), texts=texts)
    assert card.size <= MAX_TOTAL
    assert 0 < utf16_length(card.title) <= MAX_TITLE
    assert utf16_length(card.description or "") <= MAX_DESCRIPTION
    assert utf16_length(card.footer or "") <= MAX_FOOTER
    assert all(field.name and 0 < utf16_length(field.value) <= MAX_FIELD_VALUE for field in card.fields)


@pytest.mark.parametrize(
    ("character", "words"),
    [
        (ADA, "public · approved · sfw · open to apps"),
        (
            replace(ADA, moderation_status="pending", allow_api=False),
            "public · waiting for review · sfw · closed to apps",
        ),
        (replace(ADA, moderation_status="odd_word"), "public · review: odd\\_word · sfw · open to apps"),
        (replace(ADA, moderation_status=None), "public · review not known · sfw · open to apps"),
        (replace(ADA, visibility="private", moderation_status=None), "private · sfw · open to apps"),
        (
            replace(ADA, visibility=None, moderation_status=None, allow_api=None),
            "visibility not known · sfw · API access not known",
        ),
    ],
)
def test_how_a_character_stands_is_told_in_words(character: Character, words: str) -> None:
    assert desk_wording.access_words(character) == words


def test_the_list_tells_of_pages_and_of_what_it_leaves_out() -> None:
    assert desk_wording.mine_card([known(ADA)], 2, 3, archived=1).footer == "page 2 of 3 · 1 archived one is not shown"
    assert desk_wording.mine_card([known(ADA)], 1, 1, archived=4).footer == "4 archived ones are not shown"
    assert desk_wording.mine_card([known(ADA)], 1, 1, archived=0).footer is None


@pytest.mark.parametrize("status", ["rejected", "odd"])
def test_a_card_says_what_the_moderators_said_and_what_the_author_said(status: str) -> None:
    refused = replace(ADA, moderation_status=status, catalogue_rating=ContentRating.NSFW)
    own = OwnCharacter(refused, creator_rating=ContentRating.SFW, moderation_reason="Not *that* safe.")
    fields = {field.name: field.value for field in desk_wording.own_card(own, texts=True).fields}
    assert fields["What the moderators say"] == "Not \\*that\\* safe."
    assert fields["Content rating"] == "nsfw (you said sfw)"


@pytest.mark.parametrize("status", [None, "pending", "approved"])
def test_a_card_does_not_say_what_the_moderators_said_another_time(status: str | None) -> None:
    own = OwnCharacter(replace(ADA, moderation_status=status), moderation_reason="Too loud.")
    assert "Too loud" not in str(desk_wording.own_card(own, texts=True))


def test_a_card_above_the_ceiling_names_its_character_and_shows_no_text() -> None:
    character = replace(ADA, avatar_url="https://pictures.invalid/ada.png", moderation_status="rejected")
    card = desk_wording.own_card(OwnCharacter(character, moderation_reason="Too loud."), texts=False)
    assert "Too loud" not in str(card)
    assert card.title == "Ada"
    assert card.picture is None
    assert "Counts" not in str(card)
    assert "age-restricted" in (card.description or "")


@pytest.mark.parametrize(
    ("character", "said"),
    [
        (ADA, "everybody can find it"),
        (replace(ADA, allow_api=False), "closed to apps: /character publish opens it"),
        (replace(ADA, moderation_status="pending"), "until they approve it, only you can use it."),
        (replace(ADA, moderation_status="pending", allow_api=False), "will not speak with it even then"),
        (replace(ADA, moderation_status="rejected"), "not approved, so only you"),
        (replace(ADA, visibility="unlisted"), "no list shows it"),
        (replace(ADA, visibility="private"), "Only you can see and use it"),
    ],
)
def test_what_follows_from_a_save_is_told(character: Character, said: str) -> None:
    sentence = desk_wording.saved_sentence("**Ada**", character, created=True)
    assert sentence.startswith("**Ada** is made. ")
    assert said in sentence


def test_a_save_without_an_answer_points_at_the_list() -> None:
    assert "/character mine" in desk_wording.saved_sentence("**Ada**", None, created=False)


def test_an_edit_that_costs_the_approval_is_asked_about() -> None:
    question = desk_wording.confirm_edit("**Ada**", CharacterChanges(summary="x", tags=()), 2)
    assert "(summary and tags)" in question
    assert "pauses in 2 channels here" in question
    assert "pauses" not in desk_wording.confirm_edit("**Ada**", CharacterChanges(name="x"), 0)


def test_taking_an_approved_character_back_is_asked_about_in_other_words() -> None:
    question = desk_wording.confirm_edit("**Ada**", CharacterChanges(visibility=Visibility.PRIVATE), 0)
    assert "Once it is private" in question
    assert "reviews it again after" not in question


def test_a_misspelt_model_is_told_with_what_comes_close() -> None:
    assert desk_wording.unknown_model("fake/modle", "fake/model").endswith(
        "Did you mean fake/model?".replace("/", "\\/")
    )
    assert "/character create" in desk_wording.unknown_model("x", None)


def test_archiving_says_that_it_cannot_be_undone() -> None:
    question = desk_wording.confirm_archive("**Ada**", 1)
    assert "cannot be undone from here" in question
    assert "1 channel here" in question


def test_what_is_missing_is_listed() -> None:
    assert desk_wording.missing_sentence([Missing.NAME]) == "It still needs a name."
    assert (
        desk_wording.missing_sentence([Missing.NAME, Missing.MODEL, Missing.RATING])
        == "It still needs a name, a model and a content rating."
    )


def test_nanogpts_own_words_are_shown_as_they_stand() -> None:
    assert desk_wording.refused_by_nanogpt("name *too* long") == "NanoGPT did not take it: name \\*too\\* long"
    assert desk_wording.refused_by_nanogpt(None) == "NanoGPT did not take it."


def test_a_name_that_cannot_be_shown_is_told_by_its_address() -> None:
    assert desk_wording.name_of(replace(ADA, name="\u200b")) == "**ada**"
