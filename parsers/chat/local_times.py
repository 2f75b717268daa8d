"""Turns times that name no zone into instants, by the zone that an import was given."""

from __future__ import annotations

from datetime import datetime

from holdfast.core.records import Defect
from holdfast.parsers.chat.table_values import in_zone


def at_zone(local: datetime | None, zone: str) -> tuple[datetime | None, tuple[Defect, ...]]:
    """Return the instant of a local time, as UTC with a defect where no zone is known.

    Args:
        local: Without a zone; None for a time that cannot be read.
        zone: IANA name; empty or unknown for none.
    """
    if local is None:
        return None, ()
    try:
        at, is_assumed = in_zone(local, zone)
    except ValueError:
        return None, ()
    return at, (Defect("date_no_zone"),) if is_assumed else ()


def naive_iso(text: str) -> datetime | None:
    """Return a local time as ISO 8601 writes it; None for anything else."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at if at.tzinfo is None else None
