"""The two ways to open the demo, offline and live: the bot's settings, the pace of answers, and what is said of it."""

from dataclasses import dataclass
from typing import Final

from bot.sandbox.demo import Settings

_SECONDS_BY_DEFAULT: Final = 90
"""How long the bot waits for a word of NanoGPT's unless it is set otherwise."""
_IDLE_SECONDS: Final = 6
_LIVE_IDLE_SECONDS: Final = 30
"""A model may think for a while before it speaks."""
_OVERALL_SECONDS: Final = 3_600
"""The longest scripted tale has 2,341 tokens, and the pace goes down to one a second."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """One way to open the demo."""

    live: bool
    settings: Settings
    """Of the bot, beside the addresses: less patience with silence, more with slow answers, a log with every step."""
    first_token_seconds: float
    tokens_per_second: float
    notes: tuple[str, ...]


def _settings(idle: float) -> Settings:
    return {
        "nanogpt": {"idle_timeout_seconds": idle, "overall_timeout_seconds": _OVERALL_SECONDS},
        "logging": {"level": "DEBUG"},
    }


def _waits(idle: int) -> str:
    return (
        f"So that a stall is over while you watch, the bot gives NanoGPT up after {idle} s of silence, in place of"
        f" {_SECONDS_BY_DEFAULT} s. So that the slowest pace can be watched, one reply may take an hour."
    )


_DISCORD: Final = "Discord is a stand-in on this machine; the bot is the real one. Nothing is kept when the demo ends."

OFFLINE: Final = DemoPlan(
    live=False,
    settings=_settings(_IDLE_SECONDS),
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
    settings=_settings(_LIVE_IDLE_SECONDS),
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
