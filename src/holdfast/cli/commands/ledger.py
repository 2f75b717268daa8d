"""`ledger`: what every source offered and where each item ended; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import Column, amount
from holdfast.core.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy import Select

    from holdfast.cli.session import Session
    from holdfast.ingest.imap.comparing import Compared
    from holdfast.wiring.archive import Services

_ENDS = ("filed", "duplicate", "skipped", "gone", "failed", "quarantined")
_WAITING = ("seen", "sealed")
_TROUBLE = ("failed", "quarantined", "gone")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "ledger", ledger, LedgerOptions)


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """Options of `ledger`."""

    source: Annotated[
        str,
        typer.Option("--source", metavar="NAME", help="Of this source only.", show_default=False),
    ] = ""
    failed: Annotated[
        bool, flag("--failed", text="List the items that could not be had, with the reason.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def ledger(session: Session, options: LedgerOptions) -> None:
    """Show what each source offered, and how much of it was filed, kept twice, skipped or failed.

    What a source offered equals the sum of its ends; nothing leaves the ledger.
    """
    from holdfast.storage.catalogue.ledger import skipped_by, sums

    with session.archive() as services:
        if options.failed:
            _print_failed(session, services, options)
            return
        counted = sums(services.store)
        folders = _folders(services, options.source)
        rules = skipped_by(services.store, options.source) if options.source else {}
    if options.source:
        known = counted.get(options.source, {}) if folders else _of_source(counted, options.source)
        counted = {options.source: known}
    if options.as_json:
        sources = [
            {"source": name, "offered": sum(ends.values()), **{e: ends.get(e, 0) for e in _all()}}
            for name, ends in counted.items()
        ]
        shown: dict[str, Any] = {"rules": rules} if options.source else {}
        shown |= {"folders": [_value(one) for one in folders]} if folders else {}
        session.screen.json({"schema": "holdfast.ledger/1", "sources": sources, **shown})
        return
    _print_sums(session, counted)
    _print_rules(session, rules)
    _print_folders(session, folders)


def _print_rules(session: Session, rules: dict[str, int]) -> None:
    """Say by which rule how much was left out."""
    if rules:
        session.screen.result()
        columns = [Column("Rule", ratio=1, min_width=12), Column("skipped", is_number=True)]
        session.screen.table(columns, [(rule, amount(count)) for rule, count in rules.items()])


def _folders(services: Services, source: str) -> list[Compared]:
    """Return the folders of a source that is pulled; none for others."""
    from holdfast.ingest.imap.comparing import compared
    from holdfast.storage.catalogue.accounts import accounts_of

    ids = [one.source_id for one in accounts_of(services.store) if one.name == source]
    return [folder for source_id in ids for folder in compared(services.store, source_id)]


def _value(one: Compared) -> dict[str, Any]:
    return {
        "folder": one.name,
        "at_server": one.at_server,
        "kept": one.kept,
        "skipped": one.skipped,
        "otherwise": one.otherwise,
        "missing": one.missing,
        "expunged": one.folder.expunged,
        "renumbered": one.folder.resets,
        "uidvalidity": one.folder.uidvalidity,
        "is_there": one.folder.vanished_ms is None,
        "rule": one.folder.rule,
        "last_error": one.folder.last_error,
    }


def _print_folders(session: Session, folders: list[Compared]) -> None:
    if not folders:
        return
    numbers = ("At the server", "Kept", "Skipped by rule", "Other ends", "Not yet", "Deleted there")
    columns = [Column("Folder", ratio=1, min_width=12)]
    columns += [Column(name, is_number=True) for name in numbers]
    session.screen.result()
    session.screen.table(
        [*columns, Column("Note")],
        [
            (
                one.name,
                amount(one.at_server),
                amount(one.kept),
                amount(one.skipped),
                amount(one.otherwise),
                amount(one.missing),
                amount(one.folder.expunged),
                _remark(session, one),
            )
            for one in folders
        ],
    )


def _remark(session: Session, one: Compared) -> str:
    if one.folder.vanished_ms is not None:
        return session.screen.words("not at the server any more")
    return session.screen.told(one.folder.last_error) or one.folder.rule


def _all() -> tuple[str, ...]:
    return (*_ENDS, *_WAITING)


def _of_source(counted: dict[str, dict[str, int]], name: str) -> dict[str, int]:
    if name not in counted:
        raise NotFound(
            f"There is no source {name!r}, or it offered nothing.",
            next_step=f"Known: {', '.join(counted) or 'none'}.",
        )
    return counted[name]


def _print_sums(session: Session, counted: dict[str, dict[str, int]]) -> None:
    screen = session.screen
    if not counted:
        screen.note("Nothing was imported yet. Next: holdfast import PATH")
        return
    used = [end for end in _all() if end in _ENDS[:2] or any(c.get(end) for c in counted.values())]
    columns = [Column("Source", ratio=1, min_width=12), Column("Offered", is_number=True)]
    columns += [Column(end, is_number=True) for end in used]
    screen.table(
        columns,
        [
            (name, amount(sum(ends.values())), *(amount(ends.get(end, 0)) for end in used))
            for name, ends in counted.items()
        ],
    )
    if any(ends.get(end) for ends in counted.values() for end in _TROUBLE):
        screen.hint("Next: holdfast ledger --failed (which, and why)")


def _print_failed(session: Session, services: Services, options: LedgerOptions) -> None:
    from holdfast.storage.catalogue.engine import reading

    with reading(services.store.engine) as connection:
        rows = connection.execute(_failed(options.source)).all()
    screen = session.screen
    if options.as_json:
        items = [
            {"source": r.source, "item": r.item_key, "end": r.state, "reason": r.reason,
             "is_retryable": r.is_retryable}
            for r in rows
        ]  # fmt: skip
        screen.json({"schema": "holdfast.ledger-failed/1", "items": items})
    elif rows:
        screen.table(
            [Column("Source"), Column("End"), Column("Reason", ratio=1), Column("Item", ratio=2)],
            [(r.source, r.state, r.reason, r.item_key) for r in rows],
        )
        if any(r.is_retryable for r in rows):
            screen.hint("Next: the same import again with --retry tries what may work now.")
    else:
        screen.note("Nothing failed.")


def _failed(source: str) -> Select[Any]:
    from sqlalchemy import select

    from holdfast.storage.catalogue.schema import source_items, sources

    query = (
        select(
            sources.c.name.label("source"),
            source_items.c.item_key,
            source_items.c.state,
            source_items.c.reason,
            source_items.c.is_retryable,
        )
        .join(sources, sources.c.id == source_items.c.source_id)
        .where(source_items.c.state.in_(_TROUBLE))
        .order_by(sources.c.name, source_items.c.id)
    )
    return query.where(sources.c.name == source) if source else query
