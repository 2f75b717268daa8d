"""Count the values of facets exactly in the embedded index; it knows no query tree."""

from __future__ import annotations

from holdfast.indexer.embedded.results import Results
from holdfast.indexer.embedded.schema import facet_field
from holdfast.indexer.facets import ranked

_SPARE = 64
_MOST_BUCKETS = 60_000
"""The engine gives up above 65,000."""
_WHOLE_SEGMENT = 1 << 31
"""Every value of a segment takes part in the merge, so no count is an estimate."""


def count_facet(results: Results, facet: str, limit: int) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values of a facet among the results, ties by value."""
    size = limit + _SPARE
    while True:
        found = _most_frequent(results, facet, min(size, _MOST_BUCKETS))
        # The engine leaves ties in any order: the cut must not go through those at the edge.
        edge = sorted(found.values(), reverse=True)[limit - 1] if 0 < limit <= len(found) else 0
        if len(found) < size or min(found.values()) < edge:
            return ranked(found, limit)
        if size >= _MOST_BUCKETS:
            sure = {value: count for value, count in found.items() if count > edge}
            return ranked(sure | _first_with(results, facet, edge, limit - len(sure)), limit)
        size *= 8


def _most_frequent(results: Results, facet: str, size: int) -> dict[str, int]:
    terms = {"field": facet_field(facet), "size": size, "segment_size": _WHOLE_SEGMENT}
    answer = results.searcher.aggregate(results.query, {"values": {"terms": terms}})
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["values"]["buckets"]}


def _first_with(results: Results, facet: str, count: int, limit: int) -> dict[str, int]:
    """Return the first values, by value, that have exactly this count."""
    source = [{"value": {"terms": {"field": facet_field(facet)}}}]
    composite: dict[str, object] = {"size": _MOST_BUCKETS, "sources": source}
    found: dict[str, int] = {}
    while True:
        answer = results.searcher.aggregate(results.query, {"values": {"composite": composite}})
        buckets = answer["values"]["buckets"]
        same = [one["key"]["value"] for one in buckets if one["doc_count"] == count]
        found.update(dict.fromkeys(same[: limit - len(found)], count))
        if len(buckets) < _MOST_BUCKETS or len(found) == limit:
            return found
        composite["after"] = answer["values"]["after_key"]
