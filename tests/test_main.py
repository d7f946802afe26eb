"""The command line: exit statuses, and what is said when a command cannot be carried out."""

import fcntl
import logging
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from bot import __version__
from bot.__main__ import EXIT_CONFIG, EXIT_FAILED, main
from bot.logs import StderrHandler

KEY = "sk-nano-fake-operator"
TOKEN = "fake-discord-token"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def quiet_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Work in an empty folder, with settings that lead nowhere, and leave logging as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOT_CONFIG", raising=False)
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("NANOGPT_API_KEY", KEY)
    for name in ("DISCORD__API_URL", "NANOGPT__BASE_URL", "NANOGPT__RESPONSES_URL"):
        monkeypatch.setenv(f"BOT_{name}", NOWHERE)
    root = logging.getLogger()
    level = root.level
    yield
    for handler in [handler for handler in root.handlers if isinstance(handler, StderrHandler)]:
        root.removeHandler(handler)
    root.setLevel(level)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"character-bot {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["--tour"],
        ["demo", "--host", "192.0.2.1"],
        ["demo", "--port", "80"],
        ["demo", "--port", "65536"],
        ["demo", "--port", "-1"],
        ["demo", "--port", "http"],
        ["demo", "--live", "--tour"],
    ],
)
def test_what_is_no_command_ends_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m bot" in capsys.readouterr().err


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_live_demo_without_a_key_ends_with_one_sentence(
    key: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NANOGPT_API_KEY") if key is None else monkeypatch.setenv("NANOGPT_API_KEY", key)
    assert main(["demo", "--live", "--no-browser"]) == EXIT_CONFIG
    assert capsys.readouterr() == (
        "",
        "NANOGPT_API_KEY is not set: demo --live needs a NanoGPT API key in the environment.\n",
    )


@pytest.mark.parametrize(("options", "key"), [([], None), (["--live"], KEY)])
def test_the_key_in_the_environment_is_for_the_live_demo_alone(
    options: list[str], key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    async def open_demo(_: object, **given: object) -> None:
        asked.append(given)

    monkeypatch.setenv("NANOGPT_API_KEY", f" {KEY}\n")
    monkeypatch.setattr("bot.sandbox.page.opening.open_demo", open_demo)
    assert main(["demo", "--no-browser", "--port", "8700", *options]) == 0
    assert asked == [{"port": 8700, "live_key": key, "browser": False}]


def test_a_demo_on_a_port_in_use_ends_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--port", str(port), "--no-browser"]) == EXIT_FAILED
    assert capsys.readouterr() == ("", f"Port {port} cannot be used; choose another with --port.\n")


@pytest.mark.parametrize("command", [[], ["run"], ["check"], ["sync"]])
def test_wrong_settings_end_every_command_with_one_sentence(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_CONTENT__DEFAULT_MAX", "everything")
    assert main(command) == EXIT_CONFIG == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("content.default_max must be one of sfw, suggestive, nsfw, explicit.")
    assert err.count("\n") == 1


def test_a_settings_file_that_is_named_must_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", "elsewhere.toml"]) == EXIT_CONFIG
    assert capsys.readouterr().err == "There is no configuration file elsewhere.toml.\n"


@pytest.mark.parametrize("command", [[], ["sync"]])
def test_a_discord_that_cannot_be_reached_ends_the_start_with_one_sentence(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_LOGGING__LEVEL", "ERROR")
    assert main(command) == EXIT_FAILED
    assert capsys.readouterr().err == (
        "Discord could not be reached; check this machine's connection, and discord.api_url if it was changed.\n"
    )


def test_a_database_in_use_ends_the_start_with_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOT_LOGGING__LEVEL", "ERROR")
    lock = tmp_path / "data" / "bot.db.lock"
    lock.parent.mkdir()
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert main(["run"]) == EXIT_FAILED
    assert capsys.readouterr().err == "Another process is using the database data/bot.db; stop it first.\n"


def test_a_key_file_that_cannot_be_trusted_ends_the_start_with_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOT_LOGGING__LEVEL", "ERROR")
    key_file = tmp_path / "data" / "bot.key"
    key_file.parent.mkdir()
    key_file.write_text("no key at all")
    key_file.chmod(0o600)
    assert main([]) == EXIT_FAILED
    assert "data/bot.key does not hold a master key" in capsys.readouterr().err


def test_what_nobody_expected_goes_through_the_log_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: object) -> None:
        raise RuntimeError(f"with {KEY} in hand")

    monkeypatch.setattr("bot.app.run", fall)
    assert main([]) == EXIT_FAILED
    err = capsys.readouterr().err
    assert "CRITICAL bot: Ended by an unexpected failure" in err
    assert "RuntimeError: with [redacted] in hand" in err
    assert KEY not in err


def test_an_interrupted_command_ends_as_shells_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.app.check", interrupt)
    assert main(["check"]) == 130


def test_a_check_that_finds_something_wrong_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(_: object, say: object) -> bool:
        assert say is print
        return False

    monkeypatch.setattr("bot.app.check", found)
    assert main(["check"]) == EXIT_FAILED
    assert capsys.readouterr().err == ""
