from dataclasses import replace
from typing import cast

import pytest

from bot.domain.characters import Character, OwnCharacter, Unusable, unusable_reason
from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating
from bot.nanogpt.jsonvalue import Json
from bot.nanogpt.payloads import (
    UNRECOGNISED,
    CharacterModel,
    PageShape,
    describe_page,
    read_character,
    read_character_page,
    read_models_page,
    read_own_character,
    read_own_page,
    read_written_character,
)
from tests.nanogpt.account_fixtures import ARCHIVED, OWN, PROMPT, REJECTED
from tests.nanogpt.fixtures import BARD_ID, CATALOGUE_PAGE, GUIDE, GUIDE_ID, MODELS_PAGE, ODD_ID, SITE

GUIDE_CHARACTER = Character(
    id=CharacterId(GUIDE_ID),
    name="Helpful Guide",
    slug="helpful-guide",
    summary="A concise assistant for technical writing",
    description="Helps plan, edit, and tighten technical docs.",
    base_model="deepseek-ai/DeepSeek-V3-0324",
    first_message="What are we editing today?",
    visibility="public",
    moderation_status="approved",
    allow_api=True,
    catalogue_rating=ContentRating.SFW,
    creator_rating=ContentRating.SFW,
    tags=("writing", "productivity"),
    stars_average=4.8,
    stars_count=12,
)


def character(**fields: Json) -> Character:
    return read_character({"id": "x", **fields}, site=SITE)


def page(body: Json, asked_cursor: str | None = None) -> tuple[list[str], str | None]:
    found = read_character_page(body, site=SITE, asked_cursor=asked_cursor)
    return [character.id for character in found.characters], found.next_cursor


def test_a_catalogue_page_is_read() -> None:
    found = read_character_page(CATALOGUE_PAGE, site=SITE, asked_cursor=None)
    assert found.next_cursor == "eyJvIjozfQ"
    assert found.characters == (
        GUIDE_CHARACTER,
        Character(
            id=CharacterId(BARD_ID),
            name="Night Bard",
            slug="night-bard",
            allow_api=False,
            catalogue_rating=ContentRating.NSFW,
            tags=("fantasy",),
            stars_count=0,
        ),
        Character(
            id=CharacterId(ODD_ID),
            name="Odd @everyone One",
            slug="odd-one",
            summary="unrated, unknown word",
            catalogue_rating=ContentRating.EXPLICIT,
        ),
    )


@pytest.mark.parametrize(
    ("body", "ids", "cursor"),
    [
        ([{"id": "1", "slug": "a", "name": "A"}], ["1"], None),
        ({"data": [{"id": "1"}], "next_cursor": "n"}, ["1"], "n"),
        ({"characters": [{"character_id": "1"}], "nextCursor": "n"}, ["1"], "n"),
        ({"items": [{"id": "1", "name": "A"}], "pagination": {"cursor": "abc"}}, ["1"], "abc"),
        ({"results": [{"id": "1"}], "next": 7}, ["1"], "7"),
        ({"data": {"characters": [{"id": "1"}], "next_cursor": "n"}}, ["1"], "n"),
        ({"data": {"items": [], "has_more": False}}, [], None),
        ({"data": {"results": [{"id": "1"}]}, "meta": {"next_cursor": "n"}}, ["1"], "n"),
        ({"data": {"results": [{"id": "1"}], "pagination": {"nextCursor": "n"}}}, ["1"], "n"),
        ({"data": [{"id": "1"}], "page_info": {"end_cursor": "n", "has_next_page": True}}, ["1"], "n"),
        ({"data": [{"id": "1"}], "page_info": {"end_cursor": "n", "has_next_page": False}}, ["1"], None),
        ({"data": [{"id": "1"}], "next_cursor": "n", "has_more": False}, ["1"], None),
        ({"data": [{"id": "1"}], "next_cursor": "n", "hasMore": True}, ["1"], "n"),
        ({"data": [{"id": "1"}], "next_cursor": ""}, ["1"], None),
        ({"data": [{"id": "1"}], "next_cursor": None, "cursor": "n"}, ["1"], "n"),
        ({"data": [{"id": "1"}], "next_cursor": "asked"}, ["1"], None),
        ({"data": [], "next_cursor": "n"}, [], None),
        ({"data": [{"name": "nobody"}, None, 7, {"id": 5}, {"slug": "s"}]}, ["5", "s"], None),
        ({"data": [{"id": "1"}, {"id": "1"}]}, ["1"], None),
    ],
)
def test_every_wrapping_of_a_page_is_read(body: Json, ids: list[str], cursor: str | None) -> None:
    assert page(body, asked_cursor="asked") == (ids, cursor)


@pytest.mark.parametrize("body", [None, "text", 7, {}, {"data": {}}, {"data": "x"}, {"object": "list"}])
def test_a_page_without_a_list_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="no list"):
        page(body)


@pytest.mark.parametrize("body", [GUIDE, {"character": GUIDE}, {"data": GUIDE}, {"data": {"character": GUIDE}}])
def test_a_single_character_is_unwrapped(body: Json) -> None:
    assert read_character(body, site=SITE) == GUIDE_CHARACTER


@pytest.mark.parametrize("body", [None, [], {}, {"ok": True}, {"character": []}, {"id": ""}, {"id": None, "slug": {}}])
def test_a_character_without_an_id_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="character"):
        read_character(body, site=SITE)


def test_names_in_camel_case_are_read() -> None:
    found = read_character(
        {
            "characterId": "1",
            "baseModelId": "m",
            "firstMessage": "Hi",
            "moderationStatus": "approved",
            "allowApi": True,
            "contentRating": "sfw",
            "creatorContentRating": "suggestive",
            "ratingAvg": "4.5",
            "ratingCount": "3",
            "avatarUrl": "https://cdn.example/a.png",
            "archivedAt": "2026-01-01",
        },
        site=SITE,
    )
    assert found == Character(
        id=CharacterId("1"),
        name="1",
        base_model="m",
        first_message="Hi",
        moderation_status="approved",
        allow_api=True,
        catalogue_rating=ContentRating.SFW,
        creator_rating=ContentRating.SUGGESTIVE,
        stars_average=4.5,
        stars_count=3,
        avatar_url="https://cdn.example/a.png",
        archived=True,
    )


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"id": "a", "character_id": "b"}, "a"),
        ({"id": None, "character_id": "b"}, "b"),
        ({"id": "", "uuid": "c"}, "c"),
        ({"id": True, "slug": "d"}, "d"),
    ],
)
def test_an_id_is_looked_for_under_every_name(fields: dict[str, Json], identity: str) -> None:
    assert read_character(fields, site=SITE).id == identity


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": " Ada "}, "Ada"),
        ({"name": "", "slug": "night-bard"}, "Night Bard"),
        ({"name": 7, "slug": "night_bard"}, "Night Bard"),
        ({"name": None}, "x"),
        ({"name": "a\ud83d"}, "a?"),
    ],
)
def test_a_character_always_has_a_name(fields: dict[str, Json], name: str) -> None:
    assert character(**fields).name == name


@pytest.mark.parametrize(
    ("fields", "rating"),
    [
        ({}, ContentRating.EXPLICIT),
        ({"content_rating": "sfw"}, ContentRating.SFW),
        ({"content_rating": "sfw", "creator_content_rating": "nsfw"}, ContentRating.NSFW),
        ({"content_rating": "sfw", "creator_content_rating": ["sfw"]}, ContentRating.EXPLICIT),
        ({"content_rating": 0}, ContentRating.EXPLICIT),
        ({"content_rating": "mature"}, ContentRating.EXPLICIT),
    ],
)
def test_an_unclear_rating_counts_as_explicit(fields: dict[str, Json], rating: ContentRating) -> None:
    assert character(**fields).rating is rating


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"visibility": "public", "moderation_status": "approved", "allow_api": True}, None),
        ({"visibility": None, "moderation_status": None, "allow_api": None}, None),
        ({"visibility": {"level": "private"}}, Unusable.NOT_PUBLIC),
        ({"visibility": ""}, Unusable.NOT_PUBLIC),
        ({"moderation_status": 0}, Unusable.NOT_APPROVED),
        ({"moderation_status": "needs_changes"}, Unusable.NOT_APPROVED),
        ({"allow_api": "false"}, Unusable.NO_API),
        ({"allow_api": 0}, Unusable.NO_API),
        ({"allow_api": "sometimes"}, Unusable.NO_API),
        ({"allow_api": "true"}, None),
        ({"allow_api": 1}, None),
        ({"archived_at": 1760000000}, Unusable.ARCHIVED),
        ({"is_archived": True}, Unusable.ARCHIVED),
        ({"archived": "true"}, Unusable.ARCHIVED),
        ({"status": "archived"}, Unusable.ARCHIVED),
        ({"archived_at": None, "is_archived": False, "status": "live"}, None),
    ],
)
def test_an_unclear_gate_stays_shut(fields: dict[str, Json], reason: Unusable | None) -> None:
    assert unusable_reason(character(**fields)) is reason


def test_an_unknown_status_is_kept_as_it_was_said() -> None:
    found = character(moderation_status=" Needs changes ", visibility=[])
    assert (found.moderation_status, found.visibility) == ("Needs changes", UNRECOGNISED)


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (None, ()),
        ([], ()),
        (["a", " b ", "a", "", 7, None], ("a", "b")),
        ([{"slug": "a", "name": "A"}, {"name": "B"}, {}], ("a", "B")),
        ("a, b", ("a", "b")),
        ({"a": 1}, ()),
    ],
)
def test_tags_may_be_words_or_objects(value: Json, tags: tuple[str, ...]) -> None:
    assert character(tags=value).tags == tags


@pytest.mark.parametrize(
    ("average", "count", "expected"),
    [
        (4.8, 12, (4.8, 12)),
        ("4.5", "3", (4.5, 3)),
        (0, 0, (0.0, 0)),
        (None, None, (None, None)),
        ("?", [], (None, None)),
    ],
)
def test_stars_may_be_missing_or_text(average: Json, count: Json, expected: tuple[float | None, int | None]) -> None:
    found = character(rating_avg=average, rating_count=count)
    assert (found.stars_average, found.stars_count) == expected


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"avatar_url": "https://cdn.example/a.png"}, "https://cdn.example/a.png"),
        ({"avatar_url": None, "image": {"url": "https://cdn.example/b.png"}}, "https://cdn.example/b.png"),
        ({"icon_url": "/icons/c.png"}, "https://nano-gpt.example/icons/c.png"),
        (
            {"avatar": "http://cdn.example/a.png", "cover_image_url": "https://cdn.example/d.png"},
            "https://cdn.example/d.png",
        ),
        ({"avatar": "data:image/png;base64,AAAA"}, None),
        ({"avatar": "javascript:alert(1)"}, None),
        ({"avatar": "https://user:word@cdn.example/a.png"}, None),
        ({"avatar": "https://cdn.example/a b.png"}, None),
        ({"avatar": "https://cdn.example/a\n.png"}, None),
        ({"avatar": "https://[broken/a.png"}, None),
        ({"avatar": "https:///a.png"}, None),
        ({"avatar": "a-word"}, None),
        ({"avatar": "//cdn.example/e.png"}, "https://cdn.example/e.png"),
        ({"avatar": "https://cdn.example/" + "a" * 2048}, None),
        ({"avatar": 7}, None),
        ({}, None),
    ],
)
def test_a_picture_is_an_address_that_discord_can_fetch(fields: dict[str, Json], url: str | None) -> None:
    assert character(**fields).avatar_url == url


@pytest.mark.parametrize(
    ("fields", "creator"),
    [
        ({"creator": "ada"}, "ada"),
        ({"creator": {"username": "ada", "id": "7"}}, "ada"),
        ({"creator": {"display_name": "Ada", "username": "ada"}}, "Ada"),
        ({"creator": GUIDE_ID, "creator_name": "ada"}, "ada"),
        ({"owner": {"id": "7"}, "author": "ada"}, "ada"),
        ({"creator": 7}, None),
        ({}, None),
    ],
)
def test_a_creator_is_a_name_for_people(fields: dict[str, Json], creator: str | None) -> None:
    assert character(**fields).creator == creator


def test_the_prompt_of_a_character_is_not_read() -> None:
    assert "secret" not in repr(character(system_prompt="secret"))


def test_a_models_page_is_read() -> None:
    found = read_models_page(MODELS_PAGE, asked_cursor=None)
    assert found.next_cursor is None
    assert found.models == (
        CharacterModel(
            character_id=CharacterId(GUIDE_ID),
            slug="helpful-guide",
            base_model="deepseek-ai/DeepSeek-V3-0324",
            rating=ContentRating.SFW,
            tags=("writing",),
            stars_average=4.8,
            stars_count=12,
        ),
    )


def test_a_model_may_come_without_its_character() -> None:
    body: Json = {
        "data": [
            {"id": "1", "object": "model"},
            {"id": "2", "name": "Two", "character": {"slug": "two"}},
            {"object": "model"},
            {"id": "1"},
        ],
        "next_cursor": "n",
    }
    found = read_models_page(body, asked_cursor=None)
    assert found.models == (
        CharacterModel(character_id=CharacterId("1")),
        CharacterModel(character_id=CharacterId("2"), slug="two", name="Two"),
    )
    assert found.next_cursor == "n"


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (
            {"data": [{"name": "a", "id": "1"}, {"image": "https://x.example/a"}], "next_cursor": "n"},
            PageShape("data", "next_cursor", ("id", "name"), "image"),
        ),
        ([], PageShape("", None, (), None)),
        ({"data": {"items": []}, "meta": {"cursor": 4}}, PageShape("data.items", "meta.cursor", (), None)),
        ({"error": "no"}, PageShape(None, None, (), None)),
        (cast("Json", CATALOGUE_PAGE), PageShape("data", "next_cursor", tuple(sorted(GUIDE)), None)),
    ],
)
def test_the_shape_of_a_page_is_told_in_names(body: Json, shape: PageShape) -> None:
    assert describe_page(body, site=SITE) == shape


def own(**fields: Json) -> OwnCharacter:
    return read_own_character({"id": "x", **fields}, site=SITE)


def test_an_author_sees_what_is_published_and_more() -> None:
    assert read_own_character(OWN, site=SITE) == OwnCharacter(
        character=replace(
            GUIDE_CHARACTER,
            visibility="private",
            moderation_status=None,
            allow_api=False,
            catalogue_rating=None,
            creator_rating=ContentRating.SFW,
        ),
        system_prompt=PROMPT,
        creator_rating=ContentRating.SFW,
    )


@pytest.mark.parametrize("wrapping", ["character", "data"])
def test_an_authors_view_is_unwrapped(wrapping: str) -> None:
    assert read_own_character({wrapping: OWN}, site=SITE) == read_own_character(OWN, site=SITE)


def test_an_authors_view_in_camel_case_is_read() -> None:
    found = own(
        name="A",
        systemPrompt=" p ",
        creatorContentRating="nsfw",
        moderationStatus="rejected",
        moderationReason="no",
    )
    assert (found.system_prompt, found.creator_rating, found.moderation_reason) == ("p", ContentRating.NSFW, "no")
    assert found.character.moderation_status == "rejected"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"moderation_reason": "a", "rejection_reason": "b"}, "a"),
        ({"moderation_reason": None, "rejection_reason": "b"}, "b"),
        ({"moderation_notes": " c "}, "c"),
        ({"moderation_reason": {"code": 7}}, None),
        ({}, None),
    ],
)
def test_a_moderators_reason_is_looked_for_under_every_name(fields: dict[str, Json], reason: str | None) -> None:
    assert own(**fields).moderation_reason == reason


@pytest.mark.parametrize("prompt", [None, "", " ", 7, []])
def test_a_prompt_that_did_not_come_is_none(prompt: Json) -> None:
    assert own(system_prompt=prompt).system_prompt is None


@pytest.mark.parametrize(
    ("word", "rating"), [("sfw", ContentRating.SFW), ("mature", None), (None, None), (0, None), ("", None)]
)
def test_an_authors_rating_is_only_what_the_author_said(word: Json, rating: ContentRating | None) -> None:
    assert own(creator_content_rating=word, content_rating="sfw").creator_rating is rating


def test_a_word_of_the_authors_that_is_not_known_counts_as_explicit_and_is_not_shown_as_chosen() -> None:
    found = own(creator_content_rating="mature", content_rating="sfw")
    assert (found.creator_rating, found.character.rating) == (None, ContentRating.EXPLICIT)


def test_an_authors_page_keeps_what_is_archived_and_marks_it() -> None:
    body: Json = {"data": [OWN, {**ARCHIVED, "id": "b"}, {**REJECTED, "id": "c"}, {}, None], "next_cursor": "n"}
    found = read_own_page(body, site=SITE, asked_cursor=None)
    assert [(each.character.id, each.character.archived) for each in found.characters] == [
        (GUIDE_ID, False),
        ("b", True),
        ("c", False),
    ]
    assert found.next_cursor == "n"
    assert read_own_page(body, site=SITE, asked_cursor="n").next_cursor is None


@pytest.mark.parametrize("body", [OWN, {"character": OWN}, {"data": {"character": OWN}}])
def test_what_was_written_is_read_as_its_author_sees_it(body: Json) -> None:
    assert read_written_character(body, site=SITE) == read_own_character(OWN, site=SITE)


@pytest.mark.parametrize("body", [None, [], "ok", {"ok": True}, {"name": "A"}])
def test_an_acknowledgement_is_no_character(body: Json) -> None:
    assert read_written_character(body, site=SITE) is None


@pytest.mark.parametrize(
    "left_out",
    [{"visibility"}, {"content_rating", "creator_content_rating"}, {"base_model_id"}, {"name"}, OWN.keys() - {"id"}],
)
def test_what_an_answer_only_names_is_no_whole_character(left_out: set[str]) -> None:
    body: Json = {name: value for name, value in OWN.items() if name not in left_out}
    assert read_written_character(body, site=SITE) == GUIDE_ID


def test_either_rating_makes_an_answer_whole() -> None:
    body: Json = {**{name: OWN[name] for name in OWN if name != "creator_content_rating"}, "content_rating": "sfw"}
    assert read_written_character(body, site=SITE) == read_own_character(body, site=SITE)


def test_an_answer_may_name_a_character_by_its_slug() -> None:
    assert read_written_character({"character": {"slug": "x", "name": " "}}, site=SITE) == "x"


@pytest.mark.parametrize("body", [None, {"ok": True}, {"id": ""}])
def test_an_authors_view_without_an_id_is_refused(body: Json) -> None:
    with pytest.raises(ValueError, match="character"):
        read_own_character(body, site=SITE)


@pytest.mark.parametrize(
    ("fields", "catalogue", "creator", "effective"),
    [
        ({}, None, None, ContentRating.EXPLICIT),
        ({"content_rating": None, "creator_content_rating": ""}, None, None, ContentRating.EXPLICIT),
        ({"content_rating": "sfw"}, ContentRating.SFW, None, ContentRating.SFW),
        ({"creator_content_rating": "NSFW"}, None, ContentRating.NSFW, ContentRating.NSFW),
        (
            {"content_rating": "sfw", "creator_content_rating": "suggestive"},
            ContentRating.SFW,
            ContentRating.SUGGESTIVE,
            ContentRating.SUGGESTIVE,
        ),
        (
            {"content_rating": "sfw", "creator_content_rating": "mature"},
            ContentRating.SFW,
            ContentRating.EXPLICIT,
            ContentRating.EXPLICIT,
        ),
        ({"content_rating": 3}, ContentRating.EXPLICIT, None, ContentRating.EXPLICIT),
    ],
)
def test_both_ratings_are_read_and_what_is_unknown_or_missing_counts_as_explicit(
    fields: dict[str, Json],
    catalogue: ContentRating | None,
    creator: ContentRating | None,
    effective: ContentRating,
) -> None:
    read = character(**fields)
    assert (read.catalogue_rating, read.creator_rating, read.rating) == (catalogue, creator, effective)
