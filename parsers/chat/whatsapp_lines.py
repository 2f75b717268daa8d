"""Reads how a message begins in WhatsApp's text exports: date, time, sender; knows the languages.

No line says in which order day, month and year stand: that is decided over a whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.parsers.chat.whatsapp_words import (
    AFTERNOON,
    EAST_ASIAN,
    FILLERS,
    FORENOON,
    MARKS,
    MIDNIGHT,
    NOON,
    has_event_verb,
    unmarked,
)

HEAD_CHARS = 120
"""Longest beginning of a line that is looked at."""
ORDERS = ("ymd", "dmy", "mdy")
_FIRST_YEAR = 2009
"""WhatsApp began."""
_M = f"[{MARKS}]*"
_SP = "[ \u00a0\u202f\u2009]"


def _word(word: str) -> str:
    """A day time as pattern: its dots may have spaces behind them."""
    return re.escape(word).replace(r"\.", rf"\.{_SP}?")


_WORDS = "|".join(
    sorted(map(_word, [*FORENOON, *AFTERNOON, *NOON, *MIDNIGHT, *FILLERS]), key=len, reverse=True)
)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(
        rf"{_M}(?P<bracket>\[)?{_M}(?P<a>\d{{1,4}}){_M}(?P<sep>\.{_SP}?|/|-|年{_SP}?)"
        rf"{_M}(?P<b>\d{{1,2}}){_M}(?:\.{_SP}?|/|-|月{_SP}?){_M}(?P<c>\d{{1,4}})"
        rf"(?:\.|日|{_SP}?г\.)?{_M}(?:,|،|{_SP}){_SP}*{_M}(?P<before>{words})?{_SP}*{_M}"
        rf"(?P<h>\d{{1,2}})[:.]{_M}(?P<m>\d\d)(?:[:.]{_M}(?P<s>\d\d))?"
        rf"{_M}{_SP}*{_M}(?P<after>{words})?{_M}{_SP}*"
        rf"(?(bracket)\]|-)(?:{_SP}|\r?$)",
        re.IGNORECASE,
    )


_STRICT = _pattern(_WORDS)
_LOOSE = _pattern(r"[^\d\[\]\n\-]{1,20}?")
_SENDER = re.compile(rf"{_M}(?P<name>[^\n]{{1,150}}?):(?:[ \u00a0]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shape:
    """What all beginnings of messages in one file have in common."""

    has_bracket: bool
    separator: str
    is_year_first: bool
    has_seconds: bool


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a line begins that begins a message."""

    shape: Shape
    numbers: tuple[int, int, int]
    digits: tuple[int, int]
    """Of the first and of the last number; a year has 2 or 4."""
    clock: tuple[int, int, int]
    is_east_asian: bool
    """Its words are of a language that writes the year first."""
    end: int
    """Characters of it."""

    def date(self, order: str) -> tuple[int, int, int] | None:
        """Return year, month and day in an order; None where there is no such day."""
        digits = self.digits[0 if order[0] == "y" else 1]
        if digits not in (2, 4):
            return None
        found = dict(zip(order, self.numbers, strict=True))
        year = found["y"] + (2000 if digits == 2 else 0)
        try:
            datetime(year, found["m"], found["d"])  # noqa: DTZ001 - only whether it is a day
        except ValueError:
            return None
        return (year, found["m"], found["d"]) if year >= _FIRST_YEAR else None

    def local(self, order: str) -> datetime | None:
        """Return the local time in an order; None where there is none such."""
        date = self.date(order)
        return datetime(*date, *self.clock) if date else None  # noqa: DTZ001 - zone comes later


@dataclass(frozen=True, slots=True)
class Line:
    """One message as it stands in a file."""

    local: datetime
    has_seconds: bool
    sender: str
    """Without marks; empty for what the program notes."""
    text: str
    """With marks, and the lines that follow."""

    @property
    def time(self) -> str:
        """The local time as names have it."""
        return self.local.isoformat(timespec="seconds" if self.has_seconds else "minutes")


def beginning(line: str) -> Beginning | None:
    """Return how a message begins; None for a line that continues one."""
    found = _STRICT.match(line[:HEAD_CHARS])
    if found is None:
        return None
    first, last = found["a"], found["c"]
    is_year_first = len(first) == 4
    clock = _clock(found)
    digits = (len(first), len(last))
    if clock is None or 3 in digits or digits in ((4, 4), (1, 1)):
        return None
    shape = Shape(
        bool(found["bracket"]), found["sep"].strip(), is_year_first, found["s"] is not None
    )
    words = (found["before"] or "") + (found["after"] or "") + found["sep"]
    numbers = (int(first), int(found["b"]), int(last))
    is_east_asian = EAST_ASIAN.search(words) is not None
    return Beginning(shape, numbers, digits, clock, is_east_asian, found.end())


def unknown_word(line: str) -> str | None:
    """Return the words in a line that begins like a message, but for them; None for other lines."""
    if _STRICT.match(line[:HEAD_CHARS]):
        return None
    found = _LOOSE.match(line[:HEAD_CHARS])
    if found is None:
        return None
    return f"{found['before'] or ''} {found['after'] or ''}".strip()


def line_of(text: str, order: str) -> Line | None:
    """Return what one message says, given the order of its date; None where it begins as none."""
    first, newline, rest = text.partition("\n")
    found = beginning(first)
    local = found.local(order) if found else None
    if found is None or local is None:
        return None
    said = first[found.end :].removesuffix("\r")
    sender = _SENDER.match(said)
    name = unmarked(sender["name"]).strip() if sender else ""
    if sender is None or has_event_verb(name):
        name = ""
    elif name:
        said = said[sender.end() :]
    whole = said + newline + rest.replace("\r\n", "\n")
    return Line(local, found.shape.has_seconds, name, whole.rstrip("\r\n"))


def order_of(found: Sequence[Beginning], rule: str) -> str:
    """Return the order of the dates of a whole file; empty where nothing tells.

    An order in which some date is no day is out; of several that are left, the one in which the
    days never go back. `rule` says what comes first, `day` or `month`, where that decides nothing.
    """
    orders = _possible(found)
    wrong = {order: sum(one.date(order) is None for one in found) for order in orders}
    left = [order for order in orders if wrong[order] == 0]
    if not left and orders:  # a text that only looks like a beginning may be among them
        best, *others = sorted(wrong.values())
        is_clear = best * 10 <= min((*others, len(found)))
        left = [order for order in orders if is_clear and wrong[order] == best]
    if len(left) > 1:
        steady = [order for order in left if _never_goes_back(one.date(order) for one in found)]
        left = steady if len(steady) == 1 else left
    if len(left) > 1:
        left = [order for order in left if order == {"day": "dmy", "month": "mdy"}.get(rule)]
    return left[0] if len(left) == 1 else ""


def _possible(found: Sequence[Beginning]) -> tuple[str, ...]:
    if not found:
        return ()
    if found[0].shape.is_year_first:
        return ("ymd",)
    if found[0].digits[1] == 4:
        return ("dmy", "mdy")
    if any(one.is_east_asian or one.digits[1] == 1 for one in found):
        return ("ymd",)
    return ORDERS if found[0].shape.separator == "." else ("dmy", "mdy")


def _never_goes_back(dates: Iterable[tuple[int, int, int] | None]) -> bool:
    days = [one for one in dates if one is not None]
    return days == sorted(days)


def _clock(found: re.Match[str]) -> tuple[int, int, int] | None:
    hour, minute, second = int(found["h"]), int(found["m"]), int(found["s"] or 0)
    words = ((found["before"] or ""), (found["after"] or ""))
    for word in (re.sub(r"\s", "", one).casefold() for one in words):
        if word in FORENOON or word in MIDNIGHT:
            hour = 0 if hour == 12 else hour
        elif word in AFTERNOON or (word in NOON and hour < 11):
            hour = hour + 12 if hour < 12 else hour
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None
