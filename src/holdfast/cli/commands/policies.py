"""`retention policy …`: how long things live; a rule is shown on real data before it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.persons import By, Code, PasswordFile, Proof, confirmed, person_of
from holdfast.cli.screen import GOOD, Column
from holdfast.core.rights import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.cli.session import Session
    from holdfast.core.query import Node
    from holdfast.core.rules import Rule
    from holdfast.retention.changes import Draft
    from holdfast.storage.governance.policies import Version
    from holdfast.wiring.archive import Services

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the policy.")]
AsJson = Annotated[bool, flag("--json", text="Print JSON.")]
_STATUSES = (0, 1, 2, 4, 5, 7)


def register(group: typer.Typer) -> None:
    """Add the commands."""
    own = typer.Typer(no_args_is_help=True, help="Keep the rules on how long things live.")
    add(own, "add", add_policy, AddOptions, _STATUSES)
    add(own, "list", list_policies, ListOptions)
    add(own, "show", show, ShowOptions)
    add(own, "approve", approve_policy, ActOptions, _STATUSES)
    add(own, "withdraw", withdraw_policy, ActOptions, _STATUSES)
    add(own, "retire", retire_policy, RetireOptions, _STATUSES)
    group.add_typer(own, name="policy")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options of `retention policy add`."""

    name: Name
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help="floor (keep at least) or ceiling (dispose)."),
    ]
    days: Annotated[int, typer.Option("--days", metavar="N", help="Counted from receipt.")]
    query: Annotated[
        str,
        typer.Option(
            "--query", metavar="QUERY", help="What it is about, as in a search.", show_default=False
        ),
    ] = ""
    everything: Annotated[bool, flag("--everything", text="It is about the whole archive.")] = False
    citation: Annotated[
        str,
        typer.Option(
            "--citation", metavar="TEXT", help="The law or decision behind it.", show_default=False
        ),
    ] = ""
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="For colleagues.", show_default=False)
    ] = ""
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    yes: Annotated[bool, flag("--yes", text="Go on after the simulation without asking.")] = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only show what it would do.")] = False
    as_json: AsJson = False


def add_policy(session: Session, options: AddOptions) -> None:
    """Keep a new policy, or the next version of one, after showing what it does to the archive.

    What only lengthens is in force at once. What shortens waits for a second person, then 72 hours.
    """
    from holdfast.cli.commands.simulating import print_simulation, simulated
    from holdfast.retention.changes import drafted, propose
    from holdfast.storage.governance.policies import all_versions

    with session.archive() as services:
        draft = draft_of(session, options)
        found = [one for one in all_versions(services.store) if one.rule.name == draft.name]
        rule = drafted(found, draft, services.store.ids.take())
        shown = simulated(session, services, rule, services.store.now_ms())
        if options.dry_run or not options.as_json:
            print_simulation(session, shown, as_json=options.as_json)
        if options.dry_run or not confirmed(session, is_sure=options.yes):
            session.screen.note("Nothing was changed.")
            return
        person = person_of(session, services, _proof(options), Action.POLICY)
        kept = propose(services.store, draft, person)
    _print_kept(session, kept, as_json=options.as_json)


def draft_of(session: Session, options: Any) -> Draft:
    """Return what the options ask for, its query parsed.

    Raises:
        Refused: Neither a query nor the whole archive was named, or both.
    """
    from datetime import UTC, datetime

    from holdfast.core.errors import Refused
    from holdfast.core.query import EVERYTHING
    from holdfast.indexer.explain import to_text
    from holdfast.indexer.query_parser import parse_query
    from holdfast.retention.changes import Draft
    from holdfast.storage.governance.policies import Wording

    if bool(options.query.strip()) is options.everything:
        raise Refused(
            "It is not clear what the policy is about.",
            next_step="Give --query, or --everything for the whole archive.",
        )
    node: Node = EVERYTHING
    if not options.everything:
        node = parse_query(options.query, now=datetime.now(UTC), zone=session.settings.zone).node
    wording = Wording(options.query, to_text(node), getattr(options, "note", ""))
    citation = getattr(options, "citation", "")
    return Draft(options.name, options.kind, options.days, node, wording, citation)


def _proof(options: Any) -> Proof:
    return Proof(options.by, options.password_file, options.code)


def _print_kept(session: Session, kept: Version, *, as_json: bool) -> None:
    screen = session.screen
    if as_json:
        screen.json({"schema": "holdfast.policy/1", **version_value(kept)})
        return
    facts: dict[str, Any] = {"name": kept.rule.name, "version": kept.rule.version}
    if kept.in_force_ms is not None and kept.approved_by is None:
        screen.result("{name}, version {version}, is in force.", style=GOOD, **facts)
    elif kept.in_force_ms is not None:
        when = _when(session, kept.in_force_ms)
        screen.result("{name}, version {version}, is in force from {when}.", **facts, when=when)
    else:
        screen.result("{name}, version {version}, waits for a second person.", **facts)
        screen.hint(
            "They approve it with: holdfast retention policy approve {name} --by LOGIN",
            name=kept.rule.name,
        )


def _when(session: Session, ms: int | None) -> str:
    from datetime import UTC, datetime

    from holdfast.cli.lists import when

    if ms is None:
        return "–"
    return when(datetime.fromtimestamp(ms / 1000, UTC), session.settings.zone)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `retention policy list`."""

    all_versions: Annotated[
        bool, flag("--all", text="Versions that are over, and withdrawn ones, too.")
    ] = False
    as_json: AsJson = False


def list_policies(session: Session, options: ListOptions) -> None:
    """List the policies that are in force, and what waits."""
    from holdfast.storage.governance.policies import all_versions, in_force

    with session.archive() as services:
        found = all_versions(services.store)
        now_ms = services.store.now_ms()
    current = {rule.key for rule in in_force(found, now_ms)}
    shown = [
        one
        for one in found
        if options.all_versions or one.rule.key in current or one.is_open(now_ms)
    ]
    if options.as_json:
        values = [version_value(one) | {"state": _state(one, current, now_ms)} for one in shown]
        session.screen.json({"schema": "holdfast.policies/1", "policies": values})
    elif shown:
        _print_versions(session, shown, current, now_ms)
    else:
        session.screen.note("There is no policy: everything is kept for ever.")


def _state(one: Version, current: set[tuple[int, int]], now_ms: int) -> str:
    if one.withdrawn_ms is not None:
        return "withdrawn"
    if one.in_force_ms is None:
        return "waits for approval"
    if one.in_force_ms > now_ms:
        return "waits for its time"
    if one.rule.key in current:
        return "in force"
    return "retired" if one.rule.is_retired else "over"


def _print_versions(
    session: Session, shown: Sequence[Version], current: set[tuple[int, int]], now_ms: int
) -> None:
    columns = [
        Column("Name", ratio=1),
        Column("Version", is_number=True),
        Column("Kind"),
        Column("Days", is_number=True),
        Column("About", ratio=2),
        Column("State"),
        Column("In force from", style="dim"),
    ]
    session.screen.table(
        columns,
        [
            (
                one.rule.name,
                str(one.rule.version),
                one.rule.kind.value,
                str(one.rule.days or "–"),
                one.canonical or "–",
                session.screen.words(_state(one, current, now_ms)),
                _when(session, one.in_force_ms),
            )
            for one in shown
        ],
    )


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `retention policy show`."""

    name: Name
    as_json: AsJson = False


def show(session: Session, options: ShowOptions) -> None:
    """Show every version of one policy: who proposed and approved it, on what ground, from when."""
    from holdfast.core.identity import public_id
    from holdfast.storage.governance.policies import in_force, versions_of

    with session.archive() as services:
        found = versions_of(services.store, options.name)
        now_ms = services.store.now_ms()
    screen = session.screen
    if options.as_json:
        values = [version_value(one) for one in found]
        screen.json({"schema": "holdfast.policy-versions/1", "versions": values})
        return
    current = {rule.key for rule in in_force(found, now_ms)}
    for one in found:
        screen.title("{name}, version {version}", name=one.rule.name, version=one.rule.version)
        screen.facts(
            [
                ("State", screen.words(_state(one, current, now_ms))),
                ("Kind", one.rule.kind.value),
                ("Days", str(one.rule.days or "–")),
                ("About", one.canonical or "–"),
                ("Citation", one.rule.citation or "–"),
                ("Note", one.note or "–"),
                ("Proposed by", public_id("per", one.proposed_by)),
                ("Approved by", public_id("per", one.approved_by) if one.approved_by else "–"),
                ("In force from", _when(session, one.in_force_ms)),
            ]
        )


def version_value(one: Version) -> dict[str, Any]:
    """Return a version as JSON knows it."""
    from holdfast.core.identity import public_id
    from holdfast.retention.certificates import stamp

    return {
        "id": public_id("pol", one.rule.policy_id),
        "name": one.rule.name,
        "version": one.rule.version,
        "kind": one.rule.kind.value,
        "days": one.rule.days,
        "query": one.query,
        "canonical": one.canonical,
        "citation": one.rule.citation,
        "note": one.note,
        "shortens": one.shortens,
        "is_retirement": one.rule.is_retired,
        "proposed_by": public_id("per", one.proposed_by),
        "proposed_at": stamp(one.proposed_ms),
        "approved_by": public_id("per", one.approved_by) if one.approved_by else None,
        "approved_at": stamp(one.approved_ms),
        "in_force_from": stamp(one.in_force_ms),
        "withdrawn_at": stamp(one.withdrawn_ms),
    }


@dataclass(frozen=True, slots=True)
class ActOptions:
    """Options of `retention policy approve` and `withdraw`."""

    name: Name
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    as_json: AsJson = False


def approve_policy(session: Session, options: ActOptions) -> None:
    """Approve, as a second person, the version that waits; it is in force 72 hours later."""
    from holdfast.retention.changes import approve

    with session.archive() as services:
        person = person_of(session, services, _proof(options), Action.POLICY)
        kept = approve(services.store, options.name, person)
    _print_kept(session, kept, as_json=options.as_json)


def withdraw_policy(session: Session, options: ActOptions) -> None:
    """Take back the version that waits, before it is in force."""
    from holdfast.retention.changes import withdraw

    with session.archive() as services:
        person_of(session, services, _proof(options), Action.POLICY)
        kept = withdraw(services.store, options.name)
    if options.as_json:
        session.screen.json({"schema": "holdfast.policy/1", **version_value(kept)})
        return
    session.screen.result(
        "Withdrawn: {name}, version {version}.", name=kept.rule.name, version=kept.rule.version
    )


@dataclass(frozen=True, slots=True)
class RetireOptions:
    """Options of `retention policy retire`."""

    name: Name
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="Why.", show_default=False)
    ] = ""
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    yes: Annotated[bool, flag("--yes", text="Go on after the simulation without asking.")] = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only show what it would do.")] = False
    as_json: AsJson = False


def retire_policy(session: Session, options: RetireOptions) -> None:
    """End a policy, after showing what that does: a ceiling at once, a floor as all that shortens.

    Its versions stay, and a later version under its name brings it back.
    """
    from holdfast.cli.commands.simulating import print_simulation, simulated
    from holdfast.retention.changes import retire

    with session.archive() as services:
        rule = _retirement(services, options.name)
        shown = simulated(session, services, rule, services.store.now_ms())
        if options.dry_run or not options.as_json:
            print_simulation(session, shown, as_json=options.as_json)
        if options.dry_run or not confirmed(session, is_sure=options.yes):
            session.screen.note("Nothing was changed.")
            return
        person = person_of(session, services, _proof(options), Action.POLICY)
        kept = retire(services.store, options.name, person, options.note)
    _print_kept(session, kept, as_json=options.as_json)


def _retirement(services: Services, name: str) -> Rule:
    from holdfast.retention.policies import retired
    from holdfast.storage.governance.policies import versions_of

    last = versions_of(services.store, name)[-1].rule
    return retired(last, last.version + 1)
