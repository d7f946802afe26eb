"""The log is one line per event, and secrets and payloads never get into it."""

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import HELD_AT_WARNING, REDACTED, Redactor, StderrHandler, configure

TOKEN = "MTA4NjU0MzIxMDk4NzY1NDMyMQ.GaBcDe.fakeAbCdEfGhIjKlMnOpQrStUvWxYz0123456"
WEBHOOK_TOKEN = "fake-webhook-token_" + "Ab3-" * 12 + "z"
INTERACTION_TOKEN = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OTpmYWtl"
NANO_KEY = "sk-nano-fake-00000000-0000-4000-8000-000000000000"
SECRET = "the/known secret"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Configure logging at DEBUG into a buffer, and put everything back afterwards."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in HELD_AT_WARNING}
    stream = io.StringIO()
    configure("DEBUG", [SECRET], stream=stream)
    yield stream
    root.setLevel(level)
    root.handlers[:] = handlers
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def test_a_line_has_time_level_logger_and_message(log: io.StringIO) -> None:
    logging.getLogger("bot.relay").warning("Turn %s took %.1f s.", 7, 1.25)
    line = log.getvalue()
    assert line.endswith(" WARNING bot.relay: Turn 7 took 1.2 s.\n")
    time = line.split(" ", maxsplit=1)[0]
    assert time.endswith("Z")
    assert len(time) == len("2026-01-02T03:04:05.678Z")


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"Authorization: Bot {TOKEN}",
        f"https://discord.com/api/v10/webhooks/123456789/{WEBHOOK_TOKEN}?wait=true",
        f"POST /webhooks/123456789/{WEBHOOK_TOKEN}/messages/@original",
        f"bucket abc:1234567890123456789+{WEBHOOK_TOKEN}",
        f"/interactions/123456789/{INTERACTION_TOKEN}/callback",
        f"{{'id': '1', 'token': '{INTERACTION_TOKEN}'}}",
        f'{{"token":"{WEBHOOK_TOKEN}"}}',
        f'{{\\"token\\": \\"{WEBHOOK_TOKEN}\\"}}',
        f"(b'authorization', b'Bearer {NANO_KEY}')",
        f"('x-api-key', 'legacy-fake-{WEBHOOK_TOKEN}')",
        f"x-api-key: legacy-fake-{WEBHOOK_TOKEN}",
        f"Bearer legacy-fake-{WEBHOOK_TOKEN}",
        f"key {NANO_KEY} was refused",
        f"device_code='{WEBHOOK_TOKEN}'",
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str) -> None:
    shown = Redactor([])(text)
    assert REDACTED in shown
    for secret in (TOKEN, WEBHOOK_TOKEN, INTERACTION_TOKEN, NANO_KEY):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "The token of the bot was refused.",
        "GET /api/v1/characters/helpful-guide answered 404",
        "Webhook 123456789 of channel 987654321 was made again.",
        "bot.services.delivery.posting failed",
        "A bearer of news",
        "https://discord.com/channels/1/2/3",
        "2026-01-02T03:04:05.678Z",
        "11111111-1111-4111-8111-111111111111",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redactor([TOKEN])(text) == text


def test_known_secrets_are_left_out_in_every_spelling(log: io.StringIO) -> None:
    logging.getLogger("bot").info("It is %s, in an address the%%2Fknown%%20secret.", SECRET)
    assert log.getvalue().count(REDACTED) == 2
    assert "known" not in log.getvalue()


def test_an_empty_secret_redacts_nothing() -> None:
    assert Redactor(["", "ab"])("about nothing") == "about nothing"


@given(st.text("./_1234*", min_size=4), st.text("ab\n ", max_size=9), st.text("ab\n ", max_size=9))
def test_a_known_secret_never_passes_and_what_is_round_it_stays(secret: str, before: str, after: str) -> None:
    assert Redactor([secret, secret * 2])(f"{before}{secret}{after}{secret * 2}") == (
        f"{before}{REDACTED}{after}{REDACTED}"
    )


def test_tracebacks_are_redacted_too(log: io.StringIO) -> None:
    try:
        raise RuntimeError(f"refused for {TOKEN} and {SECRET}")
    except RuntimeError:
        logging.getLogger("bot").exception("It failed.")
    shown = log.getvalue()
    assert "Traceback" in shown
    assert f"RuntimeError: refused for {REDACTED} and {REDACTED}" in shown
    assert TOKEN not in shown


def test_causes_in_tracebacks_are_redacted_too(log: io.StringIO) -> None:
    try:
        try:
            raise ValueError(NANO_KEY)
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        logging.getLogger("bot").exception("It failed.")
    assert "outer" in log.getvalue()
    assert NANO_KEY not in log.getvalue()


EVENT: dict[str, object] = {
    "t": "MESSAGE_CREATE",
    "s": 3,
    "d": {"content": "a private sentence", "token": INTERACTION_TOKEN},
}


def test_raw_events_of_discord_lose_their_content(log: io.StringIO) -> None:
    logging.getLogger("discord.gateway").debug("For Shard ID %s: WebSocket Event: %s", 0, EVENT)
    shown = log.getvalue()
    assert "For Shard ID 0: WebSocket Event: <MESSAGE_CREATE, " in shown
    assert "private" not in shown


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("%s %s with %s has returned %s", ("POST", "https://discord.com/x", '{"content": "a private sentence"}', 200)),
        ("%s %s has received %s", ("GET", "https://discord.com/x", [{"content": "a private sentence"}])),
        ("Received %s", (("TEXT", "a private sentence"),)),
        ("Event %s", (EVENT,)),
        ("Binary %s", (b"a private sentence",)),
    ],
)
def test_raw_bodies_of_discord_lose_their_content(
    log: io.StringIO, message: str, arguments: tuple[object, ...]
) -> None:
    logging.getLogger("discord.http").debug(message, *arguments)
    assert " characters>" in log.getvalue()
    assert "private" not in log.getvalue()


def test_plain_lines_of_discord_stay(log: io.StringIO) -> None:
    logging.getLogger("discord.client").debug("Shard %s is ready for %s.", 1, "tests")
    logging.getLogger("discord.client").debug("Without arguments.")
    assert "Shard 1 is ready for tests." in log.getvalue()
    assert "Without arguments." in log.getvalue()


def test_a_message_cannot_break_out_of_its_line(log: io.StringIO) -> None:
    logging.getLogger("bot").info("Character %s.", "Eve\n2026-01-01 INFO bot: forged \x1b[31m")
    assert log.getvalue().count("\n") == 1
    assert "Eve\\n2026" in log.getvalue()
    assert "\x1b" not in log.getvalue()


def test_other_handlers_get_the_record_as_it_was(log: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("discord.gateway").debug("Event: %s and %s", 1, EVENT)
    assert caplog.records[-1].args == (1, EVENT)
    assert log.getvalue()


def test_libraries_that_log_values_are_held_at_warning(log: io.StringIO) -> None:
    for name in HELD_AT_WARNING:
        logging.getLogger(name).info("INSERT a private sentence")
        logging.getLogger(f"{name}.inner").debug("INSERT a private sentence")
        logging.getLogger(name).warning("slow")
    assert "private" not in log.getvalue()
    assert log.getvalue().count("slow") == len(HELD_AT_WARNING)


def test_a_second_call_replaces_the_first_and_nothing_else(log: io.StringIO) -> None:
    root = logging.getLogger()
    others = [handler for handler in root.handlers if not isinstance(handler, StderrHandler)]
    second = io.StringIO()
    configure("WARNING", [], stream=second)
    assert [handler for handler in root.handlers if not isinstance(handler, StderrHandler)] == others
    logging.getLogger("bot").info("quiet")
    logging.getLogger("bot").warning("loud")
    assert "loud" in second.getvalue()
    assert "quiet" not in second.getvalue()
    assert log.getvalue() == ""


def test_a_line_that_cannot_be_formatted_is_announced_without_its_arguments(log: io.StringIO) -> None:
    record = logging.LogRecord("bot", logging.INFO, "bot/x.py", 7, "Two %s %s", (SECRET,), None)
    (handler,) = [handler for handler in logging.getLogger().handlers if isinstance(handler, StderrHandler)]
    handler.handle(record)
    assert "A log event of bot at bot/x.py:7 could" in log.getvalue()
    assert SECRET not in log.getvalue()


def test_standard_error_is_the_stream_unless_told_otherwise(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("INFO", [])
    logging.getLogger("bot").info("Hello.")
    assert "bot: Hello." in capsys.readouterr().err
    assert log.getvalue() == ""
