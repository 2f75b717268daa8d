"""Read dates and ages of a query as instants, in the asker's time zone; no clock of its own.

The present is an argument, so that a saved search can be told from which day it was judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_DAY = re.compile(
    r"(?P<year>\d{4})(?:[-/.年](?P<month>\d{1,2})(?:[-/.月](?P<day>\d{1,2})日?|月)?|年)?"
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)")
_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?"
)
_AGE = re.compile(
    r"(?P<count>\d{1,5})\s*(?P<unit>h|d|w|m|y|hours?|days?|weeks?|months?|years?"
    r"|小时|个小时|天|日|周|星期|月|个月|年)"
)
_UNITS = {
    "h": "hour", "小时": "hour", "个小时": "hour", "d": "day", "天": "day", "日": "day",
    "w": "week", "周": "week", "星期": "week", "m": "month", "月": "month", "个月": "month",
    "y": "year", "年": "year",
}  # fmt: skip
RELATIVE = {
    "today": ("day", 0), "今天": ("day", 0), "今日": ("day", 0), "yesterday": ("day", -1),
    "昨天": ("day", -1), "昨日": ("day", -1), "前天": ("day", -2),
    "thisweek": ("week", 0), "本周": ("week", 0), "这周": ("week", 0), "这个星期": ("week", 0),
    "lastweek": ("week", -1), "上周": ("week", -1), "上星期": ("week", -1),
    "上个星期": ("week", -1),
    "thismonth": ("month", 0), "本月": ("month", 0), "这个月": ("month", 0),
    "lastmonth": ("month", -1), "上月": ("month", -1), "上个月": ("month", -1),
    "thisquarter": ("quarter", 0), "本季度": ("quarter", 0), "lastquarter": ("quarter", -1),
    "上季度": ("quarter", -1), "上个季度": ("quarter", -1),
    "thisyear": ("year", 0), "今年": ("year", 0), "lastyear": ("year", -1), "去年": ("year", -1),
    "前年": ("year", -2),
}  # fmt: skip
"""Word, without spaces → unit of time and steps from the present one."""
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Today:
    """Where and when the question is asked."""

    now: datetime
    """Aware."""
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Period:
    """`start <= t < end`, aware UTC."""

    start: datetime
    end: datetime


def read_period(text: str, today: Today) -> Period | None:
    """Return the period that a date names: a year, a month, a day, a second, `last week`, `上周`.

    None when it names none, or one outside the years 1 to 9999.
    """
    word = re.sub(r"[\s_-]", "", text.strip().casefold())
    try:
        if word in RELATIVE:
            unit, steps = RELATIVE[word]
            return _period(_first(today.now.astimezone(today.zone), unit), unit, steps)
        return _absolute(text.strip(), today.zone)
    except (ValueError, OverflowError):
        return None


def read_age(text: str, today: Today) -> datetime | None:
    """Return the instant so long before now: `2d`, `3 weeks`, `6个月`; None when it is no age."""
    found = _AGE.fullmatch(text.strip().casefold())
    if found is None:
        return None
    count = int(found["count"])
    unit = _UNITS.get(found["unit"]) or found["unit"].rstrip("s")
    local = today.now.astimezone(today.zone)
    try:
        if unit in _MONTHS:
            return _months_later(local, -count * _MONTHS[unit]).astimezone(UTC)
        if unit == "hour":
            return today.now.astimezone(UTC) - timedelta(hours=count)
        return (local - timedelta(days=count * (7 if unit == "week" else 1))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _absolute(text: str, zone: tzinfo) -> Period | None:
    instant = _INSTANT.fullmatch(text)
    if instant is not None:
        return _moment(instant, zone)
    found = _COMPACT.fullmatch(text) or _DAY.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else 0 for part in found.group("year", "month", "day"))
    unit = "day" if day else "month" if month or found["month"] else "year"
    if (found["month"] and not month) or (found["day"] and not day):
        return None
    first = datetime(year, month or 1, day or 1, tzinfo=zone)
    return _period(first, unit, 0)


def _moment(found: re.Match[str], zone: tzinfo) -> Period:
    time = found["time"]
    offset = (found["zone"] or "").upper().replace("Z", "+00:00")
    start = datetime.fromisoformat(f"{found['day']}T{_padded(time)}{offset}")
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone)
    whole, _, fraction = time.partition(".")
    step = timedelta(minutes=1) if len(whole) == len("00:00") else timedelta(seconds=1)
    if fraction:
        step = timedelta(microseconds=10 ** (6 - len(fraction)))
    start = start.astimezone(UTC)
    return Period(start, start + step)


def _padded(time: str) -> str:
    whole, _, fraction = time.partition(".")
    return f"{whole}.{fraction:0<6}" if fraction else whole


def _first(local: datetime, unit: str) -> datetime:
    """Return the first midnight of the unit around this moment; weeks begin on Monday."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "week":
        return midnight - timedelta(days=midnight.weekday())
    if unit == "month":
        return midnight.replace(day=1)
    if unit == "quarter":
        return midnight.replace(day=1, month=(midnight.month - 1) // 3 * 3 + 1)
    return midnight.replace(day=1, month=1) if unit == "year" else midnight


def _period(first: datetime, unit: str, steps: int) -> Period:
    return Period(
        _later(first, unit, steps).astimezone(UTC), _later(first, unit, steps + 1).astimezone(UTC)
    )


def _later(local: datetime, unit: str, steps: int) -> datetime:
    if unit in _MONTHS:
        return _months_later(local, steps * _MONTHS[unit])
    return local + timedelta(days=steps * (7 if unit == "week" else 1))


def _months_later(local: datetime, months: int) -> datetime:
    """Return the same day and time of another month; its last day when it is shorter."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    for day in (local.day, 30, 29, 28):
        try:
            return local.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError("outside the years 1 to 9999")
