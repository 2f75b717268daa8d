"""Lists every message whose ceiling has passed and that a floor keeps, in pages; decides anew.

Pages are of one instant, which each of them carries on; nothing is remembered between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.query import And, Or
from holdfast.core.rules import Kind
from holdfast.retention.decisions import Verdict
from holdfast.retention.judging import judged
from holdfast.storage.catalogue.engine import reading

if TYPE_CHECKING:
    from holdfast.core.query import Node
    from holdfast.core.rules import Rule
    from holdfast.retention.decisions import Decision
    from holdfast.storage.store import Store

Turn = Callable[["Node", str, int], tuple[Sequence[int], str]]
"""Query, cursor and limit → a page of what the query finds, and the next cursor; empty: none."""
PAGE = 500
MOST_LOOKED_THROUGH = 10_000
"""A page ends after so many, however few of them are conflicts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins."""

    at_ms: int
    """Of all pages: as of when it is decided."""
    policy_id: int = 0
    """Of the ceiling that is being walked through."""
    cursor: str = ""
    """Of the search for what it and a floor are about."""


def conflicts(
    store: Store, turn: Turn, rules: Sequence[Rule], place: Place, limit: int = PAGE
) -> tuple[list[Decision], Place | None]:
    """Return conflicts from a place on, each once over all pages, and where the next page begins.

    Args:
        store: The archive.
        turn: Searches the whole archive; what the index does not show yet is no conflict yet.
        rules: In force at `place.at_ms`, or those that would be.
        place: Where to begin.
        limit: At most so many; fewer do not mean that there are no more: None does.
    """
    kept = Or(tuple(rule.node for rule in rules if rule.kind is Kind.FLOOR))
    walk = [one for one in _ceilings(rules) if one.policy_id >= place.policy_id]
    found: list[Decision] = []
    looked = 0
    for rule in walk if kept.children else ():
        cursor = place.cursor if rule.policy_id == place.policy_id else ""
        while True:
            if len(found) == limit or looked >= MOST_LOOKED_THROUGH:
                return found, Place(place.at_ms, rule.policy_id, cursor)
            ids, cursor = turn(And((rule.node, kept)), cursor, limit - len(found))
            found += _decided(store, ids, rules, (rule, place.at_ms))
            looked += len(ids)
            if not cursor:
                break
    return found, None


def all_conflicts(
    store: Store, turn: Turn, rules: Sequence[Rule], at_ms: int
) -> Iterator[Decision]:
    """Yield all conflicts, each once."""
    place: Place | None = Place(at_ms)
    while place is not None:
        found, place = conflicts(store, turn, rules, place)
        yield from found


def _ceilings(rules: Sequence[Rule]) -> list[Rule]:
    return sorted((one for one in rules if one.kind is Kind.CEILING), key=lambda one: one.key)


def _decided(
    store: Store, ids: Sequence[int], rules: Sequence[Rule], of: tuple[Rule, int]
) -> list[Decision]:
    """Return the conflicts among these; each is of the first ceiling that has passed for it."""
    rule, at_ms = of
    with reading(store.engine) as connection:
        decided = judged(connection, store, ids, rules, at_ms)
    return [
        one
        for one in decided.values()
        if one.verdict is Verdict.CONFLICT and _first_over(one) == rule.policy_id
    ]


def _first_over(one: Decision) -> int:
    return next(each.policy_id for each in one.ceilings if each.until_ms <= one.at_ms)
