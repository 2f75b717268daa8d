"""Put clauses of Elasticsearch's query language together, as flat and as few as possible.

It knows fields only by name. Every clause is a filter: nothing is scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from holdfast.indexer.elastic.mapping import MAX_VALUES

Clause = dict[str, Any]
EVERYTHING: Clause = {"match_all": {}}
NOTHING: Clause = {"match_none": {}}


def term(name: str, value: object) -> Clause:
    """Return the clause for one value of a field."""
    return {"terms": {name: [value]}}


def terms(name: str, values: Sequence[object]) -> Clause:
    """Return the clause for any of some values of a field."""
    return any_of([{"terms": {name: list(values)}}])


def between(name: str, low: int | None, high: int | None) -> Clause:
    """Return the clause for the numbers from `low` to `high`, both included."""
    bounds = {"gte": low, "lte": high}
    return {"range": {name: {key: bound for key, bound in bounds.items() if bound is not None}}}


def any_of(clauses: Iterable[Clause]) -> Clause:
    """Return their union; of none, nothing. Values of one field become one clause."""
    values: dict[str, dict[object, None]] = {}
    others: list[Clause] = []
    for clause in _alternatives(clauses):
        if "terms" in clause:
            ((name, found),) = clause["terms"].items()
            values.setdefault(name, {}).update(dict.fromkeys(found))
        elif clause == EVERYTHING:
            return EVERYTHING
        elif clause != NOTHING:
            others.append(clause)
    joined = [
        {"terms": {name: list(found)[at : at + MAX_VALUES]}}
        for name, found in values.items()
        for at in range(0, len(found), MAX_VALUES)
    ]
    everything = [*joined, *others]
    if not everything:
        return NOTHING
    return everything[0] if len(everything) == 1 else {"bool": {"should": everything}}


def all_of(clauses: Iterable[Clause], without: Iterable[Clause] = ()) -> Clause:
    """Return the intersection less `without`; of none, everything less `without`."""
    wanted: list[Clause] = []
    unwanted: list[Clause] = []
    for clause in clauses:
        inner = clause.get("bool", {})
        if inner and "should" not in inner:
            wanted += inner.get("filter", [])
            unwanted += inner.get("must_not", [])
        elif clause != EVERYTHING:
            wanted.append(clause)
    for clause in without:
        unwanted += _alternatives([clause])
    unwanted = [clause for clause in unwanted if clause != NOTHING]
    if NOTHING in wanted or EVERYTHING in unwanted:
        return NOTHING
    if not unwanted and len(wanted) < 2:
        return wanted[0] if wanted else EVERYTHING
    made: Clause = {}
    if wanted:
        made["filter"] = wanted
    if unwanted:
        if not wanted and len(unwanted) == 1 and set(unwanted[0].get("bool", ())) == {"must_not"}:
            return any_of(unwanted[0]["bool"]["must_not"])
        made["must_not"] = unwanted
    return {"bool": made}


def _alternatives(clauses: Iterable[Clause]) -> Iterable[Clause]:
    for clause in clauses:
        inner = clause.get("bool", {})
        if set(inner) == {"should"}:
            yield from inner["should"]
        else:
            yield clause
