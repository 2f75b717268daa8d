"""`verify`: read everything again and name what is not what it was; it repairs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import BAD, GOOD, amount, size
from holdfast.core.errors import Corrupt, Refused

if TYPE_CHECKING:
    from collections.abc import Set

    from holdfast.cli.session import Session
    from holdfast.storage.store import Store
    from holdfast.storage.verify import Finding, Selection, Tally


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "verify", verify, VerifyOptions, (0, 1, 2, 4, 6, 7))


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Options of `verify`."""

    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="DATE", help="Only what was kept since then.", show_default=False
        ),
    ] = ""
    sample: Annotated[
        int,
        typer.Option(
            "--sample", metavar="N", min=0, help="About so many originals.", show_default=False
        ),
    ] = 0
    everything: Annotated[bool, flag("--all", text="Everything; so it is without options.")] = False
    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each finding.")] = False


def verify(session: Session, options: VerifyOptions) -> int:
    """Read originals, rows, ledger and audit log again, and name everything that was altered.

    Every original is read, decrypted and hashed. Every row is compared with what the signed audit
    log committed to, the log with its tiles and its checkpoint, and the search index with the rows.
    """
    from holdfast.cli.progress import Counter
    from holdfast.ingest.verification import index_check
    from holdfast.storage.verify import Tally, Verification
    from holdfast.storage.verifying.anchors import anchor_check
    from holdfast.storage.webhooks.happenings import tell_damage

    if options.everything and (options.since or options.sample):
        raise Refused("--all and a part exclude each other.", next_step="Give one of them.")
    tally = Tally()
    with session.archive() as services, Counter(session.screen, "Verifying") as counter:
        services.desk.sequencer.run()
        chosen = _selection(session, options, services.store)
        run = Verification(
            services.store,
            services.log,
            chosen,
            lambda t: counter.show(t.done, t.total, t.bytes),
            also=(index_check(services.home), anchor_check(services.anchoring.places)),
        )
        parts = set()
        for finding in run.run(tally):
            parts.add(finding.part)
            _print(session, finding, as_json=options.as_json)
        if parts:
            tell_damage(services.store, tally.findings)
    return _conclude(session, tally, parts, as_json=options.as_json)


def _selection(session: Session, options: VerifyOptions, store: Store) -> Selection:
    from sqlalchemy import func, select

    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.catalogue.schema import originals
    from holdfast.storage.verify import Selection

    since_ms = int(session.instant(options.since).timestamp() * 1000) if options.since else 0
    every = 1
    if options.sample:
        with reading(store.engine) as connection:
            held = connection.scalar(select(func.count()).select_from(originals)) or 0
        every = max(held // options.sample, 1)
    return Selection(since_ms, every)


def _print(session: Session, finding: Finding, *, as_json: bool) -> None:
    screen = session.screen
    if as_json:
        found = {"part": finding.part, "name": finding.name, "cause": finding.cause}
        screen.json({"schema": "holdfast.finding/1", **found})
    else:
        screen.result(
            "{part} {name}: {cause}",
            style=BAD,
            part=finding.part,
            name=finding.name,
            cause=screen.told(finding.cause),
        )


def _conclude(session: Session, tally: Tally, parts: Set[str], *, as_json: bool) -> int:
    screen = session.screen
    status = Corrupt.exit_status if tally.findings else 0
    if as_json:
        counts = {
            name: getattr(tally, name)
            for name in (
                "originals",
                "bytes",
                "orphans",
                "interactions",
                "captures",
                "leaves",
                "documents",
                "findings",
            )
        }
        screen.json({"schema": "holdfast.verify/1", "is_intact": not tally.findings, **counts})
        return status
    screen.facts(
        [
            ("Originals", f"{amount(tally.originals)} ({size(tally.bytes)})"),
            ("Interactions", amount(tally.interactions)),
            ("Captures", amount(tally.captures)),
            ("Log entries", amount(tally.leaves)),
            ("Indexed", amount(tally.documents)),
        ]
    )
    if tally.orphans:
        screen.note(
            "{count} records of the vault have no row: an interrupted import left them, and "
            "'holdfast compact' gives their space back.",
            count=amount(tally.orphans),
        )
    if tally.findings:
        screen.result("{count} findings. Nothing was repaired.", style=BAD, count=tally.findings)
        if "anchor" in parts:
            screen.hint("An anchor outside says more than the archive: keep both as they are.")
        if parts - {"index"}:
            screen.hint("Next: keep this list, and restore what it names from a backup.")
        if "index" in parts:
            screen.hint("The index is made from the archive: 'holdfast reindex --full' renews it.")
    else:
        screen.result("Intact: everything is what it was when it was kept.", style=GOOD)
    return status
