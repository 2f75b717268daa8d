"""`source list`: every source with its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from holdfast.cli.command import flag
from holdfast.cli.screen import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.cli.session import Session
    from holdfast.ingest.sources.health import Health


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `source list`."""

    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_sources(session: Session, options: ListOptions) -> None:
    """List the sources that are pulled or watched: state, last success, next run, last error."""
    from holdfast.ingest.source_kinds import source_of
    from holdfast.ingest.sources.health import health

    with session.archive() as services:
        found = [
            (one, source_of(one.kept.kind).shown(one.kept.settings))
            for one in health(services.store)
        ]
    if options.as_json:
        shown = [_value(one, facts) for one, facts in found]
        session.screen.json({"schema": "holdfast.sources/1", "sources": shown})
    elif found:
        columns = [Column("Name"), Column("User"), Column("Server"), Column("State")]
        columns += [Column("Last success"), Column("Next run"), Column("Last error", ratio=1)]
        session.screen.table(columns, [_row(session, one, facts) for one, facts in found])
    else:
        session.screen.note("No source is pulled. Next: holdfast source add imap NAME")


def _row(session: Session, one: Health, facts: Mapping[str, object]) -> tuple[str, ...]:
    kept = one.kept
    due = "–" if kept.paused_ms is not None else local_time(session, kept.next_ms)
    is_due = due == "–" and kept.paused_ms is None
    return (
        kept.name,
        str(facts["user"]),
        str(facts["place"]),
        session.screen.words(one.state),
        local_time(session, kept.succeeded_ms),
        session.screen.words("now") if is_due else due,
        session.screen.told(kept.last_error),
    )


def _value(one: Health, facts: Mapping[str, object]) -> dict[str, Any]:
    kept = one.kept
    return {
        "name": kept.name,
        "kind": kept.kind,
        **{name: value for name, value in facts.items() if name != "place"},
        "custodian": kept.custodian,
        "last_success": stamp(kept.succeeded_ms),
        "last_reconciled": stamp(kept.reconciled_ms),
        "last_error": kept.last_error,
        "failures": kept.failures,
        "state": one.state,
        "trouble": kept.trouble,
        "next_step": kept.next_step,
        "lag_s": round(one.lag_s, 1),
        "is_late": one.is_late,
        "is_watched": one.is_watched,
        "paused_at": stamp(kept.paused_ms),
        "next_run": None if kept.paused_ms is not None else stamp(kept.next_ms),
    }


def local_time(session: Session, at_ms: int | None) -> str:
    """Return an instant for people."""
    from datetime import datetime

    if at_ms is None:
        return "–"
    return f"{datetime.fromtimestamp(at_ms / 1000, session.settings.zone):%Y-%m-%d %H:%M}"


def stamp(at_ms: int | None) -> str | None:
    """Return an instant for programs."""
    from datetime import UTC, datetime

    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
