"""`source set`: change when a source runs and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.source_care import SOURCE_NAME, valued
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.plan import Plan
    from holdfast.storage.catalogue.accounts import KeptAccount
    from holdfast.storage.store import Store


def register(group: typer.Typer) -> None:
    """Add the command to the group of sources."""
    add(group, "set", set_source, SetOptions, (0, 1, 2, 4, 5, 7))


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `source set`; what is not given stays."""

    name: Annotated[str, SOURCE_NAME]
    every: Annotated[
        float | None, valued("--every", "SECONDS", "Between two looks at all folders.")
    ] = None
    watch: Annotated[
        int | None, valued("--watch", "N", "Folders whose news is waited for (IDLE); 0: none.")
    ] = None
    late: Annotated[
        float | None, valued("--late", "SECONDS", "Without success for so long it is late.")
    ] = None
    reconcile: Annotated[
        float | None,
        valued("--reconcile", "SECONDS", "Between two comparisons of all that is kept; 0: none."),
    ] = None
    since: Annotated[
        str | None, valued("--since", "DAY", "Take only what came then or later; '' lifts it.")
    ] = None
    until: Annotated[
        str | None, valued("--until", "DAY", "Take only what came then or earlier; '' lifts it.")
    ] = None
    only: Annotated[
        list[str] | None,
        valued("--only", "ADDRESS", "Take only mail that names one of these; '' lifts it."),
    ] = None
    without: Annotated[
        list[str] | None,
        valued("--without", "ADDRESS", "Leave out mail that names one of these; '' lifts it."),
    ] = None
    folder: Annotated[
        list[str] | None, valued("--folder", "PATTERN", "Take only these folders; '' means all.")
    ] = None
    exclude: Annotated[
        list[str] | None, valued("--exclude", "PATTERN", "Leave these folders out; '' means none.")
    ] = None
    drafts: Annotated[
        str | None, valued("--drafts", "HOW", "sent: once they were sent; all: each saved version.")
    ] = None
    settle: Annotated[
        float | None,
        valued("--settle", "SECONDS", "Of a folder: a file must lie unchanged for so long."),
    ] = None
    keep: Annotated[
        bool | None,
        typer.Option("--keep/--no-keep", help="Of a folder: leave its files where they are."),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


_OF_ALL = {"name", "as_json"}
_OF_FOLDERS = {"settle", "keep"}
_OF_BRIDGES = {"every", "late"}


def set_source(session: Session, options: SetOptions) -> None:
    """Change when a source runs and what it takes; without options, show it.

    What a rule left out is in the ledger as skipped. Where a rule is lifted, the next run takes it.
    """
    from holdfast.ingest.folder.place import KIND as FOLDER
    from holdfast.ingest.wecom.place import KIND as WECOM
    from holdfast.storage.catalogue.accounts import find_account

    with session.archive() as services:
        kept = find_account(services.store, options.name)
        ways = {FOLDER: (_set_folder, _OF_FOLDERS), WECOM: (_set_bridge, _OF_BRIDGES)}
        of_mailboxes = {one.name for one in fields(options)} - _OF_FOLDERS
        way, own = ways.get(kept.kind, (_set_mailbox, of_mailboxes))
        _refuse_foreign(kept, options, own)
        shown = way(services.store, kept, options)
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-set/1", "source": options.name, **shown})
        return
    session.screen.facts(
        (name, ", ".join(value) if isinstance(value, tuple) else str(value))
        for name, value in shown.items()
        if value not in ("", ())
    )


def _refuse_foreign(kept: KeptAccount, options: SetOptions, own: set[str]) -> None:
    """Refuse what says nothing of a source of this kind: it would be passed over silently."""
    given = {one.name for one in fields(options) if getattr(options, one.name) is not None}
    foreign = sorted(given - _OF_ALL - own)
    if foreign:
        raise Refused(
            f"--{foreign[0]} says nothing of the source {kept.name!r}, which is of kind "
            f"{kept.kind}.",
            next_step="See 'holdfast source list' for its kind, and leave the option out.",
        )


def _set_folder(store: Store, kept: KeptAccount, options: SetOptions) -> dict[str, Any]:
    from holdfast.ingest.folder.place import read, written
    from holdfast.storage.catalogue.source_schedule import change_account

    before = read(kept.settings)
    settle = before.settle_s if options.settle is None else options.settle
    keeps = before.keeps if options.keep is None else options.keep
    place = replace(before, settle_s=settle, keeps=keeps)
    if place != before:
        change_account(store, kept.source_id, {"settings": written(place)})
    return {"path": place.path, "settle": place.settle_s, "keep": place.keeps}


def _set_bridge(store: Store, kept: KeptAccount, options: SetOptions) -> dict[str, Any]:
    from holdfast.ingest.imap.plan import read_plan, written_plan
    from holdfast.storage.catalogue.source_schedule import change_account

    before = read_plan(kept.plan)
    plan = _planned(before, options)
    if plan != before:
        change_account(store, kept.source_id, {"plan": written_plan(plan)})
    return {"every": plan.every_s, "late": plan.late_s}


def _set_mailbox(store: Store, kept: KeptAccount, options: SetOptions) -> dict[str, Any]:
    from holdfast.ingest.imap.account import read, written
    from holdfast.ingest.imap.plan import read_plan, written_plan
    from holdfast.storage.catalogue.source_schedule import change_account
    from holdfast.storage.catalogue.unkept import forget_lifted

    before = read_plan(kept.plan), read(kept.settings)
    plan, account = _planned(before[0], options), _placed(before[1], options)
    if (plan, account) != before:
        values = {"plan": written_plan(plan), "settings": written(account)}
        change_account(store, kept.source_id, values)
        forget_lifted(store, kept.source_id, plan.rules)
    return _shown(plan, account)


def _planned(plan: Plan, options: SetOptions) -> Plan:
    given: dict[str, Any] = {
        "every_s": options.every,
        "watches": options.watch,
        "late_s": options.late,
        "reconcile_s": options.reconcile,
        "since": options.since,
        "until": options.until,
        "people": _listed(options.only),
        "strangers": _listed(options.without),
        "drafts": options.drafts,
    }
    return replace(plan, **{name: value for name, value in given.items() if value is not None})


def _placed(account: Account, options: SetOptions) -> Account:
    given = {"folders": _listed(options.folder), "excludes": _listed(options.exclude)}
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(account, **changed)


def _listed(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(value for value in values if value)


def _shown(plan: Plan, account: Account) -> dict[str, Any]:
    return {
        "every": plan.every_s,
        "watch": plan.watches,
        "late": plan.late_s,
        "reconcile": plan.reconcile_s,
        "since": plan.since,
        "until": plan.until,
        "only": plan.people,
        "without": plan.strangers,
        "folder": account.folders,
        "exclude": account.excludes,
        "drafts": plan.drafts,
    }
