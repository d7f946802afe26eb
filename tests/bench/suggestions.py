"""Measure suggestions from memory: python -m tests.bench.suggestions [characters]."""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bot.domain.characters import Character
from bot.domain.ids import CharacterId
from bot.domain.ratings import ContentRating
from bot.services.character_shelf import CharacterShelf
from bot.services.clock import Clock
from bot.store.characters import Characters
from bot.store.database import Database

CHARACTERS: Final = 5_000
QUERIES: Final = 1_000
BATCH: Final = 500
SYLLABLES: Final = (
    "ka",
    "lo",
    "mi",
    "ren",
    "ta",
    "vel",
    "dor",
    "sha",
    "nym",
    "eth",
    "gui",
    "de",
    "bar",
    "dra",
    "gon",
    "pi",
    "rate",
    "hel",
    "pful",
    "nox",
    "lu",
    "cia",
    "tho",
    "mas",
)


def main(count: int) -> None:
    """Fill a shelf with invented characters, type invented texts, and print how long the answers took."""
    asyncio.run(_measure(count))


async def _measure(count: int) -> None:
    dice = random.Random(7)  # noqa: S311 - the same names each time; nothing here is secret.
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(Path(folder) / "bench.db", now_ms=0)
        try:
            await _fill(CharacterShelf(characters=Characters(database), clock=Clock()), count, dice)
            shelf = CharacterShelf(characters=Characters(database), clock=Clock())
            started = time.perf_counter()
            await shelf.load()
            _print(f"load {count} characters", [time.perf_counter() - started])
        finally:
            await database.close()
    names = [_name(dice) for _ in range(QUERIES)]
    kinds = {
        "nothing typed": [""] * QUERIES,
        "beginnings": [name[: dice.randint(1, 6)] for name in names],
        "misspelt": [name[:2] + name[3:] for name in names],
        "unlike any": ["".join(dice.choices("qxzj", k=8)) for _ in names],
        "long": [" ".join(dice.choices(names, k=8)) for _ in names],
    }
    for kind, texts in kinds.items():
        times: list[float] = []
        for text in texts:
            started = time.perf_counter()
            assert shelf.suggest(text, ceiling=ContentRating.SFW)
            times.append(time.perf_counter() - started)
        _print(kind, times)


async def _fill(shelf: CharacterShelf, count: int, dice: random.Random) -> None:
    ratings = tuple(ContentRating)
    for first in range(0, count, BATCH):
        await shelf.remember(
            Character(
                CharacterId(f"id-{number}"),
                _name(dice),
                slug=f"{_name(dice).lower().replace(' ', '-')}-{number}",
                summary="A character for measuring with a summary of common length",
                catalogue_rating=dice.choice(ratings[:2]),
                stars_count=dice.randint(0, 500),
            )
            for number in range(first, min(first + BATCH, count))
        )


def _name(dice: random.Random) -> str:
    return " ".join("".join(dice.choices(SYLLABLES, k=dice.randint(2, 3))).title() for _ in range(dice.randint(1, 3)))


def _print(what: str, seconds: list[float]) -> None:
    millis = sorted(second * 1_000 for second in seconds)
    p99 = millis[min(len(millis) - 1, len(millis) * 99 // 100)]
    sys.stdout.write(f"{what}: median {statistics.median(millis):.2f} ms, p99 {p99:.2f}, worst {millis[-1]:.2f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CHARACTERS)
