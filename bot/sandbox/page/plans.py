"""The two ways to open the demo, offline and live: the bot's settings, the pace of answers, and what is said of it."""

from dataclasses import dataclass
from typing import Final

from bot.sandbox.demo import Settings

_SECONDS_BY_DEFAULT: Final = 90
"""How long the bot waits for a word of NanoGPT's unless it is set otherwise."""
_IDLE_SECONDS: Final = 6
_OVERALL_SECONDS: Final = 120
_CONNECT_SECONDS: Final = 2
_LIVE_IDLE_SECONDS: Final = 30
"""A model may think for a while before it speaks."""
_LIVE_OVERALL_SECONDS: Final = 180
_LIVE_CONNECT_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """One way to open the demo."""

    live: bool
    settings: Settings
    """Of the bot, beside the addresses: shorter waits, and a log with every step."""
    first_token_seconds: float
    tokens_per_second: float
    notes: tuple[str, ...]


def _settings(connect: float, idle: float, overall: float) -> Settings:
    return {
        "nanogpt": {
            "connect_timeout_seconds": connect,
            "idle_timeout_seconds": idle,
            "overall_timeout_seconds": overall,
        },
        "logging": {"level": "DEBUG"},
    }


def _waits(idle: int) -> str:
    return (
        f"So that a stall is over while you watch, the bot's settings are shortened: it gives NanoGPT up after {idle} s"
        f" of silence, in place of {_SECONDS_BY_DEFAULT} s."
    )


_DISCORD: Final = "Discord is a stand-in on this machine; the bot is the real one. Nothing is kept when the demo ends."

OFFLINE: Final = DemoPlan(
    live=False,
    settings=_settings(_CONNECT_SECONDS, _IDLE_SECONDS, _OVERALL_SECONDS),
    first_token_seconds=0.3,
    tokens_per_second=40.0,
    notes=(
        _DISCORD,
        "NanoGPT is a stand-in too: its characters are made up, and their answers are scripted. No model writes them.",
        _waits(_IDLE_SECONDS),
    ),
)
LIVE: Final = DemoPlan(
    live=True,
    settings=_settings(_LIVE_CONNECT_SECONDS, _LIVE_IDLE_SECONDS, _LIVE_OVERALL_SECONDS),
    first_token_seconds=0.0,
    tokens_per_second=1_000.0,
    notes=(
        _DISCORD,
        "The catalogue and the answers are NanoGPT's own: your key pays for every answer, and the bot never holds it.",
        "Whatever would change something at NanoGPT is answered here and goes no further, such as reports and reviews.",
        "The accounts to link are made up, with their keys, balances and page of approval. Yours is none of them.",
        "Characters that you make stay here: no search finds them, you approve them, and their replies are scripted.",
        _waits(_LIVE_IDLE_SECONDS),
    ),
)
