"""`source pause|resume|backfill|logs`: look after sources that run by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, Column, amount

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.sources.asking import Wanted
    from holdfast.storage.catalogue.source_runs import SourceRun

SOURCE_NAME = typer.Argument(metavar="NAME", help="Name of the source.", show_default=False)


def valued(name: str, metavar: str, text: str) -> Any:
    """Return an option whose value is shown by that word, and whose default is nothing."""
    return typer.Option(name, metavar=metavar, help=text, show_default=False)


def register(group: typer.Typer) -> None:
    """Add the commands to the group of sources."""
    add(group, "pause", pause, NameOptions)
    add(group, "resume", resume, NameOptions)
    add(group, "logs", logs, LogsOptions)


@dataclass(frozen=True, slots=True)
class NameOptions:
    """Options of `source pause` and `source resume`."""

    name: Annotated[str, SOURCE_NAME]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def pause(session: Session, options: NameOptions) -> None:
    """Let a source rest until it is resumed; it stays paused over restarts."""
    from holdfast.storage.catalogue.source_schedule import pause as rest

    with session.archive() as services:
        rest(services.store, _id(services, options.name))
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-pause/1", "source": options.name})
        return
    session.screen.result("Paused {name}.", style=GOOD, name=options.name)


def resume(session: Session, options: NameOptions) -> None:
    """Let a source run again: the next look is due now, whatever failed before."""
    from holdfast.storage.catalogue.source_schedule import resume as go_on

    with session.archive() as services:
        go_on(services.store, _id(services, options.name))
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-resume/1", "source": options.name})
        return
    session.screen.result("Resumed {name}.", style=GOOD, name=options.name)


def _id(services: Any, name: str) -> int:
    from holdfast.storage.catalogue.accounts import find_account

    return find_account(services.store, name).source_id


@dataclass(frozen=True, slots=True)
class LogsOptions:
    """Options of `source logs`."""

    name: Annotated[str, SOURCE_NAME]
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="At most so many, newest first.")
    ] = 20
    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each run.")] = False


def logs(session: Session, options: LogsOptions) -> None:
    """List the runs of a source: why, when, what came of it, and the error.

    Of each source the newest 200 runs are kept, and all that began within 30 days.
    """
    from holdfast.storage.catalogue.accounts import find_account
    from holdfast.storage.catalogue.source_runs import runs_of

    with session.archive() as services:
        kept = find_account(services.store, options.name)
        found = runs_of(services.store, kept.source_id, options.limit)
    screen = session.screen
    if options.as_json:
        for one in found:
            screen.json({"schema": "holdfast.source-run/1", **_run(one)})
        return
    if not found:
        screen.note("It has not run yet. Next: holdfast worker")
        return
    columns = [Column("Started"), Column("Why"), Column("Outcome")]
    columns += [Column("Seconds", is_number=True), Column("New", is_number=True)]
    columns += [Column("Skipped by rule", is_number=True), Column("Failed", is_number=True)]
    rows = [_row(session, one) for one in found]
    screen.table([*columns, Column("Error", ratio=1)], rows)


def _counts(one: SourceRun) -> dict[str, Any]:
    import msgspec

    return msgspec.json.decode(one.counts, type=dict[str, Any]) if one.counts else {}


def _run(one: SourceRun) -> dict[str, Any]:
    from holdfast.cli.commands.source_list import stamp

    return {
        "id": one.id,
        "why": one.why,
        "started_at": stamp(one.started_ms),
        "ended_at": stamp(one.ended_ms),
        "outcome": one.outcome or "running",
        "trouble": one.trouble,
        "error": one.error,
        **_counts(one),
    }


def _row(session: Session, one: SourceRun) -> tuple[str, ...]:
    from holdfast.cli.commands.source_list import local_time

    counts = _counts(one)
    lacking = counts.get("failed", 0) + counts.get("quarantined", 0)
    took = "" if one.ended_ms is None else f"{(one.ended_ms - one.started_ms) / 1000:.1f}"
    outcome = session.screen.words(one.outcome or "running")
    error = session.screen.told(one.error.strip().rpartition("\n")[2])
    new, skipped = counts.get("new", 0), counts.get("skipped", 0)
    return (
        local_time(session, one.started_ms), session.screen.words(one.why), outcome, took,
        amount(new), amount(skipped), amount(lacking), error,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """Options of `source backfill`."""

    name: Annotated[str, SOURCE_NAME]
    since: Annotated[str, valued("--since", "DAY", "From this day (UTC) on.")] = ""
    until: Annotated[str, valued("--until", "DAY", "Up to this day (UTC).")] = ""
    folder: Annotated[
        list[str] | None,
        valued("--folder", "PATTERN", "In these folders, though the source leaves them out."),
    ] = None
    failed: Annotated[bool, flag("--failed", text="Ask again for what failed, and only that.")] = (
        False
    )
    as_json: Annotated[bool, flag("--json", text="Print the summary as JSON.")] = False


def wanted(options: BackfillOptions) -> Wanted:
    """Return what the options say is to be taken."""
    from holdfast.ingest.sources.asking import Wanted

    folders = tuple(options.folder or ())
    return Wanted(options.since, options.until, folders, options.failed)
