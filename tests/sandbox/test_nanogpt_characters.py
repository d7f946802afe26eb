"""The catalogue routes of the stand-in keep the rules of the Characters page."""

import aiohttp
import pytest

from bot.sandbox.nanogpt.cast import AUTHOR, CAST, MEMBER, PENDING, PRIVATE, UNLISTED, WITHOUT_API
from bot.sandbox.nanogpt.catalog import Catalog, SandboxCharacter
from bot.sandbox.nanogpt.faults import Fault, Route
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.nanogpt.variants import ArchivedRead, ListEnvelope, SingleEnvelope
from tests.sandbox.nanogpt_visits import Visit, at, items, slugs, visiting

GUIDE_ID = "11111111-1111-4111-8111-111111111111"


async def test_only_approved_public_characters_are_listed() -> None:
    async with visiting() as visit:
        reply = await visit.get("/characters", [("limit", "50")])
        assert reply.status == 200
        listed = slugs(reply.at("data"))
        assert len(listed) == 13
        assert not {PENDING, PRIVATE, UNLISTED} & set(listed)
        assert WITHOUT_API in listed


async def test_a_key_does_not_change_the_public_list() -> None:
    async with visiting() as visit:
        key = visit.key_of(AUTHOR)
        assert (await visit.get("/characters", key=key)).json == (await visit.get("/characters")).json


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([("q", "writing")], ["margin-witch", "helpful-guide", WITHOUT_API]),
        ([("q", "DOCS edit")], ["helpful-guide"]),
        ([("q", "no such words")], []),
        ([("tags", "writing"), ("tags", "productivity")], ["helpful-guide"]),
        ([("tags", "programming")], ["rubber-duck-esq"]),
        ([("tags", "fantasy"), ("content_rating_max", "suggestive")], ["margin-witch"]),
        ([("tags", "fantasy"), ("content_rating_max", "nsfw")], ["margin-witch", "night-bard"]),
        ([("tags", "fantasy")], ["margin-witch", "night-bard", "ember-court-envoy"]),
        ([("sort", "top_rated"), ("limit", "2")], ["patch-the-gardener", "margin-witch"]),
        ([("sort", "new"), ("limit", "1")], ["ember-court-envoy"]),
        ([("sort", "trending_simple"), ("limit", "1")], ["patch-the-gardener"]),
    ],
)
async def test_the_list_is_searched_filtered_and_sorted(query: list[tuple[str, str]], expected: list[str]) -> None:
    async with visiting() as visit:
        assert slugs((await visit.get("/characters", query)).at("data")) == expected


@pytest.mark.parametrize("sort", ["new", "top_rated", "trending_simple"])
async def test_pages_follow_one_another_without_gap_or_repetition(sort: str) -> None:
    async with visiting() as visit:
        whole = slugs((await visit.get("/characters", [("sort", sort), ("limit", "50")])).at("data"))
        seen: list[object] = []
        query = [("sort", sort), ("limit", "4")]
        while True:
            page = await visit.get("/characters", query)
            seen += slugs(page.at("data"))
            cursor = page.at("next_cursor")
            if cursor is None:
                break
            query = [("sort", sort), ("limit", "4"), ("cursor", str(cursor))]
        assert seen == whole


async def test_a_page_holds_twenty_unless_asked_and_never_more_than_fifty() -> None:
    async with visiting() as visit:
        for number in range(60):
            visit.upstream.catalog.add(SandboxCharacter(slug=f"extra-{number}", name=f"Extra {number}"))
        assert len(items((await visit.get("/characters")).at("data"))) == 20
        assert len(items((await visit.get("/characters", [("limit", "500")])).at("data"))) == 50


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ([("sort", "best")], "sort"),
        ([("content_rating_max", "adult")], "content_rating_max"),
        ([("limit", "0")], "limit"),
        ([("limit", "many")], "limit"),
        ([("cursor", "!")], "cursor"),
        ([("cursor", "WyJuZXciXQ")], "cursor"),
        ([("q", "a"), ("q", "b")], "q"),
    ],
)
async def test_a_bad_parameter_is_refused_by_name(query: list[tuple[str, str]], param: str) -> None:
    async with visiting() as visit:
        reply = await visit.get("/characters", query)
        assert (reply.status, reply.at("error", "param")) == (400, param)


async def test_a_cursor_of_another_order_is_refused() -> None:
    async with visiting() as visit:
        cursor = str((await visit.get("/characters", [("sort", "new"), ("limit", "1")])).at("next_cursor"))
        reply = await visit.get("/characters", [("sort", "top_rated"), ("cursor", cursor)])
        assert reply.status == 400


async def test_an_unknown_parameter_is_refused_and_complained_about() -> None:
    async with visiting() as visit:
        assert (await visit.get("/characters", [("search", "x")])).status == 400
        assert "search" in visit.upstream.complaints[0]
        with pytest.raises(AssertionError, match="search"):
            visit.upstream.assert_clean()


@pytest.mark.parametrize("address", ["helpful-guide", GUIDE_ID])
async def test_a_character_is_read_by_slug_and_by_id(address: str) -> None:
    async with visiting() as visit:
        reply = await visit.get(f"/characters/{address}")
        assert reply.status == 200
        assert reply.at("id") == GUIDE_ID
        assert reply.at("first_message") == "What are we editing today?"
        assert reply.at("tags") == ["writing", "productivity"]
        assert "system_prompt" not in str(reply.json)


@pytest.mark.parametrize(
    ("slug", "stranger", "owner"),
    [(PRIVATE, 404, 200), (PENDING, 404, 200), (UNLISTED, 200, 200), (WITHOUT_API, 200, 200), ("nobody", 404, 404)],
)
async def test_who_may_read_a_character_follows_from_its_visibility(slug: str, stranger: int, owner: int) -> None:
    async with visiting() as visit:
        assert (await visit.get(f"/characters/{slug}")).status == stranger
        assert (await visit.get(f"/characters/{slug}", key=visit.key_of(MEMBER))).status == stranger
        assert (await visit.get(f"/characters/{slug}", key=visit.key_of(AUTHOR))).status == owner


async def test_only_the_owner_gets_the_system_prompt() -> None:
    async with visiting() as visit:
        assert (await visit.get(f"/characters/{PRIVATE}", key=visit.key_of(AUTHOR))).at("system_prompt")
        seen_by_others = await visit.get(f"/characters/{UNLISTED}", key=visit.key_of(MEMBER))
        with pytest.raises(KeyError):
            seen_by_others.at("system_prompt")


async def test_a_bad_or_revoked_key_is_refused() -> None:
    async with visiting() as visit:
        assert (await visit.get("/characters", key="sk-nano-fake-wrong")).status == 401
        key = visit.key_of(MEMBER)
        visit.upstream.catalog.revoke_key(MEMBER)
        assert (await visit.get("/characters", key=key)).at("error", "code") == "invalid_api_key"


async def test_a_key_in_the_other_header_is_accepted() -> None:
    async with visiting() as visit:
        url = f"{visit.upstream.base_url}/characters/{PRIVATE}"
        async with visit.session.get(url, headers={"x-api-key": visit.key_of(AUTHOR)}) as response:
            assert response.status == 200
        assert visit.upstream.calls[-1].account == AUTHOR


async def test_two_keys_at_once_are_complained_about() -> None:
    async with visiting() as visit:
        key = visit.upstream.operator_key
        headers = {"x-api-key": key, "Authorization": f"Bearer {key}"}
        async with visit.session.get(f"{visit.upstream.base_url}/characters", headers=headers) as response:
            assert response.status == 200
        assert len(visit.upstream.complaints) == 1


async def test_models_have_the_documented_shape() -> None:
    async with visiting() as visit:
        reply = await visit.get("/character-models", [("detailed", "true"), ("limit", "1")])
        assert reply.at("object") == "list"
        assert reply.at("data", 0) == {
            "id": GUIDE_ID,
            "object": "model",
            "created": 1_760_000_000,
            "owned_by": "nanogpt",
            "character": {
                "character_id": GUIDE_ID,
                "slug": "helpful-guide",
                "base_model_id": "deepseek-ai/DeepSeek-V3-0324",
                "content_rating": "sfw",
                "tags": ["writing", "productivity"],
                "rating_avg": 4.8,
                "rating_count": 12,
            },
        }


async def test_models_are_those_that_anybody_may_use_page_by_page() -> None:
    async with visiting() as visit:
        seen: list[object] = []
        query = [("limit", "5")]
        while True:
            page = await visit.get("/character-models", query)
            seen += [at(item, "character", "character_id") for item in items(page.at("data"))]
            cursor = page.at("next_cursor")
            if cursor is None:
                break
            query = [("limit", "5"), ("cursor", str(cursor))]
        usable = [character.id for character in visit.upstream.catalog if character.listed and character.allow_api]
        assert seen == usable
        assert len(usable) == 12
        assert (await visit.get("/character-models", [("cursor", "stale")])).status == 400


@pytest.mark.parametrize(
    ("read", "status"), [(ArchivedRead.NOT_FOUND, 404), (ArchivedRead.GONE, 410), (ArchivedRead.MARKED, 200)]
)
async def test_a_withdrawn_character_leaves_the_list_and_reads_as_the_variant_says(
    read: ArchivedRead, status: int
) -> None:
    async with visiting() as visit:
        visit.upstream.variants.archived_read = read
        visit.upstream.catalog.withdraw("helpful-guide")
        assert "helpful-guide" not in slugs((await visit.get("/characters")).at("data"))
        reply = await visit.get("/characters/helpful-guide")
        assert reply.status == status
        if status == 200:
            assert reply.at("archived_at")


async def test_a_changed_character_reads_as_changed() -> None:
    async with visiting() as visit:
        visit.upstream.catalog.update("helpful-guide", content_rating="explicit", allow_api=False, name="Bold Guide")
        reply = await visit.get("/characters/helpful-guide")
        assert (reply.at("content_rating"), reply.at("allow_api"), reply.at("name")) == (
            "explicit",
            False,
            "Bold Guide",
        )


@pytest.mark.parametrize(
    ("envelope", "path", "cursor_path"),
    [
        (ListEnvelope.DATA, ("data",), ("next_cursor",)),
        (ListEnvelope.CHARACTERS, ("characters",), ("nextCursor",)),
        (ListEnvelope.ARRAY, (), None),
        (ListEnvelope.NESTED, ("data", "items"), ("data", "cursor")),
        (ListEnvelope.PAGINATION, ("items",), ("pagination", "cursor")),
    ],
)
async def test_the_list_comes_in_every_envelope(
    envelope: ListEnvelope, path: tuple[str, ...], cursor_path: tuple[str, ...] | None
) -> None:
    async with visiting() as visit:
        visit.upstream.variants.list_envelope = envelope
        reply = await visit.get("/characters", [("limit", "3")])
        assert len(items(reply.at(*path))) == 3
        if cursor_path is not None:
            following = await visit.get("/characters", [("limit", "3"), ("cursor", str(reply.at(*cursor_path)))])
            assert following.status == 200


@pytest.mark.parametrize(
    ("envelope", "path"),
    [(SingleEnvelope.BARE, ()), (SingleEnvelope.CHARACTER, ("character",)), (SingleEnvelope.DATA, ("data",))],
)
async def test_one_character_comes_in_every_envelope(envelope: SingleEnvelope, path: tuple[str, ...]) -> None:
    async with visiting() as visit:
        visit.upstream.variants.single_envelope = envelope
        assert (await visit.get("/characters/helpful-guide")).at(*path, "slug") == "helpful-guide"


async def test_fields_come_in_every_dress() -> None:
    async with visiting() as visit:
        variants = visit.upstream.variants
        variants.camel_case = variants.tag_objects = variants.text_averages = variants.short_list_items = True
        visit.upstream.catalog.update("helpful-guide", avatar_url="https://example.com/guide.png")
        reply = await visit.get("/characters/helpful-guide")
        assert reply.at("ratingAvg") == "4.8"
        assert reply.at("baseModelId") == "deepseek-ai/DeepSeek-V3-0324"
        assert reply.at("avatarUrl") == "https://example.com/guide.png"
        assert reply.at("tags", 0) == {"slug": "writing", "name": "Writing"}
        listed = (await visit.get("/characters", [("q", "docs")])).at("data", 0)
        assert at(listed, "name") == "Helpful Guide"
        for absent in ("description", "firstMessage", "allowApi"):
            with pytest.raises(KeyError):
                at(listed, absent)


async def report(visit: Visit, body: object, *, slug: str = "helpful-guide", key: str | None = None) -> int:
    reply = await visit.post(f"/characters/{slug}/report", body, key=key or visit.upstream.operator_key)
    return reply.status


async def test_a_report_is_kept_with_its_account() -> None:
    async with visiting() as visit:
        assert await report(visit, {"reason": "Policy concern", "details": "Too rude."}) == 201
        kept = visit.upstream.reports[0]
        assert (kept.character, kept.account, kept.reason, kept.details) == (
            "helpful-guide",
            "operator",
            "Policy concern",
            "Too rude.",
        )


@pytest.mark.parametrize(
    ("slug", "body", "status"),
    [
        ("helpful-guide", {}, 400),
        ("helpful-guide", {"reason": " "}, 400),
        ("helpful-guide", {"reason": "x", "details": None}, 400),
        ("helpful-guide", {"reason": "x", "detail": "y"}, 400),
        (PRIVATE, {"reason": "x"}, 404),
        ("nobody", {"reason": "x"}, 404),
    ],
)
async def test_a_report_that_cannot_stand_is_refused(slug: str, body: object, status: int) -> None:
    async with visiting() as visit:
        assert await report(visit, body, slug=slug) == status
        assert visit.upstream.reports == []


async def test_a_report_needs_a_key() -> None:
    async with visiting() as visit:
        assert (await visit.post("/characters/helpful-guide/report", {"reason": "x"})).status == 401


async def test_a_report_may_be_answered_without_a_body_and_a_second_one_refused() -> None:
    async with visiting() as visit:
        visit.upstream.variants.empty_report_answer = True
        visit.upstream.variants.refuse_second_report = True
        assert await report(visit, {"reason": "x"}) == 204
        assert await report(visit, {"reason": "y"}) == 409
        assert await report(visit, {"reason": "y"}, key=visit.key_of(MEMBER)) == 204


async def test_a_report_whose_answer_is_lost_is_kept_nevertheless() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.LOST_ANSWER, on=Route.REPORT)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await report(visit, {"reason": "x"})
        assert len(visit.upstream.reports) == 1


async def test_the_catalogue_can_be_down_while_responses_work() -> None:
    async with visiting() as visit:
        visit.upstream.faults.catalog_down = True
        assert (await visit.get("/characters")).status == 503
        assert (await visit.get("/characters/helpful-guide")).status == 503
        assert (await visit.get("/character-models")).status == 503
        assert (await visit.ask()).status == 200
        visit.upstream.faults.catalog_down = False
        assert (await visit.get("/characters")).status == 200


async def test_a_slug_or_id_that_is_taken_cannot_be_added() -> None:
    catalog = Catalog()
    catalog.add(SandboxCharacter(slug="one", name="One"))
    with pytest.raises(ValueError, match="one"):
        catalog.add(SandboxCharacter(slug="one", name="Other"))
    with pytest.raises(KeyError):
        catalog.withdraw("two")


async def test_a_stand_in_without_cast_is_empty_until_it_is_loaded() -> None:
    async with visiting(NanoGptSandbox(with_cast=False)) as visit:
        assert len(visit.upstream.catalog) == 0
        visit.upstream.load_cast()
        assert len(visit.upstream.catalog) == len(CAST)


def test_the_cast_covers_every_rating_and_kind() -> None:
    by_slug = {character.slug: character for character in CAST}
    assert {character.content_rating for character in CAST if character.listed} == {
        "sfw",
        "suggestive",
        "nsfw",
        "explicit",
    }
    assert by_slug["night-bard"].content_rating == "nsfw"
    assert by_slug[WITHOUT_API].allow_api is False
    assert by_slug[PENDING].moderation_status == "pending"
    assert by_slug[PRIVATE].visibility == "private"
    assert by_slug[UNLISTED].visibility == "unlisted"
    greetings = [character.first_message or "" for character in CAST]
    assert any("{{user}}" in greeting and "{{char}}" in greeting for greeting in greetings)
    assert by_slug["hearthside-baker"].first_message is None
