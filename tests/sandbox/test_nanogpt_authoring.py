"""What an author does to characters in the stand-in, by the rules of the Characters page."""

import asyncio

import aiohttp
import pytest

from bot.sandbox.nanogpt.cast import AUTHOR, MEMBER, PENDING, PRIVATE, UNLISTED
from bot.sandbox.nanogpt.catalog import DEFAULT_MODEL, SandboxCharacter
from bot.sandbox.nanogpt.faults import Fault, Route
from bot.sandbox.nanogpt.recording import Outcome
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.nanogpt.variants import ListEnvelope, SingleEnvelope, WriteAnswer
from tests.sandbox.nanogpt_visits import Reply, Visit, at, items, slugs, visiting

NOON = 1_770_000_000
ADA: dict[str, object] = {
    "name": "Ada",
    "summary": "Counts",
    "description": "Counts things, and people.",
    "base_model_id": DEFAULT_MODEL,
    "system_prompt": "You are Ada.",
    "first_message": "One.",
    "visibility": "private",
    "allow_api": False,
    "creator_content_rating": "suggestive",
    "tags": ["maths", "long-names"],
}


async def create(visit: Visit, **fields: object) -> Reply:
    """Make Ada, or somebody like her, as the member."""
    return await visit.send("POST", "/characters", {**ADA, **fields}, key=visit.key_of(MEMBER))


async def change(visit: Visit, slug: str, **fields: object) -> Reply:
    """Change a character as its author."""
    return await visit.send("PATCH", f"/characters/{slug}", fields, key=visit.key_of(AUTHOR))


async def mine(visit: Visit, account: str = MEMBER, *query: tuple[str, str]) -> Reply:
    return await visit.get("/characters/mine", query, key=visit.key_of(account))


def publish(visit: Visit) -> str:
    """Put an approved public character of the author's into the catalogue."""
    visit.upstream.catalog.add(SandboxCharacter(slug="published", name="Published", owner=AUTHOR))
    return "published"


async def test_a_new_character_comes_back_as_its_author_sees_it() -> None:
    async with visiting(NanoGptSandbox(now=lambda: NOON)) as visit:
        reply = await create(visit)
        assert reply.status == 201
        made = reply.json
        assert isinstance(made, dict)
        assert ADA.items() <= made.items()
        assert (reply.at("slug"), reply.at("moderation_status"), reply.at("content_rating")) == ("ada", None, None)
        assert reply.at("created_at") == "2026-02-02T02:40:00Z"
        assert slugs((await mine(visit)).at("data")) == ["ada"]
        visit.upstream.assert_clean()


@pytest.mark.parametrize(("visibility", "status"), [("private", None), ("unlisted", None), ("public", "pending")])
async def test_only_a_public_character_waits_for_a_moderator(visibility: str, status: str | None) -> None:
    async with visiting() as visit:
        assert (await create(visit, visibility=visibility)).at("moderation_status") == status
        assert [character.slug for character in visit.upstream.moderation.pending] == (
            [PENDING, "ada"] if status else [PENDING]
        )


async def test_a_character_may_be_made_of_no_more_than_its_name_model_and_prompt() -> None:
    async with visiting() as visit:
        body = {"name": "Ada", "base_model_id": DEFAULT_MODEL, "system_prompt": "You are Ada."}
        reply = await visit.send("POST", "/characters", body, key=visit.key_of(MEMBER))
        assert (reply.status, reply.at("visibility"), reply.at("allow_api")) == (201, "private", False)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"base_model_id": "no/model"}, "base_model_id"),
        ({"system_prompt": ""}, "system_prompt"),
        ({"summary": None}, "summary"),
        ({"first_message": 7}, "first_message"),
        ({"visibility": "secret"}, "visibility"),
        ({"allow_api": "yes"}, "allow_api"),
        ({"creator_content_rating": "mature"}, "creator_content_rating"),
        ({"tags": "maths"}, "tags"),
        ({"tags": ["Long Names"]}, "tags"),
        ({"tags": ["x"] * 21}, "tags"),
    ],
)
async def test_a_field_that_cannot_stand_is_refused_by_name(fields: dict[str, object], param: str) -> None:
    async with visiting() as visit:
        reply = await create(visit, **fields)
        assert (reply.status, reply.at("error", "param")) == (400, param)
        assert items((await mine(visit)).at("data")) == []


@pytest.mark.parametrize("missing", ["name", "base_model_id", "system_prompt"])
async def test_a_field_that_is_missing_is_refused_by_name(missing: str) -> None:
    async with visiting() as visit:
        body = {name: value for name, value in ADA.items() if name != missing}
        reply = await visit.send("POST", "/characters", body, key=visit.key_of(MEMBER))
        assert (reply.status, reply.at("error", "param")) == (400, missing)


@pytest.mark.parametrize("name", ["temperature", "owner", "moderation_status"])
async def test_a_field_that_no_page_names_is_refused_and_complained_about(name: str) -> None:
    async with visiting() as visit:
        assert (await create(visit, **{name: 1})).status == 400
        assert (await change(visit, PRIVATE, **{name: 1})).status == 400
        assert len(visit.upstream.complaints) == 2
        assert name in visit.upstream.complaints[0]


@pytest.mark.parametrize("body", [None, [], "Ada"])
async def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    async with visiting() as visit:
        reply = await visit.send("POST", "/characters", body, key=visit.key_of(MEMBER))
        assert (reply.status, reply.at("error", "code")) == (400, "invalid_json")


async def test_a_name_that_is_taken_gets_another_slug() -> None:
    async with visiting() as visit:
        made = [(await create(visit, name=name)).at("slug") for name in ("Ada", "Ada!", "Mine", "???")]
        assert made == ["ada", "ada-2", "mine-2", "character"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/characters"),
        ("GET", "/characters/mine"),
        ("PATCH", f"/characters/{PRIVATE}"),
        ("DELETE", f"/characters/{PRIVATE}"),
    ],
)
async def test_authors_need_a_key(method: str, path: str) -> None:
    async with visiting() as visit:
        body = ADA if method in {"POST", "PATCH"} else None
        assert (await visit.send(method, path, body)).status == 401
        visit.upstream.catalog.revoke_key(AUTHOR)
        assert (await visit.send(method, path, body, key=visit.key_of(AUTHOR))).status == 401


async def test_ones_own_list_holds_everything_with_what_is_the_authors_alone() -> None:
    async with visiting() as visit:
        reply = await mine(visit, AUTHOR)
        assert slugs(reply.at("data")) == [PRIVATE, UNLISTED, PENDING]
        assert reply.at("data", 0, "system_prompt") == "You are a diary."
        assert reply.at("data", 2, "moderation_status") == "pending"
        assert slugs((await mine(visit, MEMBER)).at("data")) == []


async def test_archived_characters_stay_in_ones_own_list_unless_the_variant_says_otherwise() -> None:
    async with visiting() as visit:
        assert (await visit.send("DELETE", f"/characters/{PRIVATE}", key=visit.key_of(AUTHOR))).status == 200
        listed = items((await mine(visit, AUTHOR)).at("data"))
        assert at(listed[0], "archived_at")
        visit.upstream.variants.mine_with_archived = False
        assert slugs((await mine(visit, AUTHOR)).at("data")) == [UNLISTED, PENDING]


async def test_ones_own_list_is_paged() -> None:
    async with visiting() as visit:
        first = await mine(visit, AUTHOR, ("limit", "2"))
        second = await mine(visit, AUTHOR, ("limit", "2"), ("cursor", str(first.at("next_cursor"))))
        assert slugs(first.at("data")) + slugs(second.at("data")) == [PRIVATE, UNLISTED, PENDING]
        assert second.at("next_cursor") is None
        assert (await mine(visit, AUTHOR, ("cursor", "stale"))).status == 400
        assert (await mine(visit, AUTHOR, ("page", "2"))).status == 400


async def test_ones_own_list_comes_as_a_bare_array_and_in_camel_case() -> None:
    async with visiting() as visit:
        visit.upstream.variants.list_envelope = ListEnvelope.ARRAY
        visit.upstream.variants.camel_case = True
        listed = items((await mine(visit, AUTHOR, ("limit", "1"))).json)
        assert len(listed) == 3
        assert at(listed[0], "systemPrompt") == "You are a diary."


async def test_a_prompt_and_a_slug_may_be_kept_back() -> None:
    async with visiting() as visit:
        visit.upstream.variants.owner_prompt = False
        visit.upstream.variants.private_without_slug = True
        reply = await visit.get(f"/characters/{PRIVATE}", key=visit.key_of(AUTHOR))
        assert reply.at("slug") is None
        with pytest.raises(KeyError):
            reply.at("system_prompt")
        assert (await visit.get(f"/characters/{UNLISTED}", key=visit.key_of(AUTHOR))).at("slug") == UNLISTED


async def test_an_edit_changes_what_it_names_and_leaves_the_rest() -> None:
    async with visiting(NanoGptSandbox(now=lambda: NOON)) as visit:
        reply = await change(visit, PRIVATE, summary="Another one", first_message="", tags=[])
        assert reply.status == 200
        assert (reply.at("summary"), reply.at("first_message"), reply.at("tags")) == ("Another one", None, [])
        assert (reply.at("name"), reply.at("system_prompt")) == ("Diary Keeper", "You are a diary.")
        assert reply.at("updated_at") == "2026-02-02T02:40:00Z"


async def test_an_edit_of_an_approved_public_character_sends_it_back_to_moderation_and_out_of_the_list() -> None:
    async with visiting() as visit:
        slug = publish(visit)
        assert (await visit.ask(character_id=slug)).status == 200
        assert (await change(visit, slug, tags=["new"])).at("moderation_status") == "pending"
        assert slug not in slugs((await visit.get("/characters", [("limit", "50")])).at("data"))
        assert (await visit.ask(character_id=slug)).status == 404
        assert (await visit.ask(character_id=slug, key=visit.key_of(AUTHOR))).status == 200


@pytest.mark.parametrize(
    ("slug", "visibility", "status"),
    [(PRIVATE, "public", "pending"), (PENDING, "private", None), ("published", "unlisted", None)],
)
async def test_the_status_follows_a_change_of_visibility(slug: str, visibility: str, status: str | None) -> None:
    async with visiting() as visit:
        publish(visit)
        assert (await change(visit, slug, visibility=visibility)).at("moderation_status") == status


async def test_an_edit_of_nothing_is_refused() -> None:
    async with visiting() as visit:
        assert (await change(visit, PRIVATE)).status == 400


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("slug", "account", "status"),
    [("published", MEMBER, 403), (PRIVATE, MEMBER, 404), (PENDING, MEMBER, 404), ("nobody", AUTHOR, 404)],
)
async def test_only_its_owner_writes_to_a_character(method: str, slug: str, account: str, status: int) -> None:
    async with visiting() as visit:
        publish(visit)
        before = list(visit.upstream.catalog)
        reply = await visit.send(method, f"/characters/{slug}", {"name": "X"}, key=visit.key_of(account))
        assert reply.status == status
        assert list(visit.upstream.catalog) == before


async def test_an_archived_character_is_out_of_use_and_out_of_reach() -> None:
    async with visiting() as visit:
        slug = publish(visit)
        key = visit.key_of(AUTHOR)
        reply = await visit.send("DELETE", f"/characters/{slug}", key=key)
        assert (reply.status, reply.at("archived")) == (200, True)
        assert (await visit.get(f"/characters/{slug}")).status == 404
        assert (await visit.get(f"/characters/{slug}", key=key)).at("archived_at")
        assert (await visit.ask(character_id=slug, key=key)).status == 404
        assert (await visit.send("DELETE", f"/characters/{slug}", key=key)).status == 404
        assert (await change(visit, slug, name="X")).status == 404


@pytest.mark.parametrize(
    ("kind", "statuses", "raw"),
    [
        (WriteAnswer.OK, [201, 200, 200], b'{"ok":true}'),
        (WriteAnswer.EMPTY, [204, 204, 204], b""),
        (WriteAnswer.TEXT, [201, 200, 200], b"Done."),
    ],
)
async def test_a_good_answer_may_show_nothing_of_what_was_written(
    kind: WriteAnswer, statuses: list[int], raw: bytes
) -> None:
    async with visiting() as visit:
        visit.upstream.variants.write_answer = kind
        replies = [
            await create(visit),
            await change(visit, PRIVATE, summary="x"),
            await visit.send("DELETE", f"/characters/{PRIVATE}", key=visit.key_of(AUTHOR)),
        ]
        assert [reply.status for reply in replies] == statuses
        assert {reply.raw for reply in replies} == {raw}
        assert visit.upstream.catalog.get("ada").owner == MEMBER
        assert visit.upstream.catalog.get(PRIVATE).archived


@pytest.mark.parametrize("envelope", [SingleEnvelope.CHARACTER, SingleEnvelope.DATA])
async def test_what_was_written_comes_in_every_envelope(envelope: SingleEnvelope) -> None:
    async with visiting() as visit:
        visit.upstream.variants.single_envelope = envelope
        assert (await create(visit)).at(envelope.value, "name") == "Ada"
        assert (await change(visit, PRIVATE, name="Bea")).at(envelope.value, "name") == "Bea"


async def test_a_create_whose_answer_is_lost_was_carried_out_nevertheless() -> None:
    async with visiting() as visit:
        visit.upstream.faults.next(Fault.LOST_ANSWER, on=Route.CREATE)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await create(visit)
        assert slugs((await mine(visit)).at("data")) == ["ada"]


async def test_a_create_that_times_out_was_carried_out_nevertheless() -> None:
    async with visiting() as visit:
        upstream = visit.upstream
        upstream.faults.next(Fault.SILENT_ANSWER, on=Route.CREATE)
        asking = asyncio.create_task(create(visit))
        await upstream.wait_for(lambda: bool(upstream.calls) and upstream.calls[0].outcome is Outcome.STALLED)
        assert upstream.catalog.get("ada").owner == MEMBER
        asking.cancel()
        await upstream.wait_for(lambda: upstream.calls[0].ended is not None)
        assert upstream.calls[0].outcome is Outcome.STALLED


async def test_an_approved_character_is_found_and_used_by_everybody() -> None:
    async with visiting() as visit:
        await create(visit, visibility="public", allow_api=True)
        assert (await visit.get("/characters/ada")).status == 404
        visit.upstream.moderation.approve("ada")
        reply = await visit.get("/characters/ada")
        assert (reply.at("moderation_status"), reply.at("content_rating")) == ("approved", "suggestive")
        assert (await visit.ask(character_id="ada")).status == 200


async def test_a_moderator_may_rate_a_character_otherwise_than_its_author() -> None:
    async with visiting() as visit:
        visit.upstream.moderation.approve(PENDING, content_rating="explicit")
        assert (await visit.get(f"/characters/{PENDING}")).at("content_rating") == "explicit"


async def test_a_rejected_character_tells_its_author_why_and_nobody_else_anything() -> None:
    async with visiting() as visit:
        visit.upstream.moderation.reject(PENDING, "Seven syllables too many.")
        reply = await visit.get(f"/characters/{PENDING}", key=visit.key_of(AUTHOR))
        assert (reply.at("moderation_status"), reply.at("moderation_reason")) == (
            "rejected",
            "Seven syllables too many.",
        )
        assert (await visit.get(f"/characters/{PENDING}")).status == 404
        again = await change(visit, PENDING, summary="Shorter")
        assert again.at("moderation_status") == "pending"
        with pytest.raises(KeyError):
            again.at("moderation_reason")


async def test_a_moderator_decides_only_about_what_waits() -> None:
    async with visiting() as visit:
        moderation = visit.upstream.moderation
        for decided in (PRIVATE, "helpful-guide"):
            with pytest.raises(ValueError, match="does not wait"):
                moderation.approve(decided)
        with pytest.raises(KeyError):
            moderation.reject("nobody", "why not")
        moderation.reject(PENDING, "no", status="needs_changes")
        with pytest.raises(ValueError, match="does not wait"):
            moderation.approve(PENDING)
        assert moderation.pending == ()


async def test_a_decision_wakes_those_who_wait_for_it() -> None:
    async with visiting() as visit:
        upstream = visit.upstream
        waiting = asyncio.create_task(upstream.wait_for(lambda: not upstream.moderation.pending))
        await asyncio.sleep(0)
        upstream.moderation.approve(PENDING)
        await waiting
