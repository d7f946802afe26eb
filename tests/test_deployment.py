"""What the README and the Dockerfile tell operators to set, against what the bot needs."""

import re
from pathlib import Path

import pytest

from bot.app import DRAIN_CALLS_SECONDS
from bot.config import load_settings
from bot.services.outbox import STOP_GRACE_SECONDS

ROOT = Path(__file__).parents[1]
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
