"""Count the values of facets exactly; it knows no query tree.

Each shard names its most frequent values only. What that may have left out is bounded, and where
the bound proves who the first are, their counts are taken in full; else more are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.indexer.elastic.mapping import facet_field
from holdfast.indexer.elastic.results import Results
from holdfast.indexer.facets import ranked

Ranking = tuple[tuple[str, int], ...]
"""(value, count), most frequent first, ties by value."""

_SPARE = 64
_WIDER = 8
MOST_BUCKETS = 60_000
"""The engine gives up above 65,536."""


@dataclass(frozen=True, slots=True)
class _Tally:
    """What one walk tells about one facet."""

    counts: Mapping[str, int]
    """Never more than the truth."""
    error: int
    """No count is short by more."""
    unseen: int
    """No value left out has more."""

    def least(self, limit: int) -> int:
        """Return what the last of the first `limit` has at least; 0 if fewer are known."""
        known = sorted(self.counts.values(), reverse=True)
        return known[limit - 1] if limit <= len(known) else 0

    def is_settled(self, limit: int) -> bool:
        """Tell whether the first `limit` are among the values counted, ties too."""
        return not self.unseen or self.unseen < self.least(limit)

    def contenders(self, limit: int) -> list[str]:
        """Return the values that may be among the first `limit`."""
        least = self.least(limit)
        return [value for value, count in self.counts.items() if count + self.error >= least]


def count_facets(
    results: Results, facets: Sequence[str], limit: int, *, most_buckets: int = MOST_BUCKETS
) -> dict[str, Ranking]:
    """Return the most frequent values of each facet among the results, ties by value.

    Args:
        results: To be counted.
        facets: Of `FACETS`.
        limit: How many values of each are wanted.
        most_buckets: How many values the engine is asked for at once.
    """
    found: dict[str, Ranking] = dict.fromkeys(facets, ())
    size, waiting = min(limit + _SPARE, most_buckets), list(facets) if limit else []
    while waiting:
        tallies = _walk(results, waiting, size)
        for facet, tally in tallies.items():
            if tally.is_settled(limit):
                found[facet] = _in_full(results, facet, tally, limit)
            elif size == most_buckets:
                found[facet] = _ranked_in_passes(results, facet, limit, size)
        waiting = [
            facet
            for facet in waiting
            if not tallies[facet].is_settled(limit) and size != most_buckets
        ]
        size = min(size * _WIDER, most_buckets)
    return found


def _walk(results: Results, facets: Sequence[str], size: int) -> dict[str, _Tally]:
    asked = {facet: _terms(facet, size=size, shard_size=size) for facet in facets}
    answer = results.counted(asked)
    tallies = {}
    for facet in facets:
        counts = _counts(answer[facet])
        error = int(answer[facet]["doc_count_error_upper_bound"])
        least = min(counts.values(), default=0) if answer[facet]["sum_other_doc_count"] else 0
        tallies[facet] = _Tally(counts, error, least + error)
    return tallies


def _in_full(results: Results, facet: str, tally: _Tally, limit: int) -> Ranking:
    """Return the ranking; where counts may be short, those that matter are taken again."""
    if not tally.error:
        return ranked(tally.counts, limit)
    values = tally.contenders(limit)
    shape = _terms(facet, include=values, size=len(values), shard_size=len(values))
    return ranked(_counts(results.counted({facet: shape})[facet]), limit)


def _ranked_in_passes(results: Results, facet: str, limit: int, size: int) -> Ranking:
    """Walk all values in order, in pieces, and keep the best."""
    best: dict[str, int] = {}
    for counts in walk_values(results, facet_field(facet), size):
        best = dict(ranked({**best, **counts}, limit))
    return ranked(best, limit)


def walk_values(results: Results, name: str, size: int) -> Any:
    """Yield every value of a field with its exact count, in pieces of at most `size` values."""
    composite: dict[str, Any] = {"size": size, "sources": [{"value": {"terms": {"field": name}}}]}
    while True:
        answer = results.counted({"values": {"composite": composite}})["values"]
        yield {bucket["key"]["value"]: bucket["doc_count"] for bucket in answer["buckets"]}
        if len(answer["buckets"]) < size:
            return
        composite["after"] = answer["after_key"]


def _terms(facet: str, **shape: object) -> dict[str, Any]:
    return {"terms": {"field": facet_field(facet), **shape}}


def _counts(answer: Mapping[str, Any]) -> dict[str, int]:
    return {str(bucket["key"]): int(bucket["doc_count"]) for bucket in answer["buckets"]}
