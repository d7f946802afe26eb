import logging
from typing import Final, cast

import httpx
import pytest

from bot.domain.authoring import CharacterChanges, CharacterFields, Visibility
from bot.domain.characters import OwnCharacter
from bot.domain.ids import CharacterId, PayerId
from bot.domain.ratings import ContentRating
from bot.nanogpt import errors
from bot.nanogpt.desk import DeskClient
from bot.nanogpt.jsonvalue import Json
from bot.nanogpt.pace import Priority
from bot.nanogpt.requests import ApiKey
from tests.nanogpt.account_fixtures import ARCHIVED, CREATED_PUBLIC, OWN, PROMPT, REJECTED
from tests.nanogpt.fixtures import ERRORS, FAKE_KEY, GUIDE, GUIDE_ID, PAGE
from tests.nanogpt.support import Step, Upstream, answer, piecemeal, raw

KEY: Final = ApiKey(FAKE_KEY, PayerId("member"))
NEW: Final = CharacterFields(
    name="Helpful Guide",
    base_model="deepseek-ai/DeepSeek-V3-0324",
    system_prompt=PROMPT,
    creator_rating=ContentRating.SFW,
    summary="A concise assistant for technical writing",
    description="Helps plan, edit, and tighten technical docs.",
    first_message="What are we editing today?",
    tags=("writing", "productivity"),
)
RENAMED: Final = CharacterChanges(name="Better Guide")


def desk(*script: Step) -> tuple[Upstream, DeskClient]:
    upstream = Upstream(list(script))
    return upstream, upstream.client().desk


async def write(desk: DeskClient, verb: str) -> OwnCharacter | CharacterId | None:
    """Do one of the calls that write, by the name of its method in HTTP."""
    match verb:
        case "POST":
            return await desk.create_character(NEW, key=KEY)
        case "PATCH":
            return await desk.change_character("helpful-guide", RENAMED, key=KEY)
        case _:
            await desk.archive_character("helpful-guide", key=KEY)
            return None


async def test_a_character_is_made_with_everything_its_author_wrote() -> None:
    upstream, calls = desk(answer(OWN, 201))
    made = await calls.create_character(NEW, key=KEY)
    request = upstream.requests[0]
    assert (request.method, request.url.path) == ("POST", "/api/v1/characters")
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert "x-api-key" not in request.headers
    assert upstream.sent() == {
        "name": "Helpful Guide",
        "summary": "A concise assistant for technical writing",
        "description": "Helps plan, edit, and tighten technical docs.",
        "base_model_id": "deepseek-ai/DeepSeek-V3-0324",
        "system_prompt": PROMPT,
        "first_message": "What are we editing today?",
        "visibility": "private",
        "allow_api": False,
        "creator_content_rating": "sfw",
        "tags": ["writing", "productivity"],
    }
    assert isinstance(made, OwnCharacter)
    assert (made.character.id, made.system_prompt) == (GUIDE_ID, PROMPT)
    assert made.character.moderation_status is None
    assert upstream.pace.turns == [Priority.CATALOGUE]


async def test_a_first_message_that_is_none_is_left_out() -> None:
    upstream, calls = desk(answer(OWN, 201))
    await calls.create_character(CharacterFields("A", "m", "p", ContentRating.EXPLICIT), key=KEY)
    assert upstream.sent() == {
        "name": "A",
        "summary": "",
        "description": "",
        "base_model_id": "m",
        "system_prompt": "p",
        "visibility": "private",
        "allow_api": False,
        "creator_content_rating": "explicit",
        "tags": [],
    }


async def test_a_public_character_comes_back_pending() -> None:
    _, calls = desk(answer(CREATED_PUBLIC, 201))
    made = await calls.create_character(NEW, key=KEY)
    assert isinstance(made, OwnCharacter)
    assert (made.character.visibility, made.character.moderation_status) == ("public", "pending")


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        (CharacterChanges(name="B"), {"name": "B"}),
        (CharacterChanges(base_model="m"), {"base_model_id": "m"}),
        (CharacterChanges(system_prompt="p"), {"system_prompt": "p"}),
        (CharacterChanges(summary="", description=""), {"summary": "", "description": ""}),
        (CharacterChanges(first_message=""), {"first_message": ""}),
        (CharacterChanges(creator_rating=ContentRating.SFW), {"creator_content_rating": "sfw"}),
        (CharacterChanges(tags=()), {"tags": []}),
        (CharacterChanges(tags=("a", "b")), {"tags": ["a", "b"]}),
        (
            CharacterChanges(visibility=Visibility.PUBLIC, allow_api=False),
            {"visibility": "public", "allow_api": False},
        ),
    ],
)
async def test_an_edit_carries_what_changed_and_nothing_else(changes: CharacterChanges, body: dict[str, Json]) -> None:
    upstream, calls = desk(answer({**GUIDE, "moderation_status": "pending"}))
    changed = await calls.change_character("helpful-guide", changes, key=KEY)
    assert (upstream.requests[0].method, upstream.requests[0].url.path) == (
        "PATCH",
        "/api/v1/characters/helpful-guide",
    )
    assert upstream.sent() == body
    assert changed is not None
    assert changed.character.moderation_status == "pending"


async def test_an_edit_of_nothing_is_not_sent() -> None:
    upstream, calls = desk()
    with pytest.raises(ValueError, match="nothing to change"):
        await calls.change_character("helpful-guide", CharacterChanges(), key=KEY)
    assert upstream.requests == []


@pytest.mark.parametrize("wrapping", ["", "character", "data"])
@pytest.mark.parametrize("verb", ["POST", "PATCH"])
async def test_what_was_written_comes_back_in_any_wrapping(verb: str, wrapping: str) -> None:
    _, calls = desk(answer({wrapping: REJECTED} if wrapping else REJECTED))
    written = await write(calls, verb)
    assert isinstance(written, OwnCharacter)
    assert written.moderation_reason == "Too much of a good thing."


@pytest.mark.parametrize(
    "step",
    [
        httpx.Response(204),
        httpx.Response(201),
        answer({"ok": True}),
        answer({"success": True, "character": None}),
        answer([]),
        answer("created"),
        raw(b"thanks", 200, "text/plain"),
    ],
)
@pytest.mark.parametrize("verb", ["POST", "PATCH"])
async def test_an_answer_that_shows_no_character_means_that_it_was_taken(verb: str, step: httpx.Response) -> None:
    _, calls = desk(step)
    assert await write(calls, verb) is None


@pytest.mark.parametrize("name", ["id", "slug"])
async def test_an_answer_may_name_a_character_and_show_no_more(name: str) -> None:
    named = OWN[name]
    bodies: list[Json] = [{name: named}, {"character": {name: named, "name": "Helpful Guide"}}]
    for body in bodies:
        _, calls = desk(answer(body, 201), answer(body))
        assert await write(calls, "POST") == named
        assert await write(calls, "PATCH") is None


@pytest.mark.parametrize(
    "step", [httpx.Response(204), answer({"ok": True}), answer({"id": GUIDE_ID, "archived": True}), answer(ARCHIVED)]
)
async def test_a_character_is_archived_whatever_a_good_answer_holds(step: httpx.Response) -> None:
    upstream, calls = desk(step)
    await calls.archive_character(f" {GUIDE_ID} ", key=KEY)
    request = upstream.requests[0]
    assert (request.method, request.url.path) == ("DELETE", f"/api/v1/characters/{GUIDE_ID}")
    assert request.content == b""


@pytest.mark.parametrize(
    ("step", "expected", "uncertain"),
    [
        (answer(ERRORS["too few tokens"], 400), errors.InvalidRequestError, False),
        (answer(ERRORS["moderated"], 400), errors.ContentPolicyError, False),
        (answer(ERRORS["bad session"], 401), errors.BadKeyError, False),
        (answer(ERRORS["no balance"], 402), errors.InsufficientBalanceError, False),
        (answer(ERRORS["character closed"], 403), errors.NotPermittedError, False),
        (answer(ERRORS["no character"], 404), errors.NotFoundError, False),
        (answer(ERRORS["no character"], 410), errors.NotFoundError, False),
        (answer({"error": "slug taken"}, 409), errors.ConflictError, False),
        (answer({"error": "too large"}, 413), errors.TooLargeError, False),
        (answer({"detail": [{"msg": "name is required"}]}, 422), errors.InvalidRequestError, False),
        (answer(ERRORS["too fast"], 429), errors.ThroughputLimitedError, False),
        (answer(ERRORS["daily cap"], 429), errors.DailyLimitError, False),
        (raw(PAGE, 404), errors.UpstreamDownError, False),
        (answer({}, 302, location="https://elsewhere.example/"), errors.MalformedAnswerError, False),
        (httpx.ConnectError("no"), errors.UnreachableError, False),
        (httpx.ConnectTimeout("no"), errors.UnreachableError, False),
        (httpx.ReadTimeout("no"), errors.StalledError, True),
        (httpx.WriteTimeout("no"), errors.UnreachableError, True),
        (httpx.RemoteProtocolError("no"), errors.UnreachableError, True),
        (raw(PAGE, 200), errors.UpstreamDownError, True),
        (raw(PAGE, 502), errors.UpstreamDownError, True),
        (httpx.Response(500), errors.UpstreamDownError, True),
        (answer(ERRORS["down"], 503), errors.UpstreamDownError, True),
        (httpx.Response(408), errors.UpstreamDownError, True),
    ],
)
@pytest.mark.parametrize("verb", ["POST", "PATCH", "DELETE"])
async def test_what_writes_is_sent_once_and_its_failure_tells_whether_it_may_have_been_done(
    verb: str, step: Step, expected: type[errors.NanoGptError], *, uncertain: bool
) -> None:
    upstream, calls = desk(step)
    with pytest.raises(errors.NanoGptError) as caught:
        await write(calls, verb)
    assert type(caught.value) is expected
    assert caught.value.uncertain is uncertain
    assert len(upstream.requests) == 1
    assert upstream.slept == []


@pytest.mark.parametrize("verb", ["POST", "PATCH", "DELETE"])
async def test_an_answer_that_breaks_leaves_it_open_whether_it_was_done(verb: str) -> None:
    upstream, calls = desk(piecemeal(b"{", httpx.ReadError("no")))
    with pytest.raises(errors.UnreachableError) as caught:
        await write(calls, verb)
    assert caught.value.uncertain
    assert len(upstream.requests) == 1


async def test_a_write_that_waited_its_time_out_in_the_queue_was_never_sent() -> None:
    upstream, calls = desk()
    upstream.pace.on_turn = upstream.pass_time(31)
    with pytest.raises(errors.StalledError) as caught:
        await calls.create_character(NEW, key=KEY)
    assert not caught.value.uncertain


@pytest.mark.parametrize("name", ["mine", " Mine ", "", ".", ".."])
async def test_names_that_are_no_characters_are_not_written_to(name: str) -> None:
    upstream, calls = desk()
    for attempt in (
        calls.change_character(name, RENAMED, key=KEY),
        calls.archive_character(name, key=KEY),
        calls.own_character(name, key=KEY),
    ):
        with pytest.raises(errors.NotFoundError) as caught:
            await attempt
        assert not caught.value.uncertain
    assert upstream.requests == []


@pytest.mark.parametrize(
    "body",
    [
        [OWN, REJECTED],
        {"object": "list", "data": [OWN]},
        {"characters": [OWN], "nextCursor": None},
        {"data": {"items": [OWN], "has_more": False}},
        {"items": [OWN], "pagination": {}},
    ],
)
async def test_ones_own_characters_come_in_any_envelope(body: Json) -> None:
    upstream, calls = desk(answer(body))
    page = await calls.my_characters(key=KEY)
    assert [own.character.id for own in page.characters] == [GUIDE_ID]
    assert page.next_cursor is None
    request = upstream.requests[0]
    assert request.url == httpx.URL("https://nano-gpt.example/api/v1/characters/mine")
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"


async def test_ones_own_characters_are_paged() -> None:
    other = {**ARCHIVED, "id": "other"}
    upstream, calls = desk(
        answer({"data": [OWN], "next_cursor": "c"}),
        answer({"data": [cast("Json", other)], "next_cursor": "c"}),
    )
    first = await calls.my_characters(key=KEY)
    second = await calls.my_characters(key=KEY, cursor=first.next_cursor)
    assert [own.character.archived for own in (*first.characters, *second.characters)] == [False, True]
    assert second.next_cursor is None
    assert [str(request.url.query, "ascii") for request in upstream.requests] == ["", "cursor=c"]


async def test_an_author_reads_the_prompt_and_a_stranger_does_not() -> None:
    upstream, calls = desk(answer({"character": OWN}), answer(GUIDE))
    own = await calls.own_character("helpful-guide", key=KEY)
    assert own.system_prompt == PROMPT
    assert (await calls.own_character("helpful-guide", key=KEY)).system_prompt is None
    assert [request.method for request in upstream.requests] == ["GET", "GET"]


async def test_reads_are_tried_again_after_a_passing_failure() -> None:
    upstream, calls = desk(answer(ERRORS["down"], 503), answer([OWN]), httpx.ReadTimeout("no"), answer(OWN))
    await calls.my_characters(key=KEY)
    await calls.own_character("helpful-guide", key=KEY)
    assert upstream.slept == [1.0, 1.0]


async def test_neither_a_key_nor_a_prompt_is_logged_or_raised(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo: Json = {"error": {"message": f"bad key {FAKE_KEY}", "code": "bad", "param": "system_prompt"}}
    _, calls = desk(answer(echo, 400), answer(OWN, 201))
    with pytest.raises(errors.InvalidRequestError) as caught:
        await calls.create_character(NEW, key=KEY)
    error = caught.value
    assert FAKE_KEY not in f"{error} {error!r} {error.message} {vars(error)}"
    made = await calls.create_character(NEW, key=KEY)
    told = f"{caplog.text} {made!r}"
    assert FAKE_KEY not in told
    assert PROMPT not in told
    assert "key of member" in caplog.text
