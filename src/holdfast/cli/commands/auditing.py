"""`audit log|verify|export`: the signed log of everything that happened; it changes nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands import anchoring
from holdfast.cli.screen import BAD, GOOD, Column, amount
from holdfast.core.errors import Conflict, Corrupt, Refused

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from holdfast.cli.session import Session
    from holdfast.storage.verify import Finding
    from holdfast.wiring.archive import Services


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Read, check and export the audit log.")
    add(group, "log", log, LogOptions)
    add(group, "verify", verify, VerifyOptions, (0, 1, 2, 4, 6, 7))
    add(group, "export", export, ExportOptions, (0, 1, 2, 4, 5, 7))
    anchoring.register(group)
    app.add_typer(group, name="audit")


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Options of `audit log`."""

    subject: Annotated[
        str,
        typer.Option("--subject", metavar="ID", help="About this record only.", show_default=False),
    ] = ""
    kind: Annotated[
        str,
        typer.Option(
            "--kind", metavar="KIND", show_default=False,
            help="Of this kind only: capture, file, search, read, merge, undo …",
        ),
    ] = ""  # fmt: skip
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="The last so many.")] = (
        50
    )
    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each entry.")] = False


def log(session: Session, options: LogOptions) -> None:
    """List the last entries of the audit log: when, who, what, about which record.

    An entry holds ids and salted hashes only, never content: it proves, it does not tell.
    """
    with session.archive() as services:
        entries = _entries(services, options)
    if options.as_json:
        for entry in entries:
            session.screen.json({"schema": "holdfast.audit-entry/1", **entry})
        return
    zone = session.settings.zone
    columns = [
        Column("Number", is_number=True), Column("When", style="dim"), Column("Who"),
        Column("What"), Column("About", ratio=1, style="cyan"),
    ]  # fmt: skip
    rows = []
    for entry in entries:
        at = datetime.fromtimestamp(entry["leaf"]["t"] / 1000, UTC).astimezone(zone)
        leaf = entry["leaf"]
        number = "–" if entry["number"] is None else str(entry["number"])
        rows.append((number, f"{at:%Y-%m-%d %H:%M:%S}", entry["actor"], leaf["kind"], leaf["id"]))
    session.screen.table(columns, rows)


def _entries(services: Services, options: LogOptions) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.catalogue.schema import audit_actors

    with reading(services.store.engine) as connection:
        rows = connection.execute(_query(options)).all()
        query = select(audit_actors.c.pid, audit_actors.c.name)
        names = {row.pid: row.name for row in connection.execute(query)}
    return [_entry(row, names) for row in reversed(rows)]


def _entry(row: Row[Any], names: dict[str, str]) -> dict[str, Any]:
    leaf = json.loads(row.leaf)
    return {"number": row.seq, "actor": names.get(leaf["actor"], leaf["actor"]), "leaf": leaf}


def _query(options: LogOptions) -> Select[Any]:
    from sqlalchemy import select

    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue.schema import audit_events

    query = select(audit_events.c.seq, audit_events.c.leaf).order_by(audit_events.c.id.desc())
    if options.kind:
        query = query.where(audit_events.c.kind == options.kind)
    if options.subject:
        prefix = options.subject.strip().lower().partition("_")[0]
        query = query.where(audit_events.c.subject_id == row_id(prefix, options.subject))
    return query.limit(options.limit)


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Options of `audit verify`."""

    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="FILE",
            help="A checkpoint that was kept elsewhere: the log must still begin with it.",
        ),
    ] = None  # fmt: skip


def verify(session: Session, options: VerifyOptions) -> int:
    """Recompute the audit log from its entries and compare it with its signed checkpoint.

    Every anchor is held against it: tokens, the witness file, and locked copies.
    """
    from holdfast.storage.checkpoint import open_checkpoint

    screen = session.screen
    with session.archive() as services:
        services.desk.sequencer.run()
        if options.against is not None:
            public = services.store.keyring.signing_key().public_key()
            origin = services.log.checkpoint.origin
            kept = open_checkpoint(_read(options.against), public, origin)
            services.log.check_extends(kept)
            screen.result(
                "The log still begins with the {size} entries of {file}.",
                style=GOOD,
                size=amount(kept.size),
                file=options.against,
            )
        bad = services.log.verify()
        contradicting = _contradicting(services)
        size = services.log.size
        root = services.log.checkpoint.root.hex()
    if bad is not None:
        screen.result("Entry {bad} does not give the signed root.", style=BAD, bad=bad)
    else:
        given = {"size": size, "root": root}
        screen.result("{size} entries give the signed root {root}.", style=GOOD, **given)
    for one in contradicting:
        shown = {**asdict(one), "cause": screen.told(one.cause)}
        screen.result("{part} {name}: {cause}", style=BAD, **shown)
    return Corrupt.exit_status if bad is not None or contradicting else 0


def _contradicting(services: Services) -> list[Finding]:
    """Return what anchors say against the log, as `holdfast verify` does."""
    from holdfast.storage.verify import EVERYTHING
    from holdfast.storage.verifying.anchors import anchor_check, check_anchors
    from holdfast.storage.verifying.report import Scope

    scope = Scope(services.store, services.log, EVERYTHING)
    return [*check_anchors(scope), *anchor_check(services.anchoring.places)(scope)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of `audit export`."""

    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the log.")]


def export(session: Session, options: ExportOptions) -> None:
    """Copy the log, its checkpoint and its public key, for tools that we did not write.

    The layout is C2SP tlog-tiles; `log.vkey` is the key that its checkpoints are signed with.
    """
    from holdfast.storage.checkpoint import verifier_key

    if options.folder.exists() and any(options.folder.iterdir()):
        raise Conflict(f"{options.folder} is not empty.", next_step="Name a new folder.")
    with session.archive() as services:
        services.desk.sequencer.run()
        services.log.copy_to(options.folder)
        public = services.store.keyring.signing_key().public_key()
        key = verifier_key(services.log.checkpoint.origin, public)
        (options.folder / "log.vkey").write_text(f"{key}\n", encoding="utf-8")
        size = services.log.size
    session.screen.result(
        "{size} entries are in {folder}.", style=GOOD, size=amount(size), folder=options.folder
    )
    session.screen.hint("Keep its checkpoint apart: holdfast audit verify --against FILE")
