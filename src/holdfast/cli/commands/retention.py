"""`retention explain|simulate`: what may become of one message, or of all; they change nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands import policies
from holdfast.cli.screen import Column
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.core.rules import Rule
    from holdfast.retention.decisions import Decision
    from holdfast.wiring.archive import Services


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="How long things live, and why.")
    policies.register(group)
    add(group, "explain", explain, ExplainOptions)
    add(group, "simulate", simulate, SimulateOptions)
    app.add_typer(group, name="retention")


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """Options of `retention explain`."""

    id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="As a search shows it; or a Message-ID, or the start of a SHA-256."
        ),
    ]
    on: Annotated[
        str,
        typer.Option(
            "--on", metavar="DATE", help="As of a later day; else now.", show_default=False
        ),
    ] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def explain(session: Session, options: ExplainOptions) -> None:
    """Explain what may become of one message: clock, rules, holds, until when, and the verdict."""
    from holdfast.cli.commands.simulating import decision_value, hold_names
    from holdfast.retention.judging import judged
    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.catalogue.reading import find_interaction
    from holdfast.storage.governance.policies import rules_in_force

    with session.archive() as services:
        one = find_interaction(services.store, options.id)
        at_ms = _instant(session, services, options.on)
        with reading(services.store.engine) as connection:
            rules = rules_in_force(connection, at_ms)
            decision = judged(connection, services.store, [one], rules, at_ms)[one]
        names = hold_names(services)
    if options.as_json:
        value = decision_value(decision, rules, names)
        session.screen.json({"schema": "holdfast.decision/1", **value})
    else:
        _print(session, decision, rules, names)


def _instant(session: Session, services: Services, on: str) -> int:
    return int(session.instant(on).timestamp() * 1000) if on else services.store.now_ms()


_VERDICTS = {
    "kept": "kept: no ceiling has passed",
    "retained": "kept by a floor",
    "conflict": "kept by a floor, though a ceiling has passed",
    "held": "kept by a hold, though a ceiling has passed",
    "due": "due: it may be disposed of",
}
_SOURCES = {
    "received": "received, by a source that is trusted",
    "captured": "when the archive took it",
    "message": "its own date, which its import trusts",
    "event": "an event that was noted",
}


def _print(
    session: Session, decision: Decision, rules: tuple[Rule, ...], names: dict[str, str]
) -> None:
    from holdfast.core.identity import public_id

    screen = session.screen
    screen.facts(
        [
            ("Verdict", screen.words(_VERDICTS[decision.verdict.value])),
            ("Days count from", _day(session, decision.clock_ms)),
            ("Clock", screen.words(_SOURCES[decision.clock_source.value])),
            ("Kept until", _day(session, decision.retain_until_ms)),
            *(("Hold", names.get(public_id("hld", h), "–")) for h in decision.holds),
        ]
    )
    by_key = {rule.key: rule for rule in rules}
    columns = [
        Column("Policy", ratio=1),
        Column("Version", is_number=True),
        Column("Kind"),
        Column("Until", style="dim"),
        Column("Citation", ratio=1),
    ]
    screen.table(
        columns,
        [
            (
                by_key[one.policy_id, one.version].name,
                str(one.version),
                one.kind.value,
                _day(session, one.until_ms),
                by_key[one.policy_id, one.version].citation,
            )
            for one in decision.applied
        ],
    )


def _day(session: Session, ms: int | None) -> str:
    from datetime import UTC, datetime

    from holdfast.cli.lists import when

    if ms is None:
        return "–"
    return when(datetime.fromtimestamp(ms / 1000, UTC), session.settings.zone)


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """Options of `retention simulate`."""

    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="NAME", help="Policy that would be changed.", show_default=False
        ),
    ] = ""
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help="floor or ceiling.", show_default=False),
    ] = ""
    days: Annotated[
        int, typer.Option("--days", metavar="N", help="Of the rule to try.", show_default=False)
    ] = 0
    query: Annotated[
        str,
        typer.Option(
            "--query", metavar="QUERY", help="What it would be about.", show_default=False
        ),
    ] = ""
    everything: Annotated[
        bool, flag("--everything", text="It would be about the whole archive.")
    ] = False
    on: Annotated[
        str,
        typer.Option(
            "--on", metavar="DATE", help="As of a later day; else now.", show_default=False
        ),
    ] = ""
    every: Annotated[bool, flag("--all", text="List every conflict, not examples alone.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def simulate(session: Session, options: SimulateOptions) -> None:
    """Show what would go tonight by the rules in force, or with another rule, on real data.

    Without --kind and --days it shows the rules in force. Nothing is kept and nothing goes.
    """
    from holdfast.cli.commands.simulating import every_conflict, print_simulation, simulated

    with session.archive() as services:
        at_ms = _instant(session, services, options.on)
        tried = _tried(session, services, options)
        shown = simulated(session, services, tried, at_ms)
        if options.every:
            shown = replace(shown, conflicts=every_conflict(services, tried, at_ms))
    print_simulation(session, shown, as_json=options.as_json)


def _tried(session: Session, services: Services, options: SimulateOptions) -> Rule | None:
    from holdfast.cli.commands.policies import draft_of
    from holdfast.retention.changes import drafted
    from holdfast.storage.governance.policies import all_versions

    if not options.kind and not options.days:
        if options.query or options.everything or options.name:
            raise Refused("A rule has a kind and days.", next_step="Give --kind and --days.")
        return None
    named = replace(options, name=options.name or "rule to try")
    found = [one for one in all_versions(services.store) if one.rule.name == named.name]
    return drafted(found, draft_of(session, named), services.store.ids.take())
