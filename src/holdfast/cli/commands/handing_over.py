"""`handover`: gives the contacts of somebody who leaves to somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD

if TYPE_CHECKING:
    from holdfast.cli.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "handover", handover, HandoverOptions)


@dataclass(frozen=True, slots=True)
class HandoverOptions:
    """Options of `handover`."""

    leaver: Annotated[str, typer.Argument(metavar="FROM", help="Login of who leaves.")]
    successor: Annotated[str, typer.Argument(metavar="TO", help="Login of who follows.")]
    with_unowned: Annotated[
        bool,
        flag("--with-unowned", text="Also contacts of theirs that nobody looks after."),
    ] = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only say which contacts.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def handover(session: Session, options: HandoverOptions) -> None:
    """Let somebody look after a leaver's contacts; records and their authors stay."""
    from holdfast.core.identity import public_id
    from holdfast.storage.rights.handing_over import Handover, hand_over, handed_over

    wanted = Handover(options.leaver, options.successor, options.with_unowned)
    with session.archive() as services:
        act = handed_over if options.dry_run else hand_over
        found = [public_id("con", one) for one in act(services.store, wanted)]
    if options.as_json:
        body = {"from": wanted.leaver, "to": wanted.successor, "contacts": found}
        session.screen.json(
            {"schema": "holdfast.handover/1", "is_done": not options.dry_run, **body}
        )
        return
    for one in found:
        session.screen.result("{id}", id=one)
    if options.dry_run:
        session.screen.note("Nothing was changed.")
        return
    session.screen.result(
        "{to} looks after {count} contacts now.", style=GOOD, to=wanted.successor, count=len(found)
    )
    session.screen.hint("Shut them out: holdfast user disable {login}", login=wanted.leaver)
