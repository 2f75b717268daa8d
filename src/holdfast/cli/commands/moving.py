"""`migrate`: move an archive to other engines or another folder, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, amount, size
from holdfast.cli.stages import Stages
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.settings import Settings
    from holdfast.wiring.migrating import Move, Moved, Plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "migrate", migrate, MigrateOptions, (0, 1, 2, 4, 5, 6, 7))


@dataclass(frozen=True, slots=True)
class MigrateOptions:
    """Options of `migrate`."""

    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="FILE",
            help="Settings file of where the archive goes: other engines, or another folder.",
        ),
    ]  # fmt: skip
    is_plan: Annotated[
        bool, flag("--dry-run", text="Say what would be moved where; change nothing.")
    ] = False
    is_given_up: Annotated[
        bool, flag("--give-up", text="Use the archive here again; its move was not finished.")
    ] = False
    no_index: Annotated[
        bool, flag("--no-index", text="Leave the search index to the next import or reindex.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def migrate(session: Session, options: MigrateOptions) -> None:
    """Move the whole archive to other engines, or to another folder, and prove that it is there.

    Originals are copied as they are encrypted, rows keep their ids, the audit log its entries. From
    the beginning on nothing can be written here. At the end every row is compared and every
    original read, and the archive here is marked as moved: it stays as it is until it is moved back
    into. The same command goes on where an interrupted one ended.
    """
    from holdfast.settings import load_file
    from holdfast.wiring.arrivals import index_arrived
    from holdfast.wiring.migrating import Move, give_up, move_archive, plan

    if options.is_plan and options.is_given_up:
        raise Refused("--dry-run and --give-up exclude each other.", next_step="Give one of them.")
    new = load_file(options.to).settings
    move = Move(session.settings, new, f"--config {options.to.resolve()}", session.actor)
    if options.is_given_up:
        give_up(move)
        session.screen.result("The archive can be written here again.", style=GOOD)
        session.screen.note("What was copied is still there; empty those places.")
        return
    if options.is_plan:
        _print_plan(session, plan(move), move, as_json=options.as_json)
        return
    with Stages(session.screen) as stages:
        done = move_archive(move, stages.show)
        indexed = 0
        if not options.no_index:
            indexed = index_arrived(
                new, session.actor, lambda step, total: stages.show("indexing", step, total, 0)
            )
    _print_moved(session, done, move, indexed, as_json=options.as_json)


def _print_moved(session: Session, done: Moved, move: Move, indexed: int, *, as_json: bool) -> None:
    if as_json:
        facts = {
            "rows": done.rows,
            "originals": done.tally.originals,
            "bytes": done.tally.bytes,
            "interactions": done.tally.interactions,
            "log_size": done.log_size,
            "log_root": done.log_root,
            "indexed": indexed,
        }
        session.screen.json({"schema": "holdfast.migrated/1", **facts})
        return
    session.screen.result("Moved to {place}, and intact there.", style=GOOD, place=_place(move.new))
    session.screen.facts(
        [
            ("Rows compared", amount(done.rows)),
            ("Originals read", f"{amount(done.tally.originals)} ({size(done.tally.bytes)})"),
            ("Log entries", amount(done.log_size)),
            ("Log root", done.log_root),
            ("Indexed", amount(indexed)),
        ]
    )
    session.screen.hint("Next: use it with {option}", option=move.option)


def _print_plan(session: Session, found: Plan, move: Move, *, as_json: bool) -> None:
    from holdfast.wiring.arrivals import vault_place

    rows = sum(found.rows.values())
    if as_json:
        session.screen.json(
            {
                "schema": "holdfast.migration-plan/1",
                "from": _place(move.old),
                "to": _place(move.new),
                "rows": found.rows,
                "originals_bytes": found.originals_bytes,
                "log_size": found.log_size,
            }
        )
        return
    session.screen.facts(
        [
            ("Catalogue", f"{_place(move.old)} → {_place(move.new)}"),
            ("Originals", f"{vault_place(move.old)} → {vault_place(move.new)}"),
            ("Keys", f"{move.old.keys_folder} → {move.new.keys_folder}"),
            ("Rows", amount(rows)),
            ("Records to copy", size(found.originals_bytes)),
            ("Log entries", amount(found.log_size)),
        ]
    )
    session.screen.note("Nothing was changed. The search index is made again at the end.")


def _place(settings: Settings) -> str:
    return settings.catalogue.url or str(settings.data)
