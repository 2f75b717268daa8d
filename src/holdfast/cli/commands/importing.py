"""`import`: take in files, and take an import back; it decides nothing about their content."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.working import queue_import
from holdfast.cli.screen import GOOD, WARNING, amount, size
from holdfast.cli.text_files import text_in
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.imports import ImportOptions as Order
    from holdfast.ingest.imports import ImportSummary
    from holdfast.ingest.readers.chats.tree import ChatRules

PARTIAL = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "import", run, ImportOptions, (0, 1, 2, PARTIAL, 4, 5, 7))


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of `import`."""

    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH…", show_default=False,
            help="mbox, Maildir, .eml, .emlx, ZIP or tar files, chat exports, or folders of them.",
        ),
    ] = None  # fmt: skip
    custodian: Annotated[
        str,
        typer.Option("--custodian", metavar="NAME", help="Whose mail it is.", show_default=False),
    ] = ""
    source: Annotated[
        str,
        typer.Option(
            "--source", metavar="NAME", show_default=False,
            help="Name of the source; else the path. The same source again adds only what is new.",
        ),
    ] = ""  # fmt: skip
    dry_run: Annotated[
        bool, flag("--dry-run", text="Only count what would be offered; write nothing.")
    ] = False
    trust_dates: Annotated[
        bool, flag("--trust-dates", text="Let the messages' own dates count for retention.")
    ] = False
    journal: Annotated[
        bool,
        flag("--journal", text="It is a journal's mailbox: read its journal reports as such."),
    ] = False
    mbox_variant: Annotated[
        str,
        typer.Option(
            "--mbox-variant", metavar="NAME",
            help="How mbox files quote: auto, mboxo, mboxrd, mboxcl or mboxcl2.",
        ),
    ] = "auto"  # fmt: skip
    chat_zone: Annotated[
        str,
        typer.Option(
            "--chat-zone", metavar="ZONE", show_default=False,
            help="Of chat times that name no zone: Asia/Shanghai; else UTC.",
        ),
    ] = ""  # fmt: skip
    date_order: Annotated[
        str,
        typer.Option(
            "--date-order", metavar="ORDER", show_default=False,
            help="day or month: what comes first in dates as 3/5/2024.",
        ),
    ] = ""  # fmt: skip
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="FILE",
            help="What the columns of a table mean, as JSON; --dry-run shows what is found.",
        ),
    ] = None  # fmt: skip
    media: Annotated[
        Path | None,
        typer.Option(
            "--media", metavar="DIR", help="Where the media of a chat export lie; else beside it."
        ),
    ] = None
    tenant: Annotated[
        str,
        typer.Option(
            "--tenant", metavar="ID", show_default=False,
            help="Which corporation or workspace a chat export is of, if it does not say.",
        ),
    ] = ""  # fmt: skip
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors", metavar="FILE", help="Write rows that could not be read there, as CSV."
        ),
    ] = None
    retry: Annotated[
        bool, flag("--retry", text="Try again what this source could not give before.")
    ] = False
    undo: Annotated[
        str,
        typer.Option(
            "--undo", metavar="BATCH", show_default=False,
            help="Take an import (bat_…) out of sight; its originals stay sealed.",
        ),
    ] = ""  # fmt: skip
    processes: Annotated[
        int,
        typer.Option(
            "-j", "--processes", metavar="N", min=0, show_default=False,
            help="Processes that parse; else as many as there are cores.",
        ),
    ] = 0  # fmt: skip
    queue: Annotated[
        bool, flag("--queue", text="Leave it to 'holdfast worker', and print the job's id.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print the summary as JSON.")] = False


def run(session: Session, options: ImportOptions) -> int:
    """Import mail from files and folders; it is searchable when the command ends.

    Nothing is changed where it lies. May be interrupted and repeated at any time: what was taken in
    stays, what was not is offered again, and nothing is taken twice.
    """
    if options.undo:
        return _undo(session, options)
    if not options.paths:
        raise Refused("Nothing to import was named.", next_step="Give a file or a folder.")
    if options.errors is not None and (options.dry_run or options.queue):
        raise Refused(
            "--errors goes with neither --dry-run nor --queue: it tells what an import met.",
            next_step="Import here, or see 'holdfast ledger --failed' when the job is done.",
        )
    if options.processes:
        session.choose({"work.processes": options.processes})
    order = _order(options)
    if options.dry_run:
        _preview(session, options, order)
        return 0
    if options.queue:
        queue_import(session, order, as_json=options.as_json)
        return 0
    summary = _import(session, order)
    if options.errors is not None:
        _write_errors(options.errors, order)
    if options.as_json:
        session.screen.json({"schema": "holdfast.import/1", **_value(summary)})
    else:
        _print(session, summary)
    return PARTIAL if summary.counts.failed + summary.counts.quarantined else 0


def _order(options: ImportOptions) -> Order:
    from holdfast.ingest.imports import ImportOptions as Order

    return Order(
        paths=tuple(options.paths or ()),
        source=options.source,
        custodian=options.custodian,
        trusts_dates=options.trust_dates,
        trusts_reports=options.journal,
        mbox_variant=options.mbox_variant,
        chats=_chat_rules(options),
        retries=options.retry,
    )


def _chat_rules(options: ImportOptions) -> ChatRules:
    from holdfast.ingest.readers.chats.tree import ChatRules
    from holdfast.parsers.chat.table_values import zone_of

    if options.chat_zone and zone_of(options.chat_zone) is None:
        raise Refused(f"There is no zone {options.chat_zone!r}.", next_step="As Asia/Shanghai.")
    if options.date_order not in ("", "day", "month"):
        raise Refused("--date-order takes day or month.")
    return ChatRules(
        zone=options.chat_zone,
        order=options.date_order,
        mapping=text_in(options.mapping) if options.mapping else "",
        media=str(options.media.absolute()) if options.media else "",
        tenant=options.tenant,
    )


def _import(session: Session, order: Order) -> ImportSummary:
    from holdfast.cli.progress import ImportDisplay, bytes_at
    from holdfast.wiring.runs import import_paths

    with ImportDisplay(session.screen, sum(map(bytes_at, order.paths))) as display:
        return import_paths(session.settings, session.actor, order, display.show)


def _write_errors(path: Path, order: Order) -> None:
    """Write the rows that could not be read, with their place and the reason."""
    from holdfast.discovery.index_files import csv_row
    from holdfast.ingest.imports import offers_of

    with path.open("wb") as file:
        file.write(codecs.BOM_UTF8 + csv_row(("file", "row", "reason", "content")))
        for offered in offers_of(order):
            if offered.kind == "bad":
                content = offered.raw.decode("utf-8", "replace")
                facts = (offered.container, offered.facts.member, offered.facts.note, content)
                file.write(csv_row(facts))


def _preview(session: Session, options: ImportOptions, order: Order) -> None:
    from holdfast.ingest.imports import preview

    found = preview(order)
    counts = found.counts
    if options.as_json:
        facts: dict[str, Any] = {"offered": counts.offered, "bytes": counts.bytes_offered}
        facts |= {"skipped": counts.skipped, "quarantined": counts.quarantined}
        facts |= {"failed": counts.failed, "columns": found.columns}
        session.screen.json({"schema": "holdfast.import-preview/1", **facts})
        return
    session.screen.facts(
        [
            ("Source", order.source_name),
            ("Would be offered", f"{amount(counts.offered)} ({size(counts.bytes_offered)})"),
            ("Skipped by rule", amount(counts.skipped)),
            ("Failed", amount(counts.failed)),
            ("Not readable", amount(counts.quarantined)),
        ]
    )
    for header, meaning in found.columns.items():
        session.screen.note("{header} → {meaning}", header=header, meaning=meaning)
    session.screen.note("Nothing was written.")


def _value(summary: ImportSummary) -> dict[str, Any]:
    counts = summary.counts
    names = (
        "offered", "new", "duplicates", "unchanged", "skipped", "gone", "quarantined", "failed",
        "with_defects",
    )  # fmt: skip
    return {
        "batch": summary.batch,
        "source": summary.source,
        **{name: getattr(counts, name) for name in names},
        "bytes": counts.bytes_done,
        "recovered": summary.recovered,
        "not_indexed": summary.not_indexed,
    }


def _print(session: Session, summary: ImportSummary) -> None:
    screen, counts = session.screen, summary.counts
    screen.result(
        "{new} new messages from {source}",
        style=GOOD,
        new=amount(counts.new),
        source=summary.source,
    )
    lines = [
        ("Offered", counts.offered),
        ("New", counts.new),
        ("Duplicates", counts.duplicates),
        ("Unchanged", counts.unchanged),
        ("Skipped by rule", counts.skipped),
        ("Gone", counts.gone),
        ("Failed", counts.failed),
        ("Not readable", counts.quarantined),
        ("With defects", counts.with_defects),
        ("Finished for an earlier run", summary.recovered),
    ]
    always = ("Offered", "New", "Duplicates")
    screen.facts(
        [(name, amount(count)) for name, count in lines if count or name in always]
        + [("Size", size(counts.bytes_done)), ("Batch", summary.batch)]
    )
    if counts.failed + counts.quarantined:
        screen.note(
            "Some items failed. Next: holdfast ledger --failed --source {source!r}",
            style=WARNING,
            source=summary.source,
        )
    if summary.not_indexed:
        screen.warn("{count} are not indexed yet.", count=amount(summary.not_indexed))
    screen.hint("Next: holdfast search QUERY   To take it back: holdfast import --undo {batch}",
                batch=summary.batch)  # fmt: skip


def _undo(session: Session, options: ImportOptions) -> int:
    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue.batches import undo_batch
    from holdfast.storage.directory.undoing import is_directory

    if options.paths:
        raise Refused("--undo takes no path.", next_step="Give the batch alone.")
    with session.archive() as services:
        batch_id = row_id("bat", options.undo)
        if is_directory(services.store, batch_id):
            step = f"holdfast contact import --undo {options.undo}"
            raise Refused("It is a directory's import.", next_step=step)
        undone = undo_batch(services.store, batch_id)
        services.desk.feed.drain()
    if options.as_json:
        facts = {"batch": options.undo, "captures": undone.captures}
        facts |= {"interactions": undone.interactions}
        session.screen.json({"schema": "holdfast.import-undo/1", **facts})
        return 0
    session.screen.result(
        "Taken back: {captures} captures; {interactions} messages are out of sight.",
        style=GOOD,
        captures=amount(undone.captures),
        interactions=amount(undone.interactions),
    )
    session.screen.note("Their originals stay sealed; the same import brings them back.")
    return 0
