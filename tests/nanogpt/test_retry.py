from typing import Final

import pytest

from bot.nanogpt import errors
from bot.nanogpt.errors import Fault, NanoGptError
from bot.nanogpt.retry import RetryPolicy, parse_retry_after, refuses_streaming, retry_delay, wants_model

NOON: Final = 1_760_011_200.0


def delay(error: NanoGptError, retries_done: int = 0, jitter: float = 0.0) -> float | None:
    return retry_delay(error, retries_done, jitter=jitter, policy=RetryPolicy())


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (errors.UnreachableError(), True),
        (errors.StalledError(), True),
        (errors.CutStreamError(Fault(status=200)), True),
        (errors.EmptyResponseError(), True),
        (errors.UpstreamDownError(Fault(status=500)), True),
        (errors.UpstreamDownError(Fault(status=503)), True),
        (errors.UpstreamDownError(Fault(status=408)), True),
        (errors.UpstreamDownError(Fault(status=200, web_page=True)), True),
        (errors.UpstreamDownError(), True),
        (errors.UpstreamDownError(Fault(status=404, web_page=True)), False),
        (errors.UpstreamDownError(Fault(status=302, web_page=True)), False),
        (errors.ThroughputLimitedError(Fault(status=429)), True),
        (errors.DailyLimitError(Fault(status=429), resets_at=0), False),
        (errors.BadKeyError(Fault(status=401)), False),
        (errors.InsufficientBalanceError(Fault(status=402)), False),
        (errors.NotPermittedError(Fault(status=403)), False),
        (errors.NotFoundError(Fault(status=404)), False),
        (errors.ConflictError(Fault(status=409)), False),
        (errors.InvalidRequestError(Fault(status=400)), False),
        (errors.ContextTooLongError(Fault(status=400)), False),
        (errors.ContentPolicyError(Fault(status=400)), False),
        (errors.CharacterUnusableError(Fault(status=403)), False),
        (errors.TooLargeError(Fault(status=413)), False),
        (errors.MalformedAnswerError(Fault(status=200)), False),
    ],
)
def test_only_what_passes_by_itself_is_retried(error: NanoGptError, *, retried: bool) -> None:
    assert (delay(error) is not None) is retried


def test_text_that_was_shown_is_never_generated_again() -> None:
    assert delay(errors.CutStreamError(partial_text="Hel")) is None


@pytest.mark.parametrize(
    ("retries_done", "jitter", "seconds"), [(0, 0.0, 1.0), (1, 0.0, 2.0), (0, 1.0, 1.5), (1, 0.5, 2.5), (2, 0.0, None)]
)
def test_delays_double_with_jitter_up_to_two_retries(retries_done: int, jitter: float, seconds: float | None) -> None:
    assert delay(errors.StalledError(), retries_done, jitter) == seconds


def test_an_empty_reply_is_retried_once() -> None:
    assert delay(errors.EmptyResponseError(), 0) == 1.0
    assert delay(errors.EmptyResponseError(), 1) is None


@pytest.mark.parametrize(("asked", "seconds"), [(0.0, 1.0), (0.5, 1.0), (7.0, 7.0), (60.0, 60.0), (60.1, None)])
def test_retry_after_is_honoured_up_to_a_minute(asked: float, seconds: float | None) -> None:
    assert delay(errors.ThroughputLimitedError(Fault(status=429, retry_after=asked))) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("2", 2.0),
        ("1.5", 1.5),
        (" 2 ", 2.0),
        ("30000", 30_000.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        ("Thu, 09 Oct 2025 12:00:30 GMT", 30.0),
        ("Thu, 09 Oct 2025 12:00:30 -0000", 30.0),
        ("Thu, 09 Oct 2025 14:00:30 +0200", 30.0),
        ("Thu, 09 Oct 2025 11:00:00 GMT", 0.0),
        ("Thu, 99 Oct 2025 11:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOON) == seconds


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (Fault(code="missing_required_parameter", param="model"), True),
        (Fault(type="missing_required_parameter", message="Missing model"), True),
        (Fault(code="missing_required_parameter", param="input", message="input, beside model"), False),
        (Fault(code="missing_required_parameter"), False),
        (Fault(message="model is required"), True),
        (Fault(message="Missing required parameter: 'model'"), True),
        (Fault(message="the model cannot do this"), False),
        (Fault(), False),
    ],
)
def test_a_wish_for_a_model_is_recognised(fault: Fault, *, wanted: bool) -> None:
    assert wants_model(errors.InvalidRequestError(fault)) is wanted
    assert wants_model(errors.NotPermittedError(fault)) is False


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        (Fault(param="stream"), True),
        (Fault(message="This model does not support streaming"), True),
        (Fault(message="stream must be false"), True),
        (Fault(message="upstream said no"), False),
        (Fault(), False),
    ],
)
def test_a_refusal_to_stream_is_recognised(fault: Fault, *, refused: bool) -> None:
    assert refuses_streaming(errors.InvalidRequestError(fault)) is refused
    assert refuses_streaming(errors.UpstreamDownError(fault)) is False
