import gzip
import json
import logging

import httpx
import pytest

from bot.domain.ids import PayerId
from bot.domain.ratings import ContentRating
from bot.nanogpt import errors
from bot.nanogpt.jsonvalue import Json
from bot.nanogpt.pace import Priority
from bot.nanogpt.payloads import PageShape
from bot.nanogpt.requests import ApiKey, CatalogQuery
from bot.nanogpt.transport import TimeLimits, build_http_client
from tests.nanogpt.account_fixtures import MODELS, REVIEWED
from tests.nanogpt.fixtures import CATALOGUE_PAGE, ERRORS, FAKE_KEY, GUIDE, GUIDE_ID, MODELS_PAGE, PAGE
from tests.nanogpt.support import Step, Upstream, answer, body_of, piecemeal, raw

KEY = ApiKey(FAKE_KEY, PayerId("operator"))
QUERY = CatalogQuery(ContentRating.SFW)


async def test_the_catalogue_is_read_without_a_key() -> None:
    upstream = Upstream([answer(CATALOGUE_PAGE)])
    page = await upstream.client().list_characters(
        CatalogQuery(ContentRating.NSFW, text="a&b", tags=("x", "y"), cursor="c")
    )
    assert [character.name for character in page.characters] == ["Helpful Guide", "Night Bard", "Odd @everyone One"]
    request = upstream.requests[0]
    assert request.url == httpx.URL(
        "https://nano-gpt.example/api/v1/characters?content_rating_max=nsfw&sort=trending_simple&limit=25&q=a%26b"
        "&tags=x&tags=y&cursor=c"
    )
    assert "authorization" not in request.headers
    assert upstream.pace.turns == [Priority.CATALOGUE]


async def test_a_search_for_half_a_character_is_sent() -> None:
    upstream = Upstream([answer(CATALOGUE_PAGE)])
    await upstream.client().list_characters(CatalogQuery(ContentRating.SFW, text="a\ud83d"))
    assert upstream.requests[0].url.params["q"] == "a?"


async def test_a_key_is_sent_when_it_is_given() -> None:
    upstream = Upstream([answer(CATALOGUE_PAGE)])
    await upstream.client().list_characters(QUERY, key=KEY)
    assert upstream.requests[0].headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert "x-api-key" not in upstream.requests[0].headers


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("helpful-guide", "helpful-guide"),
        (f" {GUIDE_ID} ", GUIDE_ID),
        ("../mine", "..%2Fmine"),
        ("a b?c#d%", "a%20b%3Fc%23d%25"),
        ("é", "%C3%A9"),
        ("a\ud83d", "a%3F"),
    ],
)
async def test_a_name_is_one_segment_of_the_path(name: str, path: str) -> None:
    upstream = Upstream([answer({"character": GUIDE})])
    character = await upstream.client().get_character(name)
    assert character.name == "Helpful Guide"
    assert upstream.requests[0].url.raw_path == f"/api/v1/characters/{path}".encode()


@pytest.mark.parametrize("name", ["mine", " Mine ", "", " ", ".", ".."])
async def test_names_that_are_no_characters_are_not_asked_for(name: str) -> None:
    upstream = Upstream([])
    with pytest.raises(errors.NotFoundError):
        await upstream.client().get_character(name)
    with pytest.raises(errors.NotFoundError):
        await upstream.client().report(name, reason="r", details=None, key=KEY)
    with pytest.raises(errors.NotFoundError):
        await upstream.client().review(name, rating=5, text=None, key=KEY)
    assert upstream.requests == []


async def test_character_models_are_paged() -> None:
    upstream = Upstream([answer(MODELS_PAGE), answer(MODELS_PAGE)])
    client = upstream.client()
    page = await client.character_models()
    assert [model.character_id for model in page.models] == [GUIDE_ID]
    await client.character_models(detailed=False, cursor="c", limit=5, key=KEY)
    assert [str(request.url.query, "ascii") for request in upstream.requests] == [
        "detailed=true",
        "detailed=false&cursor=c&limit=5",
    ]


@pytest.mark.parametrize(
    ("details", "body"),
    [(None, {"reason": "r"}), ("", {"reason": "r"}), ("d", {"reason": "r", "details": "d"})],
)
async def test_a_report_is_sent_with_the_key(details: str | None, body: dict[str, Json]) -> None:
    upstream = Upstream([httpx.Response(204)])
    await upstream.client().report("helpful-guide", reason="r", details=details, key=KEY)
    request = upstream.requests[0]
    assert (request.method, request.url.path) == ("POST", "/api/v1/characters/helpful-guide/report")
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert upstream.sent() == body


@pytest.mark.parametrize("step", [answer({"ok": True}, 201), raw(b"thanks", 200, "text/plain"), httpx.Response(204)])
async def test_any_success_means_that_a_report_was_taken(step: httpx.Response) -> None:
    await Upstream([step]).client().report("x", reason="r", details=None, key=KEY)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (answer(ERRORS["down"], 503), errors.UpstreamDownError),
        (answer(ERRORS["too fast"], 429), errors.ThroughputLimitedError),
        (answer(ERRORS["reported"], 409), errors.ConflictError),
        (httpx.ReadTimeout("slow"), errors.StalledError),
        (raw(PAGE, 200), errors.UpstreamDownError),
    ],
)
async def test_a_report_is_sent_once(step: Step, expected: type[errors.NanoGptError]) -> None:
    upstream = Upstream([step])
    with pytest.raises(expected):
        await upstream.client().report("x", reason="r", details=None, key=KEY)
    assert upstream.slept == []


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (None, {"rating": 5}),
        ("", {"rating": 5}),
        ("Helped me a great deal.", {"rating": 5, "review_text": "Helped me a great deal."}),
    ],
)
async def test_a_review_is_put_with_the_key_and_without_an_empty_text(text: str | None, body: dict[str, Json]) -> None:
    upstream = Upstream([answer(REVIEWED)])
    await upstream.client().review("helpful-guide", rating=5, text=text, key=KEY)
    request = upstream.requests[0]
    assert (request.method, request.url.path) == ("PUT", "/api/v1/characters/helpful-guide/review")
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert upstream.sent() == body


@pytest.mark.parametrize(
    "step",
    [answer(REVIEWED), answer(GUIDE, 201), answer([]), raw(b"thanks", 200, "text/plain"), httpx.Response(204)],
)
async def test_any_success_means_that_a_review_was_taken(step: httpx.Response) -> None:
    await Upstream([step]).client().review("x", rating=1, text=None, key=KEY)


@pytest.mark.parametrize(
    ("step", "expected", "uncertain"),
    [
        (answer(ERRORS["short review"], 400), errors.InvalidRequestError, False),
        (answer({"error": "Reviews need a subscription"}, 400), errors.InvalidRequestError, False),
        (answer(ERRORS["no balance"], 402), errors.InsufficientBalanceError, False),
        (answer({"error": {"message": "Insufficient balance"}}, 403), errors.InsufficientBalanceError, False),
        (answer({"error": {"message": "Reviews need a subscription"}}, 403), errors.NotPermittedError, False),
        (answer(ERRORS["bad session"], 401), errors.BadKeyError, False),
        (answer(ERRORS["no character"], 404), errors.NotFoundError, False),
        (answer({"error": "own character"}, 409), errors.ConflictError, False),
        (answer(ERRORS["too fast"], 429), errors.ThroughputLimitedError, False),
        (answer(ERRORS["down"], 503), errors.UpstreamDownError, True),
        (httpx.ReadTimeout("slow"), errors.StalledError, True),
        (httpx.ConnectError("no"), errors.UnreachableError, False),
    ],
)
async def test_a_review_is_sent_once(step: Step, expected: type[errors.NanoGptError], *, uncertain: bool) -> None:
    upstream = Upstream([step])
    with pytest.raises(errors.NanoGptError) as caught:
        await upstream.client().review("x", rating=1, text=None, key=KEY)
    assert type(caught.value) is expected
    assert caught.value.uncertain is uncertain
    assert len(upstream.requests) == 1


async def test_models_are_listed_with_and_without_a_key() -> None:
    upstream = Upstream([answer(MODELS), answer(MODELS)])
    client = upstream.client()
    assert [model.id for model in await client.models()] == ["deepseek-ai/DeepSeek-V3-0324", "some/model"]
    assert await client.models(key=KEY) == await Upstream([answer(MODELS)]).client().models()
    assert str(upstream.requests[0].url) == "https://nano-gpt.example/api/v1/models?detailed=true"
    assert [request.headers.get("authorization") for request in upstream.requests] == [None, f"Bearer {FAKE_KEY}"]


@pytest.mark.parametrize(
    "failure",
    [
        answer(ERRORS["down"], 503),
        answer(ERRORS["too fast"], 429),
        raw(PAGE, 502),
        raw(PAGE, 200),
        httpx.ConnectError("no"),
        httpx.ConnectTimeout("no"),
        httpx.ReadTimeout("no"),
        httpx.RemoteProtocolError("no"),
        piecemeal(b"{", httpx.ReadError("no")),
    ],
)
async def test_a_lookup_is_tried_again_after_a_passing_failure(failure: Step) -> None:
    upstream = Upstream([failure, answer(GUIDE)], jitter=1.0)
    assert (await upstream.client().get_character("x")).id == GUIDE_ID
    assert upstream.slept == [1.5]


async def test_a_lookup_is_tried_three_times() -> None:
    upstream = Upstream([answer(ERRORS["down"], 503)] * 3)
    with pytest.raises(errors.UpstreamDownError) as caught:
        await upstream.client().get_character("x")
    assert caught.value.code == "all_fallbacks_failed"
    assert upstream.slept == [1.0, 2.0]
    assert len(upstream.pace.turns) == 3


async def test_retry_after_is_honoured() -> None:
    upstream = Upstream([answer(ERRORS["too fast"], 429, retry_after="7"), answer(GUIDE)])
    await upstream.client().get_character("x")
    assert upstream.slept == [7.0]


@pytest.mark.parametrize("seconds", ["61", "30000"])
async def test_a_long_retry_after_is_told_and_not_slept(seconds: str) -> None:
    upstream = Upstream([answer(ERRORS["too fast"], 429, retry_after=seconds)])
    with pytest.raises(errors.ThroughputLimitedError) as caught:
        await upstream.client().get_character("x")
    assert caught.value.retry_after == float(seconds)
    assert upstream.slept == []


async def test_a_wait_beyond_the_limit_of_a_lookup_is_not_begun() -> None:
    upstream = Upstream([answer(ERRORS["too fast"], 429, retry_after="40")], limits=TimeLimits(lookup=30))
    with pytest.raises(errors.ThroughputLimitedError):
        await upstream.client().get_character("x")
    assert upstream.slept == []


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (answer(ERRORS["no key"], 401), errors.NotPermittedError),
        (answer(ERRORS["no character"], 404), errors.NotFoundError),
        (answer(ERRORS["no character"], 410), errors.NotFoundError),
        (raw(PAGE, 404), errors.UpstreamDownError),
        (answer(ERRORS["daily cap"], 429, retry_after="30000"), errors.DailyLimitError),
        (raw(b"plain words", 200, "text/plain"), errors.MalformedAnswerError),
        (answer({"ok": True}), errors.MalformedAnswerError),
        (answer({"id": "x"}, 302, location="https://elsewhere.example/"), errors.MalformedAnswerError),
        (piecemeal(*[b"x" * 4_000_000] * 3), errors.MalformedAnswerError),
        (
            piecemeal(b"no gzip", content_encoding="gzip"),
            errors.MalformedAnswerError,
        ),
    ],
)
async def test_a_lasting_failure_is_raised_at_once(step: Step, expected: type[errors.NanoGptError]) -> None:
    upstream = Upstream([step])
    with pytest.raises(expected):
        await upstream.client().get_character("x")
    assert upstream.slept == []


async def test_an_unreadable_answer_tells_its_request_id() -> None:
    upstream = Upstream([answer({}, x_request_id="req_fake")])
    with pytest.raises(errors.MalformedAnswerError) as caught:
        await upstream.client().get_character("x")
    assert (caught.value.status, caught.value.request_id) == (200, "req_fake")


async def test_a_compressed_answer_is_read() -> None:
    packed = gzip.compress(json.dumps(GUIDE).encode())
    upstream = Upstream([piecemeal(packed, content_encoding="gzip")])
    assert (await upstream.client().get_character("x")).id == GUIDE_ID


async def test_a_lookup_that_trickles_is_given_up() -> None:
    upstream = Upstream([])
    trickle = piecemeal(b" ", upstream.pass_time(20), b" ", upstream.pass_time(20), b" ")
    upstream.script = [trickle]
    with pytest.raises(errors.StalledError) as caught:
        await upstream.client().get_character("x")
    assert caught.value.code == "overall_limit"
    assert body_of(trickle).closed


async def test_time_spent_in_the_queue_counts() -> None:
    upstream = Upstream([])
    upstream.pace.on_turn = upstream.pass_time(31)
    with pytest.raises(errors.StalledError):
        await upstream.client().get_character("x")


async def test_an_endless_refusal_is_cut_and_closed() -> None:
    refusal = piecemeal(*[b"x" * 50_000] * 10, status=400)
    with pytest.raises(errors.InvalidRequestError):
        await Upstream([refusal]).client().get_character("x")
    assert body_of(refusal).closed
    assert body_of(refusal).sent == 2


async def test_a_refusal_that_breaks_is_named_by_its_status() -> None:
    refusal = piecemeal(b'{"error":', httpx.ReadError("no"), status=403)
    with pytest.raises(errors.NotPermittedError):
        await Upstream([refusal]).client().get_character("x")


async def test_the_time_limits_are_handed_to_the_transport() -> None:
    upstream = Upstream([answer(GUIDE)], limits=TimeLimits(connect=3, lookup_idle=20))
    await upstream.client().get_character("x")
    assert upstream.requests[0].extensions["timeout"] == {"connect": 3, "read": 20, "write": 20, "pool": None}


async def test_no_failure_shows_a_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo: Json = {"error": {"message": f"bad key {FAKE_KEY}", "code": FAKE_KEY, "param": FAKE_KEY}}
    steps: list[Step] = [
        answer(echo, 400),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {FAKE_KEY}'"),
        httpx.ConnectError(FAKE_KEY),
        answer(ERRORS["down"], 503),
    ]
    for step in steps:
        with pytest.raises(errors.NanoGptError) as caught:
            await Upstream([step] * 3).client().get_character("x", key=KEY)
        error = caught.value
        told = f"{error} {error!r} {error.message} {error.code} {error.param} {error.args} {vars(error)}"
        assert FAKE_KEY not in told
        assert error.__context__ is None
        assert error.__cause__ is None
    assert FAKE_KEY not in caplog.text
    assert "key of operator" in caplog.text


async def test_a_call_without_a_key_is_logged_as_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    await Upstream([answer(GUIDE)]).client().get_character("x")
    assert caplog.messages[-1].endswith(", no key")


async def test_the_query_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    upstream = Upstream([answer(CATALOGUE_PAGE)])
    await upstream.client().list_characters(CatalogQuery(ContentRating.SFW, text="private words"))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("bot")]
    assert len(ours) == 1
    assert "private" not in ours[0]


async def test_the_catalogue_is_described_in_names() -> None:
    upstream = Upstream([answer({"items": [{"id": "1", "image": "/a.png"}], "cursor": "c"}), answer(MODELS_PAGE)])
    findings = await upstream.client().probe_catalogue()
    assert findings.characters == PageShape("items", "cursor", ("id", "image"), "image")
    assert findings.models == PageShape("data", None, ("character", "created", "id", "object", "owned_by"), None)
    assert upstream.requests[0].url.params["content_rating_max"] == "sfw"


async def test_the_http_client_keeps_no_cookies_and_follows_no_redirects() -> None:
    async with build_http_client(max_connections=4) as http:
        assert not http.follow_redirects
        assert not http.trust_env
        request = http.build_request("GET", "https://nano-gpt.example/")
        response = httpx.Response(200, headers={"set-cookie": "session=fake; Path=/"}, request=request)
        http.cookies.extract_cookies(response)
        assert not http.cookies
        assert request.headers["user-agent"] == "character-bot"
