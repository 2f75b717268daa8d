"""`source try`: what a webhook's field map would make of a sample; nothing is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.source_care import valued
from holdfast.cli.screen import GOOD, WARNING, Column, amount
from holdfast.cli.text_files import text_in
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.core.records import Parsed
    from holdfast.ingest.webhooks.dry_run import DryRun, FieldShown


def register(group: typer.Typer) -> None:
    """Add the command to the group of sources."""
    add(group, "try", try_sample, TryOptions)


@dataclass(frozen=True, slots=True)
class TryOptions:
    """Options of `source try`."""

    sample: Annotated[
        Path, typer.Argument(metavar="SAMPLE", help="A body as the system sends it: JSON.")
    ]
    source: Annotated[str, valued("--source", "NAME", "By the map of this source.")] = ""
    vendor: Annotated[str, valued("--vendor", "SYSTEM", "Of a map not added yet: jdy.")] = "generic"
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings-file", metavar="FILE", help="JSON: the map that is tried."),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def try_sample(session: Session, options: TryOptions) -> None:
    """Show what a webhook's field map would make of a sample; nothing is kept."""
    from holdfast.ingest.webhooks.dry_run import dry_run

    settings = _settings(session, options)
    try:
        body = options.sample.read_bytes()
    except OSError as error:
        raise Refused(f"{options.sample} cannot be read.", next_step=str(error.strerror)) from error
    found = dry_run(settings, body, options.source)
    if options.as_json:
        session.screen.json(_value(found))
        return
    _show(session, found)


def _settings(session: Session, options: TryOptions) -> Any:
    from holdfast.ingest.webhooks.dry_run import map_to_try, settings_to_try
    from holdfast.ingest.webhooks.settings import hook_of
    from holdfast.storage.catalogue.accounts import find_account

    text = text_in(options.settings_file) if options.settings_file else ""
    if not options.source:
        return map_to_try(options.vendor, text)
    with session.archive() as services:
        kept = find_account(services.store, options.source)
    own = settings_to_try(kept)
    return map_to_try(hook_of(kept.settings).vendor, text) if text else own


def _show(session: Session, found: DryRun) -> None:
    screen = session.screen
    if found.record is None:
        screen.result("It would be refused: {problem}.", style=WARNING, problem=found.problem)
        return
    columns = [Column("Field"), Column("Looked for", ratio=2), Column("Found", ratio=3)]
    rows = [_row(session, one) for one in found.fields if one.is_mapped or one.count]
    screen.table(columns, rows)
    record = found.record
    screen.facts([(name, text) for name, text in _facts(record).items() if text])
    missed = [one.name for one in found.fields if one.is_missed]
    if missed:
        screen.result(
            "Mapped, and not in the sample: {names}.", style=WARNING, names=", ".join(missed)
        )
    elif record.defects:
        names = ", ".join(sorted({one.code for one in record.defects}))
        screen.result("It would be kept with defects: {names}.", style=WARNING, names=names)
    else:
        screen.result("It would be kept, and nothing is missing.", style=GOOD)


def _row(session: Session, one: FieldShown) -> tuple[str, str, str]:
    more = one.count - len(one.found)
    found = [*one.found, *([f"+{amount(more)}"] if more else [])]
    return one.name, " ".join(one.paths), " · ".join(found) or session.screen.words("nothing")


def _facts(record: Parsed) -> dict[str, str]:
    people = [f"{one.role.value} {one.name} {one.address}" for one in record.participants]
    return {
        "Kind": record.kind.value,
        "Id": record.message_id,
        "Sent": "" if record.sent_at is None else record.sent_at.isoformat(),
        "Subject": record.subject,
        "People": "; ".join(" ".join(one.split()) for one in people),
    }


def _value(found: DryRun) -> dict[str, Any]:
    record = found.record
    shown = None
    if record is not None:
        shown = {name.lower(): text for name, text in _facts(record).items()}
        shown["defects"] = ", ".join(sorted({one.code for one in record.defects}))
    return {
        "schema": "holdfast.source-try/1",
        "fields": [asdict(one) | {"is_missed": one.is_missed} for one in found.fields],
        "record": shown,
        "problem": found.problem,
    }
