"""`export create|list|show|resume|verify`: take results out of the archive, with their proof."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import BAD, GOOD, WARNING, Column, amount, size
from holdfast.core.errors import Corrupt, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.discovery.export_order import Archive, Asker, ExportOrder
    from holdfast.storage.governance.exports import ExportRow
    from holdfast.wiring.archive import Services

PARTIAL_STATUS = 3
_ID = Annotated[str, typer.Argument(metavar="ID", help="An export (exp_…).")]
_JSON = Annotated[bool, flag("--json", text="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Take results out as a package that proves itself."
    )
    add(group, "create", create, CreateOptions, (0, 1, 2, 3, 4, 5, 6, 7))
    add(group, "list", list_all, ListOptions)
    add(group, "show", show, ShowOptions)
    add(group, "resume", resume, ResumeOptions, (0, 1, 2, 3, 4, 5, 6, 7))
    add(group, "verify", verify, VerifyOptions, (0, 2, 4, 6, 7))
    app.add_typer(group, name="export")


@dataclass(frozen=True, slots=True)
class CreateOptions:
    """Options of `export create`."""

    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", show_default=False, help="As for a search."),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", show_default=False, help="The package, a new ZIP."),
    ] = None
    matter: Annotated[
        str, typer.Option("--matter", metavar="NAME", help="For this matter.", show_default=False)
    ] = ""
    attachments: Annotated[
        bool, flag("--attachments", text="Attachments also as files of their own.")
    ] = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only say what would be exported.")] = False
    as_json: _JSON = False


def create(session: Session, options: CreateOptions) -> int:
    """Export everything that a query finds: originals, index, custody, certificate, signature.

    The package is one ZIP with its own verifier (verify.py), which needs nothing of Holdfast. The
    audit log knows of every record before it leaves. Exit status 3: something is missing or was not
    fully indexed, and exceptions.csv names it.
    """
    from holdfast.discovery.exporting import ask_export

    if options.out is None and not options.dry_run:
        raise Refused("Where shall the package be?", next_step="Name a new file with --out FILE.")
    order = _order(session, options)
    with session.archive() as services:
        services.desk.feed.drain()
        archive, asker = _archive(services), _asker(session, services)
        if options.dry_run:
            _preview(session, services, (archive, order, asker), as_json=options.as_json)
            return 0
        export_id = ask_export(archive, order, asker)
        return _run(session, archive, export_id, as_json=options.as_json)


def _order(session: Session, options: CreateOptions) -> ExportOrder:
    from datetime import UTC, datetime

    from holdfast.discovery.export_order import ExportOrder
    from holdfast.indexer.query_parser import parse_query

    text, zone = " ".join(options.query or ()), session.settings.zone
    parsed = parse_query(text, now=datetime.now(UTC), zone=zone)
    for warning in parsed.warnings:
        session.screen.warn("{warning}", warning=session.screen.told(warning))
    return ExportOrder(
        query=parsed.node,
        text=text,
        zone=zone,
        file=(options.out or Path(os.devnull)).absolute(),
        matter=options.matter,
        with_attachments=options.attachments,
    )


def _archive(services: Services) -> Archive:
    from holdfast.wiring.exports import export_archive

    return export_archive(services)


def _asker(session: Session, services: Services) -> Asker:
    from holdfast.core.query import Scope
    from holdfast.discovery.export_order import Asker

    return Asker(session.actor, services.store.actor, Scope.whole_archive(session.actor))


def _preview(
    session: Session,
    services: Services,
    asked: tuple[Archive, ExportOrder, Asker],
    *,
    as_json: bool,
) -> None:
    from holdfast.cli.trail import note_search
    from holdfast.discovery.exporting import preview_export

    archive, order, asker = asked
    found = preview_export(archive, order, asker)
    note_search(services, {"query": order.text, "total": found.records, "why": "export"})
    if as_json:
        value = {"records": found.records, "bytes": found.size_bytes}
        session.screen.json({"schema": "holdfast.export-preview/1", **value})
        return
    session.screen.result(
        "{records} records, {size} of messages. Nothing was exported.",
        records=amount(found.records),
        size=size(found.size_bytes),
    )


def _run(
    session: Session, archive: Archive, export_id: int, *, as_json: bool, file: Path | None = None
) -> int:
    from holdfast.cli.progress import Counter
    from holdfast.core.identity import public_id
    from holdfast.discovery.exporting import run_export
    from holdfast.storage.governance.exports import PREFIX

    name = public_id(PREFIX, export_id)
    is_made = False
    try:
        with Counter(session.screen, "Exporting") as counter:
            moved = None if file is None else file.absolute()
            export = run_export(archive, export_id, counter.show, moved)
        is_made = True
    finally:
        if not is_made:
            session.screen.hint("To go on: holdfast export resume {id}", id=name)
    return _conclude(session, export, as_json=as_json)


def _conclude(session: Session, export: ExportRow, *, as_json: bool) -> int:
    from holdfast.storage.governance.exports import PARTIAL

    is_partial = export.state == PARTIAL
    screen = session.screen
    if as_json:
        screen.json({"schema": "holdfast.export/1", **_value(export)})
    else:
        screen.result(
            "{records} records are in {file} ({size}).",
            style=WARNING if is_partial else GOOD,
            records=amount(export.order["records"]),
            file=export.file,
            size=size(export.size_bytes or 0),
        )
        if is_partial:
            screen.warn("Not complete: exceptions.csv in it names what is missing.")
        screen.hint("To verify: holdfast export verify {file}", file=export.file)
    return PARTIAL_STATUS if is_partial else 0


def _value(export: ExportRow) -> dict[str, Any]:
    from holdfast.cli.commands.source_list import stamp

    return {
        "id": export.name,
        "state": export.state,
        "matter": export.matter,
        "requester": export.order["requester"],
        "order": export.order,
        "asked_at": stamp(export.asked_ms),
        "ended_at": None if export.ended_ms is None else stamp(export.ended_ms),
        "progress": export.progress,
        "file": export.file,
        "bytes": export.size_bytes,
        "sha256": None if export.sha256 is None else export.sha256.hex(),
        "error": export.error,
    }


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `export list`."""

    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each export.")] = False


def list_all(session: Session, options: ListOptions) -> None:
    """List exports, the newest first."""
    from holdfast.storage.governance.exports import list_exports

    with session.archive() as services:
        found = list_exports(services.store)
    if options.as_json:
        for one in found:
            session.screen.json({"schema": "holdfast.export/1", **_value(one)})
        return
    columns = [
        Column("Id", style="cyan"), Column("When", style="dim"), Column("State"),
        Column("Records", is_number=True), Column("Who"), Column("Query", ratio=1),
    ]  # fmt: skip
    session.screen.table(columns, [_row(session, one) for one in found])


def _row(session: Session, one: ExportRow) -> tuple[str, ...]:
    order = one.order
    return (
        one.name,
        _when(session, one.asked_ms),
        session.screen.words(one.state),
        amount(order["records"]),
        order["requester"],
        order["query"],
    )


def _when(session: Session, at_ms: int | None) -> str:
    from datetime import UTC, datetime

    from holdfast.cli.lists import when

    if at_ms is None:
        return "–"
    return when(datetime.fromtimestamp(at_ms / 1000, UTC), session.settings.zone)


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `export show`."""

    id: _ID
    as_json: _JSON = False


def show(session: Session, options: ShowOptions) -> None:
    """Show one export: what was asked for, by whom, and what became of it."""
    from holdfast.storage.governance.exports import get_export

    with session.archive() as services:
        one = get_export(services.store, _row_id(options.id))
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.export/1", **_value(one)})
        return
    order = one.order
    screen.title("{name}: {state}", name=one.name, state=screen.words(one.state))
    screen.facts(
        [
            ("Query", order["query"]),
            ("Understood as", order["canonical"]),
            ("Matter", one.matter or "–"),
            ("Requested by", order["requester"]),
            ("Requested", _when(session, one.asked_ms)),
            ("Ended", _when(session, one.ended_ms)),
            ("Records", amount(order["records"])),
            ("Done", amount(one.progress.get("done", 0)) if one.ended_ms is None else "–"),
            ("File", one.file),
            ("Size", "–" if one.size_bytes is None else size(one.size_bytes)),
            ("SHA-256", "–" if one.sha256 is None else one.sha256.hex()),
            *((("Error", screen.retold(one.error)),) if one.error else ()),
        ]
    )


def _row_id(text: str) -> int:
    from holdfast.core.identity import row_id
    from holdfast.storage.governance.exports import PREFIX

    return row_id(PREFIX, text)


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """Options of `export resume`."""

    id: _ID
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", show_default=False, help="Another place for the package."
        ),
    ] = None
    as_json: _JSON = False


def resume(session: Session, options: ResumeOptions) -> int:
    """Finish an export that was interrupted or failed.

    Its records are those that the query found at first; the package is written anew. An export that
    is done stays as it is.
    """
    with session.archive() as services:
        archive, export_id = _archive(services), _row_id(options.id)
        return _run(session, archive, export_id, file=options.out, as_json=options.as_json)


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Options of `export verify`."""

    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A package, or the folder it was unpacked to.")
    ]
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="KEY", show_default=False,
            help="The archive's public key, or a file that holds it; else the package's own.",
        ),
    ] = ""  # fmt: skip


def verify(session: Session, options: VerifyOptions) -> int:
    """Check a package with the verifier that every package carries; no archive is needed.

    Every file against the manifest, the manifest and the log's checkpoint against the key, every
    record against the signed log, the counts against each other. Exit status 6 names what is wrong.
    """
    from holdfast.discovery.export_package import VERIFIER

    if not options.file.exists():
        raise NotFound(f"There is no {options.file}.")
    words = [sys.executable, "-I", str(VERIFIER), str(options.file)]
    if options.key:
        words += ["--key", options.key]
    language = "zh_CN.UTF-8" if session.screen.messages else "C.UTF-8"
    ran = subprocess.run(  # noqa: S603 - our own program
        words,
        env={**os.environ, "LC_ALL": language},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    for line in ran.stdout.splitlines():
        session.screen.result("{line}", style=BAD if line.startswith("BAD") else "", line=line)
    if ran.returncode not in (0, 1):
        raise Unavailable(
            "The verifier did not come to an end.", next_step=ran.stderr.strip()[-400:]
        )
    return Corrupt.exit_status if ran.returncode else 0
