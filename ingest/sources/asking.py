"""What a source is asked for beside its own schedule, by command or over the API; runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.errors import Refused
from holdfast.ingest.imap.hosts import refuse_controls
from holdfast.ingest.imap.plan import read_day
from holdfast.ingest.imap.scope import Range
from holdfast.ingest.sources.bench import Ask


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a backfill is to take; names are those of the command line's options."""

    since: str = ""
    """From this day (UTC) on, as YYYY-MM-DD."""
    until: str = ""
    """Up to this day (UTC)."""
    folders: tuple[str, ...] = ()
    """Patterns of the folders to look at, though the source leaves them out."""
    failed: bool = False
    """Ask again for what failed, and only that."""


def backfill_ask(wanted: Wanted) -> Ask:
    """Return what the run is to look at.

    Raises:
        Refused: Nothing was named, or what excludes each other, or days that are none.
    """
    since, until = (read_day(day) if day else None for day in (wanted.since, wanted.until))
    for pattern in wanted.folders:
        refuse_controls(pattern)
    if wanted.failed and (since or until):
        raise Refused("--failed takes no days.", next_step="Give days or --failed.")
    if since and until and until < since:
        raise Refused("The last day is before the first.", next_step="Turn --since and --until.")
    if not (wanted.failed or since or until or wanted.folders):
        raise Refused(
            "What is to be fetched?", next_step="Give --since, --until, --folder or --failed."
        )
    within = None if wanted.failed else Range(wanted.since, wanted.until)
    return Ask("backfill", backfill=within, folders=wanted.folders, only_failed=wanted.failed)


def reconcile_ask() -> Ask:
    """Return that all that is kept is to be compared with what the source has."""
    return Ask("reconcile", reconciles=True)
