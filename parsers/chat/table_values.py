"""Reads dates, durations and telephone numbers as people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - serial dates are local to their zone
_SERIAL = re.compile(r"\d{4,5}(?:\.\d+)?")
_DAY = re.compile(
    r"(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"|(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y2>\d{4}|\d{2})"
)
_CLOCK = re.compile(
    r"(?P<pre>上午|下午|中午|晚上|凌晨)?\s*(?P<h>\d{1,2})\s*[:：时點点]\s*(?P<min>\d{1,2})\s*(?:分)?"
    r"(?:\s*[:：]?\s*(?P<s>\d{1,2})(?:\.\d+)?\s*秒?)?\s*(?P<post>[ap]\.?\s?m\.?)?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
_FLOAT_PHONE = re.compile(r"[+-]?\d+(?:\.\d+)?[eE]\+?\d+")
_PHONE_NOISE = re.compile(r"[\s().\-\u2010-\u2015]+")
_PHONE = re.compile(r"\+?\d{5,15}")
_CHINA_MOBILE = re.compile(r"1[3-9]\d{9}")
_COLONS = re.compile(r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})")
_UNITS = re.compile(
    r"(?:(\d{1,6})\s*(?:小时|时|h))?\s*(?:(\d{1,6})\s*(?:分钟|分|m(?:in)?))?"
    r"\s*(?:(\d{1,9})\s*(?:秒|s))?",
    re.IGNORECASE,
)


def zone_of(name: str) -> ZoneInfo | None:
    """Return a zone by its IANA name; None for none or an unknown one."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def read_time(text: str, zone: str, *, is_day_first: bool | None = None) -> tuple[datetime, bool]:
    """Return the instant of a time, and whether its zone was only assumed (UTC).

    Args:
        text: A date with or without a clock time, ISO 8601, or a serial number of a spreadsheet.
        zone: Of times that name none.
        is_day_first: Of dates as 3/5/2024; None refuses those that could be either.

    Raises:
        ValueError: It is no time, or could be two.
    """
    text = text.strip()
    if _OFFSET.search(text) and "T" in text.upper():
        return _in_utc(datetime.fromisoformat(text)), False
    return in_zone(_serial(text) or _written(text, is_day_first), zone)


def in_zone(local: datetime, zone: str) -> tuple[datetime, bool]:
    """Return the instant of a time that names no zone, and whether its zone was only assumed (UTC).

    Raises:
        ValueError: The calendar has no such instant.
    """
    known = zone_of(zone)
    return _in_utc(local.replace(tzinfo=known or UTC)), known is None


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"no such time: {at}") from error


def _serial(text: str) -> datetime | None:
    if not _SERIAL.fullmatch(text):
        return None
    days = float(text)
    return _EXCEL_EPOCH + timedelta(seconds=round(days * 86_400)) if days < 100_000 else None


def _written(text: str, is_day_first: bool | None) -> datetime:  # noqa: FBT001 - passed on
    day = _DAY.match(text)
    if day is None:
        raise ValueError(f"no date: {text[:40]}")
    year, month, dom = _ymd(day, is_day_first)
    rest = text[day.end() :].strip(" T\u202f\u00a0,，")
    clock = _CLOCK.fullmatch(rest)
    if rest and clock is None:
        raise ValueError(f"no time: {text[:40]}")
    hour, minute, second = _hms(clock) if clock else (0, 0, 0)
    return datetime(year, month, dom, hour, minute, second)  # noqa: DTZ001 - the zone comes later


def _ymd(day: re.Match[str], is_day_first: bool | None) -> tuple[int, int, int]:  # noqa: FBT001
    if day["y"]:
        return int(day["y"]), int(day["m"]), int(day["d"])
    first, second = int(day["a"]), int(day["b"])
    year = int(day["y2"]) + (2000 if len(day["y2"]) == 2 else 0)
    if is_day_first is None and first <= 12 and second <= 12 and first != second:
        raise ValueError(f"day or month first: {day[0]}")
    if first > 12 or (is_day_first and second <= 12):
        return year, second, first
    return year, first, second


def _hms(clock: re.Match[str]) -> tuple[int, int, int]:
    hour = int(clock["h"])
    post = (clock["post"] or "").replace(".", "").replace(" ", "").lower()
    is_late = clock["pre"] in ("下午", "晚上") or post == "pm"
    if is_late and hour < 12:
        hour += 12
    if (clock["pre"] in ("上午", "凌晨") or post == "am") and hour == 12:
        hour = 0
    return hour, int(clock["min"]), int(clock["s"] or 0)


def read_duration(text: str) -> int:
    """Return seconds of `65`, `1分5秒`, `00:01:05`.

    Raises:
        ValueError: It is none of these.
    """
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(?:\.0+)?", text):
        return int(float(text))
    colons = _COLONS.fullmatch(text)
    if colons:
        hours, minutes, seconds = (int(part or 0) for part in colons.groups())
        return hours * 3600 + minutes * 60 + seconds
    units = _UNITS.fullmatch(text)
    if text and units and any(units.groups()):
        hours, minutes, seconds = (int(part or 0) for part in units.groups())
        return hours * 3600 + minutes * 60 + seconds
    raise ValueError(f"no duration: {text[:40]}")


def read_phone(text: str, country: str = "86") -> str:
    """Return a telephone number as `+8613800138000`; without a country code where it has none.

    A bare Chinese mobile number is of China, and a bare number that begins with the code is too.

    Raises:
        ValueError: It is no number, or a spreadsheet made it a fraction and digits are lost.
    """
    text = text.strip()
    if _FLOAT_PHONE.fullmatch(text):
        raise ValueError(f"digits are lost: {text[:40]}")
    plain = _PHONE_NOISE.sub("", text)
    if re.fullmatch(r"\d+\.0", text):
        plain = text[:-2]
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if not _PHONE.fullmatch(plain):
        raise ValueError(f"no telephone number: {text[:40]}")
    if plain.startswith("+"):
        return plain
    if _CHINA_MOBILE.fullmatch(plain):
        return f"+{country}{plain}"
    if plain.startswith(country) and _CHINA_MOBILE.fullmatch(plain[len(country) :]):
        return f"+{plain}"
    if plain.startswith("0"):
        return f"+{country}{plain[1:]}"
    return plain
