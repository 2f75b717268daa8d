"""Shows on real data what rules do, before they are kept: sums and samples; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.identity import public_id
from holdfast.core.rules import Kind
from holdfast.retention.decisions import Decision, Verdict, decide
from holdfast.retention.judging import candidates, facts_of
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.governance.disposals import sizes_of

if TYPE_CHECKING:
    from holdfast.core.rules import Rule
    from holdfast.retention.decisions import Facts
    from holdfast.retention.judging import Search
    from holdfast.storage.store import Store

SAMPLE = 10


@dataclass(slots=True)
class Sum:
    """Some interactions."""

    items: int = 0
    bytes: int = 0
    sample: list[int] = field(default_factory=list)
    """The first of them."""

    def add(self, interaction_id: int, size_bytes: int) -> None:
        """Count one."""
        self.items += 1
        self.bytes += size_bytes
        if len(self.sample) < SAMPLE:
            self.sample.append(interaction_id)


@dataclass(slots=True)
class Simulation:
    """What a set of rules does to the archive as it is, at one instant."""

    at_ms: int
    matched: Sum = field(default_factory=Sum)
    """What the rule in question is about."""
    due: Sum = field(default_factory=Sum)
    """What would be due now."""
    newly_due: Sum = field(default_factory=Sum)
    """Of that, what is not due by the rules in force."""
    spared: Sum = field(default_factory=Sum)
    """What is due by the rules in force, and would not be any more."""
    conflicts: Sum = field(default_factory=Sum)
    """Where a ceiling has passed and a floor keeps it: kept, for people to look at."""
    blocked: Counter[str] = field(default_factory=Counter)
    """Hold or floor → how many of those whose ceiling has passed it keeps."""

    def add(self, before: Decision, after: Decision, size_bytes: int) -> None:
        """Count one interaction, decided by the rules in force and by those that would be."""
        one = after.interaction_id
        if after.is_due:
            self.due.add(one, size_bytes)
            if not before.is_due:
                self.newly_due.add(one, size_bytes)
        elif before.is_due:
            self.spared.add(one, size_bytes)
        if after.verdict is Verdict.CONFLICT:
            self.conflicts.add(one, size_bytes)
        if after.verdict in (Verdict.CONFLICT, Verdict.HELD):
            self.blocked.update(blockers(after))


def blockers(decision: Decision) -> list[str]:
    """Return the public ids of what keeps an interaction: holds, and floors with their version."""
    holds = [public_id("hld", one) for one in decision.holds]
    floors = [f"{public_id('pol', one.policy_id)}/{one.version}" for one in decision.kept_by]
    return holds + floors


def simulate(
    store: Store,
    search: Search,
    rules: Sequence[Rule],
    proposed: Rule | None,
    at_ms: int,
) -> Simulation:
    """Decide on everything that the rules in force, or those with the proposed one, make due.

    Args:
        store: The archive.
        search: Finds all that a query matches.
        rules: In force.
        proposed: A new version, as if it were in force already; None: only what is in force.
        at_ms: The instant, which may be a later one.
    """
    found = Simulation(at_ms)
    changed = with_proposed(rules, proposed)
    if proposed is not None:
        for page in search(proposed.node):
            _count(store, page, found.matched)
    for page in candidates(store, search, dict.fromkeys((*rules, *changed)), at_ms):
        with reading(store.engine) as connection:
            facts = facts_of(connection, store, page)
        for one in facts.values():
            found.add(*_both(one, rules, changed, at_ms), one.record.size_bytes)
    return found


def with_proposed(rules: Sequence[Rule], proposed: Rule | None) -> list[Rule]:
    """Return the rules as if the proposed version were in force; None: as they are."""
    if proposed is None:
        return list(rules)
    others = [rule for rule in rules if rule.policy_id != proposed.policy_id]
    return others if proposed.is_retired else [*others, proposed]


def _both(
    facts: Facts, rules: Iterable[Rule], changed: Iterable[Rule], at_ms: int
) -> tuple[Decision, Decision]:
    return decide(facts, rules, at_ms), decide(facts, changed, at_ms)


def _count(store: Store, ids: Sequence[int], into: Sum) -> None:
    with reading(store.engine) as connection:
        sizes = sizes_of(connection, ids)
    for one in ids:
        if one in sizes:
            into.add(one, sizes[one])


def names_of(rules: Iterable[Rule]) -> dict[str, str]:
    """Return the names of floors by what `blockers` calls them."""
    return {
        f"{public_id('pol', rule.policy_id)}/{rule.version}": rule.name
        for rule in rules
        if rule.kind is Kind.FLOOR
    }
