"""`contact import`: people out of vCards and tables, and taking that back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, WARNING, Column, amount
from holdfast.cli.text_files import text_in
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.cli.session import Session
    from holdfast.ingest.directory.importing import Order
    from holdfast.ingest.directory.report import Problem, Report

PARTIAL = 3
_SHOWN = 10


def register_import(group: typer.Typer) -> None:
    """Add the command to those about contacts."""
    add(group, "import", run, DirectoryOptions, (0, 1, 2, PARTIAL, 4, 5, 7))


def _text(name: str, metavar: str, text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=text, show_default=False)


@dataclass(frozen=True, slots=True)
class DirectoryOptions:
    """Options of `contact import`."""

    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", show_default=False, help="vCards, CSV files or workbooks."),
    ] = None
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="FILE", help="What the columns mean, as JSON."),
    ] = None
    country: Annotated[str, _text("--country", "CODE", "Of numbers that name none: 49, 86 …")] = ""
    system: Annotated[
        str, _text("--system", "NAME", "Whose ids the column of external ids has; else crm.")
    ] = ""
    source: Annotated[
        str, _text("--source", "NAME", "Under which the ledger keeps what could not be taken.")
    ] = ""
    overwrite: Annotated[
        bool, flag("--overwrite", text="Also over what people said of contacts.")
    ] = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only say what would happen.")] = False
    errors: Annotated[
        Path | None,
        typer.Option("--errors", metavar="FILE", help="Write what is not taken there, as CSV."),
    ] = None
    undo: Annotated[str, _text("--undo", "BATCH", "Take an import (bat_…) back.")] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def run(session: Session, options: DirectoryOptions) -> int:
    """Give contacts names, addresses, companies and groups from a directory.

    Who is known by an address is not made twice, an address that is another contact's stays where
    it is and is listed, and what people said of contacts stays. The same files again change
    nothing. An import can be taken back exactly.
    """
    if options.undo:
        return _undo(session, options)
    if not options.files:
        raise Refused("Nothing to import was named.", next_step="Give a file.")
    order = _order(options)
    with _errors(options.errors) as on_problem:
        report = _import(session, order, on_problem)
    if options.as_json:
        session.screen.json(_value(order, report))
    else:
        _print(session, order, report)
    return PARTIAL if report.counts.bad else 0


def _order(options: DirectoryOptions) -> Order:
    from holdfast.ingest.directory.cards import rules_of
    from holdfast.ingest.directory.importing import Order
    from holdfast.storage.catalogue.resolving import DIRECTORY

    mapping = text_in(options.mapping) if options.mapping else ""
    return Order(
        tuple(options.files or ()),
        rules_of(mapping, options.country, options.system),
        options.source or DIRECTORY,
        options.overwrite,
        options.dry_run,
    )


def _import(session: Session, order: Order, on_problem: Callable[[Problem], None]) -> Report:
    from holdfast.cli.progress import Counter
    from holdfast.ingest.directory.importing import import_directory

    with session.archive() as services, Counter(session.screen, "Cards") as counter:
        report = import_directory(order, services.store, counter.show, on_problem)
        services.desk.feed.drain()
    return report


@contextmanager
def _errors(path: Path | None) -> Iterator[Callable[[Problem], None]]:
    """Give what writes each problem to the file as it comes."""
    from holdfast.discovery.index_files import csv_head, csv_row

    if path is None:
        yield lambda _: None
        return
    with path.open("wb") as file:
        file.write(csv_head(("file", "place", "kind", "reason", "contacts", "content")))

        def write(one: Problem) -> None:
            contacts = " ".join(one.contact_names())
            facts = (one.file, one.place, one.kind, one.reason, contacts, one.content)
            file.write(csv_row(facts))

        yield write


def _value(order: Order, report: Report) -> dict[str, Any]:
    problems = [
        {"file": one.file, "place": one.place, "kind": one.kind, "reason": one.reason,
         "contacts": one.contact_names()}
        for one in report.problems
    ]  # fmt: skip
    return {
        "schema": "holdfast.contact-import/1",
        "batch": report.batch,
        "is_trial": order.is_trial,
        **asdict(report.counts),
        "columns": _columns(order) if order.is_trial else {},
        "problems": problems,
    }


def _columns(order: Order) -> dict[str, str]:
    from holdfast.ingest.directory.cards import columns_found

    return {
        header: meaning
        for path in order.paths
        for header, meaning in columns_found(path, order.rules).items()
    }


def _print(session: Session, order: Order, report: Report) -> None:
    screen, counts = session.screen, report.counts
    facts = {"created": amount(counts.created), "changed": amount(counts.changed)}
    if report.is_unchanged:
        screen.result("Nothing is different from what the archive knows.", style=GOOD)
    elif order.is_trial:
        screen.result(
            "{created} new contacts and {changed} changes would be made.", style=GOOD, **facts
        )
    else:
        screen.result("{created} new contacts, {changed} changed.", style=GOOD, **facts)
    lines = [
        ("Cards", counts.cards), ("Unchanged", counts.unchanged), ("Addresses", counts.addresses),
        ("Conflicts", counts.conflicts), ("Remarks", counts.remarks), ("Kept", counts.kept),
        ("Not readable", counts.bad),
    ]  # fmt: skip
    shown = [(name, amount(count)) for name, count in lines if count or name == "Cards"]
    screen.facts([*shown, *([("Batch", report.batch)] if report.batch else [])])
    _print_problems(session, report)
    if order.is_trial:
        for header, meaning in _columns(order).items():
            screen.note("{header} → {meaning}", header=header, meaning=meaning)
        screen.note("Nothing was written.")
    elif report.batch:
        screen.hint("To take it back: holdfast contact import --undo {batch}", batch=report.batch)


def _print_problems(session: Session, report: Report) -> None:
    shown = report.problems[:_SHOWN]
    if not shown:
        return
    counts = report.counts
    columns = [Column("File"), Column("Place"), Column("What"), Column("Reason", ratio=1)]
    rows = [(one.file, one.place, one.kind, _reason(one)) for one in shown]
    session.screen.table(columns, rows)
    left = counts.bad + counts.conflicts + counts.remarks + counts.kept - len(shown)
    if left:
        session.screen.note(
            "{left} more; --errors FILE writes all of them.", style=WARNING, left=amount(left)
        )
    if any(len(one.contact_names()) > 1 for one in shown):
        session.screen.hint("If two are one person: holdfast contact merge CONTACT OTHER")


def _reason(one: Problem) -> str:
    return " ".join((one.reason, *one.contact_names()))


def _undo(session: Session, options: DirectoryOptions) -> int:
    from holdfast.cli.progress import Counter
    from holdfast.core.identity import row_id
    from holdfast.storage.directory.undoing import undo_directory

    if options.files:
        raise Refused("--undo takes no path.", next_step="Give the batch alone.")
    with session.archive() as services, Counter(session.screen, "Contacts") as counter:
        undone = undo_directory(services.store, row_id("bat", options.undo), counter.show)
        services.desk.feed.drain()
    if options.as_json:
        facts = {"batch": options.undo, "links": undone.links, "contacts": undone.contacts}
        session.screen.json({"schema": "holdfast.contact-import-undo/1", **facts})
        return 0
    session.screen.result(
        "Taken back: {links} addresses; {contacts} contacts say what they did before.",
        style=GOOD,
        links=amount(undone.links),
        contacts=amount(undone.contacts),
    )
    return 0
