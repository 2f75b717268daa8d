"""Work out the shapes of charts; templates draw them, and show a table of the values too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.api.portraits import Month

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_MONTHS = 24
BAR_HEIGHT = 100
BAR_STEP = 24
BAR_WIDTH = 18
LEVELS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of a bar chart; lengths in units of its drawing, y from above."""

    month: Month
    x: int
    sent: float
    """Height."""
    received: float
    other: float

    @property
    def top(self) -> float:
        """Where the bar begins, seen from above."""
        return BAR_HEIGHT - self.sent - self.received - self.other


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of a weekday."""

    count: int
    level: int
    """0: nothing; up to `LEVELS`: as much as in the busiest hour."""


def bars(months: Sequence[Month], now: datetime) -> list[Bar]:
    """Return the months up to now, with those between them that had nothing.

    A month to come, which a wrong date gives, would push all others out: it is in the table alone.
    """
    shown = _upto(months, now.year * 12 + now.month - 1)
    most = max((one.count for one in shown), default=0) or 1
    return [_bar(one, index * BAR_STEP, BAR_HEIGHT / most) for index, one in enumerate(shown)]


def _bar(month: Month, x: int, unit: float) -> Bar:
    other = month.count - month.sent - month.received
    return Bar(month, x, *(round(n * unit, 2) for n in (month.sent, month.received, other)))


def _upto(months: Sequence[Month], last: int) -> list[Month]:
    known = {number: one for one in months if (number := _number(one.value)) <= last}
    if max(known, default=0) <= last - MOST_MONTHS:  # long ago: better those than none
        last = max(known, default=last)
    first = max(min(known, default=last + 1), last - MOST_MONTHS + 1)
    empty = (Month(f"{at // 12:04}-{at % 12 + 1:02}", 0, 0, 0) for at in range(first, last + 1))
    return [known.get(_number(one.value), one) for one in empty]


def _number(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) - 1


def cells(hours: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """Return the hours of a week with how dark each is; whatever is not empty is not white."""
    most = max(map(max, hours)) or 1
    return [[Cell(n, -(-n * LEVELS // most)) for n in day] for day in hours]
