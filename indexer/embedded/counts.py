"""Count the values of facets exactly in the embedded index; it knows no query tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdfast.indexer.embedded.results import Results
from holdfast.indexer.embedded.schema import facet_field
from holdfast.indexer.facets import ranked

_SPARE = 64
MOST_BUCKETS = 60_000
"""The engine gives up above 65,000."""
_WHOLE_SEGMENT = 1 << 31
"""Every value of a segment takes part in the merge, so no count is an estimate."""


def count_facets(
    results: Results, facets: Sequence[str], limit: int, *, most_buckets: int = MOST_BUCKETS
) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return the most frequent values of each facet among the results, ties by value.

    Args:
        results: To be counted.
        facets: Of `FACETS`.
        limit: How many values of each are wanted.
        most_buckets: How many values the engine is asked for at once.
    """
    if not limit:
        return dict.fromkeys(facets, ())
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    size, waiting = limit + _SPARE, facets
    while waiting:
        size = min(size, most_buckets)
        for facet, counts in _most_frequent(results, waiting, size).items():
            if _is_settled(counts, limit, size):
                found[facet] = ranked(counts, limit)
            elif size == most_buckets:
                found[facet] = _ranked_in_passes(results, facet, limit, size)
        waiting = [facet for facet in waiting if facet not in found]
        size *= 8
    return {facet: found[facet] for facet in facets}


def _is_settled(counts: Mapping[str, int], limit: int, size: int) -> bool:
    """Tell whether the first `limit` are sure: the engine leaves ties at its cut in any order."""
    if len(counts) < size:
        return True
    return limit < size and min(counts.values()) < sorted(counts.values(), reverse=True)[limit - 1]


def _most_frequent(results: Results, facets: Sequence[str], size: int) -> dict[str, dict[str, int]]:
    shape = {"size": size, "segment_size": _WHOLE_SEGMENT}
    asked = {facet: {"terms": {"field": facet_field(facet), **shape}} for facet in facets}
    answer = results.searcher.aggregate(results.query, asked)
    return {
        facet: {bucket["key"]: bucket["doc_count"] for bucket in answer[facet]["buckets"]}
        for facet in facets
    }


def _ranked_in_passes(
    results: Results, facet: str, limit: int, size: int
) -> tuple[tuple[str, int], ...]:
    """Walk all values in order, in pieces, and keep the best."""
    source = [{"value": {"terms": {"field": facet_field(facet)}}}]
    composite: dict[str, object] = {"size": size, "sources": source}
    best: dict[str, int] = {}
    while True:
        answer = results.searcher.aggregate(results.query, {"values": {"composite": composite}})
        buckets = answer["values"]["buckets"]
        best |= {bucket["key"]["value"]: bucket["doc_count"] for bucket in buckets}
        best = dict(ranked(best, limit))
        if len(buckets) < size:
            return ranked(best, limit)
        composite["after"] = answer["values"]["after_key"]
