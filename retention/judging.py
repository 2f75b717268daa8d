"""Gathers what decisions are made of, from catalogue and holds, and decides; writes nothing.

Candidates come from the index and from clocks; what is decided by is always the record itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from holdfast.core.rules import Kind
from holdfast.retention.decisions import Decision, Facts, clock_of, decide
from holdfast.retention.policies import DAY_MS
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import records_in
from holdfast.storage.governance.clocks import times_of
from holdfast.storage.governance.holding import holds_on

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.core.query import Node
    from holdfast.core.rules import Rule
    from holdfast.storage.store import Store

Search = Callable[["Node"], Iterable[Sequence[int]]]
"""Yields all interactions that a query finds, a few hundred at a time."""


def facts_of(connection: Connection, store: Store, ids: Sequence[int]) -> dict[int, Facts]:
    """Return what decisions on these interactions depend on, as this transaction sees it.

    Left out is what is not in sight.
    """
    times = times_of(connection, ids)
    holds = holds_on(connection, store, ids)
    return {
        record.id: Facts(
            record,
            *clock_of(*times[record.id]),
            tuple(one.id for one in holds.get(record.id, ())),
        )
        for record in records_in(connection, store, ids)
    }


def judged(
    connection: Connection, store: Store, ids: Sequence[int], rules: Sequence[Rule], at_ms: int
) -> dict[int, Decision]:
    """Decide on these interactions by these rules; left out is what is not in sight."""
    facts = facts_of(connection, store, ids)
    return {one: decide(facts[one], rules, at_ms) for one in ids if one in facts}


def candidates(
    store: Store, search: Search, rules: Iterable[Rule], at_ms: int
) -> Iterator[list[int]]:
    """Yield, each once, the interactions that a ceiling may have fired for.

    No more than candidates: holds and floors have not been asked, and the index may lag. What it
    does not show yet is not due yet.
    """
    seen: set[int] = set()
    for rule in rules:
        if rule.kind is Kind.CEILING:
            for page in search(rule.node):
                fresh = [one for one in page if one not in seen]
                over = _over(store, fresh, at_ms - rule.days * DAY_MS)
                seen.update(over)
                if over:
                    yield over


def _over(store: Store, ids: Sequence[int], until_ms: int) -> list[int]:
    with reading(store.engine) as connection:
        times = times_of(connection, ids)
    return [one for one in ids if one in times and clock_of(*times[one])[0] <= until_ms]
