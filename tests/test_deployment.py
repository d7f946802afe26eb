"""What the README and the Dockerfile tell operators to set, against what the bot needs."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.app import DRAIN_CALLS_SECONDS
from bot.config import load_settings
from bot.services.outbox import STOP_GRACE_SECONDS

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
ENOUGH = {"DISCORD_TOKEN": "fake-token", "NANOGPT_API_KEY": "sk-nano-fake"}


@pytest.mark.parametrize(
    ("file", "setting"),
    [
        ("README.md", r"--stop-timeout (\d+)"),
        ("README.md", r"TimeoutStopSec=(\d+)"),
        ("Dockerfile", r"docker stop --time (\d+)"),
        ("Dockerfile", r"stop_grace_period: (\d+)s"),
    ],
)
def test_the_grace_of_a_stop_is_longer_than_the_longest_one(
    file: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drain = load_settings(None, ENOUGH).relay.drain_seconds
    # Replies get the time twice: to end by themselves, and to be marked when they were cut.
    longest = 2 * drain + DRAIN_CALLS_SECONDS + STOP_GRACE_SECONDS
    (grace,) = re.findall(setting, (ROOT / file).read_text("utf-8"))
    assert int(grace) > longest


def test_the_unit_runs_as_the_user_who_owns_the_data() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (unit,) = re.findall(r"```ini\n(.*?)```", readme, re.DOTALL)
    (user,) = re.findall(r"^User=(\S+)$", unit, re.MULTILINE)
    (home,) = re.findall(r"^WorkingDirectory=(\S+)$", unit, re.MULTILINE)
    assert user != "root"
    assert f"useradd --system --no-create-home {user}\n" in readme
    assert f"install --directory --owner {user} --mode 700 {home}/data\n" in readme


def health_check(file: Path | str) -> subprocess.CompletedProcess[str]:
    """Run what Docker runs, with the heartbeat file elsewhere."""
    (command,) = re.findall(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])", DOCKERFILE)
    _, *arguments = json.loads(command)
    return subprocess.run(  # noqa: S603 - the command of our own image.
        [sys.executable, *arguments],
        env={**os.environ, "BOT_HEALTH__FILE": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_health_check_reads_what_the_bot_of_the_image_touches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = dict(re.findall(r"(BOT_\w+)=(\S+)", DOCKERFILE))
    settings = load_settings(None, {**ENOUGH, **image, "BOT_DATABASE__URL": "sqlite:///elsewhere/other.db"})
    (volume,) = re.findall(r"VOLUME (\S+)", DOCKERFILE)
    assert settings.health_file.parent == Path(volume)
    assert str(settings.health_file) in health_check(settings.health_file).stderr


@pytest.mark.parametrize(("age_seconds", "status"), [(0, 0), (3_600, 1)])
def test_the_health_check_goes_by_the_age_of_the_heartbeat(tmp_path: Path, age_seconds: int, status: int) -> None:
    file = tmp_path / "bot.alive"
    file.touch()
    touched = time.time() - age_seconds
    os.utime(file, (touched, touched))
    assert health_check(file).returncode == status
