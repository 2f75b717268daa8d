"""`disposal plan|list|show|certificate`: what would go, what went, and the proof of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands import disposing
from holdfast.cli.commands.remaining import tell_remains
from holdfast.cli.persons import By, ClockChecked, Code, PasswordFile, Proof, person_of
from holdfast.cli.screen import GOOD, Column, amount, size
from holdfast.core.rights import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.cli.session import Session
    from holdfast.storage.governance.disposals import KeptDisposal, KeptItem

_STATUSES = (0, 1, 2, 4, 5, 7)
DISPOSAL = Annotated[str, typer.Argument(metavar="DISPOSAL", help="A disposal (dsp_…).")]
AsJson = Annotated[bool, flag("--json", text="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Dispose of what is due, with proof.")
    add(group, "plan", plan, PlanOptions, _STATUSES)
    add(group, "list", list_disposals, ListOptions)
    add(group, "show", show, ShowOptions)
    disposing.register(group)
    add(group, "certificate", certificate, CertificateOptions, _STATUSES)
    app.add_typer(group, name="disposal")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Options of `disposal plan`."""

    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="For colleagues.", show_default=False)
    ] = ""
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    clock_checked: ClockChecked = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only show what would be in it.")] = False
    as_json: AsJson = False


def plan(session: Session, options: PlanOptions) -> None:
    """Freeze a list of all that is due; nothing goes before review, approval and cooling off."""
    from holdfast.retention.disposal import Asked, due
    from holdfast.retention.disposal import plan as freeze
    from holdfast.wiring.disposing import search_of

    with session.archive() as services:
        store, search = services.store, search_of(services.index)
        services.desk.feed.drain()
        if options.dry_run:
            items = list(due(store, search, store.now_ms()))
            sums = {"items": len(items), "bytes": sum(one.size_bytes for one in items)}
            _print_dry(session, sums, as_json=options.as_json)
            return
        proof = Proof(options.by, options.password_file, options.code)
        person = person_of(session, services, proof, Action.DISPOSE)
        asked = Asked(person, options.note, options.clock_checked)
        kept = freeze(store, search, asked)
    if kept is None:
        session.screen.note("Nothing is due.")
        if options.as_json:
            session.screen.json({"schema": "holdfast.disposal/1", "id": None})
        return
    print_disposal(
        session, kept, {"pending": (kept.items, kept.size_bytes)}, as_json=options.as_json
    )


def _print_dry(session: Session, sums: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        session.screen.json({"schema": "holdfast.disposal-plan/1", **sums})
        return
    count = session.screen.counted(sums["items"], "1 message", "{count} messages")
    session.screen.result(
        "{messages} would be in it, {size}.", messages=count, size=size(sums["bytes"])
    )
    session.screen.note("Nothing was changed.")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `disposal list`."""

    as_json: AsJson = False


def list_disposals(session: Session, options: ListOptions) -> None:
    """List all disposals, newest first."""
    from holdfast.core.identity import public_id
    from holdfast.storage.governance.disposals import disposals_of

    with session.archive() as services:
        found = disposals_of(services.store)
    screen = session.screen
    if options.as_json:
        values = [disposal_value(one, {}) for one in found]
        screen.json({"schema": "holdfast.disposals/1", "disposals": values})
        return
    if not found:
        screen.note("Nothing was ever planned to be disposed of.")
        return
    columns = [
        Column("Id", style="cyan"),
        Column("State"),
        Column("Planned", style="dim"),
        Column("Messages", is_number=True),
        Column("Size", is_number=True),
        Column("Note", ratio=1),
    ]
    screen.table(
        columns,
        [
            (
                public_id("dsp", one.id),
                screen.words(one.state),
                disposing.when(session, one.planned_ms),
                amount(one.items),
                size(one.size_bytes),
                one.note,
            )
            for one in found
        ],
    )


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `disposal show`."""

    disposal: DISPOSAL
    items: Annotated[bool, flag("--items", text="List its items, too.")] = False
    state: Annotated[
        str,
        typer.Option(
            "--state", metavar="STATE", show_default=False,
            help="Only items that are pending, excepted, blocked or destroyed.",
        ),
    ] = ""  # fmt: skip
    after: Annotated[
        int, typer.Option("--after", metavar="N", help="Only items behind this number.")
    ] = -1
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="At most so many items.")
    ] = 1000
    as_json: AsJson = False


def show(session: Session, options: ShowOptions) -> None:
    """Show one disposal: its stages and persons, its digest to approve by, what became of it."""
    from holdfast.core.identity import row_id
    from holdfast.retention.certificates import remains_told
    from holdfast.storage.governance.disposals import disposal_of, items_of, states_of
    from holdfast.storage.governance.remains import remains_of

    with session.archive() as services:
        wanted = row_id("dsp", options.disposal)
        kept = disposal_of(services.store, wanted)
        counts = states_of(services.store, wanted)
        left = remains_of(services.store, wanted)
        items: Sequence[KeptItem] = ()
        if options.items or options.state:
            items = items_of(
                services.store,
                wanted,
                state=options.state,
                after=options.after,
                limit=options.limit,
            )
    if options.as_json:
        listed = {"listed": [_item_value(one) for one in items], "remains": remains_told(left)}
        value = disposal_value(kept, counts) | listed
        session.screen.json({"schema": "holdfast.disposal/1", **value})
        return
    print_disposal(session, kept, counts, as_json=False)
    tell_remains(session, left)
    if items:
        _print_items(session, items)


def _print_items(session: Session, items: Sequence[KeptItem]) -> None:
    from holdfast.core.identity import public_id

    columns = [
        Column("Number", is_number=True),
        Column("Id", style="cyan"),
        Column("State"),
        Column("Size", is_number=True),
        Column("Reason", ratio=1),
    ]
    session.screen.table(
        columns,
        [
            (
                str(one.ordinal),
                public_id("msg", one.interaction_id),
                session.screen.words(one.state),
                size(one.size_bytes),
                one.reason,
            )
            for one in items
        ],
    )


def _item_value(one: KeptItem) -> dict[str, Any]:
    from holdfast.core.identity import public_id
    from holdfast.retention.certificates import stamp

    return {
        "number": one.ordinal,
        "id": public_id("msg", one.interaction_id),
        "state": one.state,
        "reason": one.reason,
        "size_bytes": one.size_bytes,
        "ended_at": stamp(one.ended_ms),
    }


_NEXT = {
    "planned": "Next: holdfast disposal review {id} --by LOGIN",
    "reviewed": "Next, by a second person: holdfast disposal approve {id} --manifest {digest}",
    "approved": "Next, from {when}: holdfast disposal execute {id} --by LOGIN",
    "executing": "It was interrupted: holdfast disposal execute {id} goes on.",
    "executed": "Its certificate: holdfast disposal certificate {id}",
}


def print_disposal(
    session: Session, kept: KeptDisposal, counts: dict[str, tuple[int, int]], *, as_json: bool
) -> None:
    """Print a disposal as it stands, and what comes next."""
    from holdfast.core.identity import public_id

    screen = session.screen
    if as_json:
        screen.json({"schema": "holdfast.disposal/1", **disposal_value(kept, counts)})
        return
    name, digest = public_id("dsp", kept.id), kept.manifest_digest.hex()
    screen.title("{name}: {state}", name=name, state=screen.words(kept.state))
    screen.facts(
        [
            ("Messages", amount(kept.items)),
            ("Size", size(kept.size_bytes)),
            ("Manifest", digest),
            ("Planned", _stage(session, kept.planned_ms, kept.planned_by)),
            ("Reviewed", _stage(session, kept.reviewed_ms, kept.reviewed_by)),
            ("Approved", _stage(session, kept.approved_ms, kept.approved_by)),
            ("Not before", disposing.when(session, kept.executes_ms)),
            ("Executed", disposing.when(session, kept.executed_ms)),
            *((state, amount(count)) for state, (count, _) in sorted(counts.items())),
        ]
    )
    following = _NEXT.get(kept.state)
    if following:
        when = disposing.when(session, kept.executes_ms)
        screen.hint(following, id=name, digest=digest, when=when)


def _stage(session: Session, ms: int | None, person: int | None) -> str:
    from holdfast.core.identity import public_id

    if ms is None or person is None:
        return "–"
    return f"{disposing.when(session, ms)}  {public_id('per', person)}"


def disposal_value(kept: KeptDisposal, counts: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Return a disposal as JSON knows it."""
    from holdfast.core.identity import public_id
    from holdfast.retention.certificates import stamp
    from holdfast.retention.disposal import approvers_told

    return {
        "id": public_id("dsp", kept.id),
        "state": kept.state,
        "note": kept.note,
        "items": kept.items,
        "bytes": kept.size_bytes,
        "manifest_sha256": kept.manifest_digest.hex(),
        "by": approvers_told(kept),
        "as_of": stamp(kept.as_of_ms),
        "planned_at": stamp(kept.planned_ms),
        "reviewed_at": stamp(kept.reviewed_ms),
        "approved_at": stamp(kept.approved_ms),
        "not_before": stamp(kept.executes_ms),
        "executed_at": stamp(kept.executed_ms),
        "states": {state: {"items": n, "bytes": b} for state, (n, b) in sorted(counts.items())},
    }


@dataclass(frozen=True, slots=True)
class CertificateOptions:
    """Options of `disposal certificate`."""

    disposal: DISPOSAL
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", show_default=False,
            help="Write the signed certificate into a new file.",
        ),
    ] = None  # fmt: skip
    as_json: AsJson = False


def certificate(session: Session, options: CertificateOptions) -> None:
    """Show the certificate of a disposal: what went, by which rules and whose approval; no content.

    The signed form is a note like the checkpoints of the audit log; the same key checks it.
    """
    from holdfast.core.errors import Conflict
    from holdfast.core.identity import row_id
    from holdfast.retention.certificates import read_certificate
    from holdfast.wiring.disposing import certificate_of
    from holdfast.wiring.engines import log_origin

    with session.archive() as services:
        note = certificate_of(services, row_id("dsp", options.disposal))
        public = services.store.keyring.signing_key().public_key()
        said = read_certificate(note, public, log_origin(services.store.engine))
    if options.output is not None:
        try:
            with options.output.open("xb") as file:
                file.write(note)
        except FileExistsError as error:
            raise Conflict(
                f"{options.output} is there already.", next_step="Name another file."
            ) from error
        session.screen.result("Written: {file}.", style=GOOD, file=options.output)
    elif options.as_json:
        session.screen.json(said | {"note": note.decode()})
    else:
        _print_certificate(session, said)


def _left(session: Session, space: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a certificate says was left in the vault; the first ones said nothing of it."""
    left = space["vault"].get("remains", {})
    if not left.get("segments"):
        return []
    words = session.screen.words(
        "{count} originals without a key, in {segments} objects; {locked} locked until {when}",
        count=amount(left["originals"]),
        segments=amount(left["segments"]),
        locked=amount(left["locked_segments"]),
        when=left["locked_until"] or "–",
    )
    return [("Left in the vault", words)]


def _print_certificate(session: Session, said: dict[str, Any]) -> None:
    screen = session.screen
    screen.title("Certificate of disposal {id}", id=said["disposal"])
    screen.facts(
        [
            ("Archive", said["archive"]),
            ("Manifest", said["manifest_sha256"]),
            *((stage, f"{said['at'][stage]}  {who}") for stage, who in said["by"].items()),
            ("executed", said["at"]["executed"]),
            *(
                (state, f"{amount(one['items'])}, {size(one['bytes'])}")
                for state, one in sorted(said["items"].items())
            ),
            ("Gone from backups on", said["keys_leave_backups_on"]),
            *_left(session, said["space"]),
        ]
    )
    columns = [
        Column("Policy", ratio=1),
        Column("Version", is_number=True),
        Column("Kind"),
        Column("Days", is_number=True),
        Column("Citation", ratio=1),
    ]
    screen.table(
        columns,
        [
            (one["name"], str(one["version"]), one["kind"], str(one["days"]), one["citation"])
            for one in said["rules"]
        ],
    )
    screen.result("The signature is that of the archive's log.", style=GOOD)
