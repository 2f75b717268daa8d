"""Reads the times that business systems write; needs no clock and no locale."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from holdfast.parsers.chat.table_values import in_zone, read_duration, read_time
from holdfast.parsers.chat.values import Json, from_unix, number, text

_WRITTEN = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[T\s]*([0-9]{1,2})[:时]([0-9]{1,2})[:分]?(?:([0-9]{1,2})(?:[.,]([0-9]{1,9}))?秒?)?)?"
    r"\s*(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2}))?")
_US_FROM = 100_000_000_000_000
_MOST_CHARS = 100


def instant_of(value: Json, zone: str) -> tuple[datetime | None, bool]:
    """Return an instant, and whether a zone was missing and UTC was taken.

    Unix seconds, milliseconds and microseconds are told apart by their size.
    """
    written = text(value).strip()[:_MOST_CHARS]
    compact = _COMPACT.fullmatch(written)
    if compact is not None:
        return _local(compact.groups(), "", zone)
    digits = number(value)
    if digits >= _US_FROM:
        digits //= 1000
    if digits:
        return from_unix(digits), False
    found = _WRITTEN.fullmatch(written)
    if found is not None:
        return _local(found.groups()[:7], found[8] or "", zone)
    try:
        return read_time(written, zone)
    except ValueError:
        return None, False


def _local(parts: tuple[str | None, ...], offset: str, zone: str) -> tuple[datetime | None, bool]:
    """Return the instant of year, month, day and perhaps hour, minute, second and fraction."""
    micros = (parts[6] or "").ljust(6, "0")[:6] if len(parts) > 6 else "0"
    year, month, day, hour, minute, second = (int(one or 0) for one in parts[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, int(micros))  # noqa: DTZ001 - its zone follows
        return _with_offset(local, offset, zone)
    except (ValueError, OverflowError):
        return None, False


def _with_offset(local: datetime, offset: str, zone: str) -> tuple[datetime, bool]:
    if offset == "Z":
        return local.replace(tzinfo=UTC), False
    if offset:
        away = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
        own = timezone(-away if offset[0] == "-" else away)
        return local.replace(tzinfo=own).astimezone(UTC), False
    return in_zone(local, zone)


def seconds_of(value: Json) -> int | None:
    """Return a duration, from seconds or as `table_values.read_duration`; None where it is none."""
    given = text(value).strip()
    whole = given.partition(".")[0]
    if whole.isascii() and whole.isdigit() and len(whole) <= 9:
        return int(whole)
    try:
        return read_duration(given)
    except ValueError:
        return None
