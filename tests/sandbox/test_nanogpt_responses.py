"""POST /responses of the stand-in: rules, bodies, streams, scripts, pace."""

import asyncio

import pytest

from bot.sandbox.nanogpt.cast import AUTHOR, MEMBER, PENDING, PRIVATE, UNLISTED, WITHOUT_API
from bot.sandbox.nanogpt.plan import split_tokens
from bot.sandbox.nanogpt.recording import Outcome
from bot.sandbox.nanogpt.requests import ResponseRequest
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.nanogpt.variants import ReasoningEvents
from tests.sandbox.nanogpt_visits import at, items, visiting

MESSAGE = {"type": "message", "role": "user", "content": "[Alice] Good morning"}
DOCUMENTED_KINDS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


async def test_a_whole_answer_has_the_documented_shape() -> None:
    async with visiting() as visit:
        visit.upstream.script("Hello there.")
        reply = await visit.ask()
        assert reply.status == 200
        assert reply.headers["Content-Type"].startswith("application/json")
        assert reply.headers["X-Request-ID"]
        assert (reply.at("object"), reply.at("status")) == ("response", "completed")
        assert reply.at("output", 0, "content", 0, "text") == reply.at("output_text") == "Hello there."
        assert reply.at("usage", "total_tokens") == 2 + 2
        assert reply.at("model") == "deepseek-ai/DeepSeek-V3-0324"


async def test_a_stream_has_the_documented_events_and_ends_with_the_marker() -> None:
    async with visiting() as visit:
        visit.upstream.script("Hello there.")
        reply = await visit.stream()
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        assert reply.kinds == DOCUMENTED_KINDS
        assert reply.streamed == "Hello there."
        assert [at(event, "sequence_number") for event in reply.events] == list(range(10))
        assert at(reply.events[-1], "response", "output_text") == "Hello there."
        assert reply.data[-1] == "[DONE]"
        assert b"event:" not in reply.raw
        assert b"\r" not in reply.raw


async def test_a_stream_comes_in_every_dress() -> None:
    async with visiting() as visit:
        variants = visit.upstream.variants
        variants.event_lines = variants.crlf = variants.keep_alives = True
        variants.done_marker = False
        variants.cost_usd = 0.25
        visit.upstream.script("Hello there.")
        reply = await visit.stream()
        assert reply.kinds == DOCUMENTED_KINDS
        assert b"event: response.completed\r\ndata: {" in reply.raw
        assert b": keep-alive\r\n\r\n" in reply.raw
        assert b"[DONE]" not in reply.raw
        assert b"\n" not in reply.raw.replace(b"\r\n", b"")
        assert at(reply.events[-1], "response", "x_nanogpt_pricing", "cost") == 0.25


async def test_a_stream_may_carry_its_text_in_the_closing_events_only() -> None:
    async with visiting() as visit:
        visit.upstream.variants.deltas = False
        visit.upstream.script("Hello there.")
        reply = await visit.stream()
        assert reply.streamed == ""
        assert at(reply.events[-1], "response", "output_text") == "Hello there."


@pytest.mark.parametrize("family", list(ReasoningEvents))
async def test_thoughts_come_before_the_text_and_apart_from_it(family: ReasoningEvents) -> None:
    async with visiting() as visit:
        visit.upstream.variants.reasoning = family
        visit.upstream.script("Hello.", times=2)
        reply = await visit.stream()
        assert f"{family.value}.delta" in reply.kinds
        assert reply.kinds.index(f"{family.value}.done") < reply.kinds.index("response.output_text.delta")
        assert reply.streamed == "Hello."
        whole = await visit.ask()
        assert [at(item, "type") for item in items(whole.at("output"))] == ["reasoning", "message"]
        assert whole.at("usage", "output_tokens_details", "reasoning_tokens") == 3


async def test_half_a_surrogate_pair_is_escaped_and_not_a_failure() -> None:
    async with visiting() as visit:
        visit.upstream.script("cut \ud83c here", times=2)
        assert (await visit.stream()).streamed == "cut \ud83c here"
        assert (await visit.ask()).at("output_text") == "cut \ud83c here"


async def test_a_think_block_leaks_into_the_text_when_ordered() -> None:
    async with visiting() as visit:
        visit.upstream.variants.think_block = True
        visit.upstream.script("Hello.")
        streamed = (await visit.stream()).streamed
        assert streamed.startswith("<think>\n")
        assert streamed.endswith("</think>\n\nHello.")


async def test_scripts_are_used_in_order_and_then_the_responder_again() -> None:
    def backwards(request: ResponseRequest) -> str:
        return request.items[-1].text[::-1]

    def announce(request: ResponseRequest) -> str:
        return f"{request.character.slug} speaks"

    async with visiting() as visit:
        visit.upstream.script("one")
        visit.upstream.script(backwards, times=2)
        visit.upstream.responder = announce
        said = [(await visit.ask("abc")).at("output_text") for _ in range(4)]
        assert said == ["one", "cba", "cba", "helpful-guide speaks"]


async def test_calls_are_recorded_without_their_keys() -> None:
    async with visiting() as visit:
        await visit.ask([MESSAGE, {"type": "message", "role": "developer", "content": "Be brief."}])
        call = visit.upstream.response_calls[0]
        assert (call.method, call.path, call.direct, call.status) == ("POST", "/responses", True, 200)
        assert (call.account, call.key, call.character) == ("operator", "good", "helpful-guide")
        assert call.inputs == (("user", "[Alice] Good morning"), ("developer", "Be brief."))
        assert call.first_text is None
        assert visit.upstream.operator_key not in repr(visit.upstream.calls)
        visit.upstream.assert_clean()


async def test_long_benches_need_not_keep_their_calls() -> None:
    async with visiting(NanoGptSandbox(keep_calls=False)) as visit:
        assert (await visit.ask()).status == 200
        assert visit.upstream.calls == []
        assert visit.upstream.heads == []


@pytest.mark.parametrize(
    ("slug", "operator", "owner"),
    [
        ("night-bard", 200, 200),
        (WITHOUT_API, 403, 403),
        (UNLISTED, 403, 200),
        (PENDING, 404, 200),
        (PRIVATE, 404, 200),
        ("nobody", 404, 404),
    ],
)
async def test_who_may_speak_with_a_character_follows_the_runtime_rule(slug: str, operator: int, owner: int) -> None:
    async with visiting() as visit:
        refused = await visit.ask(character_id=slug)
        assert refused.status == operator
        if operator != 200:
            assert refused.at("error", "param") == "character_id"
        assert (await visit.ask(character_id=slug, key=visit.key_of(AUTHOR))).status == owner


async def test_a_withdrawn_character_answers_nobody() -> None:
    async with visiting() as visit:
        visit.upstream.catalog.withdraw(PRIVATE)
        assert (await visit.ask(character_id=PRIVATE, key=visit.key_of(AUTHOR))).status == 404


async def test_a_response_needs_a_good_key() -> None:
    async with visiting() as visit:
        body = {"character_id": "helpful-guide", "store": False, "input": "hello"}
        assert (await visit.post("/responses", body)).at("error", "code") == "missing_api_key"
        assert (await visit.ask(key="sk-nano-fake-wrong")).at("error", "code") == "invalid_api_key"
        assert (await visit.ask(key=visit.key_of(MEMBER))).status == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["hello"]}, "input[0]"),
        ({"input": [{"role": "user", "content": "no type"}]}, "input[0]"),
        ({"input": [MESSAGE, {**MESSAGE, "role": "narrator"}]}, "input[1].role"),
        ({"input": [{**MESSAGE, "content": " "}]}, "input[0].content"),
        ({"input": [{**MESSAGE, "content": [{"type": "poem", "text": "x"}]}]}, "input[0].content"),
        ({"character_id": None}, "character_id"),
        ({"character_id": 5}, "character_id"),
        ({"max_output_tokens": 15}, "max_output_tokens"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": True}, "top_p"),
        ({"stream": "yes"}, "stream"),
        ({"store": None}, "store"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"sparkle": 1}, "sparkle"),
    ],
)
async def test_a_request_that_cannot_stand_is_refused_by_parameter(fields: dict[str, object], param: str) -> None:
    async with visiting() as visit:
        reply = await visit.post(
            "/responses",
            {"character_id": "helpful-guide", "store": False, "input": "hello", **fields},
            key=visit.upstream.operator_key,
        )
        assert (reply.status, reply.at("error", "param")) == (400, param)


@pytest.mark.parametrize("body", [[], "text", None])
async def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    async with visiting() as visit:
        reply = await visit.post("/responses", body, key=visit.upstream.operator_key)
        assert (reply.status, reply.at("error", "code")) == (400, "invalid_json")


async def test_parts_of_a_message_are_read_together() -> None:
    parts = [{"type": "input_text", "text": "abc"}, {"type": "input_image", "image_url": "https://example.com/a.png"}]
    async with visiting() as visit:
        visit.upstream.script(lambda request: request.items[0].text)
        assert (await visit.ask([{**MESSAGE, "content": parts}])).at("output_text") == "abc\n(image)"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({}, "without store"), ({"store": False, "instructions": "Be a pirate."}, "instructions")],
)
async def test_careless_requests_are_answered_and_complained_about(fields: dict[str, object], complaint: str) -> None:
    async with visiting() as visit:
        body = {"character_id": "helpful-guide", "input": "hello", **fields}
        reply = await visit.post("/responses", body, key=visit.upstream.operator_key)
        assert reply.status == 200
        assert complaint in visit.upstream.complaints[0]


async def test_instructions_replace_the_persona() -> None:
    async with visiting() as visit:
        reply = await visit.ask("hello", instructions="Be a pirate.")
        assert "took the place of Helpful Guide" in str(reply.at("output_text"))


async def test_model_may_be_required_beside_the_character() -> None:
    async with visiting() as visit:
        visit.upstream.variants.model_required = True
        refused = await visit.ask()
        assert (refused.status, refused.at("error", "code")) == (400, "missing_required_parameter")
        assert refused.at("error", "param") == "model"
        assert (await visit.ask(model="some/model")).at("model") == "some/model"


async def test_a_context_limit_refuses_what_is_longer() -> None:
    async with visiting() as visit:
        visit.upstream.context_characters = 10
        assert (await visit.ask("0123456789")).status == 200
        assert (await visit.ask("0123456789!")).at("error", "code") == "context_length_exceeded"


async def test_a_token_limit_cuts_the_answer_and_says_so() -> None:
    async with visiting() as visit:
        visit.upstream.script(" ".join(["word"] * 20), times=2)
        reply = await visit.ask(max_output_tokens=16)
        assert (reply.at("status"), reply.at("incomplete_details", "reason")) == ("incomplete", "max_output_tokens")
        assert reply.at("output_text") == " ".join(["word"] * 16)
        assert (await visit.stream(max_output_tokens=16)).kinds[-1] == "response.incomplete"


async def test_both_addresses_take_responses_but_only_one_has_the_catalogue() -> None:
    async with visiting() as visit:
        body = {"character_id": "helpful-guide", "store": False, "input": "hello"}
        assert (await visit.post("/responses", body, key=visit.upstream.operator_key)).status == 200
        assert (await visit.get("/characters", direct=True)).status == 404
        assert len(visit.upstream.unknown_routes) == 1


async def test_pace_spaces_the_tokens_by_an_injected_clock() -> None:
    waits: list[float] = []
    clock = 100.0

    async def sleep(seconds: float) -> None:
        nonlocal clock
        waits.append(round(seconds, 6))
        clock += seconds
        await asyncio.sleep(0)

    upstream = NanoGptSandbox(sleep=sleep, monotonic=lambda: clock)
    async with visiting(upstream) as visit:
        upstream.pace.first_token_seconds = 2.0
        upstream.pace.tokens_per_second = 4.0
        upstream.script("one two three")
        assert (await visit.stream()).streamed == "one two three"
        assert waits == [2.0, 0.25, 0.25]
        call = upstream.response_calls[0]
        assert (call.first_text, call.last_text) == (102.0, 102.5)


@pytest.mark.parametrize("text", ["", "one two", "  spaced\n\nout  ", "unbreakable" * 5, "日本語のテキスト 🎈"])
def test_tokens_joined_are_the_text(text: str) -> None:
    tokens = split_tokens(text)
    assert "".join(tokens) == text
    assert all(tokens)


async def test_an_onlooker_is_told_whenever_a_call_gets_further() -> None:
    told: list[tuple[int | None, Outcome, bool]] = []
    async with visiting(NanoGptSandbox(keep_calls=False)) as visit:
        visit.upstream.listen(lambda call: told.append((call.status, call.outcome, call.ended is not None)))
        await visit.stream()
        await visit.upstream.wait_for(lambda: len(told) == 3)
    assert told == [(None, Outcome.OPEN, False), (200, Outcome.OPEN, False), (200, Outcome.ANSWERED, True)]
