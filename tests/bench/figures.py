"""Figures of the two contestants, side by side in a table."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

MILLISECONDS: Final = 1_000
MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Aim:
    """What is hoped for: at most, or at least, so much of the bot's own figure or of its ratio to the floor's."""

    limit: float
    of_ratio: bool = False
    at_least: bool = False

    def met(self, figure: float, ratio: float | None) -> bool | None:
        """Tell whether it is; None where there is nothing to compare with."""
        value = ratio if self.of_ratio else figure
        if value is None:
            return None
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.limit:g}{' x floor' if self.of_ratio else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both; None where the floor has none."""

    what: str
    unit: str
    floor: float | None
    bot: float
    aim: Aim | None = None


@dataclass(slots=True)
class Table:
    """All rows of one run."""

    rows: list[Row] = field(default_factory=list[Row])

    def add(self, what: str, unit: str, floor: float | None, bot: float, aim: Aim | None = None) -> None:
        """Put a row at the end."""
        self.rows.append(Row(what, unit, floor, bot, aim))

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = ["| figure | floor | bot | bot ÷ floor | aim | |", "| --- | ---: | ---: | ---: | --- | --- |"]
        lines += [_line(row) for row in self.rows]
        return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median_of(values: Iterable[float]) -> float:
    """Return the middle one; a round that another program disturbed does not move it."""
    return statistics.median(values)


def _line(row: Row) -> str:
    ratio = row.bot / row.floor if row.floor else None
    met = None if row.aim is None else row.aim.met(row.bot, ratio)
    verdict = {None: "", True: "met", False: "missed"}[met]
    what = f"{row.what}, {row.unit}" if row.unit else row.what
    return f"| {what} | {_number(row.floor)} | {_number(row.bot)} | {_number(ratio)} | {row.aim or ''} | {verdict} |"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
