import json
from typing import Final

import pytest

from bot.nanogpt import errors
from bot.nanogpt.errors import Fault, NanoGptError
from bot.nanogpt.faults import Call, error_for, fault_of, looks_like_page, read_fault, without_secret
from bot.nanogpt.jsonvalue import Json
from tests.nanogpt.fixtures import ERRORS, FAILED, FAKE_KEY, PAGE

NOON: Final = 1_760_011_200.0
"""Unix time of 2025-10-09, 12:00 UTC."""
MIDNIGHT: Final = NOON + 12 * 3600
JSON: Final = {"content-type": "application/json"}


def refusal(
    status: int, body: Json | bytes, call: Call = Call.RESPONSE, *, keyed: bool = True, **headers: str
) -> NanoGptError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_for(read_fault(status, named, raw, now=NOON), call, keyed=keyed, now=NOON)


def message(text: str, **fields: Json) -> Json:
    return {"error": {"message": text, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "call", "expected"),
    [
        (401, ERRORS["bad session"], Call.RESPONSE, errors.BadKeyError),
        (401, ERRORS["no key"], Call.LOOKUP, errors.BadKeyError),
        (400, ERRORS["bad session"], Call.RESPONSE, errors.BadKeyError),
        (403, message("Invalid session"), Call.REPORT, errors.BadKeyError),
        (403, message("no", type="malformed_api_key"), Call.LOOKUP, errors.BadKeyError),
        (401, b"", Call.LOOKUP, errors.BadKeyError),
        (500, message("no", code="invalid_api_key"), Call.RESPONSE, errors.UpstreamDownError),
        (
            403,
            message("no", type="authentication_error", code="api_key_origin_not_allowed"),
            Call.RESPONSE,
            errors.NotPermittedError,
        ),
        (402, ERRORS["no balance"], Call.RESPONSE, errors.InsufficientBalanceError),
        (402, b"", Call.REPORT, errors.InsufficientBalanceError),
        (403, message("Insufficient account balance"), Call.LOOKUP, errors.InsufficientBalanceError),
        (429, message("no", code="insufficient_quota"), Call.RESPONSE, errors.InsufficientBalanceError),
        (403, message("no", code="webSearch_balance_required"), Call.RESPONSE, errors.InsufficientBalanceError),
        (403, ERRORS["character closed"], Call.RESPONSE, errors.CharacterUnusableError),
        (403, ERRORS["character closed"], Call.LOOKUP, errors.NotPermittedError),
        (404, ERRORS["no character"], Call.RESPONSE, errors.CharacterUnusableError),
        (404, ERRORS["no character"], Call.LOOKUP, errors.NotFoundError),
        (410, message("character archived"), Call.RESPONSE, errors.CharacterUnusableError),
        (410, message("gone"), Call.LOOKUP, errors.NotFoundError),
        (400, message("no", param="character_id"), Call.RESPONSE, errors.CharacterUnusableError),
        (422, message("no", code="character_not_approved"), Call.RESPONSE, errors.CharacterUnusableError),
        (400, message("Invalid character id"), Call.RESPONSE, errors.CharacterUnusableError),
        (400, message("input is over the character limit"), Call.RESPONSE, errors.InvalidRequestError),
        (400, message("at most 9000 characters"), Call.RESPONSE, errors.InvalidRequestError),
        (400, message("unexpected character at position 3"), Call.RESPONSE, errors.InvalidRequestError),
        (500, message("character store is down"), Call.RESPONSE, errors.UpstreamDownError),
        (403, ERRORS["model not included"], Call.RESPONSE, errors.NotPermittedError),
        (404, ERRORS["no response"], Call.RESPONSE, errors.NotFoundError),
        (400, ERRORS["model required"], Call.RESPONSE, errors.InvalidRequestError),
        (400, ERRORS["too few tokens"], Call.RESPONSE, errors.InvalidRequestError),
        (415, message("no"), Call.RESPONSE, errors.InvalidRequestError),
        (422, {"detail": [{"msg": "bad"}]}, Call.RESPONSE, errors.InvalidRequestError),
        (400, ERRORS["moderated"], Call.RESPONSE, errors.ContentPolicyError),
        (400, {"error": "blocked", "moderation": {}}, Call.RESPONSE, errors.ContentPolicyError),
        (400, ERRORS["too long"], Call.RESPONSE, errors.ContextTooLongError),
        (413, ERRORS["too long"], Call.RESPONSE, errors.ContextTooLongError),
        (400, message("This model's maximum context length is 8192"), Call.RESPONSE, errors.ContextTooLongError),
        (413, b"", Call.RESPONSE, errors.TooLargeError),
        (413, PAGE, Call.RESPONSE, errors.TooLargeError),
        (400, message("no", code="empty_response"), Call.RESPONSE, errors.EmptyResponseError),
        (429, ERRORS["too fast"], Call.RESPONSE, errors.ThroughputLimitedError),
        (429, b"", Call.LOOKUP, errors.ThroughputLimitedError),
        (429, PAGE, Call.LOOKUP, errors.ThroughputLimitedError),
        (429, ERRORS["daily cap"], Call.LOOKUP, errors.DailyLimitError),
        (429, message("Daily limit of your key"), Call.LOOKUP, errors.DailyLimitError),
        (409, ERRORS["reported"], Call.REPORT, errors.ConflictError),
        (408, b"", Call.LOOKUP, errors.UpstreamDownError),
        (500, b"", Call.LOOKUP, errors.UpstreamDownError),
        (502, PAGE, Call.LOOKUP, errors.UpstreamDownError),
        (503, ERRORS["down"], Call.RESPONSE, errors.UpstreamDownError),
        (504, b"gateway timeout", Call.RESPONSE, errors.UpstreamDownError),
        (404, PAGE, Call.LOOKUP, errors.UpstreamDownError),
        (401, PAGE, Call.LOOKUP, errors.UpstreamDownError),
        (302, b"", Call.LOOKUP, errors.MalformedAnswerError),
        (400, {"error": "no"}, Call.KEY_CHECK, errors.BadKeyError),
        (403, b"", Call.KEY_CHECK, errors.BadKeyError),
        (403, PAGE, Call.KEY_CHECK, errors.UpstreamDownError),
        (404, b"", Call.KEY_CHECK, errors.NotFoundError),
        (429, b"", Call.KEY_CHECK, errors.ThroughputLimitedError),
        (403, ERRORS["character closed"], Call.REVIEW, errors.NotPermittedError),
        (404, ERRORS["no character"], Call.AUTHORING, errors.NotFoundError),
        (404, {"error": "invalid_code"}, Call.LOGIN, errors.NotFoundError),
    ],
)
def test_a_refusal_is_named(status: int, body: Json | bytes, call: Call, expected: type[NanoGptError]) -> None:
    error = refusal(status, body, call)
    assert type(error) is expected
    assert error.status == status


def test_without_a_key_401_says_only_that_one_is_needed() -> None:
    assert type(refusal(401, ERRORS["no key"], Call.LOOKUP, keyed=False)) is errors.NotPermittedError


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (FAILED, errors.UpstreamDownError),
        ({"type": "error", "code": "rate_limit_exceeded"}, errors.ThroughputLimitedError),
        ({"type": "error", "code": "invalid_prompt"}, errors.ContentPolicyError),
        ({"type": "error", "code": "invalid_image_url"}, errors.InvalidRequestError),
        ({"type": "error", "error": {"type": "invalid_request_error"}}, errors.InvalidRequestError),
        ({"type": "error", "error": {"type": "permission_error"}}, errors.NotPermittedError),
        ({"type": "error", "code": "model_not_found"}, errors.NotFoundError),
        ({"type": "error", "code": "character_not_found"}, errors.CharacterUnusableError),
        ({"type": "error", "message": "context window exceeded"}, errors.ContextTooLongError),
        ({"type": "error", "code": "invalid_api_key"}, errors.BadKeyError),
        ({"error": {"status": 402}}, errors.InsufficientBalanceError),
        ({"type": "response.failed", "response": {}}, errors.UpstreamDownError),
    ],
)
def test_a_failure_inside_an_answer_is_named_by_its_words(event: Json, expected: type[NanoGptError]) -> None:
    assert type(error_for(fault_of(event), Call.RESPONSE, keyed=True, now=NOON)) is expected


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (message("m", type="t", code="c", param="p"), Fault(message="m", type="t", code="c", param="p")),
        (message("m", status=503), Fault(message="m", status=503)),
        (ERRORS["no balance"], Fault(message="Insufficient balance", status=402, required_balance=0.0035)),
        (
            {"type": "error", "error": {"type": "overloaded", "message": "m"}},
            Fault(message="m", type="overloaded"),
        ),
        ({"error": "invalid_grant", "error_description": "m"}, Fault(message="m", code="invalid_grant")),
        ({"error": 404, "message": "m"}, Fault(message="m", status=404)),
        ({"code": "c", "message": "m", "type": "t"}, Fault(message="m", code="c", type="t")),
        ({"type": "error", "code": "c", "message": "m"}, Fault(message="m", code="c")),
        ({"code": 429, "message": "m"}, Fault(message="m", status=429)),
        ({"detail": "m"}, Fault(message="m")),
        ({"detail": [{"msg": "m"}]}, Fault(message="m")),
        ({"errors": [{}, 7, {"message": "m"}]}, Fault(message="m")),
        ({"errors": ["m"]}, Fault(message="m")),
        ({"errors": []}, Fault()),
        ("m", Fault(message="m")),
        (["m"], Fault()),
        (None, Fault()),
        ({}, Fault()),
        (message("  "), Fault()),
        (message("m", retry_after=3), Fault(message="m", retry_after=3.0)),
        ({"error": "m", "retryAfter": "4"}, Fault(message="m", retry_after=4.0)),
        ({"error": "m", "retryAfter": -4}, Fault(message="m")),
        ({"error": "m", "request_id": "req_fake"}, Fault(message="m", request_id="req_fake")),
        (message("m", status=42), Fault(message="m")),
    ],
)
def test_every_envelope_is_read(body: Json, fault: Fault) -> None:
    assert fault_of(body) == fault


def test_a_long_message_is_cut() -> None:
    text = fault_of("x" * 1000).message
    assert text is not None
    assert len(text) == errors.MESSAGE_LENGTH
    assert text.endswith("…")


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("2", {}, 2.0),
        ("Thu, 09 Oct 2025 12:00:30 GMT", {}, 30.0),
        ("soon", {"retry_after": 5}, 5.0),
        ("2", {"retry_after": 5}, 2.0),
    ],
)
def test_the_header_tells_first_when_to_ask_again(header: str, body: Json, seconds: float) -> None:
    assert refusal(429, body, retry_after=header).retry_after == seconds


def test_the_request_id_is_kept() -> None:
    assert refusal(500, b"", x_request_id="req_fake").request_id == "req_fake"
    assert "req_fake" in str(refusal(500, b"", x_request_id="req_fake"))


@pytest.mark.parametrize(("headers", "reset"), [({"retry-after": "30000"}, NOON + 30_000), ({}, MIDNIGHT)])
def test_a_daily_cap_tells_when_it_ends(headers: dict[str, str], reset: float) -> None:
    fault = read_fault(429, headers, json.dumps(ERRORS["daily cap"]).encode(), now=NOON)
    error = error_for(fault, Call.LOOKUP, keyed=True, now=NOON)
    assert isinstance(error, errors.DailyLimitError)
    assert error.resets_at == reset


def test_the_balance_that_was_needed_is_told() -> None:
    error = refusal(402, ERRORS["no balance"])
    assert isinstance(error, errors.InsufficientBalanceError)
    assert error.required_balance == 0.0035


@pytest.mark.parametrize(
    ("content_type", "body", "page"),
    [
        ("text/html; charset=utf-8", b"", True),
        ("TEXT/HTML", b"{}", True),
        ("", b"  <!doctype html>", True),
        ("application/json", b"oops", False),
        ("", b"", False),
    ],
)
def test_a_web_page_is_known_by_its_type_or_its_look(content_type: str, body: bytes, *, page: bool) -> None:
    assert looks_like_page(content_type, body) is page


def test_a_body_that_is_no_json_is_the_message_and_a_page_is_not() -> None:
    assert read_fault(500, {}, b"out of order", now=NOON).message == "out of order"
    assert read_fault(500, {}, PAGE, now=NOON).message is None


def test_keys_are_taken_out_of_what_upstream_wrote() -> None:
    bare = "00000000-1111-4222-8333-444444444444"
    fault = Fault(message=f"key {bare} of {FAKE_KEY} and sk-fak****efgh", type=bare, code="c", param=None)
    cleaned = without_secret(fault, bare)
    assert cleaned == Fault(message="key [key] of [key] and [key]", type="[key]", code="c")
    assert without_secret(Fault(message="plain"), "") == Fault(message="plain")


def test_the_text_of_an_error_quotes_neither_people_nor_upstream() -> None:
    error = errors.InvalidRequestError(
        Fault(status=400, type="t", code="c", message="you wrote: hello", param="input"), partial_text="hello"
    )
    assert str(error) == "status 400, type t, code c, param input"
    assert repr(error) == "<InvalidRequestError: status 400, type t, code c, param input>"
    assert (error.type, error.code, error.message, error.param) == ("t", "c", "you wrote: hello", "input")
    assert str(errors.CutStreamError()) == "no details"


def test_a_message_with_half_a_pair_of_surrogates_can_be_stored() -> None:
    assert read_fault(400, JSON, b'{"error":{"message":" no \\ud83d "}}', now=NOON).message == "no ?"
