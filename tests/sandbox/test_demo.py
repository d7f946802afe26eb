"""The demo: what its bot may know of the machine, and what is said when it fails."""

import os
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config import NanoGptSettings, load_settings
from bot.sandbox.demo import BotEnded, child_environment, demo, settings_file
from bot.sandbox.discord import DiscordSandbox
from bot.sandbox.nanogpt.chance import Chance
from bot.sandbox.nanogpt.listening import UNKNOWN_TOPIC
from bot.sandbox.nanogpt.longform import VERY_LONG_CHARACTERS, tell_long
from bot.sandbox.nanogpt.plan import split_tokens
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.nanogpt.voices import VOICES
from bot.sandbox.page.plans import LIVE, OFFLINE, DemoPlan
from bot.sandbox.tour import guide

POISON = {
    "BOT_DATABASE__URL": "sqlite:////var/lib/real.db",
    "BOT_CONFIG": "/etc/real.toml",
    "DISCORD_TOKEN": "real",
    "NANOGPT_API_KEY": "real",
    "HTTPS_PROXY": "http://proxy.example",
    "HOME": "/home/operator",
}


def test_nothing_that_the_bot_reads_comes_from_outside(tmp_path: Path) -> None:
    env = child_environment({**POISON, "PATH": "/bin", "PYTHONPATH": "/opt/libraries"}, tmp_path)
    assert set(env) == {"PATH", "PYTHONPATH", "HOME", "TMPDIR"}
    assert env["HOME"] == env["TMPDIR"] == str(tmp_path)


def test_the_bot_can_be_imported_from_a_checkout(tmp_path: Path) -> None:
    first, *others = child_environment({"PYTHONPATH": "/opt/libraries"}, tmp_path)["PYTHONPATH"].split(os.pathsep)
    assert (Path(first) / "bot" / "__main__.py").is_file()
    assert others == ["/opt/libraries"]


async def test_the_settings_lead_to_this_machine_only() -> None:
    async with DiscordSandbox() as discord, NanoGptSandbox() as nanogpt:
        settings = tomllib.loads(settings_file(discord, nanogpt))
        addresses = [value for table in settings.values() for key, value in table.items() if key.endswith("_url")]
        assert len(addresses) == 5
        assert all("//127.0.0.1:" in address for address in addresses)
        assert settings["discord"]["token"] == discord.token
        assert settings["nanogpt"]["api_key"] == nanogpt.operator_key
        assert settings["database"] == {"url": "sqlite:///bot.db"}


@pytest.mark.parametrize("plan", [OFFLINE, LIVE])
async def test_the_settings_of_the_page_shorten_the_silence_alone_and_show_every_step(plan: DemoPlan) -> None:
    usual = NanoGptSettings(api_key=SecretStr("sk-nano-fake"))
    async with demo(plan.settings) as opened:
        settings = load_settings(opened.bot.log_file.parent / "config.toml", {})
        assert settings.nanogpt.base_url == opened.nanogpt.base_url
        assert settings.nanogpt.idle_timeout_seconds < usual.idle_timeout_seconds
        limits = [name for name in NanoGptSettings.model_fields if name.endswith("_timeout_seconds")]
        shortened = {name for name in limits if getattr(settings.nanogpt, name) < getattr(usual, name)}
        assert shortened == {"idle_timeout_seconds"}
        assert settings.logging.level == "DEBUG"
        told = " ".join(plan.notes)
        assert f"{settings.nanogpt.idle_timeout_seconds:.0f} s of silence" in told
        assert f"{usual.idle_timeout_seconds:.0f} s" in told


@pytest.mark.parametrize("voice", VOICES, ids=str)
@pytest.mark.parametrize("plan", [OFFLINE, LIVE])
def test_the_longest_tale_can_be_told_at_the_slowest_pace(plan: DemoPlan, voice: str) -> None:
    tale = tell_long(VOICES[voice], "Ada", UNKNOWN_TOPIC, Chance(voice), VERY_LONG_CHARACTERS)
    tokens_per_second = 1
    assert len(split_tokens(tale)) / tokens_per_second < float(plan.settings["nanogpt"]["overall_timeout_seconds"])


async def test_a_bot_that_ends_at_once_fails_the_tour_and_its_log_is_shown() -> None:
    said: list[str] = []
    async with demo() as opened:
        (opened.bot.log_file.parent / "config.toml").write_text("", "utf-8")
        assert await guide(opened, said.append) == 1
        with pytest.raises(BotEnded, match="ended by itself"):
            await opened.bot.stop()
    assert any(line.startswith("  ✗ ") and "status 78" in line for line in said)
    assert any("discord.token is not set" in line for line in said)


async def test_the_folder_is_gone_after_the_demo() -> None:
    async with demo() as opened:
        folder = opened.bot.log_file.parent
        assert (folder / "config.toml").is_file()
        assert opened.bot.log_tail() == []
    assert not folder.exists()
