"""Explains how a message travelled, for the page of one message; never used on the bulk path.

The hops and oddities come from mail-parser, which may raise on hostile content: whatever it
raises becomes a value that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import mailparser

MAX_HEADER_BYTES = 256 << 10
"""Bytes of the original that are looked at: hops stand at its beginning."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One Received field, as its server wrote it."""

    number: int
    """1 is the oldest."""
    sender: str
    """The `from` clause."""
    receiver: str
    """The `by` clause."""
    protocol: str
    at: datetime | None
    """None when the field states no time that can be read."""
    delay_s: float
    """Seconds since the hop before; 0 for the first."""


@dataclass(frozen=True, slots=True)
class Journey:
    """What the header says about the way of a message."""

    hops: tuple[Hop, ...]
    anomalies: tuple[str, ...]
    """Names of the oddities that mail-parser found, sorted."""


@dataclass(frozen=True, slots=True)
class JourneyFailed:
    """The header could not be explained; the message itself is not affected."""

    reason: str
    """Name of the failure, without content."""


def describe_headers(raw: bytes) -> Journey | JourneyFailed:
    """Return hops with delays and anomalies of one message; never raises on content."""
    try:
        mail = mailparser.parse_from_bytes(raw[:MAX_HEADER_BYTES])
        hops = tuple(_hop(item, number) for number, item in enumerate(mail.received, 1))
        return Journey(hops, tuple(sorted(mail.defects_categories)))
    # The library wraps a parser that is not total (cpython#136063): any class of error can come.
    except (Exception, RecursionError) as error:  # noqa: BLE001
        return JourneyFailed(type(error).__name__)


def _hop(item: Mapping[str, object], number: int) -> Hop:
    delay = item.get("delay")
    return Hop(
        number=number,
        sender=_text(item.get("from")),
        receiver=_text(item.get("by")),
        protocol=_text(item.get("with")),
        at=_instant(item.get("date_utc")),
        delay_s=float(delay) if isinstance(delay, int | float) else 0.0,
    )


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")
