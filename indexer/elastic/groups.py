"""Collapse results by thread or Message-ID, exactly; it knows no query tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdfast.indexer.cursors import Place, Window
from holdfast.indexer.elastic.clauses import terms
from holdfast.indexer.elastic.counts import MOST_BUCKETS, walk_values
from holdfast.indexer.elastic.results import Results, Spot
from holdfast.indexer.fields import COLLAPSE_FIELDS

_LEAST_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of some results."""

    results: Results
    field: str
    """Number field that names the group."""
    most_buckets: int = MOST_BUCKETS
    """How many groups the engine is asked for at once."""

    def count(self) -> int:
        """Return how many there are."""
        pieces = walk_values(self.results, self.field, self.most_buckets)
        return sum(len(piece) for piece in pieces)

    def firsts(self, window: Window, limit: int) -> tuple[list[tuple[Spot, int]], int]:
        """Return the first hit of each group with the group's size, after the window's place.

        The total of the results comes with them. Groups once looked at are left out of what is
        read next, so that a huge one is read once.
        """
        found: list[tuple[Spot, int]] = []
        place, rest = window.after, self.results
        seen: list[int] = []
        total = -1
        while True:
            asked = max(limit - len(found), _LEAST_CANDIDATES) if limit else 0
            spots, matching, _ = rest.page(window, place, asked, fields=("at", self.field))
            total = matching if total < 0 else total
            if spots:
                groups = list({spot.fields[self.field] for spot in spots})
                sizes = self._firsts_of(window, groups)
                found += [(spot, sizes[spot.id]) for spot in spots if spot.id in sizes]
                seen += groups
                rest = self.results.without(self.field, seen)
                place = Place(window.sort, spots[-1].key, spots[-1].id)
            if len(spots) < asked or len(found) >= limit:
                return found[:limit], total

    def _firsts_of(self, window: Window, groups: list[int]) -> dict[int, int]:
        """Return the id of each group's first hit in the window's order → number of its hits."""
        order = "desc" if window.is_descending else "asc"
        first: dict[str, Any] = {
            "size": 1,
            "sort": [{window.key: order}, {"id": "asc"}],
            "_source": False,
        }
        shape = {
            "field": self.field,
            "include": groups,
            "size": len(groups),
            "shard_size": len(groups),
        }
        answer = self.results.only(terms(self.field, groups)).counted(
            {"groups": {"terms": shape, "aggs": {"first": {"top_hits": first}}}}
        )
        return {
            bucket["first"]["hits"]["hits"][0]["sort"][1]: bucket["doc_count"]
            for bucket in answer["groups"]["buckets"]
        }


def collapse(results: Results, by: str) -> Groups:
    """Return the groups by `thread` or `message_id`."""
    return Groups(results, COLLAPSE_FIELDS[by])
