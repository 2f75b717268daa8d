"""`source pause|resume|set|backfill|logs`: look after sources that run by themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, Column, amount
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.plan import Plan
    from holdfast.storage.catalogue.source_runs import SourceRun

SOURCE_NAME = typer.Argument(metavar="NAME", help="Name of the source.", show_default=False)


def register(group: typer.Typer) -> None:
    """Add the commands to the group of sources."""
    add(group, "pause", pause, NameOptions)
    add(group, "resume", resume, NameOptions)
    add(group, "set", set_source, SetOptions, (0, 1, 2, 4, 5, 7))
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


def _words(name: str, metavar: str, text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=text, show_default=False)


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `source set`; what is not given stays."""

    name: Annotated[str, SOURCE_NAME]
    every: Annotated[
        float | None, _words("--every", "SECONDS", "Between two looks at all folders.")
    ] = None
    watch: Annotated[
        int | None, _words("--watch", "N", "Folders whose news is waited for (IDLE); 0: none.")
    ] = None
    late: Annotated[
        float | None, _words("--late", "SECONDS", "Without success for so long it is late.")
    ] = None
    reconcile: Annotated[
        float | None,
        _words("--reconcile", "SECONDS", "Between two comparisons of all that is kept; 0: none."),
    ] = None
    since: Annotated[
        str | None, _words("--since", "DAY", "Take only what came then or later; '' lifts it.")
    ] = None
    until: Annotated[
        str | None, _words("--until", "DAY", "Take only what came then or earlier; '' lifts it.")
    ] = None
    only: Annotated[
        list[str] | None,
        _words("--only", "ADDRESS", "Take only mail that names one of these; '' lifts it."),
    ] = None
    without: Annotated[
        list[str] | None,
        _words("--without", "ADDRESS", "Leave out mail that names one of these; '' lifts it."),
    ] = None
    folder: Annotated[
        list[str] | None, _words("--folder", "PATTERN", "Take only these folders; '' means all.")
    ] = None
    exclude: Annotated[
        list[str] | None, _words("--exclude", "PATTERN", "Leave these folders out; '' means none.")
    ] = None
    drafts: Annotated[
        str | None, _words("--drafts", "HOW", "sent: once they were sent; all: each saved version.")
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def set_source(session: Session, options: SetOptions) -> None:
    """Change when a source runs and what it takes; without options, show it.

    What a rule left out is in the ledger as skipped. Where a rule is lifted, the next run takes it.
    """
    from holdfast.ingest.imap.account import KIND, read, written
    from holdfast.ingest.imap.plan import read_plan, written_plan
    from holdfast.storage.catalogue.accounts import find_account
    from holdfast.storage.catalogue.source_schedule import change_account
    from holdfast.storage.catalogue.unkept import forget_lifted

    with session.archive() as services:
        kept = find_account(services.store, options.name)
        if kept.kind != KIND:
            raise Refused(
                f"The source {kept.name!r} is no mailbox.",
                next_step="Remove it, and add it again with other options.",
            )
        before = read_plan(kept.plan), read(kept.settings)
        plan, account = _planned(before[0], options), _placed(before[1], options)
        if (plan, account) != before:
            values = {"plan": written_plan(plan), "settings": written(account)}
            change_account(services.store, kept.source_id, values)
            forget_lifted(services.store, kept.source_id, plan.rules)
    shown = _shown(plan, account)
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-set/1", "source": options.name, **shown})
        return
    session.screen.facts(
        (name, ", ".join(value) if isinstance(value, tuple) else str(value))
        for name, value in shown.items()
        if value not in ("", ())
    )


def _planned(plan: Plan, options: SetOptions) -> Plan:
    given: dict[str, Any] = {
        "every_s": options.every,
        "watches": options.watch,
        "late_s": options.late,
        "reconcile_s": options.reconcile,
        "since": options.since,
        "until": options.until,
        "people": _listed(options.only),
        "strangers": _listed(options.without),
        "drafts": options.drafts,
    }
    return replace(plan, **{name: value for name, value in given.items() if value is not None})


def _placed(account: Account, options: SetOptions) -> Account:
    given = {"folders": _listed(options.folder), "excludes": _listed(options.exclude)}
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(account, **changed)


def _listed(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(value for value in values if value)


def _shown(plan: Plan, account: Account) -> dict[str, Any]:
    return {
        "every": plan.every_s,
        "watch": plan.watches,
        "late": plan.late_s,
        "reconcile": plan.reconcile_s,
        "since": plan.since,
        "until": plan.until,
        "only": plan.people,
        "without": plan.strangers,
        "folder": account.folders,
        "exclude": account.excludes,
        "drafts": plan.drafts,
    }


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
    error = one.error.strip().rpartition("\n")[2]
    new, skipped = counts.get("new", 0), counts.get("skipped", 0)
    return (
        local_time(session, one.started_ms), session.screen.words(one.why), outcome, took,
        amount(new), amount(skipped), amount(lacking), error,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """Options of `source backfill`."""

    name: Annotated[str, SOURCE_NAME]
    since: Annotated[str, _words("--since", "DAY", "From this day (UTC) on.")] = ""
    until: Annotated[str, _words("--until", "DAY", "Up to this day (UTC).")] = ""
    folder: Annotated[
        list[str] | None,
        _words("--folder", "PATTERN", "In these folders, though the source leaves them out."),
    ] = None
    failed: Annotated[bool, flag("--failed", text="Ask again for what failed, and only that.")] = (
        False
    )
    as_json: Annotated[bool, flag("--json", text="Print the summary as JSON.")] = False


def backfill_ask(options: BackfillOptions) -> Any:
    """Return what the run is to look at.

    Raises:
        Refused: Nothing was named, or what excludes each other.
    """
    from holdfast.ingest.imap.plan import read_day
    from holdfast.ingest.imap.scope import Range
    from holdfast.ingest.sources.bench import Ask

    days = [day for day in (options.since, options.until) if day]
    for day in days:
        read_day(day)
    if options.failed and days:
        raise Refused("--failed takes no days.", next_step="Give days or --failed.")
    if not (options.failed or days or options.folder):
        raise Refused(
            "What is to be fetched?", next_step="Give --since, --until, --folder or --failed."
        )
    within = None if options.failed else Range(options.since, options.until)
    return Ask(
        "backfill", backfill=within, folders=tuple(options.folder or ()), only_failed=options.failed
    )
