"""Read exact totals and ordered hits out of the embedded index; it knows no query tree.

The engine orders by one field and leaves ties in any order, so ties at the edge of what was asked
for are read again by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tantivy
from tantivy import FieldType, Occur, Order, Query

from holdfast.indexer.cursors import Place, Window

_SPARE = 16
"""Hits asked for beyond the limit, so that a few ties at the edge need no second look."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one hit stands in an order, and where it lies."""

    key: int
    """Of the window's sort."""
    id: int
    address: tantivy.DocAddress
    """In the snapshot that it was found in."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that matches one query in one snapshot of the index."""

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    query: Query

    def total(self) -> int:
        """Return how many documents match."""
        return _count(self.searcher.search(self.query, 1, True, "at"))

    def only(self, query: Query) -> Results:
        """Return those results that match another query too."""
        return Results(self.searcher, self.schema, both(self.query, query))

    def without(self, query: Query) -> Results:
        """Return those results that do not match another query."""
        clauses = [(Occur.Must, self.query), (Occur.MustNot, query)]
        return Results(self.searcher, self.schema, Query.boolean_query(clauses))

    def first_page(self, window: Window, limit: int) -> tuple[list[Spot], int]:
        """Return the first `limit` hits and how many there are, by one walk where possible."""
        if limit == 0:
            return [], self.total()
        found = self._sorted(window, limit + _SPARE, is_counted=True)
        return self._settled(window, found[0], limit), found[1]

    def spots(self, window: Window, after: Place | None, limit: int) -> list[Spot]:
        """Return the first `limit` hits after a place, in the window's order."""
        if limit == 0:
            return []
        if after is None:
            return self._first(window, limit)
        found = self.only(above(self.schema, after.id))._ties(window.key, after.key, limit)
        if len(found) < limit:
            bounds = (None, after.key - 1) if window.is_descending else (after.key + 1, None)
            beyond = self.only(_between(self.schema, window.key, *bounds))
            found += beyond._first(window, limit - len(found))
        return found

    def numbers(self, name: str, spots: Sequence[Spot]) -> list[int]:
        """Return the value of a number field for each hit; every document has one."""
        return self._numbers(name, [spot.address for spot in spots])

    def _numbers(self, name: str, addresses: list[tantivy.DocAddress]) -> list[int]:
        values = self.searcher.fast_field_values(name, addresses)
        return [int(value or 0) for value in values]

    def _first(self, window: Window, limit: int) -> list[Spot]:
        spots, _ = self._sorted(window, limit + _SPARE, is_counted=False)
        return self._settled(window, spots, limit)

    def _sorted(self, window: Window, asked: int, *, is_counted: bool) -> tuple[list[Spot], int]:
        """Return what the engine has first, in order but for ties at the end, and the total."""
        order = Order.Desc if window.is_descending else Order.Asc
        found = self.searcher.search(self.query, asked, is_counted, window.key, 0, order)
        hits = found.hits  # made anew at each look
        ids = self._numbers("id", [address for _, address in hits])
        sign = -1 if window.is_descending else 1
        spots = sorted(
            (Spot(key, id_, address) for (key, address), id_ in zip(hits, ids, strict=True)),
            key=lambda spot: (sign * spot.key, spot.id),
        )
        return spots, _count(found) if is_counted else 0

    def _settled(self, window: Window, spots: list[Spot], limit: int) -> list[Spot]:
        """Return the first `limit`, ties at the end read again by id where they matter."""
        is_all = len(spots) < limit + _SPARE
        if is_all or spots[limit - 1].key != spots[-1].key:
            return spots[:limit]
        edge = spots[-1].key
        sure = [spot for spot in spots if spot.key != edge]
        return sure + self._ties(window.key, edge, limit - len(sure))

    def _ties(self, key: str, value: int, limit: int) -> list[Spot]:
        """Return hits that share one sort key, by id."""
        query = both(self.query, _between(self.schema, key, value, value))
        hits = self.searcher.search(query, limit, False, "id", 0, Order.Asc).hits
        return [Spot(value, id_, address) for id_, address in hits]


def _count(found: tantivy.SearchResult) -> int:
    count: int = found.count  # type: ignore[attr-defined]  # missing in its stub
    return count


def both(first: Query, second: Query) -> Query:
    """Return their intersection."""
    return Query.boolean_query([(Occur.Must, first), (Occur.Must, second)])


def above(schema: tantivy.Schema, number: int, name: str = "id") -> Query:
    """Return the query for larger numbers in an unsigned field."""
    kind = FieldType.Unsigned
    return Query.range_query(schema, name, kind, number, None, False, True)


def _between(schema: tantivy.Schema, name: str, low: int | None, high: int | None) -> Query:
    return Query.range_query(schema, name, FieldType.Integer, low, high)
