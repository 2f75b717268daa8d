"""Shows what rules do to the archive as it is; whoever sees it stands in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.cli.screen import Column, amount, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.cli.session import Session
    from holdfast.core.query import Node
    from holdfast.core.rules import Rule
    from holdfast.retention.decisions import Decision
    from holdfast.retention.simulate import Simulation, Sum
    from holdfast.wiring.archive import Services


@dataclass(frozen=True, slots=True)
class Shown:
    """A simulation, and what its ids are called."""

    found: Simulation
    proposed: Rule | None
    names: dict[str, str]
    conflicts: list[Decision] | None = None
    """All of them, where that was asked for."""


def simulated(session: Session, services: Services, proposed: Rule | None, at_ms: int) -> Shown:
    """Simulate the rules in force, or those with the proposed one, and note that somebody did."""
    from holdfast.retention.simulate import names_of, simulate
    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.governance.policies import rules_in_force
    from holdfast.wiring.disposing import search_of

    services.desk.feed.drain()  # what is not indexed yet would be missing
    with reading(services.store.engine) as connection:
        rules = rules_in_force(connection, at_ms)
    found = simulate(services.store, search_of(services.index), rules, proposed, at_ms)
    names = names_of((*rules, *([proposed] if proposed else [])))
    shown = Shown(found, proposed, names | hold_names(services))
    _note(services, shown)
    return shown


def every_conflict(services: Services, proposed: Rule | None, at_ms: int) -> list[Decision]:
    """Return every conflict of the rules in force, or of those with the proposed one."""
    from holdfast.core.query import Scope
    from holdfast.indexer.hits import one_page
    from holdfast.retention.conflicts import all_conflicts
    from holdfast.retention.simulate import with_proposed
    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.governance.policies import rules_in_force
    from holdfast.wiring.disposing import OWNER

    index, scope = services.index, Scope.whole_archive(OWNER)
    with reading(services.store.engine) as connection:
        rules = with_proposed(rules_in_force(connection, at_ms), proposed)

    def turn(node: Node, cursor: str, limit: int) -> tuple[list[int], str]:
        return one_page(index, node, scope, cursor, limit)

    return list(all_conflicts(services.store, turn, rules, at_ms))


def hold_names(services: Services) -> dict[str, str]:
    """Return the matter and name of each hold in force, by its public id."""
    from holdfast.core.identity import public_id
    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.governance.holding import active_holds

    with reading(services.store.engine) as connection:
        active = active_holds(connection, services.store.now_ms())
    return {public_id("hld", one.id): f"{one.matter_name}: {one.name}" for one in active}


def _note(services: Services, shown: Shown) -> None:
    from holdfast.storage.audit import record_events, told
    from holdfast.storage.catalogue.engine import writing

    store, rule = services.store, shown.proposed
    what = {
        "policy": rule.name if rule else "",
        "due": shown.found.due.items,
        "newly_due": shown.found.newly_due.items,
        "at_ms": shown.found.at_ms,
    }
    event = told("policy_simulated", ("", None), (store.actor, store.now_ms()), what)
    with writing(store.engine) as connection:
        record_events(connection, [event], store.ids)


def print_simulation(session: Session, shown: Shown, *, as_json: bool) -> None:
    """Print counts, sizes, samples and what keeps what."""
    if as_json:
        session.screen.json({"schema": "holdfast.simulation/1", **_value(shown)})
        return
    found, screen = shown.found, session.screen
    rows: list[tuple[str, Sum]] = []
    if shown.proposed is not None:
        rows.append((screen.words("matched by the policy"), found.matched))
    rows.append((screen.words("would go tonight"), found.due))
    if shown.proposed is not None:
        rows.append((screen.words("of that, because of this change"), found.newly_due))
        rows.append((screen.words("would go without this change only"), found.spared))
    rows.append((screen.words("past a ceiling, kept by a floor"), found.conflicts))
    columns = [
        Column("What", ratio=1),
        Column("Messages", is_number=True),
        Column("Size", is_number=True),
        Column("For example", style="cyan", ratio=2),
    ]
    screen.table(
        columns,
        [(what, amount(one.items), size(one.bytes), " ".join(_ids(one)[:3])) for what, one in rows],
    )
    for label, count in found.blocked.most_common():
        screen.result(
            "{count} kept by {name} ({label})",
            count=amount(count),
            name=shown.names.get(label, "–"),
            label=label,
        )
    _print_conflicts(session, shown)


def _print_conflicts(session: Session, shown: Shown) -> None:
    from holdfast.core.identity import public_id
    from holdfast.retention.simulate import blockers

    for one in shown.conflicts or ():
        session.screen.result(
            "{id} kept by {names}",
            id=public_id("msg", one.interaction_id),
            names=", ".join(shown.names.get(label, label) for label in blockers(one)),
        )


def _ids(one: Sum) -> list[str]:
    from holdfast.core.identity import public_id

    return [public_id("msg", row) for row in one.sample]


def _value(shown: Shown) -> dict[str, Any]:
    from holdfast.retention.certificates import stamp

    found = shown.found
    sums = {
        name: {"items": one.items, "bytes": one.bytes, "sample": _ids(one)}
        for name, one in (
            ("matched", found.matched),
            ("due", found.due),
            ("newly_due", found.newly_due),
            ("spared", found.spared),
            ("conflicts", found.conflicts),
        )
    }
    blocked = [
        {"id": label, "name": shown.names.get(label, ""), "items": count}
        for label, count in found.blocked.most_common()
    ]
    every = {} if shown.conflicts is None else {"every_conflict": _conflicts(shown.conflicts)}
    return {"at": stamp(found.at_ms), **sums, "blocked": blocked, **every}


def _conflicts(found: Sequence[Decision]) -> list[dict[str, Any]]:
    from holdfast.core.identity import public_id
    from holdfast.retention.simulate import blockers

    return [{"id": public_id("msg", one.interaction_id), "kept_by": blockers(one)} for one in found]


def decision_value(decision: Any, rules: Sequence[Rule], names: dict[str, str]) -> dict[str, Any]:
    """Return a decision as JSON knows it."""
    from holdfast.core.identity import public_id
    from holdfast.retention.certificates import stamp

    by_key = {rule.key: rule for rule in rules}
    return {
        "id": public_id("msg", decision.interaction_id),
        "verdict": decision.verdict.value,
        "decided_at": stamp(decision.at_ms),
        "clock": {"at": stamp(decision.clock_ms), "source": decision.clock_source.value},
        "retain_until": stamp(decision.retain_until_ms),
        "rules": [
            {
                "policy": public_id("pol", one.policy_id),
                "version": one.version,
                "name": by_key[one.policy_id, one.version].name,
                "kind": one.kind.value,
                "until": stamp(one.until_ms),
                "citation": by_key[one.policy_id, one.version].citation,
            }
            for one in decision.applied
        ],
        "holds": [
            {"id": public_id("hld", one), "name": names.get(public_id("hld", one), "")}
            for one in decision.holds
        ],
        "has_conflict": decision.has_conflict,
    }
