"""Reads the dates of mail headers into aware UTC; needs no clock and no locale.

RFC 5322 section 3.3 and 4.3 (obsolete forms), ISO 8601, C's asctime, and month names in the
languages that mailers really wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_MAX_DATE_CHARS = 300
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "EST": -300, "EDT": -240, "CST": -360,
    "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "HST": -600,
    "BST": 60,
    "CET": 60, "MET": 60, "MEZ": 60, "CEST": 120, "MEST": 120, "MESZ": 120, "EET": 120, "EEST": 180,
    "MSK": 180, "MSD": 240, "JST": 540, "KST": 540, "HKT": 480, "SGT": 480, "AWST": 480,
    "ACST": 570, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
}  # fmt: skip
_MONTHS = (
    ("jan", "ene", "gen", "jän", "янв", "sty", "一月", "1月", "1월", "led", "oca"),
    ("feb", "fév", "fev", "фев", "lut", "二月", "2月", "2월", "úno", "şub", "helm"),
    ("mar", "mär", "mrt", "mrz", "maa", "мар", "三月", "3月", "3월", "bře", "març"),
    ("apr", "avr", "abr", "апр", "kwi", "四月", "4月", "4월", "dub", "nis", "huht"),
    ("may", "mai", "mei", "maj", "mag", "мая", "май", "五月", "5月", "5월", "kvě", "touk"),
    ("jun", "juin", "giu", "июн", "cze", "六月", "6月", "6월", "čer", "haz", "kesä"),
    ("jul", "juil", "lug", "июл", "lip", "七月", "7月", "7월", "čvc", "tem", "hein"),
    ("aug", "aoû", "aou", "ago", "авг", "sie", "八月", "8月", "8월", "srp", "ağu", "elo"),
    ("sep", "set", "сен", "wrz", "九月", "9月", "9월", "zář", "eyl", "syys"),
    ("oct", "okt", "ott", "out", "окт", "paź", "十月", "10月", "10월", "říj", "eki", "loka"),
    ("nov", "ноя", "lis", "十一月", "11月", "11월", "kas", "marras"),
    ("dec", "dez", "déc", "dic", "дек", "gru", "十二月", "12月", "12월", "pro", "ara", "joul"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = r"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}))?(?:[.,]\d{1,9})?"
_ZONE = (
    r"(?:\s*[AP]M(?![A-Za-z]))?"
    r"(?:\s*\(?((?:GMT|UTC|UT)?[+-]\d{1,2}:?\d{0,2}(?!\d)|[A-Za-z]{1,5}(?![A-Za-z])))?"
)
_RFC5322 = re.compile(
    r"(?:([^\s,\d]{1,20})\s*[,.]?\s*)?(\d{1,2})[\s.-]{1,4}([^\W\d_]{2,12}|\d{1,2}月|\d{1,2}월)\.?"
    rf"[\s,-]{{1,4}}(\d{{2,4}})[\s,]{{1,4}}{_TIME}{_ZONE}"
)
_ASCTIME = re.compile(
    rf"(?:([^\s,\d]{{1,20}}),?\s+)?([^\W\d_]{{3,12}})\.?\s+(\d{{1,2}}),?\s+{_TIME}\s*"
    r"(?:([A-Z]{3,5}|[+-]\d{4})\s+)?(\d{4})"
)
_MONTH_FIRST = re.compile(
    rf"(?:([^\s,\d]{{1,20}}),?\s+)?([^\W\d_]{{3,12}})\.?\s+(\d{{1,2}}),?\s+(\d{{4}}),?\s+{_TIME}{_ZONE}"
)
_ISO = re.compile(rf"(\d{{4}})[-/](\d{{1,2}})[-/](\d{{1,2}})[T\s]+{_TIME}{_ZONE}")
_CHINESE = re.compile(
    rf"(\d{{4}})\s*[年년]\s*(\d{{1,2}})\s*[月월]\s*(\d{{1,2}})\s*[日일][^\d]{{0,20}}?{_TIME}{_ZONE}"
)
FIRST_YEAR = 1971
LAST_YEAR = 2099
"""Years between which a date is believed: mail is younger, nobody sends from the next century."""


@dataclass(frozen=True, slots=True)
class ReadDate:
    """A date that could be read."""

    at: datetime
    codes: tuple[str, ...] = ()
    """Defects: `date_no_zone`, `date_zone_unknown`, `date_weekday_wrong`, `date_obsolete`,
    `date_implausible`."""

    @property
    def is_plausible(self) -> bool:
        """Say whether the year can be that of a mail."""
        return FIRST_YEAR <= self.at.year <= LAST_YEAR


class _Fields(NamedTuple):
    year: str
    month: int
    day: str
    time: tuple[str, str, str | None]
    zone: str
    weekday: str = ""
    text: str = ""


# As nearly every date is written: without a form that could be read in two ways, or a defect.
_USUAL = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r" ([0-9]{4}) ([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) ([+-](?:0[0-9]|1[0-4])[0-5][0-9])"
    r"(?: \([A-Za-z]{1,5}\))?"
)
_COMMENT = re.compile(r"\([^()]{0,100}\)")
_AROUND_COLON = re.compile(r" ?: ?")


def read_date(value: str) -> ReadDate | None:
    """Return the instant that a date field names; None when it cannot be read."""
    text = value[:_MAX_DATE_CHARS].strip()
    usual = _USUAL.fullmatch(text)
    if usual and (read := _read_usual(usual)):
        return read
    fields = _rfc5322_fields(text)
    if fields is None:
        plain = _AROUND_COLON.sub(":", " ".join(_COMMENT.sub(" ", text).split()))
        fields = _rfc5322_fields(plain) or _other_fields(plain)
    return _assemble(fields) if fields else None


def _read_usual(usual: re.Match[str]) -> ReadDate | None:
    """Return the instant of a date in the usual form; None where it needs a defect."""
    weekday, day, month, year, hour, minute, second, zone = usual.groups()
    try:
        local = datetime(int(year), _USUAL_MONTHS[month], int(day), int(hour), int(minute),
                         int(second), tzinfo=UTC)  # fmt: skip
        at = local - _east(zone)
    except (ValueError, OverflowError):
        return None
    is_usual = _DAYS[local.weekday()] == weekday.lower() and FIRST_YEAR <= at.year <= LAST_YEAR
    return ReadDate(at) if is_usual else None


_USUAL_MONTHS = {names[0].title(): number for number, names in enumerate(_MONTHS, 1)}


@lru_cache(maxsize=256)
def _east(zone: str) -> timedelta:
    return timedelta(minutes=_offset(zone, []))  # of a usual zone there is nothing to note


def _rfc5322_fields(text: str) -> _Fields | None:
    match = _RFC5322.match(text) or _RFC5322.search(text)
    if not match:
        return None
    month = _month(match[3])
    if not month:
        return None
    time = (match[5], match[6], match[7])
    return _Fields(match[4], month, match[2], time, match[8] or "", match[1] or "", text)


def _other_fields(text: str) -> _Fields | None:
    match = _ISO.search(text) or _CHINESE.search(text)
    if match:
        time = (match[4], match[5], match[6])
        return _Fields(match[1], int(match[2]), match[3], time, match[7] or "", "", text)
    match = _ASCTIME.search(text)
    if match and _month(match[2]):
        time = (match[4], match[5], match[6])
        zone = match[7] or _trailing_zone(text, match.end())
        return _Fields(match[8], _month(match[2]), match[3], time, zone, match[1] or "", text)
    match = _MONTH_FIRST.search(text)
    if match and _month(match[2]):
        time = (match[5], match[6], match[7])
        zone = match[8] or ""
        return _Fields(match[4], _month(match[2]), match[3], time, zone, match[1] or "", text)
    return None


def _trailing_zone(text: str, at: int) -> str:
    match = re.match(r"\s+([+-]\d{4}|[A-Z]{1,5})\b", text[at : at + 20])
    return match[1] if match else ""


def _month(name: str) -> int:
    name = name.casefold()
    for length in (len(name), 6, 5, 4, 3):
        found = _MONTH_OF.get(name[:length])
        if found:
            return found
    return 0


def _assemble(fields: _Fields) -> ReadDate | None:
    codes: list[str] = []
    hour, minute, second = int(fields.time[0]), int(fields.time[1]), int(fields.time[2] or 0)
    hour = _twelve_hour(hour, fields.text)
    offset = _offset(fields.zone, codes)
    year = _year(fields.year, codes)
    days = 1 if hour == 24 else 0
    try:
        local = datetime(year, fields.month, int(fields.day), hour % 24, minute, min(second, 59),
                         tzinfo=UTC)  # fmt: skip
        at = local + timedelta(days=days, minutes=-offset)
    except (ValueError, OverflowError):
        return None
    if hour > 24:
        return None
    weekday = fields.weekday[:3].casefold()
    if weekday in _DAYS and _DAYS[local.weekday()] != weekday:
        codes.append("date_weekday_wrong")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        codes.append("date_implausible")
    return ReadDate(at, tuple(codes))


_AFTERNOON = re.compile(r"\d\s*PM\b|下午|오후")
_MORNING = re.compile(r"\d\s*AM\b|上午|오전")


def _twelve_hour(hour: int, text: str) -> int:
    if hour <= 12 and text and not text.isdigit():
        if hour < 12 and _AFTERNOON.search(text):
            return hour + 12
        if hour == 12 and _MORNING.search(text):
            return 0
    return hour


def _year(digits: str, codes: list[str]) -> int:
    """RFC 5322 section 4.3: two digits 00-49 mean 20xx, all other short years count from 1900."""
    year = int(digits)
    if len(digits) == 4:
        return year
    codes.append("date_obsolete")
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)


def _offset(zone: str, codes: list[str]) -> int:
    """Return minutes east of Greenwich; zero with a defect when the zone is missing or unknown."""
    if not zone:
        codes.append("date_no_zone")
        return 0
    signed = zone.lstrip("GMTUCgmtuc")
    if signed[:1] in ("+", "-") and signed:
        digits = signed[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
        total = int(hours) * 60 + int(minutes)
        if total > 15 * 60 or int(minutes) > 59:
            codes.append("date_zone_unknown")
            return 0
        return -total if signed[0] == "-" else total
    known = _ZONES.get(zone.upper())
    if known is None:
        codes.append("date_zone_unknown")
        return 0
    if zone.upper() not in ("UT", "UTC", "GMT", "Z"):
        codes.append("date_obsolete")
    return known
