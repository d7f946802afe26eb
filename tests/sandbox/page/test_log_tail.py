"""Reading the bot's log while it is written."""

from pathlib import Path

from bot.sandbox.page.watching import LogTail

FIRST = "2026-03-01T12:00:00.250Z INFO bot.app: one\n"


def test_each_line_is_read_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "bot.log"
    tail = LogTail(file)
    assert list(tail.read()) == []
    file.write_text(FIRST + "2026-03-01T12:00:01.000Z WARN", "utf-8")
    assert list(tail.read()) == [{"at": 1_772_366_400_250, "level": "INFO", "text": "bot.app: one"}]
    assert list(tail.read()) == []
    with file.open("a", encoding="utf-8") as log:
        log.write("ING bot.services.turn: zwei ✓\n")
    assert list(tail.read()) == [
        {"at": 1_772_366_401_000, "level": "WARNING", "text": "bot.services.turn: zwei ✓"},
    ]


def test_a_traceback_goes_with_the_line_before_it(tmp_path: Path) -> None:
    file = tmp_path / "bot.log"
    file.write_text("2026-03-01T12:00:00.250Z ERROR bot: fell\nTraceback (most recent call last):\n  here\n", "utf-8")
    assert [(line["level"], line["text"]) for line in LogTail(file).read()] == [
        ("ERROR", "bot: fell"),
        ("ERROR", "Traceback (most recent call last):"),
        ("ERROR", "  here"),
    ]


def test_the_small_talk_of_libraries_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "bot.log"
    at = "2026-03-01T12:00:00.250Z"
    file.write_text(
        f"{at} DEBUG discord.http: GET something\n  and more of it\n{at} DEBUG bot.nanogpt.client: asked\n"
        f"{at} INFO discord.gateway: connected\n{at} DEBUG bottle: no\n",
        "utf-8",
    )
    assert [line["text"] for line in LogTail(file).read()] == [
        "bot.nanogpt.client: asked",
        "discord.gateway: connected",
    ]


def test_what_stands_before_any_time_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "bot.log"
    file.write_text("discord.token is not set.\n", "utf-8")
    assert list(LogTail(file).read()) == [{"at": 0, "level": "INFO", "text": "discord.token is not set."}]
