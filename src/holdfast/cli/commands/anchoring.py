"""`audit anchor|anchors`: put the newest checkpoint outside, and list where others were put."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import BAD, GOOD, Column, amount
from holdfast.core.errors import Conflict, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.cli.session import Session
    from holdfast.ingest.anchoring import Outcome
    from holdfast.storage.anchoring.anchors import Anchor


def register(group: typer.Typer) -> None:
    """Add the commands to the group `audit`."""
    add(group, "anchor", anchor, AnchorOptions, (0, 1, 2, 4, 6, 7))
    add(group, "anchors", anchors, AnchorsOptions, (0, 1, 2, 4, 5, 7))


@dataclass(frozen=True, slots=True)
class AnchorOptions:
    """Options of `audit anchor`."""

    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each place.")] = False


def anchor(session: Session, options: AnchorOptions) -> int:
    """Put the newest checkpoint of the log into every place that is set, now.

    Workers do this by themselves, every anchors.every_minutes.
    """
    with session.archive() as services:
        kinds = services.anchoring.kinds
        if not kinds:
            raise Refused(
                "No place for checkpoints is set.",
                next_step="Set anchors.tsa_url, anchors.witness_file or anchors.lock.",
            )
        outcomes = services.anchoring.make(services.desk, kinds)
    for one in outcomes:
        _print(session, one, as_json=options.as_json)
    return Unavailable.exit_status if any(one.error is not None for one in outcomes) else 0


def _print(session: Session, outcome: Outcome, *, as_json: bool) -> None:
    screen, made, error = session.screen, outcome.anchor, outcome.error
    if as_json:
        facts = _facts(made) if made is not None else {"kind": outcome.kind.value}
        why = {} if error is None else {"error": error.cause, "next_step": error.next_step}
        screen.json({"schema": "holdfast.anchor/1", **facts, **why})
    elif made is not None:
        screen.result(
            "{kind}: {size} entries are anchored in {place}.",
            style=GOOD,
            kind=made.kind,
            size=amount(made.size),
            place=made.place,
        )
    elif error is not None:
        screen.result(
            "{kind}: {cause}", style=BAD, kind=outcome.kind.value, cause=screen.told(error.cause)
        )
        if error.next_step:
            screen.note("{step}", style="", step=screen.told(error.next_step))


@dataclass(frozen=True, slots=True)
class AnchorsOptions:
    """Options of `audit anchors`."""

    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="The last so many.")] = (
        20
    )
    folder: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FOLDER", show_default=False,
            help="Also write their checkpoints and tokens there, for other tools.",
        ),
    ] = None  # fmt: skip
    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each anchor.")] = False


def anchors(session: Session, options: AnchorsOptions) -> None:
    """List the last anchors: when, of which kind, over how many entries, where.

    'holdfast audit verify' holds them against the log.
    """
    from holdfast.storage.anchoring.anchors import list_anchors
    from holdfast.storage.catalogue.engine import reading

    with session.archive() as services, reading(services.store.engine) as connection:
        found = list_anchors(connection, options.limit)
        trusted = services.anchoring.places.trust_file
    if options.folder is not None:
        _write(options.folder, found, trusted)
    if options.as_json:
        for one in found:
            session.screen.json({"schema": "holdfast.anchor/1", **_facts(one)})
        return
    zone = session.settings.zone
    columns = [
        Column("Id"), Column("Made", style="dim"), Column("Kind"),
        Column("Entries", is_number=True), Column("Stamped", style="dim"),
        Column("Place", ratio=1, style="cyan"),
    ]  # fmt: skip
    rows = [
        (
            one.public_id, f"{_at(one.made_ms).astimezone(zone):%Y-%m-%d %H:%M:%S}", one.kind,
            amount(one.size), _stamped(one, session), one.place,
        )
        for one in reversed(found)
    ]  # fmt: skip
    session.screen.table(columns, rows)


def _stamped(one: Anchor, session: Session) -> str:
    if one.stamped_ms is None:
        return "–"
    return f"{_at(one.stamped_ms).astimezone(session.settings.zone):%Y-%m-%d %H:%M:%S}"


def _write(folder: Path, found: Sequence[Anchor], trusted: Path | None) -> None:
    """Write checkpoints, tokens, and the certificates that vouch for them."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty.", next_step="Name a new folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            (folder / f"{one.public_id}.checkpoint").write_bytes(one.note)
            if one.token is not None:
                (folder / f"{one.public_id}.tsr").write_bytes(one.token)
        if trusted is not None:
            (folder / "tsa.pem").write_bytes(trusted.read_bytes())
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}.") from error


def _facts(one: Anchor) -> dict[str, Any]:
    return {
        "id": one.public_id,
        "kind": one.kind,
        "place": one.place,
        "size": one.size,
        "root": one.root.hex(),
        "made_at": _at(one.made_ms).isoformat(),
        "stamped_at": None if one.stamped_ms is None else _at(one.stamped_ms).isoformat(),
    }


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
