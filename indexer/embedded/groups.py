"""Collapse results by thread or Message-ID, exactly; it knows no query tree."""

from __future__ import annotations

from dataclasses import dataclass

from tantivy import Order, Query

from holdfast.indexer.cursors import Place, Window
from holdfast.indexer.embedded.counts import MOST_BUCKETS, WHOLE_SEGMENT
from holdfast.indexer.embedded.results import Results, Spot, above
from holdfast.indexer.fields import COLLAPSE_FIELDS

_HITS_FOR_BUCKET = 8
"""A hit costs less than a bucket."""
_LEAST_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of some results."""

    results: Results
    field: str
    """Number field that names the group."""
    most_buckets: int = MOST_BUCKETS
    """How many groups the engine is asked for at once."""

    def count(self, total: int) -> int:
        """Return how many there are.

        Args:
            total: How many results there are.
        """
        if total > 2 * self.most_buckets:
            return self._count_in_passes()
        several = {
            "field": self.field,
            "size": self.most_buckets,
            "segment_size": WHOLE_SEGMENT,
            "min_doc_count": 2,  # hits alone in their group need no bucket
        }
        answer = self.results.searcher.aggregate(self.results.query, {"groups": {"terms": several}})
        buckets = answer["groups"]["buckets"]
        return int(total - sum(bucket["doc_count"] - 1 for bucket in buckets))

    def _count_in_passes(self) -> int:
        """Walk all results in order of their groups, in pieces."""
        groups = 0
        rest, chunk = self.results, self.most_buckets * _HITS_FOR_BUCKET
        while True:
            hits = rest.searcher.search(rest.query, chunk, False, self.field, 0, Order.Asc).hits
            groups += len({group for group, _ in hits})
            if len(hits) < chunk:
                return groups
            rest = self.results.only(above(self.results.schema, hits[-1][0], self.field))

    def firsts(self, window: Window, limit: int) -> list[tuple[Spot, int]]:
        """Return the first hit of each group and the group's size, after the window's place.

        Groups once looked at are left out of what is read next, so that a huge one is read once.
        """
        found: list[tuple[Spot, int]] = []
        place, rest = window.after, self.results
        seen: list[int] = []
        while len(found) < limit:
            asked = max(limit - len(found), _LEAST_CANDIDATES)
            spots = rest.spots(window, place, asked)
            if not spots:
                break
            groups = list(set(self.results.numbers(self.field, spots)))
            sizes = self._firsts_of(window, groups)
            found += [(spot, sizes[spot.id]) for spot in spots if spot.id in sizes]
            if len(spots) < asked:
                break
            seen += groups
            rest = self.results.without(self._among(seen))
            place = Place(window.sort, spots[-1].key, spots[-1].id)
        return found[:limit]

    def _firsts_of(self, window: Window, groups: list[int]) -> dict[int, int]:
        """Return the id of each group's first hit in the window's order → number of its hits."""
        order = "desc" if window.is_descending else "asc"
        first = {
            "size": 1,
            "sort": [{window.key: order}, {"id": "asc"}],
            "docvalue_fields": ["id"],
        }
        terms = {"field": self.field, "size": len(groups), "segment_size": len(groups)}
        answer = self.results.searcher.aggregate(
            self.results.only(self._among(groups)).query,
            {"groups": {"terms": terms, "aggs": {"first": {"top_hits": first}}}},
        )
        return {
            bucket["first"]["hits"][0]["docvalue_fields"]["id"][0]: bucket["doc_count"]
            for bucket in answer["groups"]["buckets"]
        }

    def _among(self, groups: list[int]) -> Query:
        return Query.term_set_query(self.results.schema, self.field, groups)


def collapse(results: Results, by: str) -> Groups:
    """Return the groups by `thread` or `message_id`."""
    return Groups(results, COLLAPSE_FIELDS[by])
