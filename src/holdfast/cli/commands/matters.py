"""`matter open|list|show|set|close`: what holds are placed for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, Column, amount
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.governance.matters import Matter

MATTER = typer.Argument(metavar="MATTER", help="A matter: its name, or mat_….", show_default=False)
_CHANGES = (0, 1, 2, 4, 5, 7)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Open and close matters.")
    add(group, "open", open_one, OpenOptions, _CHANGES)
    add(group, "list", list_all, ListOptions)
    add(group, "show", show, ShowOptions)
    add(group, "set", set_one, SetOptions, _CHANGES)
    add(group, "close", close, CloseOptions, _CHANGES)
    app.add_typer(group, name="matter")


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """Options of `matter open`."""

    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)
    ]
    reference: Annotated[
        str, typer.Option("--reference", metavar="TEXT", help="Its number elsewhere, as at court.")
    ] = ""
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is about.")] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def open_one(session: Session, options: OpenOptions) -> None:
    """Open a matter, that holds can be placed for."""
    from holdfast.storage.governance.matters import open_matter

    with session.archive() as services:
        made = open_matter(services.store, options.name, options.reference, options.note)
    if options.as_json:
        session.screen.json({"schema": "holdfast.matter/1", **value(made)})
        return
    session.screen.result("Opened {name} ({id}).", style=GOOD, name=made.name, id=made.public)
    session.screen.hint("Next: holdfast hold place {id} NAME --reason TEXT", id=made.public)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `matter list`."""

    closed: Annotated[bool, flag("--closed", text="Those that are closed too.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_all(session: Session, options: ListOptions) -> None:
    """List the matters with the number of their holds in force."""
    from holdfast.cli.commands.source_list import local_time
    from holdfast.storage.governance.matters import list_matters

    with session.archive() as services:
        found = list_matters(services.store, with_closed=options.closed)
    if options.as_json:
        shown = [value(one) for one in found]
        session.screen.json({"schema": "holdfast.matters/1", "matters": shown})
    elif found:
        columns = [Column("Matter", ratio=2), Column("Reference", ratio=1), Column("Opened")]
        columns += [Column("Closed"), Column("Holds", is_number=True), Column("Id", style="cyan")]
        rows = [
            (
                one.name,
                one.reference,
                local_time(session, one.opened_ms),
                local_time(session, one.closed_ms),
                amount(one.holds),
                one.public,
            )
            for one in found
        ]
        session.screen.table(columns, rows)
    else:
        session.screen.note("There is no matter. Next: holdfast matter open NAME")


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `matter show`."""

    matter: Annotated[str, MATTER]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> None:
    """Show a matter with all its holds, those that have ended too."""
    from holdfast.cli.commands.hold_shown import print_holds, value_of
    from holdfast.cli.commands.source_list import local_time
    from holdfast.storage.governance.holds import list_holds
    from holdfast.storage.governance.matters import find_matter
    from holdfast.storage.governance.sweeping import matter_counts

    with session.archive() as services:
        store = services.store
        one = find_matter(store, options.matter)
        holds = list_holds(store, matter_id=one.id, with_ended=True)
        held = matter_counts(store, one.id)
        now_ms = store.now_ms()
    if options.as_json:
        shown = {**value(one), "held": held, "holds": [value_of(hold, now_ms) for hold in holds]}
        session.screen.json({"schema": "holdfast.matter/1", **shown})
        return
    screen = session.screen
    screen.facts(
        [
            ("Matter", one.name), ("Id", one.public), ("Reference", one.reference),
            ("Note", one.note), ("Opened", local_time(session, one.opened_ms)),
            ("Closed", local_time(session, one.closed_ms)), ("Version", str(one.version)),
            ("Held", screen.counted(held, "1 message", "{count} messages")),
        ]
    )  # fmt: skip
    if holds:
        screen.result()
        print_holds(session, holds, now_ms)


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `matter set`."""

    matter: Annotated[str, MATTER]
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TEXT", help="Its number elsewhere.")
    ] = None
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="What it is about.")
    ] = None
    version: Annotated[
        int | None,
        typer.Option("--version", metavar="N", help="Only if it is still of this version."),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def set_one(session: Session, options: SetOptions) -> None:
    """Change a matter's reference or note."""
    from holdfast.storage.governance.matters import change_matter, find_matter

    if options.reference is None and options.note is None:
        raise Refused("What is to be changed?", next_step="Give --reference or --note.")
    with session.archive() as services:
        one = find_matter(services.store, options.matter)
        version = one.version if options.version is None else options.version
        changed = change_matter(
            services.store, one.id, version, reference=options.reference, note=options.note
        )
    if options.as_json:
        session.screen.json({"schema": "holdfast.matter/1", **value(changed)})
        return
    session.screen.result("Changed {name}.", style=GOOD, name=changed.name)


@dataclass(frozen=True, slots=True)
class CloseOptions:
    """Options of `matter close`."""

    matter: Annotated[str, MATTER]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def close(session: Session, options: CloseOptions) -> None:
    """Close a matter; refused while one of its holds is in force."""
    from holdfast.storage.governance.matters import close_matter, find_matter

    with session.archive() as services:
        one = find_matter(services.store, options.matter)
        closed = close_matter(services.store, one.id, one.version)
    if options.as_json:
        session.screen.json({"schema": "holdfast.matter/1", **value(closed)})
        return
    session.screen.result("Closed {name}.", style=GOOD, name=closed.name)


def value(one: Matter) -> dict[str, Any]:
    """Return a matter for programs."""
    from holdfast.cli.commands.source_list import stamp

    return {
        "id": one.public,
        "name": one.name,
        "reference": one.reference,
        "note": one.note,
        "opened_at": stamp(one.opened_ms),
        "closed_at": stamp(one.closed_ms),
        "version": one.version,
        "holds_in_force": one.holds,
    }
